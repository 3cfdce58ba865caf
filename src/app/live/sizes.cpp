// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "app/human.hpp"
#include "base/error.hpp"
#include "capture/live/buffers.hpp"

namespace weir::app {
namespace {

constexpr std::uint64_t page_of_2_mib = std::uint64_t{1} << 21;

/// A frame of 64 octets, and preamble, start delimiter and gap around it (IEEE 802.3).
constexpr std::uint64_t shortest_frame_bits = (64 + 20) * 8;
constexpr std::uint32_t descriptors_few = 1024, descriptors_many = 4096;

/// rte_mbuf, its headroom, and what a mempool writes before each object.
constexpr std::uint32_t buffer_header = 128, headroom = 128, object_header = 64, cache_line = 64;
constexpr std::uint32_t data_room_usual = 2048, data_room_max = 65535 - headroom;
/// A mempool's cache holds half as much again as it is told before it gives some back.
constexpr std::uint32_t cached = capture::Buffers::cached_by_lcore * 3 / 2;

/// Beside the buffers: a node's share of DPDK's own tables; of each descriptor the device's ring and the driver's; of
/// each buffer a pointer in the pool's ring.
constexpr std::uint64_t dpdk_octets = std::uint64_t{2} << 20, descriptor_octets = 128, pointer_octets = 8;

constexpr nanoseconds pause_least = std::chrono::microseconds{10};

constexpr std::uint64_t round_up(std::uint64_t number, std::uint64_t to) { return (number + to - 1) / to * to; }

std::string binary(std::uint64_t octets) {
  const auto mebibytes = static_cast<double>(octets) / (1 << 20);
  return mebibytes < 1024 ? fmt::format("{:.1f} MiB", mebibytes) : fmt::format("{:.1f} GiB", mebibytes / 1024);
}

std::uint64_t packets_per_second(const PortNeeds& port) {
  const auto on_the_link = port.link_bits_per_second / shortest_frame_bits;
  return port.packets_per_second_max ? std::min(on_the_link, port.packets_per_second_max) : on_the_link;
}

/// A millisecond of the highest packet rate, in powers of two; more would only leave the processor's caches sooner.
std::uint32_t descriptors_for_link(const PortNeeds& port) {
  const auto in_a_millisecond = packets_per_second(port) / 1000 / std::max(1u, port.queues);
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(std::bit_ceil(in_a_millisecond), descriptors_few, descriptors_many));
}

std::uint32_t descriptors_of(const PortNeeds& port) {
  const auto wanted = port.descriptors_asked ? port.descriptors_asked : descriptors_for_link(port);
  const auto align = std::max(1u, port.descriptors_align);
  const auto within = std::clamp(wanted, port.descriptors_min, std::max(port.descriptors_min, port.descriptors_max));
  const auto rounded = static_cast<std::uint32_t>(round_up(within, align));
  return rounded > port.descriptors_max ? std::max(align, port.descriptors_max / align * align) : rounded;
}

std::uint32_t data_room_for(const PortNeeds& port) {
  if (port.frame_max <= data_room_usual || port.scatters) return headroom + data_room_usual;
  return headroom + std::min(data_room_max, static_cast<std::uint32_t>(round_up(port.frame_max, cache_line)));
}

/// An odd number of lines, as the mempool makes it, to spread over the memory's channels.
std::uint64_t octets_of_buffer(std::uint32_t data_room) {
  return ((object_header + buffer_header + data_room + cache_line - 1) / cache_line | 1) * cache_line;
}

/// A burst of the port's longest frames.
std::uint32_t buffers_of_burst(const Needs& needs, const PortNeeds& port) {
  const auto of_frame = port.scatters ? (port.frame_max + data_room_usual - 1) / data_room_usual : 1;
  return needs.burst * std::max(of_frame, 1u);
}

/// "2 workers x (384 cached + 64 in hand)": any worker may hold buffers of any node.
std::uint64_t add_workers(const Needs& needs, std::uint32_t in_hand, std::string& terms) {
  std::uint64_t handed_on = 0;
  for (const auto& worker : needs.workers) handed_on += worker.held;
  const auto workers = needs.workers.size();
  terms += fmt::format("{} x ({} cached + {} in hand)", counted(workers, "worker"), cached, grouped(in_hand));
  if (handed_on) terms += fmt::format(" + {} handed on", grouped(handed_on));
  return workers * (cached + in_hand) + handed_on;
}

BufferPool pool_of(unsigned node, const Needs& needs, const std::vector<std::uint32_t>& descriptors) {
  BufferPool pool{.node = node};
  std::string terms;
  std::uint64_t buffers = 0;
  std::uint32_t in_hand = 0;
  for (std::size_t i = 0; i < needs.ports.size(); ++i) {
    const auto& port = needs.ports[i];
    if (port.node != node) continue;
    in_hand += buffers_of_burst(needs, port);
    const auto ring = std::uint64_t{port.queues} * descriptors[i];
    buffers += ring;
    pool.rings += ring * descriptor_octets;
    pool.data_room = std::max(pool.data_room, data_room_for(port));
    terms +=
        fmt::format("{}: {} x {} descriptors + ", port.name, counted(port.queues, "queue"), grouped(descriptors[i]));
  }
  for (const auto& worker : needs.workers) pool.rings += worker.node == node ? worker.ring_octets : 0;
  if (in_hand == 0) return pool;
  buffers += add_workers(needs, in_hand, terms);
  pool.least = static_cast<std::uint32_t>(buffers);
  pool.buffers =
      needs.buffers_asked ? needs.buffers_asked : static_cast<std::uint32_t>(round_up(buffers + 1, 1024) - 1);
  pool.octets_each = octets_of_buffer(pool.data_room);
  pool.octets = pool.buffers * pool.octets_each;
  pool.rings += std::bit_ceil(std::uint64_t{pool.buffers} + 1) * pointer_octets;
  pool.sum = fmt::format("{} = {}, {} {} buffers x {} octets = {}", terms, grouped(buffers),
                         needs.buffers_asked ? "live.buffers makes it" : "rounded up to", grouped(pool.buffers),
                         grouped(pool.octets_each), binary(pool.octets));
  return pool;
}

/// As the meter takes it: a line of tags for every four flows, a record for each flow in each family's pool.
std::uint64_t table_octets(const Needs& needs) {
  const auto capacity = needs.capacity_of_worker;
  return (capacity / 4 + 1) * 64 + capacity * (needs.record_octets[0] + needs.record_octets[1]);
}

/// All of a link's packets may fall to one queue.
nanoseconds pause_longest(const Needs& needs, const std::vector<std::uint32_t>& descriptors) {
  auto longest = needs.pause_max;
  for (std::size_t i = 0; i < needs.ports.size(); ++i) {
    const std::uint64_t held = std::max(descriptors[i], needs.ports[i].frames_outside);
    if (const auto rate = packets_per_second(needs.ports[i]); rate > 0)
      longest = std::min(longest, nanoseconds{held / 2 * 1'000'000'000 / rate});
  }
  return std::clamp(longest, std::min(pause_least, needs.pause_max), needs.pause_max);
}

/// What ordinary memory must give: tables, and the buffers where there are no huge pages for them.
std::uint64_t ordinary_octets(const Sizes& sizes, const Needs& needs) {
  auto sum = sizes.workers * (sizes.table_octets + sizes.fragment_octets);
  if (needs.buffers_from == BuffersFrom::ordinary_memory)
    for (const auto& pool : sizes.pools) sum += pool.octets + pool.rings;
  return sum;
}

std::string memory_of(const BufferPool& pool, const Needs& needs) {
  if (needs.buffers_from == BuffersFrom::ordinary_memory)
    return fmt::format("with rings {} of ordinary memory", binary(pool.octets + pool.rings));
  return fmt::format("with rings and DPDK's own {} of 2 MiB or {} of 1 GiB",
                     counted(pool.pages(page_of_2_mib), "huge page"), pool.pages(std::uint64_t{1} << 30));
}

std::string size_name(std::uint64_t page_octets) {
  return page_octets >= std::uint64_t{1} << 30 ? fmt::format("{} GiB", page_octets >> 30)
                                               : fmt::format("{} MiB", page_octets >> 20);
}

void refuse_pages(const BufferPool& pool, const MemoryNode* node) {
  const auto what = pool.sum.empty() ? fmt::format("the rings need {}", binary(pool.rings)) : pool.sum;
  if (!node || node->pages.empty())
    throw StartError{fmt::format("{} on node {}, which has no huge pages; set live.memory to heap", what, pool.node)};
  const auto& size = node->pages[0];
  const auto needed = pool.pages(size.octets_each);
  auto line = fmt::format("{} on node {}, that is {} of {} with what DPDK adds; {} are free", what, pool.node,
                          counted(needed, "huge page"), size_name(size.octets_each), size.free);
  const auto more = (needed - std::min(needed, size.free)) * size.octets_each;
  if (more > node->available)
    throw StartError{fmt::format("{}, and {} of memory are left there: lower live.descriptors or use fewer queues",
                                 line, binary(node->available))};
  throw StartError{fmt::format("{}: `echo {} > {}/nr_hugepages`, or set live.memory to heap", line,
                               size.all - size.free + needed, size.folder)};
}

void refuse_tables(const Sizes& sizes, const Needs& needs, const Machine& machine) {
  const auto needed = ordinary_octets(sizes, needs), tables = sizes.workers * sizes.table_octets;
  if (machine.available == 0 || needed <= machine.available) return;
  const auto beside = needed - tables;
  auto line = fmt::format("flow.capacity {} needs {} x {} of tables{} = {}; {} of memory are available",
                          grouped(needs.capacity), counted(sizes.workers, "worker"), binary(sizes.table_octets),
                          beside ? fmt::format(" + {} of buffers and fragments", binary(beside)) : "", binary(needed),
                          binary(machine.available));
  // A tenth is left to the system and to what else runs.
  const auto left = machine.available - machine.available / 10;
  const auto per_flow = static_cast<double>(tables) / static_cast<double>(needs.capacity);
  const auto fits = left > beside ? static_cast<std::uint64_t>(static_cast<double>(left - beside) / per_flow) : 0;
  constexpr std::uint64_t capacity_min = 1024;
  if (fits < capacity_min) throw StartError{line + ": lower live.descriptors, or use fewer workers"};
  throw StartError{fmt::format("{}: set flow.capacity to {} or less", line, fits / capacity_min * capacity_min)};
}

}  // namespace

std::uint64_t BufferPool::pages(std::uint64_t page_octets) const noexcept {
  const auto in_a_page = octets_each ? std::max<std::uint64_t>(1, page_octets / octets_each) : 1;
  return (buffers + in_a_page - 1) / in_a_page + (rings + dpdk_octets + page_octets - 1) / page_octets;
}

bool pages_suffice(const BufferPool& pool, const MemoryNode* node) {
  return node && pool.pages(page_of_2_mib) * page_of_2_mib <= node->huge_octets_free();
}

Sizes reckon(const Needs& needs) {
  Sizes sizes{
      .table_octets = table_octets(needs), .fragment_octets = needs.fragment_octets, .workers = needs.workers.size()};
  for (const auto& port : needs.ports) sizes.descriptors.push_back(descriptors_of(port));
  std::set<unsigned> nodes;
  for (const auto& port : needs.ports) nodes.insert(port.node);
  for (const auto& worker : needs.workers) nodes.insert(worker.node);
  for (const auto node : nodes) sizes.pools.push_back(pool_of(node, needs, sizes.descriptors));
  sizes.pause_longest = pause_longest(needs, sizes.descriptors);
  return sizes;
}

std::vector<std::string> lines_of(const Sizes& sizes, const Needs& needs) {
  std::vector<std::string> lines;
  for (const auto& pool : sizes.pools)
    if (pool.buffers) lines.push_back(fmt::format("node {}: {}; {}", pool.node, pool.sum, memory_of(pool, needs)));
  for (const auto& pool : sizes.pools)
    if (pool.buffers < pool.least)
      lines.push_back(
          fmt::format("node {}: live.buffers {} are fewer than the {} that queues and workers may hold: "
                      "packets will be lost, and some devices do not say so; 0 takes enough",
                      pool.node, grouped(pool.buffers), grouped(pool.least)));
  lines.push_back(fmt::format("tables: {} x {} for flow.capacity {}", counted(sizes.workers, "worker"),
                              binary(sizes.table_octets), grouped(needs.capacity)));
  if (sizes.fragment_octets)
    lines.push_back(fmt::format("fragments: {} x {}", counted(sizes.workers, "worker"), binary(sizes.fragment_octets)));
  lines.push_back(fmt::format("an idle worker pauses for {:.0f} us at most",
                              static_cast<double>(sizes.pause_longest.count()) / 1000));
  return lines;
}

std::vector<std::string> node_warnings(const Needs& needs) {
  std::vector<std::string> lines;
  for (const auto& port : needs.ports)
    for (std::size_t i = 0; i < needs.workers.size(); ++i)
      if (needs.workers[i].node != port.node)
        lines.push_back(
            fmt::format("port {} is on node {}, worker {} on node {}: each packet crosses from one to the "
                        "other; name cores of node {} in live.worker_cpus",
                        port.name, port.node, i, needs.workers[i].node, port.node));
  return lines;
}

void refuse_what_does_not_fit(const Sizes& sizes, const Needs& needs, const Machine& machine) {
  if (needs.buffers_from == BuffersFrom::huge_pages)
    for (const auto& pool : sizes.pools)
      if (const auto* node = machine.node(pool.node); !pages_suffice(pool, node)) refuse_pages(pool, node);
  refuse_tables(sizes, needs, machine);
}

}  // namespace weir::app
