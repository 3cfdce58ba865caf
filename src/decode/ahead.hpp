// SPDX-License-Identifier: BSD-3-Clause
// Packets one after the other, with their octets on their way before they are read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <weir/packet.hpp>

#include "base/prefetch.hpp"

namespace weir::decode {

/// `one(i)` for every packet, whose first line is on its way while so many others are decoded.
template <class One>
[[gnu::always_inline]] inline void for_each_ahead(Burst packets, One one) noexcept {
  constexpr std::size_t ahead = 2 * burst_size;
  const auto first = std::min(ahead, packets.size());
  for (const auto& packet : packets.first(first)) prefetch(packet.bytes);
  std::size_t i = 0;
  for (; i < packets.size() - first; ++i) {
    prefetch(packets[i + first].bytes);
    one(i);
  }
  for (; i < packets.size(); ++i) one(i);
}

}  // namespace weir::decode
