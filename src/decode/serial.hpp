// SPDX-License-Identifier: BSD-3-Clause
// Links that are no Ethernet: loopback, cooked captures, serial lines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>

#include "decode/frame.hpp"
#include "decode/layers.hpp"
#include "decode/met.hpp"
#include "decode/step.hpp"

namespace weir::decode {

/// LINKTYPE_LINUX_SLL and _SLL2: of some devices (ARPHRD_…) the protocol field is no EtherType.
constexpr Step step_of_device(std::uint16_t device, std::uint16_t type) noexcept {
  constexpr std::uint16_t frame_relay = 770, gre = 778, radiotap = 803, netlink = 824;
  constexpr std::uint16_t llc = 4, ethertype_least = 0x0600;
  if (device == frame_relay) return {Layer::frame_relay};
  if (device == radiotap) return {Layer::radiotap};
  if (device == netlink) return ends(Outcome::not_ip);
  if (device == gre && type == ethertype::bridged) return {Layer::ethernet};
  if (type == llc) return {Layer::llc};
  return type < ethertype_least ? ends(Outcome::not_ip) : Step{Layer::ethertype, type};
}

constexpr Step read_sll(Frame& frame, auto& out) noexcept {
  const auto* sll = frame.take(16);
  if (!sll) return lacks(frame, 16);
  if (load_be<std::uint16_t>(sll + 4) == 6) met_macs(sll + 6, nullptr, out);
  return step_of_device(load_be<std::uint16_t>(sll + 2), load_be<std::uint16_t>(sll + 14));
}

constexpr Step read_sll2(Frame& frame, auto& out) noexcept {
  const auto* sll = frame.take(20);
  if (!sll) return lacks(frame, 20);
  if (load_be<std::uint8_t>(sll + 11) == 6) met_macs(sll + 12, nullptr, out);
  return step_of_device(load_be<std::uint16_t>(sll + 8), load_be<std::uint16_t>(sll));
}

/// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
constexpr Step step_of_family(std::uint32_t family) noexcept {
  switch (family) {
    case 2: return {Layer::ipv4};
    case 10:
    case 24:
    case 28:
    case 30: return {Layer::ipv6};
    default: return ends(Outcome::not_ip);
  }
}

constexpr Step read_loop(Frame& frame) noexcept {
  const auto* family = frame.take(4);
  return family ? step_of_family(load_be<std::uint32_t>(family)) : lacks(frame, 4);
}

/// LINKTYPE_NULL has the byte order of the host that captured, which need not be that of the file: families are small
/// numbers, so only one of the two readings can be one. Where neither is, some systems have an EtherType in the last
/// two octets.
constexpr Step read_null(Frame& frame) noexcept {
  const auto* family = frame.take(4);
  if (!family) return lacks(frame, 4);
  const auto number = std::min(load_be<std::uint32_t>(family), load_le<std::uint32_t>(family));
  if (number <= 0xffff) return step_of_family(number);
  switch (load_be<std::uint16_t>(family + 2)) {
    case ethertype::ipv4: return {Layer::ipv4};
    case ethertype::ipv6: return {Layer::ipv6};
    default: return ends(Outcome::not_ip);
  }
}

/// RFC 1547 §4.3.1: address, control, EtherType.
constexpr Step read_cisco_hdlc(Frame& frame) noexcept {
  const auto* hdlc = frame.take(4);
  return hdlc ? Step{Layer::ethertype, load_be<std::uint16_t>(hdlc + 2)} : lacks(frame, 4);
}

/// RFC 1662 §3.1: address and control field may both be compressed away (§3.2); 0F and 8F are Cisco's addresses.
constexpr Step read_hdlc(Frame& frame) noexcept {
  constexpr std::uint16_t all_stations_unnumbered = 0xff03, cisco_unicast = 0x0f00, cisco_multicast = 0x8f00;
  const auto* both = Frame{frame}.take(2);
  if (!both) return lacks(frame, 2);
  switch (load_be<std::uint16_t>(both)) {
    case cisco_unicast:
    case cisco_multicast: return {Layer::cisco_hdlc};
    case all_stations_unnumbered: frame.take(2); [[fallthrough]];
    default: return {Layer::ppp};
  }
}

/// ISO/IEC TR 9577 as RFC 2427 §3 has it: a number of what follows.
constexpr Step read_nlpid(Frame& frame) noexcept {
  constexpr std::uint8_t padding = 0x00, snap = 0x80, ipv6 = 0x8e, ipv4 = 0xcc, ppp = 0xcf;
  const auto* number = frame.take(1);
  if (number && load_be<std::uint8_t>(number) == padding) number = frame.take(1);
  if (!number) return lacks(frame, 1);
  switch (load_be<std::uint8_t>(number)) {
    case snap: return read_snap(frame, 0);
    case ipv4: return {Layer::ipv4};
    case ipv6: return {Layer::ipv6};
    case ppp: return {Layer::ppp};
    default: return ends(Outcome::not_ip);
  }
}

/// Q.922 §3.3: an address of two to four octets, the last of which is odd. Then unnumbered information and an NLPID
/// (RFC 2427 §2), or as Cisco has it, an EtherType.
constexpr Step read_frame_relay(Frame& frame) noexcept {
  constexpr std::uint8_t unnumbered_information = 0x03, address_least = 2, address_most = 4;
  std::uint8_t octets = 0;
  for (bool last = false; !last; ++octets) {
    const auto* octet = frame.take(1);
    if (!octet) return lacks(frame, 1);
    last = load_be<std::uint8_t>(octet) & 1;
    if (last != (octets + 1 >= address_least) && (last || octets + 1 == address_most)) return ends(Outcome::not_ip);
  }
  const auto* control = Frame{frame}.take(1);
  if (!control) return lacks(frame, 1);
  if (load_be<std::uint8_t>(control) == unnumbered_information) {
    frame.take(1);
    return {Layer::nlpid};
  }
  const auto* type = frame.take(2);
  return type ? Step{Layer::ethertype, load_be<std::uint16_t>(type)} : lacks(frame, 2);
}

}  // namespace weir::decode
