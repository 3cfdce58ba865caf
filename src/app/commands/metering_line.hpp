// SPDX-License-Identifier: BSD-3-Clause
// What the command lines of `weir run` and `weir replay` have in common: settings, where records go, the summary.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/report.hpp"
#include "app/settings.hpp"

namespace weir::app {

struct MeteringLine {
  std::vector<std::string> inputs;  ///< captures or ports
  std::vector<std::string> set, out, to;
  std::optional<std::string> config, filter, workers;
  bool json = false;
};

/// All options but the inputs. `section` has the settings "workers" and "filter": "live", "replay".
void describe(CLI::App& app, MeteringLine& line, const std::string& section, std::string_view workers_are);

/// Nothing: go on. Else what to exit with: --help was asked for, or the command line is wrong.
std::optional<int> parse(CLI::App& app, int argc, char** argv);

/// The file, then --set, then the options above, then `assignments`. Throws StartError.
Settings settings_of(const MeteringLine& line, const std::string& section,
                     const std::vector<std::string>& assignments = {});

/// To standard output, unless records have it for themselves. Says so if it cannot be written.
ExitStatus print_summary(const Report& report, const MeteringLine& line, const Settings& settings);

}  // namespace weir::app
