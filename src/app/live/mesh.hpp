// SPDX-License-Identifier: BSD-3-Clause
// Packets from the worker that received them to the one whose flow they belong to, where RSS cannot be relied on:
// headers by copy, so that buffers go back at once. A ring for each pair, so that packets of one queue stay in order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/units.hpp>

#include "base/spsc_ring.hpp"

namespace weir::app {

/// A metered packet on its way. Where they are needed, its Details follow, and behind them the head of its payload.
struct Handover {
  Headers headers;
  Instant clock, stamp;
  std::uint32_t wire = 0;
  std::uint16_t interface = 0, notes = 0;
};

/// Octets of a handover where meters with these options are given Details, or are not.
constexpr std::size_t handover_octets(bool details, std::size_t payload_octets) noexcept {
  return sizeof(Handover) + (details ? sizeof(Details) + payload_octets : 0);
}

class Mesh {
 public:
  /// `handover_octets` is what one packet takes. Throws std::bad_alloc.
  Mesh(unsigned workers, std::size_t handover_octets) : workers_{workers}, rings_(workers * workers) {
    constexpr std::size_t packets_of_a_worker = 16'384, least = 512;  // in rings towards one worker, all together
    for (unsigned from = 0; from < workers; ++from)
      for (unsigned to = 0; to < workers; ++to)
        if (from != to)
          rings_[from * workers + to] =
              std::make_unique<SpscRing>(std::max(packets_of_a_worker / workers, least), handover_octets);
  }

  unsigned workers() const noexcept { return workers_; }
  SpscRing& ring(unsigned from, unsigned to) noexcept { return *rings_[from * workers_ + to]; }

 private:
  unsigned workers_;
  std::vector<std::unique_ptr<SpscRing>> rings_;
};

}  // namespace weir::app
