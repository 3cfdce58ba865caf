// SPDX-License-Identifier: BSD-3-Clause
// What a meter without a plan needs of a packet, in 48 octets or 80: less to write, to read and to give to another core
// than Packet and Headers are.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "flow/key.hpp"

namespace weir::flow {

struct BriefIpv4 {
  __m128i key;     ///< as uniflow_block() has it
  __m128i counts;  ///< Headers from their octets to the fragment; the packet's interface where their notes are
  __m128i times;   ///< the packet's stamp and clock
};
struct BriefIpv6 {
  __m128i addresses[2], ports, flags;  ///< Headers; the packet's interface where their notes are
  __m128i times;

  const std::byte* headers() const noexcept { return reinterpret_cast<const std::byte*>(this); }
};
struct BriefPackets {
  std::span<const BriefIpv4> fours;
  std::span<const BriefIpv6> sixes;
  std::span<const std::uint16_t> fours_before_six;  ///< by number of the IPv6 packet: how many of IPv4 came before it

  std::size_t size() const noexcept { return fours.size() + sixes.size(); }
  /// Takes the next ones out, of each family a burst at most, and none that came after one that is left by more.
  BriefPackets take_burst() noexcept {
    const auto six_most = std::min(burst_size, sixes.size());
    auto four = std::min(burst_size, fours.size());
    std::size_t six = 0;
    while (six < six_most && fours_before_six[six] - fours_taken <= four) ++six;
    if (six == burst_size && six < sixes.size()) four = std::min(four, fours_before_six[six] - fours_taken);
    const BriefPackets taken{fours.first(four), sixes.first(six), {}};
    fours = fours.subspan(four);
    sixes = sixes.subspan(six);
    fours_before_six = fours_before_six.subspan(six);
    fours_taken += four;
    return taken;
  }

  std::size_t fours_taken = 0;
};

namespace brief {
inline constexpr std::size_t interface_in_counts = offsetof(Headers, notes) - offsetof(Headers, octets);
static_assert(offsetof(Headers, fragment) < offsetof(Headers, octets) + sizeof(BriefIpv4::counts));
static_assert(offsetof(Packet, clock) == offsetof(Packet, stamp) + 8, "one load");
static_assert(offsetof(BriefIpv4, counts) == offsetof(BriefIpv4, key) + sizeof(BriefIpv4::key) &&
              offsetof(Headers, octets) == offsetof(Headers, addresses) + Headers::ipv4_at + sizeof(BriefIpv4::key));
static_assert(offsetof(BriefIpv6, times) == sizeof(Headers));

inline __m128i both(std::uint64_t low, std::uint64_t high) noexcept {
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}
inline __m128i part_of(const Headers& headers, std::size_t at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const std::byte*>(&headers) + at));
}
/// Or GCC makes one load of several fields.
inline std::uint64_t apart(std::uint64_t field) noexcept {
  asm("" : "+r"(field));
  return field;
}
inline std::uint64_t numbers_by_field(const Headers& headers) noexcept {
  return headers.source_port | apart(headers.destination_port) << 16 | apart(headers.vlan) << 32 |
         apart(headers.protocol) << 48 | apart(headers.tos) << 56;
}
inline std::uint64_t flags_by_field(const Headers& headers, const Packet& packet) noexcept {
  return headers.tcp_flags | apart(packet.interface) << 16 | apart(headers.ttl) << 32 |
         apart(static_cast<std::uint8_t>(headers.version)) << 40;
}
inline __m128i times_of(const Packet& packet) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(&packet.stamp));
}
}  // namespace brief

/// Of one flow all packets can, but for fragments.
inline bool can_be_brief(const Headers& headers) noexcept { return headers.fragment == Fragment::none; }

/// `counts` are those of Headers.
inline void put_brief(__m128i key, __m128i counts, const Packet& packet, BriefIpv4& into) noexcept {
  into.key = key;
  into.counts = _mm_insert_epi16(counts, packet.interface, brief::interface_in_counts / 2);
  into.times = brief::times_of(packet);
}
/// Headers that were put together in wholes of 16 octets.
inline void put_brief_by_parts(const Headers& headers, const Packet& packet, BriefIpv6& into) noexcept {
  into.addresses[0] = brief::part_of(headers, 0);
  into.addresses[1] = brief::part_of(headers, 16);
  into.ports = brief::part_of(headers, 32);
  into.flags = _mm_insert_epi16(brief::part_of(headers, 48), packet.interface, (offsetof(Headers, notes) - 48) / 2);
  into.times = brief::times_of(packet);
}

/// Headers that can_be_brief(), of either version. What was just written field by field is read so: a load of more than
/// one store wrote waits until all are done.
inline void put_brief(const Headers& headers, const Packet& packet, BriefIpv4& into) noexcept {
  const auto addresses = load_native<std::uint64_t>(headers.addresses.data() + Headers::ipv4_at);
  into.key = brief::both(addresses, brief::numbers_by_field(headers));
  into.counts = brief::both(headers.octets, brief::flags_by_field(headers, packet));
  into.times = brief::times_of(packet);
}
inline void put_brief(const Headers& headers, const Packet& packet, BriefIpv6& into) noexcept {
  into.addresses[0] = brief::part_of(headers, 0);
  into.addresses[1] = brief::part_of(headers, 16);
  into.ports = brief::both(brief::numbers_by_field(headers), headers.octets);
  into.flags = brief::both(brief::flags_by_field(headers, packet), 0);
  into.times = brief::times_of(packet);
}

/// Back again. What was lost is as in a packet without octets, of which nothing is noted.
inline void put_back(__m128i times, Headers& headers, Packet& packet) noexcept {
  packet = {};
  std::memcpy(reinterpret_cast<std::byte*>(&packet) + offsetof(Packet, stamp), &times, sizeof times);
  packet.interface = std::exchange(headers.notes, std::uint16_t{0});
}
inline void put_back(const BriefIpv4& brief, Headers& headers, Packet& packet) noexcept {
  headers = {};
  std::memcpy(headers.addresses.data() + Headers::ipv4_at, &brief, sizeof brief.key + sizeof brief.counts);
  put_back(brief.times, headers, packet);
}
inline void put_back(const BriefIpv6& brief, Headers& headers, Packet& packet) noexcept {
  std::memcpy(&headers, brief.headers(), sizeof headers);
  put_back(brief.times, headers, packet);
}

}  // namespace weir::flow
