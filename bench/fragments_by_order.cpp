// SPDX-License-Identifier: BSD-3-Clause
// What does a fragment cost, by the order in which a datagram's fragments come? Headers are ready in memory, all of
// them of 1024 flows that are there already. The answer is checked: as many joined, or had ports 0, as must; and every
// packet was metered or waits.
#include <benchmark/benchmark.h>

#include <numeric>

#include "flow/fragments.hpp"
#include "flow/layout.hpp"

namespace {

using namespace weir;

enum class Order : std::uint8_t { whole, first_first, first_last, no_first, no_later };

constexpr std::size_t slice = 1024;

/// Datagrams of two fragments, or packets that are whole, or halves that never meet.
struct Traffic {
  std::vector<Headers> headers;
  std::vector<Packet> packets;
  flow::Chosen which{slice};
  std::uint32_t next_id = 0;
  Instant clock{std::chrono::seconds{1'700'000'000}};

  Traffic() : headers(slice), packets(slice) {}

  static Fragment part_of(Order order, std::size_t i) noexcept {
    if (order == Order::whole) return Fragment::none;
    if (order == Order::no_first || order == Order::no_later)
      return order == Order::no_first ? Fragment::later : Fragment::first;
    return (i % 2 == 0) == (order == Order::first_first) ? Fragment::first : Fragment::later;
  }

  /// Ten million packets a second.
  void make(Order order) {
    const bool pairs = order == Order::first_first || order == Order::first_last;
    which.clear();
    for (std::size_t i = 0; i < slice; ++i) {
      auto& each = headers[i];
      const auto flow = static_cast<std::uint16_t>(pairs ? i / 2 : i);
      each = {.protocol = protocol::udp, .octets = 1000, .ttl = 64};
      store_native(each.source().data(), std::uint32_t{flow});
      each.fragment = part_of(order, i);
      if (each.fragment != Fragment::none) each.fragment_id = pairs && i % 2 ? next_id : ++next_id;
      if (each.fragment != Fragment::later) each.source_port = each.destination_port = 53;
      clock += std::chrono::nanoseconds{100};
      packets[i].stamp = packets[i].clock = clock;
      which.add(i, each);
    }
  }
};

bool right(Order order, std::uint64_t packets, const flow::Fragments& fragments) {
  const auto& counted = fragments.counters();
  const auto with_ports_0 = counted.without_first + counted.table_full;
  if (order == Order::first_first || order == Order::first_last)
    return counted.joined == packets / 2 && with_ports_0 == 0;
  if (order == Order::no_first) return counted.joined == 0 && with_ports_0 == packets - fragments.waiting().packets;
  return counted.joined + with_ports_0 + fragments.waiting().packets == 0;
}

void fragments_by_order(benchmark::State& state, Order order, flow::FragmentTracking tracking) {
  const flow::MeterOptions options{.capacity = 1u << 16, .hash_key = 1};
  const auto layouts = flow::make_layouts(options);
  const flow::FragmentOptions fragment_options{.tracking = tracking, .hash_key = 1};
  flow::Ended ended{2 * (slice + fragment_options.held) * flow::Ended::records_per_packet, layouts[0], layouts[1]};
  const auto meter = flow::make_meter(options);
  flow::Fragments fragments{fragment_options, *meter};
  Traffic traffic;
  std::uint64_t packets = 0;
  for (auto _ : state) {
    state.PauseTiming();
    traffic.make(order);
    ended.clear();
    state.ResumeTiming();
    fragments.add(traffic.packets, traffic.headers, {}, traffic.which, ended);
    packets += slice;
  }
  const bool metered_or_waits = meter->counters().packets + fragments.waiting().packets == packets;
  if (!metered_or_waits || (tracking == flow::FragmentTracking::track && !right(order, packets, fragments)))
    state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(packets));
}

using flow::FragmentTracking;
BENCHMARK_CAPTURE(fragments_by_order, whole_packets_untracked, Order::whole, FragmentTracking::separate);
BENCHMARK_CAPTURE(fragments_by_order, whole_packets, Order::whole, FragmentTracking::track);
BENCHMARK_CAPTURE(fragments_by_order, fragments_untracked, Order::first_first, FragmentTracking::separate);
BENCHMARK_CAPTURE(fragments_by_order, first_one_first, Order::first_first, FragmentTracking::track);
BENCHMARK_CAPTURE(fragments_by_order, first_one_last, Order::first_last, FragmentTracking::track);
BENCHMARK_CAPTURE(fragments_by_order, later_ones_only, Order::no_first, FragmentTracking::track);
BENCHMARK_CAPTURE(fragments_by_order, first_ones_only, Order::no_later, FragmentTracking::track);

}  // namespace

BENCHMARK_MAIN();
