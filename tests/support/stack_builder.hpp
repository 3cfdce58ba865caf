// SPDX-License-Identifier: BSD-3-Clause
// Stacks of headers, built from the inside out: a Stack of an IP packet, then a call for each header around it, then
// over(link). What a decoder has to say of it grows along. Knows nothing of src/.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "support/address.hpp"
#include "support/packet_builder.hpp"

namespace weir::test {

class Stack {
 public:
  using Octets = frames::Octets;

  explicit Stack(const frames::Frame& innermost) {
    bytes_ = innermost.over(Link::raw).bytes();
    headers_ = innermost.headers();
    is_v4_outermost_ = headers_.version == IpVersion::v4;
    type_ = is_v4_outermost_ ? ipv4 : ipv6;
  }

  /// What stands at the front: an EtherType, 0x6558 for an Ethernet frame.
  unsigned type() const { return type_; }
  bool is_ip() const { return type_ == ipv4 || type_ == ipv6; }
  bool is_frame() const { return type_ == bridged; }
  /// A frame with a length, which nobody recognises in a pseudowire.
  bool has_length() const { return has_length_; }
  std::size_t size() const { return bytes_.size(); }
  std::size_t depth() const { return says_.size(); }

  // --- Behind a link or in a frame, none of these around a frame but backbone, pseudowire and nsh.

  Stack& tag(unsigned type, unsigned tci) {
    front(type, Octets{}.u16(tci).u16(announce()));
    tags_.insert(tags_.begin(), static_cast<std::uint16_t>(tci));
    return *this;
  }
  Stack& label(unsigned label) {
    const auto entry = static_cast<std::uint32_t>(label << 12 | (type_ == labels ? 0 : 0x100) | 63);
    front(labels, Octets{}.u32(entry));
    entries_.insert(entries_.begin(), entry);
    return *this;
  }
  Stack& pseudowire(unsigned number, bool control_word) {
    if (control_word) front(bridged, Octets{}.u32(7));
    return label(number);
  }
  Stack& pppoe() {
    ppp(false);
    return front(0x8864, Octets{}.u16(0x1100).u16(9).u16(0));
  }
  Stack& backbone(std::uint32_t service) { return front(0x88e7, Octets{}.u32(service)); }
  Stack& metadata() { return front(0x8909, Octets{}.u16(0x0101).u16(1).u16(100).u16(announce())); }
  Stack& nsh() {
    const auto next = next_protocol();
    return front(0x894f, Octets{}.u16(0x0fc6).u16(0x0100 | next).u32(0x2aff).fill(16, 0xcc));
  }
  /// An Ethernet frame; with LLC and SNAP instead of a type.
  Stack& frame(unsigned first_octet = 2, bool snap = false) {
    Octets out;
    out.u8(first_octet).fill(5, 0x12).u8(first_octet).fill(5, 0x34);
    const unsigned type = announce();
    has_length_ = snap;
    if (snap) out.u16(static_cast<unsigned>(bytes_.size() + 8) % 1500).u16(0xaaaa).u8(3).u8(0).u16(0);
    outermost_.has |= Details::macs;
    outermost_.destination_mac.fill(std::byte{0x12});
    outermost_.source_mac.fill(std::byte{0x34});
    outermost_.destination_mac[0] = outermost_.source_mac[0] = static_cast<std::byte>(first_octet);
    return front(bridged, out.u16(type));
  }

  // --- Tunnels: their own header, then an IP header between `ends`.

  Stack& gre(std::string_view ends, bool checksum, bool key, bool sequence, std::uint32_t number) {
    Octets out;
    out.u16((checksum ? 0x8000u : 0) | (key ? 0x2000u : 0) | (sequence ? 0x1000u : 0)).u16(type_);
    if (checksum) out.u32(0);
    if (key) out.u32(number);
    if (sequence) out.u32(7);
    return tunnel(Tunnel::gre, key ? number : 0, out, 47, ends, [=](Details& said) {
      if (key) said.gre_key = number;
    });
  }
  Stack& pptp(std::string_view ends, unsigned call) {
    ppp(true);
    Octets out;
    out.u16(0x3081).u16(0x880b).u16(static_cast<unsigned>(bytes_.size()) & 0xffff).u16(call).u32(1).u32(2);
    return tunnel(Tunnel::pptp, call, out, 47, ends);
  }
  /// Type 1, 2 or 3.
  Stack& erspan(std::string_view ends, unsigned type, unsigned session, bool subheader = false) {
    Octets out;
    out.u16(type == 1 ? 0x0000 : 0x1000).u16(type == 3 ? 0x22eb : 0x88be);
    if (type > 1) out.u32(1);
    if (type == 2) out.u16(0x1005).u16(session).u32(3);
    if (type == 3) out.u16(0x2005).u16(session).u32(99).u16(0).u16(subheader).fill(subheader ? 8 : 0, 0xab);
    constexpr std::array kinds{Tunnel::erspan_1, Tunnel::erspan_2, Tunnel::erspan_3};
    return tunnel(kinds.at(type - 1), type > 1 ? session : 0, out, 47, ends, [=](Details& said) {
      if (type > 1) said.erspan_session = static_cast<std::uint16_t>(session);
    });
  }
  Stack& ip_in_ip(std::string_view ends) { return tunnel(Tunnel::ip_in_ip, 0, {}, ip_protocol(), ends); }
  Stack& authenticated(std::string_view ends, std::uint32_t spi) {
    const auto header = Octets{}.u8(ip_protocol()).u8(4).u16(0).u32(spi).u32(1).fill(12, 0);
    return tunnel(Tunnel::ah, 0, header, 51, ends, [=](Details& said) {
      if (!(said.has & Details::ipsec)) said.spi = spi;
      said.has |= Details::ipsec;
    });
  }
  Stack& l2tp(std::string_view ends, unsigned number, unsigned session, bool all) {
    ppp(all);
    Octets out;
    out.u16(all ? 0x4a02 : 0x0002);
    if (all) out.u16(0);
    out.u16(number).u16(session);
    if (all) out.u32(0).u16(3).fill(3, 0x11);
    return udp(Tunnel::l2tp_v2, session, out, 1701, ends, [=](Details& said) {
      said.l2tp_tunnel = static_cast<std::uint16_t>(number);
      said.l2tp_session = session;
    });
  }
  Stack& l2tp_v3(std::string_view ends, std::uint32_t session, std::size_t cookie, bool over_udp) {
    if (is_ip()) ppp(true);
    Octets out;
    if (over_udp) out.u16(3).u16(0);
    out.u32(session).fill(cookie, 0x77);
    const auto says = [=](Details& said) {
      said.l2tp_tunnel = 0;
      said.l2tp_session = session;
    };
    return over_udp ? udp(Tunnel::l2tp_v3, session, out, 1701, ends, says)
                    : tunnel(Tunnel::l2tp_v3, session, out, 115, ends, says);
  }
  Stack& vxlan(std::string_view ends, std::uint32_t network, unsigned port = 4789) {
    const auto header = Octets{}.u32(0x0800'0000).u32(network << 8);
    return udp(Tunnel::vxlan, network, header, port, ends, [=](Details& said) { said.vni = network; });
  }
  Stack& vxlan_gpe(std::string_view ends, std::uint32_t network) {
    const auto header = Octets{}.u16(0x0c00).u16(next_protocol()).u32(network << 8);
    return udp(Tunnel::vxlan_gpe, network, header, 4790, ends, [=](Details& said) { said.vni = network; });
  }
  Stack& geneve(std::string_view ends, std::uint32_t network, unsigned option_words = 0) {
    const auto header = Octets{}.u8(option_words).u8(0).u16(type_).u32(network << 8).fill(option_words * 4, 0x22);
    return udp(Tunnel::geneve, network, header, 6081, ends, [=](Details& said) { said.vni = network; });
  }
  Stack& gtp(std::string_view ends, std::uint32_t endpoint, bool sequence = false, bool session = false) {
    const unsigned flags = 0x30u | (sequence ? 2u : 0u) | (session ? 4u : 0u);
    Octets out;
    out.u8(flags).u8(255).u16(static_cast<unsigned>(bytes_.size()) & 0xffff).u32(endpoint);
    if (flags & 7) out.u16(4660).u8(0).u8(session ? 0x32 : 0);
    if (session) out.u8(2).fill(6, 0x99).u8(0x85).u8(1).u8(0x10).u8(0x49).u8(0);
    return udp(Tunnel::gtp_u, endpoint, out, 2152, ends, [=](Details& said) {
      said.teid = endpoint;
      said.gtp_message = 255;
      said.gtp_flags = static_cast<std::uint8_t>(flags);
      said.gtp_sequence = sequence ? 4660 : 0;
      said.gtp_pdu = session ? 1 : 0;
      said.gtp_qfi = session ? 9 : 0;
      said.has &= static_cast<std::uint16_t>(~Details::gtp_session);
      if (session) said.has |= Details::gtp_session;
    });
  }
  Stack& lisp(std::string_view ends, std::uint32_t instance) {
    return udp(Tunnel::lisp, instance, Octets{}.u32(0x0800'0000).u32(instance << 8), 4341, ends);
  }
  Stack& teredo(std::string_view ends, bool indications = false) {
    Octets out;
    if (indications) out.u16(1).u16(0x0203).fill(5, 0x31).fill(9, 0).u16(0).u16(0x1234).u32(0x01020304);
    return udp(Tunnel::teredo, 0, out, 3544, ends);
  }

  // --- The link, last.

  frames::Captured over(Link link) {
    switch (link) {
      case Link::ethernet:
        if (!is_frame()) frame();
        break;
      case Link::ppp: ppp(false); break;
      case Link::ppp_hdlc: ppp(true); break;
      case Link::ppp_ether: pppoe(); break;
      case Link::c_hdlc: front(0, Octets{}.u16(0x0f00).u16(announce())); break;
      case Link::atm_rfc1483: front(0, Octets{}.u16(0xaaaa).u8(3).u8(0).u16(0).u16(announce())); break;
      case Link::frelay: front(0, Octets{}.u16(0x1841).u16(0x0300).u8(0x80).u8(0).u16(0).u16(announce())); break;
      case Link::ieee802_11: wireless(1); break;
      case Link::ieee802_11_radiotap:
        wireless(2);
        front(0, Octets{}.u32(0x00001200).u32(0x03000000).fill(8, 0).u8(0).u8(0));
        break;
      case Link::ppi: wireless(0), front(0, Octets{}.u32(0x00000800).u32(0x69000000)); break;
      case Link::sll: front(0, Octets{}.u16(0).u16(1).u16(0).fill(8, 0x02).u16(announce())); break;
      case Link::sll2: front(0, Octets{}.u16(announce()).u16(0).u32(3).u16(1).u16(0).fill(8, 0x02)); break;
      default: break;  // nothing stands before it
    }
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    return {bytes_, {.captured = size, .wire = size, .link = link}};
  }

  /// What is metered with tunnels entered.
  Headers headers() const {
    auto said = headers_;
    if (!tags_.empty()) said.vlan = tags_[0] & 0xfff;
    return said;
  }
  /// The groups of the link and of the tunnels.
  Details details() const {
    auto said = outermost_;
    for (const auto& says : says_) says(said);
    said.vlan_tags = static_cast<std::uint8_t>(tags_.size());
    if (!tags_.empty()) said.vlan_tci = tags_[0], said.has |= Details::vlan_outer;
    if (tags_.size() > 1) said.inner_vlan_tci = tags_[1], said.has |= Details::vlan_inner;
    said.mpls_depth = static_cast<std::uint8_t>(entries_.size());
    if (!entries_.empty()) said.has |= Details::mpls;
    std::copy_n(entries_.begin(), std::min(entries_.size(), said.mpls_entries.size()), said.mpls_entries.begin());
    said.ethertype = static_cast<std::uint16_t>(met_type_ != 0 ? met_type_ : is_v4_outermost_ ? ipv4 : ipv6);
    said.link_octets = static_cast<std::uint16_t>(link_octets_);
    return said;
  }

 private:
  using Says = std::function<void(Details&)>;
  static constexpr unsigned ipv4 = 0x0800, ipv6 = 0x86dd, labels = 0x8847, bridged = 0x6558;

  Stack& front(unsigned type, const Octets& more) {
    bytes_.insert(bytes_.begin(), more.bytes.begin(), more.bytes.end());
    link_octets_ += more.size();
    type_ = type;
    return *this;
  }
  /// type_, said by a field of sixteen bits.
  unsigned announce() {
    constexpr std::array tags{0x8100u, 0x88a8u, 0x9100u, 0x9200u};
    if (std::find(tags.begin(), tags.end(), type_) == tags.end()) met_type_ = type_;
    return type_;
  }
  unsigned ip_protocol() const { return type_ == ipv4 ? 4 : 41; }
  unsigned next_protocol() {
    if (is_ip()) return type_ == ipv4 ? 1 : 2;
    return type_ == labels ? 5 : type_ == 0x894f ? 4 : 3;
  }
  void ppp(bool framed) {
    Octets out;
    if (framed) out.u16(0xff03);
    front(0, out.u16(type_ == ipv4 ? 0x0021 : type_ == ipv6 ? 0x0057 : 0x0281));
  }
  /// Directions: 0 neither, 1 to the distribution system, 2 from it. Quality of service in all.
  void wireless(unsigned direction) {
    Octets out;
    out.u8(0x88).u8(direction).u16(0).fill(6, 1).fill(6, 2).fill(6, 3).u16(0).u16(0);
    out.u16(0xaaaa).u8(3).u8(0).u16(0).u16(announce());
    front(0, out);
    outermost_.has |= Details::macs;
    outermost_.source_mac.fill(std::byte{static_cast<unsigned char>(direction == 2 ? 3 : 2)});
    outermost_.destination_mac.fill(std::byte{static_cast<unsigned char>(direction == 1 ? 3 : 1)});
  }

  Stack& udp(
      Tunnel kind, std::uint64_t id, const Octets& header, unsigned port, std::string_view ends,
      Says says = [](Details&) {}) {
    const auto size = static_cast<unsigned>(bytes_.size() + header.size() + 8);
    Octets out;
    out.u16(49'152).u16(port).u16(size & 0xffff).u16(0).put(header.bytes);
    return tunnel(kind, id, out, 17, ends, [=](Details& said) {
      if (said.outer_protocol == 17 && said.tunnel_depth == 1) {
        said.outer_source_port = 49'152;
        said.outer_destination_port = static_cast<std::uint16_t>(port);
        said.has |= Details::outer_ports;
      }
      says(said);
    });
  }

  Stack& tunnel(
      Tunnel kind, std::uint64_t id, const Octets& header, unsigned protocol, std::string_view ends,
      Says says = [](Details&) {}) {
    front(0, header);
    const auto outer = frames::ip(static_cast<std::uint8_t>(protocol), ends).over(Link::raw).tos(0x28).ttl(9);
    auto ip = outer.bytes();
    const bool v4 = outer.headers().version == IpVersion::v4;
    const auto size = bytes_.size() + (v4 ? 20 : 0);
    ip.at(v4 ? 2 : 4) = static_cast<std::byte>(size >> 8);
    ip.at(v4 ? 3 : 5) = static_cast<std::byte>(size & 0xff);
    ip.resize(v4 ? 20 : 40);
    bytes_.insert(bytes_.begin(), ip.begin(), ip.end());
    auto said_of_outer = outer.headers();
    if (protocol == 51) said_of_outer.protocol = static_cast<std::uint8_t>(header.bytes.at(0));
    const auto octets = bytes_.size();
    says_.insert(says_.begin(), [=](Details& said) {
      if (said.tunnel_depth++ == 0) {
        said.has |= Details::tunnelled;
        said.outer_source = padded(said_of_outer.source());
        said.outer_destination = padded(said_of_outer.destination());
        said.outer_octets = octets;
        said.outer_version = v4 ? 4 : 6;
        said.outer_protocol = said_of_outer.protocol;
        said.outer_tos = 0x28;
        said.outer_ttl = 9;
      }
      said.tunnel = kind;
      said.tunnel_id = id;
      says(said);
    });
    type_ = v4 ? ipv4 : ipv6;
    is_v4_outermost_ = v4;
    tags_.clear();
    entries_.clear();
    met_type_ = 0;
    link_octets_ = 0;
    outermost_ = {};
    return *this;
  }

  std::vector<std::byte> bytes_;
  Headers headers_;
  Details outermost_;
  unsigned type_ = 0;      ///< what stands at the front: an EtherType, 0x6558 for an Ethernet frame
  unsigned met_type_ = 0;  ///< the outermost that was announced and is no tag
  bool is_v4_outermost_ = true, has_length_ = false;
  std::size_t link_octets_ = 0;
  std::vector<std::uint16_t> tags_;  ///< outermost first, as all of these
  std::vector<std::uint32_t> entries_;
  std::vector<Says> says_;
};

}  // namespace weir::test
