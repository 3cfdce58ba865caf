// SPDX-License-Identifier: BSD-3-Clause
// The stages that a packet passes in a worker, and what is read between them.
#pragma once

#include <x86intrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/bench/counters.hpp"

namespace weir::app::bench {

#define WEIR_BENCH_STAGES(X)                                                    \
  X(receive, "receive", "packets made of descriptors, as of a receive queue's") \
  X(decode, "decode", "headers, and the tally of outcomes")                     \
  X(look_up, "look up", "keys, hashes, tag lines; records are on their way")    \
  X(account, "account", "compare keys, begin and end records, count")           \
  X(expire, "expire", "the share of the table that is due for a look")          \
  X(hand_over, "hand over", "ended records into the ring to the exporter")

#define X(name, text, help) name,
enum class Stage : std::uint8_t { WEIR_BENCH_STAGES(X) };
#undef X

struct StageText {
  std::string_view name, text, help;
};
#define X(name, text, help) StageText{#name, text, help},
inline constexpr auto stage_texts = std::to_array<StageText>({WEIR_BENCH_STAGES(X)});
#undef X
inline constexpr std::size_t stages = stage_texts.size();

/// Where nothing is measured by stage.
struct NoLaps {
  static constexpr bool measure = false;
  void begin() noexcept {}
  void lap(Stage) noexcept {}
};

/// Ticks of the time stamp counter by stage, read once a stage for a burst or for a few hundred packets. A lap of many
/// times what a stage takes was interrupted by others on this CPU, and counts for no stage.
class TickLaps {
 public:
  static constexpr bool measure = true;
  void begin() noexcept { last_ = __rdtsc(); }
  void lap(Stage stage) noexcept {
    const auto now = __rdtsc();
    if (now - last_ < interrupted) ticks_[static_cast<std::size_t>(stage)] += now - last_;
    last_ = now;
  }
  const std::array<std::uint64_t, stages>& ticks() const noexcept { return ticks_; }

 private:
  static constexpr std::uint64_t interrupted = 1u << 20;  // a third of a millisecond, about
  std::array<std::uint64_t, stages> ticks_{};
  std::uint64_t last_ = 0;
};

/// Hardware events by stage. To read them takes a system call, so a round that counts is not timed; what the kernel
/// does is not counted.
class EventLaps {
 public:
  static constexpr bool measure = true;
  explicit EventLaps(const Counters& counters) noexcept : counters_{counters} {}
  void begin() noexcept { last_ = counters_.read(); }
  void lap(Stage stage) noexcept {
    const auto now = counters_.read();
    auto& sums = events_[static_cast<std::size_t>(stage)];
    for (std::size_t i = 0; i < events; ++i) sums[i] += now[i] - last_[i];
    last_ = now;
  }
  const std::array<EventCounts, stages>& counts() const noexcept { return events_; }

 private:
  const Counters& counters_;
  std::array<EventCounts, stages> events_{};
  EventCounts last_{};
};

}  // namespace weir::app::bench
