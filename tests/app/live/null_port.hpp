// SPDX-License-Identifier: BSD-3-Clause
// A port that receives nothing of its own (net_null) but has RSS, and whose buffers a test fills: hashes among it. It
// has no clock, so the host's tells the time.
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/live/live_probe.hpp"
#include "capture/live/facts.hpp"
#include "capture/live/toeplitz.hpp"
#include "support/packet_builder.hpp"

namespace weir::app {

using test::frames::Frame;

class NullPort {
 public:
  NullPort() {
    eal();
    static unsigned made = 0;
    name_ = "net_null_weir" + std::to_string(made++);
    if (rte_vdev_init(name_.c_str(), "size=64") != 0) throw std::runtime_error{"no net_null"};
    number_ = capture::port_named(name_);
  }
  NullPort(const NullPort&) = delete;
  NullPort& operator=(const NullPort&) = delete;
  /// After the probe.
  ~NullPort() { rte_vdev_uninit(name_.c_str()); }

  std::string setting() const { return "live.ports=" + name_; }

  /// As long as there is one, what is sent arrives, and nothing else. Made after the probe, and gone before it: a
  /// port that comes later under this one's number would call us.
  class Attachment {
   public:
    Attachment(NullPort& port, std::uint16_t queues) : number_{port.number_} {
      for (std::uint16_t queue = 0; queue < queues; ++queue)
        callbacks_.push_back(rte_eth_add_rx_callback(number_, queue, &NullPort::fill, &port));
    }
    Attachment(const Attachment&) = delete;
    Attachment& operator=(const Attachment&) = delete;
    ~Attachment() {
      for (std::uint16_t queue = 0; queue < callbacks_.size(); ++queue)
        rte_eth_remove_rx_callback(number_, queue, callbacks_[queue]);
    }

   private:
    std::uint16_t number_;
    std::vector<const rte_eth_rxtx_callback*> callbacks_;
  };
  [[nodiscard]] Attachment attach(std::uint16_t queues = 1) { return {*this, queues}; }

  /// Once the probe is made and before it starts: the device answers as one that was told a key which spreads both
  /// directions alike. False: it refuses.
  bool take_key(std::vector<std::byte> key, std::uint16_t queues) {
    rte_eth_rss_conf conf{.rss_key = reinterpret_cast<std::uint8_t*>(key.data()),
                          .rss_key_len = static_cast<std::uint8_t>(key.size()),
                          .rss_hf = RTE_ETH_RSS_IP};
    std::array<rte_eth_rss_reta_entry64, 2> table{};
    for (auto& group : table) {
      group.mask = ~std::uint64_t{0};
      for (std::uint16_t i = 0; i < RTE_ETH_RETA_GROUP_SIZE; ++i) group.reta[i] = i % queues;
    }
    return rte_eth_dev_rss_hash_update(number_, &conf) == 0 &&
           rte_eth_dev_rss_reta_update(number_, table.data(), 2 * RTE_ETH_RETA_GROUP_SIZE) == 0;
  }

  void send(const Frame& frame, std::uint16_t queue = 0, std::optional<std::uint32_t> hash = {}) {
    const std::lock_guard lock{mutex_};
    waiting_[queue].push_back({frame.bytes(), hash});
  }
  /// Of the pool that the probe took its buffers from, while it is there.
  bool all_buffers_are_back() const noexcept { return pool_ && rte_mempool_full(pool_); }

 private:
  struct Waiting {
    std::vector<std::byte> bytes;
    std::optional<std::uint32_t> hash;
  };

  static std::uint16_t fill(std::uint16_t, std::uint16_t queue, rte_mbuf** buffers, std::uint16_t count, std::uint16_t,
                            void* port) {
    return static_cast<NullPort*>(port)->fill(queue, buffers, count);
  }
  std::uint16_t fill(std::uint16_t queue, rte_mbuf** buffers, std::uint16_t count) {
    const std::lock_guard lock{mutex_};
    auto& waiting = waiting_[queue];
    std::uint16_t filled = 0;
    for (; filled < count && !waiting.empty(); ++filled, waiting.pop_front()) put(waiting.front(), *buffers[filled]);
    if (count > 0) pool_ = buffers[0]->pool;
    rte_pktmbuf_free_bulk(buffers + filled, count - filled);
    return filled;
  }
  static void put(const Waiting& frame, rte_mbuf& buffer) {
    rte_pktmbuf_reset(&buffer);
    std::memcpy(rte_pktmbuf_append(&buffer, static_cast<std::uint16_t>(frame.bytes.size())), frame.bytes.data(),
                frame.bytes.size());
    if (!frame.hash) return;
    buffer.hash.rss = *frame.hash;
    buffer.ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
  }

  std::string name_;
  std::uint16_t number_ = 0;
  std::mutex mutex_;
  std::array<std::deque<Waiting>, 2> waiting_;
  rte_mempool* pool_ = nullptr;
};

}  // namespace weir::app
