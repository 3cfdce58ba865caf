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

/// 0 to shards - 1, by what both addresses make together, whichever is the source. A CRC is enough to spread work; the
/// tables have a keyed hash of their own.
inline unsigned shard_by(std::uint64_t first, std::uint64_t second, unsigned shards) noexcept {
  const auto hash = _mm_crc32_u64(_mm_crc32_u64(0, first), second);
  return static_cast<unsigned>((hash & 0xffff'ffffu) * shards >> 32);
}
inline std::uint64_t both_ways(std::uint64_t a, std::uint64_t b) noexcept { return (a ^ b) ^ std::rotl(a + b, 32); }

/// By the addresses of an IPv4 key.
inline unsigned shard_of_ipv4(std::uint64_t addresses, unsigned shards) noexcept {
  return shard_by(both_ways(addresses & 0xffff'ffff, addresses >> 32), 0, shards);
}

inline unsigned shard_of(const Headers& headers, unsigned shards) noexcept {
  const auto word = [&](std::size_t number) {
    return load_native<std::uint64_t>(headers.addresses.data() + 8 * number);
  };
  if (headers.version == IpVersion::v4) return shard_of_ipv4(word(3), shards);
  return shard_by(both_ways(word(0), word(2)), both_ways(word(1), word(3)), shards);
}

}  // namespace weir::flow
