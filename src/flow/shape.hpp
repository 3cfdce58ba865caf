// SPDX-License-Identifier: BSD-3-Clause
// How a live record lies in memory: key block, clocks, one counter block a direction. The usual layouts are compiled;
// blocks for further elements come behind these, at offsets that are known at start.
//
//   key         Key4 (16 octets) or Key6 (40)
//   clocks      first, last: the packet clock at the record's first and last packet
//   direction   four words each; forward, then reverse (biflow)
//                 octets    48 bits | minimum TTL 8 | maximum TTL 8
//                 packets   48 bits | TCP control bits 12 | state 4
//                 start     48 bits, ms since 1970 | interface + 1, 16
//                 end       44 bits, ms since 1970 | 20: reverse: ToS of its first packet; forward: more state, or the
//                           narrow clocks'
//   close       the packet clock at its TCP close; before `forward` where the key is long, else behind all
//
// Moments are kept, never deadlines: timeouts may change while records live.
// IPv4 uniflow fits one cache line by keeping `last` and `close` as differences; the others fit two adjacent lines, of
// which a packet of an IPv4 biflow's forward direction touches the first alone, as does a look at when a flow ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/units.hpp>

#include "flow/key.hpp"

namespace weir::flow {

using Word = std::uint64_t;
inline constexpr Word low_48 = (Word{1} << 48) - 1;
inline constexpr Word low_44 = (Word{1} << 44) - 1;
static_assert(milliseconds_since_epoch(stamp_latest) <= low_44);

inline Word load_word(const std::byte* at) noexcept { return load_native<Word>(at); }
inline void store_word(std::byte* at, Word word) noexcept { store_native(at, word); }

/// State of a record, in the upper four bits of a direction's packets word, and above a biflow's forward end.
namespace state {
inline constexpr Word closing = Word{1} << 60;      // forward word: the TCP connection is closing
inline constexpr Word fin_forward = Word{1} << 61;  // forward word: a FIN was seen from the source
inline constexpr Word fin_reverse = Word{1} << 62;  // forward word: a FIN was seen from the destination
inline constexpr Word of_close = closing | fin_forward | fin_reverse;
inline constexpr Word exchanged = Word{1} << 63;   // forward word: the source is end b of the key
inline constexpr Word echo_reply = Word{1} << 60;  // reverse word: the first packet was an ICMP echo reply
inline constexpr Word all = ~Word{0} << 60;
inline constexpr Word reverse_seen = Word{1} << 48;  // forward end: a reverse packet has come since the flow began
inline constexpr Word counts = Word{1} << 49;        // forward end: a packet has come since the last active end
}  // namespace state

/// The four words of a direction.
struct Direction {
  static constexpr std::size_t octets = 32;
  static constexpr std::size_t octets_at = 0, packets_at = 8, start_at = 16, end_at = 24;
  static constexpr std::size_t ttl_minimum_at = 6, ttl_maximum_at = 7, flags_at = 14, interface_at = 22, tos_at = 30;
  static constexpr Word octets_many = Word{1} << 47;  ///< half of what the counter of octets can hold

  Word octet_word, packet_word, start_word, end_word;

  [[gnu::always_inline]] static Direction load(const std::byte* at) noexcept {
    return {load_word(at + octets_at), load_word(at + packets_at), load_word(at + start_at), load_word(at + end_at)};
  }
  [[gnu::always_inline]] void store(std::byte* at) const noexcept {
    store_word(at + octets_at, octet_word);
    store_word(at + packets_at, packet_word);
    store_word(at + start_at, start_word);
    store_word(at + end_at, end_word);
  }
  Word packets() const noexcept { return packet_word & low_48; }

  /// Counts nothing yet: least and greatest values start at the far ends. State, interface and ToS stay.
  void clear_counts() noexcept {
    octet_word = Word{0xff} << 48;
    packet_word &= state::all;
    start_word |= low_48;
    end_word &= ~low_44;
  }
};

/// The packet clock at a record's first and last packet, and when its TCP connection closed (meaningful while it is
/// closing; before `first` where an active end came in between). ns.
struct Clocks {
  Word first, last, close;
};

/// Whole words.
struct WideClocks {
  static constexpr std::size_t close_octets = 8;

  static Word last(const std::byte* at) noexcept { return load_word(at + 8); }
  static Word since_last(const std::byte* at, Word now) noexcept { return now - last(at); }
  static void set_last(std::byte* at, Word last) noexcept { store_word(at + 8, last); }
  static Clocks load(const std::byte* at, const std::byte* close) noexcept {
    return {load_word(at), load_word(at + 8), load_word(close)};
  }
  static void store(std::byte* at, std::byte* close, const Clocks& clocks) noexcept {
    store_word(at, clocks.first);
    store_word(at + 8, clocks.last);
    store_word(close, clocks.close);
  }
};

/// First whole, last and close as differences of 42 bits. A packet counts into a record only before its active end, so
/// that neither comes later than the active timeout; and none counts after its close end, so that close lies before
/// first by less than the closed timeout. The upper 20 bits of close lie above those of the forward end.
struct NarrowClocks {
  static constexpr std::size_t close_octets = 0;
  static constexpr unsigned bits = 42, below = 64 - bits, in_end = 44;  ///< so many bits of close below the others
  static constexpr Word longest = (Word{1} << bits) - 1;
  static constexpr Word closed_max = Word{1} << 37;             ///< ns, 137 s
  static constexpr Word active_max = longest + 1 - closed_max;  ///< ns, 4260 s

  static Word last(const std::byte* at) noexcept { return load_word(at) + (load_word(at + 8) & longest); }
  static Word since_last(const std::byte* at, Word now) noexcept {
    return now - load_word(at) - (load_word(at + 8) & longest);
  }
  static void set_last(std::byte* at, Word last) noexcept {
    store_word(at + 8, load_word(at + 8) + since_last(at, last));
  }
  static Clocks load(const std::byte* at, const std::byte* end) noexcept {
    const Word first = load_word(at), differences = load_word(at + 8);
    const Word close = differences >> bits | load_word(end) >> in_end << below;
    return {first, first + (differences & longest), first + close - closed_max};
  }
  static void store(std::byte* at, std::byte* end, const Clocks& clocks) noexcept {
    const Word close = (clocks.close - clocks.first + closed_max) & longest;
    store_word(at, clocks.first);
    store_word(at + 8, ((clocks.last - clocks.first) & longest) | close << bits);
    store_word(end, (load_word(end) & low_44) | close >> below << in_end);
  }
};

/// One compiled layout. Offsets are from the start of the record.
template <class KeyBlock, class ClockBlock, unsigned Directions>
struct Shape {
  using Key = KeyBlock;
  static constexpr unsigned directions = Directions;
  static constexpr bool biflow = Directions == 2;
  static constexpr bool narrow = ClockBlock::close_octets == 0;
  static constexpr bool long_key = Key::octets > 16;
  static constexpr std::size_t numbers_at = 8 * Key::numbers, clocks_at = Key::octets;
  static constexpr std::size_t forward_at = clocks_at + 16 + (long_key ? ClockBlock::close_octets : 0);
  /// 0: forward, 1: reverse. By arithmetic, for which it is of a packet nobody can foresee.
  static constexpr std::size_t direction_at(std::size_t which) noexcept {
    return forward_at + which * Direction::octets;
  }
  static constexpr std::size_t reverse_at = forward_at + Direction::octets;  // biflow only
  static constexpr std::size_t behind_directions = forward_at + Directions * Direction::octets;
  static constexpr std::size_t close_at = narrow     ? forward_at + Direction::end_at
                                          : long_key ? clocks_at + 16
                                                     : behind_directions;
  static constexpr std::size_t used_octets = behind_directions + (long_key ? 0 : ClockBlock::close_octets);
  static constexpr std::size_t octets = (used_octets + 63) / 64 * 64;

  static Clocks clocks(const std::byte* record) noexcept {
    return ClockBlock::load(record + clocks_at, record + close_at);
  }
  static void set_clocks(std::byte* record, const Clocks& clocks) noexcept {
    ClockBlock::store(record + clocks_at, record + close_at, clocks);
  }
  static Word first(const std::byte* record) noexcept { return load_word(record + clocks_at); }
  static Word last(const std::byte* record) noexcept { return ClockBlock::last(record + clocks_at); }
  static Word since_first(const std::byte* record, Word now) noexcept { return now - first(record); }
  static Word since_last(const std::byte* record, Word now) noexcept {
    return ClockBlock::since_last(record + clocks_at, now);
  }
  static void set_last(std::byte* record, Word last) noexcept { ClockBlock::set_last(record + clocks_at, last); }

  static Word forward_state(const std::byte* record) noexcept {
    return load_word(record + forward_at + Direction::packets_at);
  }
  static Word forward_end(const std::byte* record) noexcept {
    return load_word(record + forward_at + Direction::end_at);
  }
  /// Biflow: the source is end b of the key.
  static bool is_exchanged(const std::byte* record) noexcept {
    return biflow && (forward_state(record) & state::exchanged) != 0;
  }
  static bool is_closing(const std::byte* record) noexcept { return forward_state(record) & state::closing; }
  /// Whether packets have come since the record began, or since its last active end.
  static bool has_packets(const std::byte* record) noexcept {
    if constexpr (biflow) return forward_end(record) & state::counts;
    else return forward_state(record) & low_48;
  }
};

using UniflowNarrow4 = Shape<Key4, NarrowClocks, 1>;
using Uniflow4 = Shape<Key4, WideClocks, 1>;
using Uniflow6 = Shape<Key6, WideClocks, 1>;
using Biflow4 = Shape<Key4, WideClocks, 2>;
using Biflow6 = Shape<Key6, WideClocks, 2>;
static_assert(UniflowNarrow4::octets == 64, "IPv4 uniflow: one cache line");
static_assert(Uniflow4::octets == 128 && Uniflow6::octets == 128 && Biflow4::octets == 128 && Biflow6::octets == 128,
              "the others: two adjacent cache lines");
static_assert(Biflow4::reverse_at == 64 && Biflow6::forward_at == 64, "no direction lies in both lines");

}  // namespace weir::flow
