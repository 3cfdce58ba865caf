// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/splits.hpp"

#include <gtest/gtest.h>

#include <set>

#include "flow/layout.hpp"
#include "flow/meter.hpp"
#include "support/allocation_guard.hpp"
#include "support/traffic.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using flow::FlowDirection;
using test::icmp;
using test::Sent;
using test::tcp;
using test::udp;

constexpr Instant start{1'700'000'000s};

/// The canonical keys of the records that a real meter makes of these packets.
std::vector<CanonicalWords> keys_of(const std::vector<Sent>& sent, const flow::MeterOptions& options) {
  const auto layouts = flow::make_layouts(options);
  flow::Ended ended{1000, layouts[0], layouts[1]};
  const auto meter = flow::make_meter(options);
  std::vector<Packet> packets(sent.size());
  std::vector<Headers> headers;
  std::vector<std::uint16_t> which;
  for (const auto& packet : sent) {
    packets[which.size()].stamp = packets[which.size()].clock = packet.clock;
    which.push_back(static_cast<std::uint16_t>(which.size()));
    headers.push_back(packet.headers);
  }
  meter->add(packets, headers, {}, which, ended);
  EXPECT_TRUE(meter->finish(start, ended));
  std::vector<CanonicalWords> keys;
  for (unsigned pool = 0; pool < 2; ++pool)
    for (std::size_t i = 0; i < ended.of(pool).size(); ++i)
      keys.push_back(CanonicalKey{layouts[pool]}(ended.of(pool)[i]));
  return keys;
}

CanonicalWords key_of(const Sent& packet, const flow::MeterOptions& options = {}) {
  const auto keys = keys_of({packet}, options);
  EXPECT_EQ(keys.size(), 1u);
  return keys.at(0);
}

TEST(Splits, a_reload_changes_the_window_in_which_two_workers_split_a_flow) {
  const auto key = key_of(tcp("10.0.0.1:1000 > 10.0.0.2:80"));
  Splits splits{64, 60s, 1};
  splits.observe(key, 0, start);
  splits.set_window(10s);
  splits.observe(key, 1, start + 30s);
  EXPECT_EQ(splits.counts().split, 0u);
  splits.set_window(120s);
  splits.observe(key, 0, start + 130s);
  EXPECT_EQ(splits.counts().split, 1u);
}

struct Both : testing::TestWithParam<FlowDirection> {
  flow::MeterOptions options{.direction = GetParam(), .capacity = 1024};
};
INSTANTIATE_TEST_SUITE_P(, Both, testing::Values(FlowDirection::uniflow, FlowDirection::biflow));

TEST_P(Both, both_directions_of_a_flow_have_one_key) {
  const std::pair<Sent, Sent> ways[] = {
      {tcp("10.0.0.1:1000 > 10.0.0.2:80"), tcp("10.0.0.2:80 > 10.0.0.1:1000")},
      {udp("10.0.0.1:1000 > 10.0.0.1:80"), udp("10.0.0.1:80 > 10.0.0.1:1000")},
      {tcp("[2001:db8::1]:1000 > [2001:db8::2]:80"), tcp("[2001:db8::2]:80 > [2001:db8::1]:1000")},
      {icmp("10.0.0.1 > 10.0.0.2", 8, 0), icmp("10.0.0.2 > 10.0.0.1", 0, 0)},
      {icmp("[::1] > [::2]", 128, 0), icmp("[::2] > [::1]", 129, 0)},
  };
  for (const auto& [there, back] : ways) EXPECT_EQ(key_of(there, options), key_of(back, options));
  options.icmp_in_ports = flow::IcmpInPorts::on;
  EXPECT_EQ(key_of(ways[3].first, options), key_of(ways[3].second, options));
}

TEST_P(Both, a_key_is_the_same_whatever_the_record_counts) {
  const auto plain = key_of(tcp("10.0.0.1:1000 > 10.0.0.2:80"), options);
  EXPECT_EQ(key_of(tcp("10.0.0.1:1000 > 10.0.0.2:80").octets(1500).tos(4).ttl(3).syn().from(7).at(9s), options), plain);
  for (const auto& key : keys_of({tcp("10.0.0.2:80 > 10.0.0.1:1000"), tcp("10.0.0.1:1000 > 10.0.0.2:80")}, options))
    EXPECT_EQ(key, plain);
  options.timeout_active = std::chrono::hours{10'000};  // another layout
  EXPECT_EQ(key_of(tcp("10.0.0.1:1000 > 10.0.0.2:80"), options), plain);
}

TEST_P(Both, flows_that_differ_in_one_field_have_keys_that_differ) {
  const std::set<CanonicalWords> keys{
      key_of(tcp("10.0.0.1:1000 > 10.0.0.2:80"), options),
      key_of(tcp("10.0.0.3:1000 > 10.0.0.2:80"), options),
      key_of(tcp("10.0.0.1:1000 > 10.0.0.3:80"), options),
      key_of(tcp("10.0.0.1:1001 > 10.0.0.2:80"), options),
      key_of(tcp("10.0.0.1:1000 > 10.0.0.2:81"), options),
      key_of(tcp("10.0.0.1:80 > 10.0.0.2:1000"), options),
      key_of(udp("10.0.0.1:1000 > 10.0.0.2:80"), options),
      key_of(tcp("10.0.0.1:1000 > 10.0.0.2:80").vlan(5), options),
      key_of(tcp("[a00:1::]:1000 > [a00:2::]:80"), options),
      key_of(tcp("[a00:1::1]:1000 > [a00:2::]:80"), options),
  };
  EXPECT_EQ(keys.size(), 10u);
}

CanonicalWords key_number(std::uint64_t number) { return {number, 0, 0, 0, 0}; }

struct SplitsTest : testing::Test {
  Splits splits{1024, 60s, 1};
};

TEST_F(SplitsTest, a_key_from_one_worker_alone_is_not_split) {
  for (int i = 0; i < 10; ++i) splits.observe(key_number(1), 3, start + i * 20s);
  splits.observe(key_number(2), 4, start);
  EXPECT_EQ(splits.counts().records, 11u);
  EXPECT_EQ(splits.counts().keys_seen, 2u);
  EXPECT_EQ(splits.counts().split, 0u);
}

TEST_F(SplitsTest, a_key_from_two_workers_within_the_window_is_split_once) {
  for (int i = 0; i < 10; ++i) splits.observe(key_number(1), static_cast<unsigned>(i % 3), start + i * 20s);
  EXPECT_EQ(splits.counts().split, 1u);
  splits.observe(key_number(1), 0, start + 1h);
  EXPECT_EQ(splits.counts().split, 1u);
  splits.observe(key_number(1), 1, start + 1h - 1s);  // a worker whose clock is a little behind
  EXPECT_EQ(splits.counts().split, 2u) << "after a silence it is counted again";
}

TEST_F(SplitsTest, a_key_that_comes_to_another_worker_after_the_window_is_not_split) {
  splits.observe(key_number(1), 0, start);
  splits.observe(key_number(1), 1, start + 60s);
  EXPECT_EQ(splits.counts().split, 0u);
  EXPECT_EQ(splits.counts().keys_seen, 2u);
  splits.observe(key_number(1), 0, start + 120s - 1ms);
  EXPECT_EQ(splits.counts().split, 1u);
}

TEST_F(SplitsTest, forgets_the_key_seen_longest_ago_and_counts_what_it_forgot_too_early) {
  const test::AllocationGuard guard;
  for (std::uint64_t i = 0; i < 3000; ++i) splits.observe(key_number(i), 0, start + nanoseconds{1ms} * i);
  const auto early = splits.counts().overwritten;
  EXPECT_GE(early, 3000u - 1024);
  EXPECT_LT(early, 3000u);
  splits.observe(key_number(2999), 1, start + 10s);
  EXPECT_EQ(splits.counts().split, 1u);
  splits.observe(key_number(0), 1, start + 10s);
  EXPECT_EQ(splits.counts().split, 1u) << "forgotten long ago";
  for (std::uint64_t i = 10'000; i < 10'500; ++i) splits.observe(key_number(i), 0, start + 1h);
  EXPECT_LT(splits.counts().overwritten - early, 100u) << "what is older than the window is no loss";
  EXPECT_EQ(guard.allocations(), 0u);
}

}  // namespace
}  // namespace weir::app
