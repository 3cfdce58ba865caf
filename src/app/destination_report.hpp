// SPDX-License-Identifier: BSD-3-Clause
// What became of the records at one destination: its part of the ledger's second line.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>
#include <weir/record.hpp>

namespace weir::app {

struct DestinationReport {
  std::string name{};                      ///< as it was given: "flows.ipfix", "udp://127.0.0.1:4739"
  std::uint64_t messages = 0, octets = 0;  ///< sent, IPFIX Messages with their headers
  std::uint64_t sessions = 0;              ///< begun; 1 when nothing broke
  std::uint64_t data_records = 0;          ///< sent, option data included: what sequence numbers count
  Totals exported{}, waiting{};
  Totals absent{};                                     ///< of records that ended before it was a destination, or after
  std::vector<std::pair<std::string, Totals>> lost{};  ///< by cause; causes that never were may be left out
  std::uint64_t unconfirmed_octets = 0;                ///< given to the kernel, unacknowledged when a session broke
  std::uint64_t refusals = 0;                          ///< over UDP: how often nobody listened (ICMP port unreachable)
  std::string error{};                                 ///< what went wrong last; empty where nothing did

  Totals lost_in_all() const noexcept {
    Totals sum;
    for (const auto& [cause, totals] : lost) sum += totals;
    return sum;
  }
};

}  // namespace weir::app
