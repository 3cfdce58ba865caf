// SPDX-License-Identifier: BSD-3-Clause
#include "flow/meter.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/hash.hpp"
#include "flow/key.hpp"
#include "flow/layout.hpp"
#include "meter_under_test.hpp"
#include "support/allocation_guard.hpp"
#include "support/slow_decode.hpp"

namespace weir::flow {
namespace {

using namespace std::chrono_literals;
using test::SlowOptions;
using test::SlowRecord;
using test::tcp;
using test::udp;

struct CountingWatch final : StageWatch {
  void looked_up() noexcept override { ++looked; }
  void accounted() noexcept override { ++counted; }
  std::size_t looked = 0, counted = 0;
};

TEST(Meter, makes_the_records_of_its_slow_twin_however_calls_and_sweeps_cut_the_traffic_watched_or_not_brief_or_not) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    const auto slow_options = test::random_options(seed);
    const auto traffic = test::random_traffic(seed, slow_options, 1500);
    test::SlowMeter slow{slow_options};
    MeterUnderTest meter{options_like(slow_options)};
    CountingWatch watch;
    if (seed % 2 == 1) meter.set_watch(&watch);
    std::mt19937_64 random{seed};
    std::size_t held = 0;
    for (const auto& packet : traffic) {
      slow.add(packet);
      meter.add(packet);
      if (random() % 40 == 0 || ++held == 1000) {
        if (random() % 2 == 0) meter.pass();
        else meter.pass_briefly();
        held = 0;
      }
      if (random() % 100 == 0) meter.expire();
      if (random() % 100 == 0) meter.grow_ahead();
    }
    const auto expected = slow.finish();
    const auto got = meter.finish();
    ASSERT_EQ(test::differences(expected, got), "") << "seed " << seed;
    ASSERT_EQ(expected, got) << "seed " << seed;
    EXPECT_EQ(packets_of(got), traffic.size());
    EXPECT_EQ(watch.looked > 0, seed % 2 == 1);
    EXPECT_EQ(watch.looked, watch.counted);
  }
}

TEST(Brief, packets_are_put_back_as_a_meter_saw_them) {
  for (const auto& arrival : test::random_traffic(1, test::random_options(1), 1000)) {
    if (!can_be_brief(arrival.headers)) continue;
    Packet packet;
    packet.stamp = arrival.stamp;
    packet.clock = arrival.clock;
    packet.interface = arrival.interface;
    auto expected = arrival.headers;
    expected.notes = 0;
    Headers headers;
    Packet back;
    const auto there_and_back = [&](auto brief) {
      put_brief(arrival.headers, packet, brief);
      put_back(brief, headers, back);
    };
    if (arrival.headers.version == IpVersion::v4) there_and_back(BriefIpv4{});
    else there_and_back(BriefIpv6{});
    EXPECT_EQ(test::text_of(Outcome::metered, headers), test::text_of(Outcome::metered, expected));
    EXPECT_TRUE(back.stamp == packet.stamp && back.clock == packet.clock && back.interface == packet.interface);
  }
}

TEST(Meter, with_timeouts_too_long_for_one_line_makes_the_same_records) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SlowOptions slow_options{.timeout_idle = 2h, .timeout_active = 5'000s};
    const auto traffic = test::random_traffic(seed, slow_options, 2000);
    for (const auto active : {4259s, 4260s, 4261s, 5'000s}) {  // either side of what 42 bits hold
      slow_options.timeout_active = active;
      test::SlowMeter slow{slow_options};
      MeterUnderTest meter{options_like(slow_options)};
      for (const auto& packet : traffic) {
        slow.add(packet);
        meter.add(packet);
        meter.pass();
      }
      EXPECT_EQ(test::differences(slow.finish(), meter.finish()), "") << "seed " << seed;
    }
  }
}

TEST(Meter, a_syn_on_a_closing_flow_begins_a_new_one) {
  MeterUnderTest meter{options_like({})};
  meter.add(tcp("10.0.0.1:1000 > 10.0.0.2:80").fin().at(1s));
  meter.add(tcp("10.0.0.1:1000 > 10.0.0.2:80").syn().at(1200ms));
  EXPECT_EQ(meter.ended(), 1u);
  EXPECT_EQ(meter.live(), 1u);
}

TEST(Meter, sweeping_alone_hands_out_what_is_past_its_end_within_a_quarter_of_the_shortest_timeout) {
  MeterUnderTest meter{options_like({})};
  for (int i = 0; i < 500; ++i) meter.add(udp("10.0.0.1:" + std::to_string(i) + " > 10.0.0.2:53").at(1s));
  meter.expire();
  for (int tick = 0; tick < 200; ++tick) {
    meter.add(udp("10.9.9.9:1 > 10.9.9.8:1").at(16s + tick * 20ms));
    meter.expire();
  }
  EXPECT_EQ(meter.so_far().size(), 500u);
}

TEST(Meter, full_ends_the_flow_touched_longest_ago_with_reason_5_and_loses_no_packet) {
  auto options = options_like({});
  options.capacity = 1024;
  MeterUnderTest meter{options};
  constexpr std::size_t flows = 20'000;
  for (std::size_t i = 0; i < flows; ++i) {
    auto packet = udp("10.0.0.1:1 > 10.0.0.2:2").at(1s + nanoseconds{i});
    packet.headers.source()[1] = static_cast<std::byte>(i >> 8);
    packet.headers.source()[2] = static_cast<std::byte>(i);
    if (i % 3 == 0) packet.headers.version = IpVersion::v6;
    meter.add(packet);
    if (i % 500 == 0) {
      ASSERT_LE(meter.live(), 1024u);
      const auto in_table = meter.meter().in_table();
      ASSERT_EQ(in_table.records, meter.live());
      ASSERT_EQ(in_table.packets + packets_of(meter.so_far()), i + 1);
    }
  }
  EXPECT_EQ(meter.live(), 1024u);
  const auto evicted = meter.so_far();
  EXPECT_EQ(evicted.size(), flows - 1024);
  for (const auto& record : evicted) EXPECT_EQ(record.reason, EndReason::lack_of_resources);
  EXPECT_EQ(packets_of(meter.finish()), flows);
}

/// Replays hash by a key that anybody may read, so a capture can be made for it.
TEST(Meter, flows_made_to_find_no_room_when_the_table_has_grown_live_on_and_every_packet_is_counted) {
  const auto options = options_like({.timeout_idle = 15s, .timeout_active = 60s});
  constexpr std::size_t last_lines = 1025, lines_before = 513, line = 50;  // of 4096 flows
  const KeyedHash hash{options.hash_key};
  std::mt19937_64 random{5};
  const auto flow_where = [&](IpVersion version, auto is_wanted) {
    for (;;) {
      auto packet = udp("10.0.0.1:1 > 10.0.0.2:2").at(1s);
      auto& headers = packet.headers;
      headers.version = version;
      store_native(headers.source().data(), static_cast<std::uint32_t>(random()));
      const auto hashed =
          version == IpVersion::v4 ? hash(uniflow_key<4>(headers).hashed()) : hash(uniflow_key<16>(headers).hashed());
      const auto home = [hashed](std::size_t lines) { return (hashed & 0xffff'ffffu) * lines >> 32; };
      if (is_wanted(home(lines_before), home(last_lines))) return packet;
    }
  };
  const auto elsewhere = [](std::size_t before, std::size_t) { return before < line - 5 || before > line + 5; };

  MeterUnderTest meter{options};
  std::size_t packets = 0;
  std::vector<test::Arrival> made;
  const auto add = [&](const test::Arrival& packet) { meter.add(packet), ++packets; };
  for (int i = 0; i < 1'100; ++i) add(flow_where(IpVersion::v4, elsewhere));
  // Of IPv6 what two lines hold; what of IPv4 is at home in the second goes to the third. When lines double, IPv4 comes
  // first, and has the second line.
  for (int i = 0; i < 20; ++i)
    made.push_back(flow_where(
        IpVersion::v6, [](std::size_t before, std::size_t then) { return before == line && then == 2 * line + 1; }));
  for (int i = 0; i < 10; ++i)
    made.push_back(flow_where(IpVersion::v4, [](std::size_t before, std::size_t then) {
      return before == line + 1 && then == 2 * line + 2;
    }));
  for (const auto& packet : made) add(packet);
  for (int i = 0; i < 1'100; ++i) add(flow_where(IpVersion::v4, elsewhere));
  EXPECT_EQ(meter.ended(), 0u);
  EXPECT_EQ(meter.live(), packets);

  for (auto packet : made) {
    packet.stamp = packet.clock = Instant{2s};
    add(packet);
  }
  EXPECT_EQ(meter.ended(), 10u) << "ten were not found and took the places of others";
  for (const auto minute : {1min, 2min}) {
    add(udp("10.0.0.1:1 > 10.0.0.2:2").at(minute));
    meter.expire();
  }
  EXPECT_EQ(meter.live(), 1u) << "idle ones are swept, found or not";
  EXPECT_EQ(packets_of(meter.finish()), packets);
}

TEST(Meter, evicts_what_its_slow_twin_evicts_from_one_line) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    auto slow_options = test::random_options(seed);
    slow_options.capacity = 2;  // the most that has one line of tags
    const auto traffic = test::random_traffic(seed, slow_options, 1000);
    test::SlowMeter slow{slow_options};
    auto options = options_like(slow_options);
    options.capacity = slow_options.capacity;
    MeterUnderTest meter{options};
    for (const auto& packet : traffic) {
      slow.add(packet);
      meter.add(packet);
      meter.pass();
    }
    ASSERT_EQ(test::differences(slow.finish(), meter.finish()), "") << "seed " << seed;
  }
}

TEST(Meter, room_is_made_of_flows_past_their_end_first_with_their_own_reasons) {
  auto options = options_like({});
  options.capacity = 1;
  MeterUnderTest meter{options};
  meter.add(udp("10.0.0.1:1 > 10.0.0.2:2").at(1s));
  meter.add(udp("10.0.0.3:1 > 10.0.0.2:2").at(16s));  // the first one's idle end, to the nanosecond
  meter.add(udp("10.0.0.4:1 > 10.0.0.2:2").at(17s));
  const auto records = meter.so_far();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].reason, EndReason::idle);
  EXPECT_EQ(records[1].reason, EndReason::lack_of_resources);
}

/// What was looked up for the second packet has gone when its turn comes. The first flow's addresses are, as octets,
/// what a free place that is the last of them begins with.
TEST(Meter, a_packet_whose_record_was_freed_by_one_just_before_it_begins_another) {
  auto options = options_like({});
  options.capacity = 2;
  for (const auto* again : {"255.255.255.255:1 > 0.0.0.0:2", "10.0.0.2:1 > 10.0.0.9:2"}) {
    MeterUnderTest meter{options};
    meter.add(udp("255.255.255.255:1 > 0.0.0.0:2").at(1s));
    meter.add(udp("10.0.0.2:1 > 10.0.0.9:2").at(1s));
    ASSERT_EQ(meter.live(), 2u);
    meter.add(udp("10.0.0.3:1 > 10.0.0.9:2").at(17s));  // both of them are over, and their places free
    meter.add(udp(again).at(17s));
    ASSERT_EQ(meter.live(), 2u);
    const auto records = meter.finish();
    ASSERT_EQ(records.size(), 4u) << again;
    for (const auto& record : records) EXPECT_EQ(record.forward.packets, 1u) << again;
  }
}

TEST(Meter, of_flows_touched_at_one_moment_the_one_in_the_lowest_slot_makes_room) {
  auto options = options_like({});
  options.capacity = 2;
  MeterUnderTest meter{options};
  for (const auto* ends : {"10.0.0.1:1 > 10.0.0.9:2", "10.0.0.2:1 > 10.0.0.9:2", "10.0.0.3:1 > 10.0.0.9:2"})
    meter.add(udp(ends).at(1s));
  const auto records = meter.so_far();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].source[3], std::byte{1});
}

TEST(Meter, holds_its_capacity_of_random_keys_but_for_one_in_ten_thousand) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    auto options = options_like({});
    options.capacity = 1 << 18;
    options.hash_key = seed;
    MeterUnderTest meter{options};
    std::mt19937_64 random{seed};
    for (std::size_t i = 0; i < options.capacity; ++i) {
      auto packet = udp("10.0.0.1:1 > 10.0.0.2:2").at(1s);
      const auto address = random();
      std::memcpy(packet.headers.source().data(), &address, 4);
      packet.headers.source_port = static_cast<std::uint16_t>(address >> 32);
      meter.add(packet);
      if (i % 1000 == 0) meter.pass();
    }
    EXPECT_LT(meter.ended(), options.capacity / 10'000);
  }
}

TEST(Meter, a_counter_about_to_outgrow_48_bits_ends_its_record_and_the_flow_goes_on) {
  for (const bool biflow : {false, true}) {
    MeterUnderTest meter{options_like({.biflow = biflow})};
    constexpr std::uint64_t jumbo = (std::uint64_t{1} << 32) + 39;  // the longest that a jumbogram can claim
    constexpr std::size_t fit = ((std::uint64_t{1} << 48) - 1) / jumbo;
    for (std::size_t i = 0; i < fit + 1; ++i) {
      meter.add(udp("[::1]:1 > [::2]:2").octets(jumbo).at(1s));
      if (i % 1000 == 0) meter.pass();
    }
    const auto records = meter.finish();
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].forward.packets + records[1].forward.packets, fit + 1);
    EXPECT_EQ(records[0].forward.octets + records[1].forward.octets, jumbo * (fit + 1));
    EXPECT_TRUE(records[0].reason == EndReason::active || records[1].reason == EndReason::active);
  }
}

TEST(Meter, allocates_nothing_from_the_first_packet_on) {
  const SlowOptions slow_options{.biflow = true};
  const auto traffic = test::random_traffic(7, slow_options, 20'000);
  auto options = options_like(slow_options);
  options.capacity = 1024;
  MeterUnderTest meter{options};
  std::size_t ended = 0;
  test::AllocationGuard guard;
  for (std::size_t i = 0; i < traffic.size(); ++i) {
    meter.add(traffic[i]);
    if (i % 512 == 511) {
      meter.pass();
      meter.expire();
    }
  }
  ended = meter.ended();
  EXPECT_EQ(guard.allocations(), 0u);
  EXPECT_GT(ended, 0u);
}

TEST(Meter, icmp_type_and_code_stand_in_the_destination_port_where_a_setting_says_so) {
  for (const auto in_ports : {IcmpInPorts::off, IcmpInPorts::on}) {
    auto options = options_like({.biflow = true});
    options.icmp_in_ports = in_ports;
    MeterUnderTest meter{options};
    meter.add(test::icmp("10.0.0.2 > 10.0.0.1", 0, 0).at(1s));  // the reply is seen first
    meter.add(test::icmp("10.0.0.1 > 10.0.0.2", 8, 0).at(2s));
    const auto records = meter.finish();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].icmp_type_code, 0);
    EXPECT_EQ(records[0].destination_port, 0);
    EXPECT_EQ(records[0].source[3], std::byte{2});
    EXPECT_EQ(records[0].reverse.packets, 1u);
  }
  auto options = options_like({});
  options.icmp_in_ports = IcmpInPorts::on;
  MeterUnderTest meter{options};
  meter.add(test::icmp("10.0.0.1 > 10.0.0.2", 3, 1).at(1s));
  EXPECT_EQ(meter.finish()[0].destination_port, 3 * 256 + 1);
}

TEST(Layout, no_element_stands_twice_in_a_template_and_every_field_lies_inside_the_record) {
  for (const auto direction : {FlowDirection::uniflow, FlowDirection::biflow})
    for (const auto& layout : make_layouts({.direction = direction}))
      for (const auto& each : layout.templates)
        for (std::size_t i = 0; i < each.fields.size(); ++i) {
          const auto& field = each.fields[i];
          EXPECT_LE(field.offset + (field.form == Form::bytes ? field.octets : field.stored), layout.octets);
          for (std::size_t j = 0; j < i; ++j)
            EXPECT_FALSE(each.fields[j].id == field.id && each.fields[j].pen == field.pen) << each.name << field.id;
        }
}

TEST(Layout, the_flow_key_is_addresses_ports_protocol_vlan_and_icmp_type) {
  const auto layouts = make_layouts({});
  std::vector<std::uint16_t> keys;
  for (const auto& field : layouts[0].templates[0].fields)
    if (field.key) keys.push_back(field.id);
  EXPECT_EQ(keys, (std::vector<std::uint16_t>{8, 12, 7, 11, 58, 32, 4}));
}

}  // namespace
}  // namespace weir::flow
