// SPDX-License-Identifier: BSD-3-Clause
// What an element is, told in an options record (RFC 5610), for collectors that have not heard of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>
#include <weir/element.hpp>

namespace weir::ipfix {

/// Whether collectors cannot know an element from IANA's registry; its reverse (RFC 5103) they derive.
constexpr bool needs_type_information(std::uint32_t pen) noexcept {
  return pen != enterprise::iana && pen != enterprise::reverse;
}

/// A Data Record of Option::type_information.
std::vector<std::byte> type_information(const Element& element);

/// RFC 5610 §3.7: the number of a unit; 0 for none and for what is not there.
std::uint16_t unit_number(std::string_view units) noexcept;

}  // namespace weir::ipfix
