// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/properties.hpp"

#include <algorithm>
#include <numeric>

#include "base/assert.hpp"

namespace weir::ipfix {
namespace {

/// There are far fewer sets than one octet tells apart, and RFC 7011 §6.2 lets the number be that short.
Field properties_id(std::size_t index) {
  WEIR_ASSERT(index < 255);
  return {.id = 137, .octets = 1, .form = Form::constant, .constant = index + 1};  // commonPropertiesId
}

/// A key stays where flowKeyIndicator can point at it.
bool can_be_shared(const Field& field) noexcept { return field.form == Form::constant && !field.key; }

bool is_same(const Field& a, const Field& b) noexcept {
  return a.pen == b.pen && a.id == b.id && a.octets == b.octets && a.constant == b.constant;
}

}  // namespace

void share_constants(std::vector<Field>& fields, std::vector<CommonProperties>& known) {
  std::vector<Field> shared;
  std::ranges::copy_if(fields, std::back_inserter(shared), can_be_shared);
  const auto saved = std::accumulate(shared.begin(), shared.end(), std::size_t{0},
                                     [](std::size_t sum, const Field& field) { return sum + field.octets; });
  if (saved <= properties_id(0).octets) return;

  const auto has_them = [&](const CommonProperties& set) {
    return std::ranges::equal(std::span{set.fields}.subspan(1), shared, is_same);
  };
  const auto at = std::ranges::find_if(known, has_them);
  const auto id = properties_id(static_cast<std::size_t>(at - known.begin()));
  *std::ranges::find_if(fields, can_be_shared) = id;
  const auto rest = std::ranges::find_if(fields, [](const Field& field) { return field.id == 137; }) + 1;
  fields.erase(std::remove_if(rest, fields.end(), can_be_shared), fields.end());
  if (at != known.end()) return;
  shared.insert(shared.begin(), id);
  known.push_back({std::move(shared)});
}

}  // namespace weir::ipfix
