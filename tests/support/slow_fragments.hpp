// SPDX-License-Identifier: BSD-3-Clause
// The slow twin of the table of fragments: lists, walked from end to end. It is the specification: what it lets out, in
// this order and with these clocks, is what the meter is to get.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "support/address.hpp"
#include "support/slow_meter.hpp"

namespace weir::test {

struct SlowFragmentCounters {
  std::uint64_t joined = 0, without_first = 0, table_full = 0, firsts_forgotten = 0;
  friend bool operator==(const SlowFragmentCounters&, const SlowFragmentCounters&) = default;
};

class SlowFragments {
 public:
  SlowFragments(std::size_t datagrams, std::size_t held, std::function<void(const Arrival&)> out)
      : datagrams_max_{datagrams}, held_max_{held}, out_{std::move(out)} {}

  void add(const Arrival& packet) {
    pass(packet.clock);
    if (packet.headers.fragment == Fragment::later) return later(packet);
    out_(packet);
    if (packet.headers.fragment == Fragment::first) first(packet);
  }

  /// Time goes on: what has waited for a second goes, as of that moment.
  void pass(Instant clock) {
    while (!held_.empty() && held_.front().clock + wait_max <= clock) {
      ++counters.without_first;
      give_up(0, held_.front().clock + wait_max);
    }
  }

  /// Nothing waits any more.
  void end(Instant clock) {
    pass(clock);
    while (!held_.empty()) {
      ++counters.without_first;
      give_up(0, clock);
    }
  }

  Totals waiting() const {
    Totals sum;
    for (const auto& each : held_) sum += {.packets = 1, .octets = each.headers.octets};
    return sum;
  }

  SlowFragmentCounters counters;

 private:
  static constexpr nanoseconds wait_max = std::chrono::seconds{1}, known_for = std::chrono::seconds{15};

  /// Version, addresses, VLAN and identification; of IPv4 the protocol.
  using Id = std::tuple<IpVersion, std::array<std::byte, 16>, std::array<std::byte, 16>, std::uint16_t, std::uint32_t,
                        std::optional<std::uint8_t>>;
  struct Datagram {
    Id id;
    Instant heard_of{};
    std::optional<Headers> first{};  ///< none yet: later ones wait for it
  };

  static Id id_of(const Headers& headers) {
    return {headers.version,
            padded(headers.source()),
            padded(headers.destination()),
            headers.vlan,
            headers.fragment_id,
            headers.version == IpVersion::v4 ? std::optional{headers.protocol} : std::nullopt};
  }

  /// Of those heard of, the one heard of longest ago stands first.
  void hear_of(Datagram datagram) {
    std::erase_if(datagrams_, [&](const auto& each) { return each.id == datagram.id; });
    datagrams_.push_back(std::move(datagram));
  }
  auto find(const Id& id) {
    return std::find_if(datagrams_.begin(), datagrams_.end(), [&](const auto& each) { return each.id == id; });
  }
  void make_room(const Id& id, Instant clock) {
    if (find(id) != datagrams_.end() || datagrams_.size() < datagrams_max_) return;
    const auto gone = datagrams_.front();
    counters.firsts_forgotten += gone.first && clock - gone.heard_of < known_for;
    for (std::size_t i = 0; i < held_.size();)
      if (id_of(held_[i].headers) == gone.id) {
        ++counters.table_full;
        give_up(i, clock);
      } else {
        ++i;
      }
    std::erase_if(datagrams_, [&](const auto& each) { return each.id == gone.id; });
  }

  void first(const Arrival& packet) {
    const auto id = id_of(packet.headers);
    make_room(id, packet.clock);
    hear_of({id, packet.clock, packet.headers});
    std::vector<Arrival> waited;
    for (const auto& each : held_)
      if (id_of(each.headers) == id) waited.push_back(each);
    std::erase_if(held_, [&](const auto& each) { return id_of(each.headers) == id; });
    for (auto& each : waited) {
      each.clock = packet.clock;
      join(each, packet.headers);
    }
  }

  void later(const Arrival& packet) {
    const auto id = id_of(packet.headers);
    if (const auto at = find(id); at != datagrams_.end() && at->first && packet.clock - at->heard_of < known_for)
      return join(packet, *at->first);
    if (held_.size() == held_max_) {
      ++counters.table_full;
      give_up(0, packet.clock);
    }
    make_room(id, packet.clock);
    hear_of({id, packet.clock});
    held_.push_back(packet);
  }

  void join(Arrival packet, const Headers& first) {
    ++counters.joined;
    packet.headers.source_port = first.source_port;
    packet.headers.destination_port = first.destination_port;
    packet.headers.protocol = first.protocol;
    out_(packet);
  }

  /// As it is, as of `clock`. A datagram that nobody waits for any more is not heard of.
  void give_up(std::size_t which, Instant clock) {
    auto packet = held_[which];
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which));
    packet.clock = clock;
    const auto id = id_of(packet.headers);
    if (std::none_of(held_.begin(), held_.end(), [&](const auto& each) { return id_of(each.headers) == id; }))
      std::erase_if(datagrams_, [&](const auto& each) { return each.id == id; });
    out_(packet);
  }

  std::size_t datagrams_max_, held_max_;
  std::function<void(const Arrival&)> out_;
  std::vector<Datagram> datagrams_;
  std::vector<Arrival> held_;  ///< in order of arrival
};

}  // namespace weir::test
