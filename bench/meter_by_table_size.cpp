// SPDX-License-Identifier: BSD-3-Clause
// What does metering a packet cost, by the number of flows it may belong to? Headers are ready in memory, flows are
// drawn uniformly, nothing ends but what a full line of the table evicts. The answer is checked before its time counts:
// every packet and octet lies in the table or was evicted, and of a thousand packets not one evicts.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "made_flows.hpp"

namespace {

using namespace weir;
using weir::bench::MeterOfFlows, weir::bench::headers_of;

constexpr std::size_t packets = std::size_t{1} << 18;

void meter_by_table_size(benchmark::State& state, IpVersion version, flow::FlowDirection direction) {
  const auto flows = static_cast<std::uint64_t>(state.range(0));
  MeterOfFlows table{
      {.direction = direction, .capacity = std::max<std::size_t>(flows * 2, MeterOfFlows::burst), .hash_key = 1}};
  table.fill(0, flows, version);  // every flow is there before the clock starts
  std::vector<Headers> headers;
  std::uint64_t random = 1;
  for (std::size_t i = 0; i < packets; ++i) headers.push_back(headers_of(next_word(random) % flows, version));

  std::size_t at = 0;
  for (auto _ : state) {
    table.add(std::span{headers}.subspan(at, MeterOfFlows::burst));
    at = (at + MeterOfFlows::burst) % packets;
  }
  const auto added = static_cast<std::uint64_t>(state.iterations()) * MeterOfFlows::burst;
  if (!table.books_balance() || table.meter().counters().packets != flows + added || table.meter().live() > flows ||
      table.evicted() > table.meter().counters().packets / 1000)
    state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(added));
}

BENCHMARK_CAPTURE(meter_by_table_size, ipv4_uniflow, IpVersion::v4, flow::FlowDirection::uniflow)
    ->Arg(1 << 10)
    ->Arg(1 << 16)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(meter_by_table_size, ipv4_biflow, IpVersion::v4, flow::FlowDirection::biflow)
    ->Arg(1 << 10)
    ->Arg(1 << 16)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(meter_by_table_size, ipv6_uniflow, IpVersion::v6, flow::FlowDirection::uniflow)
    ->Arg(1 << 10)
    ->Arg(1 << 16)
    ->Arg(1 << 20);

}  // namespace

BENCHMARK_MAIN();
