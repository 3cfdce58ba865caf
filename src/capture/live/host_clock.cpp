// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/host_clock.hpp"

namespace weir::capture {

nanoseconds HostClock::discipline(ClockReading now) noexcept {
  if (now.realtime < earliest || now.realtime > last_instant) return nanoseconds{0};
  const auto step = line_.discipline(now);
  steps_ += step != nanoseconds{0};
  return step;
}

nanoseconds DeviceClock::discipline(ClockReading now) noexcept {
  if (last_ && static_cast<std::int64_t>(now.ticks - last_->ticks) < 0) {
    line_.reset();
    last_.reset();
  }
  nanoseconds step{0};
  if (line_) {
    step = line_->discipline(now);
  } else if (last_ && now.ticks != last_->ticks && now.realtime > last_->realtime) {
    const std::chrono::duration<double> between = now.realtime - last_->realtime;
    line_.emplace(static_cast<double>(now.ticks - last_->ticks) / between.count(), now);
  }
  last_ = now;
  return step;
}

Instant DeviceClock::stamp(std::uint64_t ticks) const noexcept {
  if (!line_) return no_stamp;
  const auto at = line_->at(ticks) + line_->offset();
  const auto away = at - last_->realtime;
  if (away > far || away < -far || at < nanoseconds{0} || Instant{at} > stamp_latest) return no_stamp;
  return Instant{at};
}

}  // namespace weir::capture
