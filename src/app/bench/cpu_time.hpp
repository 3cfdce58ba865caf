// SPDX-License-Identifier: BSD-3-Clause
// What a thread has had of its CPU: on a machine that is not idle the clock on the wall measures the others, too.
#pragma once

#include <time.h>

#include <chrono>

namespace weir::app::bench {

inline std::chrono::nanoseconds cpu_time_of_thread() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

/// What `work()` takes of it.
template <class Work>
std::chrono::nanoseconds cpu_time_of(Work work) {
  const auto begin = cpu_time_of_thread();
  work();
  return cpu_time_of_thread() - begin;
}

}  // namespace weir::app::bench
