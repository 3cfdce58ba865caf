// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/tick_clock.hpp"

#include <algorithm>
#include <cmath>

namespace weir::capture {
namespace {

__extension__ using Wide = __int128;

constexpr unsigned rate_bits = 40;
/// at() never leaves these bounds, whatever the ticks: 73 years either way.
constexpr Wide reach = Wide{1} << 61;

/// An error goes away with a time constant of 8 s: slow enough that a late reading (the thread was not running between
/// reading counter and clock) does no harm, fast enough that a learned rate has little to make good.
constexpr double slew_per_second = 1.0 / 8;

/// The rate is the mean of the intervals so far, then a running mean over about this many.
constexpr std::uint32_t intervals_remembered = 64;
/// DPDK rounds a TSC's frequency to 10 MHz, which is up to half a percent.
constexpr double rate_error_max = 0.01;
/// A known rate does not change by that much; the system's clock was moved by less than step_min, or a virtual machine
/// was. If it stays so, it is learned anew.
constexpr double strange_difference = 1000e-6;
constexpr std::uint32_t strange_max = 8;

double seconds(nanoseconds of) noexcept { return static_cast<double>(of.count()) * 1e-9; }

}  // namespace

TickClock::TickClock(double ticks_per_second, ClockReading first) noexcept
    : nominal_{1e9 / ticks_per_second}, last_{first}, base_{first.realtime} {
  set_rate(0);
}

nanoseconds TickClock::at(std::uint64_t ticks) const noexcept {
  const auto since = static_cast<std::int64_t>(ticks - last_.ticks);
  const auto wide = (Wide{since} * static_cast<Wide>(rate_)) >> rate_bits;
  return base_ + nanoseconds{static_cast<std::int64_t>(std::clamp(wide, -reach, reach))};
}

nanoseconds TickClock::discipline(ClockReading now) noexcept {
  if (static_cast<std::int64_t>(now.ticks - last_.ticks) <= 0) return nanoseconds{0};
  const auto amiss = now.realtime - (at(now.ticks) + offset_);
  const bool step = amiss >= step_min || amiss <= -step_min;
  if (!step) learn(now);
  bend(now.ticks, step ? nanoseconds{0} : amiss);
  last_ = now;
  if (!step) return nanoseconds{0};
  offset_ += amiss;
  return amiss;
}

/// From one reading to the next, and not from the line, which is being slewed.
void TickClock::learn(ClockReading now) noexcept {
  const auto ticks = static_cast<double>(now.ticks - last_.ticks);
  const auto measured = static_cast<double>((now.realtime - last_.realtime).count()) / (ticks * nominal_) - 1;
  if (std::abs(measured) > rate_error_max) return;
  if (learned_from_ > 1 && std::abs(measured - rate_error_) > strange_difference) {
    if (++strange_ < strange_max) return;
    learned_from_ = 0;
  }
  strange_ = 0;
  learned_from_ = std::min(learned_from_ + 1, intervals_remembered);
  rate_error_ += (measured - rate_error_) / learned_from_;
}

/// The line goes on from where it is now, a little faster or slower.
void TickClock::bend(std::uint64_t ticks, nanoseconds amiss) noexcept {
  const auto interval = static_cast<double>(ticks - last_.ticks) * nominal_ * 1e-9;
  // A reading may be late: what is slewed until then is never more than what is amiss.
  const auto slew = seconds(amiss) * std::min(slew_per_second, 1 / interval);
  base_ = at(ticks);
  set_rate(std::clamp(slew, -slew_max, slew_max));
}

void TickClock::set_rate(double slew) noexcept {
  rate_ = static_cast<std::uint64_t>(std::ldexp(nominal_ * (1 + rate_error_ + slew), rate_bits));
}

}  // namespace weir::capture
