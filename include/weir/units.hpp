// SPDX-License-Identifier: BSD-3-Clause
// Units and identities that must not be confused with one another.
#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <limits>

namespace weir {

/// The packets' clock: nanoseconds since 1970-01-01T00:00:00Z, taken from packets' stamps. It has no now(), so nothing
/// that is metered can depend on when it is metered.
struct PacketClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  static constexpr bool is_steady = false;
};
using Instant = std::chrono::time_point<PacketClock>;
using std::chrono::nanoseconds;

/// A packet that carries no stamp (pcapng Simple Packet Blocks, or a stamp outside of `stamp_latest`) has this one.
inline constexpr Instant no_stamp{nanoseconds{-1}};

/// Stamps are 0 .. stamp_latest. The bound (2200-01-01) leaves room for ten years of timeout without overflow.
inline constexpr Instant stamp_latest{std::chrono::seconds{7'258'118'400}};

constexpr std::uint64_t nanoseconds_since_epoch(Instant at) noexcept {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}
constexpr std::uint64_t milliseconds_since_epoch(Instant at) noexcept {
  return nanoseconds_since_epoch(at) / 1'000'000u;
}

/// A number that names something. Two kinds of id do not convert into each other.
template <class Tag, std::unsigned_integral Rep>
struct Id {
  Rep value{};
  friend constexpr auto operator<=>(Id, Id) = default;
};
using TemplateId = Id<struct TemplateTag, std::uint16_t>;
using DomainId = Id<struct DomainTag, std::uint32_t>;
static_assert(!std::convertible_to<TemplateId, DomainId>);

}  // namespace weir
