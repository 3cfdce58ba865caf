// SPDX-License-Identifier: BSD-3-Clause
// A fixed number of slots in the order in which they were last touched. Everything is O(1). Memory for all is reserved
// at construction; what was never needed stays untouched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace weir::flow {

template <class T>
class AgedPool {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  explicit AgedPool(std::size_t slots) : most_{slots} { slots_.reserve(slots); }
  AgedPool(const AgedPool&) = delete;  // a copy would have no memory reserved
  AgedPool& operator=(const AgedPool&) = delete;

  /// Takes all memory now. Before the first slot is taken.
  void touch() noexcept {
    WEIR_ASSERT(slots_.empty());
    slots_.resize(most_);
    for (auto i = static_cast<std::uint32_t>(most_); i-- > 0;) give_back(i);
  }

  T& operator[](std::uint32_t slot) noexcept { return slots_[slot].value; }
  const T& operator[](std::uint32_t slot) const noexcept { return slots_[slot].value; }
  bool full() const noexcept { return free_ == none && slots_.size() == most_; }
  bool empty() const noexcept { return oldest_ == none; }
  std::uint32_t oldest() const noexcept { return oldest_; }

  /// A slot that nobody has, as the newest. There must be one.
  std::uint32_t take() noexcept {
    WEIR_ASSERT(!full());
    auto slot = free_;
    if (slot == none) {
      slot = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      free_ = slots_[slot].newer;
    }
    append(slot);
    return slot;
  }
  void remove(std::uint32_t slot) noexcept {
    unlink(slot);
    give_back(slot);
  }
  /// From now on the newest.
  void touch(std::uint32_t slot) noexcept {
    unlink(slot);
    append(slot);
  }

 private:
  struct Slot {
    T value{};
    std::uint32_t older = none, newer = none;  // newer: of a free slot, the next free one
  };

  void give_back(std::uint32_t slot) noexcept {
    slots_[slot].newer = free_;
    free_ = slot;
  }
  void append(std::uint32_t slot) noexcept {
    slots_[slot].older = newest_;
    slots_[slot].newer = none;
    (newest_ == none ? oldest_ : slots_[newest_].newer) = slot;
    newest_ = slot;
  }
  void unlink(std::uint32_t slot) noexcept {
    const auto [older, newer] = std::pair{slots_[slot].older, slots_[slot].newer};
    (older == none ? oldest_ : slots_[older].newer) = newer;
    (newer == none ? newest_ : slots_[newer].older) = older;
  }

  std::size_t most_;
  std::vector<Slot> slots_;
  std::uint32_t free_ = none, oldest_ = none, newest_ = none;
};

}  // namespace weir::flow
