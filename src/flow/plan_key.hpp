// SPDX-License-Identifier: BSD-3-Clause
// flow.key → which words of a record's key count, for one family.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "flow/plan.hpp"

namespace weir::flow {

/// Where the compiled blocks of a family's records lie.
struct Blocks {
  unsigned family;  ///< 0: IPv4, 1: IPv6
  std::uint16_t address_octets;
  std::array<std::uint16_t, 2> direction_at;
  std::uint16_t end_at, octets;
  bool biflow;

  std::uint8_t version() const noexcept { return family == 0 ? 4 : 6; }
  std::uint16_t numbers_at() const noexcept { return static_cast<std::uint16_t>(2 * address_octets); }
  bool makes_sense(const ElementSource& source) const noexcept {
    return !source.is(family == 0 ? trait::only_6 : trait::only_4);
  }
};

/// The largest number of so many octets.
constexpr Word greatest(std::size_t octets) noexcept { return octets >= 8 ? ~Word{0} : (Word{1} << 8 * octets) - 1; }

struct PlannedKey {
  KeyPlan plan;
  std::map<const ElementSource*, std::uint8_t> word_of{};  ///< the first extra word of a key field
};

/// Throws StartError with the reason.
PlannedKey plan_key(const MeterOptions& options, const Blocks& at);

}  // namespace weir::flow
