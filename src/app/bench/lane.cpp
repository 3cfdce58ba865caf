// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/lane.hpp"

#include <algorithm>

#include "app/bench/record_check.hpp"
#include "app/brief_decoding.hpp"
#include "base/assert.hpp"
#include "decode/decode.hpp"
#include "flow/plan.hpp"

namespace weir::app::bench {
Lane::Lane(const capture::SyntheticOptions& traffic, const flow::MeterOptions& meter, std::size_t ring_records,
           std::span<const RecordLayout, 2> layouts)
    : layouts_{layouts},
      traffic_{traffic},
      meter_{flow::make_meter(meter)},
      ended_{ended_max, layouts[0], layouts[1]},
      outlet_{std::max(ring_records, ended_max), layouts},
      brief_{flow::is_usual(meter)},
      parcel_{received_max, false, brief_},
      headers_(received_max),
      outcomes_(received_max),
      own_{received_max} {}

void Lane::prepare(std::uint64_t packets) noexcept {
  outlet_.touch();
  meter_->touch();
  parcel_.touch();
  NoLaps none;
  while (traffic_.introduce()) run(none);
  const auto until = tallies_.received.packets + packets;
  while (tallies_.received.packets < until) {
    make();
    run(none);
  }
}

std::string Lane::check() {
  Encoder encoder{layouts_};
  RecordCheck records{layouts_, traffic_};
  const auto export_all = [&] {
    for (unsigned family = 0; family < Outlet::families; ++family)
      for (;;) {
        const auto ended = outlet_.front(family);
        if (ended.size() == 0) break;
        encoder.add(ended, clock_, [&](auto which, Bytes record) { records.look(family, which, record); });
        outlet_.pop(family, ended.size());
      }
  };
  NoLaps none;
  const auto run_all = [&] {
    while (turn(none) > 0) export_all();  // the ring has room for what one turn ends
  };
  while (traffic_.introduce()) run_all();
  make();
  run_all();
  for (bool done = false; !done;) {
    done = meter_->finish(clock_, ended_);
    not_handed_over_ += outlet_.take(ended_);
    export_all();
  }
  if (not_handed_over_.records > 0) return "the ring was full although it was emptied after every turn";
  if (encoder.finish(clock_) != encoder.encoded().records) return "not every record is in a message";
  return records.verdict();
}

void Lane::decode(std::span<Packet> packets) noexcept {
  clock_ = packets.back().clock;
  if (brief_) {
    parcel_.clear();
    decode_briefly(packets, ToOne{parcel_}, tallies_, [&](std::size_t i) {
      const auto outcome = decode_other(packets[i], headers_[0]);
      tallies_.add(packets[i], headers_[0], outcome);
      WEIR_ASSERT(outcome == Outcome::metered && flow::can_be_brief(headers_[0]));  // as all of that traffic
      parcel_.put_briefly(headers_[0], packets[i]);
    });
  } else {
    const bool plain = decode::decode_burst(packets, headers_, outcomes_);
    tallies_.add(packets, headers_, outcomes_, plain);
    own_.clear();
    own_.add_metered(0, headers_, std::span{outcomes_}.first(packets.size()), plain);
  }
}

}  // namespace weir::app::bench
