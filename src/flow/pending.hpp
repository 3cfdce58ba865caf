// SPDX-License-Identifier: BSD-3-Clause
// The packets of one family in a burst, between the stages of the meter.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "base/hash.hpp"
#include "flow/account.hpp"
#include "flow/brief.hpp"
#include "flow/key.hpp"
#include "flow/plan.hpp"
#include "flow/shape.hpp"
#include "flow/table.hpp"

namespace weir::flow {

struct Nothing {};

/// What columns are made from, and the key's further words.
struct Seen {
  const Packet* packet;
  const Details* details;
  std::array<Word, KeyPlan::extra_words_max> extra;
};

/// What is known of one packet: a line of it where keys are short.
template <class S, bool Extended>
struct alignas(64) PendingPacket {
  const std::byte* times;  ///< Packet::stamp and clock
  typename S::Key key;
  const std::byte* counts;                     ///< Headers::octets, and what lies around them
  std::uint64_t hash;                          ///< marked as the table wants it
  const TagLine* line;                         ///< where the hash led when the key was made
  std::byte* likely;                           ///< the record, if the key is in it when its turn comes
  bool exchanged = false, echo_reply = false;  ///< never, in uniflows
  [[no_unique_address]] std::conditional_t<Extended, Seen, Nothing> seen;

  void put_down(const Packet& packet, const Headers& headers, [[maybe_unused]] const Details& details) noexcept {
    times = reinterpret_cast<const std::byte*>(&packet.stamp);
    counts = reinterpret_cast<const std::byte*>(&headers.octets);
    if constexpr (Extended) {
      seen.packet = &packet;
      seen.details = &details;
    }
  }
  void put_down(const BriefIpv4& brief) noexcept {
    put_down(brief.times, reinterpret_cast<const std::byte*>(&brief.counts));
  }
  void put_down(const BriefIpv6& brief) noexcept { put_down(brief.times, brief.headers() + offsetof(Headers, octets)); }

  /// Word by word: a copy of the whole would wait for the stores of its words.
  void put(const BiflowKey<S::Key::address_octets>& made) noexcept {
    for (std::size_t at = 0; at < S::Key::words; ++at) key.word[at] = made.key.word[at];
    exchanged = made.exchanged;
    echo_reply = made.echo_reply;
  }

  /// An IPv4 key, as uniflow_block() has it; returns its hash.
  [[gnu::always_inline]] std::uint64_t put(__m128i block, const KeyedHash& hash_of_key) noexcept {
    if constexpr (!S::biflow) return hash_of_key(put_block(block, key));
    if (is_icmp<4>(counted().protocol())) [[unlikely]]
      return put_icmp(block, hash_of_key);
    echo_reply = false;
    return hash_of_key(put_biflow_block(block, key, exchanged));
  }
  /// The key by headers alone; returns its hash.
  [[gnu::always_inline]] std::uint64_t put_usual_key(const KeyedHash& hash_of_key) noexcept {
    constexpr auto n = S::Key::address_octets;
    if constexpr (n == 4) return put(uniflow_block(headers()), hash_of_key);
    const auto made = uniflow_key<n>(headers());
    put(S::biflow ? biflow_key(made) : BiflowKey<n>{.key = made});
    return hash_of_key(key.hashed());
  }

  std::uint64_t put_brief_key(const BriefIpv4& packet, const KeyedHash& hash_of_key) noexcept {
    return put(packet.key, hash_of_key);
  }
  std::uint64_t put_brief_key(const BriefIpv6&, const KeyedHash& hash_of_key) noexcept {
    return put_usual_key(hash_of_key);
  }

  Counted counted() const noexcept { return {counts}; }
  /// Of a packet that was not put down briefly; of IPv6, whose brief form begins with them, of any.
  const Headers& headers() const noexcept {
    return *reinterpret_cast<const Headers*>(counts - offsetof(Headers, octets));
  }
  Arrival arrival() const noexcept {
    const Instant stamp{nanoseconds{static_cast<std::int64_t>(load_word(times))}};
    return {load_word(times + clock_at), milliseconds_since_epoch(stamp), number_of_interface(), whole(exchanged),
            whole(echo_reply)};
  }
  Sight sight() const noexcept { return {headers(), *seen.details, *seen.packet, number_of_interface()}; }

 private:
  void put_down(const __m128i& its_times, const std::byte* its_counts) noexcept {
    times = reinterpret_cast<const std::byte*>(&its_times);
    counts = its_counts;
  }
  [[gnu::noinline]] std::uint64_t put_icmp(__m128i block, const KeyedHash& hash_of_key) noexcept {
    put_block(block, key);
    put(biflow_key(key));
    return hash_of_key(key.hashed());
  }
  /// Or GCC goes on with its octet, as said of Arrival.
  static Word whole(bool narrow) noexcept {
    Word word = narrow;
    asm("" : "+r"(word));
    return word;
  }
  /// A brief packet's times lie right behind its counts, nearer than those of any Packet can.
  std::uint16_t number_of_interface() const noexcept {
    constexpr auto nearest = sizeof(Headers) - offsetof(Headers, octets) + offsetof(Packet, stamp);
    static_assert(offsetof(BriefIpv4, times) - offsetof(BriefIpv4, counts) < nearest &&
                  offsetof(BriefIpv6, times) - offsetof(Headers, octets) < nearest);
    const auto behind = reinterpret_cast<std::uintptr_t>(times) - reinterpret_cast<std::uintptr_t>(counts);
    const auto* at = behind < nearest ? counts + brief::interface_in_counts : times + interface_at;
    return static_cast<std::uint16_t>(load_native<std::uint16_t>(at) + 1);
  }
  static constexpr std::size_t clock_at = offsetof(Packet, clock) - offsetof(Packet, stamp),
                               interface_at = offsetof(Packet, interface) - offsetof(Packet, stamp);
};
static_assert(sizeof(PendingPacket<Biflow4, false>) == 64);

template <class S, bool Extended>
struct Pending {
  using One = PendingPacket<S, Extended>;
  std::size_t size = 0;
  std::array<One, burst_size> packets;

  std::span<One> all() noexcept { return std::span{packets}.first(size); }
  /// At most `count` of them, from number `begin` on.
  std::span<One> some(std::size_t begin, std::size_t count) noexcept {
    const auto first = std::min(begin, size);
    return {packets.data() + first, std::min(count, size - first)};
  }
};

template <class S4, class S6, bool Extended>
struct BothPending {
  Pending<S4, Extended> four;
  Pending<S6, Extended> six;
  void clear() noexcept { four.size = six.size = 0; }
};

/// Takes the first ones out, a burst at most.
template <class T>
std::span<T> take_burst(std::span<T>& left) noexcept {
  const auto taken = left.first(std::min(burst_size, left.size()));
  left = left.subspan(taken.size());
  return taken;
}

inline const Details& details_of(std::span<const Details> details, std::size_t packet) noexcept {
  static constexpr Details none{};
  return details.empty() ? none : details[packet];
}

/// The packets of `which`, each one `begun` where it is put down, and their octets added to a sum. False where one is
/// not IPv4: then nothing was added, and nothing of them is to be relied on.
template <class S4, bool Extended, class Begun>
[[gnu::always_inline]] inline bool take_fours(Pending<S4, Extended>& fours, Burst packets,
                                              std::span<const Headers> headers, std::span<const Details> details,
                                              std::span<const std::uint16_t> which, std::uint64_t& octets,
                                              Begun begun) noexcept {
  auto* one = fours.packets.data();
  std::uint64_t sum = 0;
  for (const auto i : which) {
    if (headers[i].version != IpVersion::v4) [[unlikely]]
      return false;
    sum += headers[i].octets;
    one->put_down(packets[i], headers[i], details_of(details, i));
    begun(*one++);
  }
  fours.size = which.size();
  octets += sum;
  return true;
}

/// Packets of one family that were put down briefly, the same way.
template <class S, class Brief, class Begun>
[[gnu::always_inline]] inline void take_brief(Pending<S, false>& pending, std::span<const Brief> packets,
                                              std::uint64_t& octets, Begun begun) noexcept {
  auto* one = pending.packets.data();
  std::uint64_t sum = 0;
  for (const auto& packet : packets) {
    one->put_down(packet);
    sum += one->counted().octets();
    begun(*one++, packet);
  }
  pending.size = packets.size();
  octets += sum;
}

/// The packets of `which` by family. Each is put down for both, and stays with its own: a jump would be foreseen
/// wrongly too often. Returns the sum of their octets.
template <class S4, class S6, bool Extended>
std::uint64_t tell_apart(Pending<S4, Extended>& fours, Pending<S6, Extended>& sixes, Burst packets,
                         std::span<const Headers> headers, std::span<const Details> details,
                         std::span<const std::uint16_t> which) noexcept {
  auto* four = fours.packets.data();
  auto* six = sixes.packets.data();
  std::uint64_t octets = 0;
  for (const auto i : which) {
    octets += headers[i].octets;
    const auto& detail = details_of(details, i);
    four->put_down(packets[i], headers[i], detail);
    six->put_down(packets[i], headers[i], detail);
    const std::size_t is_four = headers[i].version == IpVersion::v4;
    four += is_four;
    six += 1 - is_four;
  }
  fours.size = static_cast<std::size_t>(four - fours.packets.data());
  sixes.size = static_cast<std::size_t>(six - sixes.packets.data());
  return octets;
}

}  // namespace weir::flow
