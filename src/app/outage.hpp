// SPDX-License-Identifier: BSD-3-Clause
// Which troubles of a destination are worth a line: that it takes nothing, once, and that it has taken what waited,
// once. One that comes and goes all day gets no more than one such pair in ten minutes. Time is an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <weir/record.hpp>

namespace weir::app {

class Outage {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes quiet{10};

  /// It has begun while so many records `wait`, or goes on. True: say so now.
  bool is_news(Time now, std::uint64_t wait) noexcept {
    if (!under_way_) {
      under_way_ = true;
      told_ = loss_told_ = false;
      since_ = now;
      waited_ = wait;
      lost_ = 0;
      ++began_;
    }
    if (told_ || (told_at_ && now - *told_at_ < quiet)) return false;
    told_ = true;
    told_at_ = now;
    times_ = std::exchange(began_, 0);
    return true;
  }

  /// It is over. True: say so now.
  bool is_over() noexcept { return std::exchange(under_way_, false) && told_; }

  /// Records are lost in one that was told of. True: say so now.
  bool is_first_loss() noexcept { return under_way_ && told_ && !std::exchange(loss_told_, true); }

  bool under_way() const noexcept { return under_way_; }
  void count_waiting() noexcept { ++waited_; }
  void count_lost(const Totals& records) noexcept { lost_ += records.records; }

  // Of the last one.
  std::chrono::seconds lasted(Time now) const noexcept {
    return std::chrono::duration_cast<std::chrono::seconds>(now - since_);
  }
  std::uint64_t waited() const noexcept { return waited_; }
  std::uint64_t lost() const noexcept { return lost_; }
  /// How many it stands for: those before it that were not told of are among them.
  std::uint64_t times() const noexcept { return times_; }

 private:
  bool under_way_ = false, told_ = false, loss_told_ = false;
  Time since_{};
  std::optional<Time> told_at_;
  std::uint64_t waited_ = 0, lost_ = 0, began_ = 0, times_ = 0;
};

}  // namespace weir::app
