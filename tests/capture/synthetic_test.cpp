// SPDX-License-Identifier: BSD-3-Clause
#include "capture/synthetic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>
#include <weir/bytes.hpp>

namespace weir::capture {
namespace {

/// A frame, read the plain way.
struct Frame {
  bool is_v6, is_tcp, is_syn, is_reply;
  std::uint32_t source, destination, ip_octets, wire, captured;
  std::uint16_t source_port, destination_port;
  Instant stamp;
  friend bool operator==(const Frame&, const Frame&) = default;
};

Frame frame_of(const Packet& packet) {
  const auto* ip = packet.bytes + 14;
  const bool is_v6 = load_be<std::uint16_t>(packet.bytes + 12) == 0x86dd;
  const auto* transport = ip + (is_v6 ? 40 : 20);
  const auto* addresses = is_v6 ? ip + 20 : ip + 12;
  const auto source = load_be<std::uint32_t>(addresses);
  const bool is_tcp = load_be<std::uint8_t>(ip + (is_v6 ? 6 : 9)) == 6;
  return {.is_v6 = is_v6,
          .is_tcp = is_tcp,
          .is_syn = is_tcp && (load_be<std::uint8_t>(transport + 13) & 2) != 0,
          .is_reply = source >> 31 != 0,
          .source = source,
          .destination = load_be<std::uint32_t>(addresses + (is_v6 ? 16 : 4)),
          .ip_octets = is_v6 ? load_be<std::uint16_t>(ip + 4) + 40u : load_be<std::uint16_t>(ip + 2),
          .wire = packet.wire,
          .captured = packet.captured,
          .source_port = load_be<std::uint16_t>(transport),
          .destination_port = load_be<std::uint16_t>(transport + 2),
          .stamp = packet.stamp};
}

std::vector<Frame> receive_all(SyntheticTraffic& traffic) {
  std::vector<Frame> frames;
  for (;;) {
    const auto packets = traffic.receive();
    if (packets.empty()) return frames;
    for (const auto& packet : packets) frames.push_back(frame_of(packet));
  }
}

std::vector<Frame> stretch(const SyntheticOptions& options) {
  SyntheticTraffic traffic{options};
  traffic.make();
  return receive_all(traffic);
}

double share(const std::vector<Frame>& frames, auto what) {
  return static_cast<double>(std::ranges::count_if(frames, what)) / static_cast<double>(frames.size());
}

constexpr SyntheticOptions some{.flows = 1000, .packets = 50'000};

SyntheticOptions with(auto change) {
  auto options = some;
  change(options);
  return options;
}

TEST(SyntheticTraffic, is_the_same_from_the_same_seed_and_another_from_another) {
  EXPECT_EQ(stretch(some), stretch(some));
  EXPECT_NE(stretch(some), stretch(with([](auto& o) { o.seed = 2; })));
}

TEST(SyntheticTraffic, goes_on_where_the_last_stretch_ended) {
  SyntheticTraffic traffic{some};
  traffic.make();
  const auto first = receive_all(traffic);
  traffic.make();
  const auto second = receive_all(traffic);
  EXPECT_EQ(first.size(), some.packets);
  EXPECT_EQ(second.size(), some.packets);
  EXPECT_NE(first, second);
  EXPECT_GE(second.front().stamp, first.back().stamp);
  EXPECT_EQ(traffic.sums().packets, 2 * some.packets);
}

TEST(SyntheticTraffic, says_what_it_made_by_flow) {
  SyntheticTraffic traffic{
      with([](auto& o) { o.sizes = FrameSizes::imix, o.ipv6_share = 0.3, o.answered_share = 0.8, o.new_share = 0.1; })};
  FlowSums sums;
  std::set<std::uint32_t> flows;
  std::map<std::uint32_t, std::pair<std::uint16_t, bool>> natures;
  const auto count = [&](const Frame& frame) {
    const auto flow = traffic.flow_of(frame.source);
    EXPECT_EQ(flow, traffic.flow_of(frame.destination));
    sums.add(flow, 1, frame.ip_octets);
    flows.insert(flow);
    const auto port = frame.is_reply ? frame.destination_port : frame.source_port;
    const auto nature = natures.try_emplace(flow, port, frame.is_v6).first->second;
    EXPECT_EQ(nature, (std::pair{port, frame.is_v6}));
  };
  while (traffic.introduce()) std::ranges::for_each(receive_all(traffic), count);
  EXPECT_EQ(flows.size(), some.flows);
  for (int i = 0; i < 3; ++i) {
    traffic.make();
    std::ranges::for_each(receive_all(traffic), count);
  }
  EXPECT_EQ(sums, traffic.sums());
  EXPECT_EQ(flows.size(), traffic.flows());
  EXPECT_NEAR(static_cast<double>(flows.size()), 1000 + 0.1 * 150'000, 500);
}

TEST(FlowSums, tell_a_packet_that_was_counted_into_another_flow) {
  FlowSums right, wrong;
  for (std::uint32_t flow = 0; flow < 100; ++flow) right.add(flow, 3, 300), wrong.add(flow, 3, 300);
  EXPECT_EQ(right, wrong);
  right.add(7, 1, 64);
  wrong.add(8, 1, 64);
  EXPECT_EQ(right.packets, wrong.packets);
  EXPECT_NE(right, wrong);
}

TEST(SyntheticTraffic, has_the_shares_that_were_asked_for) {
  const auto frames = stretch(with([](auto& o) { o.ipv6_share = 0.25, o.answered_share = 0.6, o.new_share = 0.1; }));
  EXPECT_NEAR(share(frames, [](auto& f) { return f.is_v6; }), 0.25, 0.05);
  EXPECT_NEAR(share(frames, [](auto& f) { return f.is_reply; }), 0.9 * 0.6 / 2, 0.02);
  EXPECT_NEAR(share(frames, [](auto& f) { return f.is_syn; }), 0.09, 0.01);
  EXPECT_NEAR(share(frames, [](auto& f) { return f.is_tcp; }), 0.9, 0.05);
  EXPECT_EQ(share(stretch(some), [](auto& f) { return f.is_v6 || f.is_reply || f.is_syn; }), 0);
}

TEST(SyntheticTraffic, of_a_flood_is_a_syn_of_a_new_flow_each) {
  SyntheticTraffic traffic{with([](auto& o) { o.kind = TrafficKind::syn_flood, o.new_share = 1; })};
  std::set<std::uint32_t> flows;
  for (int i = 0; i < 2; ++i) {
    traffic.make();
    for (const auto& frame : receive_all(traffic)) {
      EXPECT_TRUE(frame.is_syn);
      flows.insert(frame.source);
    }
  }
  EXPECT_EQ(flows.size(), 2 * some.packets);
}

TEST(SyntheticTraffic, has_frames_of_the_lengths_that_were_asked_for) {
  for (const auto& frame : stretch(some)) {
    EXPECT_EQ(frame.wire, 60u);
    EXPECT_EQ(frame.ip_octets, 46u);
  }
  for (const auto& frame : stretch(with([](auto& o) { o.sizes = FrameSizes::octets_1518; })))
    EXPECT_EQ(frame.ip_octets, 1500u);
  std::map<std::uint32_t, double> imix;
  for (const auto& frame : stretch(with([](auto& o) { o.sizes = FrameSizes::imix; }))) ++imix[frame.wire];
  ASSERT_EQ(imix.size(), 3u);
  EXPECT_NEAR(imix[60] / 50'000, 7. / 12, 0.02);
  EXPECT_NEAR(imix[590] / 50'000, 4. / 12, 0.02);
  EXPECT_NEAR(imix[1514] / 50'000, 1. / 12, 0.01);
  EXPECT_NEAR(mean_octets(FrameSizes::imix), 361.8, 0.1);
  for (const auto& frame : stretch(with([](auto& o) { o.ipv6_share = 1; }))) {
    EXPECT_EQ(frame.wire, frame.is_tcp ? 74u : 62u);
    EXPECT_EQ(frame.captured, frame.wire);
  }
}

TEST(SyntheticTraffic, follows_the_law_of_zipf) {
  for (const double skew : {0.8, 1.0, 1.3}) {
    Random random{1};
    const PopularityDraw draw{Popularity::zipf, skew, 100};
    std::vector<double> drawn(100);
    constexpr int draws = 400'000;
    for (int i = 0; i < draws; ++i) ++drawn.at(draw(random));
    double sum = 0;
    for (int n = 1; n <= 100; ++n) sum += std::pow(n, -skew);
    for (int n = 1; n <= 100; ++n) {
      const auto expected = std::pow(n, -skew) / sum * draws;
      EXPECT_NEAR(drawn[static_cast<std::size_t>(n - 1)], expected, 5 * std::sqrt(expected)) << skew << ", " << n;
    }
  }
}

TEST(SyntheticTraffic, tells_the_time_by_its_rate) {
  const auto frames = stretch(with([](auto& o) { o.packets_per_second = 1e6; }));
  EXPECT_NEAR(static_cast<double>((frames.back().stamp - frames.front().stamp).count()), 50e6, 0.3e6);
}

}  // namespace
}  // namespace weir::capture
