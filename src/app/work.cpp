// SPDX-License-Identifier: BSD-3-Clause
#include "app/work.hpp"

#include <algorithm>
#include <array>

namespace weir::app {

Work::Work(unsigned shards, unsigned home, const Decoding& decoding, std::size_t held, std::size_t record_octets_max)
    : decoding_{decoding},
      headers_(capture::Slice::packets_max),
      details_(decoding.details ? capture::Slice::packets_max : 0),
      outcomes_(capture::Slice::packets_max),
      home_{home},
      members_(shards, flow::Chosen{capture::Slice::packets_max}) {
  for (unsigned i = 0; i < shards; ++i) {
    parcels_.emplace_back(i == home ? 0 : capture::Slice::packets_max, decoding.details);
    records_.emplace_back(records_max(held) + by_packets(held) / 2, record_octets_max);
  }
}

void Work::decode(const capture::Selector& selector) noexcept {
  tallies_ = {};
  for (auto& members : members_) members.clear();
  for (auto& parcel : parcels_) parcel.clear();
  if (selector.active()) selector.select(slice.packets());
  const Burst packets = std::as_const(slice).packets();
  const auto shards = static_cast<unsigned>(members_.size());
  constexpr auto at_once_shared = Parcel::packed_at_once, at_once_alone = 8 * burst_size;
  const auto at_once = shards == 1 ? at_once_alone : at_once_shared;
  for (std::size_t begin = 0; begin < packets.size(); begin += at_once) {
    const auto burst = packets.subspan(begin, std::min(at_once, packets.size() - begin));
    for (auto& parcel : parcels_) parcel.ask_ahead();
    const auto headers = std::span{headers_}.subspan(begin, burst.size());
    const auto outcomes = std::span{outcomes_}.subspan(begin, burst.size());
    const bool plain = decoding_.decode(burst, headers, from(begin), outcomes);
    tallies_.add(burst, headers, outcomes, plain);
    if (shards == 1) {
      members_[0].add_metered(begin, headers, outcomes, plain);
      continue;
    }
    std::array<std::uint16_t, at_once_shared> shard;
    decoding_.spread.shards_of(burst, headers, from(begin), shards, shard);
    for (std::size_t i = 0; i < burst.size(); ++i)
      if (outcomes[i] == Outcome::metered) members_[shard[i]].add(begin + i, headers[i]);
    pack();
  }
  if (shards == 1) return;
  for (unsigned i = 0; i < shards; ++i)
    if (i != home_) members_[i].renumber();
}

/// What other cores' meters are to count, while it is in the nearest cache.
void Work::pack() noexcept {
  for (std::size_t i = 0; i < parcels_.size(); ++i) {
    if (i == home_) continue;
    auto& parcel = parcels_[i];
    const auto places = members_[i].places().subspan(parcel.packets().size());
    parcel.pack(std::as_const(slice).packets(), headers_, details_, places);
  }
}

void Work::meter(unsigned shard, flow::Fragments& fragments, flow::Ended& ended) noexcept {
  if (const auto& parcel = parcels_[shard]; shard != home_)
    fragments.add(parcel.packets(), parcel.headers(), parcel.details(), members_[shard], ended);
  else fragments.add(std::as_const(slice).packets(), headers_, details_, members_[shard], ended);
  fragments.expire(clock(), ended);
}

}  // namespace weir::app
