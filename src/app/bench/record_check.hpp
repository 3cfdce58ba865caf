// SPDX-License-Identifier: BSD-3-Clause
// Whether records say of each flow what the traffic knows of it: read from the octets that would be sent.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>
#include <weir/bytes.hpp>
#include <weir/record.hpp>

#include "capture/synthetic.hpp"

namespace weir::app::bench {

class RecordCheck {
 public:
  RecordCheck(std::span<const RecordLayout, 2> layouts, const capture::SyntheticTraffic& traffic);

  /// One Data Record of template `which` of an address family (0: IPv4, 1: IPv6).
  void look(unsigned family, std::size_t which, Bytes record) noexcept;

  /// Empty: packets and octets of every flow, and the number of flows, are those of the traffic. Else what differs.
  std::string verdict() const;

 private:
  /// Where a template has what is checked; octets 0: nowhere.
  struct Place {
    std::size_t at = 0, octets = 0;
  };
  struct Places {
    Place address, packets, octets, reverse_packets, reverse_octets;
  };
  static Places places_of(const RecordTemplate& of);

  const capture::SyntheticTraffic& traffic_;
  std::array<std::vector<Places>, 2> places_;
  capture::FlowSums sums_;
  capture::FlowSet flows_;
};

}  // namespace weir::app::bench
