// SPDX-License-Identifier: BSD-3-Clause
// From a worker to the exporter: ended records by copy, a ring for each address family. The worker never waits; what
// does not fit is counted.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <weir/record.hpp>

#include "base/spsc_ring.hpp"
#include "flow/ended.hpp"

namespace weir::app {

class Outlet {
 public:
  static constexpr unsigned families = 2;  ///< 0: IPv4, 1: IPv6

  /// Room for `records` of each family. Throws std::bad_alloc. The layouts outlive it.
  Outlet(std::size_t records, std::span<const RecordLayout, families> layouts)
      : layouts_{layouts}, rings_{SpscRing{records, layouts[0].octets}, SpscRing{records, layouts[1].octets}} {}

  void touch() noexcept {
    for (auto& ring : rings_) ring.touch();
  }

  /// Worker: hands over what there is room for, empties `ended`, and returns what there was no room for.
  Totals take(flow::Ended& ended) noexcept {
    Totals lost;
    for (unsigned family = 0; family < families; ++family) {
      const auto records = ended.of(family);
      for (auto i = rings_[family].push(records.records.data(), records.size()); i < records.size(); ++i)
        lost += layouts_[family].totals(records[i]);
    }
    ended.clear();
    return lost;
  }

  /// Worker: whether all of `ended` fits now.
  bool has_room_for(const flow::Ended& ended) const noexcept {
    for (unsigned family = 0; family < families; ++family)
      if (rings_[family].capacity() - rings_[family].size() < ended.of(family).size()) return false;
    return true;
  }

  /// Worker: whether so many of each family fit now.
  bool has_room_for(std::size_t records) const noexcept {
    return std::ranges::all_of(rings_, [records](const auto& r) { return r.capacity() - r.size() >= records; });
  }

  /// Exporter: records of one family that wait; pop() gives them back.
  EndedRecords front(unsigned family) noexcept { return {&layouts_[family], rings_[family].front()}; }
  void pop(unsigned family, std::size_t records) noexcept { rings_[family].pop(records); }

  /// Of each family.
  std::size_t capacity() const noexcept { return rings_[0].capacity(); }
  /// Records that wait, as of a moment ago.
  std::size_t size() const noexcept { return rings_[0].size() + rings_[1].size(); }

 private:
  std::span<const RecordLayout, families> layouts_;
  std::array<SpscRing, families> rings_;
};

}  // namespace weir::app
