// SPDX-License-Identifier: BSD-3-Clause
// A destination of a replay: everything waits for it, up to export.wait_max.
#include <algorithm>
#include <utility>

#include "app/destination.hpp"

namespace weir::app {

using std::chrono::milliseconds;
using transport::Sent;

constexpr milliseconds look_up{100};  ///< how long to sleep at most before seeing whether there was an interrupt

void Destination::finish() noexcept {
  stage_ = Stage::data;
  session_.owe_data();
  drain();
  stage_ = Stage::statistics;
  session_.owe_statistics();
  drain();
  stage_ = Stage::closing;
  if (!dead_) close();
  stage_ = Stage::ended;
}

void Destination::close() noexcept {
  waiting_ = false;
  auto answer = Sent::try_later;
  while (true) {
    answer = std::visit([](auto& channel) { return channel.finish(); }, channel_);
    if (answer != Sent::try_later || !wait_some_more()) break;
  }
  closed(answer);
}

/// False: it has taken nothing for as long as we wait.
bool Destination::wait_some_more() noexcept {
  const auto waited = time_without_progress();
  const bool is_short = was_interrupted() || owes_no_more_records();
  const auto limit = is_short ? std::min(options_.wait_max, options_.wait_max_interrupted) : options_.wait_max;
  if (waited >= limit) return false;
  warn_of_waiting(waited);
  std::visit([&](auto& channel) { channel.wait(std::min(look_up, limit - waited)); }, channel_);
  return true;
}

void Destination::warn_of_waiting(milliseconds waited) noexcept {
  constexpr milliseconds worth_a_line{1000};
  if (waited < worth_a_line || owes_no_more_records() || std::exchange(warned_, true)) return;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options_.wait_max).count();
  warn(name_ + ": " + trouble() + "; waiting for up to " + std::to_string(seconds) + " s (export.wait_max)");
}

void Destination::wait_for_pace() noexcept {
  std::visit([](auto& channel) { channel.wait(look_up); }, channel_);
}

}  // namespace weir::app
