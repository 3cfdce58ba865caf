// SPDX-License-Identifier: BSD-3-Clause
// decode → flow: what the headers of one packet said.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir {

enum class IpVersion : std::uint8_t { v4 = 4, v6 = 6 };

/// IANA protocol numbers that decode or the meter treats in a way of its own.
namespace protocol {
inline constexpr std::uint8_t icmp = 1, igmp = 2, ipv4 = 4, tcp = 6, udp = 17, dccp = 33, ipv6 = 41, ipv6_route = 43,
                              ipv6_fragment = 44, gre = 47, esp = 50, ah = 51, icmpv6 = 58, ipv6_options = 60,
                              compression = 108, l2tp = 115, sctp = 132, mobility = 135, udp_lite = 136, mpls = 137,
                              hop_by_hop = 0;
}

/// TCP control bits as IANA's tcpControlBits (6) counts them; 12 bits are in use.
namespace tcp_flag {
inline constexpr std::uint16_t fin = 0x01, syn = 0x02, rst = 0x04;
}

/// What part of a packet that was fragmented this one is (RFC 791 §3.2, RFC 8200 §4.5).
enum class Fragment : std::uint8_t { none, first, later };

/// The metered IP packet's headers: the outermost, or with tunnels entered the innermost. Numbers are in host order,
/// addresses in network order.
struct Headers {
  /// Source and destination. IPv4's are the last eight octets, so that 16 octets from there on are an IPv4 key; the
  /// others are then without meaning.
  std::array<std::byte, 32> addresses{};
  static constexpr std::size_t ipv4_at = 24;
  std::uint16_t source_port = 0;       ///< 0 without ports
  std::uint16_t destination_port = 0;  ///< ICMP and ICMPv6: type × 256 + code
  std::uint16_t vlan = 0;              ///< outermost VLAN identifier, 0 without
  std::uint8_t protocol = 0;
  std::uint8_t tos = 0;         ///< IPv4 type of service, IPv6 traffic class
  std::uint64_t octets = 0;     ///< from the IP header on, as the IP header claims (RFC 7012 octetDeltaCount)
  std::uint16_t tcp_flags = 0;  ///< 12 bits, 0 where they were not captured
  std::uint16_t notes = 0;      ///< note_bit()s
  std::uint8_t ttl = 0;         ///< IPv4 time to live, IPv6 hop limit
  IpVersion version = IpVersion::v4;
  Fragment fragment = Fragment::none;
  std::uint32_t fragment_id = 0;  ///< identification of a fragmented packet; 0 where it is whole

  /// 4 or 16 octets: `version` comes first.
  constexpr std::span<std::byte> source() noexcept {
    return std::span{addresses}.subspan(source_at(), address_octets());
  }
  constexpr std::span<const std::byte> source() const noexcept {
    return std::span{addresses}.subspan(source_at(), address_octets());
  }
  constexpr std::span<std::byte> destination() noexcept { return std::span{addresses}.last(address_octets()); }
  constexpr std::span<const std::byte> destination() const noexcept {
    return std::span{addresses}.last(address_octets());
  }

 private:
  constexpr std::size_t address_octets() const noexcept { return version == IpVersion::v4 ? 4 : 16; }
  constexpr std::size_t source_at() const noexcept { return sizeof addresses - 2 * address_octets(); }
};
static_assert(sizeof(Headers) <= 64, "one line a packet between decode and meter");

}  // namespace weir
