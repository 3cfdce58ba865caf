// SPDX-License-Identifier: BSD-3-Clause
// From the stamps that captures carry to the packet clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>
#include <weir/units.hpp>

namespace weir::capture {

__extension__ using Wide = __int128;
__extension__ using WideUnsigned = unsigned __int128;

/// How an interface of a pcapng file counts time: nanoseconds = units × multiply ÷ divide ÷ 2^shift + offset.
struct Resolution {
  std::uint64_t multiply = 1000;  ///< without if_tsresol a unit is a microsecond
  std::uint64_t divide = 1;
  unsigned shift = 0;
  std::int64_t offset_seconds = 0;

  /// if_tsresol: the low seven bits are n in 10^-n, or in 2^-n where the top bit is set.
  static constexpr Resolution from_option(std::uint8_t option) noexcept {
    constexpr unsigned nano = 9, divide_digits_max = 19;
    const unsigned n = option & 0x7fu;
    if (option & 0x80u) return {.multiply = 1'000'000'000, .shift = n};
    if (n <= nano) return {.multiply = power_of_ten(nano - n)};
    if (n <= nano + divide_digits_max) return {.multiply = 1, .divide = power_of_ten(n - nano)};
    return {.multiply = 0};  // 2^64 units are less than a nanosecond
  }

  /// Exact to the nanosecond below; no_stamp where that is before 1970 or after stamp_latest.
  constexpr Instant instant(std::uint64_t units) const noexcept {
    const auto wide = WideUnsigned{units} * multiply;
    const bool coarse = divide == 1 && shift == 0;
    const auto count = static_cast<Wide>(coarse ? wide : divided(wide)) + Wide{offset_seconds} * 1'000'000'000;
    if (count < 0 || count > stamp_latest.time_since_epoch().count()) return no_stamp;
    return Instant{nanoseconds{static_cast<std::int64_t>(count)}};
  }

 private:
  /// Seldom needed, and dear: kept out of the way so that no compiler divides for nothing.
  [[gnu::noinline, gnu::cold]] constexpr WideUnsigned divided(WideUnsigned wide) const noexcept {
    return (wide / divide) >> shift;
  }
  static constexpr std::uint64_t power_of_ten(unsigned n) noexcept {
    std::uint64_t power = 1;
    for (; n > 0; --n) power *= 10;
    return power;
  }
};
static_assert(Resolution::from_option(6).instant(1'500'000) == Instant{std::chrono::milliseconds{1500}});
static_assert(Resolution::from_option(0x80 | 10).instant(1536) == Instant{std::chrono::milliseconds{1500}});

/// Writes stamp, clock and notes into packets, in the order of the input.
class PacketTimer {
 public:
  void mark(Packet& packet, Instant stamp) noexcept {
    if (stamp == no_stamp) [[unlikely]]
      return take_clock(packet);
    std::uint16_t notes = 0;
    if (stamp < clock_) notes = note_bit(Note::late);
    if (const auto apart = stamp - previous_; apart > jump || apart < -jump) [[unlikely]]
      notes |= jumped();
    previous_ = stamp;
    clock_ = std::max(clock_, stamp);
    packet.stamp = stamp;
    packet.clock = clock_;
    packet.notes = notes;
  }

  std::uint64_t jumps() const noexcept { return jumps_; }

 private:
  static constexpr auto jump = std::chrono::hours{1};

  void take_clock(Packet& packet) const noexcept {
    packet.stamp = packet.clock = clock_;
    packet.notes = note_bit(Note::without_stamp);
  }

  /// The first stamp of the input is far from nothing.
  std::uint16_t jumped() noexcept {
    if (previous_ == no_stamp) return 0;
    ++jumps_;
    return note_bit(Note::clock_jump);
  }

  Instant clock_{};
  Instant previous_ = no_stamp;
  std::uint64_t jumps_ = 0;
};

}  // namespace weir::capture
