// SPDX-License-Identifier: BSD-3-Clause
#include "app/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace weir::app {
namespace {

constexpr auto between_updates = std::chrono::milliseconds{200};
constexpr int bar_columns = 30;
constexpr std::string_view filled = "==============================";
static_assert(filled.size() == bar_columns);

struct Left {
  long long minutes, seconds;
};
Left time_left(double elapsed_s, double share) noexcept {
  constexpr double a_year = 31'536'000;  // also where nothing has been read yet
  const auto s = share > 0 ? std::min(elapsed_s * (1 - share) / share, a_year) : a_year;
  const auto whole = static_cast<long long>(s + 0.5);
  return {whole / 60, whole % 60};
}

}  // namespace

std::string_view Progress::update(Time now, std::uint64_t octets, std::uint64_t packets) noexcept {
  if (now < next_) return {};
  next_ = now + between_updates;
  shown_ = true;
  const auto elapsed_s = std::chrono::duration<double>(now - start_).count();
  const auto rate = static_cast<double>(packets) / elapsed_s / 1e6;
  int length = 0;
  if (octets_total_ == 0) {
    length = std::snprintf(text_.data(), text_.size(), "\r%llu packets, %.2f M packets/s\x1b[K",
                           static_cast<unsigned long long>(packets), rate);
  } else {
    const auto share = std::min(1.0, static_cast<double>(octets) / static_cast<double>(octets_total_));
    const auto left = time_left(elapsed_s, share);
    const auto columns = static_cast<int>(share * bar_columns);
    length = std::snprintf(text_.data(), text_.size(), "\r%3d %% [%.*s%*s] %.2f M packets/s, %lld:%02lld left\x1b[K",
                           static_cast<int>(share * 100), columns, filled.data(), bar_columns - columns, "", rate,
                           left.minutes, left.seconds);
  }
  return {text_.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text_.size() - 1)};
}

std::string_view Progress::clear() noexcept { return std::exchange(shown_, false) ? "\r\x1b[K" : ""; }

bool watched() noexcept { return ::isatty(STDERR_FILENO) == 1; }

void show(std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace weir::app
