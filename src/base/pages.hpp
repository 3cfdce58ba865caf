// SPDX-License-Identifier: BSD-3-Clause
// Large zeroed memory straight from the kernel, on huge pages where it has them. Untouched pages cost nothing.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace weir {

class Pages {
 public:
  Pages() = default;
  /// Throws std::bad_alloc where the kernel refuses.
  explicit Pages(std::size_t octets) : octets_{octets} {
    void* at = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) throw std::bad_alloc{};
    madvise(at, octets, MADV_HUGEPAGE);  // advice: a kernel without huge pages may refuse it
    at_ = static_cast<std::byte*>(at);
  }
  Pages(Pages&& other) noexcept : at_{std::exchange(other.at_, nullptr)}, octets_{std::exchange(other.octets_, 0)} {}
  Pages& operator=(Pages&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(octets_, other.octets_);
    return *this;
  }
  ~Pages() {
    if (at_) munmap(at_, octets_);
  }

  /// Takes all pages now: on the memory node of the thread that calls, and before the first packet.
  void touch() noexcept {
#ifdef MADV_POPULATE_WRITE
    if (madvise(at_, octets_, MADV_POPULATE_WRITE) == 0) return;
#endif
    constexpr std::size_t page = 4096;  // a kernel before 5.14
    for (std::size_t i = 0; i < octets_; i += page) at_[i] = at_[i];
  }

  /// All zeros again; pages are given back.
  void clear() noexcept {
    if (madvise(at_, octets_, MADV_DONTNEED) != 0) std::memset(at_, 0, octets_);
  }

  std::byte* data() const noexcept { return at_; }
  std::size_t size() const noexcept { return octets_; }

 private:
  std::byte* at_ = nullptr;
  std::size_t octets_ = 0;
};

}  // namespace weir
