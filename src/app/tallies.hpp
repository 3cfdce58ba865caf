// SPDX-License-Identifier: BSD-3-Clause
// The first line of the ledger: packets received, and what became of them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>
#include <weir/units.hpp>

#include "ipfix/options.hpp"

namespace weir::app {

/// Packets and the octets of their frames on the wire.
struct Tally {
  std::uint64_t packets = 0, octets = 0;
  Tally& operator+=(const Tally& other) noexcept {
    packets += other.packets;
    octets += other.octets;
    return *this;
  }
  friend bool operator==(const Tally&, const Tally&) = default;
};

/// What became of packets: the first line of the ledger. Received is counted where packets come in, outcomes where they
/// are decided.
struct PacketTallies {
  Tally received;
  std::array<Tally, outcome_texts.size()> became{};       ///< by Outcome
  std::array<std::uint64_t, note_texts.size()> notes{};   ///< by Note
  std::uint64_t ignored_packets = 0, ignored_octets = 0;  ///< received, not metered, though not left out on purpose
  Instant ignored_first = Instant::max(), ignored_last = Instant::min();  ///< clocks of those

  PacketTallies& operator+=(const PacketTallies& other) noexcept;

  /// One packet that came in, and what became of it.
  void add(const Packet& packet, const Headers& headers, Outcome outcome) noexcept;
  /// Some that are metered, and of which nothing is noted.
  void add_metered(const Tally& some) noexcept {
    received += some;
    became[static_cast<std::size_t>(Outcome::metered)] += some;
  }
  /// All of a burst. `plain`: they are metered, and nothing is noted of any.
  void add(Burst packets, std::span<const Headers> headers, std::span<const Outcome> outcomes, bool plain) noexcept;
};

/// The outcomes of which RFC 7011 §4.2 says "ignored": packets that should have been metered and could not be.
constexpr bool is_ignored(Outcome outcome) noexcept {
  return outcome != Outcome::metered && outcome != Outcome::filtered && outcome != Outcome::not_selected;
}

inline void PacketTallies::add(const Packet& packet, const Headers& headers, Outcome outcome) noexcept {
  const Tally one{1, packet.wire};
  if (outcome == Outcome::metered && (packet.notes | headers.notes) == 0) [[likely]]
    return add_metered(one);
  received += one;
  became[static_cast<std::size_t>(outcome)] += one;
  auto noted = packet.notes;
  if (outcome == Outcome::metered) {
    noted |= headers.notes;
  } else if (is_ignored(outcome)) {
    ++ignored_packets;
    ignored_octets += packet.wire;
    ignored_first = std::min(ignored_first, packet.clock);
    ignored_last = std::max(ignored_last, packet.clock);
  }
  for (unsigned left = noted; left; left &= left - 1) ++notes[static_cast<std::size_t>(std::countr_zero(left))];
}

/// What options records say of them.
ipfix::MeteringTotals metering_totals(const PacketTallies& tallies) noexcept;

}  // namespace weir::app
