// SPDX-License-Identifier: BSD-3-Clause
// What stops a start, and what the process answers to the shell.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>

namespace weir {

/// Exit statuses; the highest that applies wins.
enum class ExitStatus : int {
  good = 0,            ///< also after an interrupt: flows were ended and exported
  unusable_input = 1,  ///< an input could not be opened or is no capture
  usage = 2,           ///< command line or settings
  damaged_input = 3,   ///< a capture was damaged; later ones went on
  records_lost = 4,    ///< records did not reach a destination
  ledger_open = 5,     ///< the books do not balance: our mistake
};
constexpr ExitStatus worse(ExitStatus a, ExitStatus b) noexcept { return std::max(a, b); }

/// Thrown before the first packet only. what() is one line that names file, line, setting and remedy.
struct StartError : std::runtime_error {
  explicit StartError(const std::string& line, ExitStatus exit_status = ExitStatus::usage)
      : std::runtime_error{line}, status{exit_status} {}
  ExitStatus status;
};

}  // namespace weir
