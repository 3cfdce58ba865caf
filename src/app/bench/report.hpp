// SPDX-License-Identifier: BSD-3-Clause
// What `weir bench` measured, for people and for programs. Values in, text out.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "app/bench/bench.hpp"
#include "app/bench/plot.hpp"

namespace weir::app::bench {

/// A run that was not tried.
struct LeftOut {
  std::uint64_t flows = 0;
  std::string why;
};

struct Report {
  Plan plan;
  std::string processor;
  unsigned cpus = 0;
  std::vector<Result> results{};  ///< one a number of workers; of a sweep, one a number of flows
  bool sweep = false;
  std::vector<LeftOut> left_out{};
};

std::string text(const Report& report);
nlohmann::ordered_json json(const Report& report);
/// Nanoseconds a packet by flows, of a sweep.
Plot plot(const Report& report);

}  // namespace weir::app::bench
