// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "decode/check.hpp"

namespace weir::test {
namespace {

using frames::icmp, frames::ip, frames::tcp, frames::udp;

constexpr auto there = "[2001:db8::1]:1000 > [2001:db8::2]:80";
constexpr std::size_t ip_at = 14;

TEST(Ipv6, every_field_is_read_from_its_place) {
  const auto headers = headers_of(tcp("[102:304::f]:49152 > [fe80::1]:53").tos(0xb9).ttl(3).flags(0xfff).payload(37));
  EXPECT_EQ(headers.source()[0], std::byte{1});
  EXPECT_EQ(headers.source()[3], std::byte{4});
  EXPECT_EQ(headers.source()[15], std::byte{15});
  EXPECT_EQ(headers.destination()[0], std::byte{0xfe});
  EXPECT_EQ(headers.destination()[15], std::byte{1});
  EXPECT_EQ(headers.source_port, 49152);
  EXPECT_EQ(headers.destination_port, 53);
  EXPECT_EQ(headers.octets, 40u + 20u + 37u);
  EXPECT_EQ(headers.protocol, 6);
  EXPECT_EQ(headers.tcp_flags, 0xfff);
  EXPECT_EQ(headers.tos, 0xb9);
  EXPECT_EQ(headers.ttl, 3);
  EXPECT_EQ(headers.version, IpVersion::v6);
  EXPECT_EQ(headers.vlan | headers.notes, 0);
}

TEST(Ipv6, extension_headers_are_walked_in_any_order_and_number) {
  for (const auto& packet : {tcp(there).hop_by_hop(), tcp(there).routing(56), udp(there).destination_options(2048),
                             udp(there).authentication(28), icmp("[::1] > [::2]").authentication(12 + 4 * 253),
                             tcp(there).fragment(0), udp(there).destination_options().hop_by_hop(24).routing()})
    EXPECT_EQ(decoded(packet), as_built(packet));
  auto deep = tcp(there).syn();
  for (int i = 0; i < 2000; ++i) deep = i % 2 ? deep.destination_options() : deep.fragment(0);
  EXPECT_EQ(decoded(deep), as_built(deep));
}

TEST(Ipv6, what_is_no_extension_header_is_a_protocol_by_number) {
  constexpr std::uint8_t ip_in_ip = 4, ipv6 = 41, esp = 50, no_next_header = 59, mobility = 135, hip = 139;
  for (const auto number : {ip_in_ip, ipv6, esp, no_next_header, mobility, hip, protocol::icmp}) {
    const auto packet = ip(number, "[::1] > [::2]").hop_by_hop().payload(20);
    EXPECT_EQ(decoded(packet), as_built(packet));
    const auto bare = ip(number, "[::1] > [::2]");
    EXPECT_EQ(decoded(bare), as_built(bare));
  }
}

TEST(Ipv6, an_extension_header_may_end_behind_the_number_of_a_protocol_without_ports) {
  constexpr std::uint8_t esp = 50;
  const auto packet = ip(esp, there).destination_options(24).payload(30);
  EXPECT_EQ(decoded(packet.captured_to(ip_at + 40)), "truncated");
  EXPECT_EQ(decoded(packet.ends_at(ip_at + 40)), "malformed_extension");
  EXPECT_EQ(decoded(packet.ip_length(0)), "malformed_extension");
  for (std::size_t end = ip_at + 41; end <= ip_at + 64; ++end) {
    EXPECT_EQ(decoded(packet.captured_to(end)), as_built(packet));
    EXPECT_EQ(decoded(packet.ends_at(end)), as_built(packet.ends_at(end)));
    const auto shorter = packet.ip_length(static_cast<unsigned>(end - ip_at - 40));
    EXPECT_EQ(decoded(shorter), as_built(shorter));
  }
}

TEST(Ipv6, extension_headers_before_ports_or_another_one_must_be_there_whole) {
  for (const auto& packet :
       {tcp(there).destination_options(24).payload(30), tcp(there).destination_options(24).routing(8).payload(30)})
    for (std::size_t end = ip_at + 40; end < ip_at + 64; ++end) {
      EXPECT_EQ(decoded(packet.captured_to(end)), "truncated");
      EXPECT_EQ(decoded(packet.ends_at(end)), "malformed_extension");
      EXPECT_EQ(decoded(packet.ip_length(static_cast<unsigned>(end - ip_at - 40))), "malformed_extension");
    }
}

TEST(Ipv6, the_protocol_of_a_later_fragment_is_what_its_fragment_header_states) {
  const auto later = udp(there).hop_by_hop().fragment(1232).payload(100).flags(0x3f);
  EXPECT_EQ(decoded(later), as_built(later));
  EXPECT_NE(decoded(later).find("protocol 17 ports 0 0"), std::string::npos);
  const auto options_inside = udp(there).fragment(8).destination_options();
  EXPECT_NE(decoded(options_inside).find("protocol 60 ports 0 0"), std::string::npos);
  EXPECT_EQ(decoded(udp(there).fragment(65528, 0)).substr(0, 7), "metered") << "the last offset there is";
  const auto reserved_bits = udp(there).fragment(0).poke(ip_at + 43, 0x07);
  EXPECT_EQ(decoded(reserved_bits), as_built(udp(there).fragment(0))) << "they are not part of the offset";
  const auto atomic = udp(there).fragment(0, 0);
  EXPECT_EQ(decoded(atomic).find("first"), std::string::npos) << "RFC 6946: it is whole";
  EXPECT_EQ(decoded(atomic), as_built(atomic));
}

TEST(Ipv6, payload_length_zero_means_forty_octets) {
  constexpr std::uint8_t esp = 50;
  EXPECT_EQ(decoded(ip(esp, there).ip_length(0).payload(9)), as_built(ip(esp, there).ip_length(0).payload(9)));
  EXPECT_EQ(decoded(tcp(there).ip_length(0)), "malformed_transport");
  EXPECT_EQ(decoded(tcp(there).ip_length(0).captured_to(ip_at + 43)), "truncated");
  EXPECT_EQ(decoded(tcp(there).hop_by_hop(16).ip_length(0)), "malformed_extension") << "no jumbo option in it";
  EXPECT_EQ(decoded(tcp(there).destination_options().ip_length(0)), "malformed_extension");
}

TEST(Ipv6, a_jumbo_payload_option_states_the_length) {
  const auto jumbo = tcp(there).jumbo().syn().payload(70'000);
  EXPECT_EQ(decoded(jumbo), as_built(jumbo));
  EXPECT_EQ(jumbo.headers().octets, 40u + 8u + 20u + 70'000u);
  EXPECT_EQ(decoded(jumbo.captured_to(ip_at + 40 + 8 + 4)).find("metered"), 0u);
  EXPECT_EQ(decoded(jumbo.captured_to(ip_at + 40 + 7)), "truncated");

  auto largest = jumbo;  // claims nearly 4 GiB
  for (std::size_t i = 0; i < 4; ++i) largest = largest.poke(ip_at + 44 + i, 0xff);
  const auto headers = headers_of(largest);
  EXPECT_EQ(headers.octets, 40u + std::uint64_t{0xffff'ffff});
  EXPECT_EQ(headers.notes, note_bit(Note::ip_length_beyond_frame));
}

TEST(Ipv6, a_jumbo_option_is_found_behind_padding_and_only_where_the_length_is_zero) {
  const auto with_options = [](std::initializer_list<unsigned> options) {
    auto packet = udp(there).hop_by_hop(24).ip_length(0).payload(70'000);
    auto at = ip_at + 42;
    for (const auto octet : options) packet = packet.poke(at++, octet);
    const auto answer = decoded(packet);
    return answer.starts_with("metered") ? std::to_string(headers_of(packet).octets) : answer;
  };
  EXPECT_EQ(with_options({0, 0, 0, 1, 2, 9, 9, 0xc2, 4, 0, 1, 0x11, 0x70}), "70040");
  EXPECT_EQ(with_options({0xc2, 2, 9, 9, 0xc2, 4, 0, 0, 0, 32}), "72") << "length 2 is no jumbo option";
  EXPECT_EQ(with_options({1, 16, 0xc2, 4, 0, 1, 0, 0}), "malformed_extension") << "inside of another option";
  EXPECT_EQ(with_options({1, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc2, 4, 0, 1, 0, 0}), "65576");
  EXPECT_EQ(with_options({1, 255, 0, 0, 0, 0, 0}), "malformed_extension") << "an option beyond the header";

  const auto ordinary = udp(there).hop_by_hop().poke(ip_at + 42, 0xc2).poke(ip_at + 43, 4).poke(ip_at + 45, 9);
  EXPECT_EQ(decoded(ordinary), as_built(udp(there).hop_by_hop())) << "the payload length is not 0";
}

}  // namespace
}  // namespace weir::test
