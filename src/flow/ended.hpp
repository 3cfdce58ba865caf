// SPDX-License-Identifier: BSD-3-Clause
// Room for the records that end while a slice of packets is metered: taken once, emptied by who hands them on, used
// again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <weir/record.hpp>

#include "base/assert.hpp"

namespace weir::flow {

class Ended {
 public:
  /// A packet can end one record of its own flow, and a whole tag line when it needs a place.
  static constexpr std::size_t records_per_packet = 12;

  Ended(std::size_t records, const RecordLayout& ipv4, const RecordLayout& ipv6)
      : parts_{Part{ipv4, records}, Part{ipv6, records}} {}

  /// Memory for one more record of a pool (0: IPv4, 1: IPv6).
  std::byte* push(unsigned pool) noexcept {
    auto& part = parts_[pool];
    WEIR_ASSERT(part.used < part.octets);
    auto* at = part.memory.get() + part.used;
    part.used += part.layout->octets;
    return at;
  }

  /// Records that still fit, whatever their kind.
  std::size_t room() const noexcept { return std::min(room_of(0), room_of(1)); }
  EndedRecords of(unsigned pool) const noexcept {
    return {parts_[pool].layout, Bytes{parts_[pool].memory.get(), parts_[pool].used}};
  }
  void clear() noexcept { parts_[0].used = parts_[1].used = 0; }

 private:
  struct Part {
    Part(const RecordLayout& of, std::size_t records)
        : layout{&of},
          octets{records * of.octets},
          memory{std::make_unique_for_overwrite<std::byte[]>(octets)} {}  // untouched until it is needed
    const RecordLayout* layout;
    std::size_t octets, used = 0;
    std::unique_ptr<std::byte[]> memory;
  };
  std::size_t room_of(unsigned pool) const noexcept {
    return (parts_[pool].octets - parts_[pool].used) / parts_[pool].layout->octets;
  }
  std::array<Part, 2> parts_;
};

}  // namespace weir::flow
