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

/// Whether a timeout is over at `now`, or `now` is before the record's last packet, whose difference is then a huge
/// one.
template <class S>
[[gnu::always_inline]] inline bool timeout_is_over(const std::byte* record, Word now,
                                                   const Timeouts& timeouts) noexcept {
  return S::since_last(record, now) >= timeouts.idle || S::since_first(record, now) >= timeouts.active;
}

template <class S>
[[gnu::always_inline]] inline bool may_have_ended(const std::byte* record, Word now,
                                                  const Timeouts& timeouts) noexcept {
  return timeout_is_over<S>(record, now, timeouts) || S::is_closing(record);
}

/// Of some records that which was touched longest ago, and whether any may have ended.
struct Oldest {
  std::size_t number = 0;
  Word last = ~Word{0}, first = ~Word{0}, states = 0;

  /// By arithmetic: which one is older nobody can foresee.
  template <class S>
  [[gnu::always_inline]] void look(const std::byte* record, std::size_t its_number) noexcept {
    const Word its_last = S::last(record);
    Word older = -Word{its_last < last};
    asm("" : "+r"(older));  // or GCC makes a jump of it
    number ^= (number ^ its_number) & older;
    last ^= (last ^ its_last) & older;
    first = std::min(first, S::first(record));
    states |= S::forward_state(record);
  }
  bool any_may_have_ended(Word now, const Timeouts& timeouts) const noexcept {
    return now - last >= timeouts.idle || now - first >= timeouts.active || (states & state::closing) != 0;
  }
};

/// How often the whole table is looked through: a quarter of the shortest timeout, within these bounds.
inline Word sweep_period(const Timeouts& timeouts) noexcept {
  constexpr Word shortest = 10'000'000, longest = 3'600'000'000'000;  // 10 ms, 1 h
  constexpr Word closed_at_least = 15'000'000'000;  // closed connections may wait as long as idle ones do by default
  Word least = std::min(timeouts.idle, timeouts.active);
  if (timeouts.tcp_close) least = std::min(least, std::max(timeouts.closed, closed_at_least));
  return std::clamp(least / 4, shortest, longest);
}

}  // namespace weir::flow
