// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/buffer_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/live/sizes.hpp"
#include "base/error.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/queue.hpp"

namespace weir::app {
namespace {

/// What a port may need, whatever it is: for the time before anything is known of it.
Needs needs_at_most(const Settings& settings, const std::vector<std::string>& devices, unsigned workers) {
  constexpr std::uint32_t descriptors_usual_max = 4096;
  Needs needs;
  needs.burst = capture::Queue::packets_max;
  needs.buffers_asked = settings.live.buffers;
  for (const auto& device : devices)
    needs.ports.push_back(
        {.name = device.substr(0, device.find(',')),
         .queues = std::max(workers, capture::queues_named(device)),
         .frame_max = std::max(settings.live.mtu + link_header_max, capture::frame_octets_named(device)),
         .scatters = capture::scatters_unasked(device),
         .descriptors_asked = settings.live.descriptors ? settings.live.descriptors : descriptors_usual_max});
  needs.workers.resize(workers);
  return needs;
}

}  // namespace

std::size_t heap_megabytes(const Settings& settings, const std::vector<std::string>& devices, unsigned workers) {
  constexpr std::uint64_t dpdk_megabytes = 64, page = 4096;
  std::uint64_t octets = 0;
  for (const auto& pool : reckon(needs_at_most(settings, devices, workers)).pools)
    octets += pool.rings + pool.buffers * std::max(pool.octets_each, page);  // no buffer lies across two pages
  return dpdk_megabytes + (octets >> 20) * 5 / 4;
}

capture::BufferMemory memory_for(const Settings& settings, const std::vector<std::string>& devices, unsigned workers) {
  if (settings.live.memory == Memory::hugepages) return capture::BufferMemory::hugepages;
  if (settings.live.memory == Memory::heap) return capture::BufferMemory::heap;
  if (std::ranges::any_of(devices, capture::is_pci_address)) return capture::BufferMemory::hugepages;
  const auto machine = read_machine();
  const auto suffice = [&machine](const BufferPool& pool) { return pages_suffice(pool, machine.node(pool.node)); };
  const bool all = std::ranges::all_of(reckon(needs_at_most(settings, devices, workers)).pools, suffice);
  return all ? capture::BufferMemory::hugepages : capture::BufferMemory::heap;
}

void refuse_memory_that_is_not_there(capture::BufferMemory memory, const Settings& settings,
                                     const std::vector<std::string>& devices, unsigned workers) {
  const auto machine = read_machine();
  if (memory == capture::BufferMemory::hugepages) {
    const auto has_pages = [](const MemoryNode& node) { return node.huge_octets_free() > 0; };
    if (std::ranges::any_of(machine.nodes, has_pages)) return;  // the EAL can tell where devices are; then it is exact
    refuse_what_does_not_fit(reckon(needs_at_most(settings, devices, workers)),
                             needs_at_most(settings, devices, workers), machine);
  } else if (const auto needed = std::uint64_t{heap_megabytes(settings, devices, workers)} << 20;
             machine.available > 0 && needed > machine.available) {
    throw StartError{
        fmt::format("packet buffers need up to {} MiB of memory, {} MiB are available: lower live.buffers "
                    "or live.descriptors, or use fewer queues",
                    needed >> 20, machine.available >> 20)};
  }
}

}  // namespace weir::app
