// SPDX-License-Identifier: BSD-3-Clause
// What does a look at one flow cost a sweep, where it finds none that is over, and where all of them are?
#include <benchmark/benchmark.h>

#include "made_flows.hpp"

namespace {

using weir::bench::MeterOfFlows;
using namespace std::chrono_literals;

constexpr auto ten_years = 315'360'000s, sweep_longest = 3600s;

void nothing_is_over(benchmark::State& state) {
  const auto flows = static_cast<std::size_t>(state.range(0));
  MeterOfFlows table{{.timeout_idle = ten_years,
                      .timeout_active = ten_years,
                      .tcp_close = weir::flow::TcpClose::off,
                      .capacity = flows,
                      .hash_key = 1},
                     flows + 2 * MeterOfFlows::burst * 12};
  table.fill(0, flows);
  const auto live = table.meter().live();
  table.empty_ended();
  auto now = weir::bench::begin;
  table.expire(now);
  std::size_t sweeps = 0;
  for (auto _ : state) {
    // After an hour all of the table is due. Years of them would end flows: time then starts anew with other packets.
    if (++sweeps > 80'000) return state.SkipWithError("too many rounds: the flows would end");
    table.expire(now += sweep_longest);
  }
  if (!table.books_balance() || table.meter().live() != live || table.ended().of(0).size() > 0)
    state.SkipWithError("wrong answer");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(live));
}

void all_is_over(benchmark::State& state) {
  const auto flows = static_cast<std::size_t>(state.range(0));
  MeterOfFlows table{{.capacity = flows, .hash_key = 1}, flows + 2 * MeterOfFlows::burst * 12};
  auto now = weir::bench::begin;
  std::size_t ended = 0;
  bool right = true;
  for (auto _ : state) {
    state.PauseTiming();
    table.tell(now);
    table.fill(0, flows);
    table.expire(now);
    table.empty_ended();
    ended += table.meter().live();
    state.ResumeTiming();
    table.expire(now += 20s);
    right &= table.meter().live() == 0;
  }
  if (!right || !table.books_balance()) state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(ended));
}

BENCHMARK(nothing_is_over)->ArgName("flows")->Arg(1 << 16)->Arg(1 << 20)->MinTime(0.2);
BENCHMARK(all_is_over)->ArgName("flows")->Arg(1 << 16)->Arg(1 << 20);

}  // namespace

BENCHMARK_MAIN();
