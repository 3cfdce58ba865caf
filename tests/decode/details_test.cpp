// SPDX-License-Identifier: BSD-3-Clause
// Details of IP and what is behind it, packet by packet; those of links and tunnels are nested_test.cpp's.
#include <gtest/gtest.h>

#include "decode/check.hpp"

namespace weir::test {
namespace {

using frames::icmp, frames::ip, frames::tcp, frames::udp;

constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80";
constexpr auto v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";
constexpr std::size_t ip_at = 14, transport_at = ip_at + 20;

Details details_of(const frames::Frame& frame) {
  const auto captured = frame.captured();
  EXPECT_EQ(disagreement(captured.packet(), decode::Tunnels::outer), "");
  const auto full = decode_full(captured.packet(), decode::Tunnels::outer);
  EXPECT_EQ(full.outcome, Outcome::metered);
  return full.details;
}
frames::Frame with(frames::Frame frame, std::size_t at, std::initializer_list<unsigned> octets) {
  for (const auto octet : octets) frame = frame.poke(at++, octet);
  return frame;
}

TEST(Details, of_an_ethernet_frame_are_addresses_type_and_length) {
  const auto details = details_of(tcp(v4));
  EXPECT_EQ(details.has & Details::macs, Details::macs);
  EXPECT_EQ(details.destination_mac[5], std::byte{0x02});
  EXPECT_EQ(details.source_mac[0], std::byte{0x04});
  EXPECT_EQ(details.ethertype, 0x0800);
  EXPECT_EQ(details.link_octets, 14);
  const auto raw = details_of(tcp(v6).over(Link::raw));
  EXPECT_EQ(raw.has & Details::macs, 0);
  EXPECT_EQ(raw.ethertype, 0x86dd) << "nobody said it, but so it is";
  EXPECT_EQ(raw.link_octets, 0);
}

TEST(Details, of_tags_and_labels_are_kept_from_the_outside_in) {
  const auto tagged = details_of(tcp(v4).service_vlan(0xe007).vlan(8).vlan(9));
  EXPECT_EQ(tagged.vlan_tci, 0xe007);
  EXPECT_EQ(tagged.inner_vlan_tci, 8);
  EXPECT_EQ(tagged.vlan_tags, 3);
  auto frame = tcp(v4);
  for (unsigned label = 1; label <= 300; ++label) frame = frame.mpls(label);
  const auto labelled = details_of(frame);
  EXPECT_EQ(labelled.mpls_depth, 255);
  EXPECT_EQ(labelled.mpls_entries[0] >> 12, 1u);
  EXPECT_EQ(labelled.mpls_entries[9] >> 12, 10u);
  EXPECT_EQ(labelled.ethertype, 0x8847);
}

TEST(Details, of_ipv4_are_identification_flags_and_options_by_number) {
  const auto details = details_of(
      with(tcp(v4).options(12).poke(ip_at + 6, 0x40), ip_at + 20, {0x94, 4, 0, 0, 0x44, 5, 0, 0, 0, 1, 0, 0x83}));
  EXPECT_EQ(details.identification, 0x1234u);
  EXPECT_EQ(details.fragment_flags, 0x40);
  EXPECT_EQ(details.ip_header_octets, 32);
  EXPECT_EQ(details.next_header, 6);
  EXPECT_EQ(details.ipv4_options, 1u << 20 | 1u << 4 | 1u << 1 | 1u << 0) << "nothing counts behind the end of options";
  EXPECT_EQ(details.payload_at, ip_at + 32u + 20u);
}

TEST(Details, of_fragments_say_where_they_belong) {
  const auto later = details_of(udp(v4).fragment(1480, 0).payload(100));
  EXPECT_EQ(later.fragment_offset, 185);
  EXPECT_EQ(later.fragment_flags, 0);
  EXPECT_EQ(later.has & Details::fragmented, Details::fragmented);
  EXPECT_EQ(later.payload_octets, 108u) << "all of it, for its header is elsewhere";
  const auto first = details_of(udp(v6).fragment(0));
  EXPECT_EQ(first.identification, 0x12345678u);
  EXPECT_EQ(first.fragment_flags, 0x20);
  EXPECT_EQ(details_of(udp(v6).fragment(0, 0)).has & Details::fragmented, 0) << "an atomic one is whole";
}

/// IANA's registry, element 64, from erratum 1738 to RFC 5102: 0 DST, 1 HOP, 4 FRA0, 5 RH, 6 FRA1, 12 MOB, 13 ESP, 14
/// AH, 15 PAY. In RFC 5102 itself FRA1 is 1, RH 2, FRA0 3, HOP 6, DST 7.
TEST(Details, of_ipv6_are_its_extension_headers_by_their_bits) {
  EXPECT_EQ(details_of(tcp(v6)).ipv6_extensions, 0u);
  EXPECT_EQ(details_of(tcp(v6).destination_options()).ipv6_extensions, 1u);
  EXPECT_EQ(details_of(tcp(v6).hop_by_hop()).ipv6_extensions, 2u);
  EXPECT_EQ(details_of(tcp(v6).fragment(0)).ipv6_extensions, 16u);
  EXPECT_EQ(details_of(tcp(v6).routing()).ipv6_extensions, 32u);
  EXPECT_EQ(details_of(tcp(v6).fragment(8)).ipv6_extensions, 64u);
  EXPECT_EQ(details_of(ip(135, v6).payload(8)).ipv6_extensions, 1u << 12);
  EXPECT_EQ(details_of(ip(50, v6).hop_by_hop().payload(8)).ipv6_extensions, 1u << 13 | 2u);
  EXPECT_EQ(details_of(tcp(v6).authentication()).ipv6_extensions, 1u << 14);
  EXPECT_EQ(details_of(ip(108, v6).payload(8)).ipv6_extensions, 1u << 15);
  const auto labelled = details_of(with(tcp(v6), ip_at + 1, {0x0a, 0xbc, 0xde}));
  EXPECT_EQ(labelled.flow_label, 0xabcdeu);
}

TEST(Details, of_tcp_are_numbers_window_and_options) {
  auto frame = with(tcp(v4).syn().payload(20), transport_at + 12, {0xa0});
  frame = with(frame, transport_at + 18, {0, 9, 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7});
  const auto details = details_of(frame);
  EXPECT_EQ(details.has & Details::tcp, Details::tcp);
  EXPECT_EQ(details.tcp_sequence, 1u);
  EXPECT_EQ(details.tcp_acknowledgement, 2u);
  EXPECT_EQ(details.tcp_window, 0xffff);
  EXPECT_EQ(details.tcp_urgent, 9);
  EXPECT_EQ(details.tcp_header_octets, 40);
  EXPECT_EQ(details.tcp_mss, 1460);
  EXPECT_EQ(details.tcp_window_scale, 7);
  EXPECT_EQ(details.tcp_options, 1u << 2 | 1u << 4 | 1u << 8 | 1u << 1 | 1u << 3);
  EXPECT_EQ(details.payload_octets, 0u);
  const auto broken = details_of(with(tcp(v4).payload(20), transport_at + 12, {0x40}));
  EXPECT_EQ(broken.payload_octets, 0u) << "nobody knows where it begins";
  const auto option_of_no_length =
      details_of(with(tcp(v4).payload(8), transport_at + 12, {0x60, 0, 0, 0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(option_of_no_length.tcp_options, 1u << 2);
  EXPECT_EQ(option_of_no_length.tcp_mss, 0);
}

TEST(Details, of_what_is_carried_are_its_place_and_length) {
  const auto whole = details_of(udp(v4).vlan(5).payload(100));
  EXPECT_EQ(whole.payload_octets, 100u);
  EXPECT_EQ(whole.payload_at, 18u + 20 + 8);
  EXPECT_EQ(whole.payload_captured, 100u);
  EXPECT_EQ(whole.udp_octets, 108);
  const auto cut = details_of(udp(v4).payload(100).captured_to(transport_at + 8 + 30));
  EXPECT_EQ(cut.payload_octets, 100u);
  EXPECT_EQ(cut.payload_captured, 30u);
  const auto padded = details_of(udp(v4).payload(4).padding(14));
  EXPECT_EQ(padded.payload_captured, 4u);
  EXPECT_EQ(details_of(icmp("10.0.0.1 > 10.0.0.2").payload(56)).payload_octets, 56u);
  EXPECT_EQ(details_of(ip(89, v4).payload(44)).payload_octets, 44u) << "no header that is known";
}

TEST(Details, of_other_protocols_are_an_index_or_a_type) {
  const auto esp = details_of(with(ip(50, v4).payload(20), transport_at, {1, 2, 3, 4}));
  EXPECT_EQ(esp.spi, 0x01020304u);
  EXPECT_EQ(esp.has & Details::ipsec, Details::ipsec);
  const auto igmp = details_of(with(ip(2, v4).payload(8), transport_at, {0x16}));
  EXPECT_EQ(igmp.igmp_type, 0x16);
  EXPECT_EQ(igmp.has & Details::igmp, Details::igmp);
}

}  // namespace
}  // namespace weir::test
