// SPDX-License-Identifier: BSD-3-Clause
// What a shard's meter is to count of a slice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/packet.hpp>

#include "base/assert.hpp"
#include "base/prefetch.hpp"
#include "flow/brief.hpp"
#include "flow/chosen.hpp"
#include "flow/fragments.hpp"

namespace weir::app {

/// Copies, so that no line of a slice is written by one core and read by the other: where the two share no cache, a
/// core waits 10 ns and more for each such line when it writes the next slice. Where that is enough for the meter, all
/// but fragments are put down briefly, so that there are fewer of these lines. They lie one behind the other and are
/// asked for long before they are written.
class Parcel {
 public:
  Parcel(std::size_t packets_max, bool with_details, bool with_brief)
      : packets_max_{packets_max},
        has_details_{with_details},
        has_brief_{with_brief},
        fours_{with_brief ? packets_max + asked_ahead : 0},
        sixes_{with_brief ? packets_max + asked_ahead : 0},
        fours_before_six_{with_brief ? packets_max : 0},
        packets_{packets_max + asked_ahead},
        headers_{packets_max + asked_ahead},
        details_{with_details ? packets_max + asked_ahead : 0},
        before_{packets_max},
        back_packets_{with_brief ? packets_max : 0},
        back_headers_{with_brief ? packets_max : 0},
        all_{packets_max} {
    WEIR_ASSERT(packets_max <= 65'536);  // numbers of 16 bits
    clear();
  }

  void clear() noexcept {
    fours_end_ = fours_.begin();
    six_count_ = count_ = 0;
    has_fragments_ = false;
  }
  /// Where another core meters it: the first lines are on their way from there.
  void ask_for_first() noexcept {
    for (std::size_t i = 0; i < asked_ahead && has_brief_; ++i) prefetch_to_write(&fours_[i]);
  }
  /// Takes its memory now: before the first packet, not while they come. What else may be needed is for fragments.
  void touch() noexcept {
    fours_.touch();
    sixes_.touch();
    fours_before_six_.touch();
  }

  /// A packet over IPv4 that can_be_brief().
  void put_briefly(__m128i key, __m128i counts, const Packet& packet) noexcept {
    flow::put_brief(key, counts, packet, next_four());
  }
  /// One over IPv6, its headers as the straight road leaves them.
  void put_briefly_by_parts(const Headers& headers, const Packet& packet) noexcept {
    flow::put_brief_by_parts(headers, packet, next_six());
  }
  /// One over either.
  void put_briefly(const Headers& headers, const Packet& packet) noexcept {
    if (headers.version == IpVersion::v6) return flow::put_brief(headers, packet, next_six());
    flow::put_brief(headers, packet, next_four());
  }
  /// Any packet. `details` are not asked for where it was made without.
  void put(const Packet& packet, const Headers& headers, const Details* details) noexcept {
    WEIR_ASSERT(count_ < packets_max_);
    packets_.ask_for(count_ + asked_ahead - 1);
    headers_.ask_for(count_ + asked_ahead - 1);
    if (has_details_) details_.ask_for(count_ + asked_ahead - 1);
    packets_[count_] = packet;
    headers_[count_] = headers;
    if (has_details_) details_[count_] = *details;
    before_[count_++] = static_cast<std::uint16_t>(brief_count());
    has_fragments_ |= headers.fragment != Fragment::none;
  }

  flow::BriefPackets those_brief() const noexcept {
    return {fours_.first(four_count()), sixes_.first(six_count_), fours_before_six_.first(six_count_)};
  }

  /// Brief ones by family, so that the order depends on packets alone; where there are others, which are fragments
  /// then, or one that waits for its first one is due at `clock`, all come in order.
  void meter(flow::Fragments& fragments, Instant clock, flow::Ended& ended) noexcept {
    const auto brief = brief_count();
    if (brief > 0 && (count_ > 0 || !fragments.lets_pass(clock))) return meter_in_order(fragments, ended);
    if (brief > 0) return fragments.add_brief(those_brief(), ended);
    all_.choose_all(count_, has_fragments_);
    fragments.add(packets_.first(count_), headers_.first(count_), details_.first(has_details_ ? count_ : 0), all_,
                  ended);
  }

 private:
  static constexpr std::size_t asked_ahead = 64;  ///< lines are asked for so many packets before they are written

  /// Memory that nobody touches until it is needed.
  template <class T>
  class Copies {
   public:
    explicit Copies(std::size_t most)
        : octets_{most * sizeof(T)},
          memory_{static_cast<std::byte*>(::operator new (octets_, std::align_val_t{line}))} {}

    T* begin() const noexcept { return reinterpret_cast<T*>(memory_.get()); }
    T& operator[](std::size_t at) const noexcept { return begin()[at]; }
    std::span<T> first(std::size_t count) const noexcept { return {begin(), count}; }
    void ask_for(std::size_t at) const noexcept {
      const auto* const first = reinterpret_cast<const std::byte*>(begin() + at);
      for (std::size_t octet = 0; octet < sizeof(T); octet += line) prefetch_to_write(first + octet);
    }
    void touch() noexcept { std::memset(memory_.get(), 0, octets_); }

   private:
    static constexpr std::size_t line = 64;
    struct Free {
      void operator()(std::byte* memory) const noexcept { ::operator delete (memory, std::align_val_t{line}); }
    };
    std::size_t octets_;
    std::unique_ptr<std::byte, Free> memory_;
  };

  std::size_t four_count() const noexcept { return static_cast<std::size_t>(fours_end_ - fours_.begin()); }
  std::size_t brief_count() const noexcept { return four_count() + six_count_; }

  flow::BriefIpv4& next_four() noexcept {
    WEIR_ASSERT(four_count() < packets_max_);
    auto* const at = fours_end_;
    fours_end_ = at + 1;
    prefetch_to_write(at + asked_ahead);
    return *at;
  }
  flow::BriefIpv6& next_six() noexcept {
    WEIR_ASSERT(six_count_ < packets_max_);
    sixes_.ask_for(six_count_ + asked_ahead - 1);
    fours_before_six_[six_count_] = static_cast<std::uint16_t>(four_count());
    return sixes_[six_count_++];
  }

  void meter_in_order(flow::Fragments& fragments, flow::Ended& ended) noexcept {
    std::size_t all = 0, four = 0, six = 0;
    const auto put_back = [&](const auto& brief) {
      flow::put_back(brief, back_headers_[all], back_packets_[all]);
      ++all;
    };
    const auto put_back_until = [&](std::size_t brief_ones) {
      while (four + six < brief_ones)
        if (six < six_count_ && fours_before_six_[six] == four) put_back(sixes_[six++]);
        else put_back(fours_[four++]);
    };
    for (std::size_t i = 0; i < count_; ++i, ++all) {
      put_back_until(before_[i]);
      back_packets_[all] = packets_[i];
      back_headers_[all] = headers_[i];
    }
    put_back_until(brief_count());
    all_.choose_all(all, has_fragments_);
    fragments.add(back_packets_.first(all), back_headers_.first(all), {}, all_, ended);
  }

  flow::BriefIpv4* fours_end_ = nullptr;
  std::size_t packets_max_, six_count_ = 0, count_ = 0;
  bool has_details_, has_brief_, has_fragments_ = false;
  Copies<flow::BriefIpv4> fours_;
  Copies<flow::BriefIpv6> sixes_;
  Copies<std::uint16_t> fours_before_six_;
  Copies<Packet> packets_;
  Copies<Headers> headers_;
  Copies<Details> details_;
  Copies<std::uint16_t> before_;  ///< how many brief ones came before that packet
  // Of the core that meters them:
  Copies<Packet> back_packets_;
  Copies<Headers> back_headers_;
  flow::Chosen all_;
};

}  // namespace weir::app
