// SPDX-License-Identifier: BSD-3-Clause
// The processor's own counters, where the machine gives them: cycles, instructions, misses of the last cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace weir::app::bench {

inline constexpr std::array<std::string_view, 3> event_names{"cycles", "instructions", "cache_misses"};
inline constexpr std::size_t events = event_names.size();
using EventCounts = std::array<std::uint64_t, events>;

class Counters {
 public:
  /// Of the thread that calls, outside of the kernel, from now on.
  Counters();

  /// Why there are none; empty where there are.
  const std::string& trouble() const noexcept { return trouble_; }
  EventCounts read() const noexcept;

 private:
  std::array<Descriptor, events> group_;  ///< the first one reads them all
  std::string trouble_;
};

}  // namespace weir::app::bench
