// SPDX-License-Identifier: BSD-3-Clause
// Small fixed pieces of work, each between two requests to callgrind, which counts their instructions: cost.py runs
// this and compares. What prepares them is not counted. Without callgrind it only checks that the work is done right.
#include <gnu/libc-version.h>
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "app/bench/encoder.hpp"
#include "app/brief_decoding.hpp"
#include "capture/input.hpp"
#include "capture/make_capture.hpp"
#include "capture/synthetic.hpp"
#include "decode/decode.hpp"
#include "flow/layout.hpp"
#include "flow/meter.hpp"
#include "support/packet_builder.hpp"

namespace {

using namespace weir;
using capture::SyntheticOptions, capture::SyntheticTraffic;
using test::frames::tcp, test::frames::udp;

constexpr std::size_t some = 8192;

/// A figure that is not of the right work is no figure.
void expect(bool right, const std::string& name) {
  if (right) return;
  std::fprintf(stderr, "%s: wrong answer\n", name.c_str());
  std::exit(1);
}

/// Counts what `work` does, for so many packets or records.
template <class Work>
void count(const std::string& name, std::size_t units, Work work) {
  CALLGRIND_TOGGLE_COLLECT;
  work();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name.c_str());
  std::printf("%s\t%zu\n", name.c_str(), units);
}

/// A stretch of traffic, all of it received: what points to the frames stays.
struct Received {
  std::vector<Packet> packets;
  std::vector<Headers> headers;
  std::vector<Outcome> outcomes;
  std::vector<std::uint16_t> which;

  explicit Received(std::size_t size) : headers(size), outcomes(size), which(size) {
    std::iota(which.begin(), which.end(), std::uint16_t{0});
  }
  void receive(SyntheticTraffic& traffic) {
    packets.clear();
    for (auto next = traffic.receive(); !next.empty(); next = traffic.receive())
      packets.insert(packets.end(), next.begin(), next.end());
  }
  void decode() { decode::decode_burst(packets, headers, outcomes); }
  bool metered() const {
    for (std::size_t i = 0; i < packets.size(); ++i)
      if (outcomes[i] != Outcome::metered) return false;
    return true;
  }
};

void decode_traffic(const std::string& name, SyntheticOptions options) {
  options.packets = some;
  SyntheticTraffic traffic{options};
  traffic.make();
  Received received{some};
  received.receive(traffic);
  count(name, some, [&] { received.decode(); });
  expect(received.metered(), name);
}

void decode_frames(const std::string& name, const std::vector<test::frames::Frame>& frames) {
  std::vector<test::frames::Captured> captured;
  for (const auto& frame : frames) captured.push_back(frame.captured());
  Received received{some};
  for (std::size_t i = 0; i < some; ++i) received.packets.push_back(captured[i % captured.size()].packet());
  count(name, some, [&] { received.decode(); });
  expect(received.metered(), name);
}

/// Flows are in the table before packets count; `options.flows` of them.
void meter_traffic(const std::string& name, SyntheticOptions options, flow::MeterOptions meter_options) {
  options.packets = some;
  SyntheticTraffic traffic{options};
  const auto meter = flow::make_meter(meter_options);
  const auto layouts = flow::make_layouts(meter_options);
  flow::Ended ended{some * flow::Ended::records_per_packet, layouts[0], layouts[1]};
  Received received{some};
  const auto add = [&] {
    for (std::size_t i = 0; i < some; i += SyntheticTraffic::received_max) {
      meter->add(received.packets, received.headers, {},
                 std::span{received.which}.subspan(i, SyntheticTraffic::received_max), ended);
      meter->expire(received.packets[i].clock, ended);
    }
  };
  while (traffic.introduce()) {
    received.receive(traffic);
    received.packets.resize(some, received.packets.front());  // the last ones may be fewer
    received.decode();
    add();
    ended.clear();
  }
  traffic.make();
  received.receive(traffic);
  received.decode();
  const auto before = meter->counters().packets;
  count(name, some, add);
  const bool ends = options.new_share > 0;
  expect(received.metered() && meter->counters().packets - before == some && ends == (ended.of(0).size() > 0), name);
}

/// The same, decoded and put down briefly, as for weir replay: all that a packet takes between capture and record.
void meter_briefly(const std::string& name, SyntheticOptions options, const flow::MeterOptions& meter_options) {
  options.packets = some;
  SyntheticTraffic traffic{options};
  const auto meter = flow::make_meter(meter_options);
  const auto layouts = flow::make_layouts(meter_options);
  flow::Ended ended{some * flow::Ended::records_per_packet, layouts[0], layouts[1]};
  constexpr std::size_t slice = capture::Slice::packets_max;
  app::Parcel parcel{slice, false, true};
  app::PacketTallies tallies;
  Received received{some};
  const auto add = [&] {
    for (std::size_t i = 0; i < received.packets.size(); i += slice) {
      const auto packets = Burst{received.packets}.subspan(i, std::min(slice, received.packets.size() - i));
      parcel.clear();
      app::decode_briefly(packets, app::ToOne{parcel}, tallies, [&](std::size_t other) {
        Headers headers;
        decode::decode_by_the_chain(packets[other], headers);
        parcel.put_briefly(headers, packets[other]);
      });
      meter->add_brief(parcel.those_brief(), ended);
      meter->expire(packets.back().clock, ended);
    }
  };
  while (traffic.introduce()) {
    received.receive(traffic);
    add();
  }
  traffic.make();
  received.receive(traffic);
  const auto before = meter->counters().packets;
  count(name, some, add);
  expect(meter->counters().packets - before == some && ended.of(0).size() == 0, name);
}

/// Records of as many flows, all ended, into messages.
void encode_records(const std::string& name, SyntheticOptions options, const flow::MeterOptions& meter_options) {
  options.flows = options.packets = some;
  SyntheticTraffic traffic{options};
  const auto meter = flow::make_meter(meter_options);
  const auto layouts = flow::make_layouts(meter_options);
  flow::Ended ended{some * flow::Ended::records_per_packet, layouts[0], layouts[1]};
  Received received{some};
  traffic.introduce();
  received.receive(traffic);
  received.decode();
  meter->add(received.packets, received.headers, {}, received.which, ended);
  if (options.answered_share > 0) {
    traffic.make();
    received.receive(traffic);
    received.decode();
    meter->add(received.packets, received.headers, {}, received.which, ended);
  }
  while (!meter->finish(received.packets.back().clock, ended)) expect(ended.room() > 0, name);

  app::bench::Encoder encoder{layouts};
  count(name, ended.of(0).size() + ended.of(1).size(), [&] {
    for (const unsigned family : {0u, 1u}) encoder.add(ended.of(family), {});
  });
  const auto encoded = encoder.encoded().records;
  expect(encoded >= some * 9 / 10 && encoder.finish({}) == encoded, name);
}

void read_capture(const std::string& name, test::frames::Frame frame, bool is_pcapng) {
  const auto octets = frame.bytes();
  capture::test::Pcap pcap;
  capture::test::Pcapng pcapng;
  pcapng.interface(1);
  for (std::uint32_t i = 0; i < some; ++i)
    if (is_pcapng) pcapng.packet(0, std::uint64_t{i}, octets);
    else pcap.packet(i, 0, octets);
  capture::Source source;
  source.name = name;
  source.head = is_pcapng ? pcapng.octets() : pcap.octets();
  std::vector<capture::Source> sources;
  sources.push_back(std::move(source));
  capture::Input input{std::move(sources), {}};
  capture::Slice slice;
  std::size_t packets = 0;
  count(name, some, [&] {
    while (input.next(slice)) packets += slice.packets().size();
  });
  expect(packets == some, name);
}

}  // namespace

int main() {
  std::printf("%s %s, %s, glibc %s\n", WEIR_COMPILER, __VERSION__, WEIR_BUILT_AS, ::gnu_get_libc_version());
  const SyntheticOptions steady{.flows = 1000}, six{.flows = 1000, .ipv6_share = 1},
      both_ways{.flows = 1000, .answered_share = 1};
  const flow::MeterOptions uniflow{.capacity = 4096, .hash_key = 1};
  auto biflow = uniflow;
  biflow.direction = flow::FlowDirection::biflow;
  auto short_lived = uniflow;
  short_lived.timeout_idle = std::chrono::seconds{1};
  constexpr auto v4 = "10.0.0.1:1000 > 10.0.0.2:80", v6 = "[2001:db8::1]:1000 > [2001:db8::2]:80";

  decode_traffic("decode_ipv4", steady);
  decode_traffic("decode_ipv6", six);
  decode_frames("decode_tags_and_extensions", {tcp(v4).vlan(5).ack(), tcp(v4).service_vlan(5).vlan(6).mpls(16).ack(),
                                               udp(v6).hop_by_hop().routing(24), tcp(v4).options(12).ack(),
                                               udp(v4).fragment(0), tcp(v4).pppoe().ack()});
  meter_traffic("meter_ipv4_uniflow", steady, uniflow);
  meter_traffic("meter_ipv4_biflow", both_ways, biflow);
  meter_traffic("meter_ipv6_uniflow", six, uniflow);
  meter_briefly("briefly_ipv4_biflow", both_ways, biflow);
  meter_briefly("briefly_ipv6_uniflow", six, uniflow);
  meter_traffic("meter_new_flows_and_expiry", {.flows = 1000, .new_share = 0.1, .packets_per_second = 2000, .seed = 2},
                short_lived);
  meter_traffic("meter_every_packet_evicts", {.flows = 4096, .kind = capture::TrafficKind::syn_flood, .new_share = 1},
                uniflow);
  encode_records("encode_ipv4_uniflow", {}, uniflow);
  encode_records("encode_ipv4_biflow", {.answered_share = 1}, [&] {
    auto options = biflow;
    options.capacity = 2 * some;
    return options;
  }());
  encode_records("encode_ipv6_uniflow", {.ipv6_share = 1}, uniflow);
  read_capture("read_pcap", tcp(v4).ack(), false);
  read_capture("read_pcapng", tcp(v4).ack(), true);
}
