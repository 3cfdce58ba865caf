// SPDX-License-Identifier: BSD-3-Clause
// The other loop: takes what ended from every worker's ring, and keeps the exporter going. One thread.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "app/exporter.hpp"
#include "app/live/splits.hpp"
#include "app/live/worker.hpp"

namespace weir::app {

/// Something that control asks of the exporter's thread.
class ExportRequest {
 public:
  virtual ~ExportRequest() = default;
  virtual void run(Exporter& exporter, Instant now) noexcept = 0;
  std::atomic<bool> done{false};
};

class ExportLoop {
 public:
  /// All of them outlive it.
  ExportLoop(Exporter& exporter, Splits& splits, std::span<const RecordLayout, 2> layouts,
             std::span<const std::unique_ptr<Worker>> workers, std::span<const PortLosses> losses)
      : exporter_{exporter},
        splits_{splits},
        keys_{CanonicalKey{layouts[0]}, CanonicalKey{layouts[1]}},
        workers_{workers},
        losses_{losses},
        lost_(workers.size()) {}

  /// Until every worker has finished and its rings are empty; then the destinations are finished.
  void run() noexcept;

  /// Control: `request` stays until it is done. One at a time.
  void ask(ExportRequest& request) noexcept { request_.store(&request, std::memory_order_release); }

  struct Counters {
    Splits::Counts splits;
    std::vector<DestinationReport> destinations;
  };
  /// Any thread: as of a moment ago.
  Counters counters() const { return published_.read(); }

 private:
  std::size_t drain() noexcept;
  std::size_t drain(std::size_t worker, unsigned family) noexcept;
  void tick() noexcept;
  void answer() noexcept;
  void publish() noexcept;

  Exporter& exporter_;
  Splits& splits_;
  std::array<CanonicalKey, 2> keys_;
  std::span<const std::unique_ptr<Worker>> workers_;
  std::span<const PortLosses> losses_;  ///< by port
  std::vector<Totals> lost_;            ///< by worker: what its ring had no room for
  Instant clock_{}, stamp_{};
  Published<Counters> published_;
  std::atomic<ExportRequest*> request_{nullptr};
};

}  // namespace weir::app
