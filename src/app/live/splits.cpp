// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/splits.hpp"

#include <algorithm>
#include <cstring>
#include <weir/headers.hpp>

#include "base/assert.hpp"

namespace weir::app {
namespace {

/// IANA's Information Elements.
enum Element : std::uint16_t {
  protocol_identifier = 4,
  source_port = 7,
  source_ipv4_address = 8,
  destination_port = 11,
  destination_ipv4_address = 12,
  source_ipv6_address = 27,
  destination_ipv6_address = 28,
  vlan_id = 58,
};

constexpr std::uint64_t who_bits = 0xffff, several = who_bits;

constexpr std::uint64_t stamped(std::uint64_t now, std::uint64_t who) noexcept { return now << 16 | who; }

/// A timeout of 0 ends a record with each packet; a second is then what two workers' records may lie apart.
constexpr nanoseconds window_min = std::chrono::seconds{1};

std::uint64_t window_of(nanoseconds timeout_active) noexcept {
  return static_cast<std::uint64_t>(std::max(timeout_active, window_min).count()) / 1'000'000;
}

}  // namespace

std::uint64_t CanonicalKey::Number::read(const std::byte* record) const noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = octets; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(record[offset + i]);
  return value;
}

CanonicalKey::CanonicalKey(const RecordLayout& layout) {
  for (const auto& field : layout.places) place(field);
}

void CanonicalKey::place(const Field& field) {
  const Number number{field.offset, field.stored};
  switch (field.id) {
    case source_ipv4_address:
    case source_ipv6_address:
      address_octets_ = field.octets;
      sides_[0].address_at = field.offset;
      break;
    case destination_ipv4_address:
    case destination_ipv6_address: sides_[1].address_at = field.offset; break;
    case source_port: sides_[0].port = number; break;
    case destination_port: sides_[1].port = number; break;
    case vlan_id: vlan_ = number; break;
    case protocol_identifier: protocol_ = number; break;
    default: break;
  }
}

std::array<std::uint64_t, 2> CanonicalKey::address(const Side& side, const std::byte* record) const noexcept {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), record + side.address_at, address_octets_);
  return words;
}

CanonicalWords CanonicalKey::operator()(const std::byte* record) const noexcept {
  const auto protocol = protocol_.read(record);
  const bool is_icmp = protocol == protocol::icmp || protocol == protocol::icmpv6;
  struct End {
    std::array<std::uint64_t, 2> address;
    std::uint64_t port;
    auto operator<=>(const End&) const = default;
  };
  const auto end = [&](const Side& side) { return End{address(side, record), is_icmp ? 0 : side.port.read(record)}; };
  const auto [low, high] = std::minmax({end(sides_[0]), end(sides_[1])});
  return {low.address[0], low.address[1], high.address[0], high.address[1],
          low.port | high.port << 16 | vlan_.read(record) << 32 | protocol << 48 | address_octets_ << 56};
}

Splits::Splits(std::size_t entries, nanoseconds timeout_active, std::uint64_t hash_key)
    : hash_{hash_key},
      window_{window_of(timeout_active)},
      lines_{static_cast<std::uint32_t>(std::max<std::size_t>(1, (entries + 3) / 4))},
      memory_{lines_ * sizeof(Line)} {
  std::memset(memory_.data(), 0, memory_.size());  // now, not with the first records
}

Splits::Line& Splits::line_of(std::uint64_t hash) const noexcept {
  return reinterpret_cast<Line*>(memory_.data())[(hash & 0xffff'ffffu) * lines_ >> 32];
}

void Splits::set_window(nanoseconds timeout_active) noexcept { window_ = window_of(timeout_active); }

/// Workers' clocks differ a little: what was seen after `now` is within it.
bool Splits::within_window(const Entry& entry, std::uint64_t now) const noexcept {
  return entry.seen != 0 && now < (entry.seen >> 16) + window_;
}

void Splits::observe(const CanonicalWords& key, unsigned worker, Instant now) noexcept {
  WEIR_ASSERT(worker + 1 < several);
  ++counts_.records;
  const auto hash = hash_(key), who = std::uint64_t{worker} + 1, at = milliseconds_since_epoch(now);
  auto& entries = line_of(hash).entries;
  for (auto& entry : entries)
    if (entry.hash == hash && within_window(entry, at)) return meet(entry, who, at);
  begin(*std::ranges::min_element(entries, {}, &Entry::seen), hash, who, at);
}

void Splits::meet(Entry& entry, std::uint64_t who, std::uint64_t now) noexcept {
  const auto before = entry.seen & who_bits;
  const bool splits_now = before != who && before != several;
  counts_.split += splits_now;
  entry.seen = stamped(std::max(now, entry.seen >> 16), before == who ? who : several);
}

void Splits::begin(Entry& entry, std::uint64_t hash, std::uint64_t who, std::uint64_t now) noexcept {
  ++counts_.keys_seen;
  counts_.overwritten += within_window(entry, now);
  entry = {hash, stamped(now, who)};
}

}  // namespace weir::app
