// SPDX-License-Identifier: BSD-3-Clause
// One receive queue of a port: bursts of DPDK's buffers → packets. Owned by one worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <weir/packet.hpp>

#include "capture/live/host_clock.hpp"
#include "capture/live/port.hpp"
#include "capture/stamp.hpp"

struct rte_mbuf;

namespace weir::capture {

class Queue {
 public:
  /// What one receive() brings at most: enough for the meter to keep three bursts under way.
  static constexpr std::size_t packets_max = 8 * burst_size;

  /// `interface` is what the packets say that they came from.
  Queue(Port& port, std::uint16_t number, std::uint16_t interface);
  Queue(Queue&&) = default;

  /// Packets that have arrived since the last call; they stay until release(). Without stamps of the device, `now` is
  /// theirs. Never waits.
  std::span<Packet> receive(const HostTime& now) noexcept;
  void release() noexcept;

  /// A packet lies in several buffers, and only what is in the first was given.
  bool is_cut(std::size_t i) const noexcept;
  /// The whole of such a packet, copied together; the octets stay until the next call.
  Packet whole(std::size_t i) noexcept;

  /// The hash that the device reckoned, if it did.
  std::optional<std::uint32_t> hash(std::size_t i) const noexcept;

  /// Tells the time of the device's clock, about once a second, where stamps are its ticks.
  void discipline(nanoseconds realtime) noexcept;

  Port& port() const noexcept { return *port_; }
  std::uint16_t number() const noexcept { return number_; }

 private:
  void describe(rte_mbuf& buffer, const HostTime& now, Packet& packet) noexcept;
  Instant device_stamp(const rte_mbuf& buffer) const noexcept;

  Port* port_;
  std::uint16_t number_, interface_;
  StampUnit unit_;
  int stamp_offset_ = -1;  ///< of the stamp within a buffer
  std::uint64_t stamp_flag_ = 0;
  PacketTimer timer_;
  DeviceClock device_clock_;
  std::size_t count_ = 0;
  std::array<rte_mbuf*, packets_max> buffers_{};
  std::array<Packet, packets_max> packets_{};
  std::unique_ptr<std::byte[]> together_;
};

}  // namespace weir::capture
