// SPDX-License-Identifier: BSD-3-Clause
// What `weir ctl` asks, answered by the probe that runs.
#pragma once

#include <functional>

#include "app/control.hpp"
#include "app/live/probe.hpp"

namespace weir::app {

class Answers final : public ControlHandlers {
 public:
  /// `read` reads the settings anew, as they were given at start.
  Answers(Probe& probe, std::function<Settings()> read, Probe::Say say)
      : probe_{probe}, read_{std::move(read)}, say_{std::move(say)} {}

  Answer stats() override;
  Answer ports() override;
  Answer flows(const FlowQuery& query) override;
  Answer expire_all() override;
  /// The lines are said, too: SIGHUP has nobody else to tell.
  Answer reload() override;

 private:
  Probe& probe_;
  std::function<Settings()> read_;
  Probe::Say say_;
};

}  // namespace weir::app
