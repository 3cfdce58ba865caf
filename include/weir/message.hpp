// SPDX-License-Identifier: BSD-3-Clause
// IPFIX Messages (RFC 7011): the numbers of the format, and what a reader hands out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <weir/bytes.hpp>
#include <weir/element.hpp>

namespace weir::ipfix {

inline constexpr std::uint16_t version = 10;
inline constexpr std::size_t message_header_octets = 16;
inline constexpr std::size_t set_header_octets = 4;
inline constexpr std::size_t message_octets_max = 65535;

/// Set ids, RFC 7011 §3.3.2. In a withdrawal of all templates (§8.1) they stand in the place of the template id.
inline constexpr std::uint16_t template_set = 2, options_template_set = 3, data_set_first = 256;

/// In a Field Specifier, RFC 7011 §3.2: an enterprise number follows; the length stands before each value (§7).
inline constexpr std::uint16_t enterprise_bit = 0x8000;
inline constexpr std::uint16_t variable_length = 65535;

/// One field of a template as it was announced.
struct FieldSpecifier {
  std::uint32_t pen = 0;
  std::uint16_t id = 0;
  std::uint16_t octets = 0;          ///< or variable_length
  const Element* element = nullptr;  ///< nullptr: neither in the registry nor described

  /// The element follows from the rest.
  friend bool operator==(const FieldSpecifier& a, const FieldSpecifier& b) noexcept {
    return a.pen == b.pen && a.id == b.id && a.octets == b.octets;
  }
};

enum class TemplateKind : std::uint8_t { data, options };

struct Template {
  std::uint32_t domain = 0;
  std::uint16_t id = 0;
  TemplateKind kind = TemplateKind::data;
  std::uint16_t scope_count = 0;  ///< the first fields that are scope; 0 for data templates
  bool fixed = true;              ///< no field of variable length
  bool readable = true;           ///< no field is reduced to a length that its type forbids (RFC 7011 §6.2)
  std::size_t record_octets_min = 0;
  std::uint64_t serial = 0;  ///< no two definitions of a session have the same; new names are a new definition
  std::size_t learned = 0;   ///< elements that the session had learned when the fields got their names
  std::vector<FieldSpecifier> fields{};
};

/// One value of a record. The octets lie in the message.
struct Value {
  const FieldSpecifier* field = nullptr;
  Bytes octets;

  DataType type() const noexcept { return field->element ? field->element->type : DataType::octet_array; }
};

/// A message's header, and where the message began in the input.
struct Message {
  std::uint64_t offset = 0;
  std::uint32_t export_time = 0;  ///< seconds since 1970
  std::uint32_t sequence = 0;
  std::uint32_t domain = 0;
  Bytes octets;  ///< all of it, header included
};

}  // namespace weir::ipfix
