// SPDX-License-Identifier: BSD-3-Clause
#include "flow/table.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace weir::flow {
namespace {

/// Records that begin with their own hash, and say nothing else.
constexpr std::size_t octets = 64, mark_at = 8;

struct TableUnderTest {
  explicit TableUnderTest(std::size_t capacity) : table{capacity, {octets, mark_at}, {octets, mark_at}} {}

  void grow() {
    table.grow([](unsigned pool, const std::byte* record) { return describe(pool, record); });
  }
  std::byte* add(std::uint64_t hash, unsigned pool) {
    while (!table.has_room(table.line_of(hash)) && table.can_grow()) grow();
    if (!table.has_room(table.line_of(hash))) return nullptr;
    auto* record = table.insert(table.line_of(hash), Table::marked(hash, pool), pool, hint(hash));
    store_native(record, hash);
    store_native(record + mark_at, std::uint64_t{0});
    return record;
  }
  std::byte* find(std::uint64_t hash, unsigned pool) const {
    return table.find(table.line_of(hash), Table::marked(hash, pool),
                      [&](const std::byte* at) { return load_native<std::uint64_t>(at) == hash; });
  }
  std::optional<Place> likely(std::uint64_t hash, unsigned pool) const {
    const auto& line = table.line(table.line_of(hash));
    const auto ways = line.matches(Table::tag_of(Table::marked(hash, pool)));
    return ways ? std::optional{line.first_of(ways)} : std::nullopt;
  }
  static bool hint(std::uint64_t hash) { return (hash & 1) != 0; }
  static std::pair<std::uint64_t, bool> describe(unsigned pool, const std::byte* record) {
    const auto hash = load_native<std::uint64_t>(record);
    return {Table::marked(hash, pool), hint(hash)};
  }
  static Place place_of(const Table& table, const std::byte* record) {
    return Place::in(0, static_cast<std::uint32_t>((record - table.pool(0).record(0)) / std::ptrdiff_t{octets}));
  }

  Table table;
};

TEST(Table, has_lines_for_the_flows_there_are_and_finds_each_of_them_where_it_was) {
  TableUnderTest under{100'000};
  std::mt19937_64 random{1};
  std::vector<std::pair<std::uint64_t, std::byte*>> there;
  for (unsigned i = 0; i < 50'000; ++i) {
    const auto hash = random();
    there.emplace_back(hash, under.add(hash, i % 3 == 0));
    ASSERT_LE(under.table.lines(), 16 + i * 6 / 10) << "far more than a line for every two flows";
  }
  EXPECT_EQ(under.table.lines(), 12'501u) << "of 25,001";
  std::size_t foreseen = 0;
  for (unsigned i = 0; i < there.size(); ++i) {
    const auto [hash, record] = there[i];
    ASSERT_EQ(under.find(hash, i % 3 == 0), record);
    const auto likely = under.likely(hash, i % 3 == 0);
    foreseen += likely && under.table.record_at(*likely) == record && likely->hint() == TableUnderTest::hint(hash);
  }
  EXPECT_GT(foreseen, there.size() * 95 / 100) << "the others lie in the next line, or share a tag";
}

TEST(Table, doubles_its_lines_and_loses_no_random_key_while_it_does) {
  for (const std::size_t capacity : {1u << 16, 1u << 18}) {  // of these the last line is one more than a power of two
    TableUnderTest under{capacity};
    std::mt19937_64 random{capacity};
    std::vector<std::uint64_t> hashes;
    for (auto before = under.table.lines(); under.table.can_grow(); before = under.table.lines()) {
      while (under.table.lines() == before) ASSERT_NE(under.add(hashes.emplace_back(random()), 0), nullptr);
      EXPECT_GE(under.table.lines(), 2 * before - 1);
    }
    EXPECT_EQ(under.table.lines(), capacity / 4 + 1);
    for (const auto hash : hashes) ASSERT_NE(under.find(hash, 0), nullptr);
  }
}

TEST(Table, tells_when_a_share_more_flows_would_make_it_grow_and_never_beyond_its_capacity) {
  TableUnderTest under{1u << 12};
  std::mt19937_64 random{7};
  while (under.table.can_grow()) {
    const auto lines = under.table.lines(), room = 4 * lines;
    while (!under.table.grows_within_share(4)) ASSERT_NE(under.add(random(), 0), nullptr);
    ASSERT_EQ(under.table.lines(), lines) << "with this seed no key finds its lines full before";
    EXPECT_EQ(under.table.live(), room - room / 4 + 1);
    under.grow();
  }
  while (!under.table.full()) under.add(random(), 0);
  EXPECT_FALSE(under.table.grows_within_share(4));
}

TEST(Table, that_took_all_its_memory_has_all_its_lines) {
  TableUnderTest under{1'000};
  EXPECT_LT(under.table.lines(), 251u);
  under.table.touch();
  EXPECT_EQ(under.table.lines(), 251u);
  EXPECT_FALSE(under.table.can_grow());
}

TEST(Table, forgets_none_of_the_flows_that_went_while_it_grew) {
  TableUnderTest under{10'000};
  std::mt19937_64 random{2};
  std::vector<std::uint64_t> hashes;
  for (unsigned i = 0; i < 5'000; ++i) {
    hashes.push_back(random());
    auto* record = under.add(hashes.back(), 0);
    if (i % 2 == 0) continue;
    under.table.erase(Table::marked(hashes.back(), 0), TableUnderTest::place_of(under.table, record));
  }
  EXPECT_EQ(under.table.live(), 2'500u);
  for (unsigned i = 0; i < hashes.size(); ++i) EXPECT_EQ(under.find(hashes[i], 0) != nullptr, i % 2 == 0);
}

TEST(Table,
     of_hashes_that_all_lead_to_one_line_finds_what_two_lines_hold_and_lets_the_others_live_until_they_are_erased) {
  TableUnderTest under{1'000};
  std::vector<std::pair<std::uint64_t, std::byte*>> there;
  for (std::uint64_t i = 1; i <= 60; ++i) there.emplace_back(i << 48 | i << 26, under.add(i << 48 | i << 26, 0));
  const auto one_line = [](std::uint64_t hash) { return Table::marked(hash >> 48 << 48, 0); };
  while (under.table.can_grow())
    under.table.grow([&](unsigned, const std::byte* record) {
      return std::pair{one_line(load_native<std::uint64_t>(record)), false};
    });
  std::size_t found = 0;
  for (const auto& [hash, record] : there) {
    const auto is_it = [record = record](const std::byte* at) { return at == record; };
    found += under.table.find(under.table.line_of(one_line(hash)), one_line(hash), is_it) != nullptr;
  }
  EXPECT_EQ(found, 2 * TagLine::ways);
  EXPECT_EQ(under.table.live(), 60u);

  for (const auto& [hash, record] : there)
    under.table.erase(one_line(hash), TableUnderTest::place_of(under.table, record));
  EXPECT_EQ(under.table.live(), 0u);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(under.table.line(i).taken(), 0u);
  EXPECT_EQ(under.table.line(0).away, 0u);
  EXPECT_EQ(under.table.line(1).guests, 0u);
}

TEST(Table, has_as_candidates_of_a_line_its_first_four_and_the_last_of_fewer_again) {
  for (unsigned taken = 1; taken < 1u << TagLine::ways; ++taken) {
    TagLine line{};
    for (unsigned way = 0; way < TagLine::ways; ++way) line.tags[way] = taken >> way & 1;
    std::vector<unsigned> wanted, ways;
    for (unsigned way = 0; way < TagLine::ways && wanted.size() < 4; ++way)
      if (line.tags[way]) wanted.push_back(way);
    wanted.resize(4, wanted.back());
    line.candidates([&](unsigned way) { ways.push_back(way); });
    ASSERT_EQ(ways, wanted) << "taken " << taken;
  }
}

TEST(Table, gives_a_place_that_is_replaced_to_the_new_hash_and_forgets_the_old_one) {
  TableUnderTest under{1'000};
  const std::uint64_t old = 7ull << 48 | 5, fresh = 9ull << 48 | 6, other = 11ull << 48 | 7;
  auto* record = under.add(old, 1);
  auto* beside = under.add(other, 1);
  ASSERT_EQ(under.table.line_of(old), under.table.line_of(fresh));
  ASSERT_EQ(under.table.replace(under.table.line_of(fresh), 0, Table::marked(fresh, 1), true), record);
  store_native(record, fresh);
  EXPECT_EQ(under.find(old, 1), nullptr);
  EXPECT_EQ(under.find(fresh, 1), record);
  EXPECT_EQ(under.find(other, 1), beside);
  const auto likely = under.likely(fresh, 1);
  ASSERT_TRUE(likely);
  EXPECT_EQ(under.table.record_at(*likely), record);
  EXPECT_TRUE(likely->hint());
  EXPECT_EQ(under.table.live(), 2u);
}

TEST(Table, never_takes_the_tag_of_one_pool_for_one_of_the_other) {
  std::mt19937_64 random{3};
  for (int i = 0; i < 100'000; ++i) {
    const auto one = random(), other = random();
    ASSERT_NE(Table::tag_of(Table::marked(one, 0)), Table::tag_of(Table::marked(other, 1)));
    ASSERT_NE(Table::tag_of(Table::marked(one, 1)), 0) << "would be a free way";
  }
}

}  // namespace
}  // namespace weir::flow
