// SPDX-License-Identifier: BSD-3-Clause
// Memory on its way before it is needed.
#pragma once

#include <cstddef>

namespace weir {

/// Written as an instruction, for GCC takes a function that only prefetches for one without effect and drops its calls.
inline void prefetch(const void* at) noexcept { asm volatile("prefetcht0 (%0)" : : "r"(at)); }

/// The same for a line that is to be written: it becomes this core's own, wherever it was.
inline void prefetch_to_write(const void* at) noexcept { asm volatile("prefetchw (%0)" : : "r"(at)); }

/// All lines of so many octets, the first one's first.
inline void prefetch(const void* at, std::size_t octets) noexcept {
  for (std::size_t i = 0; i < octets; i += 64) prefetch(static_cast<const std::byte*>(at) + i);
}

}  // namespace weir
