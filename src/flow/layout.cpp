// SPDX-License-Identifier: BSD-3-Clause
#include "flow/layout.hpp"

#include <span>
#include <string_view>

#include "flow/plan.hpp"
#include "flow/shape.hpp"

namespace weir::flow {
namespace {

inline constexpr std::uint32_t reverse_pen = 29305;  // RFC 5103 §6.1

/// Where in a record an element lies.
enum class Part : std::uint8_t { key, direction, end, constant };

/// One Information Element: number, length on the wire, and where in the parts of a record it is kept. For the key the
/// offset is that in the word of numbers, or which address; a direction's is that in its block.
struct Element {
  std::uint16_t id, octets;
  Part part;
  Form form;
  std::uint8_t stored;
  std::uint16_t offset;
};

enum KeyField : std::uint16_t { source_address, destination_address, numbers };
constexpr std::uint16_t in_numbers(std::uint16_t octet) { return static_cast<std::uint16_t>(numbers + octet); }

/// Fixed lengths, IANA numbers only, one pair of times: what nfcapd, goflow2, Akvorado, Logstash and pmacct all read.
/// {0, …} stands for the element of the address family: see `family_of`.
inline constexpr Element elements[] = {
    {152, 8, Part::direction, Form::number, 6, Direction::start_at},          // flowStartMilliseconds
    {153, 8, Part::direction, Form::number, 6, Direction::end_at},            // flowEndMilliseconds
    {1, 8, Part::direction, Form::number, 6, Direction::octets_at},           // octetDeltaCount
    {2, 8, Part::direction, Form::number, 6, Direction::packets_at},          // packetDeltaCount
    {0, 0, Part::key, Form::bytes, 0, source_address},                        // sourceIPv4Address, sourceIPv6Address
    {0, 0, Part::key, Form::bytes, 0, destination_address},                   // destinationIPv4Address, …IPv6Address
    {7, 2, Part::key, Form::number, 2, in_numbers(0)},                        // sourceTransportPort
    {11, 2, Part::key, Form::number, 2, in_numbers(2)},                       // destinationTransportPort
    {10, 4, Part::direction, Form::number, 2, Direction::interface_at},       // ingressInterface
    {14, 4, Part::constant, Form::constant, 0, 0},                            // egressInterface
    {58, 2, Part::key, Form::number, 2, in_numbers(4)},                       // vlanId
    {6, 2, Part::direction, Form::tcp_bits, 2, Direction::flags_at},          // tcpControlBits
    {0, 2, Part::end, Form::number, 2, offsetof(RecordEnd, icmp_type_code)},  // icmpTypeCodeIPv4, icmpTypeCodeIPv6
    {4, 1, Part::key, Form::number, 1, in_numbers(6)},                        // protocolIdentifier
    {5, 1, Part::key, Form::number, 1, in_numbers(7)},                        // ipClassOfService
    {60, 1, Part::constant, Form::constant, 0, 0},                            // ipVersion
    {52, 1, Part::direction, Form::number, 1, Direction::ttl_minimum_at},     // minimumTTL
    {53, 1, Part::direction, Form::number, 1, Direction::ttl_maximum_at},     // maximumTTL
    {136, 1, Part::end, Form::number, 1, offsetof(RecordEnd, reason)},        // flowEndReason
};

/// What a biflow adds for the other direction: those values of the above that each direction has of its own.
inline constexpr std::array<std::uint16_t, 9> reversed{152, 153, 1, 2, 10, 6, 5, 52, 53};

struct Family {
  std::string_view uniflow, biflow;
  std::uint16_t address_octets, source, destination, icmp_type_code, version;
};
inline constexpr Family ipv4{"ipv4", "ipv4_biflow", 4, 8, 12, 32, 4};
inline constexpr Family ipv6{"ipv6", "ipv6_biflow", 16, 27, 28, 139, 6};

inline constexpr std::uint16_t flow_end_reason = 136, ip_class_of_service = 5, ip_version = 60;

struct Offsets {
  std::size_t forward, reverse, end;
};

Field key_field(const Element& element, const Family& family) {
  Field field{.octets = element.octets, .form = element.form, .stored = element.stored, .key = true};
  switch (element.offset) {
    case source_address: field.id = family.source; break;
    case destination_address: field.id = family.destination; break;
    default: field.id = element.id;
  }
  if (element.form == Form::bytes) {
    field.octets = family.address_octets;
    field.offset = element.offset == source_address ? 0 : family.address_octets;
  } else {
    field.offset = static_cast<std::uint16_t>(2 * family.address_octets + element.offset - numbers);
    field.key = element.id != ip_class_of_service;  // kept beside the key, not part of it
  }
  return field;
}

Field make_field(const Element& element, const Family& family, const Offsets& at, const MeterOptions& options) {
  if (element.part == Part::key) return key_field(element, family);
  Field field{.id = element.id, .octets = element.octets, .form = element.form, .stored = element.stored};
  switch (element.part) {
    case Part::direction: field.offset = static_cast<std::uint16_t>(at.forward + element.offset); break;
    case Part::end:
      field.offset = static_cast<std::uint16_t>(at.end + element.offset);
      field.key = element.id != flow_end_reason;  // type and code are part of the key
      if (field.key) field.id = family.icmp_type_code;
      break;
    default: field.constant = element.id == ip_version ? family.version : options.egress_interface;
  }
  return field;
}

Field make_reverse(Field field, const Offsets& at) {
  field.pen = reverse_pen;
  if (field.id == ip_class_of_service) {
    field.offset = static_cast<std::uint16_t>(at.reverse + Direction::tos_at);
    field.key = false;
  } else {
    field.offset = static_cast<std::uint16_t>(field.offset + at.reverse - at.forward);
  }
  return field;
}

template <class S>
RecordLayout make_layout(const Family& family, const MeterOptions& options) {
  const Offsets at{S::forward_at, S::reverse_at, S::clocks_at};
  RecordLayout layout{.octets = S::octets,
                      .live_octets = S::octets,
                      .end_offset = S::clocks_at,
                      .templates = {{std::string{family.uniflow}, {}}}};
  for (const auto& element : elements) layout.templates[0].fields.push_back(make_field(element, family, at, options));
  if constexpr (S::biflow) {
    layout.templates.push_back({std::string{family.biflow}, layout.templates[0].fields});
    for (const auto id : reversed)
      for (const auto& field : layout.templates[0].fields)
        if (field.id == id) layout.templates[1].fields.push_back(make_reverse(field, at));
  }
  for (std::uint8_t i = 0; i < S::directions; ++i) {
    const auto direction = S::direction_at(i);
    layout.packet_offsets[i] = static_cast<std::uint16_t>(direction + Direction::packets_at);
    layout.octet_offsets[i] = static_cast<std::uint16_t>(direction + Direction::octets_at);
  }
  layout.directions = S::directions;
  for (const auto& field : layout.templates[0].fields)
    if (field.key && field.offset < S::clocks_at && field.form != Form::constant) layout.places.push_back(field);
  return layout;
}

}  // namespace

bool narrow_clocks_suffice(const MeterOptions& options) noexcept {
  return options.clock_width == ClockWidth::shortest && is_usual(options) &&
         static_cast<Word>(options.timeout_active.count()) <= NarrowClocks::active_max &&
         static_cast<Word>(options.timeout_closed.count()) <= NarrowClocks::closed_max;
}

bool needs_details(const MeterOptions& options) { return !is_usual(options) && make_plan(options).needs_details; }

NarrowTimeouts narrow_timeouts_max() noexcept {
  const auto whole = [](Word ns) { return std::chrono::floor<std::chrono::seconds>(nanoseconds{ns}); };
  return {whole(NarrowClocks::active_max), whole(NarrowClocks::closed_max)};
}

bool can_take_timeouts(const MeterOptions& options, const MeterOptions& wanted) noexcept {
  auto both = wanted;
  both.clock_width = options.clock_width;
  return options.direction == FlowDirection::biflow || !narrow_clocks_suffice(options) || narrow_clocks_suffice(both);
}

std::array<RecordLayout, 2> make_layouts(const MeterOptions& options) {
  if (!is_usual(options)) return make_plan(options).layouts;
  if (options.direction == FlowDirection::biflow)
    return {make_layout<Biflow4>(ipv4, options), make_layout<Biflow6>(ipv6, options)};
  if (narrow_clocks_suffice(options))
    return {make_layout<UniflowNarrow4>(ipv4, options), make_layout<Uniflow6>(ipv6, options)};
  return {make_layout<Uniflow4>(ipv4, options), make_layout<Uniflow6>(ipv6, options)};
}

}  // namespace weir::flow
