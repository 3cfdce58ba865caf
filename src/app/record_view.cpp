// SPDX-License-Identifier: BSD-3-Clause
#include "app/record_view.hpp"

#include "base/assert.hpp"
#include "ipfix/reader_templates.hpp"

namespace weir::app {

RecordView::Shown::Shown(const RecordTemplate& from, const RecordLayout& in, std::uint64_t serial)
    : layout{.serial = serial}, plan{from.fields, in.octets}, octets(plan.octets_max()) {
  for (const auto& field : from.fields)
    layout.fields.push_back({field.pen, field.id, field.octets, find_element(field.pen, field.id)});
}

RecordView::RecordView(std::span<const RecordLayout> layouts) {
  std::uint64_t serial = 0;
  for (const auto& layout : layouts) {
    auto& family = families_.emplace_back(Family{&layout, {}});
    for (const auto& each : layout.templates) family.templates.emplace_back(each, layout, serial++);
  }
}

ipfix::Record RecordView::of(std::size_t which, const std::byte* record) {
  auto& family = families_[which];
  auto& shown = family.templates[family.layout->end_of(record).which_template];
  const auto octets = shown.plan.encode(record, shown.octets.data());
  Cursor at{Bytes{shown.octets}.first(octets)};
  WEIR_ASSERT(ipfix::take_record(at, shown.layout, shown.values));
  return {message_, shown.layout, shown.values, no_templates_};
}

}  // namespace weir::app
