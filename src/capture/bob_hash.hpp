// SPDX-License-Identifier: BSD-3-Clause
// The BOB hash of RFC 5475 appendix A.2 (Jenkins, 1996): the hash by which PSAMP devices along a path agree on packets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <weir/bytes.hpp>

namespace weir::capture {

/// Three words of state; twelve octets of the key, or what is left of it, are added to them before each mixing.
struct BobState {
  std::array<std::uint32_t, 3> words;

  /// Octet `at` of a block, 0 to 11, lies in its word least significant first.
  constexpr void add(std::size_t at, std::byte octet) noexcept {
    words[at / 4] += std::to_integer<std::uint32_t>(octet) << (at % 4 * 8);
  }

  /// Nine steps: each takes two words from the third and folds one of them, shifted, into it.
  constexpr void mix() noexcept {
    constexpr std::array<std::array<unsigned, 3>, 3> shifts{{{13, 8, 13}, {12, 16, 5}, {3, 10, 15}}};
    auto& [a, b, c] = words;
    for (const auto& [first, second, third] : shifts) {
      a = (a - b - c) ^ c >> first;
      b = (b - c - a) ^ a << second;
      c = (c - a - b) ^ b >> third;
    }
  }
};

constexpr std::uint32_t bob_hash(Bytes key, std::uint32_t initialiser) noexcept {
  constexpr std::uint32_t golden_ratio = 0x9e3779b9;
  constexpr std::size_t block = 12;
  BobState state{{golden_ratio, golden_ratio, initialiser}};
  const auto octets = static_cast<std::uint32_t>(key.size());
  for (; key.size() >= block; key = key.subspan(block)) {
    for (std::size_t word = 0; word < 3; ++word) state.words[word] += load_le<std::uint32_t>(key.data() + 4 * word);
    state.mix();
  }
  // The length has the place of the last block's ninth octet, so the ninth takes the place of the tenth, and so on.
  constexpr std::size_t before_length = 8;
  state.words[2] += octets;
  for (std::size_t i = 0; i < key.size(); ++i) state.add(i < before_length ? i : i + 1, key[i]);
  state.mix();
  return state.words[2];
}

}  // namespace weir::capture
