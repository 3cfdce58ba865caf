// SPDX-License-Identifier: BSD-3-Clause
// The end of a run: what came in, what became of it, and whether the books balance. Values in, text out.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "app/destination_report.hpp"
#include "app/live/port_report.hpp"
#include "app/live/splits.hpp"
#include "app/tallies.hpp"
#include "base/error.hpp"
#include "flow/fragments.hpp"

namespace weir::app {

struct Report {
  PacketTallies packets{};                     ///< received, and what became of them: octets are those on the wire
  std::uint64_t metered_ip_octets = 0;         ///< from the IP header on, as records count them
  std::array<std::uint64_t, 6> end_reasons{};  ///< records, by EndReason
  Totals in_table{};                           ///< records not ended
  std::uint64_t fragments_joined = 0;          ///< later fragments that were metered into the flow of their first
  Totals fragments_waiting{};                  ///< metered, but in no flow yet: part of what each destination waits for
  std::vector<DestinationReport> destinations{};
  std::vector<PortReport> ports{};         ///< live only
  std::optional<Splits::Counts> splits{};  ///< live, and only where there are several workers

  Instant clock_first = no_stamp, clock_last = no_stamp;  ///< of the packets; no_stamp where there were none
  std::chrono::nanoseconds took{};                        ///< wall time
  unsigned workers = 1;
  bool interrupted = false;

  const Tally& became(Outcome outcome) const noexcept { return packets.became[static_cast<std::size_t>(outcome)]; }
  std::uint64_t records() const noexcept;  ///< all that ended
  Totals lost() const noexcept;            ///< at all destinations, by any cause
};

/// What one worker's fragments came to.
void add_fragments(Report& report, const flow::FragmentCounters& counters, const Totals& waiting) noexcept;

/// Line 1: received = the sum of all outcomes, packets and wire octets. Line 2, for each destination: metered =
/// exported + in the table + waiting + lost + absent (what ended while it was no destination), packets and IP octets.
bool closes(const Report& report) noexcept;

/// What the run itself says to the shell: records lost, ledger open, or good.
ExitStatus status_of(const Report& report) noexcept;

/// For a person: a few aligned lines, the last of which is "ledger: closed" or "ledger: OPEN: …".
std::string text(const Report& report);

/// The same while it runs, without a verdict: workers and destinations have counted up to different moments, and what
/// is in the tables is in neither's terms.
std::string text_so_far(const Report& report);

/// For programs. Every outcome, note and reason is there by name, zeros too.
nlohmann::ordered_json json(const Report& report);

/// json() as text that ends in a line feed. Names that are not UTF-8 are made so.
std::string json_text(const Report& report);

}  // namespace weir::app
