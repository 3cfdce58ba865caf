// SPDX-License-Identifier: BSD-3-Clause
// All rules at once: every kind of packet cut everywhere, a million of them changed at random, captures of the world;
// and always the slow twin.
#include "decode/decode.hpp"

#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "decode/check.hpp"
#include "decode/straight.hpp"
#include "support/packet_kinds.hpp"

namespace weir::test {
namespace {

std::string fast(Link link, Bytes captured, std::uint64_t wire) {
  auto headers = stale_headers();
  const auto outcome = decode::decode(link, captured, wire, headers);
  return text_of(outcome, headers);
}
std::string slow(Link link, Bytes captured, std::uint64_t wire) {
  const SlowDecoder twin{link, captured, wire};
  return text_of(twin.outcome, twin.headers);
}

Packet as_packet(Link link, Bytes captured, std::uint64_t wire) {
  return {.bytes = captured.data(),
          .captured = static_cast<std::uint32_t>(captured.size()),
          .wire = static_cast<std::uint32_t>(wire),
          .link = link};
}

TEST(Decode, reads_every_kind_of_packet_as_it_was_built) {
  for (const auto& [name, frame] : packet_kinds()) EXPECT_EQ(decoded(frame), as_built(frame)) << name;
}

TEST(Decode, a_packet_is_metered_from_the_octet_on_that_completes_it_and_never_before) {
  constexpr std::size_t prefixes_most = 400;
  for (const auto& [name, frame] : packet_kinds()) {
    const auto packet = frame.captured();
    const auto link = packet.about.link;
    for (std::size_t size = 0; size < std::min(packet.bytes.size(), prefixes_most); ++size) {
      const auto prefix = Bytes{packet.bytes}.first(size);
      const auto cut = fast(link, prefix, packet.about.wire), ended = fast(link, prefix, size);
      if (size < frame.octets_needed()) {
        EXPECT_EQ(cut, "truncated") << name << " cut to " << size;
        EXPECT_EQ(ended.substr(0, 10), "malformed_") << name << " that ends at " << size;
      } else {
        EXPECT_EQ(cut, as_built(frame.captured_to(size))) << name << " cut to " << size;
        EXPECT_EQ(ended, as_built(frame.ends_at(size))) << name << " that ends at " << size;
      }
      EXPECT_EQ(cut, slow(link, prefix, packet.about.wire)) << name << " cut to " << size;
      EXPECT_EQ(ended, slow(link, prefix, size)) << name << " that ends at " << size;
    }
  }
}

TEST(Decode, finds_the_outermost_ip_packet_behind_any_link) {
  for (const auto& [name, frame] : packet_kinds()) {
    const auto captured = frame.captured();
    const auto packet = captured.packet();
    EXPECT_EQ(decode::ip_packet(packet).data(), packet.bytes + frame.ip_offset()) << name;
  }
  const auto arp = frames::tcp("10.0.0.1:1 > 10.0.0.2:2").announced_as(0x0806).captured();
  EXPECT_TRUE(decode::ip_packet(arp.packet()).empty());
}

TEST(Decode, a_burst_is_its_packets_one_by_one) {
  std::vector<frames::Captured> owned;
  for (const auto& [name, frame] : packet_kinds()) owned.push_back(frame.captured());
  owned[3].about.selection = Selection::filtered;
  owned[6].about.selection = Selection::not_selected;
  owned[4].about.link = Link::unsupported;
  owned[5].about.captured = 20;
  std::vector<Packet> packets;
  for (const auto& packet : owned) packets.push_back(packet.packet());
  std::vector<Headers> headers(packets.size() + 1, stale_headers());
  std::vector<Outcome> outcomes(packets.size() + 1, Outcome::not_selected);
  decode::decode_burst(packets, headers, outcomes);
  for (std::size_t i = 0; i < packets.size(); ++i) EXPECT_EQ(text_of(outcomes[i], headers[i]), decoded(packets[i]));
  EXPECT_EQ(outcomes.back(), Outcome::not_selected) << "nothing behind the burst is touched";
  EXPECT_EQ(headers.back().octets, stale_headers().octets);
}

TEST(Decode, a_burst_is_called_plain_where_all_of_it_is_metered_whole_and_without_notes) {
  const auto plain = [](std::vector<frames::Captured> owned) {
    std::vector<Packet> packets;
    for (const auto& packet : owned) packets.push_back(packet.packet());
    std::vector<Headers> headers(packets.size());
    std::vector<Outcome> outcomes(packets.size());
    return decode::decode_burst(packets, headers, outcomes);
  };
  const auto tcp = frames::tcp("10.0.0.1:1 > 10.0.0.2:2").captured();
  EXPECT_TRUE(plain({100, tcp}));
  for (const std::size_t at : {0, 50, 99}) {
    std::vector<frames::Captured> burst{100, tcp};
    burst[at].about.selection = Selection::filtered;
    EXPECT_FALSE(plain(burst)) << "not metered";
    burst[at] = tcp;
    burst[at].about.notes = note_bit(Note::late);
    EXPECT_FALSE(plain(burst)) << "noted where it was captured";
    burst[at] = frames::tcp("10.0.0.1:1 > 10.0.0.2:2").ip_length(1500).captured();
    EXPECT_FALSE(plain(burst)) << "noted by decode";
    burst[at] = frames::udp("10.0.0.1:1 > 10.0.0.2:2").fragment(0, true).captured();
    EXPECT_FALSE(plain(burst)) << "a fragment";
    burst[at] = frames::icmp("10.0.0.1 > 10.0.0.2").captured();
    EXPECT_TRUE(plain(burst)) << "nothing but a seldom protocol";
  }
}

TEST(Decode, no_octets_at_all_are_judged_like_any_number_of_them) {
  for (const auto link : {Link::ethernet, Link::null, Link::loop, Link::sll, Link::sll2}) {
    EXPECT_EQ(fast(link, {}, 0), "malformed_link");
    EXPECT_EQ(fast(link, {}, 60), "truncated");
  }
  for (const auto link : {Link::raw, Link::ipv4, Link::ipv6}) {
    EXPECT_EQ(fast(link, {}, 0), "malformed_ip_header");
    EXPECT_EQ(fast(link, {}, 60), "truncated");
  }
  EXPECT_EQ(fast(Link::unsupported, {}, 60), "link_unsupported");
}

TEST(Decode, a_wire_length_below_what_was_captured_is_no_length) {
  const auto frame = frames::tcp("10.0.0.1:1 > 10.0.0.2:2").ip_length(0).payload(8);
  const auto bytes = frame.bytes();
  EXPECT_EQ(fast(Link::ethernet, bytes, 3), as_built(frame));
  for (const auto length : std::to_array<std::uint16_t>({0, 20, 40, 1000})) {
    const auto octets = frames::tcp("10.0.0.1:1 > 10.0.0.2:2").ip_length(length).bytes();
    Headers by_packet, by_chain;
    const auto outcome = decode::decode(as_packet(Link::ethernet, octets, 40), by_packet);
    EXPECT_EQ(outcome, decode::decode(Link::ethernet, octets, 40, by_chain)) << length;
    EXPECT_TRUE(same_answer(outcome, by_packet, outcome, by_chain)) << length << ", on the straight road or off it";
  }
}

/// A source of packets that are nearly right. Takes one of some kind and does to it what captures, senders and memory
/// errors do.
class Vandal {
 public:
  explicit Vandal(std::uint64_t seed) : random_{seed} {
    for (const auto& [name, frame] : packet_kinds()) {
      auto packet = frame.captured();
      packet.bytes.resize(std::min<std::size_t>(packet.bytes.size(), 400));
      packets_.push_back(std::move(packet));
    }
  }

  struct Damaged {
    Link link;
    Bytes captured;
    std::uint64_t wire;
  };
  /// Good until the next one.
  Damaged next() {
    const auto& packet = packets_[below(packets_.size())];
    bytes_ = packet.bytes;
    for (auto n = below(4); n > 0; --n) bytes_[below(std::min<std::size_t>(bytes_.size(), 120))] = octet();
    const auto link =
        below(16) == 0 ? static_cast<Link>(below(static_cast<std::size_t>(Link::unsupported))) : packet.about.link;
    const auto size = below(4) == 0 ? below(bytes_.size() + 1) : bytes_.size();
    const std::uint64_t unseen = below(2) == 0 ? 0 : below(100);
    return {link, Bytes{bytes_}.first(size), size + unseen};
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>((random_() >> 32) * bound >> 32); }
  /// Half of them any, half of those that headers are made of.
  std::byte octet() {
    constexpr std::array<unsigned, 24> telling{0,    1,    2,    4,    5,    6,    8,    17,   20,   41,   43,   44,
                                               0x3b, 0x3c, 0x3a, 0x33, 0x45, 0x46, 0x60, 0x81, 0x88, 0x84, 0xc2, 0xff};
    return static_cast<std::byte>(below(2) == 0 ? below(256) : telling[below(telling.size())]);
  }

  std::mt19937_64 random_;
  std::vector<frames::Captured> packets_;
  std::vector<std::byte> bytes_;
};

TEST(Decode, agrees_with_its_slow_twin_on_a_million_damaged_packets) {
  constexpr int rounds = 1'000'000, rounds_each_outcome = 1000;
  Vandal vandal{20260131};
  std::array<int, outcome_texts.size()> seen{};
  std::array<int, 2> straight{};
  auto headers = stale_headers(), on_the_road = stale_headers();
  for (int i = 0; i < rounds; ++i) {
    const auto [link, captured, wire] = vandal.next();
    const auto outcome = decode::decode(link, captured, wire, headers);
    const SlowDecoder twin{link, captured, wire};
    ++seen[static_cast<std::size_t>(outcome)];
    const auto packet = as_packet(link, captured, wire);
    ASSERT_EQ(decode::decode(packet, on_the_road), outcome);
    const auto ip = decode::ip_packet(packet);
    ASSERT_EQ(!ip.empty(), twin.ip_at.has_value());
    ASSERT_EQ(ip.empty() ? 0 : captured.size() - ip.size(), twin.ip_at.value_or(0));
    ASSERT_TRUE(same_answer(outcome, on_the_road, outcome, headers)) << text_of(outcome, on_the_road);
    Outcome alone{};
    const bool plain = decode::decode_burst({&packet, 1}, {&on_the_road, 1}, {&alone, 1});
    ASSERT_TRUE(!plain ||
                (alone == Outcome::metered && on_the_road.notes == 0 && on_the_road.fragment == Fragment::none));
    if (decode::decode_straight(packet, on_the_road)) ++straight[on_the_road.version == IpVersion::v6];
    ASSERT_TRUE(same_answer(outcome, headers, twin.outcome, twin.headers)) << "round " << i << "\n"
                                                                           << text_of(outcome, headers) << "\n"
                                                                           << text_of(twin.outcome, twin.headers);
    const auto tunnels = i % 2 == 0 ? decode::Tunnels::outer : decode::Tunnels::inner;
    ASSERT_EQ(disagreement(packet, tunnels), "") << "round " << i;
  }
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const bool not_of_octets =
        outcome == Outcome::filtered || outcome == Outcome::not_selected || outcome == Outcome::link_unsupported;
    if (not_of_octets) continue;
    EXPECT_GT(seen[i], rounds_each_outcome) << name_of(outcome) << ": the packets do not try it";
  }
  for (const auto family : straight) EXPECT_GT(family, rounds_each_outcome) << "the straight road is not tried";
}

/// Every packet that libpcap reads from the file, whole and cut somewhere; how many.
int compare_capture(const std::filesystem::path& path, std::mt19937_64& random) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  auto* capture = pcap_open_offline(path.c_str(), error.data());
  if (!capture) return 0;
  const auto link = link_from_number(static_cast<std::uint32_t>(pcap_datalink(capture)));
  int packets = 0;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  for (; pcap_next_ex(capture, &header, &data) == 1; ++packets) {
    const auto captured = std::as_bytes(std::span{data, header->caplen});
    const auto start = captured.first(random() % (std::min<std::size_t>(captured.size(), 100) + 1));
    EXPECT_EQ(fast(link, captured, header->len), slow(link, captured, header->len))
        << path << " packet " << packets + 1;
    EXPECT_EQ(fast(link, start, header->len), slow(link, start, header->len)) << path << " packet " << packets + 1;
    for (const auto octets : {captured, start})
      for (const auto tunnels : {decode::Tunnels::outer, decode::Tunnels::inner})
        EXPECT_EQ(disagreement(as_packet(link, octets, header->len), tunnels), "") << path << " packet " << packets + 1;
  }
  pcap_close(capture);
  return packets;
}

TEST(Decode, agrees_with_its_slow_twin_on_captures) {
  const auto* shared = std::getenv("WEIR_SHARED");
  if (!shared) GTEST_SKIP() << "WEIR_SHARED is not set: no captures to compare on";
  std::mt19937_64 random{1};
  int packets = 0;
  for (const auto& file : std::filesystem::directory_iterator{std::filesystem::path{shared} / "pcaps"})
    packets += compare_capture(file.path(), random);
  EXPECT_GT(packets, 1000) << "hardly a packet in the pcaps of WEIR_SHARED";
}

}  // namespace
}  // namespace weir::test
