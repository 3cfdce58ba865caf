// SPDX-License-Identifier: BSD-3-Clause
// What the decoder's slow twin stands on: a packet with absolute offsets, and one question asked of each octet that is
// needed: is it there?
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>

namespace weir::test {

class SlowOctets {
 public:
  SlowOctets(Bytes captured, std::uint64_t wire)
      : captured_{captured}, wire_{std::max<std::uint64_t>(wire, captured.size())} {}

 protected:
  using Verdict = std::optional<Outcome>;  ///< none: go on
  using Numbers = std::set<std::uint64_t>;

  std::uint64_t number(std::uint64_t offset, unsigned octets) const {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < octets; ++i) value = value * 256 + std::to_integer<std::uint64_t>(captured_[offset + i]);
    return value;
  }
  /// Least significant octet first.
  std::uint64_t little(std::uint64_t offset, unsigned octets) const {
    std::uint64_t value = 0;
    for (unsigned i = octets; i > 0; --i) value = value * 256 + number(offset + i - 1, 1);
    return value;
  }
  bool bit(std::uint64_t offset, unsigned value) const { return number(offset, 1) / value % 2 == 1; }
  /// Are all octets before `end` captured, and none behind the packets around?
  bool there(std::uint64_t end) const { return end <= captured_.size() && end <= end_; }
  bool cut(std::uint64_t end) const { return end > captured_.size() && captured_.size() < wire_; }
  /// Is the packet lost because the octets before `end` are not all there?
  Verdict need(std::uint64_t end, Outcome malformed) const {
    if (cut(end)) return Outcome::truncated;
    if (!there(end)) return malformed;
    return std::nullopt;
  }
  /// Where the frame ends on the wire, or the IP packet around.
  std::uint64_t limit() const { return std::min(end_, wire_); }

  Bytes captured_;
  std::uint64_t wire_;
  std::uint64_t end_ = std::numeric_limits<std::uint64_t>::max();  ///< the nearest of the ends that headers state
  std::uint64_t at_ = 0;
};

}  // namespace weir::test
