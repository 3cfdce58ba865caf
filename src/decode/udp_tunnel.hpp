// SPDX-License-Identifier: BSD-3-Clause
// Tunnels over UDP, by port.
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/details.hpp>

#include "decode/frame.hpp"
#include "decode/layers.hpp"
#include "decode/step.hpp"
#include "decode/tunnel.hpp"

namespace weir::decode {

/// RFC 2661 §3.1: data messages of version 2; version 3 is RFC 3931 §4.1.2.1.
constexpr Passage enter_l2tp(Frame& frame) noexcept {
  constexpr std::uint16_t control = 0x8000, has_length = 0x4000, has_sequence = 0x0800, has_offset = 0x0200;
  constexpr std::uint16_t version_bits = 0x000f;
  const auto* front = frame.take(2);
  if (!front) return no_tunnel();
  const auto flags = load_be<std::uint16_t>(front);
  if (flags & control) return no_tunnel();
  if ((flags & version_bits) == 3) return frame.take(2) ? enter_l2tp_v3(frame) : no_tunnel();
  if ((flags & version_bits) != 2) return no_tunnel();
  if (flags & has_length && !frame.take(2)) return no_tunnel();
  const auto* numbers = frame.take(4);
  if (!numbers) return no_tunnel();
  if (flags & has_sequence && !frame.take(4)) return no_tunnel();
  if (flags & has_offset) {
    const auto* offset = frame.take(2);
    if (!offset || !frame.take(load_be<std::uint16_t>(offset))) return no_tunnel();
  }
  auto entered = passage(Tunnel::l2tp_v2, {Layer::hdlc}, load_be<std::uint16_t>(numbers + 2));
  entered.l2tp_tunnel = load_be<std::uint16_t>(numbers);
  return entered;
}

/// RFC 7348 §5: the network identifier is valid.
constexpr Passage enter_vxlan(Frame& frame) noexcept {
  constexpr std::uint8_t valid = 0x08;
  const auto* vxlan = frame.take(8);
  if (!vxlan || !(load_be<std::uint8_t>(vxlan) & valid)) return no_tunnel();
  return passage(Tunnel::vxlan, {Layer::ethernet}, load_be<std::uint32_t>(vxlan + 4) >> 8);
}

/// draft-ietf-nvo3-vxlan-gpe §3: version 0, no OAM; without a next protocol an Ethernet frame.
constexpr Passage enter_vxlan_gpe(Frame& frame) noexcept {
  constexpr std::uint8_t version = 0x30, valid = 0x08, has_next = 0x04, oam = 0x01;
  const auto* vxlan = frame.take(8);
  if (!vxlan) return no_tunnel();
  const auto flags = load_be<std::uint8_t>(vxlan);
  if (!(flags & valid) || flags & (version | oam)) return no_tunnel();
  const auto next = flags & has_next ? step_of_next_protocol(load_be<std::uint8_t>(vxlan + 3)) : Step{Layer::ethernet};
  return passage(Tunnel::vxlan_gpe, next, load_be<std::uint32_t>(vxlan + 4) >> 8);
}

/// RFC 8926 §3.4: version 0, no control packet.
constexpr Passage enter_geneve(Frame& frame) noexcept {
  constexpr std::uint8_t version = 0xc0, option_words = 0x3f, control = 0x80;
  const auto* geneve = frame.take(8);
  if (!geneve) return no_tunnel();
  const auto front = load_be<std::uint8_t>(geneve);
  if (front & version || load_be<std::uint8_t>(geneve + 1) & control) return no_tunnel();
  if (!frame.take((front & option_words) * std::size_t{4})) return no_tunnel();
  const auto type = load_be<std::uint16_t>(geneve + 2);
  const auto inside = type == ethertype::bridged ? Step{Layer::ethernet} : Step{Layer::ethertype, type};
  return passage(Tunnel::geneve, inside, load_be<std::uint32_t>(geneve + 4) >> 8);
}

/// 3GPP TS 29.281 §5.2.1: each extension header states its length in words first, the next one's type last.
constexpr bool skip_gtp_extensions(std::uint8_t type, Frame& frame, Passage& entered) noexcept {
  constexpr std::uint8_t pdu_session_container = 0x85;
  while (type != 0) {
    const auto* words = Frame{frame}.take(1);
    const std::size_t octets = words ? load_be<std::uint8_t>(words) * std::size_t{4} : 0;
    const auto* extension = octets == 0 ? nullptr : frame.take(octets);
    if (!extension) return false;
    if (type == pdu_session_container) {  // 3GPP TS 38.415 §5.5.2
      entered.has_session = true;
      entered.gtp_pdu = load_be<std::uint8_t>(extension + 1) >> 4;
      entered.gtp_qfi = load_be<std::uint8_t>(extension + 2) & 0x3f;
    }
    type = load_be<std::uint8_t>(extension + octets - 1);
  }
  return true;
}

/// 3GPP TS 29.281 §5.1: version 1, GTP (not GTP'), user data.
constexpr Passage enter_gtp(Frame& frame) noexcept {
  constexpr std::uint8_t version_and_protocol = 0xf0, gtp_1 = 0x30, user_data = 255;
  constexpr std::uint8_t has_extension = 0x04, has_sequence = 0x02, any_of_three = 0x07;
  const auto* gtp = frame.take(8);
  if (!gtp) return no_tunnel();
  const auto flags = load_be<std::uint8_t>(gtp);
  if ((flags & version_and_protocol) != gtp_1 || load_be<std::uint8_t>(gtp + 1) != user_data) return no_tunnel();
  auto entered = passage(Tunnel::gtp_u, {Layer::ip}, load_be<std::uint32_t>(gtp + 4));
  entered.gtp_flags = flags;
  if (!(flags & any_of_three)) return entered;
  const auto* numbers = frame.take(4);
  if (!numbers) return no_tunnel();
  if (flags & has_sequence) entered.gtp_sequence = load_be<std::uint16_t>(numbers);
  const auto type = flags & has_extension ? load_be<std::uint8_t>(numbers + 3) : std::uint8_t{0};
  return skip_gtp_extensions(type, frame, entered) ? entered : no_tunnel();
}

/// RFC 9300 §5.1: eight octets; the I flag says that an instance is named.
constexpr Passage enter_lisp(Frame& frame) noexcept {
  constexpr std::uint8_t has_instance = 0x08;
  const auto* lisp = frame.take(8);
  if (!lisp) return no_tunnel();
  const bool named = load_be<std::uint8_t>(lisp) & has_instance;
  return passage(Tunnel::lisp, {Layer::ip}, named ? load_be<std::uint32_t>(lisp + 4) >> 8 : 0);
}

/// RFC 4380 §5.1.1: an authentication indication, an origin indication, both or neither, then IPv6.
constexpr Passage enter_teredo(Frame& frame) noexcept {
  constexpr std::uint16_t authentication = 0x0001, origin = 0x0000;
  constexpr std::size_t lengths = 4, nonce_and_confirmation = 9, origin_octets = 8;
  const auto* indication = Frame{frame}.take(2);
  if (indication && load_be<std::uint16_t>(indication) == authentication) {
    const auto* front = frame.take(lengths);
    if (!front) return no_tunnel();
    const std::size_t more = std::size_t{load_be<std::uint8_t>(front + 2)} + load_be<std::uint8_t>(front + 3);
    if (!frame.take(more + nonce_and_confirmation)) return no_tunnel();
    indication = Frame{frame}.take(2);
  }
  if (indication && load_be<std::uint16_t>(indication) == origin && !frame.take(origin_octets)) return no_tunnel();
  return passage(Tunnel::teredo, {Layer::ipv6});
}

namespace port {
inline constexpr std::uint16_t l2tp = 1701, gtp_u = 2152, teredo = 3544, lisp = 4341, vxlan = 4789, vxlan_gpe = 4790,
                               geneve = 6081, vxlan_linux = 8472;
}

/// The destination port says what it is. L2TP and Teredo also answer from their port to any.
constexpr std::uint16_t tunnel_port(std::uint16_t source, std::uint16_t destination) noexcept {
  switch (destination) {
    case port::l2tp:
    case port::gtp_u:
    case port::teredo:
    case port::lisp:
    case port::vxlan:
    case port::vxlan_gpe:
    case port::geneve:
    case port::vxlan_linux: return destination;
    default: return source == port::l2tp || source == port::teredo ? source : std::uint16_t{0};
  }
}

/// `frame` stands behind the UDP header.
constexpr Passage enter_udp(std::uint16_t source, std::uint16_t destination, Frame& frame) noexcept {
  switch (tunnel_port(source, destination)) {
    case port::l2tp: return enter_l2tp(frame);
    case port::gtp_u: return enter_gtp(frame);
    case port::teredo: return enter_teredo(frame);
    case port::lisp: return enter_lisp(frame);
    case port::vxlan:
    case port::vxlan_linux: return enter_vxlan(frame);
    case port::vxlan_gpe: return enter_vxlan_gpe(frame);
    case port::geneve: return enter_geneve(frame);
    default: return no_tunnel();
  }
}

}  // namespace weir::decode
