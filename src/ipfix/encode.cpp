// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/encode.hpp"

#include <charconv>
#include <cstring>

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

#include "base/assert.hpp"
#include "ipfix/options.hpp"

namespace weir::ipfix {
namespace {

constexpr std::size_t chunk_octets = 16;
constexpr std::uint8_t no_octet = 0x80;

/// RFC 7011 §6.2: a value that outgrows a reduced field must not be cut to something that looks like a small one.
bool outgrows(const std::byte* from, std::size_t stored, std::size_t octets) noexcept {
  return std::any_of(from + octets, from + stored, [](std::byte octet) { return octet != std::byte{0}; });
}

std::size_t stored_octets(const Field& field) noexcept {
  switch (field.form) {
    case Form::number: return field.stored;
    case Form::bytes: return field.octets;
    case Form::tcp_bits: return 2;
    case Form::constant:
    case Form::text:
    case Form::interface_name: return 0;
  }
  return 0;
}

bool is_text(const Field& field) noexcept { return field.form == Form::text || field.form == Form::interface_name; }

/// Fields from `first` to the next text.
std::span<const Field> run_from(std::span<const Field> fields, std::size_t first) noexcept {
  const auto rest = fields.subspan(first);
  return rest.first(static_cast<std::size_t>(std::ranges::find_if(rest, is_text) - rest.begin()));
}

/// RFC 7011 §7: lengths from here on need three octets.
constexpr std::size_t long_form = 255;

Bytes text_in(const std::byte* at) noexcept { return {at + 2, load_native<std::uint16_t>(at)}; }

/// Variable length, or cut and padded to a fixed one.
std::size_t put_text(const Field& field, Bytes text, std::byte* out) noexcept {
  Writer to{{out, variable_octets_max(field)}};
  if (field.octets != variable_length) {
    to.bytes(text.first(std::min<std::size_t>(text.size(), field.octets)));
    to.zeros(to.left());
    return to.written();
  }
  if (text.size() < long_form) {
    to.number(static_cast<std::uint8_t>(text.size()));
  } else {
    to.number(static_cast<std::uint8_t>(long_form));
    to.number(static_cast<std::uint16_t>(text.size()));
  }
  to.bytes(text);
  return to.written();
}

/// Interfaces are counted from 1, and most often told in order.
std::size_t put_interface(const Field& field, std::uint16_t number, const InterfaceNames* names,
                          std::byte* out) noexcept {
  if (names)
    if (const auto* name = names->find(number)) return put_text(field, std::as_bytes(std::span{name->text()}), out);
  std::array<char, 5> digits;
  const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto octets = static_cast<std::size_t>(end - digits.data());
  return put_text(field, std::as_bytes(std::span{digits}.first(octets)), out);
}

}  // namespace

FixedPlan::FixedPlan(std::span<const Field> fields, std::size_t record_octets) {
  std::vector<Origin> origins;
  for (const auto& field : fields) {
    const auto stored = stored_octets(field);
    WEIR_ASSERT(field.octets != variable_length);
    WEIR_ASSERT(field.form == Form::bytes || (field.octets <= 8 && stored <= 8));
    WEIR_ASSERT(field.offset + stored <= record_octets);
    if (field.form == Form::number && stored > field.octets)
      reduced_.push_back({field.offset, stored, origins.size(), field.octets});
    append_origins(field, origins);
  }
  octets_ = origins.size();
  if (octets_ == 0) return;
  WEIR_ASSERT(record_octets >= chunk_octets);
  const auto wire_octets = std::max(octets_, chunk_octets);
  origins.resize(wire_octets);
  // The last chunk ends where the record ends, and so may write some octets a second time, but none behind it.
  for (std::size_t to = 0; to < wire_octets; to += chunk_octets)
    add_chunk(origins, std::min(to, wire_octets - chunk_octets), record_octets);
}

void FixedPlan::append_origins(const Field& field, std::vector<Origin>& origins) {
  for (std::size_t i = 0; i < field.octets; ++i) {
    const auto significance = field.octets - 1 - i;
    Origin origin;
    switch (field.form) {
      case Form::bytes: origin = {static_cast<std::uint16_t>(field.offset + i), 0xff, 0}; break;
      case Form::constant: origin.constant = static_cast<std::uint8_t>(field.constant >> (8 * significance)); break;
      case Form::number:
        if (significance < field.stored) origin = {static_cast<std::uint16_t>(field.offset + significance), 0xff, 0};
        break;
      case Form::tcp_bits:  // RFC 9293 §3.1: the upper four bits are the data offset
        if (significance < 2)
          origin = {static_cast<std::uint16_t>(field.offset + significance),
                    static_cast<std::uint8_t>(significance == 1 ? 0x0f : 0xff), 0};
        break;
      case Form::text:
      case Form::interface_name: break;  // no fixed octets
    }
    origins.push_back(origin);
  }
}

void FixedPlan::add_chunk(std::span<const Origin> origins, std::size_t to, std::size_t record_octets) {
  Chunk chunk{.mask = {}, .constant = {}, .to = to, .windows_end = 0};
  origins = origins.subspan(to, chunk_octets);
  std::array<bool, chunk_octets> missing{};
  for (std::size_t i = 0; i < chunk_octets; ++i) {
    chunk.mask[i] = origins[i].mask;
    chunk.constant[i] = origins[i].constant;
    missing[i] = origins[i].mask != 0;
  }
  const auto first_missing = [&] {
    std::size_t first = record_octets;
    for (std::size_t i = 0; i < chunk_octets; ++i)
      if (missing[i]) first = std::min<std::size_t>(first, origins[i].from);
    return first;
  };
  for (auto first = first_missing(); first < record_octets; first = first_missing()) {
    Window window{.control = {}, .from = std::min(first, record_octets - chunk_octets)};
    for (std::size_t i = 0; i < chunk_octets; ++i) {
      const bool inside = missing[i] && origins[i].from - window.from < chunk_octets;
      window.control[i] = inside ? static_cast<std::uint8_t>(origins[i].from - window.from) : no_octet;
      if (inside) missing[i] = false;
    }
    windows_.push_back(window);
  }
  chunk.windows_end = windows_.size();
  chunks_.push_back(chunk);
}

void FixedPlan::encode(const std::byte* record, std::byte* out) const noexcept {
  if (octets_ >= chunk_octets) {
    gather(record, out);
  } else if (octets_ > 0) {
    std::array<std::byte, chunk_octets> whole;
    gather(record, whole.data());
    std::memcpy(out, whole.data(), octets_);
  }
  for (const auto& number : reduced_)
    if (outgrows(record + number.from, number.stored, number.octets)) std::memset(out + number.to, 0xff, number.octets);
}

void FixedPlan::gather(const std::byte* record, std::byte* out) const noexcept {
  const auto* window = windows_.data();
  for (const auto& chunk : chunks_) {
    const auto* windows_end = windows_.data() + chunk.windows_end;
#if defined(__SSSE3__)
    const auto load = [](const void* at) { return _mm_loadu_si128(static_cast<const __m128i*>(at)); };
    auto octets = _mm_setzero_si128();
    for (; window != windows_end; ++window)
      octets = _mm_or_si128(octets, _mm_shuffle_epi8(load(record + window->from), load(window->control.data())));
    octets = _mm_or_si128(_mm_and_si128(octets, load(chunk.mask.data())), load(chunk.constant.data()));
    std::memcpy(out + chunk.to, &octets, chunk_octets);
#else
    Sixteen octets{};
    for (; window != windows_end; ++window)
      for (std::size_t i = 0; i < chunk_octets; ++i)
        if (window->control[i] != no_octet)
          octets[i] = std::to_integer<std::uint8_t>(record[window->from + window->control[i]]);
    for (std::size_t i = 0; i < chunk_octets; ++i)
      out[chunk.to + i] = static_cast<std::byte>((octets[i] & chunk.mask[i]) | chunk.constant[i]);
#endif
  }
}

EncodePlan::EncodePlan(std::span<const Field> fields, std::size_t record_octets)
    : begin_{run_from(fields, 0), record_octets}, octets_max_{begin_.octets()} {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!is_text(fields[i])) continue;
    const auto& text = texts_.emplace_back(Text{fields[i], FixedPlan{run_from(fields, i + 1), record_octets}});
    octets_max_ += variable_octets_max(text.field) + text.behind.octets();
  }
}

std::size_t EncodePlan::encode_texts(const std::byte* record, std::byte* out,
                                     const InterfaceNames* names) const noexcept {
  auto* at = out + begin_.octets();
  for (const auto& [field, behind] : texts_) {
    at += field.form == Form::text ? put_text(field, text_in(record + field.offset), at)
                                   : put_interface(field, load_native<std::uint16_t>(record + field.offset), names, at);
    behind.encode(record, at);
    at += behind.octets();
  }
  return static_cast<std::size_t>(at - out);
}

std::size_t variable_octets_max(const Field& field) noexcept {
  if (field.octets != variable_length) return field.octets;
  const std::size_t longest = field.form == Form::text ? field.room : InterfaceName::octets_max;
  return longest + (longest < long_form ? 1 : 3);
}

std::size_t field_specifier_octets(std::span<const Field> fields) noexcept {
  std::size_t octets = 0;
  for (const auto& field : fields) octets += field.pen == 0 ? 4 : 8;
  return octets;
}

namespace {

void put_field_specifiers(Writer& out, std::span<const Field> fields) noexcept {
  for (const auto& field : fields) {
    WEIR_ASSERT(field.id > 0 && field.id < enterprise_bit);
    WEIR_ASSERT(field.octets > 0);
    out.number(static_cast<std::uint16_t>(field.id | (field.pen == 0 ? 0 : enterprise_bit)));
    out.number(field.octets);
    if (field.pen != 0) out.number(field.pen);
  }
}

}  // namespace

std::vector<std::byte> template_record(TemplateId id, std::span<const Field> fields) {
  std::vector<std::byte> record(4 + field_specifier_octets(fields));
  Writer out{record};
  out.number(id.value);
  out.number(static_cast<std::uint16_t>(fields.size()));
  put_field_specifiers(out, fields);
  WEIR_ASSERT(!out.full());
  return record;
}

std::vector<std::byte> options_template_record(TemplateId id, std::span<const Field> fields, std::uint16_t scopes) {
  WEIR_ASSERT(scopes > 0 && scopes <= fields.size());
  std::vector<std::byte> record(6 + field_specifier_octets(fields));
  Writer out{record};
  out.number(id.value);
  out.number(static_cast<std::uint16_t>(fields.size()));
  out.number(scopes);
  put_field_specifiers(out, fields);
  WEIR_ASSERT(!out.full());
  return record;
}

std::uint64_t flow_key_indicator(std::span<const Field> fields) noexcept {
  std::uint64_t bits = 0;
  const auto count = std::min<std::size_t>(fields.size(), 64);
  for (std::size_t i = 0; i < count; ++i) bits |= std::uint64_t{fields[i].key} << i;
  return bits;
}

}  // namespace weir::ipfix
