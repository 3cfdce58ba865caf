// SPDX-License-Identifier: BSD-3-Clause
// Memory on its way before it is needed.
#pragma once

#include <cstddef>

namespace weir {

/// Written as an instruction, for GCC takes a function that only prefetches for one without effect and drops its calls.
inline void prefetch(const void* at) noexcept { asm volatile("prefetcht0 (%0)" : : "r"(at)); }

/// All lines that it lies in, if it begins with one.
template <class T>
void prefetch_all(const T& object) noexcept {
  for (std::size_t at = 0; at < sizeof(T); at += 64) prefetch(reinterpret_cast<const std::byte*>(&object) + at);
}

}  // namespace weir
