// SPDX-License-Identifier: BSD-3-Clause
// Templates as text and back. Used at start only; everything that cannot be is a StartError of one line. A template is
// fields (element_text.hpp) and names of profiles, separated by spaces or commas; before them, and a '=', may stand
// what it is for:
//
//   default octetDeltaCount[4]        ipv4 tcp = default tcpWindowSize        udp 132 = minimal
//
// A field that is written out takes the place of a profile's of the same number. A template for both IP versions
// becomes one for each, without the elements that only the other version has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <weir/record.hpp>

#include "ipfix/vocabulary.hpp"

namespace weir::ipfix {

inline constexpr std::size_t templates_max = 32, fields_max = 512;

/// One template, as it is for each IP version that it is for: two at most.
std::vector<WantedTemplate> template_from(std::string_view text, const Vocabulary& words);

/// All templates of a run, in the order in which they are tried. Where the last one is not for every flow, the profile
/// default (in biflows: biflow) follows it. None for no text: the meter has that profile of its own.
std::vector<WantedTemplate> templates_from(std::span<const std::string> texts, const Vocabulary& words);

/// As template_from() reads it.
std::string text_of(const WantedTemplate& wanted, const Vocabulary& words);

}  // namespace weir::ipfix
