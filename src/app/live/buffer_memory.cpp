// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/buffer_memory.hpp"

#include <algorithm>

#include "app/live/sizes.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/queue.hpp"

namespace weir::app {
namespace {

/// What a port may need, whatever it is: for the time before anything is known of it.
Needs needs_at_most(const Settings& settings, std::size_t devices, unsigned workers) {
  constexpr std::uint32_t descriptors_usual_max = 4096;
  Needs needs;
  needs.burst = capture::Queue::packets_max;
  for (std::size_t i = 0; i < devices; ++i) {
    const auto& device = settings.live.ports[i];
    needs.ports.push_back(
        {.name = device,
         .queues = std::max(workers, capture::queues_named(device)),
         .frame_max = std::max(std::uint32_t{settings.live.mtu} + link_header_max, capture::frame_octets_named(device)),
         .scatters = capture::scatters_unasked(device),
         .descriptors_asked = settings.live.descriptors ? settings.live.descriptors : descriptors_usual_max});
  }
  needs.workers.resize(workers);
  return needs;
}

}  // namespace

std::size_t heap_megabytes(const Settings& settings, std::size_t devices, unsigned workers) {
  constexpr std::uint64_t dpdk_megabytes = 64, page = 4096;
  std::uint64_t octets = 0;
  for (const auto& pool : reckon(needs_at_most(settings, devices, workers)).pools) {
    const auto buffers = std::max<std::uint64_t>(pool.buffers, settings.live.buffers);
    octets += pool.rings + buffers * std::max(pool.octets_each, page);  // no buffer lies across two pages
  }
  return dpdk_megabytes + (octets >> 20) * 5 / 4;
}

capture::BufferMemory memory_for(const Settings& settings, std::size_t devices, unsigned workers) {
  if (settings.live.memory == Memory::hugepages) return capture::BufferMemory::hugepages;
  if (settings.live.memory == Memory::heap) return capture::BufferMemory::heap;
  const auto machine = read_machine();
  const auto suffice = [&machine](const BufferPool& pool) { return pages_suffice(pool, machine.node(pool.node)); };
  const bool all = std::ranges::all_of(reckon(needs_at_most(settings, devices, workers)).pools, suffice);
  return all ? capture::BufferMemory::hugepages : capture::BufferMemory::heap;
}

}  // namespace weir::app
