// SPDX-License-Identifier: BSD-3-Clause
#include "app/json_lines.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "app/human.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

constexpr std::size_t depth_max = 8;  // what lies deeper is shown as JSON

bool is_table(const Json& json) {
  return json.is_array() && !json.empty() && std::ranges::all_of(json, [](const Json& row) { return row.is_object(); });
}

std::string value_text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_unsigned()) return grouped(json.get<std::uint64_t>());
  if (json.is_boolean()) return json.get<bool>() ? "yes" : "no";
  if (json.is_null()) return "-";
  const bool plain =
      json.is_array() && std::ranges::none_of(json, [](const Json& item) { return item.is_structured(); });
  if (!plain) return json.dump();
  std::string items;
  for (const auto& item : json) items.append(items.empty() ? "" : ", ").append(value_text(item));
  return items.empty() ? "-" : items;
}

void append_aligned(std::string& out, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) out += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    out += (row.empty() ? "" : row.back()) + "\n";
  }
}

/// Columns are the members of all rows, in the order in which they first come.
void append_table(std::string& out, const Json& list) {
  std::vector<Row> rows(1);
  auto& titles = rows[0];
  for (const auto& object : list)
    for (const auto& member : object.items())
      if (std::ranges::find(titles, member.key()) == titles.end()) titles.push_back(member.key());
  for (const auto& object : list) {
    Row row;
    for (const auto& title : rows[0]) row.push_back(object.contains(title) ? value_text(object[title]) : "-");
    rows.push_back(std::move(row));
  }
  append_aligned(out, rows);
}

struct Gathered {
  std::vector<Row> lines;
  std::vector<std::pair<std::string, const Json*>> tables;
};

void gather(const Json& json, const std::string& name, std::size_t depth, Gathered& to) {
  if (json.is_object() && !json.empty() && depth < depth_max) {
    for (const auto& member : json.items())
      gather(member.value(), name.empty() ? member.key() : name + "." + member.key(), depth + 1, to);
  } else if (is_table(json)) {
    to.tables.emplace_back(name, &json);
  } else {
    to.lines.push_back({name, value_text(json)});
  }
}

}  // namespace

std::string lines_of(const Json& json) {
  Gathered gathered;
  gather(json, "", 0, gathered);
  std::string out;
  append_aligned(out, gathered.lines);
  for (const auto& [name, table] : gathered.tables) {
    if (!out.empty()) out += "\n";
    if (!name.empty()) out += name + ":\n";
    append_table(out, *table);
  }
  return out;
}

}  // namespace weir::app
