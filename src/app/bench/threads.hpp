// SPDX-License-Identifier: BSD-3-Clause
// The same work in several threads, each on a CPU of its own.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <exception>
#include <thread>
#include <vector>

namespace weir::app::bench {

/// The thread that calls. Where the kernel does not let it, it runs where it may.
inline void pin_to(unsigned cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

/// work(i) for each i of `cpus`, on cpus[i], all at once. What one throws is thrown when all have ended.
template <class Work>
void in_threads(const std::vector<unsigned>& cpus, Work work) {
  std::vector<std::exception_ptr> thrown(cpus.size());
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < cpus.size(); ++i)
      threads.emplace_back([&, i] {
        pin_to(cpus[i]);
        try {
          work(i);
        } catch (...) {
          thrown[i] = std::current_exception();
        }
      });
  }
  for (const auto& each : thrown)
    if (each) std::rethrow_exception(each);
}

}  // namespace weir::app::bench
