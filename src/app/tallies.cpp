// SPDX-License-Identifier: BSD-3-Clause
#include "app/tallies.hpp"

namespace weir::app {

PacketTallies& PacketTallies::operator+=(const PacketTallies& other) noexcept {
  received += other.received;
  for (std::size_t i = 0; i < became.size(); ++i) became[i] += other.became[i];
  for (std::size_t i = 0; i < notes.size(); ++i) notes[i] += other.notes[i];
  ignored_packets += other.ignored_packets;
  ignored_octets += other.ignored_octets;
  ignored_first = std::min(ignored_first, other.ignored_first);
  ignored_last = std::max(ignored_last, other.ignored_last);
  return *this;
}

/// Those that are metered and of which nothing is noted are summed aside: sums in memory wait for one another.
void PacketTallies::add(Burst packets, std::span<const Headers> headers, std::span<const Outcome> outcomes,
                        bool plain) noexcept {
  Tally sum;
  if (plain) {
    sum.packets = packets.size();
    for (const auto& packet : packets) sum.octets += packet.wire;
  } else {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      if (outcomes[i] == Outcome::metered && (packets[i].notes | headers[i].notes) == 0) [[likely]]
        sum += {1, packets[i].wire};
      else add(packets[i], headers[i], outcomes[i]);
    }
  }
  add_metered(sum);
}

ipfix::MeteringTotals metering_totals(const PacketTallies& tallies) noexcept {
  const bool any = tallies.ignored_packets > 0;
  return {tallies.ignored_packets, tallies.ignored_octets, any ? tallies.ignored_first : no_stamp,
          any ? tallies.ignored_last : no_stamp};
}

}  // namespace weir::app
