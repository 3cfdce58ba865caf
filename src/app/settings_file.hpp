// SPDX-License-Identifier: BSD-3-Clause
// YAML → a flat list of names and values with the lines they stand in. Knows the syntax, not the settings.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::app {

struct Assignment {
  std::string name;  ///< dotted: "flow.timeout_idle"
  std::vector<std::string> values;
  enum class Shape { scalar, list } shape = Shape::scalar;
  std::string where;  ///< "weir.yaml:12" or "--set"
};

inline constexpr std::size_t settings_file_octets_max = 1 << 20;

/// Throws StartError where the text is not a map of settings: wrong YAML, a name twice, anchors, nests too deep ….
std::vector<Assignment> read_assignments(std::string_view text, const std::string& file_name);

/// A whole file; StartError if it cannot be read or is larger than any settings are.
std::string read_settings_file(const std::string& file_name);

}  // namespace weir::app
