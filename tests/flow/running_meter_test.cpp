// SPDX-License-Identifier: BSD-3-Clause
// What a probe asks of a meter that goes on running: other timeouts, all flows ended, a look at the table.
#include <gtest/gtest.h>

#include <utility>

#include "meter_under_test.hpp"

namespace weir::flow {
namespace {

using namespace std::chrono_literals;
using test::udp;

/// Timeouts as random as random_options(), all of which short records can take.
SlowOptions short_options(std::uint64_t seed) {
  auto options = test::random_options(seed);
  options.timeout_active = std::min<nanoseconds>(options.timeout_active, 4260s);
  options.timeout_closed = std::min<nanoseconds>(options.timeout_closed, 137s);
  return options;
}

TEST(RunningMeter, makes_the_records_of_its_slow_twin_when_timeouts_change_while_flows_live) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    auto now = short_options(seed);
    auto options = options_like(now);
    if (seed % 5 == 0) options.clock_width = ClockWidth::wide;
    test::SlowMeter slow{now};
    MeterUnderTest meter{options};
    Instant clock{1'700'000'000s};
    for (std::uint64_t part = 0; part < 5; ++part) {
      if (part > 0) {
        const bool biflow = std::exchange(now, short_options(1000 * part + seed)).biflow;
        now.biflow = biflow;
        slow.set_timeouts(now);
        ASSERT_TRUE(meter.set_timeouts(options_like(now)));
      }
      test::RandomTraffic traffic{seed + 1000 * part, now, clock};
      for (int i = 0; i < 300; ++i) {
        const auto packet = traffic.next();
        clock = packet.clock;
        slow.add(packet);
        meter.add(packet);
        if (part == 4 && i % 50 == 0) meter.expire();  // before a change it would matter who is looked at when
      }
    }
    ASSERT_EQ(test::differences(slow.finish(), meter.finish()), "") << "seed " << seed;
  }
}

TEST(RunningMeter, of_timeouts_that_its_records_are_too_short_for_says_so_and_keeps_the_old_ones) {
  const auto with = [](nanoseconds active, nanoseconds closed) {
    return options_like({.timeout_active = active, .timeout_closed = closed});
  };
  MeterUnderTest meter{with(60s, 1s)};
  EXPECT_FALSE(can_take_timeouts(with(60s, 1s), with(4261s, 1s)));
  EXPECT_EQ(narrow_timeouts_max().active, 4260s);
  EXPECT_EQ(narrow_timeouts_max().closed, 137s);
  EXPECT_FALSE(meter.set_timeouts(with(4261s, 1s)));
  EXPECT_FALSE(meter.set_timeouts(with(60s, 138s)));
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(1s));
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(15s));
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(29s));
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(43s));
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(57s));
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(61s));
  EXPECT_EQ(meter.so_far().size(), 1u);
  EXPECT_TRUE(meter.set_timeouts(with(4260s, 137s)));

  auto wide = with(60s, 1s);
  wide.clock_width = ClockWidth::wide;
  EXPECT_TRUE(MeterUnderTest{wide}.set_timeouts(with(315'360'000s, 315'360'000s)));
  wide.clock_width = ClockWidth::shortest;
  wide.direction = FlowDirection::biflow;
  EXPECT_TRUE(MeterUnderTest{wide}.set_timeouts(with(315'360'000s, 315'360'000s)));
}

TEST(RunningMeter, shorter_timeouts_end_flows_that_live_already_and_sweeps_come_as_often_as_they_need) {
  MeterUnderTest meter{options_like({.timeout_idle = 3600s, .timeout_active = 900s})};
  for (int i = 0; i < 500; ++i) meter.add(udp("10.0.0.1:" + std::to_string(i) + " > 10.0.0.2:53").at(1s));
  meter.expire();
  ASSERT_TRUE(meter.set_timeouts(options_like({.timeout_idle = 2s})));
  for (int tick = 0; tick < 26; ++tick) {
    meter.add(udp("10.9.9.9:1 > 10.9.9.8:1").at(3s + tick * 20ms));
    meter.expire();
  }
  EXPECT_EQ(meter.so_far().size(), 500u);
}

TEST(RunningMeter, ends_all_flows_a_few_slots_at_a_time_while_packets_still_come) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto slow_options = test::random_options(seed);
    const auto traffic = test::random_traffic(seed, slow_options, 1200);
    test::SlowMeter slow{slow_options};
    MeterUnderTest meter{options_like(slow_options)};
    for (std::size_t i = 0; i < traffic.size(); ++i) {
      if (i % 400 == 399) {
        slow.end_all();
        meter.end_all(7);
        ASSERT_EQ(meter.live(), 0u);
      }
      slow.add(traffic[i]);
      meter.add(traffic[i]);
    }
    ASSERT_EQ(test::differences(slow.finish(), meter.finish()), "") << "seed " << seed;
  }
}

TEST(RunningMeter, flows_that_begin_behind_the_walk_that_ends_all_are_left_alone) {
  auto options = options_like({});
  const auto layouts = make_layouts(options);
  const auto meter = make_meter(options);
  Ended ended{100, layouts[0], layouts[1]};
  const auto add = [&](const test::Arrival& arrival) {
    Packet packet;
    packet.stamp = packet.clock = arrival.clock;
    const std::uint16_t which = 0;
    meter->add({&packet, 1}, {&arrival.headers, 1}, {}, {&which, 1}, ended);
  };
  for (const auto* ends : {"10.0.0.1:1 > 10.0.0.9:2", "10.0.0.2:1 > 10.0.0.9:2", "10.0.0.3:1 > 10.0.0.9:2"})
    add(udp(ends).at(1s));
  EXPECT_FALSE(meter->end_all(Instant{2s}, 2, ended));
  add(udp("10.0.0.1:1 > 10.0.0.9:2").at(2s));  // takes the slot that was freed last
  EXPECT_TRUE(meter->end_all(Instant{2s}, 2, ended));
  EXPECT_EQ(meter->live(), 1u);
  EXPECT_EQ(meter->counters().ended[static_cast<std::size_t>(EndReason::forced)], 3u);
  EXPECT_TRUE(meter->end_all(Instant{2s}, 3, ended));  // begins anew
  EXPECT_EQ(meter->live(), 0u);

  Ended little{1, layouts[0], layouts[1]};
  for (const auto* ends : {"10.0.0.1:1 > 10.0.0.9:2", "10.0.0.2:1 > 10.0.0.9:2"}) add(udp(ends).at(3s));
  EXPECT_FALSE(meter->end_all(Instant{3s}, 100, little));
  little.clear();
  EXPECT_TRUE(meter->end_all(Instant{3s}, 100, little));
}

TEST(RunningMeter, shows_each_live_flow_once_as_it_would_be_exported_and_changes_nothing) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto slow_options = test::random_options(seed);
    MeterUnderTest meter{options_like(slow_options)}, other{options_like(slow_options)};
    for (const auto& packet : test::random_traffic(seed, slow_options, 300)) {
      meter.add(packet);
      other.add(packet);
    }
    auto seen = meter.look(5);
    EXPECT_EQ(seen.size(), meter.meter().in_table().records);
    other.ended();
    const auto before = other.so_far().size();
    auto rest = other.finish_in_order();
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(before));
    for (auto& record : rest) record.reason = EndReason{};
    std::sort(rest.begin(), rest.end());
    ASSERT_EQ(test::differences(rest, seen), "") << "seed " << seed;
    EXPECT_EQ(meter.look(1000), seen);
  }
}

}  // namespace
}  // namespace weir::flow
