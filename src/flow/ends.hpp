// SPDX-License-Identifier: BSD-3-Clause
// When a record ends, reckoned with the packet clock alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <weir/headers.hpp>
#include <weir/record.hpp>

#include "flow/options.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

/// Timeouts as the data path uses them, ns.
struct Timeouts {
  Word idle, active, closed;
  bool tcp_close;
  Word unusual_state;  ///< bits of a record's state with which a packet needs more than to be counted
  Word closing_flags;  ///< and of a packet's TCP control bits

  explicit Timeouts(const MeterOptions& options) noexcept
      : idle{static_cast<Word>(options.timeout_idle.count())},
        active{static_cast<Word>(options.timeout_active.count())},
        closed{static_cast<Word>(options.timeout_closed.count())},
        tcp_close{options.tcp_close == TcpClose::on},
        unusual_state{tcp_close ? state::closing : state::of_close},
        closing_flags{tcp_close ? Word{tcp_flag::fin | tcp_flag::rst} : Word{0}} {}
};

/// The earliest moment at which a record ends, and why. Where moments are equal the order is TCP close, active, idle.
struct End {
  Word at;
  EndReason reason;
};

/// A place whose record ended by active timeout, and that has seen no packet since, has no active end: there is nothing
/// to export.
inline End next_end(const Clocks& clocks, bool closing, bool has_packets, const Timeouts& timeouts) noexcept {
  End end{clocks.last + timeouts.idle, EndReason::idle};
  const Word active = clocks.first + timeouts.active;
  if (has_packets && active <= end.at) end = {active, EndReason::active};
  if (closing && timeouts.tcp_close && clocks.close + timeouts.closed <= end.at)
    end = {clocks.close + timeouts.closed, EndReason::end_of_flow};
  return end;
}

/// False: it has not, which is all that is asked of most.
template <class S>
bool may_have_ended(const std::byte* record, Word now, const Timeouts& timeouts) noexcept {
  bool may = now - S::last(record) >= timeouts.idle;
  may |= now - S::first(record) >= timeouts.active;
  may |= S::is_closing(record);
  return may;
}

/// How often the whole table is looked through: a quarter of the shortest timeout, within these bounds.
inline Word sweep_period(const Timeouts& timeouts) noexcept {
  constexpr Word shortest = 10'000'000, longest = 3'600'000'000'000;  // 10 ms, 1 h
  constexpr Word closed_at_least = 15'000'000'000;  // closed connections may wait as long as idle ones do by default
  Word least = std::min(timeouts.idle, timeouts.active);
  if (timeouts.tcp_close) least = std::min(least, std::max(timeouts.closed, closed_at_least));
  return std::clamp(least / 4, shortest, longest);
}

}  // namespace weir::flow
