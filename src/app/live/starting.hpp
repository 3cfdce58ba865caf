// SPDX-License-Identifier: BSD-3-Clause
// The control socket while a probe starts, which clears its tables and resets its devices meanwhile: whoever asks hears
// so at once.
#pragma once

#include <stop_token>
#include <thread>

#include "app/control.hpp"

namespace weir::app {

class Starting final : public ControlHandlers {
 public:
  /// From now on until its end; `control` is not for others meanwhile.
  explicit Starting(Control& control)
      : thread_{[this, &control](const std::stop_token& stop) {
          constexpr std::chrono::milliseconds turn{20};
          while (!stop.stop_requested()) control.serve(turn, *this);
        }} {}

  Answer stats() override { return not_yet(); }
  Answer ports() override { return not_yet(); }
  Answer flows(const FlowQuery&) override { return not_yet(); }
  Answer expire_all() override { return not_yet(); }
  Answer reload() override { return not_yet(); }

 private:
  static Answer not_yet() { return refusal("the probe is starting and does not meter yet; ask again in a moment"); }

  std::jthread thread_;
};

}  // namespace weir::app
