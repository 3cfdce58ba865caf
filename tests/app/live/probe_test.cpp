// SPDX-License-Identifier: BSD-3-Clause
// What a live probe makes of buffers as NICs fill them: stamps, tags, segments, ports, workers.
#include "app/live/probe.hpp"

#include <gtest/gtest.h>

#include "app/live/ring_port.hpp"

namespace weir::app {
namespace {

using test::SlowRecord;
using test::frames::icmp;
using test::frames::tcp;
using test::frames::udp;

constexpr nanoseconds start{1'700'000'000s};

/// What the meter's specification makes of the same packets.
std::vector<SlowRecord> expected(const std::vector<Frame>& frames, const test::SlowOptions& options = {}) {
  test::SlowMeter meter{options};
  for (const auto& frame : frames) {
    const auto about = frame.captured().about;
    meter.add({.headers = frame.headers(), .stamp = about.stamp, .clock = about.stamp, .interface = about.interface});
  }
  return meter.finish();
}

/// Conversations both ways, of every kind of protocol, a packet a millisecond.
std::vector<Frame> conversations(unsigned count) {
  std::vector<Frame> frames;
  auto at = start;
  const auto say = [&](const Frame& frame) { frames.push_back(frame.at(at += 1ms)); };
  for (unsigned i = 0; i < count; ++i) {
    const auto low = std::to_string(i % 250 + 1), high = std::to_string(i / 250), port = std::to_string(1024 + i);
    const auto v4 = "10.0." + high + "." + low, v6 = "[2001:db8::" + high + ":" + low + "]";
    say(tcp(v4 + ":" + port + " > 10.9.9.9:80").syn());
    say(tcp("10.9.9.9:80 > " + v4 + ":" + port).syn().ack());
    say(udp(v6 + ":" + port + " > [2001:db8::53]:53").payload(30));
    say(udp("[2001:db8::53]:53 > " + v6 + ":" + port).payload(300));
    say(icmp(v4 + " > 10.9.9.9"));
    say(tcp(v4 + ":" + port + " > 10.9.9.9:80").fin().ack().payload(i));
  }
  return frames;
}

TEST(Probe, exports_what_the_meter_says_of_the_same_packets_and_gives_every_buffer_back) {
  RingPort port;
  const auto frames = conversations(100);
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  for (const auto& frame : frames) port.send(frame);
  EXPECT_TRUE(probe.comes_to(frames.size()));
  const auto report = probe.finish();
  EXPECT_EQ(report.packets.received.packets, frames.size());
  EXPECT_EQ(status_of(report), ExitStatus::good);
  EXPECT_EQ(test::differences(expected(frames), probe.records()), "");
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(Probe, brings_both_directions_to_one_of_two_workers_where_the_port_has_no_rss) {
  RingPort port;
  const auto frames = conversations(100);
  LiveProbe probe{2, {port.setting(), "flow.direction=biflow"}};
  probe.start();
  EXPECT_TRUE(probe->reshards());
  EXPECT_TRUE(probe.was_said("in software"));
  for (const auto& frame : frames) port.send(frame);
  EXPECT_TRUE(probe.comes_to(frames.size()));
  const auto report = probe.finish();
  EXPECT_EQ(test::differences(expected(frames, {.biflow = true}), probe.records()), "");
  EXPECT_EQ(report.splits.value().split, 0);
  for (const auto& worker : probe->workers()) EXPECT_GT(worker.metered.packets, 0);
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(Probe, keeps_flows_together_whichever_of_a_ports_queues_a_packet_comes_in) {
  RingPort port{2};
  auto frames = conversations(200);
  for (auto& frame : frames) frame = frame.at(start);  // workers read their queues at any time
  LiveProbe probe{2, {port.setting(), "flow.direction=biflow", "flow.tcp_close=off"}};
  probe.start();
  for (std::size_t i = 0; i < frames.size(); ++i) port.send(frames[i], i % 2);
  EXPECT_TRUE(probe.comes_to(frames.size()));
  const auto report = probe.finish();
  EXPECT_EQ(probe.records().size(), 600) << "TCP, UDP and ICMP of each conversation";
  EXPECT_EQ(report.splits.value().split, 0);
  std::uint64_t handed = 0, taken = 0;
  for (const auto& worker : probe->workers()) handed += worker.handed_over, taken += worker.taken_over;
  EXPECT_GT(handed, 0);
  EXPECT_EQ(handed, taken);
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(Probe, says_through_which_port_a_flow_came) {
  RingPort first, second;
  LiveProbe probe{1, {first.setting(), second.setting()}};
  probe.start();
  const auto one = udp("10.0.0.1:1 > 10.0.0.2:2").at(start), other = udp("10.0.0.3:3 > 10.0.0.4:4").at(start);
  first.send(one);
  second.send(other);
  EXPECT_TRUE(probe.comes_to(2));
  const auto report = probe.finish();
  EXPECT_EQ(test::differences(expected({one.interface(0), other.interface(1)}), probe.records()), "");
  ASSERT_EQ(report.ports.size(), 2);
  for (const auto& port : report.ports) EXPECT_EQ(port.received(), 1) << port.name;
}

TEST(Probe, believes_no_hash_and_no_packet_type_that_a_port_gives) {
  RingPort port;
  const auto frames = conversations(20);
  LiveProbe probe{2, {port.setting(), "flow.direction=biflow"}};
  probe.start();
  for (const auto& frame : frames)
    port.send(frame, 0, [](rte_mbuf& buffer) {
      buffer.packet_type = RTE_PTYPE_L2_ETHER_ARP | RTE_PTYPE_L3_IPV6_EXT | RTE_PTYPE_L4_SCTP;
      buffer.hash.rss = 0xdeadbeef;
      buffer.ol_flags |= RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_BAD;
    });
  EXPECT_TRUE(probe.comes_to(frames.size()));
  probe.finish();
  EXPECT_EQ(test::differences(expected(frames, {.biflow = true}), probe.records()), "");
}

TEST(Probe, takes_a_packets_time_from_its_stamp_in_nanoseconds) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  port.send(udp("10.0.0.1:1 > 10.0.0.2:2").at(start + 123'999'999ns));
  port.send(udp("10.0.0.1:1 > 10.0.0.2:2").at(start + 5s));
  EXPECT_TRUE(probe.comes_to(2));
  probe.finish();
  const auto records = probe.records();
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].forward.first_ms, 1'700'000'000'123);
  EXPECT_EQ(records[0].forward.last_ms, 1'700'000'005'000);
}

TEST(Probe, gives_a_packet_without_a_stamp_the_time_of_day) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  const auto before = milliseconds_since_epoch(wall_now());
  port.send(udp("10.0.0.1:1 > 10.0.0.2:2"));
  EXPECT_TRUE(probe.comes_to(1));
  const auto after = milliseconds_since_epoch(wall_now());
  probe.finish();
  const auto records = probe.records();
  ASSERT_EQ(records.size(), 1);
  EXPECT_LE(before, records[0].forward.first_ms + 1);
  EXPECT_GE(after + 1, records[0].forward.first_ms);
}

TEST(Probe, reads_headers_that_lie_in_a_packets_second_buffer) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  const auto v4 = tcp("10.0.0.1:1 > 10.0.0.2:2").syn().payload(1000).at(start);
  const auto v6 = udp("[2001:db8::1]:1 > [2001:db8::2]:2").hop_by_hop().payload(500).at(start);
  for (const unsigned octets : {14, 20, 34, 36}) port.send(v4, 0, [&](rte_mbuf& buffer) { port.cut(buffer, octets); });
  for (const unsigned octets : {14, 40, 54, 64}) port.send(v6, 0, [&](rte_mbuf& buffer) { port.cut(buffer, octets); });
  EXPECT_TRUE(probe.comes_to(8));
  const auto report = probe.finish();
  EXPECT_EQ(report.became(Outcome::metered).packets, 8) << text(report);
  EXPECT_EQ(test::differences(expected({v4, v4, v4, v4, v6, v6, v6, v6}), probe.records()), "");
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(Probe, filters_by_what_lies_in_a_packets_second_buffer) {
  RingPort port;
  LiveProbe probe{1, {port.setting(), "live.filter=udp dst port 53"}};
  probe.start();
  const auto wanted = udp("10.0.0.1:1 > 10.0.0.2:53").payload(100).at(start);
  const auto other = udp("10.0.0.1:1 > 10.0.0.2:54").payload(100).at(start);
  const auto cut = [&](rte_mbuf& buffer) { port.cut(buffer, 34); };
  for (const auto& frame : {other, wanted, other, other, wanted}) port.send(frame, 0, cut);
  port.send(wanted);
  port.send(other);
  EXPECT_TRUE(probe.comes_to(7));
  const auto report = probe.finish();
  EXPECT_EQ(report.became(Outcome::filtered).packets, 4) << text(report);
  EXPECT_EQ(test::differences(expected({wanted, wanted, wanted}), probe.records()), "");
  EXPECT_TRUE(port.all_buffers_are_back());
}

TEST(Probe, samples_by_content_a_packet_in_two_buffers_as_it_does_one_in_one) {
  constexpr unsigned packets = 200;
  RingPort port;
  LiveProbe probe{1, {port.setting(), "sampling.method=hash", "sampling.hash_one_in=4"}};
  probe.start();
  for (unsigned i = 0; i < packets; ++i) {
    const auto frame = udp("10.0.0.1:" + std::to_string(i) + " > 10.0.0.2:53").payload(100).at(start);
    port.send(frame);
    port.send(frame, 0, [&](rte_mbuf& buffer) { port.cut(buffer, 34); });
  }
  EXPECT_TRUE(probe.comes_to(2 * packets));
  const auto report = probe.finish();
  EXPECT_GT(report.became(Outcome::not_selected).packets, packets);
  const auto records = probe.records();
  EXPECT_GT(records.size(), packets / 8);
  for (const auto& record : records) EXPECT_EQ(record.forward.packets, 2);
}

TEST(Probe, knows_the_vlan_of_a_packet_whose_tag_the_port_took_off) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  const auto plain = udp("10.0.0.1:1 > 10.0.0.2:2").payload(50).at(start);
  port.send(plain);
  port.send(plain, 0, [](rte_mbuf& buffer) {
    buffer.ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    buffer.vlan_tci = 0x2000 | 42;  // a priority, too
  });
  port.send(plain, 0, [](rte_mbuf& buffer) {
    buffer.ol_flags |=
        RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
    buffer.vlan_tci = 7;
    buffer.vlan_tci_outer = 43;
  });
  EXPECT_TRUE(probe.comes_to(3));
  const auto report = probe.finish();
  EXPECT_EQ(test::differences(expected({plain, plain.vlan(42), plain.vlan(43).vlan(7)}), probe.records()), "");
  EXPECT_EQ(report.packets.received.octets, 3 * plain.bytes().size() + 3 * 4) << "tags were on the wire";
  EXPECT_TRUE(port.all_buffers_are_back());
}

}  // namespace
}  // namespace weir::app
