// SPDX-License-Identifier: BSD-3-Clause
// The meter as tests drive it, and its options as those of its slow twin.
#pragma once

#include <cstring>

#include "flow/layout.hpp"
#include "flow/meter.hpp"
#include "records.hpp"
#include "support/traffic.hpp"

namespace weir::flow {

using test::SlowOptions;
using test::SlowRecord;

inline MeterOptions options_like(const SlowOptions& slow) {
  return {.direction = slow.biflow ? FlowDirection::biflow : FlowDirection::uniflow,
          .timeout_idle = slow.timeout_idle,
          .timeout_active = slow.timeout_active,
          .timeout_closed = slow.timeout_closed,
          .tcp_close = slow.tcp_close ? TcpClose::on : TcpClose::off,
          .capacity = 4096,
          .hash_key = 1};
}

/// The meter as a test drives it: packets in, records out, at whatever cuts the test likes.
class MeterUnderTest {
 public:
  explicit MeterUnderTest(const MeterOptions& options)
      : layouts_{make_layouts(options)}, ended_{100'000, layouts_[0], layouts_[1]}, meter_{make_meter(options)} {
    packets_.reserve(1024);
    headers_.reserve(1024);
    details_.reserve(1024);
    payloads_.reserve(1u << 20);
    which_.reserve(1024);
  }

  void add(const test::Arrival& arrival) {
    Packet packet;
    packet.stamp = arrival.stamp;
    packet.clock = arrival.clock;
    packet.interface = arrival.interface;
    packet.notes = arrival.notes;
    packet.wire = arrival.wire;
    if (payloads_.size() + arrival.payload.size() > payloads_.capacity()) pass();
    packet.bytes = payloads_.data() + payloads_.size();
    packet.captured = static_cast<std::uint32_t>(arrival.payload.size());
    payloads_.insert(payloads_.end(), arrival.payload.begin(), arrival.payload.end());
    details_.push_back(arrival.details);
    clock_ = arrival.clock;
    which_.push_back(static_cast<std::uint16_t>(packets_.size()));
    packets_.push_back(packet);
    headers_.push_back(arrival.headers);
  }
  /// What was added reaches the meter in one call.
  void pass() {
    meter_->add(packets_, headers_, details_, which_, ended_);
    clear();
  }
  /// In two: first those that can be brief, put down so.
  void pass_briefly() {
    std::vector<BriefIpv4> fours;
    std::vector<BriefIpv6> sixes;
    std::vector<std::uint16_t> fours_before_six;
    std::erase_if(which_, [&](std::size_t i) {
      if (!can_be_brief(headers_[i])) return false;
      if (headers_[i].version == IpVersion::v4) put_brief(headers_[i], packets_[i], fours.emplace_back());
      else {
        put_brief(headers_[i], packets_[i], sixes.emplace_back());
        fours_before_six.push_back(static_cast<std::uint16_t>(fours.size()));
      }
      return true;
    });
    meter_->add_brief({fours, sixes, fours_before_six}, ended_);
    pass();
  }
  void clear() {
    packets_.clear();
    headers_.clear();
    details_.clear();
    payloads_.clear();
    which_.clear();
  }
  void expire() {
    pass();
    meter_->expire(clock_, ended_);
  }
  void grow_ahead() {
    pass();
    meter_->grow_ahead();
  }
  std::size_t ended() {
    pass();
    return ended_.of(0).size() + ended_.of(1).size();
  }
  std::size_t live() {
    pass();
    return meter_->live();
  }
  /// Everything ends, in calls of a few slots, each with a few packets before it.
  void end_all(std::size_t slots_max) {
    pass();
    while (!meter_->end_all(clock_, slots_max, ended_)) take();
  }
  bool set_timeouts(const MeterOptions& wanted) {
    pass();
    return meter_->set_timeouts(wanted);
  }
  /// The live table as somebody sees who looks at a few slots at a time.
  std::vector<SlowRecord> look(std::size_t slots_max) {
    struct Copies : FlowVisitor {
      explicit Copies(const std::array<RecordLayout, 2>& layouts) : shown{1000, layouts[0], layouts[1]} {}
      void flow(unsigned pool, const std::byte* record) noexcept override {
        std::memcpy(shown.push(pool), record, shown.of(pool).layout->octets);
      }
      Ended shown;
    } copies{layouts_};
    TableCursor at;
    while (!meter().look(at, slots_max, copies)) continue;
    std::vector<SlowRecord> records;
    take_records(copies.shown, records);
    std::sort(records.begin(), records.end());
    return records;
  }
  void take() {
    take_records(ended_, records_);
    ended_.clear();
  }
  std::vector<SlowRecord> finish_in_order() {
    pass();
    while (!meter_->finish(clock_, ended_)) take();
    take();
    return std::move(records_);
  }
  /// Everything ends; `read` makes of it what it likes.
  template <class Read>
  auto finish_encoded(Read read) {
    pass();
    while (ended_.room() > 0 && !meter_->finish(clock_, ended_)) continue;
    EXPECT_GT(ended_.room(), 0u) << "there is more than there is room for";
    return read(ended_);
  }
  std::vector<SlowRecord> finish() {
    auto records = finish_in_order();
    std::sort(records.begin(), records.end());
    return records;
  }
  void set_watch(StageWatch* watch) { meter_->set_watch(watch); }
  const Meter& meter() {
    pass();
    return *meter_;
  }
  std::vector<SlowRecord> so_far() {
    pass();
    take();
    return records_;
  }

 private:
  std::array<RecordLayout, 2> layouts_;
  Ended ended_;
  std::unique_ptr<Meter> meter_;
  Instant clock_{};
  std::vector<Packet> packets_;
  std::vector<Headers> headers_;
  std::vector<Details> details_;
  std::vector<std::byte> payloads_;  ///< never grows while packets point into it
  std::vector<std::uint16_t> which_;
  std::vector<SlowRecord> records_;
};

inline std::uint64_t packets_of(const std::vector<SlowRecord>& records) {
  std::uint64_t sum = 0;
  for (const auto& record : records) sum += record.forward.packets + record.reverse.packets;
  return sum;
}

}  // namespace weir::flow
