// SPDX-License-Identifier: BSD-3-Clause
// What one packet adds to a record.
#pragma once

#include <weir/headers.hpp>

#include "flow/ends.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

/// What the meter knows of a packet beside its headers.
struct Arrival {
  Word clock;               ///< ns; ends are reckoned with it
  Word stamp_ms;            ///< goes into flowStart and flowEnd only
  std::uint16_t interface;  ///< number + 1
  bool exchanged;           ///< biflow: its source is end b of the key
  bool echo_reply;          ///< biflow: an ICMP echo reply
};

/// A counter of 48 bits ends its record rather than wrap (RFC 7011 §6.2 asks the same of reduced lengths).
inline bool would_outgrow(const std::byte* direction, const Headers& headers) noexcept {
  return (load_word(direction + Direction::octets_at) & low_48) + headers.octets > low_48;
}

inline void count(std::byte* direction, const Headers& headers, Word stamp_ms) noexcept {
  auto words = Direction::load(direction);
  const Word ttl = headers.ttl, least = words.octet_word >> 48 & 0xff, greatest = words.octet_word >> 56;
  words.octet_word =
      ((words.octet_word + headers.octets) & low_48) | std::min(ttl, least) << 48 | std::max(ttl, greatest) << 56;
  words.packet_word = (words.packet_word + 1) | Word{headers.tcp_flags} << 48;
  words.start_word = (words.start_word & ~low_48) | std::min(stamp_ms, words.start_word & low_48);
  words.end_word = (words.end_word & ~low_48) | std::max(stamp_ms, words.end_word & low_48);
  words.store(direction);
}

/// A record of a new flow, counting nothing yet. First-packet values are this packet's; its direction is forward.
template <class S>
void begin(std::byte* record, const typename S::Key& key, const Arrival& arrival) noexcept {
  for (std::size_t i = 0; i < S::Key::words; ++i) store_word(record + 8 * i, key.word[i]);
  Direction forward{0, arrival.exchanged ? state::exchanged : 0, Word{arrival.interface} << 48, 0};
  forward.clear_counts();
  forward.store(record + S::forward_at);
  if constexpr (S::biflow) {
    Direction reverse{0, arrival.echo_reply ? state::echo_reply : 0, 0, 0};
    reverse.clear_counts();
    reverse.store(record + S::reverse_at);
  }
  S::set_clocks(record, {arrival.clock, arrival.clock, arrival.clock});
}

/// After an active end: the place keeps direction, TCP state and first-packet values, and counts nothing yet.
template <class S>
void go_on(std::byte* record) noexcept {
  for (unsigned i = 0; i < S::directions; ++i) {
    auto* at = record + S::forward_at + i * Direction::octets;
    auto direction = Direction::load(at);
    direction.clear_counts();
    direction.store(at);
  }
}

/// The first packet to come the other way gives the reverse direction its first-packet values.
template <class S>
void see_reverse(std::byte* record, std::uint8_t tos, std::uint16_t interface) noexcept {
  auto reverse = Direction::load(record + S::reverse_at);
  if (reverse.packet_word & state::reverse_seen) return;
  reverse.packet_word |= state::reverse_seen;
  reverse.start_word = (reverse.start_word & low_48) | Word{interface} << 48;
  reverse.end_word = (reverse.end_word & low_48) | Word{tos} << 48;
  reverse.store(record + S::reverse_at);
}

/// FIN in its own direction or any RST closes a uniflow; FINs both ways or an RST either way a biflow. True when this
/// packet is the one that closes it.
template <class S>
bool closes(std::byte* record, bool reverse, std::uint16_t flags) noexcept {
  auto word = S::forward_state(record);
  if (word & state::closing) return false;
  bool closing = flags & tcp_flag::rst;
  if constexpr (S::biflow) {
    if (flags & tcp_flag::fin) word |= reverse ? state::fin_reverse : state::fin_forward;
    closing |= (word & state::fin_forward) && (word & state::fin_reverse);
  } else {
    closing |= (flags & tcp_flag::fin) != 0;
  }
  if (closing) word |= state::closing;
  store_word(record + S::forward_at + Direction::packets_at, word);
  return closing;
}

/// A packet that counts while TCP close is off makes the flow forget what was seen of one: a setting may change.
template <class S>
void forget_close(std::byte* record) noexcept {
  const auto word = S::forward_state(record);
  store_word(record + S::forward_at + Direction::packets_at, word & ~state::of_close);
}

/// Counts a packet into a record that is not past an end.
template <class S>
void account(std::byte* record, const Headers& headers, const Arrival& arrival, const Timeouts& timeouts) noexcept {
  auto clocks = S::clocks(record);
  if (S::packets(record) == 0) clocks.first = arrival.clock;
  clocks.last = arrival.clock;
  bool reverse = false;
  if constexpr (S::biflow) {
    reverse = arrival.exchanged != ((S::forward_state(record) & state::exchanged) != 0);
    if (reverse) see_reverse<S>(record, headers.tos, arrival.interface);
  }
  count(record + (reverse ? S::reverse_at : S::forward_at), headers, arrival.stamp_ms);
  if (!timeouts.tcp_close) forget_close<S>(record);
  else if ((headers.tcp_flags & (tcp_flag::fin | tcp_flag::rst)) && closes<S>(record, reverse, headers.tcp_flags))
    clocks.close = arrival.clock;
  S::set_clocks(record, clocks);
}

}  // namespace weir::flow
