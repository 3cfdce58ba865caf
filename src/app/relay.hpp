// SPDX-License-Identifier: BSD-3-Clause
// Slices on their way through several threads: read, decoded, metered by every shard, exported. All steps but decoding
// are taken in the order of the slices and by one thread at a time; which one, does not matter to the result, and none
// waits for a certain other one.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "app/work.hpp"

namespace weir::app {

class Relay {
 public:
  /// As many shards as workers. Each of `works`, which outlive it, belongs to the worker that meters its home.
  Relay(const std::vector<std::unique_ptr<Work>>& works, unsigned workers)
      : slices_(works.size()), metered_(workers), readers_(workers) {
    for (const auto& work : works) readers_[work->home()].memory.push_back({work.get()});
  }

  /// The worker's own memory is used, so that its octets stay with one core. False: the input has ended, or somebody
  /// else is reading, or all of its memory is still in use.
  template <class Read, class Decode>
  bool read(unsigned worker, Read read, Decode decode) {
    auto& reader = readers_[worker];
    auto& memory = reader.memory[reader.next];
    if (exported_.count.load(std::memory_order_acquire) < memory.free_from) return false;
    std::unique_lock lock{input_, std::try_to_lock};
    if (!lock || ended_) return false;
    const auto number = read_;
    if (!read(*memory.work)) {
      ended_ = true;
      total_.store(number, std::memory_order_release);
      return false;
    }
    read_ = number + 1;
    lock.unlock();
    memory.free_from = number + 1;
    reader.next = (reader.next + 1) % reader.memory.size();
    decode(*memory.work);
    slice(number).work = memory.work;
    slice(number).decoded.store(number + 1, std::memory_order_release);
    return true;
  }

  /// Two slices or more wait for the shard's meter.
  bool is_behind(unsigned shard) const noexcept {
    const auto next = metered_[shard].count.load(std::memory_order_relaxed);
    return is_decoded(next) && is_decoded(next + 1);
  }

  /// Meters the next slice, if it is decoded. False: it is not, or somebody else does it.
  template <class Meter>
  bool meter(unsigned shard, Meter meter) {
    return metered_[shard].go_on([&](std::uint64_t number) { return is_decoded(number); },
                                 [&](std::uint64_t number) { meter(*slice(number).work); });
  }

  /// Exports the next slice, if all shards have metered it. False: they have not, or somebody else does it.
  template <class Export>
  bool export_slice(Export export_slice) {
    return exported_.go_on([&](std::uint64_t number) { return is_metered(number); },
                           [&](std::uint64_t number) { export_slice(*slice(number).work); });
  }

  /// The input has ended and all of it is exported.
  bool through() const noexcept {
    return exported_.count.load(std::memory_order_acquire) == total_.load(std::memory_order_acquire);
  }

 private:
  /// How many slices have taken a step.
  struct alignas(64) Step {
    std::atomic<std::uint64_t> count = 0;
    std::mutex taken;

    /// Takes it with the next slice, if `ready(number)`: asked before the lock, too, as most often it is not.
    template <class Ready, class Take>
    bool go_on(Ready ready, Take take) {
      if (!ready(count.load(std::memory_order_relaxed))) return false;
      const std::unique_lock lock{taken, std::try_to_lock};
      if (!lock) return false;
      const auto number = count.load(std::memory_order_relaxed);
      if (!ready(number)) return false;
      take(number);
      count.store(number + 1, std::memory_order_release);
      return true;
    }
  };
  struct alignas(64) Slice {
    std::atomic<std::uint64_t> decoded = 0;  ///< number + 1 of the one that lies here
    Work* work = nullptr;
  };
  struct Memory {
    Work* work;
    std::uint64_t free_from = 0;  ///< so many slices must have been exported
  };
  struct alignas(64) Reader {
    std::vector<Memory> memory;
    std::size_t next = 0;
  };

  bool is_decoded(std::uint64_t number) const noexcept {
    return slice(number).decoded.load(std::memory_order_acquire) == number + 1;
  }
  bool is_metered(std::uint64_t number) const noexcept {
    return std::ranges::all_of(
        metered_, [number](const Step& shard) { return shard.count.load(std::memory_order_acquire) > number; });
  }

  /// No two slices under way lie in one place: there are as many places as memory for slices.
  Slice& slice(std::uint64_t number) noexcept { return slices_[number % slices_.size()]; }
  const Slice& slice(std::uint64_t number) const noexcept { return slices_[number % slices_.size()]; }

  std::vector<Slice> slices_;
  std::vector<Step> metered_;
  std::vector<Reader> readers_;
  Step exported_;
  std::mutex input_;
  std::uint64_t read_ = 0;
  bool ended_ = false;
  std::atomic<std::uint64_t> total_ = ~std::uint64_t{0};  ///< once it is known
};

}  // namespace weir::app
