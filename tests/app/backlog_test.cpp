// SPDX-License-Identifier: BSD-3-Clause
#include "app/backlog.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "app/outage.hpp"
#include "app/rotation.hpp"
#include "base/error.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;

struct Slow {
  TemplateId id;
  std::vector<std::byte> record;
  Totals totals;
};

Slow record(std::size_t octets, std::uint64_t number) {
  return {{static_cast<std::uint16_t>(256 + number % 2)},
          std::vector<std::byte>(octets, static_cast<std::byte>(number)),
          {1, number, 100 * number}};
}

TEST(Backlog, is_a_queue_that_loses_its_oldest_and_nothing_else) {
  std::mt19937 random{1};
  for (const std::size_t size : {96u, 200u, 1000u, 4096u}) {
    Backlog backlog{size};
    std::deque<Slow> twin;
    Totals waiting;
    const auto lose_front = [&](Totals& sum) {
      sum += twin.front().totals;
      twin.pop_front();
    };
    for (std::uint64_t i = 1; i < 20'000; ++i) {
      if (random() % 3 > 0) {
        const auto next = record(random() % (size / 4), i);
        const auto dropped = backlog.push(next.id, next.record, next.totals);
        twin.push_back(next);
        Totals expected;
        while (expected.records < dropped.records) lose_front(expected);
        ASSERT_EQ(dropped, expected);
        EXPECT_FALSE(twin.empty()) << "the new one stays";
      } else if (!twin.empty()) {
        const auto kept = backlog.oldest();
        ASSERT_EQ(kept.id, twin.front().id);
        ASSERT_EQ(kept.totals, twin.front().totals);
        ASSERT_TRUE(std::ranges::equal(kept.record, twin.front().record));
        backlog.pop();
        twin.pop_front();
      }
      waiting = {};
      for (const auto& one : twin) waiting += one.totals;
      ASSERT_EQ(backlog.waiting(), waiting);
      ASSERT_EQ(backlog.empty(), twin.empty());
    }
    EXPECT_EQ(backlog.clear(), waiting);
    EXPECT_TRUE(backlog.empty());
  }
}

TEST(Backlog, holds_as_much_as_it_was_given_and_no_record_longer_than_that) {
  Backlog backlog{10 * Backlog::taken_by(40)};
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(backlog.push({256}, record(40, i).record, {1, i, i}), Totals{});
  EXPECT_EQ(backlog.push({256}, record(40, 10).record, {1, 10, 10}), (Totals{1, 0, 0})) << "the first";
  EXPECT_EQ(backlog.push({256}, record(5'000, 11).record, {1, 11, 11}), (Totals{1, 11, 11})) << "itself";
  EXPECT_EQ(backlog.waiting().records, 10u);
}

TEST(Outage, is_told_once_when_it_begins_and_once_when_it_is_over) {
  Outage outage;
  const Outage::Time start{1h};
  EXPECT_FALSE(outage.is_over());
  EXPECT_TRUE(outage.is_news(start, 5));
  EXPECT_FALSE(outage.is_news(start + 1h, 5));
  outage.count_waiting();
  EXPECT_TRUE(outage.is_first_loss());
  EXPECT_FALSE(outage.is_first_loss());
  EXPECT_TRUE(outage.is_over());
  EXPECT_EQ(outage.waited(), 6u);
  EXPECT_FALSE(outage.is_over());
}

TEST(Outage, that_comes_back_all_day_is_told_every_ten_minutes) {
  Outage outage;
  unsigned begins = 0, ends = 0;
  for (auto time = Outage::Time{1h}; time < Outage::Time{25h}; time += 10s) {
    begins += outage.is_news(time, 0);
    ends += outage.is_over();
  }
  EXPECT_EQ(begins, 24u * 6);
  EXPECT_EQ(ends, begins) << "no end is told without its begin";
  EXPECT_EQ(outage.times(), 60u);
}

TEST(Outage, that_lasts_is_told_when_it_may) {
  Outage outage;
  EXPECT_TRUE(outage.is_news(Outage::Time{0s}, 0));
  EXPECT_TRUE(outage.is_over());
  EXPECT_FALSE(outage.is_news(Outage::Time{1min}, 0));
  EXPECT_TRUE(outage.is_news(Outage::Time{10min}, 0));
  EXPECT_EQ(outage.lasted(Outage::Time{10min}), 9min);
}

TEST(Rotation, names_files_by_the_time_in_UTC) {
  Rotation rotation{"here/flows-%Y%m%d-%H%M%S-%%.ipfix", 300s};
  const Instant start{1'700'000'123s + 400ms};
  EXPECT_EQ(rotation.first(start), "here/flows-20231114-221523-%.ipfix");
  EXPECT_FALSE(rotation.is_due(start + 270s));
  EXPECT_TRUE(rotation.is_due(start + 277s)) << "periods are whole multiples, not counted from the start";
  EXPECT_EQ(rotation.next(start + 278s), "here/flows-20231114-222000-%.ipfix");
  EXPECT_TRUE(rotation.is_due(start)) << "the clock was set back";
}

TEST(Rotation, refuses_a_name_that_would_be_every_files) {
  const auto complaint = [](const char* pattern) -> std::string {
    try {
      Rotation{pattern, 1s};
    } catch (const StartError& error) {
      return error.what();
    }
    return "";
  };
  for (const auto* wrong : {"flows.ipfix", "100%%.ipfix", "flows-%Y%", "flows-%Q", "flows-%s", "%Y/flows-%H", "-"})
    EXPECT_NE(complaint(wrong).find("; with export.rotate write it like flows-%Y"), std::string::npos) << wrong;
  EXPECT_EQ(complaint("flows-%F"), "");
}

}  // namespace
}  // namespace weir::app
