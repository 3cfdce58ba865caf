// SPDX-License-Identifier: BSD-3-Clause
// The straight road. Most of the world's packets are TCP or UDP right behind an IP header without options on untagged
// Ethernet; these have every octet at a known place, and the chain's questions come down to five.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

namespace weir::decode {

namespace straight {

inline constexpr std::size_t ethernet = 14, ipv4 = 20, ipv6 = 40, up_to_tcp_flags = 14;

/// By protocol number: which bits of a transport header's octets 12 and 13 are TCP's control bits; or that there is no
/// straight road. Never asked one after the other, for which of TCP and UDP it is nobody can foresee.
inline constexpr std::uint16_t no_road = 0x8000;
inline constexpr auto roads = [] {
  std::array<std::uint16_t, 256> all;
  all.fill(no_road);
  all[protocol::tcp] = 0x0fff;
  all[protocol::udp] = 0;
  return all;
}();

inline __m128i load(const std::byte* at) noexcept { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
inline void store(void* at, __m128i octets) noexcept { _mm_storeu_si128(static_cast<__m128i*>(at), octets); }

// What is put together of Headers, by the place from which each octet comes; _ is a zero.
inline constexpr char _ = -1;
static_assert(offsetof(Headers, addresses) == 0 && offsetof(Headers, source_port) == 32 &&
              offsetof(Headers, destination_port) == 34 && offsetof(Headers, vlan) == 36 &&
              offsetof(Headers, protocol) == 38 && offsetof(Headers, tos) == 39 && offsetof(Headers, octets) == 40 &&
              offsetof(Headers, tcp_flags) == 48 && offsetof(Headers, notes) == 50 && offsetof(Headers, ttl) == 52 &&
              offsetof(Headers, version) == 53 && offsetof(Headers, fragment) == 54 && sizeof(Headers) == 64);

/// The octets of a transport header, from two before it on, to the ports.
inline __m128i ports_of(__m128i transport) noexcept {
  return _mm_shuffle_epi8(transport, _mm_setr_epi8(3, 2, 5, 4, _, _, _, _, _, _, _, _, _, _, _, _));
}

/// The EtherType and what follows it: an IPv4 header of version 4 and five words, no fragment?
inline bool is_ipv4(__m128i from_type) noexcept {
  const auto wanted = _mm_setr_epi8(0x08, 0x00, 0x45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const auto asked = _mm_setr_epi8(_, _, _, 0, 0, 0, 0, 0, 0x3f, _, 0, 0, 0, 0, 0, 0);
  return _mm_testz_si128(_mm_xor_si128(from_type, wanted), asked) != 0;
}

/// Two parts of Headers: from IPv4's addresses, and from the octets on; but for the fragment's number, which is 0.
struct Ipv4 {
  __m128i from_addresses, from_octets;
};

/// At least ethernet + ipv4 + up_to_tcp_flags octets are captured; is_ipv4(from_type).
inline bool read_ipv4(const Packet& packet, const std::byte* ip, __m128i from_type, Ipv4& out) noexcept {
  const std::uint32_t octets = load_be<std::uint16_t>(ip + 2);
  if (octets < ipv4 + up_to_tcp_flags || octets + ethernet > packet.wire) return false;
  const auto road = roads[load_be<std::uint8_t>(ip + 9)];
  if (road & no_road) return false;

  const auto ends = _mm_shuffle_epi8(load(ip + 12), _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 9, 8, 11, 10, _, _, _, _));
  out.from_addresses =
      _mm_or_si128(ends, _mm_shuffle_epi8(from_type, _mm_setr_epi8(_, _, _, _, _, _, _, _, _, _, _, _, _, _, 11, 3)));
  constexpr char version = static_cast<char>(IpVersion::v4);
  const auto from_octets =
      _mm_or_si128(_mm_shuffle_epi8(from_type, _mm_setr_epi8(5, 4, _, _, _, _, _, _, _, _, _, _, 10, _, _, _)),
                   _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, version, 0, 0));
  constexpr int flags_at = (offsetof(Headers, tcp_flags) - offsetof(Headers, octets)) / 2;
  out.from_octets = _mm_insert_epi16(from_octets, load_be<std::uint16_t>(ip + ipv4 + 12) & road, flags_at);
  return true;
}

/// A packet that was captured on Ethernet and selected, over IPv4.
inline bool read_ipv4(const Packet& packet, Ipv4& out) noexcept {
  if (packet.captured < ethernet + ipv4 + up_to_tcp_flags) return false;
  const auto* ip = packet.bytes + ethernet;
  const auto from_type = load(ip - 2);
  return is_ipv4(from_type) && read_ipv4(packet, ip, from_type, out);
}

/// The same over IPv6.
inline bool decode_ipv6(const Packet& packet, Headers& out) noexcept {
  constexpr std::uint16_t type_ipv6 = 0x86dd;
  if (packet.captured < ethernet + ipv6 + up_to_tcp_flags) return false;
  const auto* ip = packet.bytes + ethernet;
  if (load_native<std::uint16_t>(ip - 2) != swap_bytes(type_ipv6)) return false;
  const std::uint32_t version_class_label = load_be<std::uint32_t>(ip), payload = load_be<std::uint16_t>(ip + 4);
  if (version_class_label >> 28 != 6) return false;
  if (payload < up_to_tcp_flags || payload + ipv6 + ethernet > packet.wire) return false;
  const auto number = load_be<std::uint8_t>(ip + 6);
  const auto road = roads[number];
  if (road & no_road) return false;

  store(out.addresses.data(), load(ip + 8));
  store(out.addresses.data() + 16, load(ip + 24));
  // Put together before they are stored, for a store that is written over in part is slow to be read as a whole.
  const std::uint64_t next_and_class = number | std::uint64_t{version_class_label >> 20 & 0xff} << 8;
  const auto ports = _mm_cvtsi128_si64(ports_of(load(ip + ipv6 - 2)));
  store(&out.source_port, _mm_set_epi64x(ipv6 + payload, ports | static_cast<std::int64_t>(next_and_class << 48)));
  const std::uint64_t flags = load_be<std::uint16_t>(ip + ipv6 + 12) & road, hop_limit = load_be<std::uint8_t>(ip + 7);
  constexpr auto version = std::uint64_t{static_cast<std::uint8_t>(IpVersion::v6)};
  store(&out.tcp_flags, _mm_cvtsi64_si128(static_cast<std::int64_t>(flags | hop_limit << 32 | version << 40)));
  return true;
}

/// Over either.
inline bool decode(const Packet& packet, Headers& out) noexcept {
  Ipv4 read;
  if (!read_ipv4(packet, read)) return decode_ipv6(packet, out);
  store(out.addresses.data() + Headers::ipv4_at, read.from_addresses);
  store(&out.octets, read.from_octets);
  out.fragment_id = 0;
  return true;
}

/// Captured on Ethernet, selected, and nothing noted of it: one question.
inline bool is_plain(const Packet& packet) noexcept {
  constexpr auto at = offsetof(Packet, link);
  static_assert(offsetof(Packet, selection) == at + 1 && offsetof(Packet, notes) == at + 2 &&
                Link::ethernet == Link{} && Selection::selected == Selection{});
  return load_native<std::uint32_t>(reinterpret_cast<const std::byte*>(&packet) + at) == 0;
}

}  // namespace straight

/// True: `out` is what the chain would have made of a packet that is metered without notes. False: ask the chain; `out`
/// is untouched. It may say false to any packet.
inline bool decode_straight(const Packet& packet, Headers& out) noexcept {
  return packet.link == Link::ethernet && packet.selection == Selection::selected && straight::decode(packet, out);
}

}  // namespace weir::decode
