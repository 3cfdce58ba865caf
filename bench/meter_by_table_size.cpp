// SPDX-License-Identifier: BSD-3-Clause
// What does metering a packet cost, by the number of flows it may belong to? Headers are ready in memory, flows are
// drawn uniformly, nothing ends but what a full line of the table evicts. The answer is checked before its time counts:
// every packet and octet lies in the table or was evicted, and of a thousand packets not one evicts.
#include <benchmark/benchmark.h>

#include <cstring>
#include <numeric>
#include <random>

#include "flow/layout.hpp"
#include "flow/meter.hpp"

namespace {

using namespace weir;

/// One packet of flow number `flow`; addresses and ports are spread as random ones are.
Headers headers_of(std::uint64_t flow, IpVersion version) {
  std::mt19937_64 random{flow};
  Headers headers{.octets = 64, .protocol = protocol::udp, .ttl = 64, .version = version};
  const auto ends = random(), more = random();
  std::memcpy(headers.source.data(), &ends, 4);
  std::memcpy(headers.destination.data(), reinterpret_cast<const char*>(&ends) + 4, 4);
  if (version == IpVersion::v6) {
    std::memcpy(headers.source.data() + 8, &more, 8);
    std::memcpy(headers.destination.data() + 8, &ends, 8);
  }
  headers.source_port = static_cast<std::uint16_t>(more);
  headers.destination_port = static_cast<std::uint16_t>(more >> 16);
  return headers;
}

struct Traffic {
  static constexpr std::size_t slice = 1024, slices = 256;
  std::vector<Headers> headers;
  std::vector<Packet> packets;
  std::vector<std::uint16_t> which;

  Traffic(std::uint64_t flows, IpVersion version) : headers(slice * slices), packets(slice), which(slice) {
    std::mt19937_64 random{1};
    for (auto& each : headers) each = headers_of(random() % flows, version);
    for (auto& packet : packets) packet.stamp = packet.clock = Instant{std::chrono::seconds{1'700'000'000}};
    std::iota(which.begin(), which.end(), std::uint16_t{0});
  }
};

void meter_by_table_size(benchmark::State& state, IpVersion version, flow::FlowDirection direction) {
  const auto flows = static_cast<std::uint64_t>(state.range(0));
  const flow::MeterOptions options{
      .direction = direction, .capacity = std::max<std::size_t>(flows * 2, 1024), .hash_key = 1};
  const auto layouts = flow::make_layouts(options);
  constexpr auto slice_ends = Traffic::slice * flow::Ended::records_per_packet;
  flow::Ended ended{2 * slice_ends, layouts[0], layouts[1]};
  Totals evicted;
  const auto empty_ended = [&] {
    for (const unsigned pool : {0u, 1u})
      for (std::size_t i = 0; i < ended.of(pool).size(); ++i) evicted += layouts[pool].totals(ended.of(pool)[i]);
    ended.clear();
  };
  const auto meter = flow::make_meter(options);
  const Traffic traffic{flows, version};

  for (std::uint64_t i = 0; i < flows; i += Traffic::slice) {  // every flow is there before the clock starts
    std::vector<Headers> first(Traffic::slice);
    for (std::size_t j = 0; j < first.size(); ++j) first[j] = headers_of((i + j) % flows, version);
    meter->add(traffic.packets, first, {}, traffic.which, ended);
  }
  const auto before = meter->counters().packets;

  std::size_t at = 0;
  for (auto _ : state) {
    meter->add(traffic.packets, std::span{traffic.headers}.subspan(at * Traffic::slice, Traffic::slice), {},
               traffic.which, ended);
    if (ended.room() < slice_ends) empty_ended();
    at = at + 1 == Traffic::slices ? 0 : at + 1;
  }
  const auto added = state.iterations() * Traffic::slice;
  const auto in_table = meter->in_table();
  empty_ended();
  if (meter->counters().packets != before + added || in_table.packets + evicted.packets != before + added ||
      in_table.octets != 64 * in_table.packets || meter->live() > flows ||
      evicted.records > meter->counters().packets / 1000)
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
