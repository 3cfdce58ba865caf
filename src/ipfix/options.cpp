// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/options.hpp"

#include <algorithm>
#include <charconv>

#include "ipfix/encode.hpp"

namespace weir::ipfix {
namespace {

#define WEIR_OPTION_FIELD(number, type, member)                                                              \
  Field {                                                                                                    \
    .id = number, .octets = sizeof(type::member), .stored = static_cast<std::uint8_t>(sizeof(type::member)), \
    .offset = offsetof(type, member)                                                                         \
  }

constexpr std::array metering_statistics{
    WEIR_OPTION_FIELD(149, MeteringStatistics, domain),   // observationDomainId
    WEIR_OPTION_FIELD(143, MeteringStatistics, process),  // meteringProcessId
    WEIR_OPTION_FIELD(41, MeteringStatistics, messages),  // exportedMessageTotalCount
    WEIR_OPTION_FIELD(42, MeteringStatistics, flows),     // exportedFlowRecordTotalCount
    WEIR_OPTION_FIELD(40, MeteringStatistics, octets),    // exportedOctetTotalCount
};
constexpr std::array metering_reliability{
    WEIR_OPTION_FIELD(149, MeteringReliability, domain),    // observationDomainId
    WEIR_OPTION_FIELD(143, MeteringReliability, process),   // meteringProcessId
    WEIR_OPTION_FIELD(164, MeteringReliability, packets),   // ignoredPacketTotalCount
    WEIR_OPTION_FIELD(165, MeteringReliability, octets),    // ignoredOctetTotalCount
    WEIR_OPTION_FIELD(323, MeteringReliability, first_ms),  // observationTimeMilliseconds
    WEIR_OPTION_FIELD(323, MeteringReliability, last_ms),   // observationTimeMilliseconds
};
constexpr std::array exporting_reliability{
    WEIR_OPTION_FIELD(144, ExportingReliability, process),   // exportingProcessId
    WEIR_OPTION_FIELD(166, ExportingReliability, flows),     // notSentFlowTotalCount
    WEIR_OPTION_FIELD(167, ExportingReliability, packets),   // notSentPacketTotalCount
    WEIR_OPTION_FIELD(168, ExportingReliability, octets),    // notSentOctetTotalCount
    WEIR_OPTION_FIELD(323, ExportingReliability, first_ms),  // observationTimeMilliseconds
    WEIR_OPTION_FIELD(323, ExportingReliability, last_ms),   // observationTimeMilliseconds
};
constexpr std::array flow_keys{
    WEIR_OPTION_FIELD(145, FlowKeys, template_id),  // templateId
    WEIR_OPTION_FIELD(173, FlowKeys, indicator),    // flowKeyIndicator
};
constexpr std::array selector_systematic{
    WEIR_OPTION_FIELD(302, SystematicSelector, id),         // selectorId
    WEIR_OPTION_FIELD(304, SystematicSelector, algorithm),  // selectorAlgorithm
    WEIR_OPTION_FIELD(305, SystematicSelector, interval),   // samplingPacketInterval
    WEIR_OPTION_FIELD(306, SystematicSelector, space),      // samplingPacketSpace
};
constexpr std::array selector_random{
    WEIR_OPTION_FIELD(302, RandomSelector, id),          // selectorId
    WEIR_OPTION_FIELD(304, RandomSelector, algorithm),   // selectorAlgorithm
    WEIR_OPTION_FIELD(309, RandomSelector, size),        // samplingSize
    WEIR_OPTION_FIELD(310, RandomSelector, population),  // samplingPopulation
};
constexpr std::array selector_hash{
    WEIR_OPTION_FIELD(302, HashSelector, id),              // selectorId
    WEIR_OPTION_FIELD(304, HashSelector, algorithm),       // selectorAlgorithm
    WEIR_OPTION_FIELD(327, HashSelector, payload_offset),  // hashIPPayloadOffset
    WEIR_OPTION_FIELD(328, HashSelector, payload_octets),  // hashIPPayloadSize
    WEIR_OPTION_FIELD(329, HashSelector, output_min),      // hashOutputRangeMin
    WEIR_OPTION_FIELD(330, HashSelector, output_max),      // hashOutputRangeMax
    WEIR_OPTION_FIELD(331, HashSelector, selected_min),    // hashSelectedRangeMin
    WEIR_OPTION_FIELD(332, HashSelector, selected_max),    // hashSelectedRangeMax
    WEIR_OPTION_FIELD(333, HashSelector, digest_output),   // hashDigestOutput
};
constexpr std::array selection_sequence{
    WEIR_OPTION_FIELD(301, SelectionSequence, id),        // selectionSequenceId
    WEIR_OPTION_FIELD(10, SelectionSequence, interface),  // ingressInterface
    WEIR_OPTION_FIELD(302, SelectionSequence, selector),  // selectorId
};
constexpr std::array selection_statistics{
    WEIR_OPTION_FIELD(301, SelectionSequence, id),        // selectionSequenceId
    WEIR_OPTION_FIELD(318, SelectionSequence, observed),  // selectorIdTotalPktsObserved
    WEIR_OPTION_FIELD(319, SelectionSequence, selected),  // selectorIdTotalPktsSelected
};
#undef WEIR_OPTION_FIELD
constexpr std::array port_losses{
    Field{.id = 10, .octets = 4},                 // ingressInterface
    Field{.id = 335, .octets = variable_length},  // selectorName
    Field{.id = 135, .octets = 8},                // droppedPacketTotalCount
};
// All that RFC 5610 §3.9 lists: libfixbuf learns from records that have all of it, from others nothing.
constexpr std::array type_information{
    Field{.id = 346, .octets = 4},                // privateEnterpriseNumber
    Field{.id = 303, .octets = 2},                // informationElementId
    Field{.id = 339, .octets = 1},                // informationElementDataType
    Field{.id = 344, .octets = 1},                // informationElementSemantics
    Field{.id = 345, .octets = 2},                // informationElementUnits
    Field{.id = 342, .octets = 8},                // informationElementRangeBegin
    Field{.id = 343, .octets = 8},                // informationElementRangeEnd
    Field{.id = 341, .octets = variable_length},  // informationElementName
    Field{.id = 340, .octets = variable_length},  // informationElementDescription
};
constexpr std::array interface_name{
    Field{.id = 10, .octets = 4},                // ingressInterface
    Field{.id = 82, .octets = variable_length},  // interfaceName
};

/// Length of the UTF-8 character at the front of `text` (RFC 3629 §4), 0 if there is none.
std::size_t character_octets(std::string_view text) noexcept {
  const auto octet = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = octet(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                             : first >= 0xe0 && first <= 0xef ? 3
                             : first >= 0xf0 && first <= 0xf4 ? 4
                                                              : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((octet(i) & 0xc0) != 0x80) return 0;
  const auto second = octet(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second >= 0xa0;
  const bool beyond = first == 0xf4 && second >= 0x90;
  const bool control = first == 0xc2 && second < 0xa0;
  return overlong || surrogate || beyond || control ? 0 : length;
}

}  // namespace

OptionShape shape_of(Option option) noexcept {
  switch (option) {
    case Option::metering_statistics: return {metering_statistics, 2, sizeof(MeteringStatistics)};
    case Option::metering_reliability: return {metering_reliability, 2, sizeof(MeteringReliability)};
    case Option::exporting_reliability: return {exporting_reliability, 1, sizeof(ExportingReliability)};
    case Option::flow_keys: return {flow_keys, 1, sizeof(FlowKeys)};
    case Option::selector_systematic: return {selector_systematic, 1, sizeof(SystematicSelector)};
    case Option::port_losses: return {port_losses, 2, 0};
    case Option::type_information: return {type_information, 2, 0};
    case Option::interface_name: return {interface_name, 1, 0};
    case Option::selection_sequence: return {selection_sequence, 1, sizeof(SelectionSequence)};
    case Option::selection_statistics: return {selection_statistics, 1, sizeof(SelectionSequence)};
    case Option::selector_random: return {selector_random, 1, sizeof(RandomSelector)};
    case Option::selector_hash: return {selector_hash, 1, sizeof(HashSelector)};
  }
  return {};
}

std::size_t put_well_formed(std::string_view text, std::span<char> out) noexcept {
  std::size_t written = 0;
  while (!text.empty()) {
    const auto octets = character_octets(text);
    const auto needed = std::max<std::size_t>(octets, 1);
    if (needed > out.size() - written) break;
    if (octets == 0) out[written] = '?';
    else std::copy_n(text.data(), octets, out.data() + written);
    written += needed;
    text.remove_prefix(needed);
  }
  return written;
}

InterfaceName::InterfaceName(std::uint32_t number, std::string_view name) noexcept : number_{number} {
  octets_ = static_cast<std::uint8_t>(put_well_formed(name, text_));
  if (octets_ > 0) return;
  const auto end = std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr;
  octets_ = static_cast<std::uint8_t>(end - text_.data());
}

void InterfaceNames::add(std::uint32_t number, std::string_view name) noexcept {
  const auto has_number = [number](const InterfaceName& known) { return known.number() == number; };
  if (names_.size() < names_max && std::none_of(names_.begin(), names_.end(), has_number))
    names_.emplace_back(number, name);
}

}  // namespace weir::ipfix
