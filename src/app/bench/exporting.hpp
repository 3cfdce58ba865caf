// SPDX-License-Identifier: BSD-3-Clause
// The exporter's thread of a benchmark: records of all lanes into messages, as they come.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "app/bench/encoder.hpp"
#include "app/bench/lane.hpp"

namespace weir::app::bench {

class Exporting {
 public:
  /// Lanes and layouts outlive it.
  Exporting(std::span<const std::unique_ptr<Lane>> lanes, std::span<const RecordLayout> layouts, unsigned cpu);
  Exporting(const Exporting&) = delete;
  Exporting& operator=(const Exporting&) = delete;
  ~Exporting() { thread_.request_stop(); }

  /// Records so far, and the CPU time that they took, once what waits has been taken. While no lane runs.
  struct Work {
    Totals encoded;
    std::chrono::nanoseconds took{};
  };
  Work settle() const noexcept;

 private:
  void run(const std::stop_token& stop) noexcept;
  std::size_t drain(Lane& lane, unsigned family) noexcept;

  std::span<const std::unique_ptr<Lane>> lanes_;
  Encoder encoder_;
  Work work_;  ///< written before records are given back, read when none are left
  std::jthread thread_;
};

}  // namespace weir::app::bench
