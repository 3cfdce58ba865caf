// SPDX-License-Identifier: BSD-3-Clause
// Tunnel headers behind IP (udp_tunnel.hpp: behind UDP). Each takes its octets and says what is inside.
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/details.hpp>

#include "decode/frame.hpp"
#include "decode/layers.hpp"
#include "decode/step.hpp"

namespace weir::decode {

/// A tunnel header that was read. What it says counts once a packet inside could be read, too.
struct Passage {
  Step step = ends(Outcome::not_ip);  ///< to what is inside; ends: no tunnel
  Tunnel tunnel = Tunnel::none;
  bool has_key = false;
  bool has_session = false;
  std::uint8_t gtp_flags = 0, gtp_pdu = 0, gtp_qfi = 0;
  std::uint16_t l2tp_tunnel = 0, erspan_session = 0;
  std::uint32_t id = 0, gre_key = 0, gtp_sequence = 0;
};

constexpr Passage no_tunnel() noexcept { return {}; }
constexpr Passage passage(Tunnel tunnel, Step step, std::uint32_t id = 0) noexcept {
  Passage passage;
  passage.tunnel = tunnel;
  passage.step = step;
  passage.id = id;
  return passage;
}

/// A packet inside was read: `details` are of what is around it.
constexpr void count_in(const Passage& passage, Details& details) noexcept {
  details.has |= Details::tunnelled;
  details.tunnel = passage.tunnel;
  details.tunnel_id = passage.id;
  ++details.tunnel_depth;
  if (passage.has_key) details.gre_key = passage.gre_key;
  switch (passage.tunnel) {
    case Tunnel::erspan_2:
    case Tunnel::erspan_3: details.erspan_session = passage.erspan_session; break;
    case Tunnel::l2tp_v2:
    case Tunnel::l2tp_v3:
      details.l2tp_tunnel = passage.l2tp_tunnel;
      details.l2tp_session = passage.id;
      break;
    case Tunnel::vxlan:
    case Tunnel::vxlan_gpe:
    case Tunnel::geneve: details.vni = passage.id; break;
    case Tunnel::gtp_u:
      details.has &= static_cast<std::uint16_t>(~Details::gtp_session);
      if (passage.has_session) details.has |= Details::gtp_session;
      details.teid = passage.id;
      details.gtp_message = 255;
      details.gtp_flags = passage.gtp_flags;
      details.gtp_sequence = passage.gtp_sequence;
      details.gtp_pdu = passage.gtp_pdu;
      details.gtp_qfi = passage.gtp_qfi;
      break;
    default: break;
  }
}

/// draft-foschiano-erspan: type I has no header, II one of eight octets, which GRE's sequence number announces.
constexpr Passage enter_erspan(Frame& frame, bool sequenced) noexcept {
  constexpr std::size_t header = 8;
  constexpr std::uint8_t version = 1;
  constexpr std::uint16_t session_bits = 0x3ff;
  if (!sequenced) return passage(Tunnel::erspan_1, {Layer::ethernet});
  const auto* erspan = frame.take(header);
  if (!erspan || load_be<std::uint8_t>(erspan) >> 4 != version) return no_tunnel();
  auto entered = passage(Tunnel::erspan_2, {Layer::ethernet});
  entered.id = entered.erspan_session = load_be<std::uint16_t>(erspan + 2) & session_bits;
  return entered;
}

/// Type III: twelve octets, the last bit of which announces eight more. It says whether a frame or an IP packet
/// follows.
constexpr Passage enter_erspan_3(Frame& frame) noexcept {
  constexpr std::size_t header = 12, platform_header = 8;
  constexpr std::uint8_t version = 2, ethernet = 0, ip = 2;
  constexpr std::uint16_t session_bits = 0x3ff;
  const auto* erspan = frame.take(header);
  if (!erspan || load_be<std::uint8_t>(erspan) >> 4 != version) return no_tunnel();
  const auto type_and_flags = load_be<std::uint16_t>(erspan + 10);
  if (type_and_flags & 1 && !frame.take(platform_header)) return no_tunnel();
  const auto type = type_and_flags >> 10 & 0x1f;
  if (type != ethernet && type != ip) return no_tunnel();
  auto entered = passage(Tunnel::erspan_3, {type == ip ? Layer::ip : Layer::ethernet});
  entered.id = entered.erspan_session = load_be<std::uint16_t>(erspan + 2) & session_bits;
  return entered;
}

/// RFC 2637 §4.1: GRE version 1, whose key is the length of the payload and the call.
constexpr Passage enter_pptp(std::uint16_t flags, std::uint16_t type, Frame& frame) noexcept {
  constexpr std::uint16_t has_key = 0x2000, has_sequence = 0x1000, has_acknowledgement = 0x0080;
  const auto* key = frame.take(4);
  const std::size_t numbers = (flags & has_sequence ? 4u : 0u) + (flags & has_acknowledgement ? 4u : 0u);
  if (type != ethertype::ppp || !(flags & has_key) || !key || !frame.take(numbers)) return no_tunnel();
  return passage(Tunnel::pptp, {Layer::hdlc}, load_be<std::uint16_t>(key + 2));
}

/// RFC 1701: source route entries, up to one of length 0.
constexpr bool skip_routes(Frame& frame) noexcept {
  while (const auto* entry = frame.take(4)) {
    const auto octets = load_be<std::uint8_t>(entry + 3);
    if (octets == 0) return true;
    if (!frame.take(octets)) return false;
  }
  return false;
}

/// RFC 2784, RFC 2890, RFC 1701: checksum and offset are there where either flag is set.
constexpr Passage enter_gre(Frame& frame) noexcept {
  constexpr std::uint16_t has_checksum = 0x8000, has_routes = 0x4000, has_key = 0x2000, has_sequence = 0x1000;
  constexpr std::uint16_t version_bits = 0x0007;
  const auto* gre = frame.take(4);
  if (!gre) return no_tunnel();
  const auto flags = load_be<std::uint16_t>(gre), type = load_be<std::uint16_t>(gre + 2);
  if ((flags & version_bits) == 1) return enter_pptp(flags, type, frame);
  if (flags & version_bits) return no_tunnel();
  if (flags & (has_checksum | has_routes) && !frame.take(4)) return no_tunnel();
  const auto* key = flags & has_key ? frame.take(4) : nullptr;
  if (flags & has_key && !key) return no_tunnel();
  if (flags & has_sequence && !frame.take(4)) return no_tunnel();
  if (flags & has_routes && !skip_routes(frame)) return no_tunnel();

  auto entered = passage(Tunnel::gre, {Layer::ethertype, type});
  switch (type) {
    case ethertype::bridged: entered.step = {Layer::ethernet}; break;
    case ethertype::ppp: entered.step = {Layer::hdlc}; break;
    case ethertype::erspan: entered = enter_erspan(frame, flags & has_sequence); break;
    case ethertype::erspan_3: entered = enter_erspan_3(frame); break;
    default: break;
  }
  if (!key) return entered;
  entered.has_key = true;
  entered.gre_key = load_be<std::uint32_t>(key);
  if (entered.tunnel == Tunnel::gre) entered.id = entered.gre_key;
  return entered;
}

/// Does the IP version fit what is announced?
constexpr bool is_ip_of(Step step, const Frame& frame) noexcept {
  return step.layer == read_nibble(frame).layer && step.layer != Layer::ends;
}

/// RFC 3931 §4.1: how long cookie and sublayer are, and what follows, only the two ends know. Taken is the first of 0,
/// 4, 8 and 12 octets behind which PPP, HDLC or Ethernet with an IP packet of the announced version stand.
constexpr Step guess_l2tp_v3(Frame& frame) noexcept {
  for (const std::size_t cookie : {0u, 4u, 8u, 12u}) {
    auto at = frame;
    if (!at.take(cookie)) break;
    auto ppp = at;
    const auto* framing = ppp.take(4);
    if (!framing) break;
    const auto first = load_be<std::uint16_t>(framing), second = load_be<std::uint16_t>(framing + 2);
    const bool is_ppp = first == 0xff03 && is_ip_of(second == 0x0021   ? Step{Layer::ipv4}
                                                    : second == 0x0057 ? Step{Layer::ipv6}
                                                                       : ends(Outcome::not_ip),
                                                    ppp);
    const bool is_hdlc = (first == 0x0f00 || first == 0x8f00) && is_ip_of(step_of_ethertype(second), ppp);
    auto behind = at;
    const auto* ethernet = behind.take(ethernet_octets);
    const auto type = ethernet ? load_be<std::uint16_t>(ethernet + 12) : std::uint16_t{0};
    const auto next = is_vlan(type) ? Step{Layer::ethertype, type} : step_of_ethertype(type);
    const bool is_ethernet = is_vlan(type) || is_ip_of(next, behind);
    if (!is_ppp && !is_hdlc && !is_ethernet) continue;
    frame = at;
    return {is_ppp ? Layer::hdlc : is_hdlc ? Layer::cisco_hdlc : Layer::ethernet};
  }
  return ends(Outcome::not_ip);
}

/// `frame` stands at the session, which is 0 in control messages.
constexpr Passage enter_l2tp_v3(Frame& frame) noexcept {
  const auto* session = frame.take(4);
  if (!session || load_be<std::uint32_t>(session) == 0) return no_tunnel();
  return passage(Tunnel::l2tp_v3, guess_l2tp_v3(frame), load_be<std::uint32_t>(session));
}

}  // namespace weir::decode
