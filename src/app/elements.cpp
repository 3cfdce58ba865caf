// SPDX-License-Identifier: BSD-3-Clause
#include "app/elements.hpp"

#include <fmt/format.h>

#include "flow/elements.hpp"

namespace weir::app {
namespace {

/// Whether the found source gives a value to this very element.
bool means_something(const flow::FoundSource& found) noexcept {
  return found.source != nullptr && !(found.reverse && found.source->is(flow::trait::whole));
}

bool is_derived_reverse(const Element& element) noexcept { return element.name.starts_with("reverse"); }

bool can_be_reversed(const Element& element, const flow::ElementSource& source) noexcept {
  const bool in_registry =
      element.pen == enterprise::iana || element.pen == enterprise::cert || element.pen == enterprise::own;
  return in_registry && !source.is(flow::trait::whole);
}

}  // namespace

std::vector<ElementRow> element_rows() {
  std::vector<ElementRow> rows;
  for (const auto& element : all_elements()) {
    const auto found = flow::find_source(element.name);
    if (!means_something(found) || found.source->how == flow::How::refused) continue;
    if (found.reverse && is_derived_reverse(element)) continue;
    if (find_element(element.name) != &element) continue;  // the name is another enterprise's
    const bool both = !found.reverse && can_be_reversed(element, *found.source);
    rows.push_back({&element, found.source->zero, both});
  }
  return rows;
}

std::span<const std::string_view> element_names() {
  static const auto names = [] {
    std::vector<std::string_view> all;
    for (const auto& element : all_elements())
      if (means_something(flow::find_source(element.name))) all.push_back(element.name);
    return all;
  }();
  return names;
}

std::string_view registry_of(const Element& element) noexcept {
  switch (element.pen) {
    case enterprise::iana: return "IANA";
    case enterprise::cert: return "CERT";
    case enterprise::cesnet: return "CESNET";
    case enterprise::flowmon: return "Flowmon";
    case enterprise::reverse: return "RFC 5103";
    case enterprise::own: return "weir";
    default: return "";
  }
}

std::string elements_as_markdown(std::span<const ElementRow> rows) {
  std::string out = "| element | number | registry | type | unit | 0 means |\n|---|---|---|---|---|---|\n";
  for (const auto& [element, zero, has_reverse] : rows)
    out += fmt::format("| {}{} | {}/{} | {} | {} | {} | {} |\n", element->name, has_reverse ? " ⇄" : "", element->pen,
                       element->id, registry_of(*element), data_type_names[static_cast<std::size_t>(element->type)],
                       element->units, zero);
  return out;
}

}  // namespace weir::app
