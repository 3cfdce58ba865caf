// SPDX-License-Identifier: BSD-3-Clause
// A slice: some packets of the input, in order, and the memory that they lie in.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>
#include <weir/packet.hpp>

namespace weir::capture {

/// The longest packet that a capture may hold, as in libpcap (MAXIMUM_SNAPLEN).
inline constexpr std::size_t captured_max = 262'144;

/// Filled by Input::next, then handed from stage to stage, then filled again. Where a slice ends depends on the packets
/// alone, never on how much a read returned, so that whatever is done at slice ends is done at the same packets.
class Slice {
 public:
  static constexpr std::size_t packets_max = 1024;       ///< a slice ends with this packet,
  static constexpr std::size_t octets_max = 256 * 1024;  ///< or with the one whose captured octets reach this sum,
                                                         ///< or with the last one of the input
  static constexpr std::size_t capacity = octets_max + 2 * captured_max;

  Slice() : packets_(packets_max), buffer_{std::make_unique_for_overwrite<std::byte[]>(capacity)} {}

  Burst packets() const noexcept { return {packets_.data(), count_}; }
  std::span<Packet> packets() noexcept { return {packets_.data(), count_}; }

 private:
  friend class Input;
  std::vector<Packet> packets_;  // all packets_max of them, of which count_ are filled
  std::size_t count_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace weir::capture
