// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/exporting.hpp"

#include <algorithm>
#include <chrono>

#include "app/bench/cpu_time.hpp"
#include "app/bench/threads.hpp"
#include "app/live/pause.hpp"

namespace weir::app::bench {

Exporting::Exporting(std::span<const std::unique_ptr<Lane>> lanes, std::span<const RecordLayout> layouts, unsigned cpu)
    : lanes_{lanes}, encoder_{layouts}, thread_{[this, cpu](const std::stop_token& stop) {
        pin_to(cpu);
        run(stop);
      }} {}

Exporting::Work Exporting::settle() const noexcept {
  for (const auto& lane : lanes_)
    while (lane->outlet().size() > 0) std::this_thread::sleep_for(std::chrono::microseconds{100});
  return work_;
}

void Exporting::run(const std::stop_token& stop) noexcept {
  Pause::sleep_precisely();
  Pause pause{std::chrono::milliseconds{1}};
  while (!stop.stop_requested()) {
    std::size_t moved = 0;
    for (const auto& lane : lanes_)
      for (unsigned family = 0; family < Outlet::families; ++family) moved += drain(*lane, family);
    pause.after(moved);
  }
}

std::size_t Exporting::drain(Lane& lane, unsigned family) noexcept {
  constexpr std::size_t records_at_once = 1024;
  auto records = lane.outlet().front(family);
  const auto count = std::min(records.size(), records_at_once);
  if (count == 0) return 0;
  records = records.first(count);
  work_.took += cpu_time_of([&] { encoder_.add(records, {}); });
  work_.encoded = encoder_.encoded();
  lane.outlet().pop(family, count);
  return count;
}

}  // namespace weir::app::bench
