// SPDX-License-Identifier: BSD-3-Clause
// A packet on its way through the decoder: what is left of it, and how it ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>

namespace weir::decode {

/// A frame has up to three ends: where the capture stops, where the IP packet says that it stops, and where the frame
/// stopped on the wire. Octets are handed out only before the first two; `lacks` names what stood in the way.
class Frame {
 public:
  constexpr Frame(Bytes captured, std::uint64_t wire) noexcept
      : at_{captured}, unseen_{wire > captured.size() ? wire - captured.size() : 0}, beyond_{unseen_} {}

  /// The next `octets`, or nullptr (and nothing taken) if capture or IP packet end before them.
  constexpr const std::byte* take(std::size_t octets) noexcept { return at_.take(octets); }

  /// What a packet is for which take(octets) gave nullptr. A cut capture excuses the sender, whatever else is wrong.
  constexpr Outcome lacks(std::size_t octets, Outcome malformed) const noexcept {
    return unseen_ > 0 && octets > at_.left() + trailer_ ? Outcome::truncated : malformed;
  }

  /// What take() can still hand out.
  constexpr Bytes rest() const noexcept { return at_.rest(); }

  /// Octets from here to the end of the frame, or of the IP packet around, captured or not.
  constexpr std::uint64_t on_wire() const noexcept { return at_.left() + beyond_; }

  /// The IP packet ends `octets` from here: what follows (padding, checksums) is not taken any more.
  constexpr void end_after(std::uint64_t octets) noexcept {
    if (octets >= at_.left()) {
      beyond_ = std::min(beyond_, octets - at_.left());
      return;
    }
    trailer_ += at_.left() - octets;
    beyond_ = 0;
    at_ = Cursor{at_.rest().first(octets)};
  }

 private:
  Cursor at_;
  std::uint64_t trailer_ = 0;  ///< captured octets behind the IP packet
  std::uint64_t unseen_;       ///< octets on the wire that were not captured
  std::uint64_t beyond_;       ///< of these the ones before the IP packet around ends
};

}  // namespace weir::decode
