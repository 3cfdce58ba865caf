// SPDX-License-Identifier: BSD-3-Clause
// Packet buffers: one pool for each memory node, taken at start.
#pragma once

#include <cstddef>
#include <cstdint>

struct rte_mempool;

namespace weir::capture {

class Buffers {
 public:
  /// What a worker's mempool cache is told to keep: more than it has in hand at a time, so that what it gives back is
  /// what it takes next.
  static constexpr unsigned cached_by_lcore = 512;

  /// Each buffer has `room` octets, headroom included. Throws StartError if the memory is not there.
  Buffers(unsigned count, std::uint16_t room, int node);
  ~Buffers();
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  rte_mempool& pool() const noexcept { return *pool_; }
  unsigned count() const noexcept { return count_; }
  /// Buffers that nobody holds: `count` when all have come back.
  unsigned available() const noexcept;

 private:
  unsigned count_;
  rte_mempool* pool_;
};

}  // namespace weir::capture
