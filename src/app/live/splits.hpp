// SPDX-License-Identifier: BSD-3-Clause
// Flows that two workers metered: watched at the exporter, where all records meet, as the last proof that a port's
// spreading keeps both directions of a flow together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "base/hash.hpp"
#include "base/pages.hpp"

namespace weir::app {

/// Addresses in network order (IPv4's in the first halves of their two words), then ports, VLAN, protocol and version.
using CanonicalWords = std::array<std::uint64_t, 5>;

/// An ended record's key, the same for both directions of a flow: the end with the lower (address, port) comes first.
/// ICMP's type and code are left out: no port spreads by them, and an answer has others.
class CanonicalKey {
 public:
  explicit CanonicalKey(const RecordLayout& layout);

  CanonicalWords operator()(const std::byte* record) const noexcept;

 private:
  struct Number {
    std::uint16_t offset = 0;
    std::uint8_t octets = 0;  ///< 0: not in the record
    std::uint64_t read(const std::byte* record) const noexcept;
  };
  struct Side {
    std::uint16_t address_at = 0;
    Number port;
  };
  std::array<std::uint64_t, 2> address(const Side& side, const std::byte* record) const noexcept;
  void place(const Field& field);

  std::size_t address_octets_ = 0;
  std::array<Side, 2> sides_;
  Number vlan_, protocol_;
};

/// A bounded table of the keys seen within one window (the active timeout: a flow that two workers meter leaves records
/// from both within it). A key of which a full line remembers nothing more cannot be found split: `overwritten` says
/// how often that may have been. Two keys are taken for one where all 64 bits of their keyed hashes agree: with 2^20
/// entries once in 2^44 records.
class Splits {
 public:
  struct Counts {
    std::uint64_t records = 0;      ///< observed
    std::uint64_t keys_seen = 0;    ///< that were not in the table, or not within the window
    std::uint64_t split = 0;        ///< of those: came from a second worker too; counted once until a window is silent
    std::uint64_t overwritten = 0;  ///< forgotten within the window, to make room
  };

  /// All memory is taken here: 16 octets an entry, rounded up to lines of four.
  Splits(std::size_t entries, nanoseconds timeout_active, std::uint64_t hash_key);

  /// After a reload; keys that are there are judged by it, too. Called by who observes.
  void set_window(nanoseconds timeout_active) noexcept;

  void observe(const CanonicalWords& key, unsigned worker, Instant now) noexcept;

  const Counts& counts() const noexcept { return counts_; }
  std::size_t octets() const noexcept { return memory_.size(); }

 private:
  /// `seen`: milliseconds since 1970 in the upper 48 bits, then who; all 0: empty.
  struct Entry {
    std::uint64_t hash, seen;
  };
  struct alignas(64) Line {
    std::array<Entry, 4> entries;
  };
  static_assert(sizeof(Line) == 64, "one look, one cache line");

  Line& line_of(std::uint64_t hash) const noexcept;
  bool within_window(const Entry& entry, std::uint64_t now) const noexcept;
  void meet(Entry& entry, std::uint64_t who, std::uint64_t now) noexcept;
  void begin(Entry& entry, std::uint64_t hash, std::uint64_t who, std::uint64_t now) noexcept;

  KeyedHash hash_;
  std::uint64_t window_;  ///< milliseconds
  std::uint32_t lines_;
  Pages memory_;
  Counts counts_;
};

}  // namespace weir::app
