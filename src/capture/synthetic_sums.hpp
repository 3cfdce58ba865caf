// SPDX-License-Identifier: BSD-3-Clause
// What is known of traffic by flow, in a few words of memory: enough to tell whether somebody counted the same.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.hpp"

namespace weir::capture {

/// Packets and IP octets, and both weighted by a number of 64 bits that is the flow's own. If two who counted differ in
/// any flow, their weighted sums agree with a probability of 2^-64: sixteen octets stand for a table of all flows.
struct FlowSums {
  std::uint64_t packets = 0, octets = 0, packets_by_flow = 0, octets_by_flow = 0;

  constexpr void add(std::uint32_t flow, std::uint64_t more_packets, std::uint64_t more_octets) noexcept {
    std::uint64_t state = flow;
    packets += more_packets;
    octets += more_octets;
    packets_by_flow += next_word(state) * more_packets;
    octets_by_flow += next_word(state) * more_octets;
  }
  friend constexpr bool operator==(const FlowSums&, const FlowSums&) = default;
};

/// Which flows were seen: a bit each. Grows, so it is not for a data path.
class FlowSet {
 public:
  void add(std::uint32_t flow) {
    if (flow / 64 >= bits_.size()) bits_.resize(flow / 64 * 2 + 1);
    const auto bit = std::uint64_t{1} << flow % 64;
    size_ += (bits_[flow / 64] & bit) == 0;
    bits_[flow / 64] |= bit;
  }
  std::uint64_t size() const noexcept { return size_; }

 private:
  std::vector<std::uint64_t> bits_;
  std::uint64_t size_ = 0;
};

}  // namespace weir::capture
