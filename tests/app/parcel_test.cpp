// SPDX-License-Identifier: BSD-3-Clause
#include "app/parcel.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "app/brief_decoding.hpp"
#include "flow/layout.hpp"
#include "support/packet_builder.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using test::frames::tcp, test::frames::udp;

bool same_octets(const auto& one, const auto& other) {
  return one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size_bytes()) == 0;
}

TEST(Parcel, gets_from_the_straight_road_what_decoded_headers_would_put_down) {
  const auto four = "192.0.2.1:49152 > 198.51.100.7:53", six = "[2001:db8::1]:49152 > [2001:db8:ff::2]:443";
  std::size_t straight = 0;
  for (const auto& frame :
       {tcp(four).ack().ttl(3).tos(0xb9), tcp(four).flags(0xfff).payload(1400), udp(four).payload(37), udp(four),
        tcp(six).syn().ttl(255).tos(0xfc), udp(six).payload(100), tcp(six).ack().payload(1000), tcp(four).vlan(5),
        tcp(four).options(12), udp(six).hop_by_hop(), test::frames::Frame{protocol::icmp, "10.0.0.1 > 10.0.0.2"}}) {
    const auto captured = frame.captured();
    auto packet = captured.packet();
    packet.stamp = Instant{1s + 7ns};
    packet.clock = Instant{2s};
    packet.interface = 0x1234;
    Parcel fast{4, false, true}, slow{4, false, true};
    PacketTallies tallies;
    Headers headers;
    ASSERT_EQ(decode::decode(packet, headers), Outcome::metered);
    slow.put_briefly(headers, packet);
    decode_briefly({&packet, 1}, ToOne{fast}, tallies,
                   [&](std::size_t) { put_down(packet, headers, nullptr, true, fast); });
    straight += tallies.received.packets;
    EXPECT_TRUE(same_octets(fast.those_brief().fours, slow.those_brief().fours));
    EXPECT_TRUE(same_octets(fast.those_brief().sixes, slow.those_brief().sixes));
    EXPECT_EQ(fast.those_brief().size(), 1u);
  }
  EXPECT_EQ(straight, 6u);  // short UDP, a tag, options, extension headers and ICMP are not
}

/// Remembers in which order packets came, by their stamps.
class Remembers final : public flow::Meter {
 public:
  void add(Burst packets, std::span<const Headers>, std::span<const Details>, std::span<const std::uint16_t> which,
           flow::Ended&) noexcept override {
    for (const auto i : which) came.push_back(packets[i].stamp);
  }
  void add_brief(const flow::BriefPackets& packets, flow::Ended&) noexcept override { brief += packets.size(); }
  void expire(Instant, flow::Ended&) noexcept override {}
  bool finish(Instant, flow::Ended&) noexcept override { return true; }
  bool end_all(Instant, std::size_t, flow::Ended&) noexcept override { return true; }
  bool set_timeouts(const flow::MeterOptions&) noexcept override { return true; }
  bool look(flow::TableCursor&, std::size_t, flow::FlowVisitor&) const noexcept override { return true; }
  Totals in_table() const noexcept override { return {}; }
  std::size_t live() const noexcept override { return 0; }
  void touch() noexcept override {}
  bool grows_soon() const noexcept override { return false; }
  void grow_ahead() noexcept override {}

  std::vector<Instant> came;
  std::size_t brief = 0;
};

TEST(Parcel, gives_all_packets_in_order_where_there_are_fragments_and_else_all_of_them_briefly) {
  const auto layouts = flow::make_layouts({});
  flow::Ended ended{4096, layouts[0], layouts[1]};
  std::mt19937 random{1};
  for (unsigned round = 0; round < 200; ++round) {
    constexpr std::size_t most = 100;
    Parcel parcel{most, false, true};
    Remembers meter;
    flow::Fragments fragments{{}, meter};
    const std::size_t count = random() % (most + 1), fragments_of_ten = round % 4;
    std::vector<Instant> went;
    bool any = false;
    for (std::size_t i = 0; i < count; ++i) {
      Packet packet;
      packet.stamp = packet.clock = Instant{nanoseconds{i}};
      const bool fragment = random() % 10 < fragments_of_ten;
      const Headers headers{.version = random() % 2 ? IpVersion::v4 : IpVersion::v6,
                            .fragment = fragment ? Fragment::first : Fragment::none,
                            .fragment_id = static_cast<std::uint32_t>(i)};
      put_down(packet, headers, nullptr, true, parcel);
      went.push_back(packet.stamp);
      any |= fragment;
    }
    parcel.meter(fragments, Instant{1us}, ended);
    EXPECT_EQ(meter.came, any ? went : std::vector<Instant>{});
    EXPECT_EQ(meter.brief, any ? 0 : count);
  }
}

TEST(BriefPackets, are_taken_a_burst_of_each_family_at_most_and_none_long_before_one_that_came_earlier) {
  std::mt19937 random{2};
  for (unsigned round = 0; round < 200; ++round) {
    std::vector<flow::BriefIpv4> fours;
    std::vector<flow::BriefIpv6> sixes;
    std::vector<std::uint16_t> before;
    const auto sixes_of_ten = round % 11;
    std::vector<std::size_t> place_of_four, place_of_six;
    for (std::size_t i = 0; i < 500; ++i) {
      if (random() % 10 < sixes_of_ten) {
        sixes.emplace_back();
        before.push_back(static_cast<std::uint16_t>(fours.size()));
        place_of_six.push_back(i);
      } else {
        fours.emplace_back();
        place_of_four.push_back(i);
      }
    }
    flow::BriefPackets left{fours, sixes, before};
    std::size_t four = 0, six = 0;
    while (left.size() > 0) {
      const auto taken = left.take_burst();
      ASSERT_GT(taken.size(), 0u);
      ASSERT_LE(taken.fours.size(), burst_size);
      ASSERT_LE(taken.sixes.size(), burst_size);
      four += taken.fours.size();
      six += taken.sixes.size();
      if (six > 0 && four < fours.size()) {
        EXPECT_LT(place_of_six[six - 1], place_of_four[four]);
      }
      if (four > 0 && six < sixes.size()) {
        EXPECT_LT(place_of_four[four - 1], place_of_six[six]);
      }
    }
    EXPECT_EQ(four, fours.size());
    EXPECT_EQ(six, sixes.size());
  }
}

}  // namespace
}  // namespace weir::app
