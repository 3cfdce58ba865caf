// SPDX-License-Identifier: BSD-3-Clause
// A meter, and headers of packets of made flows, for what is measured of the table.
#pragma once

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <vector>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "base/hash.hpp"
#include "flow/ended.hpp"
#include "flow/layout.hpp"
#include "flow/meter.hpp"

namespace weir::bench {

inline constexpr std::uint32_t octets_each = 64;
inline constexpr Instant begin{std::chrono::seconds{1'700'000'000}};

/// A UDP packet of flow number `flow`; addresses and ports are spread as random ones are.
inline Headers headers_of(std::uint64_t flow, IpVersion version = IpVersion::v4) {
  Headers headers{.protocol = protocol::udp, .octets = octets_each, .ttl = 64, .version = version};
  auto state = flow;
  const auto ends = next_word(state), more = next_word(state);
  std::memcpy(headers.source().data(), &ends, 4);
  std::memcpy(headers.destination().data(), reinterpret_cast<const char*>(&ends) + 4, 4);
  if (version == IpVersion::v6) {
    std::memcpy(headers.source().data() + 8, &more, 8);
    std::memcpy(headers.destination().data() + 8, &ends, 8);
  }
  headers.source_port = static_cast<std::uint16_t>(more);
  headers.destination_port = static_cast<std::uint16_t>(more >> 16);
  return headers;
}

/// A meter with room for what a call ends, and the sum of what has ended.
class MeterOfFlows {
 public:
  static constexpr std::size_t burst = 1024;

  explicit MeterOfFlows(const flow::MeterOptions& options, std::size_t ended_max = 2 * burst * 12)
      : layouts_{flow::make_layouts(options)},
        ended_{ended_max, layouts_[0], layouts_[1]},
        meter_{flow::make_meter(options)},
        packets_(burst),
        which_(burst) {
    std::iota(which_.begin(), which_.end(), std::uint16_t{0});
    tell(begin);
  }

  void tell(Instant now) {
    for (auto& packet : packets_) packet.stamp = packet.clock = now;
  }
  /// At most `burst` of them.
  void add(std::span<const Headers> headers) {
    meter_->add(packets_, headers, {}, std::span{which_}.first(headers.size()), ended_);
    if (ended_.room() < burst * flow::Ended::records_per_packet) empty_ended();
  }
  /// Flows `first` to `last` - 1, a packet each.
  void fill(std::uint64_t first, std::uint64_t last, IpVersion version = IpVersion::v4) {
    std::vector<Headers> headers;
    for (auto flow = first; flow < last; ++flow) {
      headers.push_back(headers_of(flow, version));
      if (headers.size() < burst && flow + 1 < last) continue;
      add(headers);
      headers.clear();
    }
  }
  void expire(Instant now) { meter_->expire(now, ended_); }
  /// What ended so far; room for more.
  const Totals& empty_ended() {
    for (const unsigned pool : {0u, 1u})
      for (std::size_t i = 0; i < ended_.of(pool).size(); ++i) sum_ += layouts_[pool].totals(ended_.of(pool)[i]);
    ended_.clear();
    return sum_;
  }
  /// Every packet and octet that was added is in the table or has ended.
  bool books_balance() {
    auto all = meter_->in_table();
    all += empty_ended();
    return all.packets == meter_->counters().packets && all.octets == octets_each * all.packets;
  }

  /// Records that ended because there was no place for another.
  std::uint64_t evicted() const noexcept {
    return meter_->counters().ended[static_cast<std::size_t>(EndReason::lack_of_resources)];
  }

  flow::Meter& meter() noexcept { return *meter_; }
  const flow::Ended& ended() const noexcept { return ended_; }
  const std::array<RecordLayout, 2>& layouts() const noexcept { return layouts_; }

 private:
  std::array<RecordLayout, 2> layouts_;
  flow::Ended ended_;
  std::unique_ptr<flow::Meter> meter_;
  std::vector<Packet> packets_;
  std::vector<std::uint16_t> which_;
  Totals sum_;
};

}  // namespace weir::bench
