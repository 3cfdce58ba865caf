// SPDX-License-Identifier: BSD-3-Clause
// What one packet adds to a record.
#pragma once

#include <bit>
#include <weir/headers.hpp>

#include "flow/ends.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

/// What the meter knows of a packet beside its headers. Whole words, as all that is reckoned with here: GCC 12 puts a
/// narrower one down on the stack as it is and takes it up again as a word, which must then wait for all that is being
/// written.
struct Arrival {
  Word clock;       ///< ns; ends are reckoned with it
  Word stamp_ms;    ///< goes into flowStart and flowEnd only
  Word interface;   ///< number + 1
  Word exchanged;   ///< biflow: 1: its source is end b of the key
  Word echo_reply;  ///< biflow: 1: an ICMP echo reply
};

/// What it knows of its headers, as they lie in Headers, or in a copy of that part of them (flow/brief.hpp).
struct Counted {
  const std::byte* at;  ///< Headers::octets

  Word octets() const noexcept { return load_word(at); }
  std::uint16_t tcp_flags() const noexcept { return load_native<std::uint16_t>(at + flags_at); }
  std::uint8_t ttl() const noexcept { return load_native<std::uint8_t>(at + ttl_at); }
  std::uint8_t protocol() const noexcept { return load_native<std::uint8_t>(at - protocol_before); }
  std::uint8_t tos() const noexcept { return load_native<std::uint8_t>(at - tos_before); }

 private:
  static constexpr std::size_t octets_at = offsetof(Headers, octets), tos_before = octets_at - offsetof(Headers, tos),
                               protocol_before = octets_at - offsetof(Headers, protocol),
                               flags_at = offsetof(Headers, tcp_flags) - octets_at,
                               ttl_at = offsetof(Headers, ttl) - octets_at;
};

/// A counter of 48 bits ends its record rather than wrap (RFC 7011 §6.2 asks the same of reduced lengths).
inline bool would_outgrow(const std::byte* direction, const Counted& packet) noexcept {
  return (load_word(direction + Direction::octets_at) & low_48) + packet.octets() > low_48;
}

/// A direction's word of octets, with a packet's TTL in it.
inline Word with_ttl(Word octets, Word ttl) noexcept {
  const Word least = octets >> 48 & 0xff, greatest = octets >> 56;
  return (octets & low_48) | std::min(ttl, least) << 48 | std::max(ttl, greatest) << 56;
}

/// The TTL of all packets so far was the header's, and there have been some, of not too many octets: one question, for
/// the least and greatest TTL of a direction that counts nothing differ.
inline bool is_in_the_midst(const std::byte* direction, const Counted& packet) noexcept {
  constexpr unsigned above = std::countr_zero(Direction::octets_many);
  Word twice = Word{0x101} << (48 - above);
  asm("" : "+r"(twice));  // or GCC makes three instructions of a multiplication
  return load_word(direction + Direction::octets_at) >> above == packet.ttl() * twice;
}

inline void begin_no_later(std::byte* direction, Word stamp_ms) noexcept {
  const Word start = load_word(direction + Direction::start_at);
  if (stamp_ms < (start & low_48)) store_word(direction + Direction::start_at, (start & ~low_48) | stamp_ms);
}

/// It must not outgrow. Branches that go one way for all but a few packets of a flow cost less than the arithmetic that
/// would do without.
[[gnu::always_inline]] inline void count(std::byte* direction, bool in_the_midst, const Counted& packet,
                                         Word stamp_ms) noexcept {
  Word octets = load_word(direction + Direction::octets_at) + packet.octets();
  if (!in_the_midst) [[unlikely]] {
    octets = with_ttl(octets, packet.ttl());
    begin_no_later(direction, stamp_ms);
  }
  store_word(direction + Direction::octets_at, octets);
  const Word packets = load_word(direction + Direction::packets_at) + 1;
  store_word(direction + Direction::packets_at, packets | Word{packet.tcp_flags()} << 48);
  const Word end = load_word(direction + Direction::end_at), stamp_there = (end & ~low_44) | stamp_ms;
  if (stamp_there >= end) [[likely]]  // and not before the start, which is not after the end
    store_word(direction + Direction::end_at, stamp_there);
  else begin_no_later(direction, stamp_ms);
}

/// A record of a new flow, and its first packet counted, whose direction is forward.
template <class S>
[[gnu::always_inline]] inline void begin(std::byte* record, const typename S::Key& key, const Counted& packet,
                                         const Arrival& arrival) noexcept {
  for (std::size_t i = 0; i < S::Key::words; ++i) store_word(record + 8 * i, key.word[i]);
  const Word stamp = arrival.stamp_ms;
  Direction{packet.octets() | Word{packet.ttl()} << 48 | Word{packet.ttl()} << 56,
            1 | Word{packet.tcp_flags()} << 48 | (arrival.exchanged ? state::exchanged : 0),
            stamp | arrival.interface << 48, stamp | (S::biflow ? state::counts : 0)}
      .store(record + S::forward_at);
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
    auto* at = record + S::direction_at(i);
    auto direction = Direction::load(at);
    direction.clear_counts();
    if (S::biflow && i == 0) direction.end_word &= ~state::counts;
    direction.store(at);
  }
}

/// Biflow: 1 if a packet runs against the flow's forward direction, else 0.
template <class S>
Word runs_back(const std::byte* record, const Arrival& arrival) noexcept {
  constexpr auto bit = std::countr_zero(state::exchanged);
  if constexpr (S::biflow) return arrival.exchanged ^ (S::forward_state(record) >> bit & 1);
  else return 0;
}

/// A biflow has a packet, and the first one that comes the other way gives the reverse direction its first-packet
/// values.
template <class S>
void see_direction(std::byte* record, bool is_reverse, std::uint8_t tos, Word interface) noexcept {
  auto end = S::forward_end(record) | state::counts;
  if (is_reverse && !(end & state::reverse_seen)) {
    end |= state::reverse_seen;
    auto reverse = Direction::load(record + S::reverse_at);
    reverse.start_word = (reverse.start_word & low_48) | interface << 48;
    reverse.end_word = (reverse.end_word & low_44) | Word{tos} << 48;
    reverse.store(record + S::reverse_at);
  }
  store_word(record + S::forward_at + Direction::end_at, end);
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
void account(std::byte* record, const Counted& packet, const Arrival& arrival, const Timeouts& timeouts) noexcept {
  auto clocks = S::clocks(record);
  if (!S::has_packets(record)) clocks.first = arrival.clock;
  clocks.last = arrival.clock;
  const Word reverse = runs_back<S>(record, arrival);
  if constexpr (S::biflow) see_direction<S>(record, reverse, packet.tos(), arrival.interface);
  auto* direction = record + S::direction_at(reverse);
  count(direction, is_in_the_midst(direction, packet), packet, arrival.stamp_ms);
  if (!timeouts.tcp_close) forget_close<S>(record);
  else if ((packet.tcp_flags() & (tcp_flag::fin | tcp_flag::rst)) && closes<S>(record, reverse, packet.tcp_flags()))
    clocks.close = arrival.clock;
  S::set_clocks(record, clocks);
}

/// A direction counts nothing yet, or its octets fill half of what a counter can hold: no packet has as many (RFC
/// 2675), so one that is below will hold it.
inline bool is_at_an_edge(const std::byte* direction) noexcept {
  const auto now = Direction::load(direction);
  return now.packets() == 0 || (now.octet_word & Direction::octets_many) != 0;
}

/// Whether nothing but counting is to be done for a packet, as for most; account() does the rest.
template <class S>
[[gnu::always_inline]] inline bool only_counts(const std::byte* record, const std::byte* direction, bool in_the_midst,
                                               const Counted& packet, const Arrival& arrival,
                                               const Timeouts& timeouts) noexcept {
  if (timeout_is_over<S>(record, arrival.clock, timeouts)) [[unlikely]]
    return false;
  if ((S::forward_state(record) & timeouts.unusual_state) != 0 || (packet.tcp_flags() & timeouts.closing_flags) != 0)
      [[unlikely]]
    return false;
  return in_the_midst || !is_at_an_edge(direction);
}

/// Such a packet.
template <class S>
[[gnu::always_inline]] inline void only_count(std::byte* record, std::byte* direction, bool in_the_midst,
                                              const Counted& packet, const Arrival& arrival) noexcept {
  count(direction, in_the_midst, packet, arrival.stamp_ms);
  S::set_last(record, arrival.clock);
}

}  // namespace weir::flow
