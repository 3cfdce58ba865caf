// SPDX-License-Identifier: BSD-3-Clause
// What does it cost a worker to hand a record over to another thread, by octets of the record and by records at a time?
// Waiting is not in it: where the ring is full, the clock stands until it is empty. With one core the two take turns,
// and no line of memory goes to and fro between caches: that costs less than it will.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "base/spsc_ring.hpp"

namespace {

using weir::SpscRing;

constexpr std::size_t places = std::size_t{1} << 14;

/// Takes all there is, as the exporter does; sums up the first word of each record.
class Taker {
 public:
  explicit Taker(SpscRing& ring) : ring_{ring}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}
  std::uint64_t finish() {
    thread_.request_stop();
    thread_.join();
    return sum_;
  }

 private:
  void run(const std::stop_token& stop) {
    for (bool last = false; !last;) {
      last = stop.stop_requested();
      for (auto there = ring_.front(); !there.empty(); there = ring_.front()) {
        for (std::size_t at = 0; at < there.size(); at += ring_.element_octets())
          sum_ += weir::load_native<std::uint64_t>(there.data() + at);
        ring_.pop(there.size() / ring_.element_octets());
      }
    }
  }

  SpscRing& ring_;
  std::uint64_t sum_ = 0;
  std::jthread thread_;
};

void ring_hand_over(benchmark::State& state) {
  const auto octets = static_cast<std::size_t>(state.range(0)), at_once = static_cast<std::size_t>(state.range(1));
  SpscRing ring{places, octets};
  ring.touch();
  Taker taker{ring};
  std::vector<std::byte> records(octets * at_once);
  std::uint64_t number = 0, sum = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < at_once; ++i) {
      weir::store_native(records.data() + i * octets, ++number);
      sum += number;
    }
    // A worker would count what does not fit; here nothing may be lost.
    for (std::size_t given = ring.push(records.data(), at_once); given < at_once;) {
      state.PauseTiming();
      while (ring.size() > 0) std::this_thread::yield();
      state.ResumeTiming();
      given += ring.push(records.data() + given * octets, at_once - given);
    }
  }
  if (taker.finish() != sum) state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(number));
}

BENCHMARK(ring_hand_over)->ArgNames({"octets", "at_once"})->ArgsProduct({{64, 128}, {1, 32, 256}});

}  // namespace

BENCHMARK_MAIN();
