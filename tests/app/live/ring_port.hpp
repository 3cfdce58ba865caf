// SPDX-License-Identifier: BSD-3-Clause
// A port that is rings of DPDK's (net_ring), into which a test puts buffers filled as a NIC would have filled them.
#pragma once

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/live/live_probe.hpp"
#include "support/packet_builder.hpp"

namespace weir::app {

using test::frames::Frame;

class RingPort {
 public:
  /// Changes a buffer that holds a whole frame before it is sent.
  using Dress = std::function<void(rte_mbuf&)>;

  explicit RingPort(unsigned queues = 1) {
    eal();
    static unsigned made = 0;
    const auto name = "weir" + std::to_string(made++);
    name_ = "net_ring_" + name;
    pool_ =
        rte_pktmbuf_pool_create(("frames_" + name).c_str(), buffers, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    for (unsigned queue = 0; queue < queues; ++queue)
      rings_.push_back(rte_ring_create((name + "_" + std::to_string(queue)).c_str(), 4096, SOCKET_ID_ANY,
                                       RING_F_SP_ENQ | RING_F_SC_DEQ));
    if (!pool_ || !rings_.back() ||
        rte_eth_from_rings(name.c_str(), rings_.data(), queues, rings_.data(), queues, 0) < 0)
      throw std::runtime_error{"no ring port: " + std::string{rte_strerror(rte_errno)}};
    if (rte_mbuf_dyn_rx_timestamp_register(&stamp_offset_, &stamp_flag_) != 0) throw std::runtime_error{"no stamps"};
  }
  RingPort(const RingPort&) = delete;
  RingPort& operator=(const RingPort&) = delete;
  /// After the probe.
  ~RingPort() {
    rte_vdev_uninit(name_.c_str());
    for (auto* ring : rings_) rte_ring_free(ring);
    rte_mempool_free(pool_);
  }

  std::string setting() const { return "live.ports=" + name_; }
  std::uint64_t sent() const noexcept { return sent_; }
  bool all_buffers_are_back() const noexcept { return rte_mempool_avail_count(pool_) == buffers; }

  /// Waits for room. A frame that has a time is stamped with it.
  void send(const Frame& frame, unsigned queue = 0, const Dress& dress = {}) {
    auto* buffer = filled(frame);
    if (dress) dress(*buffer);
    while (rte_ring_enqueue(rings_[queue], buffer) != 0) std::this_thread::yield();
    ++sent_;
  }

  /// Moves what is behind the first `octets` into a second buffer.
  void cut(rte_mbuf& buffer, unsigned octets) {
    auto* behind = allocated();
    const auto rest = static_cast<std::uint16_t>(buffer.data_len - octets);
    std::memcpy(rte_pktmbuf_append(behind, rest), rte_pktmbuf_mtod_offset(&buffer, const char*, octets), rest);
    rte_pktmbuf_trim(&buffer, rest);
    rte_pktmbuf_chain(&buffer, behind);
  }

 private:
  static constexpr unsigned buffers = 8191;

  rte_mbuf* allocated() {
    rte_mbuf* buffer = nullptr;
    while (!(buffer = rte_pktmbuf_alloc(pool_))) std::this_thread::yield();
    return buffer;
  }
  rte_mbuf* filled(const Frame& frame) {
    const auto captured = frame.captured();
    auto* buffer = allocated();
    const auto octets = static_cast<std::uint16_t>(captured.bytes.size());
    std::memcpy(rte_pktmbuf_append(buffer, octets), captured.bytes.data(), octets);
    if (captured.about.stamp != Instant{}) {
      buffer->ol_flags |= stamp_flag_;
      *RTE_MBUF_DYNFIELD(buffer, stamp_offset_, rte_mbuf_timestamp_t*) =
          static_cast<std::uint64_t>(captured.about.stamp.time_since_epoch().count());
    }
    return buffer;
  }

  std::string name_;
  rte_mempool* pool_ = nullptr;
  std::vector<rte_ring*> rings_;
  int stamp_offset_ = -1;
  std::uint64_t stamp_flag_ = 0, sent_ = 0;
};

}  // namespace weir::app
