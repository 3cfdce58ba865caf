// SPDX-License-Identifier: BSD-3-Clause
// Where packet buffers come from, and how much memory that takes at most: the EAL must be told before it can be asked
// about devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "app/settings.hpp"
#include "capture/live/eal.hpp"

namespace weir::app {

inline constexpr std::uint32_t link_header_max = 26;  ///< Ethernet, two tags, checksum

// `devices` are as the EAL is told them.

/// As it is set; else huge pages where a device is on PCI, for they need them, or where enough are free.
capture::BufferMemory memory_for(const Settings& settings, const std::vector<std::string>& devices, unsigned workers);

/// Ordinary memory, as much as the devices could need.
std::size_t heap_megabytes(const Settings& settings, const std::vector<std::string>& devices, unsigned workers);

/// Throws StartError, with the sum and the command that helps, where the EAL could not even start.
void refuse_memory_that_is_not_there(capture::BufferMemory memory, const Settings& settings,
                                     const std::vector<std::string>& devices, unsigned workers);

}  // namespace weir::app
