// SPDX-License-Identifier: BSD-3-Clause
// A slice while it is filled: what Input and the readers of the formats hand to each other.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/assert.hpp"
#include "capture/slice.hpp"

namespace weir::capture {

/// Beyond this a pcapng block is not awaited whole: its packet is taken as soon as it is there, the rest is dropped.
inline constexpr std::size_t block_whole_max = captured_max + 64 * 1024;

/// The slice's buffer: packets and small gaps between them up to `kept`; then what is of no use; then, from `at` to
/// `end`, octets of the current file that are not packets yet.
struct Filling {
  Packet* packets;
  std::byte* buffer;
  std::size_t count = 0;     ///< packets so far
  std::size_t captured = 0;  ///< their octets
  std::size_t at = 0, end = 0;
  std::size_t kept = 0;          ///< end of the last packet's octets
  std::size_t gaps = 0;          ///< octets lost between packets to block headers and options
  std::uint64_t stream_end = 0;  ///< offset of `end` in the file, uncompressed

  bool full() const noexcept { return count == Slice::packets_max || captured >= Slice::octets_max; }
  std::size_t left() const noexcept { return end - at; }
  const std::byte* unread() const noexcept { return buffer + at; }
  std::uint64_t offset() const noexcept { return stream_end - left(); }

  /// Sees to it that `octets` from `at` on can lie in the buffer.
  void make_room(std::size_t octets) noexcept {
    if (octets <= Slice::capacity - at) return;
    WEIR_ASSERT(octets <= Slice::capacity - kept);
    std::memmove(buffer + kept, unread(), left());
    end = kept + left();
    at = kept;
  }

  /// Keeps a packet's octets, at `from` in the buffer. Where headers and options take more of the buffer than there is
  /// to spare, the packet moves over them; nothing but a hostile or very talkative pcapng comes to that.
  const std::byte* keep(std::size_t from, std::size_t octets) noexcept {
    if (const auto gap = from - kept; gap <= gaps_max - gaps) {
      gaps += gap;
    } else {
      std::memmove(buffer + kept, buffer + from, octets);
      from = kept;
    }
    kept = from + octets;
    captured += octets;
    return buffer + from;
  }

  static constexpr std::size_t gaps_max = 64 * Slice::packets_max;
};
/// A slice that is not full yet has always room for the next record. pcap's gaps (48 octets at most) are not counted.
static_assert(Slice::octets_max + Filling::gaps_max + 48 * Slice::packets_max + block_whole_max <= Slice::capacity);

/// Why a reader of a format stopped.
struct Halt {
  enum class Why : std::uint8_t { full, needs, damaged, unusable } why;
  std::size_t needs = 0;         ///< octets from `at` on that must be there before it can go on
  const char* reason = nullptr;  ///< damaged, unusable: with a place for `number`
  std::uint64_t number = 0;

  /// It need not stop at all.
  static constexpr Halt nothing() noexcept { return until(0); }
  constexpr bool goes_on() const noexcept { return why == Why::needs && needs == 0; }
  static constexpr Halt full() noexcept { return {Why::full}; }
  static constexpr Halt until(std::size_t octets) noexcept { return {Why::needs, octets}; }
  static constexpr Halt damaged(const char* reason, std::uint64_t number = 0) noexcept {
    return {Why::damaged, 0, reason, number};
  }
};

constexpr Halt beyond_any_snap_length(std::uint64_t captured) noexcept {
  return Halt::damaged("its record claims {} captured octets, more than any snap length allows", captured);
}

/// Byte order is a property of a file or section, decided once and then compiled in.
enum class Order : std::uint8_t { little, big };

template <Order order, std::unsigned_integral T>
constexpr T load(const std::byte* at) noexcept {
  return order == Order::little ? load_le<T>(at) : load_be<T>(at);
}
template <std::unsigned_integral T>
constexpr T load(Order order, const std::byte* at) noexcept {
  return order == Order::little ? load_le<T>(at) : load_be<T>(at);
}

}  // namespace weir::capture
