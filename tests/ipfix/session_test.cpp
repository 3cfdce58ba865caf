// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/session.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/error.hpp"
#include "session_under_test.hpp"

namespace weir::ipfix {
namespace {

TEST(Session, begins_a_stream_with_all_templates_in_one_message_then_options_data) {
  SessionUnderTest under_test;
  const auto messages = under_test.take(start);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(template_ids(messages[0]), all_templates);
  EXPECT_TRUE(messages[0].records.empty());
  EXPECT_TRUE(messages[1].templates.empty());
  EXPECT_EQ(messages[1].records.size(), 2u + 1u + 3u);
  EXPECT_TRUE(under_test.take(start + 24h).empty()) << "no tick, nothing owed";
}

TEST(Session, sends_the_templates_of_a_datagram_session_twice_each_time_in_a_message_of_their_own) {
  SessionUnderTest under_test{{.delivery = Delivery::datagram}};
  const auto messages = under_test.take(start);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(template_ids(messages[0]), all_templates);
  EXPECT_EQ(template_ids(messages[1]), all_templates);
  EXPECT_TRUE(messages[1].records.empty());
  EXPECT_TRUE(messages[2].templates.empty());
}

TEST(Session, repeats_templates_and_options_data_on_datagrams_by_time_once_a_tick) {
  SessionUnderTest under_test{{.delivery = Delivery::datagram, .statistics = 1000h}};
  under_test.take(start);
  under_test.session.tick(start + 59s);
  EXPECT_TRUE(under_test.take(start + 59s).empty());
  under_test.session.tick(start + 10h);  // far more than one interval
  const auto messages = under_test.take(start + 10h);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(template_ids(messages[0]), all_templates);
  EXPECT_EQ(records_of(messages, keys_set), 2u);
  EXPECT_EQ(records_of(messages, selector_set), 1u);
  under_test.session.tick(start + 10h + 59s);
  EXPECT_TRUE(under_test.take(start + 10h + 59s).empty());
}

TEST(Session, repeats_templates_on_datagrams_by_messages) {
  SessionUnderTest under_test{{.delivery = Delivery::datagram, .template_refresh_messages = 5}};
  under_test.take(start);
  under_test.add(1000, start);
  std::size_t data = 0, announcements = 0;
  for (const auto& message : under_test.full) {
    data += message.records.size() > 0 && message.records[0].set == 256;
    announcements += !message.templates.empty();
  }
  EXPECT_GT(data, 20u);
  EXPECT_EQ(announcements, (data - 1) / 5);
}

TEST(Session, never_repeats_templates_on_a_stream) {
  SessionUnderTest under_test{{.template_refresh = 1s, .template_refresh_messages = 1}};
  under_test.take(start);
  under_test.add(1000, start);
  under_test.session.tick(start + 1h);
  for (const auto& message : under_test.take(start + 1h)) EXPECT_TRUE(message.templates.empty());
  for (const auto& message : under_test.full) EXPECT_TRUE(message.templates.empty());
}

TEST(Session, a_record_waits_for_its_message_to_fill_but_not_longer_than_flush) {
  SessionUnderTest under_test;
  under_test.take(start);
  under_test.add(1, start + 1s);
  under_test.session.tick(start + 1999ms);
  EXPECT_TRUE(under_test.take(start + 1999ms).empty());
  EXPECT_EQ(under_test.session.waiting(), test::small_totals(1));
  under_test.session.tick(start + 2s);
  const auto messages = under_test.take(start + 2s);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].records.size(), 1u);
  EXPECT_EQ(under_test.session.waiting(), Totals{});
  EXPECT_EQ(under_test.session.accepted_last(), test::small_totals(1));
}

TEST(Session, statistics_tell_what_was_sent_before_them) {
  SessionUnderTest under_test;
  auto before = under_test.take(start);
  under_test.add(100, start);
  under_test.session.owe_data();
  const auto data = under_test.take(start);
  before.insert(before.end(), under_test.full.begin(), under_test.full.end());
  before.insert(before.end(), data.begin(), data.end());
  std::size_t octets = 0;
  for (const auto& message : before) octets += message.octets;

  under_test.session.tick(start + 59s);
  EXPECT_TRUE(under_test.take(start + 59s).empty());
  under_test.session.tick(start + 60s);
  const auto messages = under_test.take(start + 60s);
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_EQ(messages[0].records.size(), 3u);
  const auto& record = messages[0].records[0];
  EXPECT_EQ(record.number(149), 1u);
  EXPECT_EQ(record.number(143), 1u);
  EXPECT_EQ(record.number(41), before.size());
  EXPECT_EQ(record.number(42), 100u);
  EXPECT_EQ(record.number(40), octets);
}

TEST(Session, reliability_tells_what_was_ignored_and_when_or_that_nothing_was_until_now) {
  SessionUnderTest under_test;
  auto records = under_test.take(start)[1].records;
  EXPECT_EQ(records[4].number(164), 0u);
  EXPECT_EQ(records[4].number(323, 0), 1'700'000'000'000u);
  EXPECT_EQ(records[5].number(323, 1), 1'700'000'000'000u);

  under_test.surroundings.metering = {
      .ignored_packets = 3, .ignored_octets = 180, .ignored_first = start + 1s, .ignored_last = start + 2s};
  under_test.session.owe_statistics();
  records = under_test.take(start + 9s)[0].records;
  EXPECT_EQ(records[1].number(164), 3u);
  EXPECT_EQ(records[1].number(165), 180u);
  EXPECT_EQ(records[1].number(323, 0), 1'700'000'001'000u);
  EXPECT_EQ(records[1].number(323, 1), 1'700'000'002'000u);
}

TEST(Session, a_message_that_is_lost_is_a_gap_in_the_sequence_and_counted_as_not_sent) {
  SessionUnderTest under_test;
  under_test.take(start);
  under_test.add(3, start);
  under_test.session.owe_data();
  ASSERT_FALSE(under_test.session.next(start + 1s).empty());
  EXPECT_EQ(under_test.session.lost(start + 1s), test::small_totals(3));
  EXPECT_EQ(under_test.session.waiting(), Totals{});
  under_test.sequence += 3;
  under_test.session.owe_statistics();
  const auto records = under_test.take(start + 5s)[0].records;
  EXPECT_EQ(records[2].number(144), 1u);
  EXPECT_EQ(records[2].number(166), 3u);
  EXPECT_EQ(records[2].number(167), 6u);
  EXPECT_EQ(records[2].number(168), 600u);
  EXPECT_EQ(records[2].number(323, 0), 1'700'000'001'000u);
}

TEST(Session, after_a_break_owes_everything_anew_and_what_was_not_accepted_with_a_new_header) {
  SessionUnderTest under_test;
  under_test.take(start);
  under_test.add(200, start);
  under_test.session.owe_data();
  const auto old = under_test.walker.walk(under_test.session.next(start));
  EXPECT_GT(old.sequence, 100u);

  under_test.session.begin(start + 300s);  // the message above was not accepted
  under_test.walker = Walker{};
  under_test.sequence = 0;
  const auto messages = under_test.take(start + 300s);
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(template_ids(messages[0]), all_templates);
  EXPECT_EQ(messages[2].records.size(), old.records.size());
  EXPECT_EQ(messages[2].records[0].number(7), old.records[0].number(7));
  EXPECT_EQ(messages[2].export_time, 1'700'000'300u);
}

TEST(Session, a_message_that_has_to_wait_leaves_with_the_time_it_leaves_at) {
  SessionUnderTest under_test;
  under_test.session.next(start);
  EXPECT_EQ(under_test.walker.walk(under_test.session.next(start + 7s)).export_time, 1'700'000'007u);
}

TEST(Session, export_time_is_the_packets_clock_rounded_up_or_the_walls_cut_and_never_turns_back) {
  for (const auto clock : {ExportClock::packets, ExportClock::wall}) {
    SessionUnderTest under_test{{.clock = clock}};
    const std::uint32_t up = clock == ExportClock::packets;
    EXPECT_EQ(under_test.take(start + 1ns)[0].export_time, 1'700'000'000u + up);
    under_test.session.owe_statistics();
    EXPECT_EQ(under_test.take(start - 1h)[0].export_time, 1'700'000'000u + up);
    under_test.session.owe_statistics();
    EXPECT_EQ(under_test.take(Instant{4294967296s + 5s})[0].export_time, 5u) << "modulo 2^32 (RFC 7011 §5.2)";
  }
}

TEST(Session, a_wall_clock_set_back_stops_no_timer_for_longer_than_its_interval) {
  SessionUnderTest under_test;
  under_test.take(start);
  under_test.session.tick(start - 1h);
  under_test.session.tick(start - 1h + 60s);
  EXPECT_EQ(records_of(under_test.take(start), statistics_set), 1u);
}

TEST(Session, the_sequence_wraps) {
  SessionUnderTest under_test{{.sequence_first = 0xfffffff0u}};
  under_test.take(start);
  under_test.add(200, start);
  under_test.session.owe_data();
  under_test.take(start);
  EXPECT_LT(under_test.sequence, 1000u);
}

TEST(Session, names_an_interface_when_it_becomes_known_and_not_again_on_a_stream) {
  SessionUnderTest under_test;
  under_test.surroundings.interfaces.add(1, "eth0");
  auto messages = under_test.take(start);
  ASSERT_EQ(records_of(messages, names_set), 1u);
  under_test.surroundings.interfaces.add(2, "wlan\xff");
  messages = under_test.take(start);
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_EQ(messages[0].records.size(), 1u);
  EXPECT_EQ(messages[0].records[0].number(10), 2u);
  EXPECT_EQ(messages[0].records[0].text(82), "wlan?");
  EXPECT_TRUE(under_test.take(start).empty());
}

TEST(Session, flow_keys_name_every_flow_template) {
  SessionUnderTest under_test;
  const auto records = under_test.take(start)[1].records;
  EXPECT_EQ(records[0].number(145), 256u);
  EXPECT_EQ(records[0].number(173), 0b111u);
  EXPECT_EQ(records[1].number(145), 257u);
  EXPECT_EQ(records[2].number(304), 1u);
  EXPECT_EQ(records[2].number(305), 1u);
  EXPECT_EQ(records[2].number(306), 0u);
}

TEST(Session, refuses_a_limit_that_cannot_hold_the_longest_record_and_names_one_that_can) {
  try {
    SessionUnderTest under_test{{.message_octets = 60}};
    FAIL();
  } catch (const StartError& error) {
    EXPECT_NE(std::string{error.what()}.find("set it to 89 or more"), std::string::npos) << error.what();
  }
  SessionUnderTest under_test{{.message_octets = 89}};
  under_test.surroundings.interfaces.add(1, std::string(100, 'n'));
  under_test.add(20, start);
  for (const auto& message : under_test.full) EXPECT_LE(message.octets, 89u);
}

TEST(Session, all_records_arrive_as_they_were_added_whatever_the_limit_and_the_breaks) {
  std::mt19937 random{3};
  for (int round = 0; round < 100; ++round) {
    const auto delivery = random() % 2 ? Delivery::stream : Delivery::datagram;
    const auto limit = static_cast<std::uint16_t>(100 + random() % (round % 4 ? 1500 : 65000));
    SessionUnderTest under_test{{.delivery = delivery, .message_octets = limit, .template_refresh_messages = 7}};
    std::size_t added = 0;
    auto now = start;
    for (int step = 0; step < 20; ++step) {
      const auto count = random() % 50;
      under_test.add(count, now, static_cast<std::uint8_t>(random() % 2));
      added += count;
      now += std::chrono::milliseconds{random() % 30'000};
      under_test.session.tick(now);
      if (random() % 5 == 0) {
        under_test.session.next(now);  // made, never accepted
        under_test.session.begin(now);
        under_test.walker = Walker{};
        under_test.sequence = 0;
      }
      for (auto& message : under_test.take(now)) under_test.full.push_back(std::move(message));
    }
    under_test.session.owe_data();
    for (auto& message : under_test.take(now)) under_test.full.push_back(std::move(message));
    for (const auto& message : under_test.full) ASSERT_LE(message.octets, limit);
    ASSERT_EQ(records_of(under_test.full, 256) + records_of(under_test.full, 257), added);
    ASSERT_EQ(under_test.session.waiting(), Totals{});
    for (const auto& message : under_test.full)
      for (const auto& record : message.records)
        if (record.set == 256) {
          ASSERT_EQ(record.number(8), 0x0a000001u);
          ASSERT_EQ(record.number(1), *record.number(2) * 100);
          ASSERT_EQ(record.number(7), *record.number(2) - 1);
          ASSERT_EQ(record.number(6), 0x012u);
          ASSERT_EQ(record.number(14), 77u);
          ASSERT_EQ(record.number(136), 1u);
        }
  }
}

}  // namespace
}  // namespace weir::ipfix
