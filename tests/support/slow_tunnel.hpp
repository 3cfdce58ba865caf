// SPDX-License-Identifier: BSD-3-Clause
// The slow twin inside of tunnels.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <weir/details.hpp>
#include <weir/headers.hpp>

#include "support/address.hpp"
#include "support/slow_ip.hpp"

namespace weir::test {

class SlowTunnel : public SlowIp {
 public:
  using SlowIp::SlowIp;

 protected:
  /// As deep as it goes: headers become those of the innermost packet, ip_ its offset, details what is around it.
  void go_inside() {
    for (int depth = 0;; ++depth) {
      const auto before = *this;
      tunnel_ = Tunnel::none;
      const bool found = find_tunnel();
      const auto changed = headers;  // an Authentication Header may have been walked
      const auto spi = details.spi;
      const auto has = static_cast<std::uint16_t>(details.has & Details::ipsec);
      bool inside = found && depth < 8;
      bool deep = found && depth == 8;
      if (inside) inside = read_inner(before.headers.vlan, changed), deep = too_deep_;
      if (inside) continue;
      *this = before;
      headers = changed;
      if (has) details.spi = spi, details.has |= has;
      if (deep) headers.notes |= note_bit(Note::nested_too_deep);
      return;
    }
  }

  std::uint64_t ip_ = 0;  ///< offset of the metered packet's header

 private:
  bool read_inner(std::uint16_t vlan, const Headers& outer) {
    hearing_ = false;
    frames_ = 0;
    if (to_ip()) return false;
    headers = {};
    const auto ip = at_;
    if (read_ip() != Outcome::metered) return false;
    headers.vlan = vlan;
    ip_ = ip;
    if (details.tunnel_depth == 0) {
      details.outer_source = padded(outer.source());
      details.outer_destination = padded(outer.destination());
      details.outer_octets = outer.octets;
      details.outer_version = static_cast<std::uint8_t>(outer.version);
      details.outer_protocol = outer.protocol;
      details.outer_tos = outer.tos;
      details.outer_ttl = outer.ttl;
      details.outer_source_port = outer.source_port;
      details.outer_destination_port = outer.destination_port;
      if (Numbers{6, 17, 33, 132, 136}.contains(outer.protocol)) details.has |= Details::outer_ports;
    }
    details.has |= Details::tunnelled;
    details.tunnel = tunnel_;
    details.tunnel_id = id_;
    ++details.tunnel_depth;
    return true;
  }

  /// Moves at_ and what_ behind a tunnel header, and says into details what stood there: whoever finds nothing to read
  /// inside takes the details back.
  bool find_tunnel() {
    if (headers.fragment != Fragment::none) return false;
    auto upper = behind(ip_);
    if (!upper.reached) return false;
    if (headers.version == IpVersion::v4 && upper.protocol == 51) walk_authentication(upper);
    if (!upper.authenticated.empty()) hear_spi(upper.authenticated[0]);
    at_ = upper.at;
    id_ = 0;
    const auto into = upper.authenticated.empty() ? Tunnel::ip_in_ip : Tunnel::ah;
    switch (upper.protocol) {
      case 4: return enter(into, 0, ipv4);
      case 41: return enter(into, 0, ipv6);
      case 47: return find_gre();
      case 115: return find_l2tp_session(0);
      case 17: return there(at_ + 8) ? (at_ += 8, find_udp()) : false;
      default: return false;
    }
  }

  void walk_authentication(Behind& upper) {
    step_over_authentication(upper);
    const auto before = headers;
    headers.protocol = static_cast<std::uint8_t>(upper.protocol);
    at_ = upper.at;
    if (read_transport() != Outcome::metered) headers = before;
  }

  bool enter(Tunnel tunnel, std::uint64_t octets, std::uint64_t what) {
    if (!there(at_ + octets)) return false;
    tunnel_ = tunnel;
    follows(octets, what);
    return true;
  }
  std::uint64_t either(std::uint64_t type) const { return type == 0x6558 ? std::uint64_t{frame} : type; }

  // --- GRE

  bool find_gre() {
    if (!there(at_ + 4)) return false;
    const auto flags = number(at_, 2), type = number(at_ + 2, 2);
    const bool checksum = flags & 0x8000, routes = flags & 0x4000, key = flags & 0x2000, sequence = flags & 0x1000;
    at_ += 4;
    if (flags % 8 == 1) {
      const unsigned octets = 4 + (sequence ? 4 : 0) + (flags & 0x80 ? 4 : 0);
      if (type != 0x880b || !key || !there(at_ + octets)) return false;
      id_ = number(at_ + 2, 2);
      return enter(Tunnel::pptp, octets, maybe_framed);
    }
    if (flags % 8 != 0) return false;
    if (checksum || routes) at_ += 4;
    const auto key_at = at_;
    if (key) at_ += 4;
    if (sequence) at_ += 4;
    if (!there(at_)) return false;
    if (routes)
      for (std::uint64_t octets = 1; octets > 0; at_ += 4 + octets) {
        if (!there(at_ + 4)) return false;
        octets = number(at_ + 3, 1);
        if (!there(at_ + 4 + octets)) return false;
      }
    if (key) details.gre_key = static_cast<std::uint32_t>(number(key_at, 4));
    if (type == 0x88be) return sequence ? find_erspan(1, 8) : enter(Tunnel::erspan_1, 0, frame);
    if (type == 0x22eb) return find_erspan(2, 12);
    if (key) id_ = details.gre_key;
    return enter(Tunnel::gre, 0, type == 0x880b ? std::uint64_t{maybe_framed} : either(type));
  }

  bool find_erspan(unsigned version, unsigned octets) {
    if (!there(at_ + octets) || number(at_, 1) / 16 != version) return false;
    id_ = number(at_ + 2, 2) % 1024;
    details.erspan_session = static_cast<std::uint16_t>(id_);
    if (version == 1) return enter(Tunnel::erspan_2, octets, frame);
    const auto type = number(at_ + 10, 1) / 4 % 32;
    if (type != 0 && type != 2) return false;
    return enter(Tunnel::erspan_3, octets + (bit(at_ + 11, 1) ? 8 : 0), type == 0 ? frame : by_nibble);
  }

  // --- L2TP

  bool find_l2tp() {
    if (!there(at_ + 2)) return false;
    const auto flags = number(at_, 2);
    if (flags & 0x8000) return false;
    if (flags % 16 == 3) return find_l2tp_session(4);
    if (flags % 16 != 2) return false;
    at_ += flags & 0x4000 ? 4 : 2;
    auto end = at_ + 4 + (flags & 0x0800 ? 4 : 0);
    if (flags & 0x0200) {
      if (!there(end + 2)) return false;
      end += 2 + number(end, 2);
    }
    if (!there(end)) return false;
    details.l2tp_tunnel = static_cast<std::uint16_t>(number(at_, 2));
    id_ = number(at_ + 2, 2);
    details.l2tp_session = static_cast<std::uint32_t>(id_);
    return enter(Tunnel::l2tp_v2, end - at_, maybe_framed);
  }

  bool find_l2tp_session(unsigned before) {
    at_ += before;
    if (!there(at_ + 4) || number(at_, 4) == 0) return false;
    id_ = number(at_, 4);
    details.l2tp_session = static_cast<std::uint32_t>(id_);
    details.l2tp_tunnel = 0;
    at_ += 4;
    for (const unsigned cookie : {0, 4, 8, 12}) {
      const auto start = at_ + cookie;
      if (!there(start + 4)) return false;
      const auto word = number(start, 4);
      const auto nibble = there(start + 5) ? number(start + 4, 1) / 16 : 0;
      if ((word == 0xff030021 && nibble == 4) || (word == 0xff030057 && nibble == 6))
        return enter(Tunnel::l2tp_v3, cookie, maybe_framed);
      if (((word | 0x80000000) == 0x8f000800 && nibble == 4) || ((word | 0x80000000) == 0x8f0086dd && nibble == 6))
        return enter(Tunnel::l2tp_v3, cookie, cisco);
      if (!there(start + 14)) continue;
      const auto type = number(start + 12, 2), inner = there(start + 15) ? number(start + 14, 1) / 16 : 0;
      if (is_tag(type) || (type == ipv4 && inner == 4) || (type == ipv6 && inner == 6))
        return enter(Tunnel::l2tp_v3, cookie, frame);
    }
    return false;
  }

  // --- UDP

  bool find_udp() {
    static const std::map<unsigned, bool (SlowTunnel::*)()> ports{
        {1701, &SlowTunnel::find_l2tp},      {2152, &SlowTunnel::find_gtp},   {3544, &SlowTunnel::find_teredo},
        {4341, &SlowTunnel::find_lisp},      {4789, &SlowTunnel::find_vxlan}, {8472, &SlowTunnel::find_vxlan},
        {4790, &SlowTunnel::find_vxlan_gpe}, {6081, &SlowTunnel::find_geneve}};
    const unsigned from = headers.source_port;
    if (const auto port = ports.find(headers.destination_port); port != ports.end()) return (this->*port->second)();
    return from == 1701 || from == 3544 ? (this->*ports.at(from))() : false;
  }

  bool find_vxlan() {
    if (!there(at_ + 8) || !bit(at_, 8)) return false;
    id_ = number(at_ + 4, 3);
    details.vni = static_cast<std::uint32_t>(id_);
    return enter(Tunnel::vxlan, 8, frame);
  }
  bool find_vxlan_gpe() {
    if (!there(at_ + 8) || !bit(at_, 8) || number(at_, 1) & 0x31) return false;
    if (bit(at_, 4) && !next_protocols().contains(number(at_ + 3, 1))) return false;
    id_ = number(at_ + 4, 3);
    details.vni = static_cast<std::uint32_t>(id_);
    return enter(Tunnel::vxlan_gpe, 8, bit(at_, 4) ? next_protocols().at(number(at_ + 3, 1)) : frame);
  }
  bool find_geneve() {
    if (!there(at_ + 8) || number(at_, 1) >= 0x40 || bit(at_ + 1, 0x80)) return false;
    id_ = number(at_ + 4, 3);
    details.vni = static_cast<std::uint32_t>(id_);
    return enter(Tunnel::geneve, 8 + number(at_, 1) * 4, either(number(at_ + 2, 2)));
  }

  bool find_gtp() {
    if (!there(at_ + 8) || number(at_, 1) / 16 != 3 || number(at_ + 1, 1) != 255) return false;
    const auto flags = number(at_, 1);
    auto end = at_ + 8;
    details.gtp_sequence = details.gtp_pdu = details.gtp_qfi = 0;
    details.has &= static_cast<std::uint16_t>(0xffff - Details::gtp_session);
    if (flags % 8 > 0) {
      end += 4;
      if (!there(end)) return false;
      if (flags / 2 % 2 == 1) details.gtp_sequence = static_cast<std::uint32_t>(number(end - 4, 2));
      for (auto type = flags / 4 % 2 == 1 ? number(end - 1, 1) : 0; type != 0; type = number(end - 1, 1)) {
        if (!there(end + 1)) return false;
        const auto octets = number(end, 1) * 4;
        if (octets == 0 || !there(end + octets)) return false;
        if (type == 0x85) {
          details.has |= Details::gtp_session;
          details.gtp_pdu = static_cast<std::uint8_t>(number(end + 1, 1) / 16);
          details.gtp_qfi = number(end + 2, 1) % 64;
        }
        end += octets;
      }
    }
    details.gtp_message = 255;
    details.gtp_flags = static_cast<std::uint8_t>(flags);
    id_ = number(at_ + 4, 4);
    details.teid = static_cast<std::uint32_t>(id_);
    return enter(Tunnel::gtp_u, end - at_, by_nibble);
  }

  bool find_lisp() {
    if (!there(at_ + 8)) return false;
    if (bit(at_, 8)) id_ = number(at_ + 4, 3);
    return enter(Tunnel::lisp, 8, by_nibble);
  }

  bool find_teredo() {
    auto end = at_;
    if (there(end + 2) && number(end, 2) == 1) {
      if (!there(end + 4)) return false;
      end += 13 + number(end + 2, 1) + number(end + 3, 1);
    }
    if (there(end + 2) && number(end, 2) == 0) end += 8;
    return enter(Tunnel::teredo, end - at_, ipv6);
  }

  Tunnel tunnel_ = Tunnel::none;
  std::uint64_t id_ = 0;
};

}  // namespace weir::test
