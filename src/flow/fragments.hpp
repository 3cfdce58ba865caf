// SPDX-License-Identifier: BSD-3-Clause
// Before the meter: later fragments into the flow of their first one. Only the fragment with offset zero says ports, or
// ICMP's type and code, and with IPv6 extension headers even the protocol (RFC 791 §3.2, RFC 8200 §4.5).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>
#include <weir/record.hpp>

#include "base/hash.hpp"
#include "flow/aged_pool.hpp"
#include "flow/chosen.hpp"
#include "flow/ended.hpp"
#include "flow/meter.hpp"
#include "flow/options.hpp"

namespace weir::flow {

// What two engineers would decide differently, and what is decided here. Each line has a test.
//
//   key        addresses, identification and VLAN (outermost); with IPv4 the protocol, too (RFC 791 §3.2). Not with
//                IPv6, whose later fragments may name another than the first (RFC 8200 §4.5)
//   given      ports, ICMP type and code, protocol; octets, TTL, ToS, interface and stamp are a fragment's own, and it
//                has no TCP flags
//   reckoned   with the packet clock, by the packets of this worker alone, one after another: so the same packets make
//                the same records, however they are cut into calls
//   held       a later fragment before its first. When that comes, those held are metered right behind it, in order of
//                arrival, at its clock; else at the clock of their own arrival + 1 s exactly, with ports 0, before any
//                packet of that clock. Their stamps stay those of their arrival
//   known      a first one is known for 15 s, as long as RFC 791 §3.2 waits by default. No longer: a sender may use an
//                identification again. Each later one asks, none prolongs
//   again      the newest first one wins, and is known for 15 s from then on
//   full       the datagram that was heard of longest ago goes (by a first one, or a later one held), and the fragment
//                that is held the longest: with ports 0, at the clock of the packet that needs the place. Counted
//   left out   offsets and lengths are not looked at: overlapping and endless fragments are packets like any other

struct FragmentOptions {
  FragmentTracking tracking = FragmentTracking::track;
  std::size_t datagrams = 16'384;  ///< that are known, or waited for
  std::size_t held = 2'048;        ///< later fragments that wait
  std::uint64_t hash_key = 0;
  bool details = false;  ///< whether the meter wants them
};

/// Counted where it happens.
struct FragmentCounters {
  std::uint64_t joined = 0;            ///< later fragments metered into the flow of their first
  std::uint64_t without_first = 0;     ///< metered with ports 0: the first did not come in time
  std::uint64_t table_full = 0;        ///< metered with ports 0: no room to wait for the first
  std::uint64_t firsts_forgotten = 0;  ///< known no more: their place was needed

  FragmentCounters& operator+=(const FragmentCounters& other) noexcept {
    joined += other.joined;
    without_first += other.without_first;
    table_full += other.table_full;
    firsts_forgotten += other.firsts_forgotten;
    return *this;
  }
};

/// Somebody who takes ended records away when there is no room for more.
class Emptier {
 public:
  virtual ~Emptier() = default;
  virtual void empty(Ended& ended) noexcept = 0;
};

/// A meter with its fragments put together first. Packets that are no fragments cost it one question a call.
class Fragments {
 public:
  static constexpr nanoseconds wait_max = std::chrono::seconds{1}, known_for = std::chrono::seconds{15};

  /// Takes all memory. Throws std::bad_alloc. `meter` and `emptier` outlive it. Without an emptier `ended` needs room
  /// for Ended::records_per_packet × (packets added + FragmentOptions::held).
  Fragments(const FragmentOptions& options, Meter& meter, Emptier* emptier = nullptr);

  /// What it takes.
  static std::size_t octets(const FragmentOptions& options) noexcept;

  /// As Meter::add. Headers of later fragments are completed; `which` is used up. Clocks never turn back.
  void add(Burst packets, std::span<Headers> headers, std::span<const Details> details, Chosen& which,
           Ended& ended) noexcept;

  /// Whether packets up to `clock` that are no fragments may come past it, to the meter itself: none that waits is due.
  bool lets_pass(Instant clock) const noexcept { return !tracks_ || clock < due(); }
  /// As Meter::add_brief, for packets that it lets pass.
  void add_brief(const BriefPackets& packets, Ended& ended) noexcept {
    make_sure_of_room(packets.size(), ended);
    meter_.add_brief(packets, ended);
  }

  /// Meters what has waited for too long at `clock`, then Meter::expire.
  void expire(Instant clock, Ended& ended) noexcept;

  /// Meters what waits, with ports 0. True when nothing waits any more; false: `ended` has no room for more.
  bool give_up(Instant clock, Ended& ended) noexcept;

  /// Takes all memory now: before the first packet, not while they come.
  void touch() noexcept {
    datagrams_.touch();
    held_.touch();
  }

  /// give_up(), then Meter::finish: a share at a time.
  bool finish(Instant clock, Ended& ended) noexcept;

  /// Packets that wait for their first one, and their IP octets: metered, but in no flow yet.
  const Totals& waiting() const noexcept { return waiting_; }
  const FragmentCounters& counters() const noexcept { return counters_; }

 private:
  using Key = std::array<std::uint64_t, 5>;
  using Slot = std::uint32_t;
  static constexpr Slot none = AgedPool<int>::none;

  /// What is known of a datagram: what its first fragment said, or which later ones wait for it.
  struct Datagram {
    Key key;
    Instant heard_of;  ///< clock of its newest first fragment, or of the last one held
    Slot next_in_bucket = none;
    Slot held_first = none, held_last = none;
    std::uint16_t source_port = 0, destination_port = 0;
    std::uint8_t protocol = 0;
    bool known = false;  ///< the first one came

    bool is_over(Instant clock) const noexcept { return known && clock - heard_of >= known_for; }
  };

  struct Held {
    Headers headers;
    Packet packet;  ///< without its octets
    Slot datagram = none, next = none;
  };

  /// Packets of one call on their way to the meter: which[begin, end) are next.
  struct Run {
    Burst packets;
    std::span<Headers> headers;
    std::span<const Details> details;
    std::span<std::uint16_t> which;
    std::size_t begin = 0, end = 0;
  };

  static Key key_of(const Headers& headers) noexcept;
  Slot& bucket_of(const Key& key) noexcept { return buckets_[hash_(key) & (buckets_.size() - 1)]; }
  Instant due() const noexcept;

  Slot find(const Key& key) noexcept;
  Slot begin_datagram(const Key& key, Instant clock, Run& run, Ended& ended) noexcept;
  Slot hear_of(const Headers& headers, Instant clock, Run& run, Ended& ended) noexcept;
  void forget(Slot slot) noexcept;
  void make_room(Instant clock, Run& run, Ended& ended) noexcept;

  void know(const Packet& packet, const Headers& headers, Run& run, Ended& ended) noexcept;
  bool join(Instant clock, Headers& headers) noexcept;
  void hold(std::uint16_t which, Run& run, Ended& ended) noexcept;
  static void complete(const Datagram& datagram, Headers& headers) noexcept;

  Slot take_first_held(Datagram& datagram) noexcept;
  void give_up_oldest(Instant clock, Run& run, Ended& ended) noexcept;
  void give_up_late(Instant clock, Run& run, Ended& ended) noexcept;
  void release(Slot slot, Instant clock, Run& run, Ended& ended) noexcept;
  void meter_run(Run& run, Ended& ended) noexcept;
  void meter_released(Ended& ended) noexcept;
  void make_sure_of_room(std::size_t packets, Ended& ended) noexcept;

  Meter& meter_;
  Emptier* emptier_;
  bool tracks_;
  KeyedHash hash_;
  std::vector<Slot> buckets_;
  AgedPool<Datagram> datagrams_;
  AgedPool<Held> held_;
  std::vector<Details> held_details_;  ///< by slot; none where the meter wants none
  Totals waiting_;
  FragmentCounters counters_;

  std::size_t released_ = 0;  ///< packets in these, on their way to the meter
  std::array<Packet, burst_size> released_packets_;
  std::array<Headers, burst_size> released_headers_;
  std::vector<Details> released_details_;
};

}  // namespace weir::flow
