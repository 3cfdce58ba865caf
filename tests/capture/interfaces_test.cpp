// SPDX-License-Identifier: BSD-3-Clause
// Interfaces over the whole input, and the packet clock.
#include <gtest/gtest.h>

#include "read_capture.hpp"

namespace weir::capture::test {
namespace {

std::vector<unsigned> numbers(const AllRead& all) {
  std::vector<unsigned> list;
  for (const auto& packet : all.packets) list.push_back(packet.interface);
  return list;
}

TEST(Interfaces, keep_their_number_in_later_sections_and_files) {
  Pcapng pcapng;
  pcapng.interface(1, "eth0").interface(1, "eth1").packet(1, 1, payload(60)).packet(0, 2, payload(60));
  pcapng.section(Endian::big).interface(1, "eth0").interface(101, "eth1").interface(1, "eth0");
  pcapng.packet(0, 3, payload(60)).packet(1, 4, payload(60)).packet(2, 5, payload(60));
  Pcapng later;
  later.interface(1, "eth0").interface(1, "eth1").packet(1, 6, payload(60));
  const auto pcap = Pcap{}.packet(7, 0, payload(60)).octets();
  const auto all = read_octets(std::vector{pcapng.octets(), pcap, later.octets(), pcap});
  EXPECT_EQ(numbers(all), (std::vector<unsigned>{1, 0, 0, 2, 3, 4, 1, 4}));
  ASSERT_EQ(all.interfaces.size(), 5u);
  EXPECT_EQ(all.interfaces[1].name, "eth1");
  EXPECT_EQ(all.interfaces[2].link, Link::raw);
  EXPECT_EQ(all.interfaces[4].name, "");
}

TEST(Interfaces, alike_in_one_section_are_two) {
  Pcapng pcapng;
  pcapng.interface(1).interface(1).packet(0, 1, payload(60)).packet(1, 2, payload(60));
  EXPECT_EQ(numbers(read_octets(pcapng.octets())), (std::vector<unsigned>{0, 1}));
}

TEST(Interfaces, of_an_unsupported_link_type_are_named_once_when_their_first_packet_comes) {
  Pcapng pcapng;
  pcapng.interface(163, "wl\x1bn0").interface(1, "eth0").interface(147, "silent");
  pcapng.packet(1, 1, payload(60)).packet(0, 2, payload(60)).packet(0, 3, payload(60));
  const auto all = read_octets(std::vector{pcapng.octets(), pcapng.octets()});
  EXPECT_EQ(all.packets.size(), 6u);
  EXPECT_EQ(all.packets[1].link, Link::unsupported);
  ASSERT_EQ(all.warnings.size(), 1u);
  EXPECT_EQ(all.warnings[0],
            "file0: interface 0 (wl?n0) of link type 163 (IEEE802_11_RADIO_AVS) cannot be read; its packets count as "
            "link_unsupported");
  EXPECT_TRUE(all.problems.empty());
}

TEST(PacketClock, is_the_largest_stamp_so_far_over_all_files) {
  const auto first = Pcap{}.packet(10, 0, {}).packet(30, 0, {}).packet(20, 0, {}).octets();
  const auto second = Pcap{}.packet(25, 0, {}).packet(31, 0, {}).octets();
  const auto all = read_octets(std::vector{first, second});
  const std::vector<nanoseconds> clocks{10s, 30s, 30s, 30s, 31s};
  const auto late = note_bit(Note::late);
  const std::vector<unsigned> notes{0, 0, late, late, 0};
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    EXPECT_EQ(all.packets[i].clock, clocks[i]) << i;
    EXPECT_EQ(all.packets[i].notes, notes[i]) << i;
  }
}

TEST(PacketClock, jumps_over_an_hour_either_way_are_noted_and_the_first_of_a_file_is_warned_of) {
  const auto pcap = Pcap{}
                        .packet(100'000, 0, {})
                        .packet(103'600, 0, {})
                        .packet(100'000, 0, {})
                        .packet(103'600, 1, {})
                        .packet(99'999, 0, {})
                        .octets();
  const auto all = read_octets(std::vector{pcap, Pcap{}.packet(99'999, 0, {}).octets()});
  const auto jump = note_bit(Note::clock_jump), late = note_bit(Note::late);
  const std::vector<unsigned> notes{0u, 0u, late, jump, static_cast<unsigned>(jump | late), late};
  for (std::size_t i = 0; i < notes.size(); ++i) EXPECT_EQ(all.packets[i].notes, notes[i]) << i;
  ASSERT_EQ(all.warnings.size(), 1u);
  EXPECT_EQ(all.warnings[0].find("file0: packet 4 is stamped over an hour"), 0u) << all.warnings[0];
  EXPECT_EQ(read_octet_by_octet(pcap).warnings.size(), 1u);
}

TEST(PacketClock, a_packet_without_a_stamp_takes_it_and_makes_no_jump) {
  Pcapng pcapng;
  pcapng.interface(1).simple(0, {}).packet(0, 1'700'000'000'000'000, {}).packet(0, 1'600'000'000, {}).simple(0, {});
  const auto all = read_octets(pcapng.octets());
  ASSERT_EQ(all.packets.size(), 4u);
  EXPECT_EQ(all.packets[0].stamp, 0s);
  EXPECT_EQ(all.packets[1].notes, 0);
  EXPECT_EQ(all.packets[3].stamp, 1'700'000'000s);
  EXPECT_EQ(all.packets[3].notes, note_bit(Note::without_stamp));
}

}  // namespace
}  // namespace weir::capture::test
