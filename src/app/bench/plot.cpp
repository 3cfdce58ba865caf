// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace weir::app::bench {
namespace {

constexpr double width = 820, height = 480, left = 70, right = 190, top = 70, bottom = 60;

/// Text between tags, XML 1.0 §2.4.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

/// "1 k", "16 M": powers of two as people call them.
std::string binary(double number) {
  constexpr double k = 1024;
  if (number >= k * k) return fmt::format("{:g} M", number / k / k);
  if (number >= k) return fmt::format("{:g} k", number / k);
  return fmt::format("{:g}", number);
}

/// 1, 2 or 5 times a power of ten, so that the axis has four to ten steps.
double step_for(double most) {
  const auto power = std::pow(10, std::floor(std::log10(most / 4)));
  for (const double step : {5., 2.})
    if (most / (step * power) >= 4) return step * power;
  return power;
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot) : plot_{plot} {
    double most = 0;
    for (const auto& series : plot.series)
      for (const auto& point : series.points) {
        x_first_ = std::min(x_first_, std::log2(point.x));
        x_last_ = std::max(x_last_, std::log2(point.x));
        most = std::max(most, point.y.most);
      }
    if (x_last_ <= x_first_) x_last_ = x_first_ + 1;
    step_ = step_for(std::max(most, 1e-3));
    y_last_ = std::ceil(most * 1.02 / step_) * step_;
  }

  std::string draw() {
    put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
        width, height);
    text(left, 28, "start", plot_.title, " font-size=\"17\"");
    text(left, 48, "start", plot_.subtitle, " fill=\"#555\"");
    axes();
    double legend = top + 10;
    for (const auto& series : plot_.series) {
      line(series);
      put("<line x1=\"{0}\" y1=\"{1}\" x2=\"{2}\" y2=\"{1}\" stroke=\"{3}\" stroke-width=\"2.5\"/>\n",
          width - right + 14, legend, width - right + 40, series.colour);
      text(width - right + 46, legend + 4, "start", series.name);
      legend += 22;
    }
    return std::move(out_) + "</svg>\n";
  }

 private:
  template <class... Parts>
  void put(fmt::format_string<Parts...> format, Parts&&... parts) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Parts>(parts)...);
  }
  void text(double x, double y, const char* anchor, const std::string& words, const std::string& more = {}) {
    put("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more, escaped(words));
  }
  double x_of(double x) const {
    return left + (std::log2(x) - x_first_) / (x_last_ - x_first_) * (width - left - right);
  }
  double y_of(double y) const { return height - bottom - y / y_last_ * (height - top - bottom); }

  void axes() {
    for (double y = 0; y <= y_last_ + step_ / 2; y += step_) {
      put("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"{3}\"/>\n", left, y_of(y),
          width - right, y == 0 ? "#333" : "#ddd");
      text(left - 8, y_of(y) + 4, "end", fmt::format("{:g}", y));
    }
    for (double power = std::ceil(x_first_); power <= x_last_; power += 2) {
      const auto x = std::exp2(power);
      put("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"#333\"/>\n", x_of(x),
          height - bottom, height - bottom + 5);
      text(x_of(x), height - bottom + 20, "middle", binary(x));
    }
    put("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\" stroke=\"#333\"/>\n", left, top, height - bottom);
    text((left + width - right) / 2, height - 14, "middle", plot_.x_label);
    text(18, (top + height - bottom) / 2, "middle", plot_.y_label,
         fmt::format(" transform=\"rotate(-90 18 {:.1f})\"", (top + height - bottom) / 2));
  }

  void line(const PlotSeries& series) {
    std::string corners;
    for (const auto& [x, y] : series.points) corners += fmt::format("{:.1f},{:.1f} ", x_of(x), y_of(y.median));
    put("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.5\"/>\n", corners, series.colour);
    for (const auto& [x, y] : series.points) {
      put("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\"/>\n", x_of(x),
          y_of(y.least), y_of(y.most), series.colour);
      put("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\"><title>{}: {:.2f}</title></circle>\n", x_of(x),
          y_of(y.median), series.colour, escaped(series.name), y.median);
    }
  }

  const Plot& plot_;
  double x_first_ = 64, x_last_ = 0, y_last_ = 1, step_ = 1;
  std::string out_;
};

}  // namespace

std::string svg_of(const Plot& plot) { return Drawing{plot}.draw(); }

}  // namespace weir::app::bench
