// SPDX-License-Identifier: BSD-3-Clause
// Damage is named once, with its place; what came before it counts, and the next file goes on.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>

#include "read_capture.hpp"

namespace weir::capture::test {
namespace {

bool has(const std::string& line, const std::string& words) { return line.find(words) != std::string::npos; }

/// A capture, and the offsets at which it may end without damage, each with the packets before it.
struct Cuttable {
  Octets octets;
  std::vector<std::pair<std::size_t, std::size_t>> ends;
  std::size_t least;  // shorter is no capture
};

Cuttable cuttable_pcap() {
  Pcap pcap;
  Cuttable cuttable{.octets = {}, .ends = {{pcap.octets().size(), 0}}, .least = 24};
  for (unsigned i = 0; i < 5; ++i) {
    pcap.packet(i, 0, payload(i * 7, i));
    cuttable.ends.push_back({pcap.octets().size(), i + 1});
  }
  cuttable.octets = pcap.octets();
  return cuttable;
}

Cuttable cuttable_pcapng() {
  Pcapng pcapng;
  Cuttable cuttable{.octets = {}, .ends = {}, .least = 24};
  std::size_t packets = 0;
  const auto block = [&](std::size_t more) {
    packets += more;
    cuttable.ends.push_back({pcapng.octets().size(), packets});
  };
  block(0);
  pcapng.interface(1, {{2, octets_of("eth0")}, {9, {std::byte{9}}}}), block(0);
  pcapng.packet(0, 1, payload(5, 1), 8), block(1);
  pcapng.block(5, Octets(12)), block(0);
  pcapng.simple(6, payload(6, 2)), block(1);
  pcapng.section(Endian::big), block(0);
  pcapng.interface(101), block(0);
  pcapng.obsolete(0, 0, 1, payload(7, 3)), block(1);
  cuttable.octets = pcapng.octets();
  return cuttable;
}

void check_cut(const Cuttable& cuttable, const std::vector<Read>& whole, std::size_t cut) {
  const Octets octets{cuttable.octets.begin(), cuttable.octets.begin() + cut};
  const auto all = read_octets(octets);
  EXPECT_EQ(read_octet_by_octet(octets).packets, all.packets);
  if (cut < cuttable.least) {
    EXPECT_EQ(all.status(), ExitStatus::unusable_input);
    EXPECT_TRUE(all.packets.empty());
    return;
  }
  std::pair<std::size_t, std::size_t> end{0, 0};
  for (const auto& one : cuttable.ends)
    if (one.first <= cut) end = one;
  ASSERT_EQ(all.packets.size(), end.second);
  EXPECT_TRUE(std::equal(all.packets.begin(), all.packets.end(), whole.begin()));
  if (end.first == cut) {
    EXPECT_TRUE(all.problems.empty());
    return;
  }
  ASSERT_EQ(all.problems.size(), 1u);
  EXPECT_EQ(all.status(), ExitStatus::damaged_input);
  const auto place =
      "memory: damaged at packet " + std::to_string(end.second + 1) + ", octet " + std::to_string(end.first);
  EXPECT_TRUE(has(all.problem(), place + ":")) << all.problem() << "\nexpected " << place;
}

TEST(Damage, a_capture_cut_anywhere_gives_the_packets_before_the_cut_and_names_its_place) {
  for (const auto& cuttable : {cuttable_pcap(), cuttable_pcapng()}) {
    const auto whole = read_octets(cuttable.octets).packets;
    ASSERT_EQ(whole.size(), cuttable.ends.back().second);
    for (std::size_t cut = 0; cut <= cuttable.octets.size(); ++cut) {
      SCOPED_TRACE(cut);
      check_cut(cuttable, whole, cut);
    }
  }
}

TEST(Damage, a_gzip_file_cut_anywhere_is_said_to_be) {
  const auto plain = cuttable_pcap().octets;
  const auto whole = read_octets(plain).packets;
  const auto packed = gzip(plain);
  for (std::size_t cut = 0; cut < packed.size(); ++cut) {
    SCOPED_TRACE(cut);
    const auto all = read_octets(Octets{packed.begin(), packed.begin() + cut});
    ASSERT_EQ(all.problems.size(), 1u);
    ASSERT_LE(all.packets.size(), whole.size());
    EXPECT_TRUE(std::equal(all.packets.begin(), all.packets.end(), whole.begin()));
  }
}

/// Zeros pack so well that the inflater runs out of room when it has taken all of the file. The fuzzer found that what
/// it still held was lost.
TEST(Damage, what_a_cut_gzip_file_still_held_is_read_to_its_last_octet) {
  Pcap pcap;
  for (unsigned i = 0; i < 20'000; ++i) pcap.packet(0, 0, {});
  const auto packed = gzip(pcap.octets());
  for (std::size_t cut = 40; cut < packed.size(); ++cut) {
    const Octets left{packed.begin(), packed.begin() + cut};
    const auto held = inflated(left);
    if (held < 24) continue;  // not even the file's header
    EXPECT_EQ(read_octets(left).packets.size(), (held - 24) / 16) << cut;
  }
}

TEST(Damage, a_gzip_file_that_is_corrupt_is_named_with_the_offset_in_the_octets_it_held) {
  Pcap pcap;
  for (unsigned i = 0; i < 2000; ++i) pcap.packet(i, 0, payload(100 + i % 7, i * 7919));
  auto packed = gzip(pcap.octets());
  packed[packed.size() - 6] ^= std::byte{0xff};  // the CRC
  const auto all = read_octets(packed);
  EXPECT_EQ(all.packets.size(), 2000u);
  EXPECT_TRUE(has(all.problem(), "packet 2001, octet " + std::to_string(pcap.octets().size()))) << all.problem();
  EXPECT_TRUE(has(all.problem(), "incorrect data check")) << all.problem();
}

struct Hostile {
  const char* words;
  std::function<void(Pcapng&)> spoil;
};

TEST(Damage, hostile_lengths_and_numbers_end_the_file_and_nothing_else) {
  const std::vector<Hostile> cases{
      {"4294967295 captured octets", [](Pcapng& it) { it.enhanced(0, 0, ~0u, 60, payload(60)); }},
      {"262145 captured octets", [](Pcapng& it) { it.enhanced(0, 0, 262'145, 60, payload(60)); }},
      {"61 captured octets, more than its block has", [](Pcapng& it) { it.enhanced(0, 0, 61, 60, payload(60)); }},
      {"does not describe its interface, 1", [](Pcapng& it) { it.packet(1, 0, payload(60)); }},
      {"does not describe its interface, 4294967295", [](Pcapng& it) { it.packet(~0u, 0, payload(60)); }},
      {"does not describe its interface, 0", [](Pcapng& it) { it.section(Endian::big).simple(60, payload(60)); }},
      {"28 octets, is too short", [](Pcapng& it) { it.block(6, Octets(16)); }},
      {"12 octets, is too short", [](Pcapng& it) { it.block(3, {}); }},
      {"16 octets, is too short", [](Pcapng& it) { it.block(1, Octets(4)); }},
      {"version 2", [](Pcapng& it) { it.section(Endian::little, 2); }},
      {"no byte-order magic", [](Pcapng& it) { it.block(0x0a0d0d0a, Octets(16)); }},
      {"0 octets, is too short", [](Pcapng& it) { it.append(Octets(100)); }},
      {"no multiple of 4", [](Pcapng& it) { it.number(5u), it.number(13u), it.append(Octets(5)); }},
      {"does not end with its length", [](Pcapng& it) { it.number(5u), it.number(16u), it.append(Octets(8)); }},
      {"in the middle", [](Pcapng& it) { it.number(5u), it.number(0xffff'fffcu), it.append(Octets(200)); }},
      {"too long", [](Pcapng& it) { it.block(1, Octets(1'000'000)); }},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.words);
    Pcapng pcapng;
    pcapng.interface(1).packet(0, 1, payload(60, 1)).packet(0, 2, payload(60, 2));
    one.spoil(pcapng);
    pcapng.packet(0, 3, payload(60));
    const auto after = Pcap{}.packet(9, 0, payload(60, 9)).octets();
    const auto all = read_octets(std::vector{pcapng.octets(), after});
    ASSERT_EQ(all.packets.size(), 3u);
    EXPECT_EQ(all.packets[2].bytes, payload(60, 9));
    EXPECT_EQ(all.status(), ExitStatus::damaged_input);
    EXPECT_TRUE(has(all.problem(), "file0: damaged at packet 3, octet ")) << all.problem();
    EXPECT_TRUE(has(all.problem(), one.words)) << all.problem();
    EXPECT_EQ(read_octet_by_octet(pcapng.octets()).packets.size(), 2u);
  }
}

TEST(Damage, a_trailing_length_is_checked_of_short_and_long_blocks_alike) {
  for (const std::size_t options : {0, 8, 1'000'000}) {
    Pcapng pcapng;
    pcapng.interface(1).packet(0, 1, payload(60)).packet(0, 2, payload(60), options);
    auto octets = pcapng.octets();
    octets.back() ^= std::byte{1};
    const auto all = read_octets(octets);
    EXPECT_EQ(all.status(), ExitStatus::damaged_input) << options;
    EXPECT_TRUE(has(all.problem(), "does not end with its length")) << all.problem();
  }
}

TEST(Damage, a_pcap_record_longer_than_any_snap_length_ends_the_file) {
  Pcap pcap;
  pcap.packet(1, 0, payload(262'144)).record(2, 0, 262'145, 262'145, payload(262'145));
  const auto all = read_octets(pcap.octets());
  EXPECT_EQ(all.packets.size(), 1u);
  EXPECT_TRUE(has(all.problem(), "packet 2, octet 262184: its record claims 262145")) << all.problem();
}

TEST(Damage, a_read_that_fails_ends_the_file_with_the_reason_of_the_system) {
  std::vector<Source> sources;
  sources.push_back(memory(Pcap{}.packet(1, 0, payload(60)).octets()));
  sources[0].file = Descriptor{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  const auto all = read_sources(std::move(sources));
  EXPECT_EQ(all.packets.size(), 1u);
  EXPECT_EQ(all.status(), ExitStatus::damaged_input);
  EXPECT_TRUE(has(all.problem(), "packet 2, octet 100: reading failed: Bad file descriptor")) << all.problem();
}

TEST(Damage, options_that_overrun_their_block_are_not_read) {
  Maker body{Endian::little};
  body.number(std::uint32_t{1});
  body.number(std::uint32_t{0});
  body.append(octets_of(std::string_view{"\x02\0\x02\0ab\0\0\x09\0\xff\xff\x09\0\0\0", 16}));
  const auto all = read_octets(Pcapng{}.block(1, body.octets()).packet(0, 1, payload(60)).octets());
  EXPECT_TRUE(all.problems.empty());
  ASSERT_EQ(all.packets.size(), 1u);
  EXPECT_EQ(all.packets[0].stamp, 1us);
  EXPECT_EQ(all.interfaces[0].name, "ab");
}

TEST(Damage, more_interfaces_than_can_be_numbered_end_the_file) {
  Pcapng pcapng;
  for (unsigned i = 0; i < 65'535; ++i) pcapng.interface(1);
  pcapng.packet(65'534, 1, payload(60));
  EXPECT_TRUE(read_octets(pcapng.octets()).problems.empty());
  const auto all = read_octets(pcapng.interface(1).octets());
  EXPECT_EQ(all.packets.size(), 1u);
  EXPECT_TRUE(has(all.problem(), "more than 65535 interfaces")) << all.problem();
}

}  // namespace
}  // namespace weir::capture::test
