// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/buffers.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include <atomic>

#include "base/error.hpp"

namespace weir::capture {
namespace {

rte_mempool* make_pool(unsigned count, std::uint16_t room, int node) {
  static std::atomic<unsigned> pools{0};  // a name may be used once in a process
  const auto name = fmt::format("weir_{}", pools++);
  return rte_pktmbuf_pool_create(name.c_str(), count, std::min(Buffers::cached_by_lcore, count / 8), 0, room, node);
}

}  // namespace

Buffers::Buffers(unsigned count, std::uint16_t room, int node) : count_{count}, pool_{make_pool(count, room, node)} {
  if (pool_) return;
  const auto octets = std::uint64_t{count} * (room + sizeof(rte_mbuf) + 64);
  throw StartError{fmt::format(
      "{} packet buffers of {} octets take {} MiB on memory node {}, which are not there ({}); make huge pages (echo "
      "{} "
      "> /sys/devices/system/node/node{}/hugepages/hugepages-2048kB/nr_hugepages), or lower live.buffers or "
      "live.descriptors",
      count, room, (octets >> 20) + 1, node, rte_strerror(rte_errno), (octets >> 21) + 1, std::max(node, 0))};
}

Buffers::~Buffers() { rte_mempool_free(pool_); }

unsigned Buffers::available() const noexcept { return rte_mempool_avail_count(pool_); }

}  // namespace weir::capture
