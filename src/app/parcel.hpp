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

namespace weir::app {

/// Copies, so that no line of a slice is written by one core and read by the other: where the two share no cache, a
/// core waits 10 ns and more for each such line when it writes the next slice. Those of a parcel lie one behind the
/// other, so that both can ask for them early.
class Parcel {
 public:
  /// So many lie between two calls of ask_ahead() at most: few, so that lines come while packets are decoded.
  static constexpr std::size_t packed_at_once = 2 * burst_size;

  Parcel(std::size_t packets_max, bool with_details)
      : packets_max_{packets_max},
        has_details_{with_details},
        packets_{packets_max},
        headers_{packets_max},
        details_{with_details ? packets_max : 0} {}

  void clear() noexcept { count_ = asked_until_ = 0; }

  /// The lines of those that are packed next are on their way from the other core.
  void ask_ahead() noexcept {
    const auto until = std::min(count_ + packed_at_once, packets_max_);
    packets_.ask_for(asked_until_, until);
    headers_.ask_for(asked_until_, until);
    if (has_details_) details_.ask_for(asked_until_, until);
    asked_until_ = until;
  }

  /// Those at `places`, behind what is in it. `details` are not asked for where it was made without.
  void pack(Burst packets, std::span<const Headers> headers, std::span<const Details> details,
            std::span<const std::uint16_t> places) noexcept {
    WEIR_ASSERT(places.size() <= packets_max_ - count_);
    for (const auto i : places) {
      packets_.put(count_, packets[i]);
      headers_.put(count_, headers[i]);
      if (has_details_) details_.put(count_, details[i]);
      ++count_;
    }
  }

  Burst packets() const noexcept { return packets_.first(count_); }
  std::span<Headers> headers() const noexcept { return headers_.first(count_); }
  std::span<const Details> details() const noexcept { return details_.first(has_details_ ? count_ : 0); }

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
    std::span<T> first(std::size_t count) const noexcept { return {reinterpret_cast<T*>(memory_.get()), count}; }

   private:
    static constexpr std::size_t line = 64;
    struct Free {
      void operator()(std::byte* memory) const noexcept { ::operator delete (memory, std::align_val_t{line}); }
    };
    std::unique_ptr<std::byte, Free> memory_;  // untouched until it is needed
  };

  std::size_t packets_max_, count_ = 0, asked_until_ = 0;
  bool has_details_;
  Copies<Packet> packets_;
  Copies<Headers> headers_;
  Copies<Details> details_;
};

}  // namespace weir::app
