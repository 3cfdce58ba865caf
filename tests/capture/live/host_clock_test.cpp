// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/host_clock.hpp"

#include <gtest/gtest.h>

#include <random>

namespace weir::capture {
namespace {

using namespace std::chrono_literals;

constexpr double said = 2.1e9;
constexpr nanoseconds start = 1'700'000'000s;

/// A machine whose TSC ticks `off` faster than is said, and whose system clock may be set.
struct Machine {
  explicit Machine(double off = 0) : ticks_per_second{said * (1 + off)} {}

  std::uint64_t tsc(nanoseconds since_start) const {
    return 1'000'000'000'000 +
           static_cast<std::uint64_t>(static_cast<double>(since_start.count()) * 1e-9 * ticks_per_second);
  }
  ClockReading read(nanoseconds since_start) { return {tsc(since_start), start + since_start + set_by + noise()}; }
  nanoseconds noise() {
    return noise_max == 0ns ? 0ns
                            : nanoseconds{std::uniform_int_distribution<std::int64_t>{0, noise_max.count()}(random)};
  }

  double ticks_per_second;
  nanoseconds set_by{0}, noise_max{0};
  std::mt19937_64 random{7};
};

nanoseconds apart(Instant at, nanoseconds since_start) {
  return std::chrono::abs(at.time_since_epoch() - start - since_start);
}

/// Readings once a second from `from` to `to`; the largest error of the clock between them.
nanoseconds worst(HostClock& clock, Machine& machine, std::chrono::seconds from, std::chrono::seconds to) {
  nanoseconds most{0};
  for (auto now = from; now < to; now += 1s) {
    EXPECT_EQ(clock.discipline(machine.read(now)), 0ns);
    for (const auto after : {0ms, 500ms, 999ms})
      most = std::max(most, apart(clock.advance(machine.tsc(now + after)).stamp, now + after));
  }
  return most;
}

TEST(HostClock, learns_how_fast_the_tsc_ticks) {
  for (const double off : {50e-6, -50e-6, 2300e-6}) {
    Machine machine{off};
    HostClock clock{said, machine.read(0s)};
    EXPECT_LT(worst(clock, machine, 1s, 180s), 3ms) << off;
    EXPECT_LT(worst(clock, machine, 180s, 600s), 1us) << off;
    EXPECT_NEAR(clock.learned(), off, 1e-6);
  }
}

TEST(HostClock, follows_readings_that_are_late_by_chance) {
  Machine machine{50e-6};
  machine.noise_max = 40us;
  HostClock clock{said, machine.read(0s)};
  worst(clock, machine, 1s, 180s);
  EXPECT_LT(worst(clock, machine, 180s, 3600s), 100us);
}

TEST(HostClock, slews_what_is_less_than_a_step_at_500_ppm_and_no_more) {
  Machine machine;
  HostClock clock{said, machine.read(0s)};
  worst(clock, machine, 1s, 60s);
  for (const auto set_by : {900ms, -100ms}) {
    machine.set_by = set_by;
    for (int i = 0; i < 3000; ++i) {
      const auto now = 60s + std::chrono::seconds{i};
      const auto before = clock.advance(machine.tsc(now)).clock;
      EXPECT_EQ(clock.discipline(machine.read(now)), 0ns);
      const auto second = clock.advance(machine.tsc(now + 1s)).clock - before;
      ASSERT_LE(std::chrono::abs(second - 1s), 501us) << "after " << i << " s";
    }
    EXPECT_LT(apart(clock.advance(machine.tsc(3060s)).stamp, 3060s + set_by), 1us);
    machine = Machine{};
    clock = HostClock{said, machine.read(0s)};
    worst(clock, machine, 1s, 60s);
  }
}

TEST(HostClock, an_hour_forward_or_back_moves_stamps_at_once_and_the_clock_not_at_all) {
  for (const nanoseconds hour : {1h, -1h}) {
    Machine machine{50e-6};
    HostClock clock{said, machine.read(0s)};
    worst(clock, machine, 1s, 300s);
    machine.set_by = hour;
    const auto step = clock.discipline(machine.read(300s));
    EXPECT_LT(std::chrono::abs(step - hour), 100us);
    EXPECT_EQ(clock.steps(), 1u);
    const auto after = clock.advance(machine.tsc(301s));
    EXPECT_LT(apart(after.clock, 301s), 100us);
    EXPECT_LT(apart(after.stamp, 301s + hour), 100us);
    // And it goes on being kept, on both sides of the step.
    for (auto now = 302s; now < 900s; now += 1s) EXPECT_EQ(clock.discipline(machine.read(now)), 0ns);
    const auto late = clock.advance(machine.tsc(900s));
    EXPECT_LT(apart(late.clock, 900s), 100us);
    EXPECT_LT(apart(late.stamp, 900s + hour), 1us);
    EXPECT_EQ(clock.steps(), 1u);
  }
}

TEST(HostClock, never_goes_back_whatever_the_tsc_and_the_system_say) {
  Machine machine{-300e-6};
  machine.noise_max = 300us;
  HostClock clock{said, machine.read(0s)};
  Instant before{};
  for (auto now = 0ms; now < 600s; now += 50ms) {
    if (now == 200s) machine.set_by = -1h;
    if (now % 1s == 0s) clock.discipline(machine.read(now));
    for (const std::uint64_t skew : {0, 90'000, 200'000}) {  // another core's TSC
      const auto at = clock.advance(machine.tsc(now) - skew).clock;
      ASSERT_GE(at, before);
      ASSERT_LT(apart(at, now), 2ms);
      before = at;
    }
  }
}

TEST(HostClock, keeps_its_rate_when_the_system_clock_is_moved_a_little) {
  Machine machine;
  HostClock clock{said, machine.read(0s)};
  worst(clock, machine, 1s, 60s);
  machine.set_by = 5ms;
  for (auto now = 60s; now < 100s; now += 1s) clock.discipline(machine.read(now));
  EXPECT_NEAR(clock.learned(), 0, 1e-6);
}

TEST(HostClock, learns_anew_where_the_machine_moved_to_another) {
  Machine machine, other{4000e-6};
  HostClock clock{said, machine.read(0s)};
  worst(clock, machine, 1s, 60s);
  const auto ahead = other.tsc(60s) - machine.tsc(60s);
  for (auto now = 60s; now < 600s; now += 1s) {
    auto reading = other.read(now);
    reading.ticks -= ahead;
    clock.discipline(reading);
  }
  EXPECT_NEAR(clock.learned(), 4000e-6, 1e-6);
  EXPECT_LT(apart(clock.advance(other.tsc(600s) - ahead).stamp, 600s), 100us);
}

TEST(HostClock, goes_on_when_the_system_clock_is_absurd) {
  Machine machine;
  HostClock clock{said, machine.read(0s)};
  EXPECT_EQ(clock.discipline({machine.tsc(1s), -5s}), 0ns);
  EXPECT_EQ(clock.discipline({machine.tsc(1s), nanoseconds::max()}), 0ns);
  EXPECT_LT(apart(clock.advance(machine.tsc(2s)).stamp, 2s), 1us);
}

TEST(DeviceClock, is_known_after_two_readings_and_kept_by_the_later_ones) {
  Machine machine{-150e-6};
  DeviceClock clock;
  EXPECT_EQ(clock.stamp(machine.tsc(0s)), no_stamp);
  clock.discipline(machine.read(0s));
  EXPECT_EQ(clock.stamp(machine.tsc(0s)), no_stamp);
  clock.discipline(machine.read(100ms));
  for (auto now = 1s; now < 100s; now += 1s) clock.discipline(machine.read(now));
  EXPECT_LT(apart(clock.stamp(machine.tsc(99s + 500ms)), 99s + 500ms), 1us);
  EXPECT_LT(apart(clock.stamp(machine.tsc(98s)), 98s), 1us) << "stamped before the last reading";
  machine.set_by = 1h;
  EXPECT_LT(std::chrono::abs(clock.discipline(machine.read(100s)) - 1h), 1us);
  EXPECT_LT(apart(clock.stamp(machine.tsc(100s)), 100s + 1h), 1us) << "stamps follow the system's clock";
}

TEST(DeviceClock, does_not_believe_ticks_from_far_away_and_begins_anew_after_a_reset) {
  Machine machine;
  DeviceClock clock;
  for (auto now = 0s; now < 10s; now += 1s) clock.discipline(machine.read(now));
  EXPECT_EQ(clock.stamp(0), no_stamp);
  EXPECT_EQ(clock.stamp(~std::uint64_t{0}), no_stamp);
  EXPECT_EQ(clock.stamp(machine.tsc(2min)), no_stamp);
  const auto reset = machine.tsc(10s) - 5;
  for (auto now = 10s; now < 13s; now += 1s) {
    auto reading = machine.read(now);
    reading.ticks -= reset;
    clock.discipline(reading);
  }
  EXPECT_LT(apart(clock.stamp(machine.tsc(12s) - reset), 12s), 1us);
}

TEST(UnixStamps, are_taken_as_they_are_and_refused_beyond_the_year_2200) {
  EXPECT_EQ(unix_microseconds.instant(1'700'000'000'000'001), Instant{1'700'000'000s + 1us});
  EXPECT_EQ(unix_nanoseconds.instant(1'700'000'000'000'000'001), Instant{1'700'000'000s + 1ns});
  EXPECT_EQ(unix_microseconds.instant(~std::uint64_t{0}), no_stamp);
  EXPECT_EQ(unix_nanoseconds.instant(~std::uint64_t{0}), no_stamp);
}

}  // namespace
}  // namespace weir::capture
