// SPDX-License-Identifier: BSD-3-Clause
// From a packet to the one inside of it, as often as there is one, up to a bound.
#pragma once

#include <algorithm>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>

#include "decode/describe.hpp"
#include "decode/frame.hpp"
#include "decode/met.hpp"
#include "decode/step.hpp"
#include "decode/tunnel.hpp"
#include "decode/udp_tunnel.hpp"
#include "decode/walk.hpp"

namespace weir::decode {

/// Over IPv4, too, an Authentication Header is stepped over where tunnels are entered; `headers` then say what is
/// behind it, if that can be read.
constexpr void walk_authentication(Upper& upper, Headers& headers) noexcept {
  while (upper.protocol == protocol::ah && skip_authentication(upper)) {
  }
  auto walked = headers;
  walked.protocol = upper.protocol;
  if (decode_transport(upper.frame, walked) == Outcome::metered) headers = walked;
}

/// Could there be a tunnel in a whole packet of TCP or UDP without extension headers?
constexpr bool may_hold_tunnel(const Headers& headers) noexcept {
  return headers.protocol != protocol::tcp && tunnel_port(headers.source_port, headers.destination_port) != 0;
}

/// `frame` stands at the IP header of a packet that is metered, and is moved to what is inside of it. What is in pieces
/// is not entered: first and later fragments stay together.
constexpr Passage enter(Frame& frame, Headers& headers, Details* details) noexcept {
  if (headers.fragment != Fragment::none) return no_tunnel();
  auto upper = behind_ip(frame, headers, nullptr);
  if (!upper.reached) return no_tunnel();
  if (headers.version == IpVersion::v4 && upper.protocol == protocol::ah) walk_authentication(upper, headers);
  if (details && upper.authenticated) met_spi(upper.spi, *details);
  frame = upper.frame;
  const auto ip_in_ip = upper.authenticated ? Tunnel::ah : Tunnel::ip_in_ip;
  switch (upper.protocol) {
    case protocol::ipv4: return passage(ip_in_ip, {Layer::ipv4});
    case protocol::ipv6: return passage(ip_in_ip, {Layer::ipv6});
    case protocol::gre: return enter_gre(frame);
    case protocol::l2tp: return enter_l2tp_v3(frame);
    case protocol::udp:
      return frame.take(8) ? enter_udp(headers.source_port, headers.destination_port, frame) : no_tunnel();
    default: return no_tunnel();
  }
}

constexpr void keep_outer(const Headers& outer, Details& out) noexcept {
  std::ranges::copy(outer.source(), out.outer_source.begin());
  std::ranges::copy(outer.destination(), out.outer_destination.begin());
  out.outer_octets = outer.octets;
  out.outer_version = static_cast<std::uint8_t>(outer.version);
  out.outer_protocol = outer.protocol;
  out.outer_tos = outer.tos;
  out.outer_ttl = outer.ttl;
  out.outer_source_port = outer.source_port;
  out.outer_destination_port = outer.destination_port;
  if (outer.protocol != protocol::icmp && outer.protocol != protocol::icmpv6 &&
      has_transport(outer.protocol, outer.version))
    out.has |= Details::outer_ports;
}

/// From a metered packet at `frame` to the innermost that can be read; `frame` is moved to its header. What cannot be
/// read inside of a packet is that packet's payload.
constexpr void go_inside(Frame& frame, Detailed& out) noexcept {
  Unheard unheard;
  auto at = frame;
  for (unsigned depth = 0;; ++depth) {
    Way way;
    auto entered = enter(at, out.headers, out.details);
    const bool bound = depth == tunnels_most && entered.step.layer != Layer::ends;
    if (!bound) entered.step = walk_to_ip(entered.step, at, way, unheard);
    if (bound || way.too_deep) out.headers.notes |= note_bit(Note::nested_too_deep);
    if (bound || entered.step.layer == Layer::ends) return;
    Headers inner;
    if (decode_ip(entered.step, at, inner) != Outcome::metered) return;
    inner.vlan = out.headers.vlan;
    if (out.details && depth == 0) keep_outer(out.headers, *out.details);
    if (out.details) count_in(entered, *out.details);
    out.headers = inner;
    frame = at;
  }
}

/// `frame` stands at the IP header of the packet that is metered, `bytes` is the frame's first octet.
constexpr void describe(const Frame& outermost, const Frame& metered, const std::byte* bytes, Detailed& out) noexcept {
  if (!out.details) return;
  auto& details = *out.details;
  const auto offset = [bytes](const Frame& at) { return static_cast<std::size_t>(at.rest().data() - bytes); };
  const auto version_of_outermost =
      details.has & Details::tunnelled ? details.outer_version : static_cast<std::uint8_t>(out.headers.version);
  details.link_octets = static_cast<std::uint16_t>(std::min<std::size_t>(offset(outermost), 0xffff));
  if (details.ethertype == 0) details.ethertype = version_of_outermost == 4 ? ethertype::ipv4 : ethertype::ipv6;
  describe_ip(metered, offset(metered), out.headers, details);
}

}  // namespace weir::decode
