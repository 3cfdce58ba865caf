// SPDX-License-Identifier: BSD-3-Clause
// Assertions are for our own mistakes, and stay in every build. Packets and files are never asserted: they are judged.
#pragma once

namespace weir {

/// Prints the claim and its place, then aborts.
[[noreturn]] void fail(const char* claim, const char* file, int line) noexcept;

}  // namespace weir

#define WEIR_ASSERT(claim) ((claim) ? void() : ::weir::fail(#claim, __FILE__, __LINE__))
