// SPDX-License-Identifier: BSD-3-Clause
// JSON as aligned lines for people: `name.of.member  value`, and a table for each list of objects.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace weir::app {

std::string lines_of(const nlohmann::ordered_json& json);

}  // namespace weir::app
