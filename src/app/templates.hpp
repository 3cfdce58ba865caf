// SPDX-License-Identifier: BSD-3-Clause
// What the settings say of templates → what meter and exporter are told.
#pragma once

#include <vector>
#include <weir/record.hpp>

#include "app/settings.hpp"
#include "ipfix/vocabulary.hpp"

namespace weir::app {

/// What may be named. Throws StartError that names the setting.
ipfix::Vocabulary vocabulary_of(const Settings& settings);

/// None where the settings name none: the meter has the usual ones. Throws StartError that names the setting.
std::vector<WantedTemplate> templates_of(const Settings& settings);

}  // namespace weir::app
