// SPDX-License-Identifier: BSD-3-Clause
// What does an element cost a packet? A thousand flows, so that memory is not what is measured; one template of the
// usual elements and one more. `usual` is the compiled path, `planned` the same elements by a plan, which all others go
// by: what lies above it is the element's price. The answer is checked before its time counts: every packet is in the
// table.
#include <benchmark/benchmark.h>

#include <cstring>
#include <numeric>
#include <random>
#include <string>

#include "flow/elements.hpp"
#include "flow/layout.hpp"
#include "flow/meter.hpp"

namespace {

using namespace weir;

constexpr std::size_t packets_in_all = 1024, flows = 1000;

struct Traffic {
  std::vector<Headers> headers{packets_in_all};
  std::vector<Details> details{packets_in_all};
  std::vector<Packet> packets{packets_in_all};
  std::vector<std::uint16_t> which = std::vector<std::uint16_t>(packets_in_all);

  Traffic() {
    std::mt19937_64 random{1};
    for (std::size_t i = 0; i < packets_in_all; ++i) {
      const auto flow = static_cast<std::uint32_t>(random() % flows);
      headers[i] = {.source_port = 1, .destination_port = 2, .protocol = protocol::tcp, .octets = 64, .ttl = 64};
      std::memcpy(headers[i].source().data(), &flow, sizeof flow);
      details[i].tcp_sequence = static_cast<std::uint32_t>(random());
      packets[i].wire = 78;
      packets[i].stamp = packets[i].clock = Instant{std::chrono::seconds{1'700'000'000}};
    }
    std::iota(which.begin(), which.end(), std::uint16_t{0});
  }
};

void meter(benchmark::State& state, const std::vector<std::string>& elements) {
  flow::MeterOptions options{.capacity = 4096, .hash_key = 1};
  WantedTemplate wanted{.name = "one", .version = 4, .protocols = {}, .fields = {}};
  for (const auto& element : elements) wanted.fields.push_back({.pen = 0, .id = 1, .octets = 0, .source = element});
  if (!elements.empty()) options.templates = {wanted};
  const auto layouts = flow::make_layouts(options);
  flow::Ended ended{packets_in_all * flow::Ended::records_per_packet, layouts[0], layouts[1]};
  const auto made = flow::make_meter(options);
  const Traffic traffic;
  const auto details =
      flow::needs_details(options) ? std::span<const Details>{traffic.details} : std::span<const Details>{};
  for (auto _ : state) made->add(traffic.packets, traffic.headers, details, traffic.which, ended);
  const auto added = state.iterations() * packets_in_all;
  if (made->in_table().packets != added || made->in_table().octets != 64 * added) state.SkipWithError("wrong answer");
  state.SetItemsProcessed(static_cast<std::int64_t>(added));
}

/// What is offered in an IPv4 uniflow without further settings.
bool is_offered(const flow::ElementSource& source) {
  using namespace flow;
  return source.how != How::refused && source.how != How::payload && !source.is(trait::hidden | trait::biflow) &&
         !source.is(trait::only_6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> usual{"octetDeltaCount", "packetDeltaCount", "sourceIPv4Address"};
  benchmark::RegisterBenchmark("usual", [](benchmark::State& state) { meter(state, {}); });
  benchmark::RegisterBenchmark("planned", [usual](benchmark::State& state) { meter(state, usual); });
  for (const auto& source : weir::flow::element_sources()) {
    if (!source.reverse_of.empty()) continue;  // makes no sense in a uniflow
    if (!is_offered(source)) continue;
    auto elements = usual;
    elements.emplace_back(source.name);
    benchmark::RegisterBenchmark(elements.back().c_str(),
                                 [elements](benchmark::State& state) { meter(state, elements); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
