// SPDX-License-Identifier: BSD-3-Clause
#include "app/record_view.hpp"

namespace weir::app {

RecordView::Shown::Shown(const RecordTemplate& from, const RecordLayout& in, std::uint64_t serial)
    : layout{.serial = serial}, plan{from.fields, in.octets}, octets(plan.octets()) {
  for (const auto& field : from.fields)
    layout.fields.push_back({field.pen, field.id, field.octets, find_element(field.pen, field.id)});
  std::size_t at = 0;
  for (const auto& field : layout.fields) {
    values.push_back({&field, Bytes{octets}.subspan(at, field.octets)});
    at += field.octets;
  }
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
  shown.plan.encode(record, shown.octets.data());
  return {message_, shown.layout, shown.values, no_templates_};
}

}  // namespace weir::app
