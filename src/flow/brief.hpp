// SPDX-License-Identifier: BSD-3-Clause
// IPv4 packets in 56 octets instead of 104, for cores that give them to each other: what a meter without a plan reads
// of Packet and Headers, which it reads where it lies.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "flow/key.hpp"

namespace weir::flow {

/// Both addresses, then Headers from the ports to the fragment: the first half is an IPv4 key.
struct alignas(32) BriefHeaders {
  std::array<std::byte, 32> octets;
  __m128i key() const noexcept { return _mm_load_si128(reinterpret_cast<const __m128i*>(octets.data())); }
};
inline constexpr std::size_t brief_from = offsetof(Headers, source_port), brief_octets = 24, brief_counts_at = 16;
static_assert(offsetof(Headers, octets) == brief_from + 8 && offsetof(Headers, fragment) < brief_from + brief_octets);

/// Packet from its stamp on: clock and interface are in it.
inline constexpr std::size_t brief_times_from = offsetof(Packet, stamp);
struct BriefTimes {
  std::array<std::byte, sizeof(Packet) - brief_times_from> octets;
};
static_assert(offsetof(Packet, clock) > offsetof(Packet, stamp) &&
              offsetof(Packet, interface) > offsetof(Packet, stamp));

/// Whether a packet's headers lose nothing that a meter needs. Of one flow they all do or none, but for fragments.
inline bool can_be_brief(const Headers& headers) noexcept {
  // By arithmetic: which it is nobody can foresee.
  return (static_cast<unsigned>(headers.version == IpVersion::v4) &
          static_cast<unsigned>(headers.protocol != protocol::icmp) &
          static_cast<unsigned>(headers.fragment == Fragment::none)) != 0;
}

inline void put_brief(const Headers& headers, BriefHeaders& into) noexcept {
  _mm_store_si128(reinterpret_cast<__m128i*>(into.octets.data()), uniflow_block(headers));
  std::memcpy(into.octets.data() + brief_counts_at,
              reinterpret_cast<const std::byte*>(&headers) + offsetof(Headers, octets), 16);
}
inline void put_brief(const Packet& packet, BriefTimes& into) noexcept {
  std::memcpy(into.octets.data(), reinterpret_cast<const std::byte*>(&packet) + brief_times_from, sizeof into);
}

/// Back again. What was lost is as in a packet without octets.
inline void put_back(const BriefHeaders& brief, Headers& into) noexcept {
  into = {};
  std::memcpy(into.addresses.data() + Headers::ipv4_at, brief.octets.data(), 8);
  std::memcpy(reinterpret_cast<std::byte*>(&into) + brief_from, brief.octets.data() + 8, brief_octets);
}
inline void put_back(const BriefTimes& brief, Packet& into) noexcept {
  into = {};
  std::memcpy(reinterpret_cast<std::byte*>(&into) + brief_times_from, brief.octets.data(), sizeof brief);
}

/// As many of the one as of the other.
struct BriefPackets {
  std::span<const BriefHeaders> headers;
  std::span<const BriefTimes> times;

  std::size_t size() const noexcept { return headers.size(); }
  BriefPackets subspan(std::size_t from, std::size_t count) const noexcept {
    return {headers.subspan(from, count), times.subspan(from, count)};
  }
};

}  // namespace weir::flow
