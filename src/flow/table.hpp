// SPDX-License-Identifier: BSD-3-Clause
// Where records live. A lookup reads one tag line; a tag that agrees names the one record to compare. Tags and records
// lie apart, so both can be prefetched stages ahead of their use. All memory is taken at construction; where there is
// no place, the meter has the lines grow in number, or ends a record.
#pragma once

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <weir/bytes.hpp>

#include "base/assert.hpp"
#include "base/pages.hpp"
#include "base/prefetch.hpp"

namespace weir::flow {

/// A record's number: its pool in the uppermost bit, a hint in the next one, its slot in the others.
struct Place {
  static constexpr unsigned hint_at = 30;
  static constexpr std::uint32_t hint_bit = 1u << hint_at, slots_max = 1u << 30;
  std::uint32_t number;

  static constexpr Place in(unsigned pool, std::uint32_t slot) noexcept { return {pool << 31 | slot}; }
  constexpr unsigned pool() const noexcept { return number >> 31; }
  constexpr bool hint() const noexcept { return (number & hint_bit) != 0; }
  constexpr std::uint32_t slot() const noexcept { return number & (hint_bit - 1); }
  /// The same with another hint, 0 or 1.
  constexpr Place with_hint(std::uint64_t hint) const noexcept {
    return {(number & ~hint_bit) | static_cast<std::uint32_t>(hint << hint_at)};
  }
  friend constexpr bool operator==(Place a, Place b) noexcept { return ((a.number ^ b.number) & ~hint_bit) == 0; }
};

/// Ten tags, compared at once before any key is touched, and the places they stand for. Tag 0: nothing there. A record
/// whose line is full lies in the next one; `away` counts them, so that a lookup goes there only if there are any, and
/// that line's `guests`.
struct alignas(64) TagLine {
  static constexpr unsigned ways = 10;
  std::array<std::uint16_t, ways> tags;
  std::array<std::uint32_t, ways> places;
  std::uint16_t away, guests;

  /// Bit i: tags[i] == tag.
  unsigned matches(std::uint16_t tag) const noexcept {
    const auto wanted = _mm_set1_epi16(static_cast<short>(tag));
    const auto* at = reinterpret_cast<const __m128i*>(this);  // tags, then octets of places, which the mask leaves out
    const auto low = _mm_cmpeq_epi16(_mm_load_si128(at), wanted),
               high = _mm_cmpeq_epi16(_mm_load_si128(at + 1), wanted);
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high))) & ((1u << ways) - 1);
  }
  /// What matches first is most likely what is looked for; some must.
  Place first_of(unsigned matches) const noexcept {
    return Place{places[static_cast<unsigned>(std::countr_zero(matches))]};
  }
  /// Bit i: there is something in way i.
  unsigned taken() const noexcept { return ~matches(0) & ((1u << ways) - 1); }

  /// `one(way)` for the candidates, of which one must go for a new record: the first four that are taken. Always four,
  /// the last of fewer again and again, for where a loop ends that nobody can foresee costs as much as a line of
  /// memory; and no more, for each of them is one. The line must not be empty.
  template <class One>
  [[gnu::always_inline]] void candidates(One one) const noexcept {
    auto left = taken();
    for (int i = 0; i < 4; ++i) {
      one(static_cast<unsigned>(std::countr_zero(left)));
      const auto others = left & (left - 1);
      left = others ? others : left;
      asm("" : "+r"(left));  // or GCC leaves the loop early
    }
  }
};
static_assert(sizeof(TagLine) == 64, "one bucket, one cache line");

/// Records of one size. A slot that is given back is used again first. What a free slot holds is the table's affair:
/// its first word is the next free slot, and the word at `free_mark_at` is `free_mark`. That word must be one of the
/// key, and the mark no part of any: what was said of a record before it was freed is then no longer believed.
class RecordPool {
 public:
  static constexpr std::uint64_t free_mark = ~std::uint64_t{0};

  RecordPool(std::size_t capacity, std::size_t record_octets, std::size_t free_mark_at)
      : memory_{capacity * record_octets}, octets_{record_octets}, mark_at_{free_mark_at} {}

  void touch() noexcept { memory_.touch(); }
  std::byte* record(std::uint32_t slot) const noexcept { return memory_.data() + slot * octets_; }
  /// Slots that were ever used; those from here on are untouched.
  std::uint32_t used() const noexcept { return used_; }
  bool is_free(std::uint32_t slot) const noexcept {
    return load_native<std::uint64_t>(record(slot) + mark_at_) == free_mark;
  }

  std::uint32_t take() noexcept {
    if (free_ == none) return used_++;
    const auto slot = free_;
    free_ = static_cast<std::uint32_t>(load_native<std::uint64_t>(record(slot)));
    return slot;
  }
  void give_back(std::uint32_t slot) noexcept {
    store_native(record(slot), std::uint64_t{free_});
    store_native(record(slot) + mark_at_, free_mark);
    free_ = slot;
  }

 private:
  static constexpr std::uint32_t none = ~0u;
  Pages memory_;
  std::size_t octets_, mark_at_;
  std::uint32_t used_ = 0, free_ = none;
};

/// Tag lines and the two pools (0: IPv4, 1: IPv6). A line holds ten; there is a line for every four flows, so that of
/// as many random keys 1 in 100,000 finds its line and the next one full. As flows come, lines double up to those for
/// `capacity`, so that what few flows need stays in the caches. touch() takes all at once: nothing grows afterwards.
class Table {
 public:
  struct PoolOf {
    std::size_t record_octets, free_mark_at;
  };

  Table(std::size_t capacity, PoolOf ipv4, PoolOf ipv6)
      : capacity_{capacity},
        lines_max_{capacity / flows_per_line + 1},
        line_memory_{lines_max_ * sizeof(TagLine)},
        pools_{RecordPool{capacity, ipv4.record_octets, ipv4.free_mark_at},
               RecordPool{capacity, ipv6.record_octets, ipv6.free_mark_at}} {
    WEIR_ASSERT(capacity <= Place::slots_max);
    while (lines_at(halvings_) > lines_first) ++halvings_;
    set_lines(halvings_);
  }

  /// Takes all memory, and all lines. No record may live.
  void touch() noexcept {
    WEIR_ASSERT(live_ == 0);
    set_lines(0);
    line_memory_.touch();
    for (auto& pool : pools_) pool.touch();
  }

  /// A key's hash as it is wanted here: its tag, the upper end, is none of the other pool's, and never 0.
  static constexpr std::uint64_t marked(std::uint64_t hash, unsigned pool) noexcept {
    constexpr std::uint64_t odd = std::uint64_t{1} << 48;
    return pool == 0 ? hash | odd : (hash & ~odd) | odd << 1;
  }
  /// Where it leads: the line from its lower half, the tag from its upper end.
  std::size_t line_of(std::uint64_t hash) const noexcept { return (hash & 0xffff'ffffu) * lines_ >> 32; }
  static std::uint16_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint16_t>(hash >> 48); }
  TagLine& line(std::size_t number) const noexcept {
    return *(reinterpret_cast<TagLine*>(line_memory_.data()) + number);
  }
  std::size_t lines() const noexcept { return lines_; }

  void prefetch(std::uint64_t hash) const noexcept { weir::prefetch(&line(line_of(hash))); }
  /// A record that no key is in.
  static std::byte* nobody() noexcept { return nobody_.data(); }

  /// Prefetches a line's candidates: one line of IPv4's records, two of IPv6's.
  void prefetch_candidates(const TagLine& at) const noexcept {
    if (at.taken() == 0) [[unlikely]]
      return;
    at.candidates([&](unsigned way) {
      const Place place{at.places[way]};
      if (place.pool() == 0) [[likely]]
        weir::prefetch(pools_[0].record(place.slot()));
      else weir::prefetch(pools_[1].record(place.slot()), 128);
    });
  }

  std::byte* record_at(Place place) const noexcept { return pools_[place.pool()].record(place.slot()); }
  const RecordPool& pool(unsigned number) const noexcept { return pools_[number]; }

  // `home` is line_of(hash), reckoned once; it is another one after grow().

  /// The record for which `is_it(record)`, among those whose tag agrees; nullptr if there is none.
  template <class IsIt>
  std::byte* find(std::size_t home, std::uint64_t hash, IsIt is_it) const noexcept {
    if (auto* record = find_in(line(home), hash, is_it)) return record;
    return line(home).away == 0 ? nullptr : find_in(line(after(home)), hash, is_it);
  }

  bool full() const noexcept { return live_ == capacity_; }
  std::size_t live() const noexcept { return live_; }
  static bool has_room(const TagLine& line) noexcept { return line.matches(0) != 0; }
  bool has_room(std::size_t home) const noexcept {
    return live_ < room_ && (has_room(line(home)) || has_room(line(after(home))));
  }

  /// A new record's place; has_room(home) must hold. The hint is 0 or 1.
  [[gnu::always_inline]] std::byte* insert(std::size_t home, std::uint64_t hash, unsigned pool,
                                           std::uint64_t hint) noexcept {
    WEIR_ASSERT(!full());
    const auto slot = pools_[pool].take();
    [[maybe_unused]] const bool found = put_tag(home, hash, Place::in(pool, slot), hint);
    WEIR_ASSERT(found);
    ++live_;
    return pools_[pool].record(slot);
  }

  /// Whether there may be more lines than there are.
  bool can_grow() const noexcept { return halvings_ > 0 && !full(); }
  /// It can, and it would if there were `1 / share` of its room more flows.
  bool grows_within_share(std::size_t share) const noexcept { return can_grow() && live_ > room_ - room_ / share; }
  /// More lines; records stay where they are. `describe(pool, record)` says each one's hash and hint. What finds no
  /// room even among all lines, as no random key will, lives on without a tag: no look-up leads to it any more, and it
  /// ends when somebody looks at its slot.
  template <class Describe>
  void grow(Describe describe) noexcept {
    do {
      std::memset(line_memory_.data(), 0, lines_ * sizeof(TagLine));
      set_lines(halvings_ - 1);
    } while (!put_back(0, describe) || !put_back(1, describe));
  }

  /// Frees the place of a record whose key has this hash.
  void erase(std::uint64_t hash, Place place) noexcept {
    auto& home = line(line_of(hash));
    if (const auto way = way_of(home, place); way < TagLine::ways) return take_out(home, way);
    auto& at = line(after(line_of(hash)));
    const auto way = way_of(at, place);
    if (way == TagLine::ways) [[unlikely]]
      return leave(place);
    --home.away;
    --at.guests;
    take_out(at, way);
  }

  /// Frees what is in a way of a line; `hash_of(place)` is asked for its key's hash where it may be that of a guest.
  template <class HashOf>
  void erase_in(std::size_t number, std::size_t way, HashOf hash_of) noexcept {
    auto& at = line(number);
    const Place place{at.places[way]};
    if (at.guests == 0) [[likely]]
      take_out(at, way);
    else erase(hash_of(place), place);
  }

  /// Erases what is in a way of a line without guests, and takes its place for a new record of that line and pool.
  std::byte* replace(std::size_t home, std::size_t way, std::uint64_t hash, std::uint64_t hint) noexcept {
    auto& at = line(home);
    WEIR_ASSERT(at.guests == 0);
    const Place place{at.places[way]};
    at.tags[way] = tag_of(hash);
    at.places[way] = place.with_hint(hint).number;
    return record_at(place);
  }

  /// Frees a place and leaves its tag to clear(), which must come before the next lookup.
  [[gnu::always_inline]] void leave(Place place) noexcept {
    pools_[place.pool()].give_back(place.slot());
    --live_;
  }

  /// Takes all tags out. No record may live.
  void clear() noexcept {
    WEIR_ASSERT(live_ == 0);
    line_memory_.clear();
  }

  std::size_t after(std::size_t number) const noexcept { return number + 1 == lines_ ? 0 : number + 1; }

 private:
  static constexpr std::size_t flows_per_line = 4, lines_first = 16;

  std::size_t lines_at(unsigned halvings) const noexcept {
    return (lines_max_ + (std::size_t{1} << halvings) - 1) >> halvings;
  }
  void set_lines(unsigned halvings) noexcept {
    halvings_ = halvings;
    lines_ = lines_at(halvings);
    room_ = std::min(capacity_, lines_ * flows_per_line);
  }

  /// Where the hash leads; false, and nothing changed, without room there.
  [[gnu::always_inline]] bool put_tag(std::size_t home, std::uint64_t hash, Place place, std::uint64_t hint) noexcept {
    const bool away = !has_room(line(home));
    auto& at = line(away ? after(home) : home);
    const auto free_ways = at.matches(0);
    if (free_ways == 0) return false;
    const auto way = static_cast<std::size_t>(std::countr_zero(free_ways));
    at.tags[way] = tag_of(hash);
    at.places[way] = place.with_hint(hint).number;
    line(home).away = static_cast<std::uint16_t>(line(home).away + away);
    at.guests = static_cast<std::uint16_t>(at.guests + away);
    return true;
  }

  /// All tags of a pool's records anew, some at a time so that their lines come together. False where one finds no room
  /// and more lines would make some.
  template <class Describe>
  bool put_back(unsigned pool, Describe describe) noexcept {
    struct Tag {
      std::uint64_t hash;
      std::uint32_t slot;
      bool hint;
    };
    std::array<Tag, 32> some;
    const auto& records = pools_[pool];
    for (std::uint32_t slot = 0; slot < records.used();) {
      std::size_t count = 0;
      for (; slot < records.used() && count < some.size(); ++slot) {
        if (records.is_free(slot)) continue;
        const auto [hash, hint] = describe(pool, records.record(slot));
        prefetch(hash);
        some[count++] = {hash, slot, hint};
      }
      for (const auto& tag : std::span{some}.first(count))
        if (!put_tag(line_of(tag.hash), tag.hash, Place::in(pool, tag.slot), tag.hint) && can_grow()) return false;
    }
    return true;
  }

  template <class IsIt>
  std::byte* find_in(const TagLine& at, std::uint64_t hash, IsIt is_it) const noexcept {
    for (auto matches = at.matches(tag_of(hash)); matches; matches &= matches - 1) {
      auto* record = record_at(at.first_of(matches));
      if (is_it(record)) return record;
    }
    return nullptr;
  }

  void take_out(TagLine& at, std::size_t way) noexcept {
    at.tags[way] = 0;
    leave(Place{at.places[way]});
  }

  /// TagLine::ways if it is not there.
  static unsigned way_of(const TagLine& at, Place place) noexcept {
    unsigned way = 0;
    while (way < TagLine::ways && (at.tags[way] == 0 || Place{at.places[way]} != place)) ++way;
    return way;
  }

  /// A line, in which the longest key has room, all of it the mark of a free slot.
  alignas(64) inline static auto nobody_ = [] {
    std::array<std::byte, 64> octets;
    octets.fill(std::byte{0xff});
    return octets;
  }();

  std::size_t capacity_, live_ = 0;
  std::size_t lines_max_;             ///< at most 2^32
  unsigned halvings_ = 0;             ///< of them, to the lines there are
  std::size_t lines_ = 0, room_ = 0;  ///< room_: how many flows live before there must be more lines
  Pages line_memory_;
  std::array<RecordPool, 2> pools_;
};

}  // namespace weir::flow
