// SPDX-License-Identifier: BSD-3-Clause
// Data Records of flows as they go on the wire (RFC 7011 §3.4.3), one behind another, and what each of them counts for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <weir/bytes.hpp>
#include <weir/record.hpp>
#include <weir/units.hpp>

#include "base/assert.hpp"
#include "ipfix/catalogue.hpp"
#include "ipfix/options.hpp"

namespace weir::ipfix {

class alignas(64) DataRecords {
 public:
  /// Room for so many, each of `octets_max` octets at most.
  DataRecords(std::size_t records, std::size_t octets_max)
      : octets_max_{octets_max},
        room_{records * taken_by(octets_max)},
        memory_{std::make_unique_for_overwrite<std::byte[]>(room_)} {}  // untouched until it is needed

  /// `write(out)` writes the record of template `id` to `out`, which has room for the longest, and returns its length.
  template <class Write>
  void add(TemplateId id, const Totals& totals, Write write) noexcept {
    WEIR_ASSERT(room_ - used_ >= taken_by(octets_max_));
    auto* at = memory_.get() + used_;
    const Head head{id, static_cast<std::uint32_t>(write(at + sizeof(Head))), totals};
    std::memcpy(at, &head, sizeof head);
    used_ += taken_by(head.octets);
  }

  /// All of `ended`, by their templates.
  void add(const Catalogue& catalogue, const EndedRecords& ended, const InterfaceNames& names) noexcept {
    catalogue.encode(ended, names, [this](TemplateId id, const Totals& totals, auto write) { add(id, totals, write); });
  }

  /// `use(id, record, totals)` in the order in which they were added.
  template <class Use>
  void each(Use use) const noexcept {
    for (std::size_t at = 0; at < used_;) {
      Head head;
      std::memcpy(&head, memory_.get() + at, sizeof head);
      use(head.id, Bytes{memory_.get() + at + sizeof head, head.octets}, head.totals);
      at += taken_by(head.octets);
    }
  }

  bool empty() const noexcept { return used_ == 0; }
  void clear() noexcept { used_ = 0; }

 private:
  struct Head {
    TemplateId id;
    std::uint32_t octets;
    Totals totals;
  };
  static constexpr std::size_t taken_by(std::size_t octets) noexcept {
    return sizeof(Head) + (octets + alignof(Head) - 1) / alignof(Head) * alignof(Head);
  }

  std::size_t octets_max_, room_, used_ = 0;
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace weir::ipfix
