// SPDX-License-Identifier: BSD-3-Clause
// One slice of packets on its way through the stages, with all the memory that they need for it.
#pragma once

#include <array>
#include <vector>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>

#include "capture/select.hpp"
#include "capture/slice.hpp"
#include "flow/ended.hpp"
#include "flow/meter.hpp"

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

class Work {
 public:
  /// Memory for one slice and `shards` meters.
  Work(unsigned shards, const std::array<RecordLayout, 2>& layouts);

  capture::Slice slice;
  std::size_t interfaces = 0;  ///< of the input that were known when the slice was read

  /// Second stage, any thread: filter, decode, count outcomes, and tell the shards apart.
  void decode(const capture::Selector& selector) noexcept;

  /// Third stage, one thread a shard, slices in order: count, then end what is past its end.
  void meter(unsigned shard, flow::Meter& meter) noexcept;

  const PacketTallies& tallies() const noexcept { return tallies_; }
  /// The packet clock after this slice.
  Instant clock() const noexcept { return slice.packets().back().clock; }
  flow::Ended& ended(unsigned shard) noexcept { return ended_[shard]; }

 private:
  void tally(const Packet& packet, const Headers& headers, Outcome outcome) noexcept;

  std::vector<Headers> headers_;
  std::vector<Outcome> outcomes_;
  struct Members {
    std::array<std::uint16_t, capture::Slice::packets_max> packets;
    std::size_t count = 0;
  };
  std::vector<Members> members_;  // by shard
  std::vector<flow::Ended> ended_;
  PacketTallies tallies_;
};

}  // namespace weir::app
