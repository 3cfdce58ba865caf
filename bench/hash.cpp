// SPDX-License-Identifier: BSD-3-Clause
// What does the flow table's hash of a key cost: two words (IPv4), or five (IPv6)? Keys are ready in the nearest cache.
// The answer is checked first: keys that differ in one bit fall on as many of 2^20 places as random ones would.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/hash.hpp"

namespace {

using weir::KeyedHash;

template <std::size_t Words>
std::vector<std::array<std::uint64_t, Words>> keys(std::size_t count) {
  std::vector<std::array<std::uint64_t, Words>> made(count);
  std::uint64_t state = 1;
  for (auto& key : made)
    for (auto& word : key) word = weir::next_word(state);
  return made;
}

/// Counting up in one word is as even as chance: of 2^20 keys in 2^20 places, 1 - 1/e of the places are hit.
template <std::size_t Words>
bool spreads_neighbours() {
  constexpr std::size_t places = 1 << 20;
  for (std::size_t word = 0; word < Words; ++word) {
    const KeyedHash hash{7};
    std::vector<bool> hit(places);
    for (std::size_t i = 0; i < places; ++i) {
      std::array<std::uint64_t, Words> key{};
      key[word] = i;
      hit[hash(key) % places] = true;
    }
    const auto share = static_cast<double>(std::count(hit.begin(), hit.end(), true)) / places;
    if (std::abs(share - (1 - std::exp(-1.0))) > 0.005) return false;
  }
  return KeyedHash{1}(std::array<std::uint64_t, Words>{}) != KeyedHash{2}(std::array<std::uint64_t, Words>{});
}

template <std::size_t Words>
void hash_of_words(benchmark::State& state) {
  if (!spreads_neighbours<Words>()) return state.SkipWithError("wrong answer");  // it has no speed
  const auto some = keys<Words>(256);
  const KeyedHash hash{7};
  for (auto _ : state) {
    std::uint64_t sum = 0;
    for (const auto& key : some) sum += hash(key);
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(some.size()));
}

BENCHMARK(hash_of_words<2>)->Name("hash/ipv4");
BENCHMARK(hash_of_words<5>)->Name("hash/ipv6");

}  // namespace

BENCHMARK_MAIN();
