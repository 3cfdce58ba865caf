// SPDX-License-Identifier: BSD-3-Clause
// What a plan does with a packet and with an ended record: short lists of steps, run one after another.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "flow/account.hpp"
#include "flow/key.hpp"
#include "flow/meter.hpp"
#include "flow/plan.hpp"

namespace weir::flow {

/// A number of 1 to 8 octets.
inline Word load_stored(const std::byte* at, std::uint8_t octets) noexcept {
  switch (octets) {
    case 1: return load_native<std::uint8_t>(at);
    case 2: return load_native<std::uint16_t>(at);
    case 4: return load_native<std::uint32_t>(at);
    case 8: return load_word(at);
    default: break;
  }
  Word value = 0;
  std::memcpy(&value, at, octets);
  return value;
}
inline void store_stored(std::byte* at, std::uint8_t octets, Word value) noexcept {
  switch (octets) {
    case 1: return store_native(at, static_cast<std::uint8_t>(value));
    case 2: return store_native(at, static_cast<std::uint16_t>(value));
    case 4: return store_native(at, static_cast<std::uint32_t>(value));
    case 8: return store_word(at, value);
    default: std::memcpy(at, &value, octets);
  }
}

/// A length of two octets, and behind it as much as there is room for.
inline void append_text(std::byte* text, std::size_t room, Bytes more) noexcept {
  const std::size_t there = load_native<std::uint16_t>(text);
  const auto taken = std::min(more.size(), room - there);
  if (taken == 0) return;
  std::memcpy(text + 2 + there, more.data(), taken);
  store_native(text, static_cast<std::uint16_t>(there + taken));
}

/// Two words: the moment of the last SYN, its uppermost bit set once it was answered; then the time to the ACK of the
/// answer, at least 1 ns. A flow has one handshake: what comes later changes nothing.
inline void watch_handshake(std::byte* at, const Sight& sight, bool reverse) noexcept {
  constexpr Word answered = Word{1} << 63;
  constexpr std::uint16_t ack = 0x10;
  if (load_word(at + 8) != 0) return;
  const Word syn = load_word(at);
  const auto flags = sight.headers.tcp_flags & (tcp_flag::syn | ack);
  if (!reverse && flags == tcp_flag::syn && !(syn & answered)) store_word(at, sight.clock());
  if (syn == 0) return;
  if (reverse && flags == (tcp_flag::syn | ack)) store_word(at, syn | answered);
  if (!reverse && flags == ack && (syn & answered))
    store_word(at + 8, std::max<Word>(sight.clock() - (syn & ~answered), 1));
}

inline void run_first(std::span<const Step> steps, std::byte* record, const Sight& sight) noexcept {
  for (const auto& step : steps) {
    auto* at = record + step.offset;
    if (step.octets) std::memcpy(at, step.octets(sight), step.stored);
    else store_stored(at, step.stored, step.value(sight));
  }
}

/// `first`: this is the flow's first packet in its direction.
inline void run_each(const Extension& plan, std::byte* record, const Sight& sight, bool reverse, bool first) noexcept {
  for (const auto& step : plan.each[reverse]) {
    auto* at = record + step.offset;
    if (step.how == How::payload) {
      append_text(at, plan.payload_octets, payload_head(sight.packet, sight.details, plan.payload_octets));
      continue;
    }
    if (step.how == How::handshake) {
      watch_handshake(at, sight, reverse);
      continue;
    }
    const Word value = step.value(sight), before = load_stored(at, step.stored);
    Word after = before;
    switch (step.how) {
      case How::first_set: after = before ? before : value; break;
      case How::minimum: after = std::min(before, value); break;
      case How::maximum: after = std::max(before, value); break;
      case How::united: after = before | value; break;
      case How::united_later: after = first ? before : before | value; break;
      default: after = before + value; break;  // sum, total
    }
    store_stored(at, step.stored, after);
  }
}

inline void reset(std::span<const Reset> columns, std::byte* record) noexcept {
  for (const auto& column : columns) std::memset(record + column.offset, column.ones ? 0xff : 0, column.stored);
}

/// Whether this packet would make a counter larger than its template can say; `total` where one that never begins anew
/// by itself is among them.
struct Outgrown {
  bool any = false, total = false;
};
inline Outgrown outgrown(std::span<const Limit> limits, const std::byte* record, const std::byte* direction,
                         const Sight& sight) noexcept {
  Outgrown found;
  for (const auto& limit : limits) {
    Word before = 0, more = 1;
    switch (limit.of) {
      case Limit::Of::octets:
        before = load_word(direction + Direction::octets_at) & low_48;
        more = sight.headers.octets;
        break;
      case Limit::Of::packets: before = load_word(direction + Direction::packets_at) & low_48; break;
      case Limit::Of::column:
        before = load_stored(record + limit.offset, limit.stored);
        more = limit.value(sight);
        break;
    }
    if (before == 0 || (before <= limit.most && more <= limit.most - before))
      continue;  // one packet alone may be too much
    found.any = true;
    found.total |= limit.total;
  }
  return found;
}

inline void fill_extra(const KeyPlan& plan, const Sight& sight, Word* extra) noexcept {
  for (const auto& step : plan.extra) {
    if (step.octets) {
      extra[step.word] = 0;
      if (step.stored > 8) extra[step.word + 1] = 0;
      std::memcpy(extra + step.word, step.octets(sight), step.stored);
    } else {
      extra[step.word] = step.value(sight) & (step.stored >= 8 ? ~Word{0} : (Word{1} << 8 * step.stored) - 1);
    }
  }
}

/// In a packet's key or in a record.
inline void exchange_extra(const KeyPlan& plan, std::byte* extra) noexcept {
  for (const auto& [a, b] : plan.pairs) {
    const auto word = load_word(extra + 8 * a);
    store_word(extra + 8 * a, load_word(extra + 8 * b));
    store_word(extra + 8 * b, word);
  }
}

/// Where addresses and ports do not tell the ends apart, what else belongs to an end does.
inline bool extra_out_of_order(const KeyPlan& plan, const Word* extra) noexcept {
  for (const auto& [a, b] : plan.pairs)
    if (extra[a] != extra[b]) return extra[a] > extra[b];
  return false;
}

template <std::size_t N>
inline bool same_ends(const Key<N>& key) noexcept {
  auto turned = key;
  exchange_ends(turned);
  return turned.word == key.word;
}

/// A packet's key by a plan; the words beyond the compiled ones go to `extra`.
template <std::size_t N>
inline BiflowKey<N> make_key(const KeyPlan& plan, const Sight& sight, bool biflow, Word* extra) noexcept {
  constexpr auto numbers = Key<N>::numbers;
  BiflowKey<N> made{.key = uniflow_key<N>(sight.headers)};
  const bool icmp = is_icmp<N>(sight.headers.protocol);
  if (biflow && icmp) {
    const auto request = echo_request_of<N>(sight.headers.destination_port);
    made.echo_reply = request != sight.headers.destination_port;
    made.key.word[numbers] = (made.key.word[numbers] & ~Word{0xffff'0000}) | Word{request} << 16;
  }
  for (std::size_t i = 0; i < numbers; ++i) made.key.word[i] &= plan.mask[i];
  made.key.word[numbers] &= (icmp ? plan.icmp_mask : plan.mask[numbers]) | ~Key<N>::key_bits;
  fill_extra(plan, sight, extra);
  if (!biflow) return made;
  made.exchanged = ends_out_of_order(made.key) || (same_ends(made.key) && extra_out_of_order(plan, extra));
  if (!made.exchanged) return made;
  exchange_ends(made.key);
  exchange_extra(plan, reinterpret_cast<std::byte*>(extra));
  return made;
}

/// The words that are hashed and compared.
template <std::size_t N>
inline std::array<Word, Key<N>::words> counted_words(const KeyPlan& plan, const Key<N>& key) noexcept {
  auto words = key.word;
  words[Key<N>::numbers] &= Key<N>::key_bits | plan.mask[Key<N>::numbers];
  return words;
}

template <std::size_t N, class Hash>
inline std::uint64_t hash_of(const KeyPlan& plan, const Hash& hash, const Key<N>& key, const Word* extra) noexcept {
  const auto words = counted_words(plan, key);
  return plan.extra_words == 0 ? hash(words) : hash(words, std::span{extra, plan.extra_words});
}

template <std::size_t N>
inline bool same_key(const KeyPlan& plan, const Key<N>& key, const Word* extra, const std::byte* record,
                     const std::byte* record_extra) noexcept {
  Key<N> there;
  std::memcpy(&there, record, sizeof there);
  return counted_words(plan, key) == counted_words(plan, there) &&
         std::memcmp(extra, record_extra, 8 * plan.extra_words) == 0;
}

inline void fill_empty(std::span<const Fill> fills, std::byte* record) noexcept {
  for (const auto& fill : fills) {
    if (fill.from) std::memmove(record + fill.offset, record + fill.from, fill.stored);
    else std::memset(record + fill.offset, 0, fill.stored);
  }
}

inline std::string_view tunnel_name(Word number) noexcept {
#define X(name, text) std::string_view{text},
  static constexpr auto names = std::to_array<std::string_view>({WEIR_TUNNELS(X)});
#undef X
  return number < names.size() ? names[number] : std::string_view{};
}

/// What is made of an ended record whose columns and key are in place.
inline void make_derived(const Extension& plan, std::byte* record, Ending& ending,
                         const std::array<Direction, 2>& directions) noexcept {
  for (const auto& derived : plan.derived) {
    ending.counts = directions[derived.reverse];
    ending.one = load_stored(record + derived.one, derived.one_stored);
    ending.other = load_stored(record + derived.other, derived.other_stored);
    auto* at = record + derived.offset;
    if (derived.make) {
      store_stored(at, derived.stored, derived.make(ending));
    } else {
      const auto text = tunnel_name(ending.one);
      store_native(at, static_cast<std::uint16_t>(text.size()));
      std::memcpy(at + 2, text.data(), text.size());
    }
  }
}

/// Of a record that is handed out: the key's further words, columns of a direction without packets, and what is made of
/// them all. `key` as it is exported; `hash` is needed where the plan says so.
template <class S>
void finish_planned(const Extension& plan, std::byte* copy, bool exchanged, const typename S::Key& key, Word hash,
                    RecordEnd& end) noexcept {
  auto forward = Direction::load(copy + S::forward_at), reverse = forward;
  if constexpr (S::biflow) {
    reverse = Direction::load(copy + S::reverse_at);
    if (exchanged) exchange_extra(plan.key, copy + plan.key_at);
    if (forward.packets() == 0) fill_empty(plan.fills[0], copy);
    if (reverse.packets() == 0) fill_empty(plan.fills[1], copy);
  }
  end.which_template = plan.template_of[end.which_template][key.protocol()];
  const auto numbers = key.word[S::Key::numbers];
  Ending ending{.record = copy,
                .address_octets = S::Key::address_octets,
                .protocol = key.protocol(),
                .source_port = static_cast<std::uint16_t>(numbers),
                .destination_port = static_cast<std::uint16_t>(numbers >> 16),
                .counts = forward,
                .one = 0,
                .other = 0,
                .flow = hash};
  make_derived(plan, copy, ending, {forward, reverse});
}

/// What a meter has where key or templates are not the usual ones: the plan, and room to show a record.
struct Planned {
  explicit Planned(const MeterOptions& options)
      : extensions{make_plan(options).extensions},
        shown{std::make_unique<std::byte[]>(std::max(extensions[0].ended_octets, extensions[1].ended_octets))} {}
  std::array<Extension, 2> extensions;
  std::unique_ptr<std::byte[]> shown;
};

}  // namespace weir::flow
