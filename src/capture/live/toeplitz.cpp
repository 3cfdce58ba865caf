// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/toeplitz.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace weir::capture {
namespace {

constexpr std::uint32_t samples = 16'384;

std::string address_text(std::span<const std::byte> address, IpVersion version) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(version == IpVersion::v4 ? AF_INET : AF_INET6, address.data(), text.data(), text.size());
  return version == IpVersion::v4 ? text.data() : fmt::format("[{}]", text.data());
}

Headers reversed(Headers headers) noexcept {
  std::ranges::swap_ranges(headers.source(), headers.destination());
  std::swap(headers.source_port, headers.destination_port);
  return headers;
}

/// Every second one is IPv6.
Headers sample(std::uint64_t number) noexcept {
  std::uint64_t state = number;
  Headers headers{.protocol = protocol::tcp, .version = number % 2 ? IpVersion::v6 : IpVersion::v4};
  for (std::size_t at = 0; at < headers.addresses.size(); at += 8)
    store_native(headers.addresses.data() + at, next_word(state));
  const auto ports = next_word(state);
  headers.source_port = static_cast<std::uint16_t>(ports);
  headers.destination_port = static_cast<std::uint16_t>(ports >> 16);
  return headers;
}

/// Empty when it is as it should be.
std::string wrong_with_table(std::span<const std::uint16_t> table, unsigned queues) {
  std::vector<bool> named(queues);
  for (const auto queue : table) {
    if (queue >= queues) return fmt::format("the redirection table names queue {}, but {} are in use", queue, queues);
    named[queue] = true;
  }
  const auto missing = std::ranges::find(named, false);
  if (missing == named.end()) return {};
  return fmt::format("the redirection table never names queue {}, whose worker would get nothing",
                     missing - named.begin());
}

struct Spread {
  std::vector<std::uint32_t> hit;
  std::string asymmetric;  ///< the first tuple whose ways differ
};

Spread spread_samples(const RssSetup& setup, std::span<const std::uint16_t> table) {
  const Toeplitz hash{setup.key};
  Spread spread{std::vector<std::uint32_t>(setup.queues), {}};
  for (std::uint32_t i = 0; i < samples; ++i) {
    const auto tuple = sample(i);
    const auto there = hash(tuple, setup.fields), back = hash(reversed(tuple), setup.fields);
    if (there != back) {
      spread.asymmetric =
          fmt::format("{} hashes to {:#010x}, the way back to {:#010x}", tuple_text(tuple), there, back);
      return spread;
    }
    ++spread.hit[queue_of(there, table)];
  }
  return spread;
}

/// Random addresses keep to the table's shares within a few percent; half or double means that the hash is degenerate.
std::string wrong_with_spread(const Spread& spread, std::span<const std::uint16_t> table) {
  for (std::size_t queue = 0; queue < spread.hit.size(); ++queue) {
    const auto entries = static_cast<std::size_t>(std::ranges::count(table, queue));
    const auto due = samples * entries / table.size();
    if (spread.hit[queue] * 2 < due || spread.hit[queue] > due * 2)
      return fmt::format("of {} random flows {} fall to queue {}, which has {} of {} entries of the redirection table",
                         samples, spread.hit[queue], queue, entries, table.size());
  }
  return {};
}

std::string why_not(const RssSetup& setup, std::span<const std::uint16_t> table, Spread& spread) {
  if (setup.key.size() < Toeplitz::key_octets_min)
    return fmt::format("the key has {} octets; {} are needed for IPv6 with ports", setup.key.size(),
                       Toeplitz::key_octets_min);
  if (auto wrong = wrong_with_table(table, setup.queues); !wrong.empty()) return wrong;
  spread = spread_samples(setup, table);
  return !spread.asymmetric.empty() ? spread.asymmetric : wrong_with_spread(spread, table);
}

}  // namespace

std::vector<std::byte> symmetric_key(std::size_t octets) {
  std::vector<std::byte> key(octets);
  for (std::size_t i = 0; i < octets; ++i) key[i] = std::byte{i % 2 ? std::uint8_t{0x5a} : std::uint8_t{0x6d}};
  return key;
}

Toeplitz::Toeplitz(Bytes key) noexcept {
  std::ranges::copy(key.first(std::min(key.size(), key_.size())), key_.begin());
}

std::uint32_t Toeplitz::operator()(Bytes input) const noexcept {
  WEIR_ASSERT(input.size() <= input_octets_max);
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    // All eight windows of an octet lie within five octets of the key.
    const auto window =
        std::uint64_t{load_be<std::uint32_t>(key_.data() + i)} << 8 | std::to_integer<std::uint64_t>(key_[i + 4]);
    for (unsigned bit = 0; bit < 8; ++bit)
      if (std::to_integer<unsigned>(input[i]) & 0x80u >> bit) hash ^= static_cast<std::uint32_t>(window >> (8 - bit));
  }
  return hash;
}

std::uint32_t Toeplitz::operator()(const Headers& headers, RssFields fields) const noexcept {
  std::array<std::byte, input_octets_max> octets;
  Writer input{octets};
  input.bytes(headers.source());
  input.bytes(headers.destination());
  if (fields == RssFields::addresses_and_ports) {
    input.number(headers.source_port);
    input.number(headers.destination_port);
  }
  return (*this)(Bytes{octets}.first(input.written()));
}

std::vector<std::uint16_t> redirection_in_turn(std::size_t entries, unsigned queues) {
  std::vector<std::uint16_t> table(entries);
  for (std::size_t i = 0; i < entries; ++i) table[i] = static_cast<std::uint16_t>(i % queues);
  return table;
}

std::string tuple_text(const Headers& headers) {
  return fmt::format("{}:{} → {}:{}", address_text(headers.source(), headers.version), headers.source_port,
                     address_text(headers.destination(), headers.version), headers.destination_port);
}

RssProof prove_symmetry(const RssSetup& setup) {
  constexpr std::size_t usual_entries = 128;
  std::vector<std::uint16_t> table{setup.redirection.begin(), setup.redirection.end()};
  if (table.empty()) table = redirection_in_turn(std::max<std::size_t>(usual_entries, setup.queues), setup.queues);
  Spread spread;
  if (const auto why = why_not(setup, table, spread); !why.empty()) return {false, "RSS fails its proof: " + why};
  const auto [least, most] = std::ranges::minmax(spread.hit);
  return {true, fmt::format("RSS is symmetric: {} sample flows hash the same both ways; each of {} queues gets {:.1f} "
                            "to {:.1f} % of them",
                            samples, setup.queues, 100.0 * least / samples, 100.0 * most / samples)};
}

}  // namespace weir::capture
