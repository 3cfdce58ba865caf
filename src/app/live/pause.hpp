// SPDX-License-Identifier: BSD-3-Clause
// What a polling thread does when there is nothing to do: first it looks again at once, then it sleeps longer and
// longer, so that an idle probe leaves the core to others.
#pragma once

#include <immintrin.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace weir::app {

class Pause {
 public:
  /// Never sleeps longer than `longest` at a time; 0: never sleeps. Before that it looks so many times at once.
  explicit Pause(std::chrono::nanoseconds longest, std::uint32_t looks_at_once = 256) noexcept
      : looks_at_once_{looks_at_once}, longest_{longest} {}

  /// Once in the thread that pauses: the kernel adds 50 µs to every sleep unless it is told not to.
  static void sleep_precisely() noexcept { prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0); }

  /// After each look, with how much it found.
  void after(std::size_t found) noexcept {
    if (found > 0) {
      empty_ = 0;
      next_ = shortest;
    } else if (++empty_ < looks_at_once_ || longest_.count() == 0) {
      _mm_pause();
    } else {
      const auto length = std::min(next_, longest_);
      next_ = std::min(2 * next_, longest_);
      const timespec time{.tv_sec = 0, .tv_nsec = static_cast<long>(length.count())};
      ::nanosleep(&time, nullptr);
      ++sleeps_;
    }
  }
  std::uint64_t sleeps() const noexcept { return sleeps_; }
  /// Nothing has been found for so long that it sleeps, or would.
  bool for_long() const noexcept { return empty_ >= looks_at_once_; }

 private:
  static constexpr std::chrono::nanoseconds shortest{2'000};
  std::uint32_t looks_at_once_;
  std::chrono::nanoseconds longest_, next_ = shortest;
  std::uint32_t empty_ = 0;
  std::uint64_t sleeps_ = 0;
};

}  // namespace weir::app
