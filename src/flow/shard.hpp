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

inline unsigned shard_of_ipv6(const Headers& headers, unsigned shards) noexcept {
  const auto both = [&](std::size_t at) {
    return both_ways(load_native<std::uint64_t>(headers.addresses.data() + at),
                     load_native<std::uint64_t>(headers.addresses.data() + 16 + at));
  };
  return shard_by(both(0), both(8), shards);
}

inline unsigned shard_of(const Headers& headers, unsigned shards) noexcept {
  if (headers.version == IpVersion::v6) return shard_of_ipv6(headers, shards);
  return shard_of_ipv4(load_native<std::uint64_t>(headers.addresses.data() + Headers::ipv4_at), shards);
}

}  // namespace weir::flow
