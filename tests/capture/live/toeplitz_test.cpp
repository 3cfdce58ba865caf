// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/toeplitz.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <weir/outcome.hpp>

#include "capture/live/hash_check.hpp"

namespace weir::capture {
namespace {

Headers tuple(const char* source, std::uint16_t source_port, const char* destination, std::uint16_t destination_port) {
  Headers headers{.source_port = source_port, .destination_port = destination_port, .protocol = protocol::tcp};
  const bool v6 = std::string_view{source}.find(':') != std::string_view::npos;
  headers.version = v6 ? IpVersion::v6 : IpVersion::v4;
  inet_pton(v6 ? AF_INET6 : AF_INET, source, headers.source().data());
  inet_pton(v6 ? AF_INET6 : AF_INET, destination, headers.destination().data());
  return headers;
}

std::vector<std::byte> microsofts_key() {
  constexpr std::uint8_t key[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
                                  0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
                                  0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};
  const auto bytes = std::as_bytes(std::span{key});
  return {bytes.begin(), bytes.end()};
}

/// "Verifying the RSS Hash Calculation", Windows driver documentation.
TEST(Toeplitz, agrees_with_the_published_verification_suite) {
  const struct {
    Headers headers;
    std::uint32_t addresses, with_ports;
  } suite[] = {
      {tuple("66.9.149.187", 2794, "161.142.100.80", 1766), 0x323e8fc2, 0x51ccc178},
      {tuple("199.92.111.2", 14230, "65.69.140.83", 4739), 0xd718262a, 0xc626b0ea},
      {tuple("24.19.198.95", 12898, "12.22.207.184", 38024), 0xd2d0a5de, 0x5c2b394a},
      {tuple("38.27.205.30", 48228, "209.142.163.6", 2217), 0x82989176, 0xafc7327f},
      {tuple("153.39.163.191", 44251, "202.188.127.2", 1303), 0x5d1809c5, 0x10e828a2},
      {tuple("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766), 0x2cc18cd5, 0x40207d3d},
      {tuple("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739), 0x0f0c461c, 0xdde51bbf},
      {tuple("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024), 0x4b61e985, 0x02d1feef},
  };
  const Toeplitz hash{microsofts_key()};
  for (const auto& one : suite) {
    EXPECT_EQ(hash(one.headers, RssFields::addresses), one.addresses) << tuple_text(one.headers);
    EXPECT_EQ(hash(one.headers, RssFields::addresses_and_ports), one.with_ports) << tuple_text(one.headers);
  }
}

TEST(RssProof, holds_for_the_symmetric_key_of_any_usual_length) {
  for (const std::size_t octets : {40, 52})
    for (const auto fields : {RssFields::addresses, RssFields::addresses_and_ports})
      for (const unsigned queues : {1, 2, 3, 16, 64}) {
        const auto proof = prove_symmetry({symmetric_key(octets), fields, {}, queues});
        EXPECT_TRUE(proof.holds) << octets << " octets, " << queues << " queues: " << proof.sentence;
      }
}

std::string why_not(const RssSetup& setup) {
  const auto proof = prove_symmetry(setup);
  EXPECT_FALSE(proof.holds) << proof.sentence;
  return proof.sentence;
}

TEST(RssProof, refuses_a_key_that_hashes_the_ways_of_a_flow_apart_and_names_a_flow) {
  const auto sentence = why_not({microsofts_key(), RssFields::addresses, {}, 2});
  EXPECT_NE(sentence.find("the way back"), std::string::npos) << sentence;
  auto key = symmetric_key(40);
  key[35] ^= std::byte{1};  // touches the ports of IPv6 alone
  EXPECT_TRUE(prove_symmetry({key, RssFields::addresses, {}, 2}).holds);
  EXPECT_NE(why_not({key, RssFields::addresses_and_ports, {}, 2}).find('['), std::string::npos);
}

TEST(RssProof, refuses_a_hash_that_leaves_queues_without_packets) {
  EXPECT_NE(why_not({std::vector<std::byte>(40), RssFields::addresses, {}, 2}).find("fall to queue"),
            std::string::npos);
  EXPECT_NE(why_not({symmetric_key(20), RssFields::addresses, {}, 2}).find("20 octets"), std::string::npos);
  const std::vector<std::uint16_t> one_queue(128, 0), beyond{0, 1, 2};
  EXPECT_NE(why_not({symmetric_key(40), RssFields::addresses, one_queue, 2}).find("never names queue 1"),
            std::string::npos);
  EXPECT_NE(why_not({symmetric_key(40), RssFields::addresses, beyond, 2}).find("names queue 2"), std::string::npos);
}

TEST(RssProof, takes_a_table_that_favours_a_queue_for_what_it_is) {
  std::vector<std::uint16_t> table(128, 1);
  for (std::size_t i = 0; i < 16; ++i) table[i * 8] = 0;
  EXPECT_TRUE(prove_symmetry({symmetric_key(40), RssFields::addresses, table, 2}).holds);
}

struct HashCheckTest : testing::Test {
  std::uint32_t hash(const Headers& headers, RssFields fields) const { return Toeplitz{key}(headers, fields); }
  std::vector<std::byte> key = symmetric_key(40);
  HashCheck check{key, RssFields::addresses_and_ports, 4};
  Headers tcp = tuple("10.0.0.1", 1000, "10.0.0.2", 80);
};

TEST_F(HashCheckTest, agrees_once_all_packets_carried_a_hash_of_pair_or_of_pair_and_ports) {
  check.compare(tcp, hash(tcp, RssFields::addresses_and_ports));
  check.compare(tcp, hash(tcp, RssFields::addresses));
  auto icmp = tcp;
  icmp.protocol = protocol::icmp;
  check.compare(icmp, hash(icmp, RssFields::addresses));
  EXPECT_EQ(check.verdict(), HashCheck::Verdict::undecided);
  check.compare(tcp, hash(tcp, RssFields::addresses_and_ports));
  EXPECT_EQ(check.verdict(), HashCheck::Verdict::agrees);
  check.compare(tcp, 1);
  EXPECT_EQ(check.verdict(), HashCheck::Verdict::agrees) << "decided";
}

TEST_F(HashCheckTest, differs_with_the_first_wrong_hash_counts_the_others_and_keeps_the_example) {
  check.compare(tcp, 0xdeadbeef);
  EXPECT_EQ(check.verdict(), HashCheck::Verdict::differs);
  auto fragment = tuple("10.0.0.3", 0, "10.0.0.4", 0);
  fragment.notes = note_bit(Note::fragment_later);
  fragment.source_port = 7;  // whatever stood where ports would be
  check.compare(fragment, hash(fragment, RssFields::addresses_and_ports));
  auto icmp = tcp;
  icmp.protocol = protocol::icmp;
  check.compare(icmp, hash(icmp, RssFields::addresses_and_ports));
  check.compare(tcp, hash(tcp, RssFields::addresses));
  EXPECT_EQ(check.differing(), 3u);
  EXPECT_EQ(check.compared(), 4u);
  EXPECT_NE(check.sentence().find("3 of the first 4"), std::string::npos) << check.sentence();
  EXPECT_NE(check.sentence().find("10.0.0.1:1000 → 10.0.0.2:80"), std::string::npos) << check.sentence();
  EXPECT_NE(check.sentence().find("0xdeadbeef"), std::string::npos) << check.sentence();
}

TEST_F(HashCheckTest, a_hash_with_ports_is_wrong_where_the_port_was_told_to_hash_addresses) {
  HashCheck addresses{key, RssFields::addresses};
  addresses.compare(tcp, hash(tcp, RssFields::addresses_and_ports));
  EXPECT_EQ(addresses.verdict(), HashCheck::Verdict::differs);
}

}  // namespace
}  // namespace weir::capture
