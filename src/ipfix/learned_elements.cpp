// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/learned_elements.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "ipfix/type_information.hpp"
#include "ipfix/values.hpp"

namespace weir::ipfix {
namespace {

const Value* find_value(std::span<const Value> record, std::uint16_t id) noexcept {
  const auto is_it = [id](const Value& value) { return value.field->pen == 0 && value.field->id == id; };
  const auto at = std::ranges::find_if(record, is_it);
  return at == record.end() ? nullptr : &*at;
}

std::optional<std::uint64_t> number_in(std::span<const Value> record, std::uint16_t id) noexcept {
  const auto* value = find_value(record, id);
  return value ? number_of(value->octets) : std::nullopt;
}

std::string_view text_in(std::span<const Value> record, std::uint16_t id) noexcept {
  const auto* value = find_value(record, id);
  if (!value) return {};
  return {reinterpret_cast<const char*>(value->octets.data()), value->octets.size()};
}

bool is_name(std::string_view text) noexcept {
  const auto fits = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= LearnedElements::name_octets_max && std::ranges::all_of(text, fits);
}

}  // namespace

void LearnedElements::learn(std::span<const Value> record) {
  const auto id = number_in(record, 303);  // informationElementId
  if (!id || elements_.size() >= elements_max) return;
  const auto pen = number_in(record, 346);   // privateEnterpriseNumber
  const auto type = number_in(record, 339);  // informationElementDataType
  const auto semantics = number_in(record, 344);
  const auto name = text_in(record, 341);  // informationElementName
  if (!pen || *pen > 0xffff'ffff || *id == 0 || *id > 0xffff || !type || *type >= data_type_names.size()) return;
  if (!needs_type_information(static_cast<std::uint32_t>(*pen)) || !is_name(name)) return;

  // Some senders leave the enterprise bit in.
  const auto number = static_cast<std::uint16_t>(*id & (enterprise_bit - 1u));
  const auto [at, fresh] = elements_.try_emplace({static_cast<std::uint32_t>(*pen), number});
  if (!fresh) return;
  auto& [element, kept] = at->second;
  kept = name;
  element.pen = static_cast<std::uint32_t>(*pen);
  element.id = number;
  element.type = static_cast<DataType>(*type);
  element.semantics =
      semantics && *semantics < semantics_names.size() ? static_cast<Semantics>(*semantics) : Semantics::none;
  element.name = kept;
}

void LearnedElements::name(FieldSpecifier& field) const noexcept {
  if (field.element && field.pen != enterprise::own) return;
  const auto at = elements_.find({field.pen, field.id});
  if (at == elements_.end()) return;
  const auto& element = at->second.element;
  if (field.octets == variable_length || length_is_legal(element.type, field.octets)) field.element = &element;
}

}  // namespace weir::ipfix
