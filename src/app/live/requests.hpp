// SPDX-License-Identifier: BSD-3-Clause
// What control asks of workers: each does its share between bursts, on its own table.
#pragma once

#include <vector>

#include "app/live/worker.hpp"
#include "app/top_flows.hpp"
#include "capture/sample.hpp"

namespace weir::app {

/// Slots of the table that one step looks at: a few microseconds, between two bursts.
inline constexpr std::size_t slots_a_step = 256;

/// Collects the flows that a query asks for.
class LookAtFlows final : public Request {
 public:
  LookAtFlows(const FlowQuery& query, const std::array<RecordLayout, 2>& layouts) : top{query, layouts} {}
  bool step(Worker& worker) noexcept override { return worker.meter().look(at_, slots_a_step, top); }
  TopFlows top;

 private:
  flow::TableCursor at_;
};

/// Ends all flows that are there, and goes on; fragments that wait for their first are in none yet. No faster than the
/// exporter takes them: nobody asks for losses.
class EndAll final : public Request {
 public:
  bool step(Worker& worker) noexcept override {
    if (!worker.outlet().has_room_for(slots_a_step)) return false;
    const auto before = worker.meter().live();
    const bool through = worker.meter().end_all(worker.clock(), slots_a_step, worker.ended());
    flows += before - worker.meter().live();
    worker.hand_over();
    return through;
  }
  std::uint64_t flows = 0;
};

class SetTimeouts final : public Request {
 public:
  explicit SetTimeouts(const flow::MeterOptions& wanted) : wanted_{wanted} {}
  bool step(Worker& worker) noexcept override {
    worker.meter().set_timeouts(wanted_);
    return true;
  }

 private:
  flow::MeterOptions wanted_;
};

/// No record mixes two ways of sampling: all flows end, in one step, before the first packet of the new way, those of
/// fragments that wait for their first among them. What arrives meanwhile waits in the descriptors.
class SetSampling final : public Request {
 public:
  explicit SetSampling(std::vector<capture::Sampler> samplers) : samplers_{std::move(samplers)} {}
  bool step(Worker& worker) noexcept override {
    while (!worker.fragments().give_up(worker.clock(), worker.ended())) worker.hand_over_patiently();
    while (!worker.meter().end_all(worker.clock(), slots_a_step, worker.ended())) worker.hand_over_patiently();
    worker.hand_over_patiently();
    worker.set_samplers(samplers_);
    return true;
  }

 private:
  std::vector<capture::Sampler> samplers_;
};

}  // namespace weir::app
