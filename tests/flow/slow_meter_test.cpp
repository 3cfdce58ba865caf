// SPDX-License-Identifier: BSD-3-Clause
// The slow twin is the specification of the fast meter, so its own rules are stated here by hand, one a test.
#include <gtest/gtest.h>

#include <numeric>

#include "support/slow_meter.hpp"
#include "support/traffic.hpp"

namespace weir::test {
namespace {

using namespace std::chrono_literals;

const SlowOptions uniflow{.timeout_idle = 15s, .timeout_active = 60s, .timeout_closed = 1s};
const SlowOptions biflow{.biflow = true, .timeout_idle = 15s, .timeout_active = 60s, .timeout_closed = 1s};

constexpr auto there = "10.0.0.1:1000 > 10.0.0.2:80";
constexpr auto back = "10.0.0.2:80 > 10.0.0.1:1000";

/// Records in the order of their starts: reason and packets (there, back) of each.
std::string story(const std::vector<Arrival>& packets, const SlowOptions& options) {
  auto records = slow_meter(packets, options);
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::pair{a.forward.first_ms, a.forward.last_ms} < std::pair{b.forward.first_ms, b.forward.last_ms};
  });
  std::string out;
  for (const auto& record : records) {
    if (!out.empty()) out += ", ";
    out += std::to_string(record.forward.packets);
    if (record.reverse.packets > 0) out.append("+").append(std::to_string(record.reverse.packets));
    out.append(" ").append(end_reason_names[static_cast<std::size_t>(record.reason)]);
  }
  return out;
}

TEST(SlowMeter, a_packet_at_the_very_moment_of_an_idle_end_belongs_to_the_next_record) {
  EXPECT_EQ(story({udp(there).at(1s), udp(there).at(16s)}, uniflow), "1 idle_timeout, 1 forced_end");
  EXPECT_EQ(story({udp(there).at(1s), udp(there).at(16s - 1ns)}, uniflow), "2 forced_end");
}

TEST(SlowMeter, an_active_end_is_reckoned_from_the_first_packet_of_each_record) {
  std::vector<Arrival> packets;
  for (auto at = 0s; at <= 130s; at += 10s) packets.push_back(udp(there).at(at));
  EXPECT_EQ(story(packets, uniflow), "6 active_timeout, 6 active_timeout, 2 forced_end");
}

TEST(SlowMeter, the_earliest_of_several_moments_ends_the_record_and_equal_ones_in_the_order_3_2_1) {
  auto options = uniflow;
  const std::vector<Arrival> packets{tcp(there).fin().at(0s), tcp(there).at(5s)};
  options.timeout_idle = options.timeout_active = options.timeout_closed = 5s;
  EXPECT_EQ(story(packets, options), "1 end_of_flow, 1 forced_end");
  options.timeout_closed = 6s;
  EXPECT_EQ(story(packets, options), "1 active_timeout, 1 forced_end");
  options.timeout_active = 6s;
  EXPECT_EQ(story(packets, options), "1 idle_timeout, 1 forced_end");
}

TEST(SlowMeter, a_fin_closes_its_own_direction_of_a_uniflow_and_only_both_close_a_biflow) {
  const std::vector<Arrival> packets{tcp(there).fin().at(0s), tcp(back).at(500ms), tcp(there).at(2s), tcp(back).at(2s)};
  EXPECT_EQ(story(packets, uniflow), "1 end_of_flow, 2 forced_end, 1 forced_end");
  EXPECT_EQ(story(packets, biflow), "2+2 forced_end");
  EXPECT_EQ(story({tcp(there).fin().at(0s), tcp(back).fin().at(0s), tcp(there).at(1s)}, biflow),
            "1+1 end_of_flow, 1 forced_end");
  EXPECT_EQ(story({tcp(there).at(0s), tcp(back).rst().at(0s), tcp(there).at(1s)}, biflow),
            "1+1 end_of_flow, 1 forced_end");
}

TEST(SlowMeter, packets_on_a_closing_flow_do_not_restart_its_deadline) {
  EXPECT_EQ(story({tcp(there).rst().at(0s), tcp(there).fin().at(900ms), tcp(there).at(1s)}, uniflow),
            "2 end_of_flow, 1 forced_end");
}

TEST(SlowMeter, a_syn_begins_a_new_flow_only_while_the_old_one_is_closing) {
  EXPECT_EQ(story({tcp(there).fin().at(0ms), tcp(there).syn().at(1ms)}, uniflow), "1 end_of_flow, 1 forced_end");
  EXPECT_EQ(story({tcp(there).at(0ms), tcp(there).syn().at(1ms)}, uniflow), "2 forced_end");
  auto never = uniflow;
  never.tcp_close = false;
  EXPECT_EQ(story({tcp(there).fin().at(0ms), tcp(there).syn().at(1ms)}, never), "2 forced_end");
}

TEST(SlowMeter, after_an_active_end_the_place_keeps_direction_tcp_state_and_first_packet_values) {
  auto options = biflow;
  options.timeout_active = 10s;
  const auto records = slow_meter(
      std::vector<Arrival>{tcp(there).tos(8).from(1).fin().at(0s), tcp(back).tos(4).at(10s), tcp(there).tos(9).at(11s)},
      options);
  ASSERT_EQ(records.size(), 2u);
  const auto& next = records[0].reason == EndReason::forced ? records[0] : records[1];
  EXPECT_EQ(next.source_port, 1000);
  EXPECT_EQ(next.forward.packets, 1u);
  EXPECT_EQ(next.reverse.packets, 1u);
  EXPECT_EQ(next.forward.tos, 8);
  EXPECT_EQ(next.forward.ingress_interface, 2u);
  EXPECT_EQ(next.forward.tcp_flags, 0);

  // The FIN of the first record and the one of the second are both ways.
  EXPECT_EQ(story({tcp(there).fin().at(0s), tcp(back).fin().at(10s), tcp(there).at(11s)}, options),
            "1 active_timeout, 0+1 end_of_flow, 1 forced_end");
}

TEST(SlowMeter, a_continuation_without_packets_is_never_exported) {
  auto options = uniflow;
  options.timeout_active = 500ms;
  EXPECT_EQ(story({tcp(there).fin().at(0s), udp(back).at(1h)}, options), "1 active_timeout, 1 forced_end");
  // Nor by a SYN that ends it, or by one that comes when it is gone.
  EXPECT_EQ(story({tcp(there).fin().at(0s), tcp(there).syn().at(600ms)}, options), "1 active_timeout, 1 forced_end");
  EXPECT_EQ(story({tcp(there).fin().at(0s), tcp(there).syn().at(2s)}, options), "1 active_timeout, 1 forced_end");
}

TEST(SlowMeter, answers_alone_in_a_continuation_lend_it_their_times) {
  const auto records = slow_meter(std::vector<Arrival>{udp(there).at(0s), udp(back).at(14s), udp(back).at(28s),
                                                       udp(back).at(42s), udp(back).at(56s), udp(back).at(70s)},
                                  biflow);  // sorted: the active end comes before the forced one
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].forward.packets, 0u);
  EXPECT_EQ(records[1].forward.first_ms, 70'000u);
  EXPECT_EQ(records[1].reverse.packets, 1u);
}

TEST(SlowMeter, ends_are_reckoned_with_the_clock_and_stamps_only_give_times) {
  const auto records = slow_meter(
      std::vector<Arrival>{udp(there).at(100s), udp(there).at(114s).stamped(1s), udp(there).at(128s)}, uniflow);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].forward.first_ms, 1'000u);
  EXPECT_EQ(records[0].forward.last_ms, 128'000u);
}

TEST(SlowMeter, at_the_end_of_input_what_is_past_its_own_end_has_its_own_reason) {
  EXPECT_EQ(story({udp(there).at(0s), udp(back).at(15s)}, uniflow), "1 idle_timeout, 1 forced_end");
}

TEST(SlowMeter, records_are_judged_by_the_timeouts_in_force_when_somebody_looks) {
  const auto reasons = [](const SlowOptions& later, Instant again) {
    SlowMeter meter{uniflow};
    meter.add(tcp(there).fin().at(0s));
    meter.set_timeouts(later);
    meter.add(tcp(there).at(again.time_since_epoch()));
    std::string out;
    for (const auto& record : meter.finish()) out += end_reason_names[static_cast<std::size_t>(record.reason)][0];
    return out;
  };
  auto later = uniflow;
  later.timeout_closed = 10s;
  EXPECT_EQ(reasons(later, Instant{9s}), "f");
  EXPECT_EQ(reasons(later, Instant{10s}), "ef");
  later.tcp_close = false;
  EXPECT_EQ(reasons(later, Instant{14s}), "f");
  EXPECT_EQ(reasons(later, Instant{15s}), "if");
}

TEST(SlowMeter, an_echo_and_its_reply_are_one_biflow_and_two_uniflows) {
  const auto icmp_story = [](const char* one, const char* other, unsigned request, unsigned reply, unsigned code,
                             const SlowOptions& options) {
    return story({icmp(one, request, 0).at(0s), icmp(other, reply, code).at(1s)}, options);
  };
  constexpr auto a = "10.0.0.1 > 10.0.0.2", b = "10.0.0.2 > 10.0.0.1", a6 = "[fd::1] > [fd::2]",
                 b6 = "[fd::2] > [fd::1]";
  EXPECT_EQ(icmp_story(a, b, 8, 0, 0, biflow), "1+1 forced_end");
  EXPECT_EQ(icmp_story(b6, a6, 129, 128, 0, biflow), "1+1 forced_end");
  EXPECT_EQ(icmp_story(a, a, 8, 0, 0, biflow), "2 forced_end");
  EXPECT_EQ(icmp_story(a, b, 8, 0, 1, biflow), "1 forced_end, 1 forced_end");
  EXPECT_EQ(icmp_story(a, b, 8, 0, 0, uniflow), "1 forced_end, 1 forced_end");

  const auto records = slow_meter(std::vector<Arrival>{icmp(b, 0, 0).at(0s), icmp(a, 8, 0).at(1s)}, biflow);
  EXPECT_EQ(records.at(0).icmp_type_code, 0);  // those of the first packet
  EXPECT_EQ(records.at(0).destination_port, 0);
}

TEST(SlowMeter, whatever_the_traffic_every_packet_and_octet_is_in_one_record) {
  std::array<int, 6> reasons{};
  int answers_only = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto options = random_options(seed);
    const auto packets = random_traffic(seed, options, 400);
    Totals expected, got;
    for (const auto& packet : packets) expected += {.packets = 1, .octets = packet.headers.octets};
    for (const auto& record : slow_meter(packets, options)) {
      got += {.packets = record.forward.packets + record.reverse.packets,
              .octets = record.forward.octets + record.reverse.octets};
      ASSERT_GT(record.forward.packets + record.reverse.packets, 0u);
      ++reasons[static_cast<std::size_t>(record.reason)];
      answers_only += record.forward.packets == 0;
    }
    EXPECT_EQ(expected, got) << "seed " << seed;
  }
  // The traffic is worth something only if it comes to all kinds of ends, often.
  for (const auto reason : {EndReason::idle, EndReason::active, EndReason::end_of_flow, EndReason::forced})
    EXPECT_GT(reasons[static_cast<std::size_t>(reason)], 100) << static_cast<int>(reason);
  EXPECT_GT(answers_only, 10);
}

}  // namespace
}  // namespace weir::test
