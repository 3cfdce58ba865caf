// SPDX-License-Identifier: BSD-3-Clause
// The Metering Process of one worker: headers in, ended records out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>
#include <weir/record.hpp>

#include "flow/brief.hpp"
#include "flow/ended.hpp"
#include "flow/options.hpp"

namespace weir::flow {

/// Counted where it happens.
struct MeterCounters {
  std::uint64_t packets = 0, octets = 0;  ///< counted into flows; octets from the IP header on
  std::array<std::uint64_t, 6> ended{};   ///< records handed out, by EndReason
};

/// A live flow as it would be exported now, for somebody who looks at the table.
class FlowVisitor {
 public:
  virtual ~FlowVisitor() = default;
  /// `record` is laid out like an ended one of `pool` (0: IPv4, 1: IPv6), its reason none; it is gone after the call.
  virtual void flow(unsigned pool, const std::byte* record) noexcept = 0;
};

/// Somebody who measures. Called by add(), in the thread that does, about once for each burst and family. While
/// somebody does, the stages of a burst come one after the other; else they overlap.
class StageWatch {
 public:
  virtual ~StageWatch() = default;
  virtual void looked_up() noexcept = 0;  ///< keys, hashes, tags; the records of another burst come next
  virtual void accounted() noexcept = 0;  ///< records found, begun, ended, counted into
};

/// How far a walk over the table has come.
struct TableCursor {
  std::uint32_t pool = 0, slot = 0;
};

/// Which records come out depends on the packets alone, not on how they are cut into calls nor on when expire() runs
/// (nor, but for who must go where all is full, on when grow_ahead() does).
/// One call is virtual for many packets; nothing behind it is.
class Meter {
 public:
  virtual ~Meter() = default;

  /// Counts packets[i] for every i of `which`; headers[i] and details[i] are theirs. `details` may be empty: then there
  /// are none, as where needs_details() says no. `ended` needs room for Ended::records_per_packet × which.size().
  virtual void add(Burst packets, std::span<const Headers> headers, std::span<const Details> details,
                   std::span<const std::uint16_t> which, Ended& ended) noexcept = 0;

  /// The same of packets that were put down briefly, by a meter of usual key and template: see is_usual(). Families
  /// go side by side, a burst of each at most out of order.
  virtual void add_brief(const BriefPackets& packets, Ended& ended) noexcept = 0;

  /// Ends what is past its end at `clock` in the share of the table that is due for a look; bounded work.
  virtual void expire(Instant clock, Ended& ended) noexcept = 0;

  /// Ends a share of what is left, at most as much as `ended` has room for. True when nothing is left; until then no
  /// packet may come.
  virtual bool finish(Instant clock, Ended& ended) noexcept = 0;

  /// The same while packets still come: one call goes over at most `slots_max` slots, and `ended`'s room. True when
  /// all flows that were there at the first call have ended; the next call begins anew.
  virtual bool end_all(Instant clock, std::size_t slots_max, Ended& ended) noexcept = 0;

  /// From now on records are judged by the timeouts and TCP close of `wanted`, those past an end that nobody has looked
  /// at among them. False, and nothing changes: see can_take_timeouts().
  virtual bool set_timeouts(const MeterOptions& wanted) noexcept = 0;

  /// Shows the live flows of the next `slots_max` slots, those past an end that nobody has looked at among them. True
  /// when the walk is through. A flow that comes or goes meanwhile may be missed; none is shown twice.
  virtual bool look(TableCursor& at, std::size_t slots_max, FlowVisitor& visitor) const noexcept = 0;

  /// What records in the table hold, by walking all of them.
  virtual Totals in_table() const noexcept = 0;

  virtual std::size_t live() const noexcept = 0;

  /// Takes all pages and tag lines now, on the memory node of the thread that calls: before the first packet, not while
  /// they come.
  virtual void touch() noexcept = 0;

  /// So little room is left that it will not be long before a packet needs more tag lines.
  virtual bool grows_soon() const noexcept = 0;
  /// More tag lines now, if that was to be soon, or soon after a meter that says so and has as many flows but for
  /// chance: for some milliseconds nothing else is done, which costs less where several do it at one time. As long as
  /// there is room, the same records come out.
  virtual void grow_ahead() noexcept = 0;

  const MeterCounters& counters() const noexcept { return counters_; }

  /// From now on somebody watches, or nobody (nullptr).
  void set_watch(StageWatch* watch) noexcept { watch_ = watch; }

 protected:
  StageWatch* watch_ = nullptr;
  MeterCounters counters_;
};

/// The first octets of a packet's payload, as many as were captured, `octets` at most.
inline Bytes payload_head(const Packet& packet, const Details& details, std::size_t octets) noexcept {
  if (!packet.bytes || details.payload_at > packet.captured) return {};
  const auto captured = std::min<std::size_t>(details.payload_captured, packet.captured - details.payload_at);
  return {packet.bytes + details.payload_at, std::min(captured, octets)};
}

/// Takes all memory. Throws std::bad_alloc where there is too little.
std::unique_ptr<Meter> make_meter(const MeterOptions& options);

}  // namespace weir::flow
