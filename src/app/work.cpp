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
      members_(shards, {flow::Chosen{capture::Slice::packets_max}, flow::Chosen{capture::Slice::packets_max}}),
      in_order_{capture::Slice::packets_max} {
  for (unsigned i = 0; i < shards; ++i) {
    parcels_.emplace_back(i == home ? 0 : capture::Slice::packets_max, decoding.details, decoding.brief);
    records_.emplace_back(records_max(held) + by_packets(held) / 2, record_octets_max);
  }
}

void Work::decode(const capture::Selector& selector) noexcept {
  tallies_ = {};
  for (auto& [brief, others] : members_) {
    brief.clear();
    others.clear();
  }
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
      members_[0].others.add_metered(begin, headers, outcomes, plain);
      continue;
    }
    std::array<std::uint16_t, at_once_shared> shard;
    decoding_.spread.shards_of(burst, headers, from(begin), shards, shard);
    for (std::size_t i = 0; i < burst.size(); ++i)
      if (outcomes[i] == Outcome::metered)
        members_[shard[i]].of(decoding_.brief && flow::can_be_brief(headers[i])).add(begin + i, headers[i]);
    pack();
  }
}

/// What other cores' meters are to count, while it is in the nearest cache.
void Work::pack() noexcept {
  for (std::size_t i = 0; i < parcels_.size(); ++i) {
    if (i == home_) continue;
    const Burst packets = std::as_const(slice).packets();
    parcels_[i].pack_briefly(packets, headers_, members_[i].brief.places());
    parcels_[i].pack(packets, headers_, details_, members_[i].others.places());
  }
}

/// Brief ones come first wherever the slice was decoded, so that the order depends on packets alone. Where fragments
/// are about, or one that waits for its first one is due, all come in order: else no flow has packets of both kinds.
void Work::meter(unsigned shard, flow::Fragments& fragments, flow::Ended& ended) noexcept {
  auto& [brief, others] = members_[shard];
  const bool in_order = !brief.places().empty() && (others.has_fragments() || !fragments.lets_pass(clock()));
  const auto add = [&](flow::Chosen& which) {
    fragments.add(std::as_const(slice).packets(), headers_, details_, which, ended);
  };
  if (shard != home_) {
    if (in_order) parcels_[shard].meter_in_order(fragments, brief, others, ended);
    else parcels_[shard].meter(fragments, others.has_fragments(), ended);
  } else if (in_order) {
    in_order_.choose_both(brief, others);
    add(in_order_);
  } else {
    add(brief);
    add(others);
  }
  fragments.expire(clock(), ended);
}

}  // namespace weir::app
