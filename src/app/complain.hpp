// SPDX-License-Identifier: BSD-3-Clause
// Lines on standard error. That nobody hears them is no reason to stop.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace weir::app {

/// fmt::print throws when standard error is closed; this does not.
template <class... Parts>
void complain(fmt::format_string<Parts...> line, Parts&&... parts) {
  const auto text = fmt::format(line, std::forward<Parts>(parts)...) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace weir::app
