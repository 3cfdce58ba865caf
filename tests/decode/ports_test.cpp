// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "decode/check.hpp"

namespace weir::test {
namespace {

using frames::dccp, frames::icmp, frames::ip, frames::sctp, frames::tcp, frames::udp, frames::udp_lite;

constexpr auto there = "10.0.0.1:1000 > 10.0.0.2:80";
constexpr std::size_t transport_at = 14 + 20;

TEST(Ports, five_protocols_have_them_over_either_version) {
  for (const auto* from_to : {there, "[::1]:1000 > [::2]:80"})
    for (const auto& packet : {tcp(from_to), udp(from_to), udp_lite(from_to), sctp(from_to), dccp(from_to)}) {
      EXPECT_EQ(decoded(packet), as_built(packet));
      EXPECT_NE(decoded(packet).find(" ports 1000 80"), std::string::npos);
    }
}

TEST(Ports, icmp_has_type_and_code_over_its_own_version_only) {
  EXPECT_NE(decoded(icmp("10.0.0.1 > 10.0.0.2").icmp_type_code(3, 4)).find("protocol 1 ports 0 772"),
            std::string::npos);
  EXPECT_NE(decoded(icmp("[::1] > [::2]").icmp_type_code(135, 1)).find("protocol 58 ports 0 34561"), std::string::npos);
  const auto v4_over_v6 = ip(protocol::icmp, "[::1] > [::2]").icmp_type_code(8, 1).payload(8);
  EXPECT_EQ(decoded(v4_over_v6), as_built(v4_over_v6));
  const auto v6_over_v4 = ip(protocol::icmpv6, "10.0.0.1 > 10.0.0.2").icmp_type_code(128, 1).payload(8);
  EXPECT_EQ(decoded(v6_over_v4), as_built(v6_over_v4));
}

TEST(Ports, tcp_flags_count_where_they_are_there) {
  const auto packet = tcp(there).flags(0xa55).payload(6);
  for (std::size_t octets = 4; octets <= 20; ++octets) {
    const auto flags = octets < 14 ? " flags 0 " : " flags 2645 ";
    const auto in_the_packet = packet.ip_length(static_cast<unsigned>(20 + octets));
    for (const auto& shorter :
         {packet.captured_to(transport_at + octets), packet.ends_at(transport_at + octets), in_the_packet})
      EXPECT_NE(decoded(shorter).find(flags), std::string::npos) << octets << ": " << decoded(shorter);
  }
}

TEST(Ports, what_the_ip_length_excludes_is_not_read_though_it_was_captured) {
  EXPECT_EQ(decoded(udp(there).ip_length(23).payload(60)), "malformed_transport");
  EXPECT_EQ(decoded(udp(there).ip_length(24).payload(60)), as_built(udp(there).ip_length(24).payload(60)));
  EXPECT_EQ(decoded(udp(there).ip_length(20).payload(60).captured_to(50)), "malformed_transport")
      << "they were captured";
  EXPECT_EQ(decoded(icmp("10.0.0.1 > 10.0.0.2").ip_length(21)), "malformed_transport");
}

TEST(Ports, what_the_capture_cut_off_is_truncated_even_behind_the_ip_length) {
  EXPECT_EQ(decoded(udp(there).ip_length(20).captured_to(transport_at + 3)), "truncated");
  EXPECT_EQ(decoded(udp(there).ip_length(20).ends_at(transport_at + 3)), "malformed_transport");
  EXPECT_EQ(decoded(icmp("10.0.0.1 > 10.0.0.2").captured_to(transport_at + 1)), "truncated");
}

}  // namespace
}  // namespace weir::test
