// SPDX-License-Identifier: BSD-3-Clause
// Octets for another core: written past the caches.
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <weir/bytes.hpp>

namespace weir {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEIR_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_SANITIZED
#endif
#endif

/// A copy at `to`, which is aligned as `T` is; publish_streams() before somebody else is told of it. Sanitizers, which
/// do not see such stores, get others.
template <class T>
void stream(std::byte* to, const T& one) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0);
#ifdef WEIR_SANITIZED
  std::memcpy(to, &one, sizeof one);
#else
  const auto* from = reinterpret_cast<const std::byte*>(&one);
  for (std::size_t at = 0; at < sizeof(T); at += sizeof(std::uint64_t))
    _mm_stream_si64(reinterpret_cast<long long*>(to + at),
                    static_cast<long long>(load_native<std::uint64_t>(from + at)));
#endif
}
#undef WEIR_SANITIZED

inline void publish_streams() noexcept { _mm_sfence(); }

}  // namespace weir
