// SPDX-License-Identifier: BSD-3-Clause
// What lies behind the IP header: ports, ICMP type and code, TCP flags.
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>

#include "decode/frame.hpp"

namespace weir::decode {

constexpr Outcome decode_ports(Frame frame, Headers& out) noexcept {
  const auto* ports = frame.take(4);
  if (!ports) return frame.lacks(4, Outcome::malformed_transport);
  out.source_port = load_be<std::uint16_t>(ports);
  out.destination_port = load_be<std::uint16_t>(ports + 2);
  return Outcome::metered;
}

constexpr Outcome decode_tcp(Frame frame, Headers& out) noexcept {
  constexpr std::uint16_t flag_bits = 0x0fff;  // the upper four of RFC 9293 §3.1's word are the data offset
  const auto outcome = decode_ports(frame, out);
  if (const auto* tcp = frame.take(14)) out.tcp_flags = load_be<std::uint16_t>(tcp + 12) & flag_bits;
  return outcome;
}

/// Type and code are the first two octets of both ICMPs, and stand together as type × 256 + code.
constexpr Outcome decode_icmp(Frame frame, Headers& out) noexcept {
  const auto* icmp = frame.take(2);
  if (!icmp) return frame.lacks(2, Outcome::malformed_transport);
  out.destination_port = load_be<std::uint16_t>(icmp);
  return Outcome::metered;
}

/// Does the meter need octets of this protocol's own header? ICMP over IPv6 and ICMPv6 over IPv4 are protocols by
/// number.
constexpr bool has_transport(std::uint8_t protocol_number, IpVersion version) noexcept {
  switch (protocol_number) {
    case protocol::tcp:
    case protocol::udp:
    case protocol::dccp:
    case protocol::sctp:
    case protocol::udp_lite: return true;
    case protocol::icmp: return version == IpVersion::v4;
    case protocol::icmpv6: return version == IpVersion::v6;
    default: return false;
  }
}

/// `frame` stands at the first octet behind the IP headers; `out` has version and protocol.
constexpr Outcome decode_transport(Frame frame, Headers& out) noexcept {
  if (out.protocol == protocol::tcp) return decode_tcp(frame, out);
  if (out.protocol == protocol::udp) return decode_ports(frame, out);
  if (!has_transport(out.protocol, out.version)) return Outcome::metered;
  if (out.protocol == protocol::icmp || out.protocol == protocol::icmpv6) return decode_icmp(frame, out);
  return decode_ports(frame, out);
}

/// RFC 791 §3.2, RFC 8200 §4.5: only the fragment with offset zero carries the transport header.
constexpr Outcome decode_fragment_later(Headers& out) noexcept {
  out.fragment = Fragment::later;
  out.notes |= note_bit(Note::fragment_later);
  return Outcome::metered;
}

}  // namespace weir::decode
