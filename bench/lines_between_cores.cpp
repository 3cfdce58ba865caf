// SPDX-License-Identifier: BSD-3-Clause
// What does a line of memory cost that one core writes and another one reads, again and again? So much at least two
// workers pay for what they give each other, however they do it. Each side asks for its lines early. One fills a half
// of the memory while the other reads the other half; waiting for one another is not in the times. items_per_second are
// lines written, `reader` is what the reader takes for one, ns. With one CPU it says nothing.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <weir/bytes.hpp>

#include "base/pages.hpp"
#include "base/prefetch.hpp"

namespace {

using namespace weir;
using Clock = std::chrono::steady_clock;

constexpr std::size_t line = 64, ahead = 32;

/// Two halves, each of so many lines.
struct Halves {
  explicit Halves(std::size_t lines) : half{lines * line}, memory{2 * half} {}
  std::byte* of(std::uint64_t round) const { return memory.data() + round % 2 * half; }

  void await_read(std::uint64_t rounds) const {
    while (read.load(std::memory_order_acquire) < rounds) {
    }
  }

  std::size_t half;
  Pages memory;
  alignas(line) std::atomic<std::uint64_t> written = 0;  ///< rounds
  alignas(line) std::atomic<std::uint64_t> read = 0;
};

void write(std::byte* at, std::size_t octets, std::uint64_t value) {
  for (std::size_t i = 0; i < octets; i += line) {
    prefetch_to_write(at + std::min(i + ahead * line, octets - line));
    for (std::size_t word = 0; word < line; word += 8) store_native(at + i + word, value + i);
  }
}
std::uint64_t sum_of(const std::byte* at, std::size_t octets) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets; i += line) {
    prefetch(at + std::min(i + ahead * line, octets - line));
    for (std::size_t word = 0; word < line; word += 8) sum += load_native<std::uint64_t>(at + i + word);
  }
  return sum;
}

void lines_between_cores(benchmark::State& state) {
  const auto lines = static_cast<std::size_t>(state.range(0));
  Halves halves{lines};
  std::uint64_t round = 0, sum = 0, wanted = 0;
  Clock::duration reading{};
  std::jthread reader{[&](const std::stop_token& stop) {
    for (std::uint64_t next = 0;; ++next) {
      while (halves.written.load(std::memory_order_acquire) == next)
        if (stop.stop_requested()) return;
      const auto since = Clock::now();
      sum += sum_of(halves.of(next), halves.half);
      reading += Clock::now() - since;
      halves.read.store(next + 1, std::memory_order_release);
    }
  }};
  for (auto _ : state) {
    halves.await_read(round - std::min<std::uint64_t>(round, 1));
    const auto since = Clock::now();
    write(halves.of(round), halves.half, round);
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - since).count());
    wanted += 8 * (lines * round + line * lines * (lines - 1) / 2);
    halves.written.store(++round, std::memory_order_release);
  }
  halves.await_read(round);
  reader.request_stop();
  reader.join();
  if (sum != wanted) state.SkipWithError("wrong answer");
  const auto moved = static_cast<double>(round * lines);
  state.SetItemsProcessed(static_cast<std::int64_t>(round * lines));
  state.counters["reader"] = std::chrono::duration<double, std::nano>(reading).count() / moved;
}

BENCHMARK(lines_between_cores)->Arg(1 << 10)->Arg(1 << 12)->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
