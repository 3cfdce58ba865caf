// SPDX-License-Identifier: BSD-3-Clause
// One worker of the benchmark: its traffic, its table, its ring to the exporter. What it does to packets, and in what
// order, is what live/worker.cpp does.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>

#include "app/bench/encoder.hpp"
#include "app/bench/stages.hpp"
#include "app/live/outlet.hpp"
#include "app/parcel.hpp"
#include "app/tallies.hpp"
#include "capture/synthetic.hpp"
#include "flow/chosen.hpp"
#include "flow/ended.hpp"
#include "flow/meter.hpp"

namespace weir::app::bench {

class Lane {
 public:
  /// Takes memory as it is touched, on the node of the thread that calls prepare(). Throws std::bad_alloc.
  Lane(const capture::SyntheticOptions& traffic, const flow::MeterOptions& meter, std::size_t ring_records,
       std::span<const RecordLayout, 2> layouts);

  /// The flows that are alive come into the table, then so many packets of the stream, for flows to come and go as they
  /// will go on to. The exporter must run.
  void prepare(std::uint64_t packets) noexcept;
  /// The same, then a stretch, then all flows end: every record is encoded and looked at. Returns what is wrong with
  /// them; empty: nothing. Of use to no round: make another Lane.
  std::string check();
  /// Makes the next stretch; run() then takes it through all stages.
  void make() noexcept { traffic_.make(); }
  template <class Laps>
  void run(Laps& laps) noexcept {
    MeterLaps<Laps> watch{laps};
    if constexpr (Laps::measure) meter_->set_watch(&watch);
    for (laps.begin(); turn(laps) > 0;) {
    }
    meter_->set_watch(nullptr);
  }

  Outlet& outlet() noexcept { return outlet_; }
  const capture::SyntheticTraffic& traffic() const noexcept { return traffic_; }
  const flow::Meter& meter() const noexcept { return *meter_; }
  const PacketTallies& tallies() const noexcept { return tallies_; }
  const Totals& not_handed_over() const noexcept { return not_handed_over_; }
  Instant clock() const noexcept { return clock_; }

 private:
  static constexpr std::size_t received_max = capture::SyntheticTraffic::received_max, swept_max = 1024;
  static constexpr std::size_t ended_max = received_max * flow::Ended::records_per_packet + swept_max;

  /// The meter's own stages.
  template <class Laps>
  struct MeterLaps final : flow::StageWatch {
    explicit MeterLaps(Laps& its) : laps{its} {}
    Laps& laps;
    void looked_up() noexcept override { laps.lap(Stage::look_up); }
    void accounted() noexcept override { laps.lap(Stage::account); }
  };

  template <class Laps>
  std::size_t turn(Laps& laps) noexcept {
    const auto packets = traffic_.receive();
    if (packets.empty()) return 0;
    laps.lap(Stage::receive);
    decode(packets);
    laps.lap(Stage::decode);
    if (brief_) meter_->add_brief(parcel_.those_brief(), ended_);
    else meter_->add(packets, headers_, {}, own_.places(), ended_);
    laps.lap(Stage::account);
    not_handed_over_ += outlet_.take(ended_);
    laps.lap(Stage::hand_over);
    meter_->expire(clock_, ended_);
    laps.lap(Stage::expire);
    not_handed_over_ += outlet_.take(ended_);
    laps.lap(Stage::hand_over);
    return packets.size();
  }
  void decode(std::span<Packet> packets) noexcept;

  std::span<const RecordLayout, 2> layouts_;
  capture::SyntheticTraffic traffic_;
  std::unique_ptr<flow::Meter> meter_;
  flow::Ended ended_;
  Outlet outlet_;
  const bool brief_;  ///< whether the meter counts packets that are put down briefly
  Parcel parcel_;
  std::vector<Headers> headers_;  // of one that is not brief, or of all
  std::vector<Outcome> outcomes_;
  flow::Chosen own_;
  PacketTallies tallies_;
  Totals not_handed_over_;
  Instant clock_{};
};

}  // namespace weir::app::bench
