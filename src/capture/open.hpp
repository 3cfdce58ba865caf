// SPDX-License-Identifier: BSD-3-Clause
// Captures are opened and judged before the first packet of any of them is read.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/error.hpp"
#include "capture/octets.hpp"

namespace weir::capture {

/// What is wrong with one input; the others go on.
struct Problem {
  ExitStatus status;
  std::string line;  ///< names file, place and remedy
};

/// A name as it may stand in a line: names come from outside, and lines go to terminals.
std::string printable(std::string name);

/// As many files as the system lets us may be open at once.
void raise_open_files_limit() noexcept;

/// "-" is standard input.
std::variant<Source, Problem> open_source(const std::string& name);

/// Says whether it is gzip'd, and what is wrong if it is no capture. What must be read of a pipe for that is kept in
/// head.
std::optional<Problem> judge_source(Source& source);

}  // namespace weir::capture
