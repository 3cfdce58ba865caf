// SPDX-License-Identifier: BSD-3-Clause
// What does it cost to decode a packet, by what stands in it? Hot: the packets of one kind lie in the first two caches.
// Cold: as many mixed packets as a slice of a capture holds, met one after another as they come from a file.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "decode/decode.hpp"
#include "support/packet_builder.hpp"
#include "support/slow_decode.hpp"

namespace {

using weir::Headers, weir::Outcome, weir::Packet, weir::burst_size;
using weir::test::frames::Frame, weir::test::frames::tcp, weir::test::frames::udp;

constexpr std::size_t hot = 256, cold = std::size_t{1} << 19;

struct Kind {
  std::string name;
  std::vector<Frame> frames;
};

std::vector<Kind> kinds() {
  constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80", v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";
  std::vector<Kind> list{
      {"ethernet_ipv4_tcp", {tcp(v4).ack().payload(6)}},
      {"ethernet_ipv4_udp", {udp(v4).payload(18)}},
      {"ethernet_ipv4_options_tcp", {tcp(v4).options(12).ack()}},
      {"ethernet_ipv6_tcp", {tcp(v6).ack()}},
      {"vlan_ipv4_tcp", {tcp(v4).vlan(5).ack()}},
      {"two_tags_two_labels_ipv4_tcp", {tcp(v4).service_vlan(5).vlan(6).mpls(16).mpls(17).ack()}},
      {"pppoe_ipv4_tcp", {tcp(v4).pppoe().ack()}},
      {"ipv6_three_extensions_udp", {udp(v6).hop_by_hop().routing(24).destination_options()}},
      {"raw_ipv4_udp", {udp(v4).over(weir::Link::raw)}},
  };
  // Half of a link's packets are TCP over IPv4; the rest of the kinds share the other half.
  Kind mix{"mix", {}};
  for (const auto& kind : list) {
    mix.frames.push_back(list[0].frames[0]);
    mix.frames.push_back(kind.frames[0]);
  }
  list.push_back(std::move(mix));
  return list;
}

/// `count` packets end to end in one buffer, in an order that a branch predictor cannot learn by heart.
struct Load {
  std::vector<std::byte> bytes;
  std::vector<Packet> packets;

  Load(const std::vector<Frame>& frames, std::size_t count) {
    std::vector<weir::test::frames::Captured> built;
    for (const auto& frame : frames) built.push_back(frame.captured());
    std::uint32_t random = 1;
    for (std::size_t i = 0; i < count; ++i) {
      random = random * 1664525u + 1013904223u;
      const auto& one = built[(random >> 16) % built.size()];
      packets.push_back(one.about);
      bytes.insert(bytes.end(), one.bytes.begin(), one.bytes.end());
    }
    std::size_t at = 0;
    for (auto& packet : packets) packet.bytes = bytes.data() + std::exchange(at, at + packet.captured);
  }
};

void decode_all(const std::vector<Packet>& packets, std::span<Headers> headers, std::span<Outcome> outcomes) {
  for (std::size_t i = 0; i < packets.size(); i += burst_size) {
    weir::decode::decode_burst({packets.data() + i, burst_size}, headers, outcomes);
    benchmark::DoNotOptimize(headers.data());
    benchmark::DoNotOptimize(outcomes.data());
    benchmark::ClobberMemory();
  }
}

bool answers_are_right(const std::vector<Packet>& packets) {
  for (const auto& packet : packets) {
    Headers headers;
    const auto outcome = weir::decode::decode(packet, headers);
    const weir::test::SlowDecoder twin{packet.link, packet.captured_bytes(), packet.wire};
    if (outcome != Outcome::metered || !weir::test::same_answer(outcome, headers, twin.outcome, twin.headers))
      return false;
  }
  return true;
}

void decode_kind(benchmark::State& state, const Kind& kind, std::size_t count) {
  const Load load{kind.frames, count};
  if (!answers_are_right(load.packets)) return state.SkipWithError("wrong answer");  // it has no speed
  std::vector<Headers> headers(burst_size);
  std::vector<Outcome> outcomes(burst_size);
  for (auto _ : state) decode_all(load.packets, headers, outcomes);
  const auto packets = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.counters["s/packet"] = benchmark::Counter{packets, benchmark::Counter::kIsRate | benchmark::Counter::kInvert};
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& kind : kinds())
    benchmark::RegisterBenchmark(kind.name.c_str(), [kind](auto& state) { decode_kind(state, kind, hot); });
  benchmark::RegisterBenchmark("mix_cold", [](auto& state) { decode_kind(state, kinds().back(), cold); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
