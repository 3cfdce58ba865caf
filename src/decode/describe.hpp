// SPDX-License-Identifier: BSD-3-Clause
// Details of an IP packet that is metered, read in a second pass: most packets are metered without.
#pragma once

#include <algorithm>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/details.hpp>
#include <weir/headers.hpp>

#include "decode/frame.hpp"
#include "decode/ipv6.hpp"
#include "decode/ports.hpp"

namespace weir::decode {

/// ipv6ExtensionHeaders (64): its bits by what a header's number is, as IANA's registry has them since erratum 1738 to
/// RFC 5102, whose own order is another. The registry does not say which end bit 0 is at; RFC 9740 §3.3 makes it the
/// least significant one of the element that comes after this one. Those that nobody walks over count, too, where a
/// chain ends in them.
constexpr std::uint32_t extension_bit(std::uint8_t kind, bool later_fragment) noexcept {
  switch (kind) {
    case protocol::ipv6_options: return 1u << 0;
    case protocol::hop_by_hop: return 1u << 1;
    case protocol::ipv6_fragment: return later_fragment ? 1u << 6 : 1u << 4;
    case protocol::ipv6_route: return 1u << 5;
    case protocol::mobility: return 1u << 12;
    case protocol::esp: return 1u << 13;
    case protocol::ah: return 1u << 14;
    case protocol::compression: return 1u << 15;
    default: return 0;
  }
}

/// What stands behind the IP headers of a packet that is metered.
struct Upper {
  Frame frame;
  std::uint64_t octets = 0;  ///< from here to the end of the packet, as its IP length claims
  std::uint8_t protocol = 0;
  bool reached = false;        ///< all headers before it are there
  bool authenticated = false;  ///< an Authentication Header is among them, with this index
  std::uint32_t spi = 0;
};

/// The outermost counts.
constexpr void met_spi(std::uint32_t spi, Details& out) noexcept {
  if (out.has & Details::ipsec) return;
  out.has |= Details::ipsec;
  out.spi = spi;
}

/// Steps over an Authentication Header (RFC 4302 §2). False: it is not there whole.
constexpr bool skip_authentication(Upper& upper) noexcept {
  const auto* header = upper.frame.take(extension_least);
  if (!header) return false;
  if (!std::exchange(upper.authenticated, true)) upper.spi = load_be<std::uint32_t>(header + 4);
  const auto more = extension_more(protocol::ah, load_be<std::uint8_t>(header + 1));
  if (!upper.frame.take(more)) return false;
  upper.octets -= std::min<std::uint64_t>(upper.octets, extension_least + more);
  upper.protocol = load_be<std::uint8_t>(header);
  return true;
}

/// Bit n for an option of number n, the copied flag and the class not counted (IANA 208).
constexpr std::uint32_t ipv4_option_bits(Cursor options) noexcept {
  constexpr std::uint8_t end = 0, no_operation = 1, number_bits = 0x1f;
  std::uint32_t bits = 0;
  while (const auto* kind = options.take(1)) {
    const auto number = load_be<std::uint8_t>(kind) & number_bits;
    bits |= 1u << number;
    if (load_be<std::uint8_t>(kind) == end) break;
    if (load_be<std::uint8_t>(kind) == no_operation) continue;
    const auto* stated = options.take(1);
    if (!stated || load_be<std::uint8_t>(stated) < 2 || !options.take(load_be<std::uint8_t>(stated) - std::size_t{2}))
      break;
  }
  return bits;
}

/// `frame` stands at the header. `out` may be nullptr: then only the way to what is behind it is looked for.
constexpr Upper behind_ipv4(Frame frame, const Headers& headers, Details* out) noexcept {
  const auto* ip = frame.take(20);
  const std::size_t options = (load_be<std::uint8_t>(ip) & 0x0fu) * 4u - 20u;
  frame.end_after(headers.octets - 20);
  const auto flags_and_offset = load_be<std::uint16_t>(ip + 6);
  const auto* first_option = frame.take(options);
  if (out) {
    out->identification = load_be<std::uint16_t>(ip + 4);
    out->fragment_flags = static_cast<std::uint8_t>(flags_and_offset >> 8 & 0xe0);
    out->fragment_offset = flags_and_offset & 0x1fff;
    out->ip_header_octets = static_cast<std::uint8_t>(20 + options);
    out->next_header = load_be<std::uint8_t>(ip + 9);
    if (first_option) out->ipv4_options = ipv4_option_bits(Cursor{Bytes{first_option, options}});
  }
  return {frame, headers.octets - 20 - options, load_be<std::uint8_t>(ip + 9), first_option != nullptr};
}

constexpr void describe_extension(std::uint8_t kind, Frame header, Details& out) noexcept {
  const auto* front = header.take(Extension::octets(kind));
  const auto extension = Extension::load(kind, front);
  out.ipv6_extensions |= extension_bit(kind, extension.fragment == Fragment::later);
  if (kind != protocol::ipv6_fragment) return;
  const auto offset_and_more = load_be<std::uint16_t>(front + 2);
  out.identification = load_be<std::uint32_t>(front + 4);
  out.fragment_offset = offset_and_more >> 3;
  out.fragment_flags = offset_and_more & 1 ? 0x20 : 0;
}

/// The same for IPv6; extension headers are walked as decode_extensions does.
constexpr Upper behind_ipv6(Frame frame, const Headers& headers, Details* out) noexcept {
  constexpr std::size_t header = 40;
  const auto* ip = frame.take(header);
  const std::uint64_t payload = headers.octets - header;
  frame.end_after(payload);
  Upper upper{frame, payload, load_be<std::uint8_t>(ip + 6), true};
  if (out) {
    out->flow_label = load_be<std::uint32_t>(ip) & 0xfffff;
    out->ip_header_octets = header;
    out->next_header = upper.protocol;
  }
  while (is_extension(upper.protocol)) {
    const auto kind = upper.protocol;
    const auto* front = Frame{upper.frame}.take(Extension::octets(kind));
    if (!front) break;
    if (out) describe_extension(kind, upper.frame, *out);
    const auto extension = Extension::load(kind, front);
    if (kind == protocol::ah) {
      if (!skip_authentication(upper)) break;
      continue;
    }
    const auto before = upper.frame.rest().size();
    if (skip_extension(kind, upper.frame) != Outcome::metered) break;
    upper.octets -= std::min<std::uint64_t>(upper.octets, before - upper.frame.rest().size());
    upper.protocol = extension.next;
    if (extension.fragment == Fragment::later) return upper;
  }
  if (is_extension(upper.protocol)) upper.reached = false;  // the chain was cut inside of its last header
  if (out) out->ipv6_extensions |= extension_bit(headers.protocol, false);
  return upper;
}

constexpr Upper behind_ip(Frame frame, const Headers& headers, Details* out) noexcept {
  return headers.version == IpVersion::v4 ? behind_ipv4(frame, headers, out) : behind_ipv6(frame, headers, out);
}

/// Options of TCP (RFC 9293 §3.1): bit n for kind n (IANA 209), maximum segment size, window scale (RFC 7323).
constexpr void describe_tcp_options(Cursor options, Details& out) noexcept {
  constexpr std::uint8_t end = 0, no_operation = 1, segment_size = 2, window_scale = 3, bits = 64;
  while (const auto* at = options.take(1)) {
    const auto kind = load_be<std::uint8_t>(at);
    if (kind < bits) out.tcp_options |= std::uint64_t{1} << kind;
    if (kind == end) return;
    if (kind == no_operation) continue;
    const auto* stated = options.take(1);
    const std::size_t octets = stated ? load_be<std::uint8_t>(stated) : 0;
    const auto* value = octets < 2 ? nullptr : options.take(octets - 2);
    if (!value) return;
    if (kind == segment_size && octets == 4) out.tcp_mss = load_be<std::uint16_t>(value);
    if (kind == window_scale && octets == 3) out.tcp_window_scale = load_be<std::uint8_t>(value);
  }
}

/// The octets of the TCP header; 0 where its data offset is none. What was cut off stays 0, from the first octet on
/// that is missing.
constexpr std::size_t describe_tcp(Frame frame, Details& out) noexcept {
  constexpr std::size_t header_least = 20;
  const auto* tcp = frame.take(header_least);
  if (!tcp) return 0;
  const std::size_t octets = (load_be<std::uint8_t>(tcp + 12) >> 4) * 4u;
  out.has |= Details::tcp;
  out.tcp_sequence = load_be<std::uint32_t>(tcp + 4);
  out.tcp_acknowledgement = load_be<std::uint32_t>(tcp + 8);
  out.tcp_window = load_be<std::uint16_t>(tcp + 14);
  out.tcp_urgent = load_be<std::uint16_t>(tcp + 18);
  out.tcp_header_octets = static_cast<std::uint8_t>(octets);
  if (octets < header_least) return 0;
  const auto options = frame.rest().first(std::min(octets - header_least, frame.rest().size()));
  describe_tcp_options(Cursor{options}, out);
  return octets;
}

/// How long the header of a protocol is that carries something, where it is not the packet that says it.
constexpr std::size_t transport_octets(std::uint8_t number, IpVersion version) noexcept {
  switch (number) {
    case protocol::udp:
    case protocol::udp_lite: return 8;
    case protocol::sctp: return 12;
    case protocol::icmp: return version == IpVersion::v4 ? 8 : 0;
    case protocol::icmpv6: return version == IpVersion::v6 ? 8 : 0;
    default: return 0;
  }
}

/// Octets of the transport header, 0 where the packet does not tell; what there is to say of it.
constexpr std::size_t describe_transport(const Upper& upper, const Headers& headers, Details& out) noexcept {
  Frame frame = upper.frame;
  if (upper.protocol == protocol::tcp) return describe_tcp(frame, out);
  if (upper.protocol == protocol::igmp) {
    if (const auto* igmp = frame.take(1)) out.has |= Details::igmp, out.igmp_type = load_be<std::uint8_t>(igmp);
  } else if (upper.protocol == protocol::esp) {
    if (const auto* esp = frame.take(4)) met_spi(load_be<std::uint32_t>(esp), out);
  } else if (upper.protocol == protocol::udp) {
    if (const auto* udp = frame.take(8)) out.udp_octets = load_be<std::uint16_t>(udp + 4);
  } else if (upper.protocol == protocol::dccp) {
    if (const auto* dccp = frame.take(12)) return load_be<std::uint8_t>(dccp + 4) * std::size_t{4};
  }
  return transport_octets(upper.protocol, headers.version);
}

/// `frame` stands at the IP header, `before` octets into the packet; `headers` is what decode_ipv4 or decode_ipv6 said
/// of it, but that an Authentication Header over IPv4 may have been walked.
constexpr void describe_ip(Frame frame, std::size_t before, const Headers& headers, Details& out) noexcept {
  auto upper = behind_ip(frame, headers, &out);
  if (headers.fragment != Fragment::none) out.has |= Details::fragmented;
  if (headers.version == IpVersion::v4 && upper.reached && headers.fragment != Fragment::later) {
    auto walked = upper;
    while (walked.protocol == protocol::ah && skip_authentication(walked)) {
    }
    upper.authenticated = walked.authenticated;
    upper.spi = walked.spi;
    if (headers.protocol != protocol::ah) upper = walked;
  }
  if (upper.authenticated) met_spi(upper.spi, out);
  if (!upper.reached) return;
  const auto header = headers.fragment == Fragment::later ? 0 : describe_transport(upper, headers, out);
  const bool no_payload = upper.protocol == protocol::tcp && header == 0 && headers.fragment != Fragment::later;
  if (no_payload || header > upper.octets) return;
  out.payload_octets = upper.octets - header;
  const auto captured = upper.frame.rest();
  if (header > captured.size()) return;
  out.payload_at =
      static_cast<std::uint32_t>(before + static_cast<std::size_t>(captured.data() - frame.rest().data()) + header);
  out.payload_captured = static_cast<std::uint32_t>(captured.size() - header);
}

}  // namespace weir::decode
