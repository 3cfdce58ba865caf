// SPDX-License-Identifier: BSD-3-Clause
// Which part of RSS to move off an overloaded worker. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weir::app {

struct Move {
  std::size_t entry = 0;  ///< of the redirection table
  std::uint16_t from = 0, to = 0;
};

/// One entry from the busiest queue to the idlest, where the busiest has half as much again as the mean and keeps at
/// least one entry. `packets` by queue, since the last time; `turn` goes round the busiest queue's entries, for nobody
/// knows which of them is the heavy one.
std::optional<Move> choose_move(std::span<const std::uint64_t> packets, std::span<const std::uint16_t> redirection,
                                std::size_t turn) noexcept;

}  // namespace weir::app
