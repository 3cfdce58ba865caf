// SPDX-License-Identifier: BSD-3-Clause
// Where packet buffers come from, and how much memory that takes at most: the EAL must be told before it can be asked
// about devices.
#pragma once

#include <cstddef>
#include <cstdint>

#include "app/settings.hpp"
#include "capture/live/eal.hpp"

namespace weir::app {

inline constexpr std::uint32_t link_header_max = 26;  ///< Ethernet, two tags, checksum

/// As it is set, or huge pages where enough are free.
capture::BufferMemory memory_for(const Settings& settings, std::size_t devices, unsigned workers);

/// Ordinary memory, as much as the devices could need.
std::size_t heap_megabytes(const Settings& settings, std::size_t devices, unsigned workers);

}  // namespace weir::app
