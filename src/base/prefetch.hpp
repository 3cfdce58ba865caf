// SPDX-License-Identifier: BSD-3-Clause
// Memory on its way before it is needed.
#pragma once

namespace weir {

/// Written as an instruction, for GCC takes a function that only prefetches for one without effect and drops its calls.
inline void prefetch(const void* at) noexcept { asm volatile("prefetcht0 (%0)" : : "r"(at)); }

}  // namespace weir
