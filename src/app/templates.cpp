// SPDX-License-Identifier: BSD-3-Clause
#include "app/templates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/elements.hpp"
#include "base/error.hpp"
#include "ipfix/element_text.hpp"
#include "ipfix/template_text.hpp"

namespace weir::app {
namespace {

/// A number that the registry has elements of others under would give those two meanings.
void check_enterprise(std::uint32_t number) {
  const auto is_anothers = [number](const Element& element) {
    return element.pen == number && number != enterprise::own;
  };
  if (std::ranges::any_of(all_elements(), is_anothers))
    throw StartError{
        fmt::format("export.enterprise_number: {} has elements of its own; set it to your own number", number)};
}

}  // namespace

ipfix::Vocabulary vocabulary_of(const Settings& settings) {
  const auto& from = settings.exporter;
  check_enterprise(from.enterprise_number);
  ipfix::Vocabulary words{.enterprise = from.enterprise_number,
                          .biflow = settings.flow.direction == flow::FlowDirection::biflow,
                          .sources = element_names()};
  for (std::size_t i = 0; i < from.elements.size(); ++i) try {
      words.user.push_back(ipfix::user_element_from(from.elements[i], words));
    } catch (const StartError& error) {
      throw StartError{fmt::format("export.elements: element {}: {}", i + 1, error.what())};
    }
  return words;
}

std::vector<WantedTemplate> templates_of(const Settings& settings) {
  const auto words = vocabulary_of(settings);
  try {
    return ipfix::templates_from(settings.exporter.templates, words);
  } catch (const StartError& error) {
    throw StartError{fmt::format("export.templates: {}", error.what())};
  }
}

}  // namespace weir::app
