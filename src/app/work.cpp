// SPDX-License-Identifier: BSD-3-Clause
#include "app/work.hpp"

#include <algorithm>

#include "app/brief_decoding.hpp"

namespace weir::app {

Work::Work(unsigned shards, unsigned home, const Decoding& decoding, std::size_t held, std::size_t record_octets_max)
    : decoding_{decoding},
      in_place_{shards == 1 && !decoding.to_brief()},
      decoded_max_{in_place_ ? capture::Slice::packets_max : 2 * burst_size},
      headers_(decoded_max_),
      details_(decoding.details ? decoded_max_ : 0),
      outcomes_(decoded_max_),
      home_{home},
      chosen_{in_place_ ? capture::Slice::packets_max : 0} {
  for (unsigned i = 0; i < shards; ++i) {
    if (!in_place_) parcels_.emplace_back(capture::Slice::packets_max, decoding.details, decoding.brief);
    records_.emplace_back(records_max(held) + by_packets(held) / 2, record_octets_max);
  }
}

void Work::decode(const capture::Selector& selector) noexcept {
  tallies_ = {};
  if (selector.active()) selector.select(slice.packets());
  if (in_place_) return decode_in_place();
  for (unsigned i = 0; i < parcels_.size(); ++i) {
    parcels_[i].clear();
    if (i != home_) parcels_[i].ask_for_first();
  }
  const Burst packets = std::as_const(slice).packets();
  if (!decoding_.to_brief()) return decode_and_share(packets);
  const auto other = [&](std::size_t i) { share_other(packets[i]); };
  const auto shards = static_cast<unsigned>(parcels_.size());
  if (shards == 1) decode_briefly(packets, ToOne{parcels_[0]}, tallies_, other);
  else decode_briefly(packets, ToShards{parcels_.data(), shards}, tallies_, other);
}

void Work::decode_in_place() noexcept {
  chosen_.clear();
  constexpr std::size_t at_once = 8 * burst_size;
  const Burst packets = std::as_const(slice).packets();
  for (std::size_t begin = 0; begin < packets.size(); begin += at_once) {
    const auto burst = packets.subspan(begin, std::min(at_once, packets.size() - begin));
    const auto headers = std::span{headers_}.subspan(begin, burst.size());
    const auto outcomes = std::span{outcomes_}.subspan(begin, burst.size());
    const bool plain =
        decoding_.decode(burst, headers, std::span{details_}.subspan(decoding_.details ? begin : 0), outcomes);
    tallies_.add(burst, headers, outcomes, plain);
    chosen_.add_metered(begin, headers, outcomes, plain);
  }
}

void Work::decode_and_share(Burst packets) noexcept {
  for (std::size_t begin = 0; begin < packets.size(); begin += decoded_max_) {
    const auto burst = packets.subspan(begin, std::min(decoded_max_, packets.size() - begin));
    decoding_.decode(burst, headers_, details_, outcomes_);
    for (std::size_t i = 0; i < burst.size(); ++i)
      share(burst[i], outcomes_[i], headers_[i], decoding_.details ? &details_[i] : nullptr);
  }
}

void Work::share_other(const Packet& packet) noexcept {
  auto& headers = headers_[0];
  const auto outcome = decode_other(packet, headers);
  share(packet, outcome, headers, nullptr);
}

void Work::share(const Packet& packet, Outcome outcome, const Headers& headers, const Details* details) noexcept {
  tallies_.add(packet, headers, outcome);
  if (outcome != Outcome::metered) return;
  const auto shards = static_cast<unsigned>(parcels_.size());
  auto& parcel = parcels_[shards == 1 ? 0 : decoding_.spread.shard_of(packet, headers, details, shards)];
  put_down(packet, headers, details, decoding_.brief, parcel);
}

void Work::meter(unsigned shard, flow::Fragments& fragments, flow::Ended& ended) noexcept {
  if (in_place_) fragments.add(std::as_const(slice).packets(), headers_, details_, chosen_, ended);
  else parcels_[shard].meter(fragments, clock(), ended);
  fragments.expire(clock(), ended);
}

}  // namespace weir::app
