// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/export_loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace weir::app {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

/// Who finds fewer records lets them become more: one at a time they would keep a core busy.
constexpr std::size_t worth_looking_again = 256;

/// Too short for a worker to fill its ring meanwhile: the quickest do not end 50 M records a second.
std::chrono::nanoseconds pause_longest(std::span<const std::unique_ptr<Worker>> workers) noexcept {
  constexpr std::chrono::nanoseconds longest = milliseconds{1}, a_record{20};
  auto pause = longest;
  for (const auto& worker : workers)
    pause = std::min(pause, a_record * static_cast<std::int64_t>(worker->outlet().capacity()));
  return pause;
}

Totals since(const Totals& before, const Totals& now) noexcept {
  return {now.records - before.records, now.packets - before.packets, now.octets - before.octets};
}

}  // namespace

void ExportLoop::run() noexcept {
  constexpr milliseconds tick_period{10};
  constexpr std::uint32_t looks_at_once = 16;
  Pause::sleep_precisely();
  Pause pause{pause_longest(workers_), looks_at_once};
  for (auto next_tick = Steady::now();;) {
    const bool last = std::ranges::all_of(workers_, [](const auto& worker) { return worker->finished(); });
    const auto moved = drain();
    const bool more = exporter_.service();
    if (const auto now = Steady::now(); now >= next_tick || last) {
      tick();
      next_tick = now + tick_period;
    }
    answer();
    if (last && moved == 0) break;
    pause.after(moved >= worth_looking_again || more);
  }
  exporter_.finish(stamp_);
  publish();
}

std::size_t ExportLoop::drain() noexcept {
  std::size_t moved = 0;
  for (std::size_t worker = 0; worker < workers_.size(); ++worker)
    for (unsigned family = 0; family < Outlet::families; ++family) moved += drain(worker, family);
  return moved;
}

std::size_t ExportLoop::drain(std::size_t worker, unsigned family) noexcept {
  constexpr std::size_t records_at_once = 1024;  // then it is the others' turn
  auto& outlet = workers_[worker]->outlet();
  auto records = outlet.front(family);
  const auto count = std::min(records.size(), records_at_once);
  if (count == 0) return 0;
  records = records.first(count);
  for (std::size_t i = 0; i < count && records.layout->by_addresses; ++i)
    splits_.observe(keys_[family](records[i]), static_cast<unsigned>(worker), clock_);
  exporter_.add(records, stamp_);
  outlet.pop(family, count);
  return count;
}

/// What workers have counted goes into the options records; the newest of their clocks is ours.
void ExportLoop::tick() noexcept {
  PacketTallies packets;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const auto counters = workers_[i]->counters();
    packets += counters.packets;
    clock_ = std::max(clock_, counters.clock);
    stamp_ = std::max(stamp_, counters.stamp);
    exporter_.not_handed_over(since(std::exchange(lost_[i], counters.not_handed_over), counters.not_handed_over));
  }
  std::size_t sequence = 0;
  for (const auto& worker : workers_)
    for (const auto& queue : worker->queues())
      exporter_.count_selection(sequence++, queue->observed.load(std::memory_order_relaxed),
                                queue->selected.load(std::memory_order_relaxed));
  for (std::size_t i = 0; i < losses_.size(); ++i)
    for (const auto cause : capture::port_losses)
      if (capture::costs_a_packet(cause))
        exporter_.count_missed(static_cast<std::uint32_t>(i + 1), capture::text_of(cause).name,
                               losses_[i][static_cast<std::size_t>(cause)].load(std::memory_order_relaxed));
  exporter_.tick(stamp_, metering_totals(packets));
  publish();
}

void ExportLoop::answer() noexcept {
  auto* request = request_.load(std::memory_order_acquire);
  if (!request) return;
  constexpr unsigned rounds_max = 10'000;
  for (unsigned round = 0; round < rounds_max && drain() > 0; ++round) exporter_.service();  // what ended before it
  request->run(exporter_, stamp_);
  request_.store(nullptr, std::memory_order_relaxed);
  request->done.store(true, std::memory_order_release);
}

void ExportLoop::publish() noexcept { published_.offer({splits_.counts(), exporter_.report()}); }

}  // namespace weir::app
