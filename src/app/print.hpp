// SPDX-License-Identifier: BSD-3-Clause
// Text on standard output or error, and whether all of it arrived there.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "app/complain.hpp"
#include "base/error.hpp"

namespace weir::app {

/// On a full disk it says so, and what the process should exit with.
inline ExitStatus print(std::string_view text, std::FILE* to = stdout) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0;
  if (whole) return ExitStatus::good;
  complain("weir: {} cannot be written: {}", to == stdout ? "standard output" : "standard error", std::strerror(errno));
  return ExitStatus::unusable_input;
}

}  // namespace weir::app
