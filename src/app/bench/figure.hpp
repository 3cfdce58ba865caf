// SPDX-License-Identifier: BSD-3-Clause
// What several rounds measured: the median, and how far they lie apart.
#pragma once

#include <algorithm>
#include <vector>

namespace weir::app::bench {

struct Figure {
  double median = 0, least = 0, most = 0;
};

/// Of no rounds: 0.
inline Figure figure_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  const auto median = values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

}  // namespace weir::app::bench
