// SPDX-License-Identifier: BSD-3-Clause
// Elements of one size from one thread to another, by copy, without locks. DPDK's rte_ring would do, but elements of a
// size known at run time, read where they lie, are simpler here; it needs no EAL, and ThreadSanitizer can follow it.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <weir/bytes.hpp>

#include "base/pages.hpp"

namespace weir {

class SpscRing {
 public:
  /// Room for at least `elements`, rounded up to a power of two. Throws std::bad_alloc.
  SpscRing(std::size_t elements, std::size_t element_octets)
      : mask_{std::bit_ceil(elements) - 1}, octets_{element_octets}, memory_{(mask_ + 1) * octets_} {}

  std::size_t capacity() const noexcept { return mask_ + 1; }
  std::size_t element_octets() const noexcept { return octets_; }
  /// Takes all pages now, on the memory node of the thread that calls.
  void touch() noexcept { memory_.touch(); }

  /// Producer: copies as many of `count` elements as there is room for, the first ones, and says how many.
  std::size_t push(const std::byte* elements, std::size_t count) noexcept {
    const auto tail = producer_.at.load(std::memory_order_relaxed);
    if (capacity() - (tail - producer_.other) < count) producer_.other = consumer_.at.load(std::memory_order_acquire);
    count = std::min(count, capacity() - (tail - producer_.other));
    const auto first = std::min(count, capacity() - (tail & mask_));
    std::memcpy(element(tail), elements, first * octets_);
    std::memcpy(memory_.data(), elements + first * octets_, (count - first) * octets_);
    producer_.at.store(tail + count, std::memory_order_release);
    return count;
  }

  /// Consumer: elements that are there and lie one after another; empty if there are none.
  Bytes front() noexcept {
    const auto head = consumer_.at.load(std::memory_order_relaxed);
    if (consumer_.other == head) consumer_.other = producer_.at.load(std::memory_order_acquire);
    const auto count = std::min(consumer_.other - head, capacity() - (head & mask_));
    return {element(head), count * octets_};
  }
  /// Consumer: gives the first `count` elements of front() back.
  void pop(std::size_t count) noexcept {
    consumer_.at.store(consumer_.at.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  /// Any thread: elements in the ring, as of a moment ago.
  std::size_t size() const noexcept {
    const auto head = consumer_.at.load(std::memory_order_acquire);
    return producer_.at.load(std::memory_order_acquire) - head;
  }

 private:
  std::byte* element(std::size_t at) const noexcept { return memory_.data() + (at & mask_) * octets_; }

  /// Where one side stands, and where it last saw the other: a line of its own for each.
  struct alignas(64) Side {
    std::atomic<std::size_t> at{0};
    std::size_t other = 0;
  };
  std::size_t mask_, octets_;
  Pages memory_;
  Side producer_, consumer_;
};

}  // namespace weir
