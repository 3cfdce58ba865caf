// SPDX-License-Identifier: BSD-3-Clause
#include "capture/sample.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "capture/bob_hash.hpp"
#include "support/packet_builder.hpp"

namespace weir::capture {
namespace {

namespace frames = test::frames;
using frames::tcp, frames::udp;
using Method = SamplingMethod;

Bytes behind_ethernet(const Packet& packet) noexcept {
  return packet.link == Link::ethernet ? packet.captured_bytes().subspan(14) : Bytes{};
}

/// One letter a packet: S for selected, a dot for left out.
std::string marks(const std::vector<Packet>& packets) {
  std::string text;
  for (const auto& packet : packets) text += packet.selection == Selection::selected ? 'S' : '.';
  return text;
}

std::string mark(const SamplingOptions& options, std::size_t count, std::uint64_t seed = 1) {
  std::vector<Packet> packets(count);
  Sampler sampler{options, seed, behind_ethernet};
  sampler.mark(packets);
  return marks(packets);
}

bool hash_selects(const SamplingOptions& options, const frames::Captured& captured) {
  auto packet = captured.packet();
  Sampler{options, 0, behind_ethernet}.mark({&packet, 1});
  return packet.selection == Selection::selected;
}

TEST(BobHash, is_the_one_of_the_rfc) {
  struct Vector {
    std::size_t octets;
    std::uint32_t initialiser, hash;
  };
  // Of the octets 0, 1, 2, …; from the reference code of RFC 5475 appendix A.2, compiled apart from this project.
  constexpr Vector vectors[] = {{0, 0, 0xbd49d10d},           {1, 0, 0x6ddfb8c9},  {8, 0, 0xa491f494},
                                {9, 7, 0x0ca75aec},           {11, 0, 0xf189c885}, {12, 0, 0x99bdd9ef},
                                {13, 0x9a3f9a3f, 0x9d92d1c0}, {24, 0, 0x76783385}, {28, 0x9a3f9a3f, 0xa47f12cb},
                                {64, 1, 0x36ba34db}};
  std::vector<std::byte> key(64);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
  for (const auto& [octets, initialiser, hash] : vectors)
    EXPECT_EQ(bob_hash(Bytes{key}.first(octets), initialiser), hash) << octets << " octets";
}

TEST(Sampler, systematic_selects_interval_packets_then_leaves_out_space) {
  EXPECT_EQ(mark({.method = Method::systematic, .interval = 1, .space = 3}, 10), "S...S...S.");
  EXPECT_EQ(mark({.method = Method::systematic, .interval = 3, .space = 2}, 11), "SSS..SSS..S");
  EXPECT_EQ(mark({.method = Method::systematic, .interval = 1, .space = 0}, 4), "SSSS");
  EXPECT_EQ(mark({.method = Method::systematic, .interval = 4'294'967'295, .space = 4'294'967'295}, 4), "SSSS");
}

TEST(Sampler, off_leaves_every_packet_and_counts_none) {
  std::vector<Packet> packets(5);
  Sampler sampler{{}, 0, behind_ethernet};
  sampler.mark(packets);
  EXPECT_FALSE(sampler.active());
  EXPECT_EQ(marks(packets), "SSSSS");
  EXPECT_EQ(sampler.counts().observed, 0u);
}

TEST(Sampler, random_selects_exactly_n_of_every_block_of_N) {
  for (const auto& [size, population] : {std::pair{1u, 1u}, {1u, 10u}, {3u, 7u}, {99u, 100u}, {64u, 64u}}) {
    const auto all = mark({.method = Method::random, .size = size, .population = population}, 1000 * population);
    for (std::size_t begin = 0; begin < all.size(); begin += population)
      ASSERT_EQ(std::ranges::count(all.substr(begin, population), 'S'), size) << size << " of " << population;
  }
}

/// Chi-squared of counts that ought to be alike.
double unevenness(const std::vector<double>& counts, double expected) {
  double sum = 0;
  for (const auto count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

TEST(Sampler, random_selects_every_set_of_positions_equally_often) {
  constexpr std::size_t blocks = 100'000;
  constexpr double sets = 10;  // 2 of 5
  const auto all = mark({.method = Method::random, .size = 2, .population = 5}, 5 * blocks);
  std::vector<double> seen(1 << 5);
  for (std::size_t begin = 0; begin < all.size(); begin += 5) {
    std::size_t set = 0;
    for (std::size_t i = 0; i < 5; ++i) set = set << 1 | (all[begin + i] == 'S');
    ++seen[set];
  }
  std::erase(seen, 0);
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(sets));
  EXPECT_LT(unevenness(seen, blocks / sets), 27.9) << "0.999 quantile for 9 degrees of freedom";
}

TEST(Sampler, random_finds_every_position_equally_often) {
  constexpr std::size_t blocks = 100'000, population = 50;
  const auto all = mark({.method = Method::random, .size = 1, .population = population}, population * blocks);
  std::vector<double> seen(population);
  for (auto at = all.find('S'); at != all.npos; at = all.find('S', at + 1)) ++seen[at % population];
  EXPECT_LT(unevenness(seen, blocks / static_cast<double>(population)), 85.4)
      << "0.999 quantile, 49 degrees of freedom";
}

TEST(Sampler, a_seed_repeats_itself_and_another_selects_others) {
  const SamplingOptions options{.method = Method::random, .size = 1, .population = 10};
  EXPECT_EQ(mark(options, 1000, 7), mark(options, 1000, 7));
  EXPECT_NE(mark(options, 1000, 7), mark(options, 1000, 8));
}

TEST(Sampler, bursts_of_any_size_are_one_sequence) {
  for (const auto method : {Method::systematic, Method::random}) {
    const SamplingOptions options{.method = method, .interval = 3, .space = 4, .size = 2, .population = 7};
    std::vector<Packet> packets(1000);
    Sampler sampler{options, 1, behind_ethernet};
    for (std::size_t begin = 0, size = 0; begin < packets.size(); begin += size++) {
      size = std::min(size, packets.size() - begin);
      sampler.mark(std::span{packets}.subspan(begin, size));
    }
    EXPECT_EQ(marks(packets), mark(options, 1000));
    EXPECT_EQ(sampler.counts().observed, 1000u);
    EXPECT_EQ(sampler.counts().selected, static_cast<std::uint64_t>(std::ranges::count(marks(packets), 'S')));
  }
}

/// Packets of many flows, each with a payload of its own.
std::vector<frames::Frame> traffic(std::size_t count, bool v6 = false) {
  std::mt19937_64 random{5};
  std::vector<frames::Frame> packets;
  for (std::size_t i = 0; i < count; ++i) {
    const auto host = random() % 250, port = random() % 65536;
    const auto from_to = v6 ? fmt::format("[2001:db8::{}]:{} > [2001:db8::2]:80", host, port)
                            : fmt::format("10.0.0.{}:{} > 10.0.0.2:80", host, port);
    packets.push_back(udp(from_to).payload(random() % 40));
  }
  return packets;
}

TEST(Sampler, hash_selects_the_same_packets_wherever_they_are_seen) {
  const SamplingOptions options{.method = Method::hash, .hash_one_in = 3, .hash_initialiser = 42};
  for (const bool v6 : {false, true}) {
    std::size_t selected = 0;
    for (const auto& packet : traffic(300, v6)) {
      const bool here = hash_selects(options, packet.captured());
      // Further on: fewer hops left, hence another checksum; another class; padding by another link.
      const bool there = hash_selects(options, packet.ttl(7).tos(0xb8).padding(11).captured());
      ASSERT_EQ(here, there);
      selected += here;
    }
    EXPECT_GT(selected, 60u);
    EXPECT_LT(selected, 140u);
  }
}

TEST(Sampler, hash_selects_about_the_share_that_was_asked_for) {
  constexpr std::size_t count = 20'000;
  std::vector<frames::Captured> owned;
  for (const auto& packet : traffic(count)) owned.push_back(packet.captured());
  for (const std::uint32_t one_in : {1u, 2u, 10u, 100u}) {
    std::vector<Packet> packets;
    for (std::size_t i = 0; i < count; ++i) {
      owned[i].bytes[14 + 4] = static_cast<std::byte>(i >> 8);  // identification
      owned[i].bytes[14 + 5] = static_cast<std::byte>(i);
      packets.push_back(owned[i].packet());
    }
    Sampler sampler{{.method = Method::hash, .hash_one_in = one_in}, 0, behind_ethernet};
    sampler.mark(packets);
    const auto wanted = static_cast<double>(count) / one_in;
    EXPECT_NEAR(static_cast<double>(sampler.counts().selected), wanted, 4 * std::sqrt(wanted) * (one_in > 1)) << one_in;
  }
}

TEST(Sampler, hash_looks_at_the_fields_of_the_rfc_and_at_the_payload_that_was_asked_for) {
  const SamplingOptions options{
      .method = Method::hash, .hash_one_in = 2, .hash_payload_offset = 4, .hash_payload_octets = 8};
  const auto packet = tcp("10.0.0.1:1 > 10.0.0.2:2").options(4).payload(40).captured();
  constexpr std::size_t ip = 14, payload = ip + 24;
  const auto matters = [&](std::size_t offset) {
    for (unsigned bit = 0; bit < 8; ++bit) {  // one of them moves the hash over the border
      auto changed = packet;
      changed.bytes[offset] ^= static_cast<std::byte>(1u << bit);
      if (hash_selects(options, changed) != hash_selects(options, packet)) return true;
    }
    return false;
  };
  std::string found;
  for (std::size_t i = 1; i < 24 + 40; ++i)  // octet 0 is the version; 2 and 3 the length, which cuts the payload
    if (i != 2 && i != 3 && matters(ip + i)) found += std::to_string(i) + " ";
  EXPECT_EQ(found, "4 5 6 7 12 13 14 15 16 17 18 19 28 29 30 31 32 33 34 35 ");
  EXPECT_EQ(payload + 4, ip + 28);
}

TEST(Sampler, hash_takes_what_payload_there_is_within_capture_and_ip_length) {
  const SamplingOptions options{.method = Method::hash, .hash_one_in = 1, .hash_payload_octets = 64};
  for (const auto* from_to : {"10.0.0.1:1 > 10.0.0.2:2", "[::1]:1 > [::2]:2"}) {
    const auto whole = udp(from_to).payload(8);
    const auto header = whole.transport_offset();
    for (std::size_t size = header; size <= whole.bytes().size(); ++size)
      EXPECT_TRUE(hash_selects(options, whole.captured_to(size).captured())) << size;
    EXPECT_FALSE(hash_selects(options, whole.captured_to(header - 1).captured())) << "no whole IP header";
  }
}

TEST(Sampler, hash_never_selects_what_has_no_ip_header) {
  const SamplingOptions options{.method = Method::hash, .hash_one_in = 1};
  const auto packet = udp("10.0.0.1:1 > 10.0.0.2:2").payload(8);
  EXPECT_TRUE(hash_selects(options, packet.captured()));
  EXPECT_FALSE(hash_selects(options, packet.over(Link::raw).captured())) << "nothing is found there";
  EXPECT_FALSE(hash_selects(options, packet.poke(14, 0x44).captured())) << "a header of 16 octets";
}

TEST(Sampler, refuses_what_cannot_be_and_names_the_setting) {
  const auto refusal = [](const SamplingOptions& options) -> std::string {
    try {
      check(options);
    } catch (const StartError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.interval = 0}), "sampling.interval must be 1 or more, not 0");
  EXPECT_EQ(refusal({.size = 0}), "sampling.size must be 1 or more, not 0");
  EXPECT_EQ(refusal({.hash_one_in = 0}), "sampling.hash_one_in must be 1 or more, not 0");
  EXPECT_EQ(refusal({.size = 11, .population = 10}).substr(0, 50),
            "sampling.size 11 is more than sampling.population ");
  EXPECT_EQ(refusal({.hash_payload_octets = 65}).substr(0, 31), "sampling.hash_payload_octets 65");
}

}  // namespace
}  // namespace weir::capture
