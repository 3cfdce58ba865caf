// SPDX-License-Identifier: BSD-3-Clause
// What the kernel dropped before DPDK's net_af_packet saw it: the driver does not say before DPDK 25.03, the kernel
// does.
#pragma once

#include <cstdint>

namespace weir::capture {

/// Packets dropped since the last call at this process's packet sockets that are bound to an interface.
std::uint64_t kernel_drops_since_last(unsigned interface_index) noexcept;

}  // namespace weir::capture
