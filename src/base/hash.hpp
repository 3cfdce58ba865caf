// SPDX-License-Identifier: BSD-3-Clause
// The flow table's hash: keyed and non-linear. A CRC can be collided on purpose whatever its seed, for it is linear;
// senders choose their addresses, so they would choose one bucket for all of their flows.
#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir {

/// Spreads a seed over many words (SplitMix64). Not a secret-keeper, only a stretcher.
constexpr std::uint64_t next_word(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15u;
  auto z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// AES rounds over a key of two or five words, with round keys made from a seed. Two rounds let every octet of a block
/// reach every octet of the state; each further block is absorbed after two, and three finish.
class KeyedHash {
 public:
  explicit KeyedHash(std::uint64_t seed) noexcept {
    for (auto& word : keys_) word = next_word(seed);
  }

  std::uint64_t operator()(const std::array<std::uint64_t, 2>& words) const noexcept {
    return finish(block(words[0], words[1]));
  }
  std::uint64_t operator()(__m128i words) const noexcept { return finish(words); }

  std::uint64_t operator()(const std::array<std::uint64_t, 5>& words) const noexcept {
    const auto one = absorb(block(words[0], words[1]));
    const auto two = absorb(_mm_xor_si128(one, block(words[2], words[3])));
    return finish(_mm_xor_si128(two, block(words[4], words.size())));
  }

  /// The same of a key that goes on: with words whose number is the same for all keys of a table.
  template <std::size_t N>
  std::uint64_t operator()(const std::array<std::uint64_t, N>& words,
                           std::span<const std::uint64_t> more) const noexcept {
    auto state = absorb(block((*this)(words), more.size()));
    for (std::size_t i = 0; i < more.size(); i += 2)
      state = absorb(_mm_xor_si128(state, block(more[i], i + 1 < more.size() ? more[i + 1] : 0)));
    return finish(state);
  }

 private:
  static __m128i block(std::uint64_t low, std::uint64_t high) noexcept {
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
  }
  __m128i absorb(__m128i state) const noexcept {
    return _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(state, key(0)), key(1)), key(2));
  }
  std::uint64_t finish(__m128i state) const noexcept {
    state = _mm_xor_si128(state, key(3));
    state = _mm_aesenc_si128(state, key(4));
    state = _mm_aesenc_si128(state, key(5));
    state = _mm_aesenc_si128(state, key(6));
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(state));
  }

  __m128i key(std::size_t i) const noexcept { return block(keys_[2 * i], keys_[2 * i + 1]); }

  std::array<std::uint64_t, 14> keys_;
};

}  // namespace weir
