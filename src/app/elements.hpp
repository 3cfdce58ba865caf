// SPDX-License-Identifier: BSD-3-Clause
// What a template can name: the registry's elements that the meter has values for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/element.hpp>

namespace weir::app {

/// One element, as `weir elements` and the README list it.
struct ElementRow {
  const Element* element;
  std::string_view zero;  ///< when its value is 0
  bool has_reverse;       ///< templates of biflows may name its reverse, too
};

/// By number; reverse elements that are derived have no rows of their own.
std::vector<ElementRow> element_rows();

/// All names that mean something, reverse ones too, and those that the meter refuses with a reason of its own. They
/// live as long as the process.
std::span<const std::string_view> element_names();

/// "IANA", "CERT", …
std::string_view registry_of(const Element& element) noexcept;

/// The README's table.
std::string elements_as_markdown(std::span<const ElementRow> rows);

}  // namespace weir::app
