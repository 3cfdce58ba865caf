// SPDX-License-Identifier: BSD-3-Clause
// How much memory a live run takes, reckoned before any is taken: descriptors, packet buffers, tables, rings. A plan to
// print, or a refusal that shows the arithmetic and the command that helps. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>
#include <weir/units.hpp>

#include "app/live/machine.hpp"

namespace weir::app {

enum class BuffersFrom : std::uint8_t { huge_pages, ordinary_memory };

/// A port as its device describes it.
struct PortNeeds {
  std::string name{};
  unsigned node = 0;
  unsigned queues = 1;
  std::uint64_t link_bits_per_second = 0;    ///< 0: not known
  std::uint64_t packets_per_second_max = 0;  ///< where the link's speed is only a claim (virtual devices); 0: it counts
  std::uint32_t frames_outside = 0;          ///< of each queue, that the kernel's ring holds beside the descriptors
  std::uint32_t frame_max = 1526;            ///< octets, with link header and tags
  bool scatters = false;                     ///< takes a longer frame into several buffers
  std::uint32_t descriptors_asked = 0;       ///< setting; 0: chosen from the link's speed
  std::uint32_t descriptors_min = 1, descriptors_max = 65535, descriptors_align = 1;
};

struct WorkerNeeds {
  unsigned node = 0;
  std::uint64_t ring_octets = 0;  ///< of records to the exporter, and of handed-on packets
  std::uint32_t held = 0;         ///< buffers it may hold beside a burst of each of its queues: those handed on
};

struct Needs {
  std::vector<PortNeeds> ports{};
  std::vector<WorkerNeeds> workers{};
  std::uint32_t burst = 32;
  std::uint32_t buffers_asked = 0;  ///< setting, on each node; 0: reckoned
  BuffersFrom buffers_from = BuffersFrom::huge_pages;
  std::uint64_t capacity = 1u << 20;                  ///< flow.capacity
  std::uint64_t capacity_of_worker = 1u << 20;        ///< its share, with what chance may add
  std::array<std::size_t, 2> record_octets{64, 128};  ///< RecordLayout::octets of IPv4 and IPv6
  std::uint64_t fragment_octets = 0;                  ///< of each worker's table of fragments; 0: it has none
  nanoseconds pause_max = std::chrono::milliseconds{1};
};

/// The packet buffers of one node.
struct BufferPool {
  unsigned node = 0;
  std::uint32_t buffers = 0;    ///< n of rte_pktmbuf_pool_create: as asked, or one less than a multiple of 1024
  std::uint32_t least = 0;      ///< with fewer, queues and workers could hold all that there are
  std::uint32_t data_room = 0;  ///< headroom included
  std::uint64_t octets_each = 0, octets = 0;
  std::uint64_t rings = 0;  ///< octets of this node's workers' rings, which lie beside the buffers
  std::string sum{};        ///< "0000:05:00.0: 4 queues x 4,096 descriptors + …": for people

  /// Pages that hold buffers, rings and what DPDK adds. No buffer lies across two.
  std::uint64_t pages(std::uint64_t page_octets) const noexcept;
};

struct Sizes {
  std::vector<std::uint32_t> descriptors{};  ///< of each queue, by port
  std::vector<BufferPool> pools{};           ///< by node
  std::uint64_t table_octets = 0;            ///< of each worker: both families' pools full
  std::uint64_t fragment_octets = 0;         ///< of each worker
  std::uint64_t workers = 0;
  nanoseconds pause_longest{};  ///< that an idle worker may make without a queue that overflows
};

Sizes reckon(const Needs& needs);

/// Whether a node, which may not be there, has free huge pages for a pool.
bool pages_suffice(const BufferPool& pool, const MemoryNode* node);

/// A few lines for the log.
std::vector<std::string> lines_of(const Sizes& sizes, const Needs& needs);

/// A line for each worker that is on another node than a port whose packets it gets.
std::vector<std::string> node_warnings(const Needs& needs);

/// Throws StartError where the machine has too little.
void refuse_what_does_not_fit(const Sizes& sizes, const Needs& needs, const Machine& machine);

}  // namespace weir::app
