// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/balance.hpp"

#include <algorithm>
#include <numeric>

namespace weir::app {

std::optional<Move> choose_move(std::span<const std::uint64_t> packets, std::span<const std::uint16_t> redirection,
                                std::size_t turn) noexcept {
  if (packets.size() < 2) return std::nullopt;
  const auto [idlest, busiest] = std::ranges::minmax_element(packets);
  const auto mean = std::accumulate(packets.begin(), packets.end(), std::uint64_t{0}) / packets.size();
  if (*busiest <= mean + mean / 2) return std::nullopt;
  const auto from = static_cast<std::uint16_t>(busiest - packets.begin());
  const auto entries = static_cast<std::size_t>(std::ranges::count(redirection, from));
  if (entries < 2) return std::nullopt;
  auto left = turn % entries;
  for (std::size_t entry = 0; entry < redirection.size(); ++entry)
    if (redirection[entry] == from && left-- == 0)
      return Move{entry, from, static_cast<std::uint16_t>(idlest - packets.begin())};
  return std::nullopt;
}

}  // namespace weir::app
