// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/catalogue.hpp"

#include <algorithm>
#include <weir/message.hpp>

#include "base/assert.hpp"

namespace weir::ipfix {

Catalogue::Catalogue(std::span<const RecordLayout> layouts, Run run) {
  for (const auto& layout : layouts) add(layout);
  for (std::size_t i = 0; i < options_count; ++i) {
    const auto option = static_cast<Option>(i);
    const auto shape = shape_of(option);
    const auto planned = shape.stored_octets > 0 ? shape.fields : std::span<const Field>{};
    option_plans_.emplace_back(planned, shape.stored_octets);
    const bool seldom = option == Option::port_losses || std::ranges::count(options_of_sampling, option) > 0;
    if (!seldom) announce(option);
  }
  if (run == Run::live) announce(Option::port_losses);
  for (const auto option : options_of_sampling) announce(option);
  for (const auto& flow_template : flow_templates_)
    flow_octets_max_ = std::max(flow_octets_max_, flow_template.plan.octets_max());
  record_octets_max_ = std::max(record_octets_max_, flow_octets_max_);
  for (const auto& plan : option_plans_) record_octets_max_ = std::max(record_octets_max_, plan.octets_max());
  for (const auto& announcement : announcements_)
    record_octets_max_ = std::max(record_octets_max_, announcement.record.size());
}

void Catalogue::add(const RecordLayout& layout) {
  layouts_.push_back({&layout, flow_templates_.size(), layout.templates.size()});
  for (const auto& made_of : layout.templates) {
    const TemplateId id{static_cast<std::uint16_t>(flow_template_first.value + flow_templates_.size())};
    WEIR_ASSERT(id < option_template_first);
    flow_templates_.push_back({id, EncodePlan{made_of.fields, layout.octets}, flow_key_indicator(made_of.fields)});
    announcements_.push_back({template_set, template_record(id, made_of.fields)});
  }
}

void Catalogue::announce(Option option) {
  const auto shape = shape_of(option);
  announcements_.push_back({options_template_set, options_template_record(id_of(option), shape.fields, shape.scopes)});
}

std::span<const FlowTemplate> Catalogue::of(const RecordLayout* layout) const noexcept {
  for (const auto& known : layouts_)
    if (known.layout == layout) return std::span{flow_templates_}.subspan(known.first, known.count);
  return {};
}

}  // namespace weir::ipfix
