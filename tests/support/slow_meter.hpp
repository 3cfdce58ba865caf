// SPDX-License-Identifier: BSD-3-Clause
// The meter's slow twin: what "flow", "record" and "end" mean, as a std::map and no cleverness. It is the
// specification: whatever the fast meter is given, its records must be these. With a capacity it is the specification
// of one line of the fast meter's table: its places have slots, and a flow without a place takes somebody else's.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "support/address.hpp"

namespace weir::test {

/// One packet as it reaches the meter.
struct Arrival {
  Headers headers;
  Instant stamp{};  ///< when it was captured; may lie before the clock
  Instant clock{};  ///< the largest stamp so far over the whole input
  std::uint16_t interface = 0;
  std::uint16_t notes = 0;  ///< of the capture stage
  std::uint32_t wire = 0;   ///< octets of the frame
  Details details{};        ///< its payload lies at the start of `payload`
  std::vector<std::byte> payload{};
};

struct SlowOptions {
  bool biflow = false;
  bool tcp_close = true;
  nanoseconds timeout_idle = std::chrono::seconds{15};
  nanoseconds timeout_active = std::chrono::seconds{60};
  nanoseconds timeout_closed = std::chrono::seconds{1};
  std::size_t capacity = 0;  ///< flows held at once; 0: no end of them
};

/// All packets of a flow so far, and where its present record begins.
struct SlowEvidence {
  struct Counted {
    Arrival packet;
    bool reverse = false;
  };
  std::vector<Counted> flow{};
  std::size_t record_from = 0;  ///< the first packet of the record
  std::size_t totals_from = 0;  ///< the first packet that totals count
  EndReason reason{};
};

/// What somebody asks of the twin beyond its own records.
struct SlowWitness {
  /// A key other than the usual one: what tells one end, the other end and the rest.
  struct Key {
    std::string one, other, rest;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  std::function<Key(const Arrival&)> key{};
  std::function<void(const SlowEvidence&)> see{};  ///< a record that ends
  /// Whether a counter of the evidence's last packet outgrows its field, and whether it is a total.
  std::function<std::pair<bool, bool>(const SlowEvidence&)> outgrows{};
};

struct SlowDirection {
  std::uint64_t packets = 0, octets = 0;
  std::uint64_t first_ms = 0, last_ms = 0;  ///< least and greatest stamp, milliseconds since 1970
  std::uint32_t ingress_interface = 0;      ///< number of the first packet's interface + 1
  std::uint16_t tcp_flags = 0;              ///< 12 bits
  std::uint8_t tos = 0;                     ///< of the first packet
  std::uint8_t ttl_min = 0, ttl_max = 0;
  friend auto operator<=>(const SlowDirection&, const SlowDirection&) = default;
};

struct SlowRecord {
  IpVersion version = IpVersion::v4;
  std::uint8_t protocol = 0;
  std::uint16_t vlan = 0;
  std::array<std::byte, 16> source{}, destination{};    ///< of the flow's first packet
  std::uint16_t source_port = 0, destination_port = 0;  ///< 0 for ICMP
  std::uint16_t icmp_type_code = 0;                     ///< of the flow's first packet
  EndReason reason{};
  SlowDirection forward{}, reverse{};  ///< reverse is all zeros in a uniflow, and where it has no packets
  friend auto operator<=>(const SlowRecord&, const SlowRecord&) = default;
};

class SlowMeter {
 public:
  explicit SlowMeter(const SlowOptions& options, SlowWitness witness = {})
      : options_{options}, witness_{std::move(witness)} {}

  void add(const Arrival& packet) {
    clock_ = std::max(clock_, packet.clock);
    const auto [key, turned] = witness_.key ? key_of_witness(packet) : key_of(packet.headers);
    auto at = places_.find(key);
    if (at != places_.end() && !goes_on(at->second, packet)) {
      places_.erase(at);
      at = places_.end();
    }
    if (at == places_.end()) {
      make_room(packet.clock);
      at = places_.emplace(key, begin(packet, turned)).first;
    }
    const bool reverse = turned != at->second.turned;
    keep_within(at->second, packet, reverse);
    at->second.evidence.flow.push_back({packet, reverse});
    count(at->second, packet, reverse);
  }

  /// Records that live are judged by these from their next look on.
  void set_timeouts(const SlowOptions& wanted) {
    options_.tcp_close = wanted.tcp_close;
    options_.timeout_idle = wanted.timeout_idle;
    options_.timeout_active = wanted.timeout_active;
    options_.timeout_closed = wanted.timeout_closed;
  }

  /// Everything ends: what is past an end of its own with that reason, the rest with reason 4.
  void end_all() {
    for (auto& [key, place] : places_)
      if (stays(place, clock_)) put(place, EndReason::forced);
    places_.clear();
  }

  /// end_all(), and all records so far. Sorted.
  std::vector<SlowRecord> finish() {
    end_all();
    std::sort(records_.begin(), records_.end());
    return std::exchange(records_, {});
  }

 private:
  struct Endpoint {
    std::array<std::byte, 16> address{};
    std::uint16_t port = 0;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
  };
  struct Key {
    Endpoint one, other;
    IpVersion version{};
    std::uint8_t protocol = 0;
    std::uint16_t vlan = 0, icmp_type_code = 0;
    SlowWitness::Key other_key{};
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  /// A flow's place. It outlives active ends; `record` is then empty until the next packet.
  struct Place {
    SlowRecord record;
    std::size_t slot = 0;               ///< the lowest that was free when the flow began
    bool turned = false;                ///< the first packet ran from the greater endpoint to the lesser
    Instant clock_first{};              ///< of the record's first packet
    Instant clock_last{};               ///< of the flow's last packet
    std::array<bool, 2> seen{}, fin{};  ///< by direction, since the flow began
    std::optional<Instant> closed{};    ///< when its TCP connection closed
    SlowEvidence evidence{};
  };
  using Places = std::map<Key, Place>;

  static bool is_icmp(const Headers& headers) {
    return (headers.protocol == protocol::icmp && headers.version == IpVersion::v4) ||
           (headers.protocol == protocol::icmpv6 && headers.version == IpVersion::v6);
  }

  /// In a biflow an echo reply (0, 129) has the key of the request (8, 128) with the same code.
  static std::uint16_t without_direction(std::uint16_t type_code, IpVersion version) {
    const auto type = type_code >> 8, code = type_code & 0xff;
    if (version == IpVersion::v4 && type == 0) return static_cast<std::uint16_t>(8 << 8 | code);
    if (version == IpVersion::v6 && type == 129) return static_cast<std::uint16_t>(128 << 8 | code);
    return type_code;
  }

  /// The key, and whether source and destination were exchanged to make it.
  std::pair<Key, bool> key_of(const Headers& headers) const {
    Key key{.one = {padded(headers.source()), headers.source_port},
            .other = {padded(headers.destination()), headers.destination_port},
            .version = headers.version,
            .protocol = headers.protocol,
            .vlan = headers.vlan};
    if (is_icmp(headers)) {
      key.icmp_type_code =
          options_.biflow ? without_direction(headers.destination_port, headers.version) : headers.destination_port;
      key.one.port = key.other.port = 0;
    }
    const bool turned = options_.biflow && key.other < key.one;
    if (turned) std::swap(key.one, key.other);
    return {key, turned};
  }

  std::pair<Key, bool> key_of_witness(const Arrival& packet) const {
    Key key;
    key.version = packet.headers.version;
    key.other_key = witness_.key(packet);
    const bool turned = options_.biflow && key.other_key.other < key.other_key.one;
    if (turned) std::swap(key.other_key.one, key.other_key.other);
    return {key, turned};
  }

  /// A counter that this packet would make too large ends the record before it; a total begins anew.
  void keep_within(Place& place, const Arrival& packet, bool reverse) {
    if (!witness_.outgrows) return;
    auto after = place.evidence;
    after.flow.push_back({packet, reverse});
    const auto [outgrows, total] = witness_.outgrows(after);
    if (outgrows) put(place, EndReason::active);
    if (total) place.evidence.totals_from = place.evidence.flow.size();
  }

  static bool is_empty(const Place& place) {
    return place.record.forward.packets == 0 && place.record.reverse.packets == 0;
  }

  /// Ends what is past an end at `now`, the earliest moment first; equal moments in the order 3, 2, 1. After an active
  /// end the place stays, and its next moment is looked for. False: the place is free.
  bool stays(Place& place, Instant now) {
    for (;;) {
      std::vector<std::pair<Instant, EndReason>> moments;
      if (place.closed && options_.tcp_close)
        moments.emplace_back(*place.closed + options_.timeout_closed, EndReason::end_of_flow);
      if (!is_empty(place)) moments.emplace_back(place.clock_first + options_.timeout_active, EndReason::active);
      moments.emplace_back(place.clock_last + options_.timeout_idle, EndReason::idle);
      const auto by_moment = [](const auto& a, const auto& b) { return a.first < b.first; };
      const auto [moment, reason] =
          *std::min_element(moments.begin(), moments.end(), by_moment);  // the first of equals
      if (now < moment) return true;
      put(place, reason);
      if (reason != EndReason::active) return false;
    }
  }

  /// Whether the packet belongs to the flow in this place; else what is there has ended.
  bool goes_on(Place& place, const Arrival& packet) {
    if (!stays(place, packet.clock)) return false;
    const bool reopened = place.closed && options_.tcp_close && (packet.headers.tcp_flags & tcp_flag::syn);
    if (reopened) put(place, EndReason::end_of_flow);
    return !reopened;
  }

  /// The record goes out unless it is empty, and what is counted anew in the next one becomes 0.
  void put(Place& place, EndReason reason) {
    if (is_empty(place)) return;
    place.evidence.reason = reason;
    if (witness_.see) witness_.see(place.evidence);
    place.evidence.record_from = place.evidence.flow.size();
    auto record = place.record;
    record.reason = reason;
    if (record.reverse.packets == 0) record.reverse = {};
    if (record.forward.packets == 0) {  // a continuation with answers only: a start in 1970 would be no use to anybody
      record.forward.first_ms = record.reverse.first_ms;
      record.forward.last_ms = record.reverse.last_ms;
    }
    records_.push_back(record);
    for (auto* direction : {&place.record.forward, &place.record.reverse})
      *direction = {.ingress_interface = direction->ingress_interface, .tos = direction->tos};
  }

  /// Full: what is past an end ends, with its own reason; if that frees nothing, the flow touched longest ago ends
  /// (of equals that in the lowest slot).
  void make_room(Instant now) {
    if (options_.capacity == 0 || places_.size() < options_.capacity) return;
    const auto before = places_.size();
    for (auto at = places_.begin(); at != places_.end();)
      at = stays(at->second, now) ? std::next(at) : places_.erase(at);
    if (places_.size() < before) return;
    const auto longest_ago = [](const auto& a, const auto& b) {
      return std::pair{a.second.clock_last, a.second.slot} < std::pair{b.second.clock_last, b.second.slot};
    };
    const auto oldest = std::min_element(places_.begin(), places_.end(), longest_ago);
    put(oldest->second, EndReason::lack_of_resources);
    places_.erase(oldest);
  }

  std::size_t lowest_free_slot() const {
    const auto taken = [this](std::size_t slot) {
      return std::any_of(places_.begin(), places_.end(), [slot](const auto& each) { return each.second.slot == slot; });
    };
    std::size_t slot = 0;
    while (taken(slot)) ++slot;
    return slot;
  }

  Place begin(const Arrival& packet, bool turned) const {
    const auto& headers = packet.headers;
    const bool icmp = is_icmp(headers);
    return {.record = {.version = headers.version,
                       .protocol = headers.protocol,
                       .vlan = headers.vlan,
                       .source = padded(headers.source()),
                       .destination = padded(headers.destination()),
                       .source_port = icmp ? std::uint16_t{0} : headers.source_port,
                       .destination_port = icmp ? std::uint16_t{0} : headers.destination_port,
                       .icmp_type_code = icmp ? headers.destination_port : std::uint16_t{0}},
            .slot = options_.capacity ? lowest_free_slot() : 0,
            .turned = turned};
  }

  void count(Place& place, const Arrival& packet, bool reverse) {
    const auto& headers = packet.headers;
    if (is_empty(place)) place.clock_first = packet.clock;
    place.clock_last = packet.clock;

    auto& direction = reverse ? place.record.reverse : place.record.forward;
    if (!std::exchange(place.seen[reverse], true)) {
      direction.tos = headers.tos;
      direction.ingress_interface = packet.interface + 1u;
    }
    const auto ms = milliseconds_since_epoch(packet.stamp == no_stamp ? packet.clock : packet.stamp);
    const bool first = direction.packets == 0;
    direction.packets += 1;
    direction.octets += headers.octets;
    direction.tcp_flags |= headers.tcp_flags & 0x0fffu;
    direction.first_ms = first ? ms : std::min(direction.first_ms, ms);
    direction.last_ms = first ? ms : std::max(direction.last_ms, ms);
    direction.ttl_min = first ? headers.ttl : std::min(direction.ttl_min, headers.ttl);
    direction.ttl_max = first ? headers.ttl : std::max(direction.ttl_max, headers.ttl);
    if (!options_.tcp_close) {  // a packet that counts meanwhile makes the flow forget what was seen of a close
      place.fin = {};
      place.closed.reset();
    } else if (headers.protocol == protocol::tcp) {
      watch_close(place, packet, reverse);
    }
  }

  void watch_close(Place& place, const Arrival& packet, bool reverse) {
    const auto flags = packet.headers.tcp_flags;
    if (flags & tcp_flag::fin) place.fin[reverse] = true;
    const bool fins = place.fin[0] && (place.fin[1] || !options_.biflow);
    if ((fins || (flags & tcp_flag::rst)) && !place.closed) place.closed = packet.clock;
  }

  SlowOptions options_;
  SlowWitness witness_;
  Places places_;
  Instant clock_{};
  std::vector<SlowRecord> records_;
};

/// All records of an input, sorted.
inline std::vector<SlowRecord> slow_meter(std::span<const Arrival> packets, const SlowOptions& options) {
  SlowMeter meter{options};
  for (const auto& packet : packets) meter.add(packet);
  return meter.finish();
}

}  // namespace weir::test
