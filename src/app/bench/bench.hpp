// SPDX-License-Identifier: BSD-3-Clause
// `weir bench`: rounds of made traffic through the stages of a worker, with an exporter beside them. No figure counts
// unless the records were right and the ledger closes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>
#include <weir/record.hpp>

#include "app/bench/figure.hpp"
#include "app/bench/stages.hpp"
#include "capture/synthetic.hpp"
#include "flow/options.hpp"

namespace weir::app::bench {

/// Of all workers together are the traffic's flows and the meter's capacity; each has an equal share.
struct Plan {
  capture::SyntheticOptions traffic{};
  flow::MeterOptions meter{};
  std::size_t ring_records = 65'536;
  unsigned rounds = 5;
  std::uint64_t packets_before = 0;  ///< of the stream, before the first round
};

/// Octets of memory that a run takes at most.
std::uint64_t octets_needed(const Plan& plan, unsigned workers);

/// What a run with so many workers measured. Times are CPU time of a worker, those of the stages by the time stamp
/// counter from a stretch of their own, in which they do not overlap; figures are of rounds, and in a round the mean of
/// all workers.
struct Result {
  unsigned workers = 1;
  std::uint64_t flows = 0;    ///< that send packets, of all workers
  Figure packets_per_second;  ///< of all workers, by the clock on the wall
  Figure ns;                  ///< a packet
  std::array<Figure, stages> stage_ns{};
  Figure meter_ns;    ///< look up and account, one after the other
  double busy = 1;    ///< CPU time of workers over the wall's: less than 1 where others were running
  Figure bound_ns;    ///< of one random update of a record
  Figure over_bound;  ///< ns over bound_ns, round by round

  /// A packet, by stage; none where the machine does not give them: events_trouble.
  std::optional<std::array<std::array<double, events>, stages>> stage_events;
  std::string events_trouble;

  Figure encode_ns;                      ///< a record, by the exporter: 0 where hardly a record ended
  std::array<std::uint64_t, 6> ended{};  ///< records, by EndReason, in all rounds
  std::uint64_t live = 0;                ///< in the tables at the end
  std::uint64_t packets = 0;             ///< of all rounds
  std::uint64_t packets_in_all = 0;      ///< those that filled the tables too
  std::uint64_t octets_in_memory = 0;    ///< of the frames of one round, as far as they are read
  std::size_t record_octets = 0;         ///< of an IPv4 record in memory
  Totals exported, in_table, not_handed_over;

  std::string wrong;  ///< records that are not right, or a ledger that is open: the figures do not count
};

/// Throws StartError where memory does not suffice.
Result run(const Plan& plan, unsigned workers);

}  // namespace weir::app::bench
