// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "decode/check.hpp"
#include "support/stack_builder.hpp"

namespace weir::test {
namespace {

using frames::tcp, frames::udp;

constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80";
constexpr auto v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";

TEST(Link, every_link_type_leads_to_the_same_headers) {
  for (const auto link : {Link::ethernet, Link::raw, Link::null, Link::loop, Link::sll, Link::sll2}) {
    EXPECT_EQ(decoded(tcp(v4).over(link)), as_built(tcp(v4)));
    EXPECT_EQ(decoded(tcp(v6).over(link)), as_built(tcp(v6)));
  }
  EXPECT_EQ(decoded(tcp(v4).over(Link::ipv4)), as_built(tcp(v4)));
  EXPECT_EQ(decoded(tcp(v6).over(Link::ipv6)), as_built(tcp(v6)));
}

TEST(Link, an_unsupported_link_goes_before_a_filter_and_a_filter_before_all_else) {
  auto packet = tcp(v4).captured();
  packet.about.selection = Selection::filtered;
  EXPECT_EQ(decoded(packet.packet()), "filtered");
  packet.about.link = Link::unsupported;
  EXPECT_EQ(decoded(packet.packet()), "link_unsupported");
  packet.about.selection = Selection::selected;
  EXPECT_EQ(decoded(packet.packet()), "link_unsupported");
}

TEST(Link, what_sampling_left_out_is_not_selected_whatever_else_it_is) {
  auto packet = tcp(v4).captured();
  packet.about.selection = Selection::not_selected;
  EXPECT_EQ(decoded(packet.packet()), "not_selected");
  packet.about.captured = 20;
  EXPECT_EQ(decoded(packet.packet()), "not_selected");
  packet.about.link = Link::unsupported;
  EXPECT_EQ(decoded(packet.packet()), "not_selected");
}

TEST(Link, null_has_address_families_of_every_system_in_either_byte_order) {
  for (const unsigned family : {10, 24, 28, 30}) {
    const auto host_order = udp(v6).over(Link::null).announced_as(family);
    EXPECT_EQ(decoded(host_order), as_built(udp(v6))) << family;
    EXPECT_EQ(decoded(host_order.poke(0, 0).poke(3, family)), as_built(udp(v6))) << family;
    EXPECT_EQ(decoded(udp(v6).over(Link::loop).announced_as(family)), as_built(udp(v6))) << family;
  }
  EXPECT_EQ(decoded(udp(v4).over(Link::null).poke(0, 0).poke(3, 2)), as_built(udp(v4)));
  EXPECT_EQ(decoded(udp(v4).over(Link::null).announced_as(7)), "not_ip");
  const auto with_ethertype = udp(v4).over(Link::null).poke(0, 0x0f).poke(1, 0).poke(2, 0x08).poke(3, 0);
  EXPECT_EQ(decoded(with_ethertype), as_built(udp(v4))) << "as some loopback devices write it";
  EXPECT_EQ(decoded(with_ethertype.poke(2, 0x09)), "not_ip");
  EXPECT_EQ(decoded(udp(v4).over(Link::loop).poke(0, 2).poke(3, 0)), "not_ip") << "LOOP is in network order only";
}

TEST(Link, a_cooked_protocol_field_is_an_ethertype_of_most_devices_only) {
  constexpr unsigned ppp = 512, frame_relay = 770, gre = 778, radiotap = 803, netlink = 824;
  for (const auto link : {Link::sll, Link::sll2}) {
    for (const auto device : {ppp, gre}) EXPECT_EQ(decoded(tcp(v4).over(link).device(device)), as_built(tcp(v4)));
    for (const auto device : {frame_relay, radiotap, netlink})
      EXPECT_EQ(decoded(tcp(v4).over(link).device(device)), "not_ip") << device;
    EXPECT_EQ(decoded(tcp(v4).over(link).announced_as(4)), "not_ip") << "802.2 LLC";
  }
}

TEST(Link, the_outermost_of_any_number_of_tags_is_the_vlan) {
  EXPECT_EQ(decoded(tcp(v4).vlan(4095)), as_built(tcp(v4).vlan(4095)));
  EXPECT_EQ(decoded(tcp(v4).vlan(0xe005)), as_built(tcp(v4).vlan(5))) << "priority bits do not count";
  EXPECT_EQ(decoded(tcp(v4).service_vlan(7).vlan(8)), as_built(tcp(v4).vlan(7)));
  EXPECT_EQ(decoded(tcp(v4).tag(0x9100, 7).tag(0x9200, 8)), as_built(tcp(v4).vlan(7))) << "types of old";
  EXPECT_EQ(decoded(tcp(v4).vlan(0).vlan(8)), as_built(tcp(v4))) << "a priority tag is a tag";
  auto deep = udp(v6);
  for (unsigned id = 1; id <= 1000; ++id) deep = deep.vlan(id);
  EXPECT_EQ(decoded(deep), as_built(udp(v6).vlan(1)));
  EXPECT_EQ(decoded(udp(v6).over(Link::sll).vlan(9)), as_built(udp(v6).vlan(9)));
}

TEST(Link, labels_lead_to_ip_by_its_first_four_bits) {
  EXPECT_EQ(decoded(tcp(v4).mpls(16)), as_built(tcp(v4)));
  EXPECT_EQ(decoded(tcp(v6).vlan(3).mpls(16).mpls(17).mpls(18)), as_built(tcp(v6).vlan(3)));
  EXPECT_EQ(decoded(tcp(v4).mpls(16).poke(12, 0x88).poke(13, 0x48)), as_built(tcp(v4))) << "multicast";
  EXPECT_EQ(decoded(tcp(v4).mpls(16).poke(18, 0x00)), "not_ip") << "a pseudowire of something else";
  EXPECT_EQ(decoded(tcp(v4).mpls(16).poke(18, 0x55)), "not_ip");
  auto deep = udp(v4);
  for (unsigned label = 1; label <= 1000; ++label) deep = deep.mpls(label);
  EXPECT_EQ(decoded(deep), as_built(udp(v4)));
}

TEST(Link, a_pppoe_session_leads_to_ip_and_labels) {
  EXPECT_EQ(decoded(tcp(v4).pppoe()), as_built(tcp(v4)));
  EXPECT_EQ(decoded(tcp(v6).vlan(7).vlan(8).pppoe()), as_built(tcp(v6).vlan(7)));
  EXPECT_EQ(decoded(tcp(v4).pppoe_compressed()), as_built(tcp(v4)));
  EXPECT_EQ(decoded(tcp(v6).pppoe_compressed()), as_built(tcp(v6)));
  EXPECT_EQ(decoded(tcp(v6).pppoe().mpls(5)), as_built(tcp(v6)));
  EXPECT_EQ(decoded(tcp(v4).pppoe().mpls(5).poke(21, 0x83)), as_built(tcp(v4))) << "multicast";
  EXPECT_EQ(decoded(tcp(v4).pppoe().poke(18, 0).poke(19, 0)), as_built(tcp(v4))) << "its length is not looked at";
}

TEST(Link, pppoe_that_is_no_session_data_of_version_1_is_not_ip) {
  constexpr unsigned ipcp = 0x8021, lcp = 0xc021;
  EXPECT_EQ(decoded(tcp(v4).pppoe().poke(14, 0x21)), "not_ip");
  EXPECT_EQ(decoded(tcp(v4).pppoe().poke(15, 0x09)), "not_ip");
  EXPECT_EQ(decoded(tcp(v4).pppoe().announced_as(ipcp)), "not_ip");
  EXPECT_EQ(decoded(tcp(v4).pppoe().announced_as(lcp)), "not_ip");
  EXPECT_EQ(decoded(tcp(v4).pppoe_compressed().announced_as(0xff)), "not_ip");
}

TEST(Link, whatever_else_a_frame_announces_is_not_ip) {
  constexpr unsigned llc = 60, arp = 0x0806, discovery = 0x8863, macsec = 0x88e5;
  for (const auto type : {llc, arp, discovery, macsec, 0x0801u, 0x86ddu ^ 0x0100u}) {
    EXPECT_EQ(decoded(tcp(v4).announced_as(type)), "not_ip") << type;
    EXPECT_EQ(decoded(tcp(v4).vlan(5).announced_as(type)), "not_ip") << type;
  }
}

using test::decoded;
std::string decoded(const frames::Captured& captured) { return decoded(captured.packet()); }

TEST(Link, a_pseudowire_is_known_by_a_type_that_leads_on_with_or_without_a_control_word) {
  for (const unsigned first_octet : {0x00, 0x02, 0x10, 0xf0})
    for (const bool control_word : {false, true}) {
      auto plain = Stack{tcp(v4)}.frame(first_octet).pseudowire(16, control_word).label(17);
      EXPECT_EQ(decoded(plain.over(Link::ethernet)), as_built(tcp(v4))) << first_octet << control_word;
      auto tagged = Stack{tcp(v4)}.tag(0x8100, 5).frame(first_octet).pseudowire(16, control_word);
      EXPECT_EQ(decoded(tagged.over(Link::ethernet)), as_built(tcp(v4).vlan(5))) << first_octet << control_word;
    }
  auto like_ip = Stack{tcp(v4)}.frame(0x40).pseudowire(16, false).over(Link::ethernet);
  EXPECT_EQ(decoded(like_ip).substr(0, 9), "malformed") << "an address that begins with 4 is taken for IP";
  auto associated_channel = Stack{tcp(v4)}.frame().pseudowire(16, true).over(Link::ethernet);
  associated_channel.bytes.at(18) = std::byte{0x10};
  EXPECT_EQ(decoded(associated_channel), "not_ip");
}

TEST(Link, frames_are_followed_into_frames_eight_deep) {
  auto stack = Stack{tcp(v4)};
  for (int depth = 0; depth <= 9; ++depth) {
    auto whole = stack;
    const auto answer = decoded(whole.over(Link::ethernet));
    EXPECT_EQ(answer, depth <= 8 ? as_built(tcp(v4)) : "not_ip") << depth;
    stack.frame().backbone(7);
  }
}

TEST(Link, wireless_frames_that_are_no_plain_data_are_not_ip) {
  const auto with = [](std::size_t at, unsigned value) {
    auto captured = Stack{tcp(v4)}.over(Link::ieee802_11);
    captured.bytes.at(at) = static_cast<std::byte>(value);
    return decoded(captured);
  };
  EXPECT_EQ(with(0, 0x88), as_built(tcp(v4)));
  EXPECT_EQ(with(0, 0x80), "not_ip") << "a beacon";
  EXPECT_EQ(with(0, 0xc8), "not_ip") << "no data";
  EXPECT_EQ(with(0, 0x89), "not_ip") << "another version";
  EXPECT_EQ(with(1, 0x41), "not_ip") << "encrypted";
  EXPECT_EQ(with(22, 0x01), "not_ip") << "a later part of a fragment";
  EXPECT_EQ(with(24, 0x80), "not_ip") << "several frames in one";
}

TEST(Link, radiotap_tells_of_padding_and_of_a_check_sequence) {
  const auto announced = [](unsigned flags, std::size_t padding, bool check_sequence) {
    auto captured = Stack{tcp(v4).ip_length(0).payload(9)}.over(Link::ieee802_11_radiotap);
    captured.bytes.at(16) = static_cast<std::byte>(flags);
    captured.bytes.insert(captured.bytes.begin() + 18 + 26, padding, std::byte{});
    captured.bytes.insert(captured.bytes.end(), check_sequence ? 4 : 0, std::byte{0xfc});
    captured.about.captured = captured.about.wire = static_cast<std::uint32_t>(captured.bytes.size());
    return decoded(captured);
  };
  const auto wanted = as_built(tcp(v4).ip_length(0).payload(9));
  EXPECT_EQ(announced(0x00, 0, false), wanted);
  EXPECT_EQ(announced(0x10, 0, true), wanted);
  EXPECT_EQ(announced(0x20, 2, false), wanted);
  EXPECT_EQ(announced(0x30, 2, true), wanted);
  EXPECT_EQ(announced(0x20, 0, false), "not_ip");
}

TEST(Link, frame_relay_has_addresses_of_two_to_four_octets_and_ciscos_own_form) {
  const auto relayed = [](std::initializer_list<unsigned> front) {
    auto captured = Stack{tcp(v4)}.over(Link::raw);
    std::size_t at = 0;
    for (const auto octet : front)
      captured.bytes.insert(captured.bytes.begin() + static_cast<std::ptrdiff_t>(at++), static_cast<std::byte>(octet));
    captured.about.captured = captured.about.wire = static_cast<std::uint32_t>(captured.bytes.size());
    captured.about.link = Link::frelay;
    return decoded(captured);
  };
  const auto wanted = as_built(tcp(v4));
  EXPECT_EQ(relayed({0x18, 0x41, 0x03, 0xcc}), wanted);
  EXPECT_EQ(relayed({0x18, 0x40, 0x01, 0x03, 0xcc}), wanted);
  EXPECT_EQ(relayed({0x18, 0x40, 0x00, 0x01, 0x03, 0xcc}), wanted);
  EXPECT_EQ(relayed({0x18, 0x40, 0x00, 0x00, 0x01, 0x03, 0xcc}), "not_ip");
  EXPECT_EQ(relayed({0x19, 0x03, 0xcc}), "not_ip");
  EXPECT_EQ(relayed({0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 0x08, 0x00}), wanted);
  EXPECT_EQ(relayed({0x18, 0x41, 0x08, 0x00}), wanted) << "Cisco's";
  EXPECT_EQ(relayed({0x18, 0x41, 0x03, 0xcf, 0x00, 0x21}), wanted) << "PPP, RFC 1973";
  EXPECT_EQ(relayed({0x18, 0x41, 0x03, 0x81}), "not_ip") << "CLNP";
}

TEST(Link, ip_of_another_version_than_announced_is_malformed_and_by_nibble_not_ip) {
  for (const auto link : {Link::ethernet, Link::null, Link::loop, Link::sll, Link::sll2, Link::ipv4}) {
    const auto ip = tcp(v4).over(link).payload(40);
    EXPECT_EQ(decoded(ip.poke(ip.ip_offset(), 0x65)), "malformed_ip_version");
    EXPECT_EQ(decoded(ip.poke(ip.ip_offset(), 0x05)), "malformed_ip_version");
  }
  for (const auto& ip : {tcp(v6), tcp(v6).pppoe(), tcp(v6).over(Link::ipv6)})
    EXPECT_EQ(decoded(ip.poke(ip.ip_offset(), 0x45)), "malformed_ip_version");
  for (const unsigned other : {0x05, 0x55, 0x75, 0xf5}) {
    EXPECT_EQ(decoded(tcp(v4).over(Link::raw).poke(0, other)), "not_ip");
    EXPECT_EQ(decoded(tcp(v4).mpls(3).poke(18, other)), "not_ip");
  }
}

TEST(Link, a_frame_that_ends_where_ip_would_begin_is_malformed_at_the_ip_header) {
  for (const auto& frame : {tcp(v4), tcp(v6).vlan(1), tcp(v4).mpls(3), tcp(v4).pppoe(), tcp(v4).over(Link::raw)})
    EXPECT_EQ(decoded(frame.ends_at(frame.ip_offset())), "malformed_ip_header");
}

}  // namespace
}  // namespace weir::test
