// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/balance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace weir::app {
namespace {

using Loads = std::vector<std::uint64_t>;
using Table = std::vector<std::uint16_t>;

TEST(Balance, one_entry_moves_from_the_busiest_queue_to_the_idlest) {
  const auto move = choose_move(Loads{900, 100, 0}, Table{0, 1, 2, 0, 1, 2}, 0);
  ASSERT_TRUE(move);
  EXPECT_EQ(move->entry, 0u);
  EXPECT_EQ(move->from, 0u);
  EXPECT_EQ(move->to, 2u);
  EXPECT_EQ(choose_move(Loads{900, 100, 0}, Table{0, 1, 2, 0, 1, 2}, 1)->entry, 3u) << "the next turn, another entry";
}

TEST(Balance, nothing_moves_while_no_queue_has_half_as_much_again_as_the_mean) {
  EXPECT_FALSE(choose_move(Loads{150, 100, 50}, Table{0, 1, 2, 0, 1, 2}, 0));
  EXPECT_FALSE(choose_move(Loads{0, 0}, Table{0, 1}, 0));
  EXPECT_FALSE(choose_move(Loads{1000}, Table{0, 0}, 0));
}

TEST(Balance, the_busiest_queue_keeps_an_entry) {
  Table table{0, 0, 0, 1};
  for (std::size_t turn = 0; turn < 10; ++turn)
    if (const auto move = choose_move(Loads{1000, 0}, table, turn)) table[move->entry] = move->to;
  EXPECT_EQ(std::ranges::count(table, 0), 1);
}

}  // namespace
}  // namespace weir::app
