// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/element_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <weir/message.hpp>

#include "base/printable.hpp"
#include "ipfix/profiles.hpp"
#include "ipfix/refuse.hpp"

namespace weir::ipfix {
namespace {

constexpr std::size_t name_octets_max = 64;

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = std::min(text.find_first_not_of(blank), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(blank) + 1);
}

bool is_name(std::string_view text) noexcept {
  const auto fits = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  return std::ranges::all_of(text, fits);
}

std::string_view name_of(DataType type) noexcept { return data_type_names[static_cast<std::size_t>(type)]; }

/// The parts of name(pen/id)<type>[length] that are there.
struct Specification {
  std::string_view text, name;
  bool has_number = false;
  std::uint32_t pen = 0;
  std::uint16_t id = 0;
  std::optional<DataType> type;
  std::uint16_t octets = 0;  ///< 0: none was given
};

/// What stands between `open` and `close` at the front of `rest`, which loses it.
std::optional<std::string_view> take_bracketed(std::string_view& rest, char open, char close, std::string_view whole) {
  if (!rest.starts_with(open)) return {};
  const auto end = rest.find(close);
  if (end == rest.npos) refuse("'{}': '{}' is not closed", printable(whole), open);
  const auto inside = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return inside;
}

void read_number(std::string_view inside, Specification& out) {
  const auto slash = inside.find('/');
  const auto id = number_from(slash == inside.npos ? inside : inside.substr(slash + 1));
  const auto pen = slash == inside.npos ? std::optional<std::uint64_t>{0} : number_from(inside.substr(0, slash));
  if (!id || !pen) refuse("'{}': a number is (enterprise/id), such as (0/1)", printable(out.text));
  if (*pen > std::numeric_limits<std::uint32_t>::max())
    refuse("'{}': an enterprise number is at most 4294967295", printable(out.text));
  // RFC 7011 §3.2: 15 bits, and 0 is kept.
  if (*id == 0 || *id >= enterprise_bit) refuse("'{}': an element's id is 1 to 32767", printable(out.text));
  out.has_number = true;
  out.pen = static_cast<std::uint32_t>(*pen);
  out.id = static_cast<std::uint16_t>(*id);
}

void read_length(std::string_view inside, Specification& out) {
  const auto octets = inside == "v" ? std::optional<std::uint64_t>{variable_length} : number_from(inside);
  if (!octets || *octets == 0 || *octets > variable_length)
    refuse("'{}': a length is 1 to 65534 octets, or v for a variable one", printable(out.text));
  out.octets = static_cast<std::uint16_t>(*octets);
}

Specification specification_from(std::string_view text) {
  Specification out;
  out.text = text;
  out.name = text.substr(0, text.find_first_of("(<["));
  if (!is_name(out.name)) refuse("'{}': a name has letters, digits, '_' and '-' only", printable(text));
  auto rest = text.substr(out.name.size());
  if (const auto inside = take_bracketed(rest, '(', ')', text)) read_number(*inside, out);
  if (const auto inside = take_bracketed(rest, '<', '>', text)) {
    const auto at = std::ranges::find(data_type_names, *inside);
    if (at == data_type_names.end()) refuse("'{}': there is no type <{}>", printable(text), printable(*inside));
    out.type = static_cast<DataType>(at - data_type_names.begin());
  }
  if (const auto inside = take_bracketed(rest, '[', ']', text)) read_length(*inside, out);
  if (!rest.empty())
    refuse("'{}': a field is name(enterprise/id)<type>[octets], of which name or number is enough", printable(text));
  if (out.name.empty() && !out.has_number) refuse("'{}': a field needs a name or a number", printable(text));
  return out;
}

std::string legal_lengths(DataType type) {
  if (type == DataType::float64) return "4 or 8";
  const auto octets = octets_of(type);
  if (octets == 0) return "1 to 65534, or v";
  return is_integer(type) && octets > 1 ? fmt::format("1 to {}", octets) : fmt::format("{}", octets);
}

/// RFC 7011 §6.2 and §7.
void check_length(const Specification& written, DataType type) {
  if (written.octets == 0) return;
  const bool variable = written.octets == variable_length;
  if (variable ? octets_of(type) == 0 : length_is_legal(type, written.octets)) return;
  refuse("'{}': {} octets are not allowed for <{}>; {} {}", printable(written.text),
         variable ? "so many" : fmt::format("{}", written.octets), name_of(type), legal_lengths(type),
         octets_of(type) == 1 ? "octet is" : "octets are");
}

/// The element that a text means; all that it says of it must agree.
KnownElement element_of(const Specification& written, const Vocabulary& words) {
  const auto found = written.name.empty() ? find(words, written.pen, written.id) : find(words, written.name);
  if (!found && written.name.empty())
    refuse("'{}': no element has this number; write its name, or add it to export.elements", printable(written.text));
  if (!found)
    refuse("'{}': no element has this name; the nearest is {}", printable(written.text), nearest(words, written.name));
  const auto& element = found->element;
  if (written.has_number && (element.pen != written.pen || element.id != written.id))
    refuse("'{}': {} is ({}/{})", printable(written.text), element.name, element.pen, element.id);
  if (written.type && *written.type != element.type)
    refuse("'{}': {} is <{}>", printable(written.text), element.name, name_of(element.type));
  if (!has_value(words, *found))
    refuse("'{}': weir has no value for it; the nearest with one is {}", printable(written.text),
           nearest({.sources = words.sources}, found->source));
  return *found;
}

constexpr bool is_unsigned(DataType type) noexcept {
  return type >= DataType::unsigned8 && type <= DataType::unsigned64;
}

void check_user_number(const Specification& written, const Vocabulary& words) {
  if (written.pen == enterprise::iana || written.pen == enterprise::reverse)
    refuse("'{}': numbers under enterprise {} are IANA's to give; use one of your own", printable(written.text),
           written.pen);
  if (const auto taken = find(words, written.pen, written.id); taken && taken->element.name != written.name)
    refuse("'{}': ({}/{}) is {}", printable(written.text), written.pen, written.id, taken->element.name);
}

}  // namespace

KnownField field_from(std::string_view text, const Vocabulary& words) {
  const auto written = specification_from(trimmed(text));
  auto known = element_of(written, words);
  check_length(written, known.element.type);
  auto octets = written.octets != 0 ? written.octets : known.octets;
  // A user's element may be wider than the one whose value it has.
  if (octets == 0 && known.element.name != known.source)
    octets = static_cast<std::uint16_t>(octets_of(known.element.type));
  const bool of_the_user = known.element.name != known.source;
  return {{known.element.pen, known.element.id, octets, std::string{known.source}, of_the_user}, known};
}

UserElement user_element_from(std::string_view text, const Vocabulary& words) {
  const auto equals = text.find('=');
  const auto written = specification_from(trimmed(text.substr(0, equals)));
  const auto source_name = equals == text.npos ? std::string_view{} : trimmed(text.substr(equals + 1));
  if (source_name.empty() || written.name.empty() || !written.has_number)
    refuse("'{}': an element is name(enterprise/id)<type> = the element whose value it has", printable(text));
  if (words.user.size() == user_elements_max) refuse("more than {} elements", user_elements_max);
  if (written.name.size() > name_octets_max)
    refuse("'{}': a name has at most {} octets", printable(written.name), name_octets_max);
  if (find(words, written.name) || find_profile(written.name))
    refuse("'{}': the name {} is taken", printable(written.text), printable(written.name));
  check_user_number(written, words);

  const auto source = find(words, source_name);
  if (!source)
    refuse("'{}': no element is called {}; the nearest is {}", printable(written.text), printable(source_name),
           nearest(words, source_name));
  if (!has_value(words, *source))
    refuse("'{}': weir has no value for {}; the nearest with one is {}", printable(written.text), source_name,
           nearest({.sources = words.sources}, source->source));
  const auto type = written.type.value_or(source->element.type);
  if (type != source->element.type && !(is_unsigned(type) && is_unsigned(source->element.type)))
    refuse("'{}': {} is <{}> and cannot be announced as <{}>", printable(written.text), source->element.name,
           name_of(source->element.type), name_of(type));
  check_length(written, type);
  return {std::string{written.name}, written.pen, written.id, type, written.octets, std::string{source->source}};
}

std::string text_of(const WantedField& field, const Vocabulary& words) {
  const auto known = find(words, field.pen, field.id);
  std::string out = known ? std::string{known->element.name} : fmt::format("({}/{})", field.pen, field.id);
  if (field.octets == 0 || (known && field.octets == known->octets)) return out;
  if (field.octets == variable_length) return out + "[v]";
  if (known && known->element.name != known->source && known->octets == 0 &&
      field.octets == octets_of(known->element.type))
    return out;
  return out + fmt::format("[{}]", field.octets);
}

}  // namespace weir::ipfix
