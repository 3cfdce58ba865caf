// SPDX-License-Identifier: BSD-3-Clause
// What does it cost to begin a flow, where the table has room, and where another must end for it? Every packet is of a
// flow that was not there; ended records are copied out, as for the exporter.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "made_flows.hpp"

namespace {

using weir::bench::MeterOfFlows, weir::bench::headers_of;

constexpr std::size_t flows_between_clocks = std::size_t{1} << 16;

/// The next flows that nobody has seen, in bursts.
class Strangers {
 public:
  void make(std::size_t flows) {
    headers_.clear();
    for (std::size_t i = 0; i < flows; ++i) headers_.push_back(headers_of(next_++));
    at_ = 0;
  }
  std::span<const weir::Headers> burst() {
    return std::span{headers_}.subspan(std::exchange(at_, at_ + MeterOfFlows::burst), MeterOfFlows::burst);
  }
  bool more() const { return at_ < headers_.size(); }

 private:
  std::vector<weir::Headers> headers_;
  std::size_t at_ = 0;
  std::uint64_t next_ = std::uint64_t{1} << 32;
};

void evict(benchmark::State& state) {
  const auto places = static_cast<std::size_t>(state.range(0));
  MeterOfFlows table{{.capacity = places, .hash_key = 1}};
  table.fill(0, 2 * places);
  Strangers strangers;
  const auto packets_before = table.meter().counters().packets;
  const auto before = table.evicted();
  for (auto _ : state) {
    if (!strangers.more()) {
      state.PauseTiming();
      strangers.make(flows_between_clocks);
      state.ResumeTiming();
    }
    table.add(strangers.burst());
  }
  const auto added = table.meter().counters().packets - packets_before;
  const auto evicted = table.evicted() - before;
  if (!table.books_balance() || table.meter().live() > places || evicted > added || added - evicted > places)
    state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(added));
}

/// A table with room for all that comes between two readings of the clock; then another one.
void insert(benchmark::State& state) {
  const auto places = static_cast<std::size_t>(state.range(0));
  const auto flows = std::min(places, flows_between_clocks);
  std::unique_ptr<MeterOfFlows> table;
  Strangers strangers;
  bool right = true;
  for (auto _ : state) {
    if (!strangers.more()) {
      state.PauseTiming();
      if (table) right &= table->books_balance() && table->meter().live() > flows * 999 / 1000;
      table = std::make_unique<MeterOfFlows>(weir::flow::MeterOptions{.capacity = places, .hash_key = 1});
      table->meter().touch();
      strangers.make(flows);
      state.ResumeTiming();
    }
    table->add(strangers.burst());
  }
  if (!right || !table->books_balance()) state.SkipWithError("wrong answer");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(MeterOfFlows::burst));
}

BENCHMARK(insert)->ArgName("places")->Arg(1 << 16)->Arg(1 << 20);
BENCHMARK(evict)->ArgName("places")->Arg(1 << 16)->Arg(1 << 20);

}  // namespace

BENCHMARK_MAIN();
