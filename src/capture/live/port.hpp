// SPDX-License-Identifier: BSD-3-Clause
// A port of DPDK's that is set up to receive. With facts.cpp and queue.cpp the only code that knows rte_ethdev.h.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <weir/outcome.hpp>

#include "capture/live/facts.hpp"
#include "capture/live/toeplitz.hpp"

struct rte_mempool;

namespace weir::capture {

struct PortOptions {
  std::uint16_t queues = 1;
  std::uint16_t descriptors = 1024;  ///< of each queue; the device takes so many
  std::uint16_t mtu = 9000;          ///< or as near to it as the device takes
  bool rss = true;
  RssFields fields = RssFields::addresses;
  bool promiscuous = true;
};

/// As read back from the device, not as it was asked for.
struct RssState {
  bool active = false;
  RssFields fields = RssFields::addresses;
  std::string problem;  ///< why it is not active, or what could not be read back; empty: nothing
  std::vector<std::byte> key;
  std::vector<std::uint16_t> redirection;  ///< queue by the low bits of the hash
};

/// What the device says that it did not deliver, by cause.
#define WEIR_PORT_LOSSES(X)                                                                                            \
  X(missed, "the workers were too slow for the device: more workers, or raise live.descriptors")                       \
  X(no_buffer, "packets that found no packet buffer: raise live.buffers")                                              \
  X(not_refilled, "no loss by itself: descriptors that wait for a packet buffer: raise live.buffers")                  \
  X(errors, "wrong checksums, frames over live.mtu, or with too few buffers (net_pcap): see cable, MTU, live.buffers") \
  X(kernel_dropped, "too slow for the kernel's ring: raise its framecnt (net_af_packet) or txqueuelen (net_tap)")

#define X(name, help) name,
enum class PortLoss : std::uint8_t { WEIR_PORT_LOSSES(X) };
#undef X
#define X(name, help) OutcomeText{#name, help},
inline constexpr auto port_loss_texts = std::to_array<OutcomeText>({WEIR_PORT_LOSSES(X)});
#undef X

#define X(name, help) PortLoss::name,
inline constexpr auto port_losses = std::to_array<PortLoss>({WEIR_PORT_LOSSES(X)});
#undef X
constexpr const OutcomeText& text_of(PortLoss loss) noexcept { return port_loss_texts[static_cast<std::size_t>(loss)]; }

/// A descriptor that is not refilled may or may not cost a packet; that shows under another cause.
constexpr bool costs_a_packet(PortLoss loss) noexcept { return loss != PortLoss::not_refilled; }

struct PortCounters {
  std::uint64_t delivered = 0;  ///< packets, as the device counts them
  std::array<std::uint64_t, port_loss_texts.size()> lost{};

  std::uint64_t missed() const noexcept {
    std::uint64_t sum = 0;
    for (const auto loss : port_losses) sum += costs_a_packet(loss) ? lost[static_cast<std::size_t>(loss)] : 0;
    return sum;
  }
};

/// Counters that the device keeps under names of its own, those that are not 0.
using NamedCounters = std::vector<std::pair<std::string, std::uint64_t>>;

class Port {
 public:
  /// Sets the device up; it does not receive yet. Each queue takes its buffers from `buffers`. Throws StartError.
  Port(const PortFacts& facts, const PortOptions& options, rte_mempool& buffers);
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port();

  /// From here on packets arrive.
  void start();
  void stop() noexcept;

  const PortFacts& facts() const noexcept { return facts_; }
  const PortOptions& options() const noexcept { return options_; }

  /// Asks the device which key, fields and queues it uses. After start().
  RssState rss() const;
  /// Sends packets of one entry of the redirection table to another queue. False: the device refused.
  bool redirect(std::size_t entry, std::uint16_t queue) noexcept;

  /// As they are now; of a device that is gone, as they were.
  const PortCounters& counters() noexcept;
  NamedCounters named_counters() const;
  /// Finds out, too, whether the kernel's interface behind the device is still there.
  LinkState link() noexcept;

  /// The device was taken away; its queues must not be asked any more.
  bool gone() const noexcept { return gone_.load(std::memory_order_relaxed); }
  void take_away() noexcept { gone_.store(true, std::memory_order_relaxed); }

 private:
  /// 0, or DPDK's error. To try is to say nothing where the device refuses.
  int try_to_configure(std::uint16_t transmit_queues);
  int configure(std::uint16_t transmit_queues);
  /// As near to what was asked for as the device takes.
  std::uint16_t mtu() const noexcept;
  std::uint64_t dropped_by_kernel() const noexcept;
  bool is_no_packet(std::string_view counter) const noexcept;
  void set_up_queues(rte_mempool& buffers, std::uint16_t transmit_queues);
  [[noreturn]] void refuse(std::string_view what, int error) const;

  PortFacts facts_;
  PortOptions options_;
  std::vector<std::byte> key_;
  std::atomic<bool> gone_{false};
  bool started_ = false, was_promiscuous_ = false;
  std::uint64_t dropped_before_ = 0;
  PortCounters counters_;
};

}  // namespace weir::capture
