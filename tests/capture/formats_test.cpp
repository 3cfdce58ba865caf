// SPDX-License-Identifier: BSD-3-Clause
// Every format that is read, written here by hand.
#include <gtest/gtest.h>

#include "read_capture.hpp"

namespace weir::capture::test {
namespace {

constexpr auto t0 = 1'700'000'000s;
constexpr std::uint32_t seconds = 1'700'000'000;

struct Flavour {
  const char* name;
  PcapOptions options;
  nanoseconds unit;
};

class EveryPcap : public testing::TestWithParam<Flavour> {};

TEST_P(EveryPcap, gives_back_what_was_written) {
  const auto& [name, options, unit] = GetParam();
  Pcap pcap{options};
  pcap.packet(seconds, 5, payload(60, 1)).record(seconds, 999'999, 40, 1500, payload(40, 2)).packet(seconds + 1, 0, {});
  const auto all = read_octets(pcap.octets());
  ASSERT_EQ(all.packets.size(), 3u) << all.problem();
  EXPECT_TRUE(all.problems.empty());
  EXPECT_EQ(all.packets[0], (Read{payload(60, 1), 60, t0 + 5 * unit, t0 + 5 * unit, 0, 0, Link::ethernet, true}));
  EXPECT_EQ(all.packets[1].bytes, payload(40, 2));
  EXPECT_EQ(all.packets[1].wire, 1500u);
  EXPECT_EQ(all.packets[1].stamp, t0 + 999'999 * unit);
  EXPECT_EQ(all.packets[2].stamp, t0 + 1s);
  EXPECT_EQ(read_octet_by_octet(pcap.octets()).packets, all.packets);
  EXPECT_EQ(read_octets(gzip(pcap.octets())).packets, all.packets);
}

INSTANTIATE_TEST_SUITE_P(Flavours, EveryPcap,
                         testing::Values(Flavour{"le_micro", {Endian::little, 0xa1b2c3d4}, 1us},
                                         Flavour{"be_micro", {Endian::big, 0xa1b2c3d4}, 1us},
                                         Flavour{"le_nano", {Endian::little, 0xa1b23c4d}, 1ns},
                                         Flavour{"be_nano", {Endian::big, 0xa1b23c4d}, 1ns},
                                         Flavour{"le_modified", {Endian::little, 0xa1b2cd34}, 1us},
                                         Flavour{"be_modified", {Endian::big, 0xa1b2cd34}, 1us}),
                         [](const auto& one) { return std::string{one.param.name}; });

TEST(Pcap, the_link_type_is_in_the_low_sixteen_bits_of_the_network_field) {
  const auto all = read_octets(Pcap{{.network = 0x2400'0000u | 113}}.packet(seconds, 0, payload(60)).octets());
  ASSERT_EQ(all.packets.size(), 1u);
  EXPECT_EQ(all.packets[0].link, Link::sll);
  EXPECT_EQ(all.interfaces[0].link_number, 113u);
}

TEST(Pcap, a_packet_captured_longer_than_it_was_has_had_the_captured_length) {
  const auto pcap = Pcap{}.record(seconds, 0, 60, 40, payload(60)).octets();
  const auto pcapng = Pcapng{}.interface(1).enhanced(0, 1, 60, 40, payload(60)).octets();
  const auto all = read_octets(std::vector{pcap, pcapng});
  ASSERT_EQ(all.packets.size(), 2u);
  EXPECT_EQ(all.packets[0].wire, 60u);
  EXPECT_EQ(all.packets[1].wire, 60u);
}

TEST(Pcap, a_fraction_beyond_a_second_carries_over) {
  const auto all = read_octets(Pcap{}.packet(seconds, 2'500'000, {}).packet(~0u, ~0u, {}).octets());
  ASSERT_EQ(all.packets.size(), 2u);
  EXPECT_EQ(all.packets[0].stamp, t0 + 2500ms);
  EXPECT_EQ(all.packets[1].stamp, 4'294'967'295s + 4'294'967'295us);
}

class EveryOrder : public testing::TestWithParam<Endian> {};
INSTANTIATE_TEST_SUITE_P(Orders, EveryOrder, testing::Values(Endian::little, Endian::big),
                         [](const auto& one) { return one.param == Endian::little ? "little" : "big"; });

TEST_P(EveryOrder, all_packet_blocks_of_pcapng_are_read) {
  Pcapng pcapng{GetParam()};
  pcapng.interface(1, "eth0").interface(101, {{9, {std::byte{9}}}});
  pcapng.packet(0, 1'700'000'000'000'005, payload(61, 1))
      .enhanced(1, 1'700'000'000'000'000'007, 20, 1500, payload(20, 2), 40)
      .obsolete(1, 77, 1'700'000'000'000'000'009, payload(33, 3))
      .simple(50, payload(50, 4));
  const auto all = read_octets(pcapng.octets());
  ASSERT_EQ(all.packets.size(), 4u) << all.problem();
  EXPECT_TRUE(all.problems.empty());
  EXPECT_EQ(all.packets[0], (Read{payload(61, 1), 61, t0 + 5us, t0 + 5us, 0, 0, Link::ethernet, true}));
  EXPECT_EQ(all.packets[1].bytes, payload(20, 2));
  EXPECT_EQ(all.packets[1].wire, 1500u);
  EXPECT_EQ(all.packets[1].stamp, t0 + 7ns);
  EXPECT_EQ(all.packets[2], (Read{payload(33, 3), 33, t0 + 9ns, t0 + 5us, 1, note_bit(Note::late), Link::raw, true}));
  EXPECT_EQ(all.packets[3],
            (Read{payload(50, 4), 50, t0 + 5us, t0 + 5us, 0, note_bit(Note::without_stamp), Link::ethernet, true}));
  EXPECT_EQ(read_octet_by_octet(pcapng.octets()).packets, all.packets);
  EXPECT_EQ(read_octets(gzip(pcapng.octets())).packets, all.packets);
}

TEST(Pcapng, a_simple_packet_is_as_long_as_snap_length_original_and_block_allow) {
  Pcapng pcapng;
  pcapng.interface(1, {}, 40).simple(60, payload(60)).simple(30, payload(30));
  pcapng.section(Endian::little).interface(1, {}, 0).simple(60, payload(48));
  const auto all = read_octets(pcapng.octets());
  ASSERT_EQ(all.packets.size(), 3u) << all.problem();
  EXPECT_EQ(all.packets[0].bytes.size(), 40u);
  EXPECT_EQ(all.packets[0].wire, 60u);
  EXPECT_EQ(all.packets[1].bytes.size(), 30u);
  EXPECT_EQ(all.packets[2].bytes.size(), 48u);
}

TEST(Pcapng, sections_have_byte_orders_of_their_own) {
  Pcapng pcapng{Endian::big};
  pcapng.interface(1).packet(0, 1, payload(60, 1)).section(Endian::little).interface(101).packet(0, 2, payload(60, 2));
  pcapng.section(Endian::big).interface(228).packet(0, 3, payload(60, 3));
  const auto all = read_octets(pcapng.octets());
  ASSERT_EQ(all.packets.size(), 3u) << all.problem();
  EXPECT_EQ(all.packets[1].stamp, 2us);
  EXPECT_EQ(all.packets[1].link, Link::raw);
  EXPECT_EQ(all.packets[2].stamp, 3us);
  EXPECT_EQ(all.packets[2].link, Link::ipv4);
}

TEST(Pcapng, blocks_that_hold_no_packet_are_dropped_however_long_they_are) {
  constexpr std::size_t long_block = 5'000'000;
  Pcapng pcapng;
  pcapng.block(4, Octets(20)).interface(1).block(0x0bad, Octets(long_block)).packet(0, 1, payload(60));
  pcapng.block(5, {}).block(0x40000bad, Octets(long_block)).packet(0, 2, payload(60)).block(10, Octets(1000));
  const auto all = read_octets(pcapng.octets());
  EXPECT_TRUE(all.problems.empty()) << all.problem();
  EXPECT_EQ(all.packets.size(), 2u);
  EXPECT_EQ(all.slices.size(), 1u);
}

TEST(Pcapng, options_longer_than_any_buffer_take_nothing_from_their_packet) {
  Pcapng pcapng;
  pcapng.interface(1);
  for (unsigned i = 0; i < 8; ++i) pcapng.packet(0, i, payload(1000, i), i % 2 ? 2'000'000 : 100'000);
  const auto all = read_octets(pcapng.octets());
  EXPECT_TRUE(all.problems.empty()) << all.problem();
  ASSERT_EQ(all.packets.size(), 8u);
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(all.packets[i].bytes, payload(1000, i));
}

struct Clockwork {
  std::uint8_t resolution;
  std::int64_t offset;
  std::uint64_t units;
  nanoseconds stamp;  // no_stamp: it has none
};

TEST(Pcapng, stamps_are_exact_in_every_resolution_and_never_overflow) {
  constexpr auto none = no_stamp.time_since_epoch();
  constexpr std::uint64_t most = ~std::uint64_t{0};
  const std::vector<Clockwork> cases{
      {6, 0, 1'700'000'000'123'456, t0 + 123'456us},
      {9, 0, 1'700'000'000'123'456'789, t0 + 123'456'789ns},
      {0, 0, seconds, t0},
      {3, 0, 1'700'000'000'001, t0 + 1ms},
      {12, 0, 1'999'999, 1999ns},
      {19, 0, most, 1'844'674'407ns},
      {28, 0, most, 1ns},
      {29, 0, most, 0ns},
      {127, 0, most, 0ns},
      {0x80 | 1, 0, 3, 1500ms},
      {0x80 | 20, 0, (std::uint64_t{seconds} << 20) + (1 << 19), t0 + 500ms},
      {0x80 | 32, 0, (std::uint64_t{seconds} << 32) + 1, t0},
      {0x80 | 64, 0, most, 999'999'999ns},
      {0x80 | 127, 0, most, 0ns},
      {6, seconds, 7, t0 + 7us},
      {6, -5, 7'000'000, 2s},
      {6, -8, 7'000'000, none},
      {6, 0, most, none},
      {0, 0, most, none},
      {6, std::numeric_limits<std::int64_t>::max(), most, none},
      {6, std::numeric_limits<std::int64_t>::min(), most, none},
      {0, 0, 7'258'118'400, stamp_latest.time_since_epoch()},
      {9, 7'258'118'400, 1, none},
  };
  for (const auto& one : cases) {
    Maker offset{Endian::little};
    offset.number(static_cast<std::uint64_t>(one.offset));
    Pcapng pcapng;
    pcapng.interface(1, {{9, {std::byte{one.resolution}}}, {14, offset.octets()}}).packet(0, one.units, payload(60));
    const auto all = read_octets(pcapng.octets());
    ASSERT_EQ(all.packets.size(), 1u);
    const bool stamped = one.stamp != none;
    EXPECT_EQ(all.packets[0].notes, stamped ? 0 : note_bit(Note::without_stamp)) << unsigned{one.resolution};
    EXPECT_EQ(all.packets[0].stamp, stamped ? one.stamp : 0ns) << unsigned{one.resolution} << ' ' << one.units;
  }
}

TEST(Gzip, members_follow_one_another_and_may_be_padded_with_zeros) {
  const auto pcap = Pcap{}.packet(seconds, 0, payload(60, 1)).packet(seconds, 1, payload(60, 2)).octets();
  Octets members;
  for (std::size_t i = 0; i < pcap.size(); i += 7)
    members = members + gzip({pcap.begin() + i, pcap.begin() + std::min(i + 7, pcap.size())});
  for (const auto& file : {members, members + Octets(1000)}) {
    const auto all = read_octets(file);
    EXPECT_EQ(all.packets.size(), 2u);
    EXPECT_TRUE(all.problems.empty()) << all.problem();
    EXPECT_EQ(read_octet_by_octet(file).packets, all.packets);
  }
}

}  // namespace
}  // namespace weir::capture::test
