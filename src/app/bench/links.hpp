// SPDX-License-Identifier: BSD-3-Clause
// What Ethernet links can carry, and how many cores that takes.
#pragma once

#include <array>

#include "capture/synthetic.hpp"

namespace weir::app::bench {

inline constexpr std::array link_gigabits{10, 25, 40, 100, 200, 400};
inline constexpr std::array link_frames{capture::FrameSizes::octets_64, capture::FrameSizes::imix,
                                        capture::FrameSizes::octets_1518};

/// IEEE 802.3: seven octets of preamble, one that begins the frame, and twelve octets' time between frames.
inline constexpr double octets_between_frames = 20;

/// `octets` of a frame, its checksum included.
constexpr double packets_per_second(double gigabits, double octets) noexcept {
  return gigabits * 1e9 / 8 / (octets + octets_between_frames);
}

}  // namespace weir::app::bench
