// SPDX-License-Identifier: BSD-3-Clause
// What is decided of each tunnel; that all of them are read at all, nested_test.cpp shows.
#include <gtest/gtest.h>

#include "decode/check.hpp"
#include "support/stack_builder.hpp"

namespace weir::test {
namespace {

using decode::Tunnels;
using frames::tcp, frames::udp;

constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80";
constexpr auto v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";
constexpr auto outer = "192.0.2.1 > 192.0.2.2";
constexpr std::size_t outer_ip = 14, tunnel_at = outer_ip + 20, behind_udp = tunnel_at + 8;

Stack packet() { return Stack{tcp(v4).syn()}; }
Stack framed() { return packet().frame(); }

/// "TCP of 10.0.0.1" inside, or the outer packet; whatever it is, the slow twin says the same.
bool is_entered(frames::Captured captured) {
  const auto full = decode_full(captured.packet(), Tunnels::inner);
  EXPECT_EQ(disagreement(captured.packet(), Tunnels::inner), "");
  EXPECT_EQ(disagreement(captured.packet(), Tunnels::outer), "");
  EXPECT_EQ(full.outcome, Outcome::metered);
  EXPECT_EQ(full.headers.protocol == protocol::tcp, full.details.tunnel_depth > 0);
  return full.details.tunnel_depth > 0;
}
/// With one octet of the frame changed.
bool is_entered(Stack stack, std::size_t at, unsigned value) {
  auto captured = stack.over(Link::ethernet);
  captured.bytes.at(at) = static_cast<std::byte>(value);
  return is_entered(captured);
}
bool is_entered(Stack stack) { return is_entered(stack.over(Link::ethernet)); }

TEST(Tunnel, is_not_entered_unless_asked_for) {
  for (auto stack : {framed().vxlan(outer, 5), packet().ip_in_ip(outer), packet().gtp(outer, 1)}) {
    const auto captured = stack.over(Link::ethernet);
    const auto full = decode_full(captured.packet(), Tunnels::outer);
    EXPECT_EQ(full.details.tunnel_depth, 0);
    EXPECT_EQ(full.details.tunnel, Tunnel::none);
    EXPECT_EQ(full.headers.source()[0], std::byte{192});
    EXPECT_TRUE(is_entered(captured));
  }
}

TEST(Tunnel, that_holds_nothing_to_read_leaves_the_packet_around_it) {
  auto damaged = packet().ip_in_ip(outer).over(Link::ethernet);
  EXPECT_TRUE(is_entered(damaged));
  damaged.bytes.at(tunnel_at) = std::byte{0x44};
  EXPECT_FALSE(is_entered(damaged)) << "an IP header that is none";
  EXPECT_FALSE(is_entered(Stack{tcp(v4).ip_length(23)}.frame().vxlan(outer, 5))) << "no room for ports";
  auto cut = framed().vxlan(outer, 5).over(Link::ethernet);
  cut.about.captured = 14 + 20 + 8 + 8 + 14 + 20 + 3;
  EXPECT_FALSE(is_entered(cut)) << "ports that were not captured";
  ++cut.about.captured;
  EXPECT_TRUE(is_entered(cut));
}

TEST(Tunnel, an_inner_packet_ends_no_later_than_the_one_around_it) {
  auto stack = Stack{udp(v4).payload(100)}.ip_in_ip(outer).over(Link::ethernet);
  stack.bytes.at(outer_ip + 3) = std::byte{20 + 20 + 8};
  const auto full = decode_full(stack.packet(), Tunnels::inner);
  EXPECT_EQ(full.headers.octets, 128u) << "as claimed";
  EXPECT_EQ(full.headers.notes, note_bit(Note::ip_length_beyond_frame));
  EXPECT_EQ(full.details.payload_octets, 100u);
  EXPECT_EQ(full.details.payload_captured, 0u);
  stack.bytes.at(outer_ip + 3) = std::byte{20 + 20 + 3};
  EXPECT_EQ(decode_full(stack.packet(), Tunnels::inner).details.tunnel_depth, 0) << "the ports are not its own";
}

TEST(Tunnel, fragments_are_not_entered_so_that_all_of_a_packet_are_one_flow) {
  EXPECT_FALSE(is_entered(packet().ip_in_ip(outer), outer_ip + 6, 0x20)) << "the first";
  EXPECT_FALSE(is_entered(packet().ip_in_ip(outer), outer_ip + 7, 0x01)) << "a later one";
  EXPECT_TRUE(is_entered(packet().ip_in_ip(outer), outer_ip + 6, 0x40)) << "one that must not become one";
}

TEST(Tunnel, of_udp_is_known_by_its_destination_port_and_some_by_their_source) {
  const auto with_ports = [](Stack stack, unsigned source, unsigned destination) {
    auto captured = stack.over(Link::ethernet);
    store_be(captured.bytes.data() + tunnel_at, static_cast<std::uint16_t>(source));
    store_be(captured.bytes.data() + tunnel_at + 2, static_cast<std::uint16_t>(destination));
    return is_entered(captured);
  };
  EXPECT_TRUE(with_ports(framed().vxlan(outer, 5), 1, 4789));
  EXPECT_TRUE(with_ports(framed().vxlan(outer, 5), 1, 8472));
  EXPECT_FALSE(with_ports(framed().vxlan(outer, 5), 4789, 1));
  EXPECT_FALSE(with_ports(packet().gtp(outer, 5), 2152, 1));
  EXPECT_TRUE(with_ports(packet().l2tp(outer, 1, 2, true), 1701, 1));
  auto teredo = Stack{tcp(v6)}.teredo(outer, true);
  EXPECT_TRUE(with_ports(teredo, 3544, 1));
  EXPECT_TRUE(with_ports(framed().vxlan(outer, 5), 1701, 4789)) << "the destination goes first";
}

TEST(Tunnel, headers_that_carry_no_packet_of_a_user_are_not_entered) {
  EXPECT_FALSE(is_entered(framed().vxlan(outer, 5), behind_udp, 0x00)) << "VXLAN without a valid identifier";
  EXPECT_FALSE(is_entered(packet().vxlan_gpe(outer, 5), behind_udp, 0x0d)) << "OAM";
  EXPECT_FALSE(is_entered(packet().vxlan_gpe(outer, 5), behind_udp, 0x1c)) << "version 1";
  EXPECT_FALSE(is_entered(packet().geneve(outer, 5), behind_udp + 1, 0x80)) << "control";
  EXPECT_FALSE(is_entered(packet().geneve(outer, 5), behind_udp, 0x40)) << "version 1";
  EXPECT_TRUE(is_entered(packet().geneve(outer, 5), behind_udp + 1, 0x40)) << "critical options";
  EXPECT_FALSE(is_entered(packet().gtp(outer, 5), behind_udp + 1, 254)) << "end marker";
  EXPECT_FALSE(is_entered(packet().gtp(outer, 5), behind_udp, 0x20)) << "GTP'";
  EXPECT_FALSE(is_entered(packet().gtp(outer, 5, false, true), behind_udp + 12, 0)) << "an extension of no length";
  EXPECT_FALSE(is_entered(packet().l2tp(outer, 1, 2, true), behind_udp, 0xca)) << "L2TP control";
  EXPECT_FALSE(is_entered(packet().l2tp_v3(outer, 0, 0, false))) << "L2TPv3 control";
  EXPECT_FALSE(is_entered(packet().gre(outer, false, false, false, 0), tunnel_at + 1, 2)) << "GRE version 2";
  EXPECT_FALSE(is_entered(packet().pptp(outer, 7), tunnel_at, 0x10)) << "PPTP without a key";
  EXPECT_FALSE(is_entered(framed().erspan(outer, 2, 7), tunnel_at + 8, 0x20)) << "type II of another version";
  EXPECT_FALSE(is_entered(framed().erspan(outer, 3, 7), tunnel_at + 18, 0x1c)) << "type III of something else";
}

TEST(Tunnel, an_authentication_header_over_ipv4_is_stepped_over) {
  auto frame = frames::ip(51, "192.0.2.1 > 192.0.2.2").payload(24 + 20).captured();
  const auto tcp_header = tcp(v4).syn().over(Link::raw).bytes();
  std::fill_n(frame.bytes.begin() + tunnel_at, 24, std::byte{});
  frame.bytes.at(tunnel_at) = std::byte{protocol::tcp};
  frame.bytes.at(tunnel_at + 1) = std::byte{4};
  frame.bytes.at(tunnel_at + 7) = std::byte{99};
  std::copy(tcp_header.begin() + 20, tcp_header.end(), frame.bytes.begin() + tunnel_at + 24);
  const auto inner = decode_full(frame.packet(), Tunnels::inner), plain = decode_full(frame.packet(), Tunnels::outer);
  EXPECT_EQ(inner.headers.protocol, protocol::tcp);
  EXPECT_EQ(inner.headers.source_port, 1000);
  EXPECT_EQ(inner.headers.tcp_flags, tcp_flag::syn);
  EXPECT_EQ(inner.details.tunnel_depth, 0) << "no packet is inside of another";
  EXPECT_EQ(plain.headers.protocol, protocol::ah);
  EXPECT_EQ(plain.headers.source_port, 0);
  for (const auto& full : {inner, plain}) EXPECT_EQ(full.details.spi, 99u);
  frame.about.captured = tunnel_at + 24 + 3;
  EXPECT_EQ(decode_full(frame.packet(), Tunnels::inner).headers.protocol, protocol::ah) << "its ports are cut off";
  EXPECT_EQ(disagreement(frame.packet(), Tunnels::inner), "");
}

TEST(Tunnel, l2tp_v3_takes_the_shortest_cookie_behind_which_a_packet_stands) {
  for (const std::size_t cookie : {0u, 4u, 8u, 12u}) {
    EXPECT_TRUE(is_entered(packet().l2tp_v3(outer, 9, cookie, false))) << cookie;
    EXPECT_TRUE(is_entered(framed().l2tp_v3(outer, 9, cookie, true))) << cookie;
  }
  EXPECT_FALSE(is_entered(packet().l2tp_v3(outer, 9, 5, false)));
  EXPECT_FALSE(is_entered(packet().l2tp_v3(outer, 9, 16, false)));
}

TEST(Tunnel, tags_inside_of_it_are_not_the_vlan) {
  auto stack = packet().tag(0x8100, 5).frame().vxlan(outer, 1);
  const auto untagged = stack.over(Link::ethernet);
  EXPECT_EQ(decode_full(untagged.packet(), Tunnels::inner).headers.vlan, 0);
  auto tagged = packet().tag(0x8100, 5).frame().vxlan(outer, 1).tag(0x8100, 6);
  const auto outside = tagged.over(Link::ethernet);
  EXPECT_EQ(decode_full(outside.packet(), Tunnels::inner).headers.vlan, 6);
}

}  // namespace
}  // namespace weir::test
