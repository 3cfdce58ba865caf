// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <weir/message.hpp>

#include "base/assert.hpp"
#include "ipfix/type_information.hpp"

namespace weir::ipfix {

Catalogue::Catalogue(std::span<const RecordLayout> layouts, const CatalogueOptions& options) {
  for (const auto& layout : layouts) add(layout, options.common_properties);
  for (std::size_t i = 0; i < options_count; ++i) {
    const auto option = static_cast<Option>(i);
    const auto shape = shape_of(option);
    const auto planned = shape.stored_octets > 0 ? shape.fields : std::span<const Field>{};
    option_plans_.emplace_back(planned, shape.stored_octets);
    const bool seldom = option == Option::port_losses || option == Option::type_information ||
                        std::ranges::count(options_of_sampling, option) > 0;
    if (!seldom) announce(option, announcements_);
    note_length(option_plans_.back().octets_max(), "a record of options");
  }
  if (options.run == Run::live) announce(Option::port_losses, announcements_);
  describe_properties();
  if (options.types) describe_types(*options.types);
  for (const auto option : options_of_sampling) announce(option, announcements_);
}

void Catalogue::note_length(std::size_t octets, const std::string& what) {
  if (octets > longest_.octets) longest_ = {octets, what};
}

void Catalogue::add(const RecordLayout& layout, bool common_properties) {
  layouts_.push_back({&layout, flow_templates_.size(), layout.templates.size()});
  for (const auto& made_of : layout.templates) {
    const TemplateId id{static_cast<std::uint16_t>(flow_template_first.value + flow_templates_.size())};
    WEIR_ASSERT(id < option_template_first);
    auto fields = made_of.fields;
    if (common_properties) share_constants(fields, properties_);
    flow_templates_.push_back({id, EncodePlan{fields, layout.octets}, flow_key_indicator(fields)});
    announcements_.push_back({template_set, template_record(id, fields)});
    const auto named = fmt::format("template {} ({}, {} fields)", id.value, made_of.name, fields.size());
    note_length(announcements_.back().record.size(), named);
    note_length(flow_templates_.back().plan.octets_max(), "a record of " + named);
    flow_octets_max_ = std::max(flow_octets_max_, flow_templates_.back().plan.octets_max());
    announced_.push_back(std::move(fields));
  }
}

void Catalogue::announce(Option option, std::vector<Told>& among) {
  const auto shape = shape_of(option);
  among.push_back({options_template_set, options_template_record(id_of(option), shape.fields, shape.scopes)});
  note_length(among.back().record.size(), "a template of options");
}

void Catalogue::describe_properties() {
  constexpr std::array<std::byte, 16> nothing{};  // constants only: there is no record behind them
  for (const auto& set : properties_) {
    const auto number = option_template_first.value + options_count + properties_told_.size();
    const TemplateId id{static_cast<std::uint16_t>(number)};
    announcements_.push_back({options_template_set, options_template_record(id, set.fields, 1)});
    const EncodePlan plan{set.fields, nothing.size()};
    properties_told_.push_back({id.value, std::vector<std::byte>(plan.octets_max())});
    plan.encode(nothing.data(), properties_told_.back().record.data());
    note_length(announcements_.back().record.size(), "a template of common properties");
    note_length(plan.octets_max(), "a record of common properties");
  }
}

/// RFC 5610 §3.9: each element once, in the order of the templates.
void Catalogue::describe_types(const Vocabulary& words) {
  std::vector<Element> described;
  const auto is_described = [&](const Field& field) {
    return std::ranges::any_of(described,
                               [&](const Element& known) { return known.pen == field.pen && known.id == field.id; });
  };
  const auto describe = [&](std::span<const Field> fields) {
    for (const auto& field : fields) {
      if (!needs_type_information(field.pen) || is_described(field)) continue;
      const auto known = find(words, field.pen, field.id);
      if (known) described.push_back(known->element);
    }
  };
  for (const auto& fields : announced_) describe(fields);
  for (const auto& set : properties_) describe(set.fields);
  if (described.empty()) return;
  announce(Option::type_information, types_);
  for (const auto& element : described) {
    types_.push_back({id_of(Option::type_information).value, type_information(element)});
    note_length(types_.back().record.size(), fmt::format("the name {}", element.name));
  }
}

std::span<const FlowTemplate> Catalogue::of(const RecordLayout* layout) const noexcept {
  for (const auto& known : layouts_)
    if (known.layout == layout) return std::span{flow_templates_}.subspan(known.first, known.count);
  return {};
}

}  // namespace weir::ipfix
