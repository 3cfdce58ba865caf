// SPDX-License-Identifier: BSD-3-Clause
// The one table of elements from which templates and records are made, joined to where the compiled shapes keep them.
#pragma once

#include <array>
#include <chrono>
#include <weir/record.hpp>

#include "flow/options.hpp"

namespace weir::flow {

/// The layouts that a meter with these options uses: 0 is IPv4's, 1 is IPv6's. Template 0 of a layout is the uniflow's,
/// template 1, where there is one, the biflow's (RFC 5103 §6). Where
/// the options name keys or templates, they are those. Throws StartError where they make no sense.
std::array<RecordLayout, 2> make_layouts(const MeterOptions& options);

/// Whether key or templates ask for more of a packet than Headers. Throws StartError where they cannot be.
bool needs_details(const MeterOptions& options);

/// Whether IPv4 uniflow records can keep their clocks as short differences with these timeouts.
bool narrow_clocks_suffice(const MeterOptions& options) noexcept;

/// The longest that these can be while they do, in whole seconds.
struct NarrowTimeouts {
  std::chrono::seconds active, closed;
};
NarrowTimeouts narrow_timeouts_max() noexcept;

/// Whether a meter that was made with `options` can take the timeouts of `wanted` while it runs; any thread may ask.
/// False: its records are too short for them; it needs a restart, or ClockWidth::wide from the start.
bool can_take_timeouts(const MeterOptions& options, const MeterOptions& wanted) noexcept;

}  // namespace weir::flow
