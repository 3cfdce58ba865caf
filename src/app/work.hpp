// SPDX-License-Identifier: BSD-3-Clause
// One slice of packets on its way through the stages, with all the memory that they need for it.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>
#include <weir/headers.hpp>

#include "app/decoding.hpp"
#include "app/parcel.hpp"
#include "app/tallies.hpp"
#include "capture/sample.hpp"
#include "capture/select.hpp"
#include "capture/slice.hpp"
#include "flow/chosen.hpp"
#include "flow/ended.hpp"
#include "flow/fragments.hpp"
#include "ipfix/data_records.hpp"

namespace weir::app {

class Work {
 public:
  /// Memory for one slice and `shards` meters, before each of which `held` fragments may wait. The meter of shard
  /// `home` runs where the slice is decoded. No Data Record is longer than `record_octets_max`. `decoding` outlives it.
  Work(unsigned shards, unsigned home, const Decoding& decoding, std::size_t held, std::size_t record_octets_max);

  /// Records of one family that a meter may end in one slice: by packets, and by a sweep, as many as there is room for
  /// in the fuller family. So of both there are half of those by packets more at most.
  static constexpr std::size_t records_max(std::size_t held) noexcept { return by_packets(held) + swept_records; }

  capture::Slice slice;
  std::uint64_t number = 0;              ///< of the slice, from 1
  std::size_t interfaces = 0;            ///< of the input that were known when the slice was read
  capture::SelectionCounts selection{};  ///< by sampling, up to the slice's end
  bool tables_grow = false;              ///< after it, those that have little room left
  std::optional<Instant> closing;        ///< there is no slice: what is left in the tables ends at this clock

  /// Second stage, any thread: filter, decode, count outcomes, and tell the shards apart.
  void decode(const capture::Selector& selector) noexcept;

  /// Third stage, one thread a shard, slices in order: put fragments together, count, then end what is past its end.
  void meter(unsigned shard, flow::Fragments& fragments, flow::Ended& ended) noexcept;

  const PacketTallies& tallies() const noexcept { return tallies_; }
  /// The packet clock after this slice.
  Instant clock() const noexcept { return closing ? *closing : slice.packets().back().clock; }
  /// What a shard's meter ended.
  ipfix::DataRecords& records(unsigned shard) noexcept { return records_[shard]; }
  /// No record has ended.
  bool has_nothing() const noexcept { return std::ranges::all_of(records_, &ipfix::DataRecords::empty); }
  unsigned home() const noexcept { return home_; }

 private:
  static constexpr std::size_t swept_records = 4096;
  /// Those of the slice, and all fragments that waited from slices before.
  static constexpr std::size_t by_packets(std::size_t held) noexcept {
    return (capture::Slice::packets_max + held) * flow::Ended::records_per_packet;
  }

  void decode_in_place() noexcept;
  void decode_and_share(Burst packets) noexcept;
  void share_other(const Packet& packet) noexcept;
  void share(const Packet& packet, Outcome outcome, const Headers& headers, const Details* details) noexcept;

  const Decoding& decoding_;
  const bool in_place_;  ///< there are no parcels: the meter reads the whole slice's packets, headers and details
  const std::size_t decoded_max_;
  std::vector<Headers> headers_;
  std::vector<Details> details_;  // none where nobody asks for them
  std::vector<Outcome> outcomes_;
  const unsigned home_;
  flow::Chosen chosen_;                      // in place
  std::vector<Parcel> parcels_;              // by shard
  std::vector<ipfix::DataRecords> records_;  // by shard
  PacketTallies tallies_;
};

}  // namespace weir::app
