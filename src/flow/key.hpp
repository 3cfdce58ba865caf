// SPDX-License-Identifier: BSD-3-Clause
// Which headers make a flow: source and destination address, ports, outermost VLAN, protocol (RFC 7011 §2, Flow Key).
#pragma once

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
    auto copy = word;
    copy[numbers] &= key_bits;
    return copy;
  }
};
using Key4 = Key<4>;
using Key6 = Key<16>;
static_assert(sizeof(Key4) == 16 && sizeof(Key6) == 40);

template <std::size_t N>
inline bool same_key(const Key<N>& a, const std::byte* record) noexcept {
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

template <std::size_t N>
inline Key<N> uniflow_key(const Headers& headers) noexcept {
  Key<N> key;
  if constexpr (N == 4) {
    key.word[0] = load_native<std::uint32_t>(headers.source.data()) |
                  std::uint64_t{load_native<std::uint32_t>(headers.destination.data())} << 32;
  } else {
    key.word[0] = load_native<std::uint64_t>(headers.source.data());
    key.word[1] = load_native<std::uint64_t>(headers.source.data() + 8);
    key.word[2] = load_native<std::uint64_t>(headers.destination.data());
    key.word[3] = load_native<std::uint64_t>(headers.destination.data() + 8);
  }
  key.word[Key<N>::numbers] = std::uint64_t{headers.source_port} | std::uint64_t{headers.destination_port} << 16 |
                              std::uint64_t{headers.vlan} << 32 | std::uint64_t{headers.protocol} << 48 |
                              std::uint64_t{headers.tos} << 56;
  return key;
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

/// Exchanges the two ends. ICMP's type and code belong to neither end and stay.
template <std::size_t N>
inline void exchange_ends(Key<N>& key) noexcept {
  if constexpr (N == 4) {
    key.word[0] = std::rotl(key.word[0], 32);
  } else {
    std::swap(key.word[0], key.word[2]);
    std::swap(key.word[1], key.word[3]);
  }
  auto& numbers = key.word[Key<N>::numbers];
  if (is_icmp<N>(key.protocol())) return;
  numbers = (numbers & ~std::uint64_t{0xffff'ffff}) | std::rotl(static_cast<std::uint32_t>(numbers), 16);
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
  const auto numbers = key.word[Key<N>::numbers];
  const auto ports = [numbers] {
    return static_cast<std::uint16_t>(numbers) > static_cast<std::uint16_t>(numbers >> 16);
  };
  const bool by_ports = !is_icmp<N>(key.protocol()) && ports();
  if constexpr (N == 4) {
    const auto a = static_cast<std::uint32_t>(key.word[0]), b = static_cast<std::uint32_t>(key.word[0] >> 32);
    return a != b ? a > b : by_ports;
  } else {
    if (key.word[0] != key.word[2]) return key.word[0] > key.word[2];
    return key.word[1] != key.word[3] ? key.word[1] > key.word[3] : by_ports;
  }
}

template <std::size_t N>
inline BiflowKey<N> biflow_key(const Headers& headers) noexcept {
  BiflowKey<N> made{.key = uniflow_key<N>(headers)};
  if (is_icmp<N>(headers.protocol)) {
    const auto request = echo_request_of<N>(headers.destination_port);
    made.echo_reply = request != headers.destination_port;
    auto& numbers = made.key.word[Key<N>::numbers];
    numbers = (numbers & ~std::uint64_t{0xffff'0000}) | std::uint64_t{request} << 16;
  }
  made.exchanged = ends_out_of_order(made.key);
  if (made.exchanged) exchange_ends(made.key);
  return made;
}

}  // namespace weir::flow
