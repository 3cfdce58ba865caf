// SPDX-License-Identifier: BSD-3-Clause
// The bar that a person watches. Time is an argument; what is returned goes to the terminal as it is.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace weir::app {

class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `octets_total` is 0 where it is unknown (standard input).
  Progress(Time start, std::uint64_t octets_total) noexcept : start_{start}, octets_total_{octets_total} {}

  /// Called as often as you like: nothing in the first second, then at most five times a second.
  std::string_view update(Time now, std::uint64_t octets, std::uint64_t packets) noexcept;

  /// At the end: wipes the bar if there is one.
  std::string_view clear() noexcept;

 private:
  Time start_;
  std::uint64_t octets_total_;
  Time next_ = start_ + std::chrono::seconds{1};
  bool shown_ = false;
  std::array<char, 160> text_{};
};

/// Whether a person watches standard error.
bool watched() noexcept;

/// To standard error, at once.
void show(std::string_view text) noexcept;

}  // namespace weir::app
