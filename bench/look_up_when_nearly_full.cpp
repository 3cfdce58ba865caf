// SPDX-License-Identifier: BSD-3-Clause
// What does a look-up cost, with its account, the fuller the table is? A million places, far beyond the nearer caches;
// packets fall on all flows alike, and all are found.
#include <benchmark/benchmark.h>

#include <vector>

#include "made_flows.hpp"

namespace {

using weir::bench::MeterOfFlows, weir::bench::headers_of;

constexpr std::size_t places = std::size_t{1} << 20, looked_up = std::size_t{1} << 18;

void look_up_when_nearly_full(benchmark::State& state) {
  const auto flows = places * static_cast<std::size_t>(state.range(0)) / 100;
  MeterOfFlows table{{.capacity = places, .hash_key = 1}};
  table.fill(0, flows);
  std::vector<weir::Headers> wanted;
  std::uint64_t random = 1;
  for (std::size_t i = 0; i < looked_up; ++i) wanted.push_back(headers_of(weir::next_word(random) % flows));

  std::size_t at = 0;
  for (auto _ : state) {
    table.add(std::span{wanted}.subspan(at, MeterOfFlows::burst));
    at = (at + MeterOfFlows::burst) % looked_up;
  }
  // Fewer than 1 in 10,000 flows are evicted for want of a place; what is looked up is there but for those.
  if (!table.books_balance() || table.meter().live() > flows ||
      table.evicted() > table.meter().counters().packets / 1000)
    state.SkipWithError("wrong answer");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(MeterOfFlows::burst));
}

BENCHMARK(look_up_when_nearly_full)->ArgName("percent")->Arg(25)->Arg(50)->Arg(87)->Arg(99);

}  // namespace

BENCHMARK_MAIN();
