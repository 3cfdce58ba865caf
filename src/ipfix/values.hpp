// SPDX-License-Identifier: BSD-3-Clause
// Values of single Information Elements (RFC 7011 §6.1) → text and JSON. Lists are in values_record.hpp.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <weir/bytes.hpp>
#include <weir/message.hpp>

namespace weir::ipfix {

enum class Style : std::uint8_t { text, json };
using Text = fmt::memory_buffer;

inline void append(Text& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

/// The name in the registry, or "pen/id".
std::string name_of(const FieldSpecifier& field);

/// A number of up to eight octets, most significant first; nothing for longer ones and for none at all.
std::optional<std::uint64_t> number_of(Bytes octets) noexcept;

/// A moment of any of the four time types, in nanoseconds since 1970; nothing if the length is not that of the type, or
/// the moment does not fit.
std::optional<std::int64_t> nanoseconds_of(DataType type, Bytes octets) noexcept;

/// Any value that is not a list. Octets whose number does not suit the type are shown as octetArray.
void append_value(Text& out, const Value& value, Style style);

void append_address(Text& out, Bytes octets);  ///< of 4 or 16 octets, RFC 5952
void append_hexadecimal(Text& out, Bytes octets, Style style);
void append_time(Text& out, std::int64_t seconds, std::uint32_t fraction, int digits);  ///< ISO 8601, UTC
void append_quoted(Text& out, std::string_view octets, Style style);  ///< as a string, whatever the octets are

}  // namespace weir::ipfix
