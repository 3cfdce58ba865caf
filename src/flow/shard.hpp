// SPDX-License-Identifier: BSD-3-Clause
// Which worker a packet belongs to: a hash over the address pair, the same both ways, so that both directions of a flow
// and all fragments of a packet meet.
#pragma once

#include <nmmintrin.h>

#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>

namespace weir::flow {

/// 0 to shards - 1. A CRC is enough to spread work; the tables have a keyed hash of their own.
inline unsigned shard_of(const Headers& headers, unsigned shards) noexcept {
  const auto pair = [&headers](std::size_t at) {
    const auto a = load_native<std::uint64_t>(headers.source.data() + at);
    const auto b = load_native<std::uint64_t>(headers.destination.data() + at);
    return _mm_crc32_u64(_mm_crc32_u64(0, a ^ b), a + b);
  };
  // Without a jump: which family comes next nobody can foresee.
  const auto of_four = pair(0), of_six = _mm_crc32_u64(of_four, pair(8));
  const auto six = -std::uint64_t{headers.version == IpVersion::v6};
  const auto hash = of_four ^ ((of_four ^ of_six) & six);
  return static_cast<unsigned>((hash & 0xffff'ffffu) * shards >> 32);
}

}  // namespace weir::flow
