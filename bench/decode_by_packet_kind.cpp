// SPDX-License-Identifier: BSD-3-Clause
// What does it cost to decode a packet, by what stands in it? Hot: the packets of one kind lie in the first two caches.
// Cold: as many mixed packets as a slice of a capture holds, met one after another as they come from a file. Details:
// the same packets, everything read that a template could ask. Inner: the packet in a tunnel, or in several.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "decode/decode.hpp"
#include "support/packet_builder.hpp"
#include "support/slow_decode.hpp"
#include "support/stack_builder.hpp"

namespace {

using weir::Details, weir::Headers, weir::Outcome, weir::Packet, weir::burst_size, weir::decode::Tunnels;
using weir::test::Stack;
using weir::test::frames::Captured, weir::test::frames::tcp, weir::test::frames::udp;

constexpr std::size_t hot = 256, cold = std::size_t{1} << 19;

struct Kind {
  std::string name;
  std::vector<Captured> packets;
};

std::vector<Kind> kinds() {
  constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80", v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";
  std::vector<Kind> list{
      {"ethernet_ipv4_tcp", {tcp(v4).ack().payload(6).captured()}},
      {"ethernet_ipv4_udp", {udp(v4).payload(18).captured()}},
      {"ethernet_ipv4_options_tcp", {tcp(v4).options(12).ack().captured()}},
      {"ethernet_ipv6_tcp", {tcp(v6).ack().captured()}},
      {"vlan_ipv4_tcp", {tcp(v4).vlan(5).ack().captured()}},
      {"two_tags_two_labels_ipv4_tcp", {tcp(v4).service_vlan(5).vlan(6).mpls(16).mpls(17).ack().captured()}},
      {"pppoe_ipv4_tcp", {tcp(v4).pppoe().ack().captured()}},
      {"ipv6_three_extensions_udp", {udp(v6).hop_by_hop().routing(24).destination_options().captured()}},
      {"raw_ipv4_udp", {udp(v4).over(weir::Link::raw).captured()}},
  };
  // Half of a link's packets are TCP over IPv4; the rest of the kinds share the other half.
  Kind mix{"mix", {}};
  for (const auto& kind : list) {
    mix.packets.push_back(list[0].packets[0]);
    mix.packets.push_back(kind.packets[0]);
  }
  list.push_back(std::move(mix));
  return list;
}

std::vector<Kind> tunnels() {
  constexpr auto ends = "192.0.2.1 > 192.0.2.2";
  const auto plain = [] { return Stack{tcp("10.0.0.1:1000 > 10.0.0.2:80").ack()}; };
  const auto framed = [&] { return plain().frame(); };
  std::vector<Kind> list;
  const auto add = [&](const char* name, Stack stack) { list.push_back({name, {stack.over(weir::Link::ethernet)}}); };
  add("gre", plain().gre(ends, false, true, false, 7));
  add("ip_in_ip", plain().ip_in_ip(ends));
  add("ah", plain().authenticated(ends, 7));
  add("pptp", plain().pptp(ends, 7));
  add("erspan_2", framed().erspan(ends, 2, 7));
  add("l2tp_v2", plain().l2tp(ends, 1, 2, false));
  add("l2tp_v3", framed().l2tp_v3(ends, 7, 4, false));
  add("vxlan", framed().vxlan(ends, 7));
  add("vxlan_gpe", plain().vxlan_gpe(ends, 7));
  add("geneve", framed().geneve(ends, 7, 2));
  add("gtp_u", plain().gtp(ends, 7, true, true));
  add("lisp", plain().lisp(ends, 7));
  add("teredo", Stack{tcp("[2001:db8::1]:1000 > [2001:db8::2]:80").ack()}.teredo(ends));
  add("vxlan_in_gre_in_gtp_u", framed().vxlan(ends, 7).gre(ends, false, true, false, 7).gtp(ends, 7));
  return list;
}

/// `count` packets end to end in one buffer, in an order that a branch predictor cannot learn by heart.
struct Load {
  std::vector<std::byte> bytes;
  std::vector<Packet> packets;

  Load(const std::vector<Captured>& built, std::size_t count) {
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

void decode_all_in_full(const std::vector<Packet>& packets, Tunnels entered, std::span<Headers> headers,
                        std::span<Details> details, std::span<Outcome> outcomes) {
  for (std::size_t i = 0; i < packets.size(); i += burst_size) {
    weir::decode::decode_burst({packets.data() + i, burst_size}, entered, headers, details, outcomes);
    benchmark::DoNotOptimize(headers.data());
    benchmark::DoNotOptimize(details.data());
    benchmark::DoNotOptimize(outcomes.data());
    benchmark::ClobberMemory();
  }
}

void count_packets(benchmark::State& state, std::size_t count) {
  const auto packets = static_cast<double>(state.iterations()) * static_cast<double>(count);
  state.counters["s/packet"] = benchmark::Counter{packets, benchmark::Counter::kIsRate | benchmark::Counter::kInvert};
}

void decode_in_full(benchmark::State& state, const Kind& kind, Tunnels entered, bool with_details) {
  const Load load{kind.packets, hot};
  std::vector<Headers> headers(burst_size);
  std::vector<Details> details(with_details ? burst_size : 0);
  std::vector<Outcome> outcomes(burst_size);
  decode_all_in_full(load.packets, entered, headers, details, outcomes);
  for (std::size_t i = 0; i < burst_size; ++i) {
    const auto& packet = load.packets[hot - burst_size + i];
    const weir::test::SlowDecoder twin{packet.link, packet.captured_bytes(), packet.wire, entered == Tunnels::inner};
    if (!weir::test::same_answer(outcomes[i], headers[i], twin.outcome, twin.headers) ||
        (with_details && details[i] != twin.details))
      return state.SkipWithError("wrong answer");
  }
  for (auto _ : state) decode_all_in_full(load.packets, entered, headers, details, outcomes);
  count_packets(state, hot);
}

void decode_kind(benchmark::State& state, const Kind& kind, std::size_t count) {
  const Load load{kind.packets, count};
  if (!answers_are_right(load.packets)) return state.SkipWithError("wrong answer");  // it has no speed
  std::vector<Headers> headers(burst_size);
  std::vector<Outcome> outcomes(burst_size);
  for (auto _ : state) decode_all(load.packets, headers, outcomes);
  count_packets(state, count);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& kind : kinds())
    benchmark::RegisterBenchmark(kind.name.c_str(), [kind](auto& state) { decode_kind(state, kind, hot); });
  for (const auto& kind : kinds())
    benchmark::RegisterBenchmark((kind.name + "/details").c_str(),
                                 [kind](auto& state) { decode_in_full(state, kind, Tunnels::outer, true); });
  for (const auto& kind : tunnels()) {
    benchmark::RegisterBenchmark((kind.name + "/inner").c_str(),
                                 [kind](auto& state) { decode_in_full(state, kind, Tunnels::inner, false); });
    benchmark::RegisterBenchmark((kind.name + "/inner/details").c_str(),
                                 [kind](auto& state) { decode_in_full(state, kind, Tunnels::inner, true); });
  }
  benchmark::RegisterBenchmark("mix_cold", [](auto& state) { decode_kind(state, kinds().back(), cold); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
