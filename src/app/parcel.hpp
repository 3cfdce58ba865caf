// SPDX-License-Identifier: BSD-3-Clause
// What one core hands to another of a slice: the packets of one shard.
#pragma once

#include <algorithm>
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
/// core waits 10 ns and more for each such line when it writes the next slice. Most IPv4 packets are put down briefly,
/// so that there are fewer of these lines. They lie one behind the other, so that both can ask for them early.
class Parcel {
 public:
  /// So many lie between two calls of ask_ahead() at most: few, so that lines come while packets are decoded.
  static constexpr std::size_t packed_at_once = 2 * burst_size;

  Parcel(std::size_t packets_max, bool with_details, bool brief)
      : packets_max_{packets_max},
        has_details_{with_details},
        has_brief_{brief},
        brief_headers_{brief ? packets_max : 0},
        brief_times_{brief ? packets_max : 0},
        packets_{packets_max},
        headers_{packets_max},
        details_{with_details ? packets_max : 0},
        back_packets_{brief ? packets_max : 0},
        back_headers_{brief ? packets_max : 0},
        all_{packets_max} {}

  void clear() noexcept { count_ = brief_count_ = asked_until_ = brief_asked_until_ = 0; }

  /// The lines of those that are packed next are on their way from the other core.
  void ask_ahead() noexcept {
    if (has_brief_) {
      const auto until = std::min(brief_count_ + packed_at_once, packets_max_);
      brief_headers_.ask_for(brief_asked_until_, until);
      brief_times_.ask_for(brief_asked_until_, until);
      brief_asked_until_ = until;
    }
    constexpr auto seldom = packed_at_once / 4;  // so many are not brief, more or less
    const auto until = std::min(count_ + (has_brief_ ? seldom : packed_at_once), packets_max_);
    packets_.ask_for(asked_until_, until);
    headers_.ask_for(asked_until_, until);
    if (has_details_) details_.ask_for(asked_until_, until);
    asked_until_ = until;
  }

  /// Those at `places` that are not in it yet. `details` are not asked for where it was made without.
  void pack(Burst packets, std::span<const Headers> headers, std::span<const Details> details,
            std::span<const std::uint16_t> places) noexcept {
    WEIR_ASSERT(places.size() <= packets_max_);
    for (const auto i : places.subspan(count_)) {
      packets_.put(count_, packets[i]);
      headers_.put(count_, headers[i]);
      if (has_details_) details_.put(count_, details[i]);
      ++count_;
    }
  }
  /// The same of those that can_be_brief().
  void pack_briefly(Burst packets, std::span<const Headers> headers, std::span<const std::uint16_t> places) noexcept {
    WEIR_ASSERT(places.size() <= packets_max_);
    for (const auto i : places.subspan(brief_count_)) {
      flow::put_brief(headers[i], brief_headers_[brief_count_]);
      flow::put_brief(packets[i], brief_times_[brief_count_++]);
    }
  }

  /// Brief ones first, then the others, among which there may be fragments.
  void meter(flow::Fragments& fragments, bool has_fragments, flow::Ended& ended) noexcept {
    fragments.add_brief({brief_headers_.first(brief_count_), brief_times_.first(brief_count_)}, ended);
    all_.choose_all(count_, has_fragments);
    fragments.add(packets_.first(count_), headers_.first(count_), details_.first(has_details_ ? count_ : 0), all_,
                  ended);
  }
  /// In order, as they were: `brief` and `others` are those that were packed.
  void meter_in_order(flow::Fragments& fragments, const flow::Chosen& brief, const flow::Chosen& others,
                      flow::Ended& ended) noexcept {
    const auto both = brief_count_ + count_;
    std::size_t next_brief = 0, next = 0;
    for (std::size_t i = 0; i < both; ++i) {
      const bool is_brief =
          next == count_ || (next_brief < brief_count_ && brief.places()[next_brief] < others.places()[next]);
      if (is_brief) {
        flow::put_back(brief_times_[next_brief], back_packets_[i]);
        flow::put_back(brief_headers_[next_brief++], back_headers_[i]);
      } else {
        back_packets_[i] = packets_[next];
        back_headers_[i] = headers_[next++];
      }
    }
    all_.choose_all(both, others.has_fragments());
    fragments.add(back_packets_.first(both), back_headers_.first(both), {}, all_, ended);
  }

 private:
  template <class T>
  class Copies {
   public:
    explicit Copies(std::size_t most)
        : memory_{static_cast<std::byte*>(::operator new (most * sizeof(T), std::align_val_t{line}))} {}

    void put(std::size_t at, const T& one) noexcept { std::memcpy(memory_.get() + at * sizeof(T), &one, sizeof one); }
    void ask_for(std::size_t from, std::size_t until) noexcept {
      for (auto at = from * sizeof(T) / line * line; at < until * sizeof(T); at += line)
        prefetch_to_write(memory_.get() + at);
    }
    T& operator[](std::size_t at) const noexcept { return first(at + 1)[at]; }
    std::span<T> first(std::size_t count) const noexcept { return {reinterpret_cast<T*>(memory_.get()), count}; }

   private:
    static constexpr std::size_t line = 64;
    struct Free {
      void operator()(std::byte* memory) const noexcept { ::operator delete (memory, std::align_val_t{line}); }
    };
    std::unique_ptr<std::byte, Free> memory_;  // untouched until it is needed
  };

  std::size_t packets_max_, count_ = 0, asked_until_ = 0, brief_count_ = 0, brief_asked_until_ = 0;
  bool has_details_, has_brief_;
  Copies<flow::BriefHeaders> brief_headers_;
  Copies<flow::BriefTimes> brief_times_;
  Copies<Packet> packets_;
  Copies<Headers> headers_;
  Copies<Details> details_;
  // Of the core that meters them:
  Copies<Packet> back_packets_;
  Copies<Headers> back_headers_;
  flow::Chosen all_;
};

}  // namespace weir::app
