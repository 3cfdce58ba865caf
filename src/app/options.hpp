// SPDX-License-Identifier: BSD-3-Clause
// Settings → what the stages are told.
#pragma once

#include "app/decoding.hpp"
#include "app/exporter.hpp"
#include "app/settings.hpp"
#include "flow/fragments.hpp"
#include "flow/options.hpp"

namespace weir::app {

/// For one of `shards` meters; its capacity has room for uneven shares where there are several.
flow::MeterOptions meter_options(const Settings& settings, unsigned shards);

/// For the fragments before that meter. They are put together only where the key has an address: others are spread over
/// workers by what later fragments do not have.
flow::FragmentOptions fragment_options(const Settings& settings, const flow::MeterOptions& meter,
                                       const Decoding& decoding);

/// `sampled_interfaces`: selection_plan() says what they are. Without sampling none counts.
ExporterOptions exporter_options(const Settings& settings, Patience patience,
                                 std::span<const std::uint32_t> sampled_interfaces);

}  // namespace weir::app
