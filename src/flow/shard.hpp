// SPDX-License-Identifier: BSD-3-Clause
// Which worker a packet belongs to: a hash over the address pair, the same both ways, so that both directions of a flow
// and all fragments of a packet meet.
#pragma once

#include <nmmintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>

namespace weir::flow {

/// 0 to shards - 1. A CRC is enough to spread work; the tables have a keyed hash of their own.
inline unsigned shard_of(const Headers& headers, unsigned shards) noexcept {
  const auto both = [&headers](std::size_t at) {
    const auto a = load_native<std::uint64_t>(headers.source.data() + at);
    const auto b = load_native<std::uint64_t>(headers.destination.data() + at);
    return (a ^ b) ^ std::rotl(a + b, 32);
  };
  const auto hash = _mm_crc32_u64(_mm_crc32_u64(0, both(0)), both(8));  // of IPv4 the rest is zeros
  return static_cast<unsigned>((hash & 0xffff'ffffu) * shards >> 32);
}

}  // namespace weir::flow
