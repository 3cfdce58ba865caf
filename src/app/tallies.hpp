// SPDX-License-Identifier: BSD-3-Clause
// The first line of the ledger: packets received, and what became of them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <weir/outcome.hpp>
#include <weir/units.hpp>

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
};

/// The outcomes of which RFC 7011 §4.2 says "ignored": packets that should have been metered and could not be.
constexpr bool is_ignored(Outcome outcome) noexcept {
  return outcome != Outcome::metered && outcome != Outcome::filtered && outcome != Outcome::not_selected;
}

}  // namespace weir::app
