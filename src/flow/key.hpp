// SPDX-License-Identifier: BSD-3-Clause
// Which headers make a flow: source and destination address, ports, outermost VLAN, protocol (RFC 7011 §2, Flow Key).
#pragma once

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <weir/bytes.hpp>
#include <weir/headers.hpp>

namespace weir::flow {

static_assert(std::endian::native == std::endian::little, "records keep numbers least significant octet first");

/// A key as it lies at the start of a record: both addresses in network order, then one word of numbers:
/// port a (16 bits), port b (16), VLAN (16), protocol (8) and, in the uppermost octet, the first packet's ToS, which is
/// kept there but is not part of the key.
template <std::size_t AddressOctets>
struct Key {
  static constexpr std::size_t address_octets = AddressOctets;
  static constexpr std::size_t words = AddressOctets / 4 + 1;
  static constexpr std::size_t octets = words * 8;
  static constexpr std::size_t numbers = words - 1;  ///< index of the word of numbers
  static constexpr std::uint64_t key_bits = ~std::uint64_t{0} >> 8;

  std::array<std::uint64_t, words> word{};

  constexpr std::uint8_t protocol() const noexcept { return static_cast<std::uint8_t>(word[numbers] >> 48); }
  constexpr std::uint16_t port_b() const noexcept { return static_cast<std::uint16_t>(word[numbers] >> 16); }

  /// The words that are hashed: without ToS.
  constexpr std::array<std::uint64_t, words> hashed() const noexcept {
    std::array<std::uint64_t, words> parts;  // word by word: a copy of the whole would wait for the stores of its words
    for (std::size_t i = 0; i < numbers; ++i) parts[i] = word[i];
    parts[numbers] = word[numbers] & key_bits;
    return parts;
  }
};
using Key4 = Key<4>;
using Key6 = Key<16>;
static_assert(sizeof(Key4) == 16 && sizeof(Key6) == 40);

template <std::size_t N>
inline bool same_key(const Key<N>& a, const std::byte* record) noexcept {
  if constexpr (N == 4) {
    const auto there = _mm_loadu_si128(reinterpret_cast<const __m128i*>(record));
    const auto here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a.word.data()));
    constexpr auto bits = static_cast<long long>(Key<N>::key_bits);
    return _mm_testz_si128(_mm_xor_si128(here, there), _mm_set_epi64x(bits, -1)) != 0;
  }
  std::uint64_t differences = 0;
  for (std::size_t i = 0; i < Key<N>::numbers; ++i)
    differences |= a.word[i] ^ load_native<std::uint64_t>(record + 8 * i);
  const auto numbers = a.word[Key<N>::numbers] ^ load_native<std::uint64_t>(record + 8 * Key<N>::numbers);
  return (differences | (numbers & Key<N>::key_bits)) == 0;
}

/// ICMP over IPv4, ICMPv6 over IPv6: type and code stand in the place of the ports.
template <std::size_t N>
constexpr bool is_icmp(std::uint8_t protocol) noexcept {
  return protocol == (N == 4 ? protocol::icmp : protocol::icmpv6);
}

/// The word of numbers, as it lies in Headers.
inline std::uint64_t numbers_of(const Headers& headers) noexcept {
  constexpr auto at = offsetof(Headers, source_port);
  static_assert(offsetof(Headers, destination_port) == at + 2 && offsetof(Headers, vlan) == at + 4 &&
                offsetof(Headers, protocol) == at + 6 && offsetof(Headers, tos) == at + 7);
  return load_native<std::uint64_t>(reinterpret_cast<const std::byte*>(&headers) + at);
}

template <std::size_t N>
inline Key<N> uniflow_key(const Headers& headers) noexcept {
  Key<N> key;
  if constexpr (N == 4) {
    key.word[0] = load_native<std::uint64_t>(headers.addresses.data() + Headers::ipv4_at);
  } else {
    for (std::size_t i = 0; i < 4; ++i) key.word[i] = load_native<std::uint64_t>(headers.addresses.data() + 8 * i);
  }
  key.word[Key<N>::numbers] = numbers_of(headers);
  return key;
}

// Keys of IPv4 are put together in one register.

inline __m128i uniflow_block(const Headers& headers) noexcept {
  static_assert(offsetof(Headers, source_port) == offsetof(Headers, addresses) + sizeof headers.addresses);
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(headers.addresses.data() + Headers::ipv4_at));
}

/// Puts a key where it is kept; returns what is hashed of it.
inline __m128i put_block(__m128i block, Key<4>& key) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(key.word.data()), block);
  return _mm_and_si128(block, _mm_set_epi64x(static_cast<long long>(Key<4>::key_bits), -1));
}

/// ICMP echo reply → echo request (types 0 → 8, 129 → 128), so that both are one biflow; other types stay.
template <std::size_t N>
constexpr std::uint16_t echo_request_of(std::uint16_t type_code) noexcept {
  constexpr std::uint16_t reply = N == 4 ? 0 : 129, request = N == 4 ? 8 : 128;
  return type_code >> 8 == reply ? static_cast<std::uint16_t>(request << 8 | (type_code & 0xff)) : type_code;
}
template <std::size_t N>
constexpr std::uint16_t echo_reply_of(std::uint16_t type_code) noexcept {
  constexpr std::uint16_t reply = N == 4 ? 0 : 129;
  return static_cast<std::uint16_t>(reply << 8 | (type_code & 0xff));
}

/// Exchanges the two ends, or not: by arithmetic, for which end of a packet is which nobody can foresee. ICMP's type
/// and code belong to neither end and stay.
template <std::size_t N>
inline void exchange_ends(Key<N>& key, bool really = true) noexcept {
  if constexpr (N == 4) {
    key.word[0] = std::rotl(key.word[0], 32 * really);
  } else {
    const auto all = -std::uint64_t{really};
    const auto one = (key.word[0] ^ key.word[2]) & all, two = (key.word[1] ^ key.word[3]) & all;
    key.word[0] ^= one;
    key.word[2] ^= one;
    key.word[1] ^= two;
    key.word[3] ^= two;
  }
  auto& numbers = key.word[Key<N>::numbers];
  const int turned = 16 * (really & !is_icmp<N>(key.protocol()));
  numbers = (numbers & ~std::uint64_t{0xffff'ffff}) | std::rotl(static_cast<std::uint32_t>(numbers), turned);
}

/// A biflow's key: the same for both directions. `exchanged`: the packet's source is end b of the key.
/// `echo_reply`: it is an ICMP echo reply, filed under the request's type.
template <std::size_t N>
struct BiflowKey {
  Key<N> key;
  bool exchanged = false, echo_reply = false;
};

template <std::size_t N>
inline bool ends_out_of_order(const Key<N>& key) noexcept {
  const auto ports = is_icmp<N>(key.protocol()) ? 0 : static_cast<std::uint32_t>(key.word[Key<N>::numbers]);
  const auto port_a = ports & 0xffff, port_b = ports >> 16;
  if constexpr (N == 4) {
    return ((key.word[0] & 0xffff'ffff) << 16 | port_a) > (key.word[0] >> 32 << 16 | port_b);
  } else {
    const auto& word = key.word;
    bool by_rest = word[1] > word[3];
    by_rest |= static_cast<unsigned>(word[1] == word[3]) & static_cast<unsigned>(port_a > port_b);
    bool out = word[0] > word[2];
    out |= static_cast<unsigned>(word[0] == word[2]) & static_cast<unsigned>(by_rest);
    return out;
  }
}

/// From a uniflow's.
template <std::size_t N>
inline BiflowKey<N> biflow_key(const Key<N>& key) noexcept {
  BiflowKey<N> made{.key = key};
  if (is_icmp<N>(key.protocol())) {
    const auto request = echo_request_of<N>(key.port_b());
    made.echo_reply = request != key.port_b();
    auto& numbers = made.key.word[Key<N>::numbers];
    numbers = (numbers & ~std::uint64_t{0xffff'0000}) | std::uint64_t{request} << 16;
  }
  made.exchanged = ends_out_of_order(made.key);
  exchange_ends(made.key, made.exchanged);
  return made;
}

/// The same of IPv4 without ICMP, from a uniflow's key and as put_block() puts it.
inline __m128i put_biflow_block(__m128i block, Key<4>& key, bool& exchanged) noexcept {
  constexpr char _ = -1;
  const auto turned = _mm_shuffle_epi8(block, _mm_setr_epi8(4, 5, 6, 7, 0, 1, 2, 3, 10, 11, 8, 9, 12, 13, 14, 15));
  // Of each end the address, and below it the port.
  const auto ends = _mm_shuffle_epi8(block, _mm_setr_epi8(8, 9, 0, 1, 2, 3, _, _, 10, 11, 4, 5, 6, 7, _, _));
  const auto greater = _mm_cmpgt_epi64(ends, _mm_unpackhi_epi64(ends, ends));
  exchanged = _mm_cvtsi128_si32(greater) != 0;
  return put_block(_mm_blendv_epi8(block, turned, _mm_unpacklo_epi64(greater, greater)), key);
}

}  // namespace weir::flow
