// SPDX-License-Identifier: BSD-3-Clause
// The filter, for every link type that is read.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "read_capture.hpp"

namespace weir::capture::test {
namespace {

Octets hex(std::string_view text) {
  Octets octets;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    if (text[i] == ' ') ++i;
    octets.push_back(static_cast<std::byte>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
  }
  return octets;
}

const Octets udp_53 = hex("4500001c00000000401100000a0000010a000002 1000003500080000");
const Octets tcp_80 = hex("4500002800000000400600000a0000010a000002 100000500000000000000000500000000000 0000");
const Octets ipv6_53 =
    hex("6000000000081140 20010db8000000000000000000000001 20010db8000000000000000000000002"
        "1000003500080000");

struct Framed {
  const char* name;
  std::uint32_t link;
  Endian endian;
  Octets before_ipv4, before_ipv6;
};

class EveryLink : public testing::TestWithParam<Framed> {};

/// NULL and LOOP: the address family of IPv6 differs from system to system, NULL's byte order from host to host.
TEST_P(EveryLink, is_filtered) {
  const auto& framed = GetParam();
  Pcap pcap{{.endian = framed.endian, .network = framed.link}};
  std::vector<bool> expected;
  const auto add = [&](const Octets& before, const Octets& packet, bool selected) {
    if (before.empty() && framed.link != 101 && framed.link != 12 && framed.link != 228 && framed.link != 229) return;
    pcap.packet(1, 0, before + packet);
    expected.push_back(selected);
  };
  if (framed.link != 229) add(framed.before_ipv4, udp_53, true);
  if (framed.link != 229) add(framed.before_ipv4, tcp_80, false);
  if (framed.link != 228) add(framed.before_ipv6, ipv6_53, true);
  const auto all = read_octets(pcap.octets(), "udp port 53");
  ASSERT_EQ(all.packets.size(), expected.size());
  ASSERT_FALSE(expected.empty());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(all.packets[i].selected, expected[i]) << i;
  EXPECT_TRUE(all.warnings.empty()) << all.warnings[0];
}

const Octets sll4 = hex("0000000100060000000000000000 0800"), sll6 = hex("0000000100060000000000000000 86dd");
const Octets sll2_4 = hex("08000000000000010001000600000000000000 00"),
             sll2_6 = hex("86dd0000000000010001000600000000000000 00");

INSTANTIATE_TEST_SUITE_P(
    Links, EveryLink,
    testing::Values(Framed{"ethernet", 1, Endian::little, hex("020000000001020000000002 0800"),
                           hex("020000000001020000000002 86dd")},
                    Framed{"null_linux", 0, Endian::little, hex("02000000"), hex("0a000000")},
                    Framed{"null_macos", 0, Endian::little, hex("02000000"), hex("1e000000")},
                    Framed{"null_freebsd", 0, Endian::little, hex("02000000"), hex("1c000000")},
                    Framed{"null_big_endian_host", 0, Endian::big, hex("00000002"), hex("0000001e")},
                    Framed{"loop_openbsd", 108, Endian::little, hex("00000002"), hex("00000018")},
                    Framed{"raw", 101, Endian::little, {}, {}}, Framed{"raw_12", 12, Endian::little, {}, {}},
                    Framed{"ipv4", 228, Endian::little, {}, {}}, Framed{"ipv6", 229, Endian::little, {}, {}},
                    Framed{"sll", 113, Endian::little, sll4, sll6},
                    Framed{"sll2", 276, Endian::little, sll2_4, sll2_6}),
    [](const auto& one) { return std::string{one.param.name}; });

TEST(Filter, that_libpcap_cannot_read_stops_the_start) {
  try {
    Selector{"udp prot 53"};
    FAIL() << "it was accepted";
  } catch (const StartError& error) {
    EXPECT_EQ(error.status, ExitStatus::usage);
    EXPECT_NE(std::string{error.what()}.find("'udp prot 53'"), std::string::npos) << error.what();
    EXPECT_NE(std::string{error.what()}.find("pcap-filter(7)"), std::string::npos) << error.what();
  }
}

TEST(Filter, that_does_not_suit_a_link_type_rejects_its_packets_and_says_so_once) {
  const auto ethernet = Pcap{}.packet(1, 0, hex("020000000001020000000002 0800") + udp_53).octets();
  const auto raw = Pcap{{.network = 101}}.packet(1, 0, udp_53).packet(1, 0, udp_53).octets();
  std::vector<Source> sources;
  for (const auto& octets : {ethernet, raw, raw}) sources.push_back(memory(octets));
  const auto all = read_sources(std::move(sources), "ether host 02:00:00:00:00:01");
  ASSERT_EQ(all.packets.size(), 5u);
  EXPECT_TRUE(all.packets[0].selected);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_FALSE(all.packets[i].selected);
  ASSERT_EQ(all.warnings.size(), 1u);
  EXPECT_NE(all.warnings[0].find("interface 1 of link type 101 (RAW): "), std::string::npos) << all.warnings[0];
}

TEST(Filter, leaves_packets_of_unsupported_links_to_their_own_outcome) {
  const auto all = read_octets(Pcap{{.network = 147}}.packet(1, 0, payload(60)).octets(), "udp port 53");
  ASSERT_EQ(all.packets.size(), 1u);
  EXPECT_TRUE(all.packets[0].selected);
}

TEST(Filter, sees_wire_and_captured_lengths) {
  const auto all = read_octets(Pcap{}.record(1, 0, 20, 1000, payload(20)).octets(), "greater 1000 and ether[20] = 0");
  EXPECT_FALSE(all.packets.at(0).selected);
  EXPECT_TRUE(read_octets(Pcap{}.record(1, 0, 20, 1000, payload(20)).octets(), "greater 1000").packets[0].selected);
}

}  // namespace
}  // namespace weir::capture::test
