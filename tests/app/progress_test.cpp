// SPDX-License-Identifier: BSD-3-Clause
#include "app/progress.hpp"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

using namespace std::chrono_literals;
constexpr Progress::Time start{1000h};

TEST(Progress, shows_nothing_in_the_first_second_and_wipes_nothing) {
  Progress progress{start, 1000};
  EXPECT_EQ(progress.update(start + 999ms, 500, 5), "");
  EXPECT_EQ(progress.clear(), "");
}

TEST(Progress, tells_share_rate_and_time_left) {
  Progress progress{start, 1000};
  EXPECT_EQ(progress.update(start + 20s, 200, 5'000'000),
            "\r 20 % [======                        ] 0.25 M packets/s, 1:20 left\x1b[K");
  EXPECT_EQ(progress.clear(), "\r\x1b[K");
  EXPECT_EQ(progress.clear(), "");
}

TEST(Progress, is_updated_at_most_five_times_a_second) {
  Progress progress{start, 1000};
  int updates = 0;
  for (auto now = start + 1s; now < start + 2s; now += 1ms) updates += !progress.update(now, 1, 1).empty();
  EXPECT_EQ(updates, 5);
}

TEST(Progress, leaves_out_what_cannot_be_known) {
  Progress endless{start, 0};
  EXPECT_EQ(endless.update(start + 2s, 10, 4'000'000), "\r4000000 packets, 2.00 M packets/s\x1b[K");
}

TEST(Progress, stays_within_its_line_whatever_the_numbers) {
  Progress grown{start, 10};
  EXPECT_TRUE(grown.update(start + 1s, ~0ull, ~0ull).starts_with("\r100 % [=============================="));
  Progress stuck{start, ~0ull};
  EXPECT_LT(stuck.update(start + 100'000h, 0, 0).size(), 100u);
}

}  // namespace
}  // namespace weir::app
