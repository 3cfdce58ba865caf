// SPDX-License-Identifier: BSD-3-Clause
// A plain line plot as SVG: powers of two on a logarithmic x axis, y from 0, a legend. Values in, text out.
#pragma once

#include <string>
#include <vector>

#include "app/bench/figure.hpp"

namespace weir::app::bench {

struct PlotPoint {
  double x = 0;  ///< over 0
  Figure y;      ///< the line goes through medians; a bar shows least to most
};

struct PlotSeries {
  std::string name, colour;
  std::vector<PlotPoint> points;
};

struct Plot {
  std::string title, subtitle, x_label, y_label;
  std::vector<PlotSeries> series;  ///< at least one point in all
};

std::string svg_of(const Plot& plot);

}  // namespace weir::app::bench
