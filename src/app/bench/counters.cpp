// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/counters.hpp"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weir::app::bench {
namespace {

int open_event(std::uint64_t event, int group) noexcept {
  perf_event_attr about{};
  about.size = sizeof about;
  about.type = PERF_TYPE_HARDWARE;
  about.config = event;
  about.exclude_kernel = 1;
  about.exclude_hv = 1;
  about.read_format = PERF_FORMAT_GROUP;
  constexpr int this_thread = 0, any_cpu = -1;
  return static_cast<int>(::syscall(SYS_perf_event_open, &about, this_thread, any_cpu, group, PERF_FLAG_FD_CLOEXEC));
}

std::string trouble_of(int error) {
  if (error == EACCES || error == EPERM)
    return "the kernel forbids hardware counters: set kernel.perf_event_paranoid to 2 or less";
  if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV)
    return "this machine gives no hardware counters (a virtual machine often has none)";
  return fmt::format("there are no hardware counters: perf_event_open: {}", std::strerror(error));
}

}  // namespace

Counters::Counters() {
  constexpr std::array<std::uint64_t, events> numbers{PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS,
                                                      PERF_COUNT_HW_CACHE_MISSES};
  for (std::size_t i = 0; i < events; ++i) {
    group_[i] = Descriptor{open_event(numbers[i], i == 0 ? -1 : group_[0].number())};
    if (group_[i]) continue;
    trouble_ = trouble_of(errno);
    return;
  }
}

EventCounts Counters::read() const noexcept {
  struct {
    std::uint64_t count;
    EventCounts values;
  } group{};
  return ::read(group_[0].number(), &group, sizeof group) == sizeof group ? group.values : EventCounts{};
}

}  // namespace weir::app::bench
