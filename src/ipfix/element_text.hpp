// SPDX-License-Identifier: BSD-3-Clause
// Single fields and elements as text, in the notation that python-ipfix made common, and back. Used at start only;
// everything that cannot be is a StartError of one line.
//
//   a field      octetDeltaCount   octetDeltaCount[4]   (0/1)   octetDeltaCount(0/1)<unsigned64>[8]   interfaceName[v]
//   an element   myVlan(4711/5)<unsigned16> = vlanId
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <weir/record.hpp>

#include "ipfix/vocabulary.hpp"

namespace weir::ipfix {

inline constexpr std::size_t user_elements_max = 256;

/// A field, and what the element behind it is.
struct KnownField {
  WantedField field;
  KnownElement known;
};

KnownField field_from(std::string_view text, const Vocabulary& words);

/// An element of the user's. To be added to `words.user` before the next one is read.
UserElement user_element_from(std::string_view text, const Vocabulary& words);

/// As field_from() reads it; with the length where it is not the usual one.
std::string text_of(const WantedField& field, const Vocabulary& words);

}  // namespace weir::ipfix
