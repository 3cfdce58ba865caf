// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/type_information.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <weir/bytes.hpp>

#include "base/assert.hpp"

namespace weir::ipfix {

std::uint16_t unit_number(std::string_view units) noexcept {
  constexpr std::array<std::string_view, 16> names{
      "none",        "bits",          "octets",   "packets", "flows",   "seconds", "milliseconds", "microseconds",
      "nanoseconds", "4-octet words", "messages", "hops",    "entries", "frames",  "ports",        "inferred"};
  const auto* at = std::ranges::find(names, units);
  return at == names.end() ? std::uint16_t{0} : static_cast<std::uint16_t>(at - names.begin());
}

namespace {

/// Of numbers of a type that can be less than 0, or are none, there is nothing to say; 0 to 0 says so.
constexpr std::uint64_t range_end(DataType type) noexcept {
  if (type < DataType::unsigned8 || type > DataType::unsigned64) return 0;
  return ~std::uint64_t{0} >> (64 - 8 * octets_of(type));
}
static_assert(range_end(DataType::unsigned8) == 255 && range_end(DataType::unsigned64) == ~std::uint64_t{0});

}  // namespace

std::vector<std::byte> type_information(const Element& element) {
  WEIR_ASSERT(element.name.size() < 255);  // one octet of length is enough (RFC 7011 §7)
  std::vector<std::byte> record(4 + 2 + 1 + 1 + 2 + 8 + 8 + 1 + element.name.size() + 1);
  Writer out{record};
  out.number(element.pen);
  out.number(element.id);
  out.number(static_cast<std::uint8_t>(element.type));
  out.number(static_cast<std::uint8_t>(element.semantics));
  out.number(unit_number(element.units));
  out.number(std::uint64_t{0});
  out.number(range_end(element.type));
  out.number(static_cast<std::uint8_t>(element.name.size()));
  out.bytes(std::as_bytes(std::span{element.name}));
  out.number(std::uint8_t{0});  // no description
  WEIR_ASSERT(!out.full());
  return record;
}

}  // namespace weir::ipfix
