// SPDX-License-Identifier: BSD-3-Clause
// The kernel's interface behind a virtual device, whose driver does not tell how it is.
#pragma once

#include <cstdint>

namespace weir::capture {

enum class Carrier { up, down, gone };

/// Of the interface with this index; gone: there is none any more.
Carrier carrier_of(unsigned interface_index) noexcept;

/// Packets that the kernel would have sent through it and dropped, since it is there; 0 where that is not to be known.
std::uint64_t packets_not_sent(unsigned interface_index) noexcept;

/// Set up by an administrator, whatever its carrier.
bool is_set_up(unsigned interface_index) noexcept;

/// As the kernel's driver says; 0: it does not.
std::uint64_t bits_per_second_of(unsigned interface_index) noexcept;

}  // namespace weir::capture
