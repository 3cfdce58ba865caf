// SPDX-License-Identifier: BSD-3-Clause
#include "app/flow_query.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "app/top_flows.hpp"
#include "flow/meter_under_test.hpp"
#include "support/allocation_guard.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using flow::MeterUnderTest;
using test::SlowRecord;
using test::tcp;
using test::udp;

FlowQuery query_of(std::string_view filter, std::size_t top = 20, FlowQuery::By by = FlowQuery::By::octets) {
  FlowQuery query{.top = top, .by = by};
  EXPECT_EQ(read_flow_filter(filter, query), "") << filter;
  return query;
}

std::string complaint(std::string_view filter) {
  FlowQuery query;
  return read_flow_filter(filter, query);
}

/// A live table, and what is asked of it.
struct Probe {
  explicit Probe(const flow::MeterOptions& of = {.capacity = 4096}) : options{of}, layouts{make_layouts(options)} {}

  void look(TopFlows& top, std::size_t slots_max = 3) {
    flow::TableCursor at;
    while (!meter.meter().look(at, slots_max, top)) continue;
  }
  std::size_t count(std::string_view filter) {
    TopFlows top{query_of(filter), layouts};
    look(top);
    return top.matching().records;
  }

  flow::MeterOptions options;
  std::array<RecordLayout, 2> layouts;
  MeterUnderTest meter{options};
};

Probe with_a_few_flows(flow::FlowDirection direction) { return Probe{{.direction = direction, .capacity = 4096}}; }
void add_a_few_flows(Probe& probe) {
  probe.meter.add(tcp("10.1.0.1:1000 > 10.2.0.2:443").octets(1000).vlan(7).at(1s));
  probe.meter.add(tcp("10.1.0.1:1001 > 10.2.0.3:80").octets(500).at(1s));
  probe.meter.add(udp("10.9.0.9:53 > 10.1.0.1:2000").octets(300).at(1s));
  probe.meter.add(udp("10.9.0.9:53 > 10.1.0.1:2000").octets(300).at(1s));
  probe.meter.add(udp("[2001:db8::1]:443 > [2001:db8:1::2]:53").octets(2000).at(1s));
  probe.meter.add(test::icmp("[2001:db8::1] > [fd00::1]", 128, 0).octets(80).at(1s));
}

TEST(FlowQuery, a_filter_asks_for_addresses_ports_protocol_version_and_vlan) {
  for (const auto direction : {flow::FlowDirection::uniflow, flow::FlowDirection::biflow}) {
    auto probe = with_a_few_flows(direction);
    add_a_few_flows(probe);
    EXPECT_EQ(probe.count(""), 5u);
    EXPECT_EQ(probe.count("host 10.1.0.1"), 3u);
    EXPECT_EQ(probe.count("host 10.1.0.1 host 10.9.0.9"), 1u);
    EXPECT_EQ(probe.count("net 10.2.0.0/16"), 2u);
    EXPECT_EQ(probe.count("net 10.2.0.2/31"), 2u);
    EXPECT_EQ(probe.count("net 10.2.0.2/32"), 1u);
    EXPECT_EQ(probe.count("net 0.0.0.0/0"), 3u);
    EXPECT_EQ(probe.count("net ::/0"), 2u);
    EXPECT_EQ(probe.count("net 2001:db8:1::/47"), 2u);
    EXPECT_EQ(probe.count("net 2001:db8:1::/48"), 1u);
    EXPECT_EQ(probe.count("port 443"), 2u);
    EXPECT_EQ(probe.count("port 443 port 53"), 1u);
    EXPECT_EQ(probe.count("proto udp"), 2u);
    EXPECT_EQ(probe.count("proto UDP port 53 version 6"), 1u);
    EXPECT_EQ(probe.count("proto icmpv6"), 1u);
    EXPECT_EQ(probe.count("proto 58"), 1u);
    EXPECT_EQ(probe.count("version 4"), 3u);
    EXPECT_EQ(probe.count("vlan 7"), 1u);
    EXPECT_EQ(probe.count(" vlan  0\tproto tcp\n"), 1u);
  }
}

TEST(FlowQuery, a_filter_that_means_nothing_is_refused_in_one_line) {
  EXPECT_EQ(complaint("host 10.0.0"), "host '10.0.0': write an IPv4 or IPv6 address");
  EXPECT_EQ(complaint("host"), "host '': write an IPv4 or IPv6 address");
  for (const auto* wrong : {"10.0.0.0", "10.0.0.0/33", "::/129", "::/", "/8", "10.0.0.0/-1", "10.0.0.0/8/8"})
    EXPECT_NE(complaint(std::string{"net "} + wrong), "") << wrong;
  EXPECT_EQ(complaint("port 65536"), "port '65536': must be 0..65535");
  EXPECT_EQ(complaint("proto tpc"), "proto 'tpc': must be a name such as tcp, or 0..255");
  EXPECT_EQ(complaint("proto tcp proto 17"), "proto is given twice; a flow has one");
  EXPECT_EQ(complaint("version 5"), "version '5': must be 4 or 6");
  EXPECT_EQ(complaint("vlan 4096"), "vlan '4096': must be 0..4095; 0 is without a tag");
  EXPECT_TRUE(complaint("hots 10.0.0.1").starts_with("a flow filter knows no 'hots'; write host ADDRESS, "));
  std::string many;
  for (int i = 0; i < 33; ++i) many += "port 1 ";
  EXPECT_EQ(complaint(many), "a flow filter has at most 32 conditions");
}

TEST(FlowQuery, whatever_a_filter_is_made_of_it_is_read_or_refused_in_one_printable_line) {
  const std::vector<std::string> words{
      "host", "net", "port",        "proto", "version", "vlan", "10.0.0.1",         "::1",
      "::/0", "443", "10.0.0.0/8",  "tcp",   "4",       "\x01", "\xff\n",           "/",
      "",     "-1",  "99999999999", "%s{}",  "\0x",     "6",    "::ffff:1.2.3.4/96"};
  std::mt19937_64 random{1};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random() % 8; n > 0; --n) text += words[random() % words.size()] + (random() % 8 ? " " : "");
    if (random() % 4 == 0) text += std::string(random() % 300, static_cast<char>(random()));
    const auto line = complaint(text);
    EXPECT_LT(line.size(), 300u);
    for (const char c : line) ASSERT_TRUE(static_cast<unsigned char>(c) >= ' ') << line;
  }
}

TEST(TopFlows, keeps_the_largest_that_match_however_many_workers_found_them) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const test::SlowOptions slow{.biflow = seed % 2 == 0, .timeout_idle = 1h, .timeout_active = 300s};
    Probe one{flow::options_like(slow)}, other{flow::options_like(slow)};
    for (const auto& packet : test::random_traffic(seed, slow, 600)) (seed % 3 ? one : other).meter.add(packet);
    for (const auto& packet : test::random_traffic(seed + 100, slow, 600)) other.meter.add(packet);
    const auto by = seed % 4 < 2 ? FlowQuery::By::octets : FlowQuery::By::packets;
    const auto query = query_of("proto tcp", seed % 7 * 5, by);
    TopFlows top{query, one.layouts}, more{query, one.layouts};
    one.look(top);
    other.look(more);
    top.take(more);

    std::vector<std::uint64_t> sizes, shown;
    Totals totals;
    for (auto* probe : {&one, &other})
      for (const auto& record : probe->meter.look(100))
        if (record.protocol == protocol::tcp) {
          const auto packets = record.forward.packets + record.reverse.packets;
          const auto octets = record.forward.octets + record.reverse.octets;
          totals += {1, packets, octets};
          sizes.push_back(by == FlowQuery::By::octets ? octets : packets);
        }
    std::ranges::sort(sizes, std::greater{});
    sizes.resize(std::min(sizes.size(), query.top));
    const auto* element = by == FlowQuery::By::octets ? "octetDeltaCount" : "packetDeltaCount";
    const auto* reverse = by == FlowQuery::By::octets ? "reverseOctetDeltaCount" : "reversePacketDeltaCount";
    const auto json = top.json();
    for (const auto& flow : json["flows"])
      shown.push_back(flow[element].get<std::uint64_t>() + flow.value(reverse, std::uint64_t{0}));
    EXPECT_EQ(shown, sizes) << "seed " << seed;
    EXPECT_EQ(top.matching(), totals);
  }
}

TEST(TopFlows, are_shown_with_element_names_and_as_a_table) {
  Probe probe;
  add_a_few_flows(probe);
  TopFlows top{query_of("", 2), probe.layouts};
  probe.look(top);
  const auto json = top.json();
  EXPECT_EQ(json["live"], 5);
  EXPECT_EQ(json["matching"]["octets"], 4180);
  EXPECT_EQ(json["flows"].size(), 2u);
  EXPECT_EQ(json["flows"][0]["sourceIPv6Address"], "2001:db8::1");
  EXPECT_EQ(json["flows"][0]["sourceTransportPort"], 443);
  EXPECT_EQ(json["flows"][0]["flowEndReason"], 0);
  EXPECT_EQ(json["flows"][1]["vlanId"], 7);
  const auto text = top.text();
  EXPECT_NE(text.find("10.1.0.1:1000 → 10.2.0.2:443"), text.npos) << text;
  EXPECT_NE(text.find("\n2 of 5 flows shown; all of them: 6 packets, 4.18 kB; in the table: 5 flows\n"), text.npos)
      << text;
}

TEST(TopFlows, a_worker_that_fills_one_allocates_nothing) {
  Probe probe;
  add_a_few_flows(probe);
  probe.meter.live();
  TopFlows top{query_of("proto udp host 10.1.0.1 net ::/0", 3), probe.layouts}, all{query_of("", 3), probe.layouts};
  test::AllocationGuard guard;
  probe.look(top);
  probe.look(all);
  all.take(all);
  EXPECT_EQ(guard.allocations(), 0u);
}

}  // namespace
}  // namespace weir::app
