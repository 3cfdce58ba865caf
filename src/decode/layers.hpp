// SPDX-License-Identifier: BSD-3-Clause
// Headers that stand in Ethernet frames: tags, labels, PPPoE, LLC, shims.
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>

#include "decode/frame.hpp"
#include "decode/met.hpp"
#include "decode/step.hpp"

namespace weir::decode {

namespace ethertype {
inline constexpr std::uint16_t ipv4 = 0x0800, ipv6 = 0x86dd, vlan = 0x8100, vlan_service = 0x88a8, vlan_9100 = 0x9100,
                               vlan_9200 = 0x9200, mpls_unicast = 0x8847, mpls_multicast = 0x8848,
                               pppoe_session = 0x8864, backbone = 0x88e7, metadata = 0x8909, nsh = 0x894f,
                               bridged = 0x6558, erspan = 0x88be, erspan_3 = 0x22eb, ppp = 0x880b;
/// IEEE 802.3 §3.2.6: a number up to this is a length, and LLC follows.
inline constexpr std::uint16_t length_most = 1500;
}  // namespace ethertype

constexpr bool is_vlan(std::uint16_t type) noexcept {
  return type == ethertype::vlan || type == ethertype::vlan_service || type == ethertype::vlan_9100 ||
         type == ethertype::vlan_9200;
}

constexpr Step step_of_ethertype(std::uint16_t type) noexcept {
  switch (type) {
    case ethertype::ipv4: return {Layer::ipv4};
    case ethertype::ipv6: return {Layer::ipv6};
    case ethertype::mpls_unicast:
    case ethertype::mpls_multicast: return {Layer::labels};
    case ethertype::pppoe_session: return {Layer::pppoe};
    case ethertype::backbone: return {Layer::backbone};
    case ethertype::metadata: return {Layer::metadata};
    case ethertype::nsh: return {Layer::nsh};
    default: return type <= ethertype::length_most ? Step{Layer::llc} : ends(Outcome::not_ip);
  }
}

inline constexpr std::size_t ethernet_octets = 14;

constexpr Step read_ethernet(Frame& frame, auto& out) noexcept {
  const auto* ethernet = frame.take(ethernet_octets);
  if (!ethernet) return lacks(frame, ethernet_octets);
  met_macs(ethernet + 6, ethernet, out);
  return {Layer::ethertype, load_be<std::uint16_t>(ethernet + 12)};
}

/// IEEE 802.1Q §9: `type` is the EtherType before `frame`, which stands behind it. The first tag is the outermost.
constexpr Step read_tags(std::uint16_t type, Frame& frame, Way& way, auto& out) noexcept {
  while (is_vlan(type)) {
    const auto* tag = frame.take(4);
    if (!tag) return lacks(frame, 4);
    met_tag(load_be<std::uint16_t>(tag), !std::exchange(way.tagged, true), out);
    type = load_be<std::uint16_t>(tag + 2);
  }
  if (type > ethertype::length_most) met_type(type, out);
  return step_of_ethertype(type);
}

/// RFC 3032 §2.1: labels down to the one with the bottom-of-stack bit.
constexpr Step read_labels(Frame& frame, auto& out) noexcept {
  constexpr std::uint32_t bottom_of_stack = 0x100;
  for (;;) {
    const auto* label = frame.take(4);
    if (!label) return lacks(frame, 4);
    met_label(load_be<std::uint32_t>(label), out);
    if (load_be<std::uint32_t>(label) & bottom_of_stack) return {Layer::below_labels};
  }
}

/// Where nothing announces the IP version, the packet's first four bits are all there is.
constexpr Step read_nibble(const Frame& frame) noexcept {
  const auto* first = Frame{frame}.take(1);
  if (!first) return lacks(frame, 1, Outcome::malformed_ip_header);
  switch (load_be<std::uint8_t>(first) >> 4) {
    case 4: return {Layer::ipv4};
    case 6: return {Layer::ipv6};
    default: return ends(Outcome::not_ip);
  }
}

/// Is there an EtherType at this offset that leads on?
constexpr bool leads_on_at(const Frame& frame, std::size_t offset) noexcept {
  const auto* octets = Frame{frame}.take(offset + 2);
  if (!octets) return false;
  const auto type = load_be<std::uint16_t>(octets + offset);
  return type > ethertype::length_most && (is_vlan(type) || step_of_ethertype(type).layer != Layer::ends);
}

/// Not IP, so perhaps an Ethernet pseudowire (RFC 4448): nothing says whether it has a control word, whose first four
/// bits are 0 (§4.6), but an EtherType behind it does, or one where it would stand without.
constexpr Step read_pseudowire(Frame& frame) noexcept {
  constexpr std::size_t control_word = 4, type_at = 12;
  const auto* first = Frame{frame}.take(1);
  if (load_be<std::uint8_t>(first) >> 4 == 0) {
    constexpr auto both = control_word + ethernet_octets;
    if (frame.lacks(both, Outcome::not_ip) == Outcome::truncated) return ends(Outcome::truncated);
    if (leads_on_at(frame, control_word + type_at)) {
      frame.take(control_word);
      return {Layer::ethernet};
    }
  }
  if (leads_on_at(frame, type_at)) return {Layer::ethernet};
  return Frame{frame}.take(ethernet_octets) ? ends(Outcome::not_ip) : lacks(frame, ethernet_octets, Outcome::not_ip);
}

/// RFC 4928 §3: four bits of 4 or 6 are IP.
constexpr Step read_below_labels(Frame& frame) noexcept {
  const auto step = read_nibble(frame);
  return step.layer == Layer::ends && outcome_of(step) == Outcome::not_ip ? read_pseudowire(frame) : step;
}

/// RFC 1661 §2: an odd first octet is a protocol field compressed to one octet (§6.5).
constexpr Step read_ppp(Frame& frame) noexcept {
  constexpr std::uint16_t ipv4 = 0x0021, ipv6 = 0x0057, mpls_unicast = 0x0281, mpls_multicast = 0x0283;
  const auto* first = frame.take(1);
  if (!first) return lacks(frame, 1);
  std::uint16_t number = load_be<std::uint8_t>(first);
  if (number % 2 == 0) {
    const auto* second = frame.take(1);
    if (!second) return lacks(frame, 1);
    number = static_cast<std::uint16_t>(number << 8 | load_be<std::uint8_t>(second));
  }
  switch (number) {
    case ipv4: return {Layer::ipv4};
    case ipv6: return {Layer::ipv6};
    case mpls_unicast:
    case mpls_multicast: return {Layer::labels};
    default: return ends(Outcome::not_ip);
  }
}

/// RFC 2516 §4. The length is not looked at: the IP packet has one of its own.
constexpr Step read_pppoe(Frame& frame) noexcept {
  constexpr std::uint16_t version_1_type_1_session_data = 0x1100;
  const auto* pppoe = frame.take(6);
  if (!pppoe) return lacks(frame, 6);
  if (load_be<std::uint16_t>(pppoe) != version_1_type_1_session_data) return ends(Outcome::not_ip);
  return {Layer::ppp};
}

/// RFC 1042, and bridged frames (RFC 2684 §5.2): `frame` stands at the organisation. 00-00-F8 is that of IEEE 802.1H.
/// `padding` stands before a bridged frame.
constexpr Step read_snap(Frame& frame, std::size_t padding) noexcept {
  constexpr std::uint32_t encapsulated_ethernet = 0x000000, bridge_tunnel = 0x0000f8, ieee_802_1 = 0x0080c2;
  constexpr std::uint16_t ethernet_with_fcs = 0x0001, ethernet = 0x0007;
  const auto* snap = frame.take(5);
  if (!snap) return lacks(frame, 5);
  const auto organisation = load_be<std::uint32_t>(snap) >> 8;
  const auto type = load_be<std::uint16_t>(snap + 3);
  if (organisation == encapsulated_ethernet || organisation == bridge_tunnel) return {Layer::ethertype, type};
  if (organisation != ieee_802_1 || (type != ethernet && type != ethernet_with_fcs)) return ends(Outcome::not_ip);
  if (!frame.take(padding)) return lacks(frame, padding);
  return {Layer::ethernet};
}

/// IEEE 802.2: unnumbered information of a SNAP, of IP's own old access point, or with an NLPID (RFC 2684 §5.1).
constexpr Step read_llc(Frame& frame) noexcept {
  constexpr std::uint32_t snap = 0xaaaa03, ip = 0x060603, nlpid = 0xfefe03;
  constexpr std::size_t bridged_padding = 2;
  const auto* llc = frame.take(3);
  if (!llc) return lacks(frame, 3);
  switch (load_be<std::uint16_t>(llc) << 8 | load_be<std::uint8_t>(llc + 2)) {
    case snap: return read_snap(frame, bridged_padding);
    case ip: return {Layer::ipv4};
    case nlpid: return {Layer::nlpid};
    default: return ends(Outcome::not_ip);
  }
}

/// IEEE 802.1ah: priorities and the service identifier, then the customer's own frame.
constexpr Step read_backbone(Frame& frame) noexcept { return frame.take(4) ? Step{Layer::ethernet} : lacks(frame, 4); }

/// Cisco MetaData, version 1: so many words of options, then an EtherType.
constexpr Step read_metadata(Frame& frame) noexcept {
  const auto* front = frame.take(2);
  if (!front) return lacks(frame, 2);
  if (load_be<std::uint8_t>(front) != 1) return ends(Outcome::not_ip);
  const std::size_t more = load_be<std::uint8_t>(front + 1) * std::size_t{4} + 2;
  const auto* options_and_type = frame.take(more);
  if (!options_and_type) return lacks(frame, more);
  return {Layer::ethertype, load_be<std::uint16_t>(options_and_type + more - 2)};
}

/// The next protocols of NSH (RFC 8300 §2.2) are those of VXLAN-GPE, too.
constexpr Step step_of_next_protocol(std::uint8_t number) noexcept {
  switch (number) {
    case 1: return {Layer::ipv4};
    case 2: return {Layer::ipv6};
    case 3: return {Layer::ethernet};
    case 4: return {Layer::nsh};
    case 5: return {Layer::labels};
    default: return ends(Outcome::not_ip);
  }
}

/// RFC 8300 §2: version 0, and no OAM.
constexpr Step read_nsh(Frame& frame) noexcept {
  constexpr std::size_t base_and_path = 8;
  constexpr std::uint16_t version_and_oam = 0xe000;
  const auto* nsh = frame.take(base_and_path);
  if (!nsh) return lacks(frame, base_and_path);
  const auto front = load_be<std::uint16_t>(nsh);
  const std::size_t octets = (front & 0x3fu) * 4u;
  if (front & version_and_oam || octets < base_and_path) return ends(Outcome::not_ip);
  if (!frame.take(octets - base_and_path)) return lacks(frame, octets - base_and_path);
  return step_of_next_protocol(load_be<std::uint8_t>(nsh + 3));
}

}  // namespace weir::decode
