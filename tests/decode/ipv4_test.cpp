// SPDX-License-Identifier: BSD-3-Clause
#include "decode/ipv4.hpp"
#include "support/address.hpp"

#include <gtest/gtest.h>

#include "decode/check.hpp"

namespace weir::test {
namespace {

using frames::icmp, frames::ip, frames::tcp, frames::udp;

constexpr auto there = "10.0.0.1:1000 > 10.0.0.2:80";
constexpr std::size_t ip_at = 14;

static_assert([] {  // a packet cut short anywhere is truncated, never misread
  std::array<std::byte, 24> packet{std::byte{0x45}, std::byte{}, std::byte{}, std::byte{24}};
  packet[9] = std::byte{protocol::udp};
  for (std::size_t size = 0; size < packet.size(); ++size) {
    Headers headers;
    const decode::Frame frame{Bytes{packet}.first(size), packet.size()};
    if (decode::decode_ipv4(frame, headers) != Outcome::truncated) return false;
  }
  return true;
}());

TEST(Ipv4, every_field_is_read_from_its_place) {
  const auto headers = headers_of(udp("192.0.2.1:49152 > 198.51.100.7:53").tos(0xb9).ttl(3).payload(37));
  EXPECT_EQ(test::padded(headers.source()),
            (std::array<std::byte, 16>{std::byte{192}, std::byte{0}, std::byte{2}, std::byte{1}}));
  EXPECT_EQ(test::padded(headers.destination()),
            (std::array<std::byte, 16>{std::byte{198}, std::byte{51}, std::byte{100}, std::byte{7}}));
  EXPECT_EQ(headers.source_port, 49152);
  EXPECT_EQ(headers.destination_port, 53);
  EXPECT_EQ(headers.octets, 20u + 8u + 37u);
  EXPECT_EQ(headers.protocol, 17);
  EXPECT_EQ(headers.tos, 0xb9);
  EXPECT_EQ(headers.ttl, 3);
  EXPECT_EQ(headers.version, IpVersion::v4);
  EXPECT_EQ(headers.vlan | headers.tcp_flags | headers.notes, 0);
}

TEST(Ipv4, a_header_length_below_five_words_or_beyond_the_ip_length_is_malformed) {
  for (unsigned words = 0; words < 5; ++words)
    EXPECT_EQ(decoded(tcp(there).poke(ip_at, 0x40 | words)), "malformed_ip_header");
  EXPECT_EQ(decoded(tcp(there).ip_length(19)), "malformed_ip_length");
  EXPECT_EQ(decoded(tcp(there).options(8).ip_length(27)), "malformed_ip_length");
  EXPECT_EQ(decoded(ip(47, there).options(8).ip_length(27).captured_to(40)), "malformed_ip_length");
  EXPECT_EQ(decoded(ip(47, there).ip_length(20)), as_built(ip(47, there).ip_length(20)));
}

TEST(Ipv4, ports_follow_the_options) {
  for (std::size_t octets = 4; octets <= 40; octets += 4)
    EXPECT_EQ(decoded(tcp(there).options(octets).syn()), as_built(tcp(there).options(octets).syn()));
}

TEST(Ipv4, options_may_be_missing_where_no_ports_are_wanted) {
  constexpr std::uint8_t gre = 47;
  const auto portless = ip(gre, "10.0.0.1 > 10.0.0.2").options(12).payload(8);
  EXPECT_EQ(decoded(portless.captured_to(ip_at + 20)), as_built(portless));
  const auto later = tcp(there).options(12).fragment(8).payload(8);
  EXPECT_EQ(decoded(later.captured_to(ip_at + 20)), as_built(later));
  EXPECT_EQ(decoded(tcp(there).options(12).captured_to(ip_at + 31)), "truncated");
  EXPECT_EQ(decoded(tcp(there).options(12).ends_at(ip_at + 31)), "malformed_ip_header");
  EXPECT_EQ(decoded(tcp(there).options(12).ends_at(ip_at + 32)), "malformed_transport");
}

TEST(Ipv4, total_length_zero_counts_what_was_on_the_wire) {
  const auto segmented = tcp(there).vlan(2).ip_length(0).ack().payload(3000);
  const auto headers = headers_of(segmented.captured_to(60));
  EXPECT_EQ(headers.octets, 20u + 20u + 3000u);
  EXPECT_EQ(headers.notes, note_bit(Note::ip_length_zero));
  EXPECT_EQ(headers.tcp_flags, 0x10);
  EXPECT_EQ(decoded(segmented.ends_at(ip_at + 4 + 23)), "malformed_transport");
  EXPECT_EQ(decoded(ip(47, there).options(40).ip_length(0).ends_at(ip_at + 30)), "malformed_ip_header");
}

TEST(Ipv4, a_length_beyond_the_frame_is_counted_as_claimed_and_noted) {
  const auto beyond = headers_of(udp(there).ip_length(29));
  EXPECT_EQ(beyond.octets, 29u);
  EXPECT_EQ(beyond.notes, note_bit(Note::ip_length_beyond_frame));
  EXPECT_EQ(headers_of(udp(there).ip_length(29).padding(1)).notes, 0) << "the frame has room for it";
  EXPECT_EQ(headers_of(udp(there).payload(1000).captured_to(60)).notes, 0) << "it was on the wire, only not captured";
}

TEST(Ipv4, later_fragments_have_no_ports_and_no_flags) {
  EXPECT_EQ(decoded(tcp(there).fragment(0).syn()), as_built(tcp(there).syn()) + " first 4660")
      << "the first fragment has them, and the identification of all";
  for (const auto& later : {tcp(there).fragment(8).syn(), udp(there).fragment(65528, 0), udp(there).fragment(32768),
                            icmp("1.1.1.1 > 2.2.2.2").fragment(16)}) {
    EXPECT_EQ(decoded(later), as_built(later));
    EXPECT_NE(decoded(later).find(" ports 0 0"), std::string::npos);
    EXPECT_NE(decoded(later).find(" notes 4"), std::string::npos) << decoded(later);
    EXPECT_EQ(decoded(later.ends_at(ip_at + 20)).substr(0, 7), "metered");
  }
}

TEST(Ipv4, a_tunnel_is_a_protocol_by_number) {
  constexpr std::uint8_t ip_in_ip = 4, ipv6 = 41, gre = 47, esp = 50, ah = 51, igmp = 2;
  for (const auto number :
       {ip_in_ip, ipv6, gre, esp, ah, igmp, protocol::hop_by_hop, protocol::ipv6_fragment, protocol::icmpv6}) {
    const auto packet = ip(number, "10.0.0.1 > 10.0.0.2").payload(60);
    EXPECT_EQ(decoded(packet), as_built(packet));
  }
}

}  // namespace
}  // namespace weir::test
