// SPDX-License-Identifier: BSD-3-Clause
// Any fragments in any order at any time, in tables of any size and calls cut anywhere, become the records of the slow
// twin; no more wait than may, and the ledger closes after every call.
// Input: two octets of table sizes, one of directions and timeouts, then four a packet: what it is, whose it is, when
// it comes after the one before, and how long it is and whether a call ends here.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "flow/fragments.hpp"
#include "flow/layout.hpp"
#include "flow/records.hpp"
#include "support/slow_fragments.hpp"
#include "support/traffic.hpp"

namespace {

using namespace std::chrono_literals;
namespace flow = weir::flow;
namespace test = weir::test;
using weir::Fragment, weir::Headers, weir::Instant, weir::IpVersion, weir::load_be, weir::nanoseconds;

constexpr std::size_t packets_max = 300, call_max = 64;  // the twin is slow

void expect(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

Headers headers_of(std::uint8_t what, std::uint8_t whose, std::uint8_t length) {
  constexpr std::uint8_t protocols[]{17, 6, 1, 60};
  Headers out{.octets = 20u + length};
  out.fragment = static_cast<Fragment>((what & 3) % 3);
  out.version = what & 4 ? IpVersion::v6 : IpVersion::v4;
  out.vlan = what & 8 ? 5 : 0;
  out.protocol = protocols[what >> 4 & 3];
  out.ttl = 64;
  out.source()[0] = std::byte(whose & 1);
  out.destination().back() = std::byte(whose >> 1 & 1);
  if (out.fragment != Fragment::none) out.fragment_id = whose >> 2 & 7;
  if (out.fragment == Fragment::later) return out;
  if (out.protocol == 6 || out.protocol == 17) out.source_port = whose >> 5;
  if (out.protocol != 60 && (out.protocol != 1 || out.version == IpVersion::v4)) out.destination_port = what >> 6;
  if (out.protocol == 6) out.tcp_flags = what >> 6;
  return out;
}

/// 0, about nothing, milliseconds, and beside a second or fifteen.
nanoseconds step_of(std::uint8_t octet) {
  const nanoseconds beside{octet % 3 - 1};
  switch (octet >> 5) {
    case 0: return 1s + beside;
    case 1: return 15s + beside;
    case 2: return 1ms * octet;
    case 3: return 30ms * octet;
    default: return nanoseconds{octet & 3};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::Cursor input{std::as_bytes(std::span{data, size})};
  const auto* about = input.take(3);
  if (!about) return 0;
  const auto octet = [](const std::byte* at) { return std::to_integer<std::uint8_t>(*at); };
  const flow::FragmentOptions options{.datagrams = 1u + octet(about) % 40, .held = 1u + octet(about + 1) % 40};
  const test::SlowOptions slow_options{.biflow = (octet(about + 2) & 1) != 0,
                                       .timeout_idle = octet(about + 2) & 2 ? 15s : 1s,
                                       .timeout_active = octet(about + 2) & 4 ? 60s : 2s};
  const flow::MeterOptions meter_options{
      .direction = slow_options.biflow ? flow::FlowDirection::biflow : flow::FlowDirection::uniflow,
      .timeout_idle = slow_options.timeout_idle,
      .timeout_active = slow_options.timeout_active,
      .capacity = 1024};
  const auto layouts = flow::make_layouts(meter_options);
  flow::Ended ended{(call_max + 40) * flow::Ended::records_per_packet, layouts[0], layouts[1]};
  const auto meter = flow::make_meter(meter_options);
  flow::Fragments fragments{options, *meter};
  test::SlowMeter slow_meter{slow_options};
  test::SlowFragments slow{options.datagrams, options.held, [&](const auto& packet) { slow_meter.add(packet); }};

  std::vector<weir::Packet> packets;
  std::vector<Headers> headers;
  flow::Chosen which{call_max};
  std::vector<test::SlowRecord> records;
  Instant clock{1'700'000'000s};
  std::uint64_t octets = 0;
  const auto pass = [&] {
    fragments.add(packets, headers, {}, which, ended);
    packets.clear(), headers.clear(), which.clear();
    slow.pass(clock);
    fragments.expire(clock, ended);
    expect(fragments.waiting() == slow.waiting(), "others wait");
    expect(fragments.waiting().packets <= options.held, "more wait than may");
    expect(meter->counters().octets + fragments.waiting().octets == octets, "the ledger is open");
    test::take_records(ended, records);
    ended.clear();
  };
  for (std::size_t left = packets_max; left > 0; --left) {
    const auto* at = input.take(4);
    if (!at) break;
    clock += step_of(octet(at + 2));
    const test::Arrival arrival{
        .headers = headers_of(octet(at), octet(at + 1), octet(at + 3)), .stamp = clock, .clock = clock};
    octets += arrival.headers.octets;
    slow.add(arrival);
    which.add(packets.size(), arrival.headers);
    packets.push_back({.stamp = clock, .clock = clock});
    headers.push_back(arrival.headers);
    if (octet(at + 3) % 8 == 0 || packets.size() == call_max) pass();
  }
  pass();
  slow.end(clock);
  while (!fragments.finish(clock, ended)) {
    test::take_records(ended, records);
    ended.clear();
  }
  test::take_records(ended, records);
  std::sort(records.begin(), records.end());
  const auto found = test::differences(slow_meter.finish(), records);
  expect(found.empty(), found.c_str());
  const auto& counted = fragments.counters();
  expect(test::SlowFragmentCounters{counted.joined, counted.without_first, counted.table_full,
                                    counted.firsts_forgotten} == slow.counters,
         "counted otherwise");
  return 0;
}
