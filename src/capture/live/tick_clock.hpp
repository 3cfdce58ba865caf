// SPDX-License-Identifier: BSD-3-Clause
// A counter of ticks (TSC, NIC clock) turned into time, from readings of the counter beside the system's clock.
#pragma once

#include <cstdint>
#include <weir/units.hpp>

namespace weir::capture {

/// Both read at one moment: best the system's clock between two readings of the counter that lie close together.
struct ClockReading {
  std::uint64_t ticks = 0;
  nanoseconds realtime{};  ///< since 1970
};

/// Ticks → nanoseconds. Between readings it is a straight line; a reading bends the line, never breaks it: what is
/// amiss goes away at no more than `slew_max`, and how fast the counter really ticks is learned beside that. A reading
/// that is `step_min` or more away means that the system's clock was set: the line stays, and `offset` has the rest.
class TickClock {
 public:
  static constexpr nanoseconds step_min = std::chrono::seconds{1};
  static constexpr double slew_max = 500e-6;

  TickClock(double ticks_per_second, ClockReading first) noexcept;

  /// The line's time. Ticks may be from before the last reading.
  nanoseconds at(std::uint64_t ticks) const noexcept;

  /// About once a second. Returns how far the system's clock was set, 0 where it was not. A reading that is not later
  /// than the last one changes nothing.
  nanoseconds discipline(ClockReading now) noexcept;

  /// The system's clock is at() + offset().
  nanoseconds offset() const noexcept { return offset_; }
  /// How much faster the counter ticks than was said at construction, as far as is known: 50e-6 is 50 ppm.
  double learned() const noexcept { return 1 / (1 + rate_error_) - 1; }

 private:
  void learn(ClockReading now) noexcept;
  void bend(std::uint64_t ticks, nanoseconds amiss) noexcept;
  void set_rate(double slew) noexcept;

  double nominal_;         // nanoseconds a tick
  double rate_error_ = 0;  // of nominal_: a tick takes nominal_ × (1 + rate_error_)
  std::uint32_t learned_from_ = 0, strange_ = 0;
  std::uint64_t rate_ = 0;  // nanoseconds a tick × 2^rate_bits
  ClockReading last_;       // the last reading, as it was
  nanoseconds base_;        // the line at last_.ticks
  nanoseconds offset_{0};
};

}  // namespace weir::capture
