// SPDX-License-Identifier: BSD-3-Clause
// Small things that every text of the settings needs on its way to elements and templates.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace weir::ipfix {

template <class... Arguments>
[[noreturn]] void refuse(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw StartError{fmt::format(format, std::forward<Arguments>(arguments)...)};
}

inline std::optional<std::uint64_t> number_from(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return {};
  return value;
}

}  // namespace weir::ipfix
