// SPDX-License-Identifier: BSD-3-Clause
// The time of packets that no port stamps: one TSC reading a burst. And of those that a port stamps: its clock, or its
// Unix time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <weir/units.hpp>

#include "capture/live/tick_clock.hpp"
#include "capture/stamp.hpp"

namespace weir::capture {

struct HostTime {
  Instant clock;  ///< never goes back, and takes no part in setting the system's clock: flows end by it
  Instant stamp;  ///< the system's time: what records carry
};

/// A worker's own. Where the system's clock is set by a second or more, stamps follow at once and the clock goes on as
/// if nothing had been, so that flows neither all end nor live for ever.
class HostClock {
 public:
  HostClock(double tsc_per_second, ClockReading first) noexcept
      : line_{tsc_per_second, first}, latest_{first.realtime} {}

  /// The time of a burst. A TSC reading earlier than one before (another core's) does not turn the clock back.
  HostTime advance(std::uint64_t tsc) noexcept {
    latest_ = std::max(latest_, line_.at(tsc));
    return {Instant{latest_}, Instant{std::clamp(latest_ + line_.offset(), earliest, last_instant)}};
  }

  /// About once a second: the TSC and the system's clock at one moment. Returns how far the latter was set, 0 where it
  /// was not: for the log, and for Note::clock_jump.
  nanoseconds discipline(ClockReading now) noexcept;

  std::uint64_t steps() const noexcept { return steps_; }
  /// How much faster the TSC ticks than was said.
  double learned() const noexcept { return line_.learned(); }

 private:
  static constexpr nanoseconds earliest{0}, last_instant = stamp_latest.time_since_epoch();
  TickClock line_;
  nanoseconds latest_;
  std::uint64_t steps_ = 0;
};

/// A NIC's own clock, whose rate nobody tells: two readings make it known, later ones keep it.
class DeviceClock {
 public:
  /// At start, then about once a second. Returns how far the system's clock was set, 0 where it was not. A counter that
  /// went back (the port was reset) is begun anew.
  nanoseconds discipline(ClockReading now) noexcept;

  /// no_stamp before the second reading, and for ticks that are over a minute away from the last one.
  Instant stamp(std::uint64_t ticks) const noexcept;

 private:
  static constexpr nanoseconds far = std::chrono::minutes{1};
  std::optional<TickClock> line_;
  std::optional<ClockReading> last_;
};

/// Stamps that are Unix time already: `unix_microseconds.instant(value)`, no_stamp where that is after stamp_latest.
inline constexpr Resolution unix_microseconds{.multiply = 1000};  ///< net_pcap
inline constexpr Resolution unix_nanoseconds{.multiply = 1};

}  // namespace weir::capture
