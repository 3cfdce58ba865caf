// SPDX-License-Identifier: BSD-3-Clause
// From the first octet of a frame to the first octet of its outermost IP header. What happens there `out` decides:
// Headers are filled (ipv4.hpp, ipv6.hpp), an IpPacket is found (locate.hpp).
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

#include "decode/frame.hpp"
#include "decode/ipv4.hpp"
#include "decode/ipv6.hpp"
#include "decode/met.hpp"

namespace weir::decode {

namespace ethertype {
inline constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86dd, vlan = 0x8100, vlan_service = 0x88a8,
                               mpls_unicast = 0x8847, mpls_multicast = 0x8848, pppoe_session = 0x8864;
}

/// Where nothing announces the IP version, the packet's first four bits are all there is.
constexpr Outcome decode_ip_by_nibble(Frame frame, auto& out) noexcept {
  const auto* first = Frame{frame}.take(1);
  if (!first) return frame.lacks(1, Outcome::malformed_ip_header);
  switch (load_be<std::uint8_t>(first) >> 4) {
    case 4: return decode_ipv4(frame, out);
    case 6: return decode_ipv6(frame, out);
    default: return Outcome::not_ip;
  }
}

/// RFC 3032 §2.1: labels down to the one with the bottom-of-stack bit.
constexpr Outcome decode_mpls(Frame frame, auto& out) noexcept {
  constexpr std::uint32_t bottom_of_stack = 0x100;
  for (;;) {
    const auto* label = frame.take(4);
    if (!label) return frame.lacks(4, Outcome::malformed_link);
    met_label(load_be<std::uint32_t>(label), out);
    if (load_be<std::uint32_t>(label) & bottom_of_stack) return decode_ip_by_nibble(frame, out);
  }
}

/// RFC 1661 §2: an odd first octet is a protocol field compressed to one octet (§6.5).
constexpr Outcome decode_ppp(Frame frame, auto& out) noexcept {
  constexpr std::uint16_t ipv4 = 0x0021, ipv6 = 0x0057, mpls_unicast = 0x0281, mpls_multicast = 0x0283;
  const auto* first = frame.take(1);
  if (!first) return frame.lacks(1, Outcome::malformed_link);
  std::uint16_t number = load_be<std::uint8_t>(first);
  if (number % 2 == 0) {
    const auto* second = frame.take(1);
    if (!second) return frame.lacks(1, Outcome::malformed_link);
    number = static_cast<std::uint16_t>(number << 8 | load_be<std::uint8_t>(second));
  }
  switch (number) {
    case ipv4: return decode_ipv4(frame, out);
    case ipv6: return decode_ipv6(frame, out);
    case mpls_unicast:
    case mpls_multicast: return decode_mpls(frame, out);
    default: return Outcome::not_ip;
  }
}

/// RFC 2516 §4. The length is not looked at: the IP packet has one of its own.
constexpr Outcome decode_pppoe(Frame frame, auto& out) noexcept {
  constexpr std::uint16_t version_1_type_1_session_data = 0x1100;
  const auto* pppoe = frame.take(6);
  if (!pppoe) return frame.lacks(6, Outcome::malformed_link);
  if (load_be<std::uint16_t>(pppoe) != version_1_type_1_session_data) return Outcome::not_ip;
  return decode_ppp(frame, out);
}

constexpr Outcome decode_ethertype(std::uint16_t type, Frame frame, auto& out) noexcept {
  met_type(type, out);
  switch (type) {
    case ethertype::ipv4: return decode_ipv4(frame, out);
    case ethertype::ipv6: return decode_ipv6(frame, out);
    case ethertype::mpls_unicast:
    case ethertype::mpls_multicast: return decode_mpls(frame, out);
    case ethertype::pppoe_session: return decode_pppoe(frame, out);
    default: return Outcome::not_ip;
  }
}

constexpr bool is_vlan(std::uint16_t type) noexcept {
  return type == ethertype::vlan || type == ethertype::vlan_service;
}

/// IEEE 802.1Q §9: `type` is the EtherType before `frame`, which stands behind it. The first tag is the outermost.
constexpr Outcome decode_tags(std::uint16_t type, Frame frame, auto& out) noexcept {
  for (bool outermost = true; is_vlan(type); outermost = false) {
    const auto* tag = frame.take(4);
    if (!tag) return frame.lacks(4, Outcome::malformed_link);
    met_tag(load_be<std::uint16_t>(tag), outermost, out);
    type = load_be<std::uint16_t>(tag + 2);
  }
  return decode_ethertype(type, frame, out);
}

inline constexpr std::size_t ethernet_octets = 14;

constexpr Outcome decode_ethernet(Frame frame, auto& out) noexcept {
  const auto* ethernet = frame.take(ethernet_octets);
  if (!ethernet) return frame.lacks(ethernet_octets, Outcome::malformed_link);
  const auto type = load_be<std::uint16_t>(ethernet + 12);
  met_macs(ethernet + 6, ethernet, out);
  if (type == ethertype::ipv4) {  // the common path runs straight
    met_type(type, out);
    return decode_ipv4(frame, out);
  }
  return decode_tags(type, frame, out);
}

/// LINKTYPE_LINUX_SLL and _SLL2: of these devices (ARPHRD_…) the protocol field is no EtherType. ARPHRD_IPGRE (778) is
/// not among them: GRE's protocol types are EtherTypes.
constexpr Outcome decode_cooked(std::uint16_t device, std::uint16_t type, Frame frame, auto& out) noexcept {
  constexpr std::uint16_t frame_relay = 770, radiotap = 803, netlink = 824;
  if (device == frame_relay || device == radiotap || device == netlink) return Outcome::not_ip;
  return decode_tags(type, frame, out);
}

constexpr Outcome decode_sll(Frame frame, auto& out) noexcept {
  const auto* sll = frame.take(16);
  if (!sll) return frame.lacks(16, Outcome::malformed_link);
  return decode_cooked(load_be<std::uint16_t>(sll + 2), load_be<std::uint16_t>(sll + 14), frame, out);
}

constexpr Outcome decode_sll2(Frame frame, auto& out) noexcept {
  const auto* sll = frame.take(20);
  if (!sll) return frame.lacks(20, Outcome::malformed_link);
  return decode_cooked(load_be<std::uint16_t>(sll + 8), load_be<std::uint16_t>(sll), frame, out);
}

/// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
constexpr Outcome decode_family(std::uint32_t family, Frame frame, auto& out) noexcept {
  switch (family) {
    case 2: return decode_ipv4(frame, out);
    case 10:
    case 24:
    case 28:
    case 30: return decode_ipv6(frame, out);
    default: return Outcome::not_ip;
  }
}

constexpr Outcome decode_loop(Frame frame, auto& out) noexcept {
  const auto* family = frame.take(4);
  if (!family) return frame.lacks(4, Outcome::malformed_link);
  return decode_family(load_be<std::uint32_t>(family), frame, out);
}

/// LINKTYPE_NULL has the byte order of the host that captured, which need not be that of the file: families are small
/// numbers, so only one of the two readings can be one. Where neither is, some systems have an EtherType in the last
/// two octets.
constexpr Outcome decode_null(Frame frame, auto& out) noexcept {
  const auto* family = frame.take(4);
  if (!family) return frame.lacks(4, Outcome::malformed_link);
  const auto number = std::min(load_be<std::uint32_t>(family), load_le<std::uint32_t>(family));
  if (number <= 0xffff) return decode_family(number, frame, out);
  switch (load_be<std::uint16_t>(family + 2)) {
    case ethertype::ipv4: return decode_ipv4(frame, out);
    case ethertype::ipv6: return decode_ipv6(frame, out);
    default: return Outcome::not_ip;
  }
}

/// `out` must be fresh: only what the packet says is written.
constexpr Outcome decode_link(Link link, Frame frame, auto& out) noexcept {
  if (link == Link::ethernet) return decode_ethernet(frame, out);
  switch (link) {
    case Link::ethernet: return decode_ethernet(frame, out);
    case Link::null: return decode_null(frame, out);
    case Link::raw: return decode_ip_by_nibble(frame, out);
    case Link::loop: return decode_loop(frame, out);
    case Link::sll: return decode_sll(frame, out);
    case Link::ipv4: return decode_ipv4(frame, out);
    case Link::ipv6: return decode_ipv6(frame, out);
    case Link::sll2: return decode_sll2(frame, out);
    case Link::unsupported: break;
  }
  return Outcome::link_unsupported;
}

}  // namespace weir::decode
