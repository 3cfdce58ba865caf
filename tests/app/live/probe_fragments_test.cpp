// SPDX-License-Identifier: BSD-3-Clause
// Fragments in a live probe: across workers, in silence, at its end, and when sampling changes under them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/live/ring_port.hpp"

namespace weir::app {
namespace {

using test::frames::udp;

const auto datagram = udp("10.0.0.1:1000 > 10.0.0.2:53").payload(1000);
const auto first = datagram.fragment(0), later = datagram.fragment(1008, 0);

bool waits(LiveProbe& probe, std::uint64_t packets) {
  return soon([&] { return probe->report().fragments_waiting.packets == packets; });
}
std::uint64_t noted(const Report& report, Note note) { return report.packets.notes[static_cast<std::size_t>(note)]; }

TEST(ProbeFragments, meet_at_one_worker_through_whichever_queue_and_in_whatever_order_they_come) {
  RingPort port{2};
  LiveProbe probe{2, {port.setting()}};
  probe.start();
  port.send(later, 1);
  EXPECT_TRUE(waits(probe, 1));
  port.send(first, 0);
  EXPECT_TRUE(probe.comes_to(2));
  EXPECT_TRUE(waits(probe, 0));
  const auto report = probe.finish();
  EXPECT_EQ(report.fragments_joined, 1);
  const auto records = probe.records();
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].source_port, 1000);
  EXPECT_EQ(records[0].forward.packets, 2);
}

TEST(ProbeFragments, wait_in_the_ledger_for_every_destination_and_a_second_long_though_no_packet_comes) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  port.send(later);
  EXPECT_TRUE(waits(probe, 1));
  const auto meanwhile = json(probe->report());
  EXPECT_EQ(meanwhile["fragments"]["waiting"]["packets"], 1);
  EXPECT_EQ(meanwhile["metered"]["ip_octets"], meanwhile["destinations"][0]["waiting"]["ip_octets"]);
  EXPECT_TRUE(waits(probe, 0));
  EXPECT_EQ(probe.flows(), 1);
  EXPECT_EQ(noted(probe->report(), Note::fragment_without_first), 1);
  probe.finish();
}

TEST(ProbeFragments, that_wait_at_the_end_are_exported_with_ports_0) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  port.send(later);
  EXPECT_TRUE(probe.comes_to(1));
  const auto report = probe.finish();
  EXPECT_EQ(report.fragments_waiting, Totals{});
  EXPECT_EQ(noted(report, Note::fragment_without_first), 1);
  const auto records = probe.records();
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].source_port, 0);
}

TEST(ProbeFragments, that_wait_go_into_no_record_of_another_way_of_sampling) {
  RingPort port;
  LiveProbe probe{1, {port.setting()}};
  probe.start();
  port.send(later);
  EXPECT_TRUE(waits(probe, 1));
  auto wanted = probe.given();
  wanted.sampling.select.method = capture::SamplingMethod::systematic;
  probe->apply(wanted);
  EXPECT_TRUE(waits(probe, 0));
  port.send(first);
  EXPECT_TRUE(probe.comes_to(2));
  probe.finish();
  EXPECT_EQ(probe.records().size(), 2);
}

}  // namespace
}  // namespace weir::app
