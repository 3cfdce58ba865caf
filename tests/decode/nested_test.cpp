// SPDX-License-Identifier: BSD-3-Clause
// Every combination of headers, by a generator that knows what it put there.
#include <gtest/gtest.h>

#include <set>

#include "decode/check.hpp"
#include "support/random_stack.hpp"

namespace weir::test {
namespace {

/// Of a packet's Details the groups that its innermost packet does not fill.
Details without_ip(Details details) {
  const auto has = static_cast<std::uint16_t>(details.has & ~(Details::tcp | Details::igmp | Details::fragmented));
  Details kept = details;
  kept.has = has;
  kept.identification = kept.flow_label = kept.ipv4_options = kept.ipv6_extensions = 0;
  kept.fragment_offset = kept.fragment_flags = kept.ip_header_octets = kept.next_header = kept.igmp_type = 0;
  kept.tcp_header_octets = kept.tcp_window_scale = 0;
  kept.tcp_sequence = kept.tcp_acknowledgement = 0;
  kept.tcp_options = kept.payload_octets = 0;
  kept.tcp_window = kept.tcp_urgent = kept.tcp_mss = kept.udp_octets = 0;
  kept.payload_at = kept.payload_captured = 0;
  return kept;
}

TEST(Nested, any_stack_of_headers_is_read_down_to_its_innermost_packet) {
  constexpr int rounds = 50'000;
  RandomStack random{20261127};
  std::set<Tunnel> tunnels;
  std::set<Link> links;
  for (int i = 0; i < rounds; ++i) {
    auto stack = random.with_tunnels(static_cast<unsigned>(i % 9));
    const auto captured = random.over_any_link(stack);
    const auto full = decode_full(captured.packet(), decode::Tunnels::inner);
    ASSERT_EQ(text_of(full.outcome, full.headers), text_of(Outcome::metered, stack.headers()))
        << "round " << i << " " << text_of(stack.details());
    ASSERT_EQ(text_of(without_ip(full.details)), text_of(stack.details())) << "round " << i;
    ASSERT_EQ(full.details.tunnel_depth, i % 9);
    ASSERT_EQ(disagreement(captured.packet(), decode::Tunnels::outer), "") << "round " << i;
    ASSERT_EQ(disagreement(captured.packet(), decode::Tunnels::inner), "") << "round " << i;
    tunnels.insert(full.details.tunnel);
    links.insert(captured.about.link);
  }
  EXPECT_EQ(tunnels.size(), 18u - 2u) << "all but NSH, which is a shim, and ESP, which nobody can read";
  EXPECT_EQ(links.size(), 12u);
}

TEST(Nested, what_is_deeper_than_the_bound_is_metered_there_and_noted) {
  RandomStack random{7};
  for (int i = 0; i < 2000; ++i) {
    auto stack = random.with_tunnels(9);
    const auto captured = random.over_any_link(stack);
    const auto full = decode_full(captured.packet(), decode::Tunnels::inner);
    ASSERT_EQ(full.outcome, Outcome::metered);
    EXPECT_EQ(full.details.tunnel_depth, 8);
    EXPECT_EQ(full.headers.notes, note_bit(Note::nested_too_deep));
    EXPECT_EQ(disagreement(captured.packet(), decode::Tunnels::inner), "");
  }
}

TEST(Nested, a_stack_cut_anywhere_is_metered_at_the_innermost_packet_that_is_whole_enough) {
  RandomStack random{11};
  for (int i = 0; i < 300; ++i) {
    auto stack = random.with_tunnels(static_cast<unsigned>(i % 5));
    auto captured = random.over_any_link(stack);
    auto packet = captured.packet();
    int depth = 0;
    for (std::uint32_t size = 0; size <= captured.bytes.size(); ++size) {
      packet.captured = size;
      for (const std::uint32_t wire : {size, captured.about.wire}) {
        packet.wire = wire;
        ASSERT_EQ(disagreement(packet, decode::Tunnels::inner), "") << "round " << i << ", " << size << " octets";
      }
      const auto full = decode_full(packet, decode::Tunnels::inner);
      if (full.outcome != Outcome::metered) continue;
      EXPECT_GE(full.details.tunnel_depth, depth) << "more octets never hide what was seen";
      depth = full.details.tunnel_depth;
    }
    EXPECT_EQ(depth, i % 5);
  }
}

}  // namespace
}  // namespace weir::test
