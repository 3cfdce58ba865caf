// SPDX-License-Identifier: BSD-3-Clause
// What samplers do, in the words in which collectors are told of it.
#pragma once

#include <cstdint>
#include <span>

#include "capture/sample.hpp"
#include "ipfix/selection.hpp"

namespace weir::app {

/// For one sampler on each of `interfaces` (as records number them, 0 for all together). Without any, nothing is
/// sampled.
ipfix::SelectionPlan selection_plan(const capture::SamplingOptions& options, std::span<const std::uint32_t> interfaces);

}  // namespace weir::app
