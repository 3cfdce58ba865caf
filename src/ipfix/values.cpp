// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>

namespace weir::ipfix {
namespace {

constexpr char digits_16[] = "0123456789abcdef";

void append_number(Text& out, std::uint64_t value) {
  const fmt::format_int text{value};
  out.append(text.data(), text.data() + text.size());
}

/// The last `digits` decimal digits.
void append_digits(Text& out, std::uint64_t value, int digits) {
  std::array<char, 20> text{};
  auto* const end = text.data() + digits;
  for (auto* at = end; at != text.data(); value /= 10) *--at = static_cast<char>('0' + value % 10);
  out.append(text.data(), end);
}

void append_octet(Text& out, std::byte octet) {
  out.push_back(digits_16[std::to_integer<unsigned>(octet) >> 4]);
  out.push_back(digits_16[std::to_integer<unsigned>(octet) & 15u]);
}

struct Moment {
  std::int64_t seconds = 0;  ///< since 1970
  std::uint32_t fraction = 0;
  int digits = 0;  ///< decimal digits of the fraction
};

/// RFC 7011 §6.1.9, §6.1.10: NTP's format. Of microseconds the lowest eleven bits do not count. The era changes in
/// 2036: seconds without the highest bit belong to the next one (§5.2).
Moment ntp_moment(Bytes octets, DataType type) noexcept {
  constexpr std::int64_t seconds_1900_to_1970 = 2'208'988'800, era = std::int64_t{1} << 32;
  const bool micro = type == DataType::date_time_microseconds;
  const auto high = load_be<std::uint32_t>(octets.data());
  const std::uint64_t low = load_be<std::uint32_t>(octets.data() + 4) & (micro ? 0xffff'f800u : 0xffff'ffffu);
  const std::uint64_t unit = micro ? 1'000'000u : 1'000'000'000u;
  const auto rounded = (low * unit + (std::uint64_t{1} << 31)) >> 32;
  const auto seconds = static_cast<std::int64_t>(high) - seconds_1900_to_1970 + (high < 0x8000'0000u ? era : 0);
  return {seconds + static_cast<std::int64_t>(rounded / unit), static_cast<std::uint32_t>(rounded % unit),
          micro ? 6 : 9};
}

std::optional<Moment> moment_of(DataType type, Bytes octets) noexcept {
  if (octets.size() != octets_of(type)) return {};
  if (type == DataType::date_time_seconds) return Moment{load_be<std::uint32_t>(octets.data()), 0, 0};
  if (type != DataType::date_time_milliseconds) return ntp_moment(octets, type);
  const auto value = load_be<std::uint64_t>(octets.data());
  return Moment{static_cast<std::int64_t>(value / 1000), static_cast<std::uint32_t>(value % 1000), 3};
}

bool append_moment(Text& out, DataType type, Bytes octets, Style style) {
  constexpr std::int64_t year_10000 = 253'402'300'800;
  const auto moment = moment_of(type, octets);
  if (!moment || moment->seconds >= year_10000) return false;
  if (style == Style::json) out.push_back('"');
  append_time(out, moment->seconds, moment->fraction, moment->digits);
  if (style == Style::json) out.push_back('"');
  return true;
}

bool append_signed(Text& out, Bytes octets) {
  const auto raw = number_of(octets);
  if (!raw) return false;
  const auto unused_bits = 64 - 8 * static_cast<int>(octets.size());
  const fmt::format_int text{static_cast<std::int64_t>(*raw << unused_bits) >> unused_bits};
  out.append(text.data(), text.data() + text.size());
  return true;
}

bool append_unsigned(Text& out, const Value& value, Style style) {
  const auto number = number_of(value.octets);
  if (!number) return false;
  const bool flags = value.field->element && value.field->element->semantics == Semantics::flags;
  if (flags && style == Style::text) fmt::format_to(fmt::appender(out), "0x{:x}", *number);
  else append_number(out, *number);
  return true;
}

bool append_float(Text& out, Bytes octets, Style style) {
  double value = 0;
  if (octets.size() == 4) value = std::bit_cast<float>(load_be<std::uint32_t>(octets.data()));
  else if (octets.size() == 8) value = std::bit_cast<double>(load_be<std::uint64_t>(octets.data()));
  else return false;
  if (style == Style::json && !std::isfinite(value)) fmt::format_to(fmt::appender(out), "\"{}\"", value);
  else if (octets.size() == 4) fmt::format_to(fmt::appender(out), "{}", static_cast<float>(value));
  else fmt::format_to(fmt::appender(out), "{}", value);
  return true;
}

/// RFC 7011 §6.1.5: 1 is true, 2 is false. Other values are shown as what they are.
bool append_boolean(Text& out, Bytes octets) {
  if (octets.size() != 1) return false;
  const auto value = std::to_integer<std::uint8_t>(octets[0]);
  if (value == 1 || value == 2) append(out, value == 1 ? "true" : "false");
  else append_number(out, value);
  return true;
}

bool append_quoted_address(Text& out, DataType type, Bytes octets, Style style) {
  if (octets.size() != octets_of(type)) return false;
  if (style == Style::json) out.push_back('"');
  if (type == DataType::mac_address) {
    for (std::size_t i = 0; i < octets.size(); ++i) {
      if (i > 0) out.push_back(':');
      append_octet(out, octets[i]);
    }
  } else {
    append_address(out, octets);
  }
  if (style == Style::json) out.push_back('"');
  return true;
}

void append_ipv4(Text& out, Bytes octets) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i > 0) out.push_back('.');
    append_number(out, std::to_integer<std::uint8_t>(octets[i]));
  }
}

/// The longest run of at least two zero groups, the first of equals: RFC 5952 §4.2.
struct ZeroRun {
  std::size_t start = 8, count = 1;
};
ZeroRun longest_zero_run(const std::array<std::uint16_t, 8>& groups) noexcept {
  ZeroRun best, run{0, 0};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    run = groups[i] != 0 ? ZeroRun{i + 1, 0} : ZeroRun{run.start, run.count + 1};
    if (run.count > best.count) best = run;
  }
  return best;
}

void append_ipv6(Text& out, Bytes octets) {
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = load_be<std::uint16_t>(octets.data() + 2 * i);
  const bool mapped =
      groups[5] == 0xffff && std::ranges::all_of(octets.first(10), [](auto o) { return o == std::byte{}; });
  if (mapped) {  // RFC 5952 §5
    append(out, "::ffff:");
    return append_ipv4(out, octets.subspan(12));
  }
  const auto zeros = longest_zero_run(groups);
  for (std::size_t i = 0; i < groups.size();) {
    if (i == zeros.start) {
      append(out, "::");
      i += zeros.count;
      continue;
    }
    if (i > 0 && i != zeros.start + zeros.count) out.push_back(':');
    fmt::format_to(fmt::appender(out), "{:x}", groups[i++]);
  }
}

/// Octets of the well-formed UTF-8 character at the start (RFC 3629 §4), 0 if there is none.
std::size_t character_octets(std::string_view text) noexcept {
  const auto octet = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return octet(i) >= low && octet(i) <= high;
  };
  const auto first = octet(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef)
    return tail(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && tail(2) ? 3 : 0;
  if (first >= 0xf0 && first <= 0xf4)
    return tail(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

/// C1 controls (U+0080 to U+009F) steer terminals as much as C0 controls do.
bool is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character[0]);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0);
}

void append_escaped(Text& out, std::string_view character, Style style) {
  if (style == Style::text) {
    for (const char c : character) {
      append(out, "\\x");
      append_octet(out, static_cast<std::byte>(c));
    }
  } else {
    append(out, "\\u00");
    append_octet(out, static_cast<std::byte>(character.back()));
  }
}

}  // namespace

std::string name_of(const FieldSpecifier& field) {
  return field.element ? std::string{field.element->name} : fmt::format("{}/{}", field.pen, field.id);
}

std::optional<std::uint64_t> number_of(Bytes octets) noexcept {
  if (octets.empty() || octets.size() > 8) return {};
  std::uint64_t value = 0;
  for (const auto octet : octets) value = value << 8 | std::to_integer<std::uint64_t>(octet);
  return value;
}

std::optional<std::int64_t> nanoseconds_of(DataType type, Bytes octets) noexcept {
  constexpr std::int64_t seconds_max = 9'000'000'000;  // of 64 bits of nanoseconds
  const auto moment = moment_of(type, octets);
  if (!moment || moment->seconds > seconds_max) return {};
  std::int64_t unit = 1'000'000'000;
  for (int i = 0; i < moment->digits; ++i) unit /= 10;
  return moment->seconds * 1'000'000'000 + moment->fraction * unit;
}

void append_hexadecimal(Text& out, Bytes octets, Style style) {
  append(out, style == Style::json ? "\"0x" : "0x");
  for (const auto octet : octets) append_octet(out, octet);
  if (style == Style::json) out.push_back('"');
}

void append_address(Text& out, Bytes octets) {
  octets.size() == 16 ? append_ipv6(out, octets) : append_ipv4(out, octets);
}

void append_time(Text& out, std::int64_t seconds, std::uint32_t fraction, int digits) {
  const std::chrono::sys_seconds at{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  append_digits(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out.push_back('T');
  append_digits(out, static_cast<std::uint64_t>(time.hours().count()), 2);
  out.push_back(':');
  append_digits(out, static_cast<std::uint64_t>(time.minutes().count()), 2);
  out.push_back(':');
  append_digits(out, static_cast<std::uint64_t>(time.seconds().count()), 2);
  if (digits > 0) {
    out.push_back('.');
    append_digits(out, fraction, digits);
  }
  out.push_back('Z');
}

void append_quoted(Text& out, std::string_view octets, Style style) {
  out.push_back('"');
  while (!octets.empty()) {
    const auto size = character_octets(octets);
    const auto character = octets.substr(0, std::max<std::size_t>(size, 1));
    octets.remove_prefix(character.size());
    if (size == 0 && style == Style::json) {
      append(out, "\\ufffd");  // JSON has no way to write an octet that is not text
    } else if (size == 0 || is_control(character)) {
      append_escaped(out, character, style);
    } else {
      if (character == "\"" || character == "\\") out.push_back('\\');
      append(out, character);
    }
  }
  out.push_back('"');
}

void append_value(Text& out, const Value& value, Style style) {
  const auto type = value.type();
  const auto octets = value.octets;
  bool suits = false;
  switch (type) {
    case DataType::octet_array:
    case DataType::basic_list:
    case DataType::sub_template_list:
    case DataType::sub_template_multi_list: return append_hexadecimal(out, octets, style);
    case DataType::string: {
      std::string_view text{reinterpret_cast<const char*>(octets.data()), octets.size()};
      // Exporters fill fields of fixed length with zeros.
      while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
      return append_quoted(out, text, style);
    }
    case DataType::unsigned8:
    case DataType::unsigned16:
    case DataType::unsigned32:
    case DataType::unsigned64:
    case DataType::unsigned256: suits = append_unsigned(out, value, style); break;
    case DataType::signed8:
    case DataType::signed16:
    case DataType::signed32:
    case DataType::signed64: suits = append_signed(out, octets); break;
    case DataType::float32:
    case DataType::float64: suits = append_float(out, octets, style); break;
    case DataType::boolean: suits = append_boolean(out, octets); break;
    case DataType::mac_address:
    case DataType::ipv4_address:
    case DataType::ipv6_address: suits = append_quoted_address(out, type, octets, style); break;
    case DataType::date_time_seconds:
    case DataType::date_time_milliseconds:
    case DataType::date_time_microseconds:
    case DataType::date_time_nanoseconds: suits = append_moment(out, type, octets, style); break;
  }
  if (suits) return;
  if (octets.empty()) append(out, style == Style::json ? "null" : "-");
  else append_hexadecimal(out, octets, style);
}

}  // namespace weir::ipfix
