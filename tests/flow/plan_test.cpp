// SPDX-License-Identifier: BSD-3-Clause
// Keys and templates by name: what is planned, what is refused, and what single elements come to.
#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"
#include "flow/plan.hpp"
#include "flow/spread.hpp"
#include "meter_under_test.hpp"

namespace weir::flow {
namespace {

using namespace std::chrono_literals;
using test::tcp, test::udp, test::icmp;

constexpr auto there = "10.0.0.1:1000 > 10.0.0.2:80", back = "10.0.0.2:80 > 10.0.0.1:1000";

WantedTemplate of_names(std::initializer_list<const char*> names, std::uint8_t version = 0) {
  WantedTemplate wanted{.name = "wanted", .version = version, .protocols = {}, .fields = {}};
  for (const auto* name : names)
    wanted.fields.push_back({.id = static_cast<std::uint16_t>(wanted.fields.size() + 1), .source = name});
  return wanted;
}

MeterOptions with(std::vector<WantedTemplate> templates, std::vector<std::string> key = {},
                  FlowDirection direction = FlowDirection::uniflow) {
  auto options = options_like({});
  options.direction = direction;
  options.templates = std::move(templates);
  options.key = std::move(key);
  return options;
}

std::string refusal(const MeterOptions& options) {
  try {
    make_plan(options);
  } catch (const StartError& error) {
    return error.what();
  }
  return {};
}

/// Values of each ended record, in the order of its template.
std::vector<std::vector<std::uint64_t>> values(const MeterOptions& options, const std::vector<test::Arrival>& packets) {
  MeterUnderTest meter{options};
  for (const auto& packet : packets) meter.add(packet);
  return meter.finish_encoded([](const Ended& ended) {
    std::vector<std::vector<std::uint64_t>> out;
    for (unsigned family = 0; family < 2; ++family) {
      const auto records = ended.of(family);
      for (std::size_t i = 0; i < records.size(); ++i) {
        auto& record = out.emplace_back();
        for (const auto& field : records.layout->templates[records.layout->end_of(records[i]).which_template].fields)
          record.push_back(test::value_of(field, records[i]));
      }
    }
    return out;
  });
}
using Values = std::vector<std::vector<std::uint64_t>>;

TEST(Plan, of_nothing_in_particular_is_the_usual_templates_field_by_field) {
  for (const auto direction : {FlowDirection::uniflow, FlowDirection::biflow}) {
    auto options = options_like({});
    options.direction = direction;
    options.clock_width = ClockWidth::wide;
    const auto compiled = make_layouts(options), planned = make_plan(options).layouts;
    for (unsigned family = 0; family < 2; ++family) {
      ASSERT_EQ(compiled[family].templates.size(), planned[family].templates.size());
      EXPECT_EQ(compiled[family].octets, planned[family].octets);
      EXPECT_EQ(compiled[family].places.size(), planned[family].places.size());
      for (std::size_t i = 0; i < compiled[family].templates.size(); ++i) {
        const auto &a = compiled[family].templates[i], &b = planned[family].templates[i];
        EXPECT_EQ(a.name, b.name);
        ASSERT_EQ(a.fields.size(), b.fields.size());
        for (std::size_t j = 0; j < a.fields.size(); ++j) {
          EXPECT_EQ(a.fields[j].id, b.fields[j].id);
          EXPECT_EQ(a.fields[j].pen, b.fields[j].pen) << a.fields[j].id;
          EXPECT_EQ(a.fields[j].octets, b.fields[j].octets) << a.fields[j].id;
          EXPECT_EQ(a.fields[j].form, b.fields[j].form) << a.fields[j].id;
          EXPECT_EQ(a.fields[j].offset, b.fields[j].offset) << a.fields[j].id;
          EXPECT_EQ(a.fields[j].key, b.fields[j].key) << a.fields[j].id;
          EXPECT_EQ(a.fields[j].constant, b.fields[j].constant) << a.fields[j].id;
        }
      }
    }
  }
}

TEST(Plan, refuses_what_makes_no_sense_with_the_reason) {
  EXPECT_EQ(refusal(with({of_names({"octetDeltaCount"})})), "");
  EXPECT_EQ(refusal(with({of_names({"httpHost"})})), "template wanted: httpHost is no element that weir can tell");
  EXPECT_EQ(refusal(with({of_names({"flowStartSysUpTime"})})),
            "template wanted: flowStartSysUpTime cannot be told: it needs the time of a reboot; take "
            "flowStartMilliseconds");
  EXPECT_EQ(refusal(with({of_names({"sourceIPv6Address"}, 4)})),
            "template wanted: sourceIPv6Address makes no sense in IPv4");
  EXPECT_EQ(refusal(with({of_names({"sourceIPv6Address", "sourceIPv4Address"})})), "");
  EXPECT_EQ(refusal(with({of_names({"reverseOctetDeltaCount"})})),
            "template wanted: reverseOctetDeltaCount makes no sense in a uniflow; set flow.direction to biflow");
  EXPECT_EQ(refusal(with({of_names({"reverseFlowDeltaMilliseconds"})})),
            "template wanted: reverseFlowDeltaMilliseconds makes sense in a biflow only; set flow.direction to biflow");
  EXPECT_EQ(refusal(with({of_names({"payload"})})), "template wanted: payload needs flow.payload_octets");
  auto reduced = of_names({"flowStartMilliseconds"});
  reduced.fields[0].octets = 4;
  EXPECT_EQ(refusal(with({reduced})),
            "template wanted: flowStartMilliseconds cannot have 4 octets; dateTimeMilliseconds has 8");

  EXPECT_EQ(refusal(with({}, {"octetDeltaCount"})),
            "flow.key: octetDeltaCount is no header field of single packets, and cannot tell flows apart");
  EXPECT_EQ(refusal(with({}, {"sourceIPv4Address/33"})),
            "flow.key: sourceIPv4Address/33 needs a prefix length of 1 to 32");
  EXPECT_EQ(refusal(with({}, {"sourceIPv4Address", "sourceIPv4Address"})),
            "flow.key: sourceIPv4Address is there twice");
  EXPECT_EQ(refusal(with({}, {"sourceIPv4Address"}, FlowDirection::biflow)),
            "flow.key: a biflow has two ends; name source and destination alike, or set flow.direction to uniflow");
  EXPECT_EQ(refusal(with({}, {"sourceMacAddress"}, FlowDirection::biflow)),
            "flow.key: sourceMacAddress needs destinationMacAddress beside it in a biflow");
  auto for_tcp = of_names({"octetDeltaCount"});
  for_tcp.protocols = {protocol::tcp};
  EXPECT_EQ(refusal(with({for_tcp}, {"sourceIPv4Address"})),
            "template wanted is for some protocols; that needs protocolIdentifier in flow.key");
}

TEST(Plan, a_field_is_announced_under_the_number_that_it_is_wanted_with) {
  auto options = with({of_names({"latePacketDeltaCount"})});
  for (const auto pen : {enterprise::own, 4711u}) {
    options.templates[0].fields[0].pen = pen;
    EXPECT_EQ(make_plan(options).layouts[0].templates[0].fields[0].pen, pen);
  }
}

TEST(Plan, the_first_template_that_fits_family_and_protocol_is_taken_and_else_the_usual_one) {
  auto for_tcp = of_names({"tcpSynTotalCount"}), for_six = of_names({"ipTTL"}, 6);
  for_tcp.name = "tcp", for_six.name = "six";
  for_tcp.protocols = {protocol::tcp};
  const auto options = with({for_tcp, for_six});
  MeterUnderTest meter{options};
  for (const auto& packet : {tcp(there), udp(there), tcp("[::1]:1 > [::2]:2"), udp("[::1]:1 > [::2]:2")})
    meter.add(packet);
  const auto names = meter.finish_encoded([](const Ended& ended) {
    std::string out;
    for (unsigned family = 0; family < 2; ++family)
      for (std::size_t i = 0; i < ended.of(family).size(); ++i) {
        const auto& layout = *ended.of(family).layout;
        out += layout.templates[layout.end_of(ended.of(family)[i]).which_template].name + " ";
      }
    return out;
  });
  EXPECT_EQ(names, "tcp ipv4 tcp six ");
}

TEST(Plan, a_key_of_prefixes_joins_what_they_have_in_common_and_says_how_long_they_are) {
  const auto wanted = of_names({"packetDeltaCount", "sourceIPv4PrefixLength", "sourceTransportPort", "vlanId"});
  const auto got = values(with({wanted}, {"sourceIPv4Address/24"}),
                          {udp("10.0.0.1:5 > 10.9.0.1:6").vlan(3).at(1s),
                           tcp("10.0.0.200:7 > 10.8.0.1:8").vlan(4).at(1s), udp("10.0.1.1:5 > 10.9.0.1:6").at(1s)});
  EXPECT_EQ(got, (Values{{2, 24, 0, 3}, {1, 24, 0, 0}}));
}

TEST(Plan, a_biflow_by_mac_addresses_joins_both_ways) {
  auto one = udp(there).at(1s), answer = udp(back).at(2s);
  one.details.source_mac = answer.details.destination_mac = {std::byte{9}};
  one.details.destination_mac = answer.details.source_mac = {std::byte{1}};
  const auto got = values(with({of_names({"packetDeltaCount", "reversePacketDeltaCount"})},
                               {"sourceMacAddress", "destinationMacAddress"}, FlowDirection::biflow),
                          {one, answer, one});
  EXPECT_EQ(got, (Values{{2, 1}}));
}

TEST(Plan, flows_whose_key_is_two_further_words_are_found_again_after_the_table_has_grown) {
  constexpr std::size_t flows = 300;  // lines double at 64, 128 and 256
  std::vector<test::Arrival> packets;
  for (int round = 1; round <= 2; ++round)
    for (std::size_t flow = 0; flow < flows; ++flow) {
      auto& packet = packets.emplace_back(udp(there).at(std::chrono::seconds{round}));
      packet.details.source_mac = {static_cast<std::byte>(flow % 20)};
      packet.details.destination_mac = {std::byte{1}, static_cast<std::byte>(flow / 20)};
    }
  const auto got =
      values(with({of_names({"packetDeltaCount"})}, {"sourceMacAddress", "destinationMacAddress"}), packets);
  EXPECT_EQ(got, Values(flows, {2}));
}

TEST(Plan, a_flow_keeps_its_id_over_active_ends_and_the_next_one_of_the_key_has_another) {
  auto options = with({of_names({"flowId", "octetTotalCount", "octetDeltaCount"})});
  options.timeout_active = 10s;
  const auto got = values(options, {udp(there).at(1s), udp(there).at(11s), udp(there).at(12s), udp(there).at(40s)});
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0][0], got[1][0]);
  EXPECT_NE(got[0][0], got[2][0]);
  EXPECT_EQ(got[1][1], 300u);
  EXPECT_EQ(got[1][2], 200u);
  EXPECT_EQ(got[2][1], 100u);
}

TEST(Plan, a_counter_ends_its_record_before_it_outgrows_its_length_and_the_flow_goes_on) {
  auto wanted = of_names({"octetDeltaCount", "flowEndReason", "ipClassOfService"});
  wanted.fields[0].octets = 1;
  const auto got = values(with({wanted}), {udp(there).tos(4).at(1s), udp(there).at(2s), udp(there).at(3s)});
  EXPECT_EQ(got, (Values{{200, 2, 4}, {100, 4, 4}}));
}

TEST(Plan, times_are_those_of_the_first_and_last_packet_in_every_form) {
  // 1970-01-01T00:00:01.5 and two seconds later.
  const auto got = values(with({of_names({"flowStartSeconds", "flowStartNanoseconds", "flowDurationMilliseconds",
                                          "flowDurationMicroseconds", "flowEndMicroseconds"})}),
                          {udp(there).at(1500ms), udp(there).at(3500ms)});
  constexpr std::uint64_t epoch = 2'208'988'800;  // of NTP, in 1970
  EXPECT_EQ(got, (Values{{1, (epoch + 1) << 32 | 0x8000'0000, 2000, 2'000'000, (epoch + 3) << 32 | 0x8000'0000}}));
}

TEST(Plan, a_handshake_has_its_round_trip_time_and_a_biflow_the_time_to_its_first_answer) {
  const auto wanted = of_names({"handshakeRoundTripTimeMicroseconds", "reverseFlowDeltaMicroseconds"});
  const auto got = values(with({wanted}, {}, FlowDirection::biflow),
                          {tcp(there).syn().at(1s), tcp(back).flags(0x12).at(1s + 30ms),
                           tcp(there).flags(0x10).at(1s + 50ms), tcp(there).flags(0x10).at(2s)});
  EXPECT_EQ(got, (Values{{50'000, 30'000}}));
}

TEST(Spread, brings_all_packets_of_a_key_to_one_shard_and_uses_all_shards) {
  const auto shard = [](const Spread& spread, const test::Arrival& packet) {
    const Packet where{.interface = packet.interface};
    const auto with_details = spread.shard_of(where, packet.headers, &packet.details, 8);
    EXPECT_EQ(spread.shard_of(where, packet.headers, nullptr, 8), with_details);
    return with_details;
  };
  const Spread by_prefix{with({}, {"sourceIPv4Address/24", "destinationIPv4Address/24"}, FlowDirection::biflow)};
  EXPECT_FALSE(by_prefix.follows_addresses());
  EXPECT_EQ(shard(by_prefix, udp("10.0.0.1:1 > 10.1.0.1:2")), shard(by_prefix, tcp("10.1.0.77:9 > 10.0.0.8:2")));
  const Spread by_ports{with({}, {"sourceTransportPort", "destinationTransportPort"}, FlowDirection::biflow)};
  EXPECT_EQ(shard(by_ports, udp("10.0.0.1:1 > 10.1.0.1:2")), shard(by_ports, udp("10.3.0.1:2 > 10.4.0.1:1")));
  std::set<unsigned> used;
  for (std::uint16_t port = 0; port < 200; ++port) {
    auto packet = udp(there);
    packet.headers.source_port = port;
    used.insert(shard(by_ports, packet));
  }
  EXPECT_EQ(used.size(), 8u);
  EXPECT_TRUE(Spread{with({})}.follows_ports());
  EXPECT_FALSE((Spread{with({}, {"sourceIPv4Address", "destinationIPv4Address"})}.follows_ports()));
}

}  // namespace
}  // namespace weir::flow
