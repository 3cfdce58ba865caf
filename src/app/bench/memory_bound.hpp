// SPDX-License-Identifier: BSD-3-Clause
// What no meter can do without: to reach one record in a table and write to it. Updates of random records' lines, each
// prefetched well ahead, nothing else: as fast as this machine's memory lets them be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/pages.hpp"
#include "capture/synthetic.hpp"

namespace weir::app::bench {

class MemoryBound {
 public:
  /// A table of as many records as the traffic has flows, `record_octets` each, whole lines. Throws std::bad_alloc.
  MemoryBound(const capture::SyntheticOptions& traffic, std::size_t record_octets);

  /// Nanoseconds of CPU that an update takes, over so many of them as a stretch has packets, at most a million.
  double measure() noexcept;
  /// Every update is in the table, once.
  bool right() const noexcept;

 private:
  std::size_t octets_, records_;
  Pages table_;
  std::vector<std::uint32_t> order_;
  capture::Random random_;
  capture::PopularityDraw draw_;
  std::uint64_t updates_ = 0;
};

}  // namespace weir::app::bench
