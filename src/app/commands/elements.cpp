// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/elements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/commands/metering_line.hpp"
#include "app/elements.hpp"
#include "app/print.hpp"
#include "base/error.hpp"
#include "ipfix/profiles.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

struct CommandLine {
  std::string pattern;
  bool json = false, markdown = false;
};

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool contains(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

/// Any part of the name, or the number as it is written.
bool matches(const Element& element, std::string_view pattern) {
  return contains(element.name, pattern) || fmt::format("{}/{}", element.pen, element.id) == pattern ||
         fmt::format("{}", element.id) == pattern;
}

std::string_view type_of(const Element& element) noexcept {
  return data_type_names[static_cast<std::size_t>(element.type)];
}

std::string json_text(std::span<const ElementRow> rows) {
  std::string out;
  for (const auto& [element, zero, has_reverse] : rows)
    out += Json{{"name", element->name},     {"enterprise", element->pen},
                {"id", element->id},         {"registry", registry_of(*element)},
                {"type", type_of(*element)}, {"units", element->units},
                {"reverse", has_reverse},    {"zero", zero}}
               .dump() +
           "\n";
  return out;
}

std::string text_of(std::span<const ElementRow> rows) {
  std::string out;
  for (const auto& [element, zero, has_reverse] : rows)
    out += fmt::format("{:<36} {} {:>5}/{:<4} {:<7} {:<21} {:<12} {}\n", element->name, has_reverse ? "⇄" : " ",
                       element->pen, element->id, registry_of(*element), type_of(*element), element->units, zero);
  return out;
}

std::string profiles_text(std::string_view pattern) {
  std::string out;
  for (const auto& profile : ipfix::profiles())
    if (contains(profile.name, pattern)) out += fmt::format("{:<36}   {}\n", profile.name, profile.help);
  return out.empty() ? out : "\nprofiles\n" + out;
}

}  // namespace

int elements(int argc, char** argv) {
  CommandLine line;
  CLI::App app{
      "Lists what a template in the settings can name (export.templates): name, ⇄ where biflows have its "
      "reverse, enterprise and id, registry, type, unit, and what 0 means.",
      "weir elements"};
  app.add_option("PATTERN", line.pattern, "a part of a name, or a number");
  app.add_flag("--json", line.json, "a line of JSON for each");
  app.add_flag("--markdown", line.markdown, "the table of the README");
  if (const auto status = parse(app, argc, argv)) return *status;
  auto rows = element_rows();
  std::erase_if(rows, [&](const ElementRow& row) { return !matches(*row.element, line.pattern); });
  const auto text = line.json       ? json_text(rows)
                    : line.markdown ? elements_as_markdown(rows)
                                    : text_of(rows) + profiles_text(line.pattern);
  if (text.empty()) throw StartError{"no element and no profile has that in its name; try a shorter part of it"};
  return static_cast<int>(print(text));
}

}  // namespace weir::app
