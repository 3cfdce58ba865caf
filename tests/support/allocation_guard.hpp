// SPDX-License-Identifier: BSD-3-Clause
// Counts what this program takes from the heap. Include it once in a test executable: it replaces operator new.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

namespace weir::test {

inline std::atomic<std::size_t> allocations_so_far{0};

/// Allocations since it was made.
class AllocationGuard {
 public:
  std::size_t allocations() const noexcept { return allocations_so_far - before_; }

 private:
  std::size_t before_ = allocations_so_far;
};

}  // namespace weir::test

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t octets) {
  ++weir::test::allocations_so_far;
  if (void* at = std::malloc(octets)) return at;
  throw std::bad_alloc{};
}
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
#pragma GCC diagnostic pop
