// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/queue.hpp"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

namespace weir::capture {
namespace {

/// The longest packet that is copied together: IP's, and its link header.
constexpr std::size_t together_max = 65'536 + 256;

/// A tag that the device took off the frame goes back to where it was, so that a packet is what was on the wire.
void put_tag_back(rte_mbuf*& buffer) noexcept {
  if (buffer->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED) {
    rte_vlan_insert(&buffer);
    buffer->vlan_tci = buffer->vlan_tci_outer;
  }
  rte_vlan_insert(&buffer);
}

}  // namespace

Queue::Queue(Port& port, std::uint16_t number, std::uint16_t interface)
    : port_{&port},
      number_{number},
      interface_{interface},
      unit_{port.facts().stamps},
      together_{std::make_unique_for_overwrite<std::byte[]>(together_max)} {
  if (unit_ != StampUnit::none && rte_mbuf_dyn_rx_timestamp_register(&stamp_offset_, &stamp_flag_) != 0)
    unit_ = StampUnit::none;
}

std::span<Packet> Queue::receive(const HostTime& now) noexcept {
  count_ = 0;
  if (port_->gone()) [[unlikely]]
    return {};
  // Some drivers hand out no more than 32 packets a call, however many are asked for.
  for (std::size_t got = burst_size; got == burst_size && count_ < packets_max; count_ += got)
    got = rte_eth_rx_burst(port_->facts().number, number_, buffers_.data() + count_, burst_size);
  for (std::size_t i = 0; i < count_; ++i) describe(*buffers_[i], now, packets_[i]);
  return {packets_.data(), count_};
}

/// Field by field: GCC makes a whole Packet elsewhere, and copies it before its parts have arrived there.
void Queue::describe(rte_mbuf& buffer, const HostTime& now, Packet& packet) noexcept {
  auto* whole = &buffer;
  if (buffer.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) [[unlikely]]
    put_tag_back(whole);
  packet.bytes = rte_pktmbuf_mtod(whole, const std::byte*);
  packet.captured = whole->data_len;
  packet.wire = whole->pkt_len;
  packet.stamp = now.stamp;
  packet.clock = now.clock;
  packet.interface = interface_;
  packet.link = Link::ethernet;
  packet.selection = Selection::selected;
  packet.notes = 0;
  if (unit_ != StampUnit::none) {
    const auto stamp = device_stamp(*whole);  // it may stamp only some kinds of packets
    timer_.mark(packet, stamp == no_stamp ? now.stamp : stamp);
  }
}

Instant Queue::device_stamp(const rte_mbuf& buffer) const noexcept {
  if (!(buffer.ol_flags & stamp_flag_)) return no_stamp;
  const auto raw = *RTE_MBUF_DYNFIELD(&buffer, stamp_offset_, const rte_mbuf_timestamp_t*);
  switch (unit_) {
    case StampUnit::unix_us: return unix_microseconds.instant(raw);
    case StampUnit::unix_ns: return unix_nanoseconds.instant(raw);
    default: return device_clock_.stamp(raw);
  }
}

void Queue::release() noexcept {
  rte_pktmbuf_free_bulk(buffers_.data(), static_cast<unsigned>(count_));
  count_ = 0;
}

bool Queue::is_cut(std::size_t i) const noexcept { return buffers_[i]->nb_segs > 1; }

Packet Queue::whole(std::size_t i) noexcept {
  auto packet = packets_[i];
  const auto octets = std::min<std::size_t>(buffers_[i]->pkt_len, together_max);
  packet.bytes = static_cast<const std::byte*>(
      rte_pktmbuf_read(buffers_[i], 0, static_cast<std::uint32_t>(octets), together_.get()));
  packet.captured = static_cast<std::uint32_t>(octets);
  return packet;
}

std::optional<std::uint32_t> Queue::hash(std::size_t i) const noexcept {
  if (!(buffers_[i]->ol_flags & RTE_MBUF_F_RX_RSS_HASH)) return std::nullopt;
  return buffers_[i]->hash.rss;
}

void Queue::discipline(nanoseconds realtime) noexcept {
  std::uint64_t ticks = 0;
  if (unit_ == StampUnit::ticks && rte_eth_read_clock(port_->facts().number, &ticks) == 0)
    device_clock_.discipline({ticks, realtime});
}

}  // namespace weir::capture
