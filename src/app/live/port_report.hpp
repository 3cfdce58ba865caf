// SPDX-License-Identifier: BSD-3-Clause
// What a port delivered, what it lost, and how it is doing: values for summary, `weir ctl ports` and the ledger.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "capture/live/port.hpp"

namespace weir::app {

struct QueueReport {
  std::uint16_t number = 0;
  unsigned worker = 0;
  std::uint64_t packets = 0;    ///< that the worker received from it
  capture::NamedCounters lost;  ///< as far as the device tells by queue; without the queue in their names
};

/// Of a device's own counters those that tell of this queue's losses: DPDK's drivers name them rx_q0_errors,
/// rx_q0_drop_total, …
capture::NamedCounters losses_of_queue(std::uint16_t queue, const capture::NamedCounters& named);

struct PortReport {
  std::string name, driver;
  std::uint32_t ingress_interface = 0;  ///< as records carry it
  capture::LinkState link{};
  bool gone = false;
  capture::PortCounters counters{};  ///< the device's own
  capture::NamedCounters named{};    ///< and those under names of its own
  std::vector<QueueReport> queues{};

  std::uint64_t received() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& queue : queues) sum += queue.packets;
    return sum;
  }
};

/// A list; every loss is there by name, zeros too.
nlohmann::ordered_json json_of(const std::vector<PortReport>& ports);

/// Aligned lines: offered = received + missed, by queue, and each loss with what it means; a queue of a port that has
/// one queue is told of only if it lost something.
std::string text_of(const std::vector<PortReport>& ports);

}  // namespace weir::app
