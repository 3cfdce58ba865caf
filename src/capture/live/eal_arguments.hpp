// SPDX-License-Identifier: BSD-3-Clause
// What may be passed through to DPDK's EAL. Pure: knows its options by name, and starts nothing.
#pragma once

#include <span>
#include <string>

namespace weir::capture {

/// Throws StartError for what EAL would leave aside without a word (no option, and no value of one), and for options
/// that are weir's to give, with the setting to use instead.
void check_eal_arguments(std::span<const std::string> arguments);

}  // namespace weir::capture
