// SPDX-License-Identifier: BSD-3-Clause
// Information Elements (RFC 7012): what the number in a template means, by (enterprise, id) and by name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

/// Private enterprise numbers that the registry knows.
namespace enterprise {
inline constexpr std::uint32_t iana = 0, cert = 6871, cesnet = 8057, reverse = 29305, flowmon = 39499;
/// Of the elements that nobody has registered. The number is one for examples (RFC 5612): settings may name another.
inline constexpr std::uint32_t own = 32473;
}  // namespace enterprise

/// RFC 7012 §3.1, RFC 6313 §4.5 and RFC 9740 §4.1, in the order of IANA's registry of data types (RFC 5610 §3.1).
#define WEIR_DATA_TYPES(X)                           \
  X(octet_array, "octetArray")                       \
  X(unsigned8, "unsigned8")                          \
  X(unsigned16, "unsigned16")                        \
  X(unsigned32, "unsigned32")                        \
  X(unsigned64, "unsigned64")                        \
  X(signed8, "signed8")                              \
  X(signed16, "signed16")                            \
  X(signed32, "signed32")                            \
  X(signed64, "signed64")                            \
  X(float32, "float32")                              \
  X(float64, "float64")                              \
  X(boolean, "boolean")                              \
  X(mac_address, "macAddress")                       \
  X(string, "string")                                \
  X(date_time_seconds, "dateTimeSeconds")            \
  X(date_time_milliseconds, "dateTimeMilliseconds")  \
  X(date_time_microseconds, "dateTimeMicroseconds")  \
  X(date_time_nanoseconds, "dateTimeNanoseconds")    \
  X(ipv4_address, "ipv4Address")                     \
  X(ipv6_address, "ipv6Address")                     \
  X(basic_list, "basicList")                         \
  X(sub_template_list, "subTemplateList")            \
  X(sub_template_multi_list, "subTemplateMultiList") \
  X(unsigned256, "unsigned256")

#define X(name, text) name,
enum class DataType : std::uint8_t { WEIR_DATA_TYPES(X) };
#undef X
#define X(name, text) std::string_view{text},
inline constexpr auto data_type_names = std::to_array<std::string_view>({WEIR_DATA_TYPES(X)});
#undef X

/// RFC 7012 §3.2, numbered as in RFC 5610 §3.6.
enum class Semantics : std::uint8_t {
  none,
  quantity,
  total_counter,
  delta_counter,
  identifier,
  flags,
  list,
  snmp_counter,
  snmp_gauge
};
inline constexpr std::array<std::string_view, 9> semantics_names{
    "default", "quantity", "totalCounter", "deltaCounter", "identifier", "flags", "list", "snmpCounter", "snmpGauge"};

struct Element {
  std::uint32_t pen = 0;  ///< private enterprise number, 0 for IANA's own
  std::uint16_t id = 0;
  DataType type = DataType::octet_array;
  Semantics semantics = Semantics::none;
  std::string_view name, units;
};

/// The element, or nullptr if the registry does not know it. Reverse elements (RFC 5103: enterprise 29305, and bit
/// 0x4000 of CERT's and weir's own ids) are known too, under the name "reverse…".
const Element* find_element(std::uint32_t pen, std::uint16_t id) noexcept;

/// By its exact name; where two enterprises use one name, the lower enterprise number wins.
const Element* find_element(std::string_view name) noexcept;

/// All of them, sorted by number; names of reverse elements live as long as the process.
std::span<const Element> all_elements() noexcept;

/// Octets of a value that is not reduced; 0 for types without one length (octetArray, string, lists).
constexpr std::size_t octets_of(DataType type) noexcept {
  constexpr std::array<std::uint8_t, data_type_names.size()> octets{0, 1, 2, 4, 8, 1, 2, 4,  8, 4, 8, 1,
                                                                    6, 0, 4, 8, 8, 8, 4, 16, 0, 0, 0, 32};
  return octets[static_cast<std::size_t>(type)];
}
static_assert(octets_of(DataType::ipv6_address) == 16 && octets_of(DataType::unsigned256) == 32);

constexpr bool is_integer(DataType type) noexcept {
  return (type >= DataType::unsigned8 && type <= DataType::signed64) || type == DataType::unsigned256;
}

/// RFC 7011 §6.2: whether a template may announce this type with so many octets.
constexpr bool length_is_legal(DataType type, std::size_t octets) noexcept {
  const auto whole = octets_of(type);
  switch (type) {
    case DataType::octet_array:
    case DataType::string:
    case DataType::basic_list:
    case DataType::sub_template_list:
    case DataType::sub_template_multi_list: return true;
    case DataType::unsigned16:
    case DataType::unsigned32:
    case DataType::unsigned64:
    case DataType::unsigned256:
    case DataType::signed16:
    case DataType::signed32:
    case DataType::signed64: return octets >= 1 && octets <= whole;
    case DataType::float64: return octets == 4 || octets == 8;
    default: return octets == whole;
  }
}

}  // namespace weir
