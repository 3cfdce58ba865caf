// SPDX-License-Identifier: BSD-3-Clause
// Settings → what the Exporting Process is told.
#pragma once

#include "app/exporter.hpp"
#include "app/settings.hpp"

namespace weir::app {

ExporterOptions exporter_options(const Settings& settings, Patience patience);

}  // namespace weir::app
