// SPDX-License-Identifier: BSD-3-Clause
// Packets for tests, readable: tcp("10.0.0.1:1000 > 10.0.0.2:80").vlan(5).mpls(3).syn().payload(100).
// bytes() is the frame, captured() a weir::Packet that owns it, headers() what a decoder has to say of it. Knows
// nothing of src/.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

namespace weir::test::frames {

/// Octets in network order, one after another.
class Octets {
 public:
  Octets& u8(unsigned value) { return bytes.push_back(static_cast<std::byte>(value)), *this; }
  Octets& u16(unsigned value) { return u8(value >> 8 & 0xff).u8(value & 0xff); }
  Octets& u32(std::uint32_t value) { return u16(value >> 16).u16(value & 0xffff); }
  Octets& fill(std::size_t octets, unsigned value) {
    return bytes.insert(bytes.end(), octets, static_cast<std::byte>(value)), *this;
  }
  Octets& put(const std::vector<std::byte>& more) { return bytes.insert(bytes.end(), more.begin(), more.end()), *this; }
  Octets& put(std::span<const std::byte> more) { return bytes.insert(bytes.end(), more.begin(), more.end()), *this; }
  std::size_t size() const noexcept { return bytes.size(); }

  std::vector<std::byte> bytes;
};

/// A packet and the octets that it points at.
struct Captured {
  std::vector<std::byte> bytes;
  Packet about;  ///< all but the pointer

  Packet packet() const& noexcept {
    auto packet = about;
    packet.bytes = bytes.data();
    return packet;
  }
  Packet packet() && = delete;  ///< it would point at nothing
};

/// Every method gives a new builder with one thing changed. Tags and labels are added from the outside in, extension
/// headers in the order in which they stand in the packet.
class Frame {
 public:
  Frame(std::uint8_t protocol, std::string_view from_to) {
    const auto arrow = from_to.find(" > ");
    said_.version = from_to.front() == '[' ? IpVersion::v6 : IpVersion::v4;
    said_.protocol = protocol;
    said_.ttl = 64;
    end_point(from_to.substr(0, arrow), said_.source(), said_.source_port);
    end_point(from_to.substr(arrow + 3), said_.destination(), said_.destination_port);
  }

  // The link, from the outside in.
  Frame over(Link link) const {
    return with([=](Frame& f) { f.link_ = link; });
  }
  Frame vlan(unsigned id) const { return tag(0x8100, id); }
  Frame service_vlan(unsigned id) const { return tag(0x88a8, id); }
  Frame tag(unsigned type, unsigned id) const {
    return with([=](Frame& f) { f.tags_.emplace_back(type, id); });
  }
  Frame pppoe() const {
    return with([](Frame& f) { f.pppoe_ = true; });
  }
  Frame pppoe_compressed() const {
    return pppoe().with([](Frame& f) { f.ppp_compressed_ = true; });
  }
  Frame mpls(unsigned label) const {
    return with([=](Frame& f) { f.labels_.push_back(label); });
  }
  /// Instead of the EtherType, PPP protocol or address family of what follows.
  Frame announced_as(unsigned type) const {
    return with([=](Frame& f) { f.announced_ = type; });
  }
  /// ARPHRD_… of a cooked capture.
  Frame device(unsigned arphrd) const {
    return with([=](Frame& f) { f.device_ = arphrd; });
  }

  // The IP header.
  Frame tos(std::uint8_t value) const {
    return with([=](Frame& f) { f.said_.tos = value; });
  }
  Frame ttl(std::uint8_t value) const {
    return with([=](Frame& f) { f.said_.ttl = value; });
  }
  /// IPv4 options, a multiple of four octets.
  Frame options(std::size_t octets) const {
    return with([=](Frame& f) { f.options_ = octets; });
  }
  /// The length field, whatever is true: IPv4 total length, IPv6 payload length.
  Frame ip_length(unsigned stated) const {
    return with([=](Frame& f) { f.ip_length_ = static_cast<int>(stated); });
  }
  /// `offset` in octets, a multiple of eight. In IPv6 this is an extension header.
  Frame fragment(unsigned offset, unsigned more = 1) const {
    return with([=](Frame& f) {
      f.fragment_ = {offset, more};
      if (f.is_v6()) f.extensions_.push_back({protocol::ipv6_fragment, 8, false});
    });
  }
  Frame hop_by_hop(std::size_t octets = 8) const { return extension(protocol::hop_by_hop, octets); }
  Frame routing(std::size_t octets = 8) const { return extension(protocol::ipv6_route, octets); }
  Frame destination_options(std::size_t octets = 8) const { return extension(protocol::ipv6_options, octets); }
  Frame authentication(std::size_t octets = 24) const { return extension(protocol::ah, octets); }
  /// A Hop-by-Hop header with a Jumbo Payload option; the payload length field is 0.
  Frame jumbo() const {
    return with([](Frame& f) { f.extensions_.push_back({protocol::hop_by_hop, 8, true}); });
  }

  // TCP and what is carried.
  Frame fin() const { return flags(0x01); }
  Frame syn() const { return flags(0x02); }
  Frame rst() const { return flags(0x04); }
  Frame ack() const { return flags(0x10); }
  Frame flags(unsigned more) const {
    return with([=](Frame& f) { f.said_.tcp_flags |= static_cast<std::uint16_t>(more); });
  }
  Frame icmp_type_code(unsigned type, unsigned code) const {
    return with([=](Frame& f) { f.said_.destination_port = static_cast<std::uint16_t>(type << 8 | code); });
  }
  Frame payload(std::size_t octets) const {
    return with([=](Frame& f) { f.payload_ = octets; });
  }
  /// Octets of the frame behind the IP packet.
  Frame padding(std::size_t octets) const {
    return with([=](Frame& f) { f.padding_ = octets; });
  }

  // The capture.
  Frame at(nanoseconds since_1970) const {
    return with([=](Frame& f) { f.stamp_ = Instant{since_1970}; });
  }
  Frame interface(std::uint16_t number) const {
    return with([=](Frame& f) { f.interface_ = number; });
  }
  /// Only the first `octets` were captured.
  Frame captured_to(std::size_t octets) const {
    return with([=](Frame& f) { f.captured_ = octets; });
  }
  /// The frame had but `octets` octets, all captured.
  Frame ends_at(std::size_t octets) const {
    return with([=](Frame& f) { f.frame_ = octets; });
  }
  /// One octet of the finished frame.
  Frame poke(std::size_t offset, unsigned value) const {
    return with([=](Frame& f) { f.pokes_.emplace_back(offset, value); });
  }

  std::vector<std::byte> bytes() const {
    auto frame = link_header().put(ip_packet()).fill(padding_, 0xee).bytes;
    for (const auto& [offset, value] : pokes_) frame.at(offset) = static_cast<std::byte>(value);
    frame.resize(std::min(frame.size(), frame_));
    return frame;
  }
  std::size_t ip_offset() const { return link_header().size(); }
  /// Offset of what the last IP header or extension header announces.
  std::size_t transport_offset() const { return ip_offset() + ip_packet().size() - transport().size() - payload_; }

  Captured captured() const {
    auto octets = bytes();
    const auto wire = static_cast<std::uint32_t>(octets.size());
    octets.resize(std::min(octets.size(), captured_));
    const auto size = static_cast<std::uint32_t>(octets.size());
    return {std::move(octets),
            {.captured = size, .wire = wire, .stamp = stamp_, .clock = stamp_, .interface = interface_, .link = link_}};
  }

  /// So many octets of the frame have addresses, protocol and ports (or ICMP type and code) among them.
  std::size_t octets_needed() const {
    if (!is_v6() && (is_later_fragment() || ports_octets() == 0)) return ip_offset() + 20;
    if (!is_later_fragment() && ports_octets() > 0) return transport_offset() + ports_octets();
    auto last = ip_offset() + 40;
    for (std::size_t i = 0; i < extensions_.size(); last += extensions_[i++].octets) {
      const bool fragment = extensions_[i].kind == protocol::ipv6_fragment;
      if (i + 1 == extensions_.size() || (fragment && is_later_fragment())) return last + (fragment ? 8 : 1);
    }
    return last;
  }

  /// What a decoder has to say if the packet is metered.
  Headers headers() const {
    auto said = said_;
    const auto wire = std::min(frame_, ip_offset() + ip_packet().size() + padding_) - ip_offset();
    said.octets = ip_packet().size();
    if (ip_length_ >= 0) said.octets = static_cast<unsigned>(ip_length_) + (is_v6() ? 40u : 0u);
    if (!is_v6() && ip_length_ == 0) {
      said.octets = wire;
      said.notes |= note_bit(Note::ip_length_zero);
    }
    if (said.octets > wire) said.notes |= note_bit(Note::ip_length_beyond_frame);
    if (!tags_.empty()) said.vlan = tags_.front().second & 0xfff;
    if (transport_offset() + 14 > std::min(captured_, frame_)) said.tcp_flags = 0;
    if (is_later_fragment() || ports_octets() == 0) said.source_port = said.destination_port = said.tcp_flags = 0;
    if (is_fragment()) {
      said.fragment = is_later_fragment() ? Fragment::later : Fragment::first;
      said.fragment_id = is_v6() ? 0x12345678 : 0x1234;
    }
    if (is_later_fragment()) {
      said.notes |= note_bit(Note::fragment_later);
      for (std::size_t i = 0; i < extensions_.size(); ++i)
        if (extensions_[i].kind == protocol::ipv6_fragment)
          said.protocol = static_cast<std::uint8_t>(next_header(i + 1));
    }
    return said;
  }

 private:
  struct Extension {
    std::uint8_t kind;
    std::size_t octets;
    bool jumbo;
  };

  template <class Change>
  Frame with(Change change) const {
    auto next = *this;
    change(next);
    return next;
  }
  Frame extension(std::uint8_t kind, std::size_t octets) const {
    return with([=](Frame& f) { f.extensions_.push_back({kind, octets, false}); });
  }
  bool is_fragment() const noexcept { return fragment_.first > 0 || fragment_.second > 0; }
  bool is_later_fragment() const noexcept { return fragment_.first > 0; }
  std::size_t ports_octets() const {
    if (said_.protocol == protocol::icmp) return is_v6() ? 0 : 2;
    if (said_.protocol == protocol::icmpv6) return is_v6() ? 2 : 0;
    return std::min<std::size_t>(transport().size(), 4);
  }
  bool is_v6() const noexcept { return said_.version == IpVersion::v6; }

  /// "10.0.0.1:80", "10.0.0.1", "[::1]:80" or "[::1]". A mistake ends the test: it is the test's own.
  void end_point(std::string_view text, std::span<std::byte> address, std::uint16_t& port) {
    const auto host_end = is_v6() ? text.find(']') : std::min(text.find(':'), text.size());
    const std::string host{text.substr(is_v6() ? 1 : 0, host_end - (is_v6() ? 1 : 0))};
    if (inet_pton(is_v6() ? AF_INET6 : AF_INET, host.c_str(), address.data()) != 1) std::abort();
    const auto colon = text.find(':', host_end);
    if (colon != text.npos) port = static_cast<std::uint16_t>(std::stoul(std::string{text.substr(colon + 1)}));
  }

  Octets transport() const {
    Octets out;
    const unsigned from = said_.source_port, to = said_.destination_port;
    const auto length = static_cast<unsigned>(8 + payload_);
    switch (said_.protocol) {
      case protocol::tcp: return out.u16(from).u16(to).u32(1).u32(2).u16(0x5000u | said_.tcp_flags).u16(0xffff).u32(0);
      case protocol::udp:
      case protocol::udp_lite: return out.u16(from).u16(to).u16(length & 0xffff).u16(0);
      case protocol::sctp: return out.u16(from).u16(to).u32(7).u32(0);
      case protocol::dccp: return out.u16(from).u16(to).u32(0x04000000).u32(0x05000000).u32(0);
      case protocol::icmp:
      case protocol::icmpv6: return out.u16(to).u16(0).u32(0x00010001);
      default: return out;
    }
  }

  /// A later fragment carries the same octets; that they are no transport header is for the decoder to know.
  Octets behind_ip() const { return transport().fill(payload_, 0xdd); }

  std::vector<std::byte> ip_packet() const { return is_v6() ? ipv6_packet() : ipv4_packet(); }

  std::vector<std::byte> ipv4_packet() const {
    const auto header = 20 + options_;
    const auto behind = behind_ip();
    const auto total = ip_length_ < 0 ? header + behind.size() : static_cast<std::size_t>(ip_length_);
    Octets out;
    out.u8(static_cast<unsigned>(0x40 | header / 4)).u8(said_.tos).u16(static_cast<unsigned>(total & 0xffff));
    out.u16(0x1234).u16(fragment_.first / 8 | fragment_.second << 13).u8(said_.ttl).u8(said_.protocol).u16(0);
    out.put(said_.source()).put(said_.destination()).fill(options_, 1);
    const auto sum = checksum(out.bytes);
    out.bytes[10] = static_cast<std::byte>(sum >> 8);
    out.bytes[11] = static_cast<std::byte>(sum & 0xff);
    return out.put(behind.bytes).bytes;
  }

  /// RFC 1071.
  static unsigned checksum(const std::vector<std::byte>& header) {
    unsigned sum = 0;
    for (std::size_t i = 0; i < header.size(); ++i) sum += std::to_integer<unsigned>(header[i]) << (i % 2 ? 0 : 8);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
  }

  std::vector<std::byte> ipv6_packet() const {
    const auto behind = behind_ip();
    auto payload = behind.size();
    bool jumbo = false;
    for (const auto& extension : extensions_) payload += extension.octets, jumbo |= extension.jumbo;
    const auto stated = ip_length_ >= 0 ? static_cast<std::size_t>(ip_length_) : jumbo ? 0 : payload;
    Octets out;
    out.u32(0x60000000u | static_cast<std::uint32_t>(said_.tos) << 20).u16(static_cast<unsigned>(stated & 0xffff));
    out.u8(next_header(0)).u8(said_.ttl).put(said_.source()).put(said_.destination());
    for (std::size_t i = 0; i < extensions_.size(); ++i) put_extension(out, i, static_cast<std::uint32_t>(payload));
    return out.put(behind.bytes).bytes;
  }

  unsigned next_header(std::size_t i) const { return i < extensions_.size() ? extensions_[i].kind : said_.protocol; }

  void put_extension(Octets& out, std::size_t i, std::uint32_t payload) const {
    const auto& [kind, octets, jumbo] = extensions_[i];
    out.u8(next_header(i + 1));
    if (kind == protocol::ipv6_fragment) {
      out.u8(0).u16(fragment_.first | fragment_.second).u32(0x12345678);
    } else if (kind == protocol::ah) {
      out.u8(static_cast<unsigned>(octets / 4 - 2)).fill(octets - 2, 0);
    } else if (jumbo) {
      out.u8(0).u16(0xc204).u32(payload);
    } else {  // PadN over all of it
      out.u8(static_cast<unsigned>(octets / 8 - 1)).u8(1).u8(static_cast<unsigned>((octets - 4) & 0xff));
      out.fill(octets - 4, 0);
    }
  }

  Octets link_header() const {
    const unsigned ip = is_v6() ? 0x86dd : 0x0800, inner = pppoe_ ? 0x8864 : labels_.empty() ? ip : 0x8847;
    const unsigned type = announced_ && !pppoe_ ? announced_ : inner;
    Octets out;
    put_link(out, tags_.empty() ? type : tags_.front().first);
    for (std::size_t i = 0; i < tags_.size(); ++i)
      out.u16(tags_[i].second).u16(i + 1 < tags_.size() ? tags_[i + 1].first : type);
    if (pppoe_) put_pppoe(out);
    for (std::size_t i = 0; i < labels_.size(); ++i)
      out.u32(static_cast<std::uint32_t>(labels_[i] << 12 | (i + 1 == labels_.size() ? 0x100 : 0) | 64));
    return out;
  }

  void put_link(Octets& out, unsigned type) const {
    const unsigned family = announced_ ? announced_ : is_v6() ? 30 : 2;
    switch (link_) {
      case Link::ethernet: out.fill(6, 0x02).fill(6, 0x04).u16(type); break;
      case Link::null: out.u8(family).u8(0).u16(0); break;
      case Link::loop: out.u32(family); break;
      case Link::sll: out.u16(0).u16(device_).u16(6).fill(8, 0x02).u16(type); break;
      case Link::sll2: out.u16(type).u16(0).u32(3).u16(device_).u8(0).u8(6).fill(8, 0x02); break;
      default: break;
    }
  }

  void put_pppoe(Octets& out) const {
    const unsigned ip = is_v6() ? 0x0057 : 0x0021, inner = labels_.empty() ? ip : 0x0281;
    const auto type = announced_ ? announced_ : inner;
    const auto octets = (ppp_compressed_ ? 1 : 2) + labels_.size() * 4 + ip_packet().size();
    out.u16(0x1100).u16(1).u16(static_cast<unsigned>(octets & 0xffff));
    ppp_compressed_ ? out.u8(type & 0xff) : out.u16(type);
  }

  Link link_ = Link::ethernet;
  std::vector<std::pair<unsigned, unsigned>> tags_;  ///< type, identifier
  bool pppoe_ = false, ppp_compressed_ = false;
  std::vector<unsigned> labels_;
  unsigned announced_ = 0, device_ = 1;  ///< ARPHRD_ETHER
  Headers said_;
  std::size_t options_ = 0, payload_ = 0, padding_ = 0;
  int ip_length_ = -1;
  std::pair<unsigned, unsigned> fragment_{};  ///< offset, more
  std::vector<Extension> extensions_;
  Instant stamp_{};
  std::uint16_t interface_ = 0;
  std::size_t captured_ = SIZE_MAX, frame_ = SIZE_MAX;
  std::vector<std::pair<std::size_t, unsigned>> pokes_;
};

inline Frame ip(std::uint8_t protocol, std::string_view from_to) { return {protocol, from_to}; }
inline Frame tcp(std::string_view from_to) { return {protocol::tcp, from_to}; }
inline Frame udp(std::string_view from_to) { return {protocol::udp, from_to}; }
inline Frame udp_lite(std::string_view from_to) { return {protocol::udp_lite, from_to}; }
inline Frame sctp(std::string_view from_to) { return {protocol::sctp, from_to}; }
inline Frame dccp(std::string_view from_to) { return {protocol::dccp, from_to}; }
/// ICMP between IPv4 addresses, ICMPv6 between IPv6 addresses; an echo request of each.
inline Frame icmp(std::string_view from_to) {
  return from_to.front() == '[' ? Frame{protocol::icmpv6, from_to}.icmp_type_code(128, 0)
                                : Frame{protocol::icmp, from_to}.icmp_type_code(8, 0);
}

}  // namespace weir::test::frames
