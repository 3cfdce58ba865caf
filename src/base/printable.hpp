// SPDX-License-Identifier: BSD-3-Clause
// Words of others, such as a hostile settings file's, in a message of ours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

/// Fit for one line of a terminal: '?' for control characters and what is not ASCII, cut where it is too long.
inline std::string printable(std::string_view text) {
  constexpr std::size_t octets_max = 80;
  std::string out{text.substr(0, octets_max)};
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < ' ' || c >= 0x7f; }, '?');
  return text.size() > octets_max ? out + "…" : out;
}

}  // namespace weir
