// SPDX-License-Identifier: BSD-3-Clause
#include "flow/fragments.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "flow/layout.hpp"
#include "flow/shard.hpp"
#include "records.hpp"
#include "support/allocation_guard.hpp"
#include "support/fragment_traffic.hpp"
#include "support/slow_fragments.hpp"

namespace weir::flow {
namespace {

using namespace std::chrono_literals;
using test::Arrival, test::first, test::later, test::SlowRecord;

/// Fragments and a meter as a test drives them: packets in, records out, at whatever cuts the test likes.
class UnderTest {
 public:
  explicit UnderTest(const FragmentOptions& options, const MeterOptions& meter = {.capacity = 4096, .hash_key = 1})
      : layouts_{make_layouts(meter)},
        ended_{200'000, layouts_[0], layouts_[1]},
        meter_{make_meter(meter)},
        fragments_{options, *meter_} {
    packets_.reserve(4096);
    headers_.reserve(4096);
  }

  void add(const Arrival& arrival) {
    Packet packet;
    packet.stamp = arrival.stamp;
    packet.clock = clock_ = arrival.clock;
    packet.interface = arrival.interface;
    which_.add(packets_.size(), arrival.headers);
    packets_.push_back(packet);
    headers_.push_back(arrival.headers);
  }
  void pass() {
    fragments_.add(packets_, headers_, {}, which_, ended_);
    packets_.clear();
    headers_.clear();
    which_.clear();
  }
  void expire(Instant clock) {
    pass();
    fragments_.expire(clock_ = clock, ended_);
  }
  const Fragments& fragments() {
    pass();
    return fragments_;
  }
  const Meter& meter() const noexcept { return *meter_; }
  /// Sorted.
  std::vector<SlowRecord> finish() {
    pass();
    std::vector<SlowRecord> records;
    while (!fragments_.finish(clock_, ended_)) take(records);
    take(records);
    std::sort(records.begin(), records.end());
    return records;
  }

 private:
  void take(std::vector<SlowRecord>& records) {
    test::take_records(ended_, records);
    ended_.clear();
  }

  std::array<RecordLayout, 2> layouts_;
  Ended ended_;
  std::unique_ptr<Meter> meter_;
  Fragments fragments_;
  Instant clock_{};
  std::vector<Packet> packets_;
  std::vector<Headers> headers_;
  Chosen which_{1 << 16};
};

constexpr FragmentOptions roomy{.datagrams = 4096, .held = 4096, .hash_key = 1};

/// "1000 > 53: 3 packets": each record, by ports, in their order; then what was noted.
std::string story(const std::vector<Arrival>& packets, const FragmentOptions& options = roomy) {
  UnderTest under_test{options};
  for (const auto& packet : packets) under_test.add(packet);
  std::string out;
  for (const auto& r : under_test.finish())
    out += std::to_string(r.source_port) + " > " + std::to_string(r.destination_port + r.icmp_type_code) + ": " +
           std::to_string(r.forward.packets) + "; ";
  const auto& counted = under_test.fragments().counters();
  out += std::to_string(counted.joined) + " joined";
  if (counted.without_first) out += ", " + std::to_string(counted.without_first) + " without first";
  if (counted.table_full) out += ", " + std::to_string(counted.table_full) + " table full";
  if (counted.firsts_forgotten) out += ", " + std::to_string(counted.firsts_forgotten) + " forgotten";
  return out;
}

constexpr auto ends = "10.0.0.1:1000 > 10.0.0.2:53", ends6 = "[fd::1]:1000 > [fd::2]:53";
const auto packet = test::udp(ends);

TEST(Fragments, later_ones_are_counted_into_the_flow_of_their_first) {
  EXPECT_EQ(story({first(packet, 7).at(1s), later(packet, 7).at(1s), later(packet, 7).at(2s), test::udp(ends).at(2s)}),
            "1000 > 53: 4; 2 joined");
}

TEST(Fragments, those_that_come_before_their_first_are_counted_with_it) {
  EXPECT_EQ(story({later(packet, 7).at(1s), later(packet, 7).at(1500ms), first(packet, 7).at(1999999999ns)}),
            "1000 > 53: 3; 2 joined");
}

TEST(Fragments, those_whose_first_does_not_come_within_a_second_have_ports_0) {
  EXPECT_EQ(story({later(packet, 7).at(1s), first(packet, 7).at(2s)}),
            "0 > 0: 1; 1000 > 53: 1; 0 joined, 1 without first");
  EXPECT_EQ(story({later(packet, 7).at(1s)}), "0 > 0: 1; 0 joined, 1 without first");
}

TEST(Fragments, a_first_one_is_known_for_fifteen_seconds_and_later_ones_do_not_prolong_that) {
  EXPECT_EQ(story({first(packet, 7).at(0s), later(packet, 7).at(10s), later(packet, 7).at(14999999999ns)}),
            "1000 > 53: 3; 2 joined");
  EXPECT_EQ(story({first(packet, 7).at(0s), later(packet, 7).at(10s), later(packet, 7).at(15s)}),
            "0 > 0: 1; 1000 > 53: 2; 1 joined, 1 without first");
}

TEST(Fragments, the_newest_first_one_wins_and_is_known_anew) {
  const auto other = test::udp("10.0.0.1:2000 > 10.0.0.2:53");
  EXPECT_EQ(story({first(packet, 7).at(0s), first(other, 7).at(10s), later(packet, 7).at(20s)}),
            "1000 > 53: 1; 2000 > 53: 2; 1 joined");
}

TEST(Fragments, are_told_apart_by_identification_addresses_vlan_and_version_and_with_ipv4_by_protocol) {
  const auto joins = [](test::Sent one, std::uint32_t id, test::Sent other, std::uint32_t other_id) {
    return story({first(std::move(one), id).at(1s), later(std::move(other), other_id).at(1s)}).ends_with("1 joined");
  };
  EXPECT_TRUE(joins(packet, 7, packet, 7));
  EXPECT_FALSE(joins(packet, 7, packet, 8));
  EXPECT_FALSE(joins(packet, 7, test::udp("10.0.0.3 > 10.0.0.2"), 7));
  EXPECT_FALSE(joins(packet, 7, test::udp("10.0.0.1 > 10.0.0.3"), 7));
  EXPECT_FALSE(joins(packet, 7, test::udp(ends).vlan(1), 7));
  EXPECT_FALSE(joins(packet, 7, test::tcp(ends), 7));
  EXPECT_FALSE(joins(test::udp("0.0.0.0 > 0.0.0.0"), 7, test::udp("[::] > [::]"), 7));
  EXPECT_TRUE(joins(test::udp(ends6), 7, test::udp(ends6), 7));
  EXPECT_FALSE(joins(test::udp(ends6), 7, test::udp(ends6), 7 | 1 << 16));
  EXPECT_FALSE(joins(test::udp(ends6), 7, test::udp("[fd::1] > [fd:1::2]"), 7));
}

/// RFC 8200 §4.5: the first one's chain of headers goes on where the later ones' ends.
TEST(Fragments, of_ipv6_have_the_protocol_of_their_first) {
  auto options_next = test::udp(ends6);
  options_next.headers.protocol = protocol::ipv6_options;
  EXPECT_EQ(story({first(test::udp(ends6), 7).at(1s), later(options_next, 7).at(1s)}), "1000 > 53: 2; 1 joined");
}

TEST(Fragments, of_icmp_have_type_and_code_of_their_first) {
  const auto ping = test::icmp("10.0.0.1 > 10.0.0.2", 8, 0);
  EXPECT_EQ(story({later(ping, 7).at(1s), first(ping, 7).at(1s)}), "0 > 2048: 2; 1 joined");
}

TEST(Fragments, that_waited_keep_their_times_and_what_their_own_headers_say) {
  UnderTest under_test{roomy};
  under_test.add(later(test::tcp(ends).octets(100).ttl(9), 7).at(10s).stamped(9s));
  under_test.add(first(test::tcp(ends).syn().octets(20), 7).at(10500ms));
  const auto records = under_test.finish();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].forward.first_ms, 9'000u);
  EXPECT_EQ(records[0].forward.last_ms, 10'500u);
  EXPECT_EQ(records[0].forward.octets, 120u);
  EXPECT_EQ(records[0].forward.ttl_min, 9u);
  EXPECT_EQ(records[0].forward.tcp_flags, tcp_flag::syn);
}

TEST(Fragments, without_room_to_wait_the_one_that_waited_the_longest_has_ports_0) {
  auto options = roomy;
  options.held = 2;
  EXPECT_EQ(story({later(packet, 1).at(1s), later(packet, 2).at(1s), later(packet, 3).at(1s), first(packet, 1).at(1s),
                   first(packet, 2).at(1s), first(packet, 3).at(1s)},
                  options),
            "0 > 0: 1; 1000 > 53: 5; 2 joined, 1 table full");
}

TEST(Fragments, without_room_for_another_datagram_the_one_heard_of_longest_ago_is_forgotten) {
  auto options = roomy;
  options.datagrams = 2;
  EXPECT_EQ(story({first(packet, 1).at(1s), first(packet, 2).at(1s), first(packet, 1).at(1s), first(packet, 3).at(1s),
                   later(packet, 1).at(1s), later(packet, 3).at(1s), later(packet, 2).at(1s)},
                  options),
            "0 > 0: 1; 1000 > 53: 6; 2 joined, 1 without first, 2 forgotten");
  EXPECT_EQ(story({later(packet, 1).at(1s), later(packet, 1).at(1s), first(packet, 2).at(1s), first(packet, 3).at(1s)},
                  options),
            "0 > 0: 2; 1000 > 53: 2; 0 joined, 2 table full");
  EXPECT_EQ(story({first(packet, 1).at(1s), first(packet, 2).at(16s), first(packet, 3).at(16s)}, options),
            "1000 > 53: 1; 1000 > 53: 2; 0 joined");  // its time was over
}

TEST(Fragments, are_left_as_they_are_where_nobody_asks_for_more) {
  auto separate = roomy;
  separate.tracking = FragmentTracking::separate;
  EXPECT_EQ(story({first(packet, 7).at(1s), later(packet, 7).at(1s)}, separate), "0 > 0: 1; 1000 > 53: 1; 0 joined");
  EXPECT_EQ(Fragments::octets(separate), 0u);
}

TEST(Fragments, that_wait_are_metered_when_time_goes_on_without_packets) {
  UnderTest under_test{roomy};
  under_test.add(later(packet, 7).octets(40).at(1s));
  EXPECT_EQ(under_test.fragments().waiting(), (Totals{.packets = 1, .octets = 40}));
  under_test.expire(Instant{1999ms});
  EXPECT_EQ(under_test.meter().counters().packets, 0u);
  under_test.expire(Instant{2s});
  EXPECT_EQ(under_test.fragments().waiting(), Totals{});
  EXPECT_EQ(under_test.meter().counters().packets, 1u);
}

/// What is not as the slow twin has it, of one run as random as its seed says: traffic, tables, timeouts and cuts.
std::string differences_from_twin(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  const auto one_of = [&random](std::initializer_list<std::size_t> sizes) {
    return sizes.begin()[random() % sizes.size()];
  };
  const FragmentOptions options{
      .datagrams = one_of({1, 2, 3, 8, 1000}), .held = one_of({1, 2, 5, 1000}), .hash_key = seed};
  const test::SlowOptions slow_options{
      .biflow = random() % 2 == 0, .timeout_idle = random() % 2 ? 15s : 1s, .timeout_active = random() % 2 ? 60s : 2s};
  UnderTest fast{options,
                 {.direction = slow_options.biflow ? FlowDirection::biflow : FlowDirection::uniflow,
                  .timeout_idle = slow_options.timeout_idle,
                  .timeout_active = slow_options.timeout_active,
                  .capacity = 4096}};
  test::SlowMeter slow_meter{slow_options};
  test::SlowFragments slow{options.datagrams, options.held, [&](const Arrival& arrival) { slow_meter.add(arrival); }};
  test::RandomFragments traffic{seed};
  std::uint64_t octets = 0;
  Instant clock{};
  for (int i = 0; i < 2'000; ++i) {
    const auto arrival = traffic.next();
    clock = arrival.clock;
    octets += arrival.headers.octets;
    slow.add(arrival);
    fast.add(arrival);
    if (random() % 30 == 0) fast.pass();
    if (random() % 60 != 0) continue;
    fast.expire(clock);
    slow.pass(clock);
    if (fast.fragments().waiting() != slow.waiting()) return "others wait";
    if (slow.waiting().packets > options.held) return "too many wait";
    if (fast.meter().counters().octets + slow.waiting().octets != octets) return "the ledger is open";
  }
  slow.end(clock);
  const auto got = fast.finish();
  const auto& counted = fast.fragments().counters();
  const test::SlowFragmentCounters counters{counted.joined, counted.without_first, counted.table_full,
                                            counted.firsts_forgotten};
  return test::differences(slow_meter.finish(), got) + (counters == slow.counters ? "" : "other counters");
}

TEST(Fragments, of_any_traffic_become_the_records_of_their_slow_twin_however_calls_and_sweeps_cut_it) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) ASSERT_EQ(differences_from_twin(seed), "") << "seed " << seed;
}

TEST(Fragments, make_the_same_records_whatever_the_number_of_shards) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::vector<std::vector<SlowRecord>> records;
    for (const unsigned shards : {1u, 2u, 5u}) {
      std::vector<std::unique_ptr<UnderTest>> under_test;
      for (unsigned i = 0; i < shards; ++i) under_test.push_back(std::make_unique<UnderTest>(roomy));
      test::RandomFragments traffic{seed};
      Instant clock{};
      for (int i = 1; i <= 2'000; ++i) {
        const auto arrival = traffic.next();
        clock = arrival.clock;
        under_test[shard_of(arrival.headers, shards)]->add(arrival);
        if (i % 100 == 0)
          for (auto& shard : under_test) shard->expire(clock);
      }
      auto& all = records.emplace_back();
      for (auto& shard : under_test)
        for (const auto& record : shard->finish()) all.push_back(record);
      std::sort(all.begin(), all.end());
    }
    ASSERT_EQ(test::differences(records[0], records[1]), "") << "seed " << seed;
    ASSERT_EQ(test::differences(records[0], records[2]), "") << "seed " << seed;
  }
}

TEST(Fragments, without_end_take_no_memory_and_lose_no_packet) {
  UnderTest under_test{{.datagrams = 64, .held = 32}};
  constexpr int packets = 200'000;
  std::mt19937_64 random{1};
  const test::AllocationGuard guard;
  for (int i = 0; i < packets; ++i) {
    auto arrival = random() % 2 ? later(packet, 1) : first(packet, 1);
    arrival.headers.fragment_id = static_cast<std::uint32_t>(random() % 3 ? random() : 7);
    arrival.at(1s + std::chrono::microseconds{i});
    under_test.add(arrival);
    if (i % 100 == 99) under_test.pass();
  }
  EXPECT_EQ(guard.allocations(), 0u);
  EXPECT_EQ(under_test.meter().counters().packets + under_test.fragments().waiting().packets, std::uint64_t{packets});
}

TEST(Fragments, that_waited_have_somebody_take_records_away_where_there_is_no_room_for_more) {
  struct Count final : Emptier {
    void empty(Ended& ended) noexcept override {
      for (const unsigned pool : {0u, 1u}) records += ended.of(pool).size();
      ended.clear();
      ++calls;
    }
    std::size_t records = 0, calls = 0;
  } taken;
  const MeterOptions meter_options{.timeout_idle = 100ms, .capacity = 4096};
  const auto layouts = make_layouts(meter_options);
  Ended ended{burst_size * Ended::records_per_packet, layouts[0], layouts[1]};
  const auto meter = make_meter(meter_options);
  Fragments fragments{roomy, *meter, &taken};
  constexpr std::size_t many = 2'000;
  for (std::size_t i = 0; i < many; ++i) {  // each a flow of its own in the end, and idle when the next one comes
    auto headers = later(packet, 7).headers;
    headers.source()[1] = std::byte(i >> 8);
    headers.source()[2] = std::byte(i);
    const Packet at{.clock = Instant{1s + std::chrono::microseconds{i}}};
    Chosen which{1};
    which.add(0, headers);
    fragments.add({&at, 1}, {&headers, 1}, {}, which, ended);
  }
  EXPECT_EQ(fragments.waiting().packets, many);
  for (int i = 0; i < 2; ++i) {  // the second of them ends what the first has begun
    auto headers = packet.headers;
    const Packet at{.clock = Instant{3s + i * 1s}};
    Chosen which{1};
    which.add(0, headers);
    fragments.add({&at, 1}, {&headers, 1}, {}, which, ended);
    fragments.expire(at.clock + 1s, ended);
  }
  while (!fragments.finish(Instant{10s}, ended)) taken.empty(ended);
  taken.empty(ended);
  EXPECT_EQ(taken.records, many + 2);
}

}  // namespace
}  // namespace weir::flow
