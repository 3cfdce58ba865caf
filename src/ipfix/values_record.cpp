// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/values_record.hpp"

#include <algorithm>
#include <map>

namespace weir::ipfix {
namespace {

constexpr int nesting_max = 8;  // RFC 6313 §7: recursion must be bounded
constexpr std::size_t planned_fields_max = 1u << 20u;

bool is_padding(const FieldSpecifier& field) noexcept { return field.pen == enterprise::iana && field.id == 210; }

bool is_list(DataType type) noexcept {
  return type == DataType::basic_list || type == DataType::sub_template_list ||
         type == DataType::sub_template_multi_list;
}

/// RFC 6313 §4.4.
std::string semantic_name(std::byte semantic) {
  static constexpr std::array<std::string_view, 5> names{"noneOf", "exactlyOneOf", "oneOrMoreOf", "allOf", "ordered"};
  const auto value = std::to_integer<std::uint8_t>(semantic);
  if (value < names.size()) return std::string{names[value]};
  return value == 255 ? "undefined" : fmt::format("semantic-{}", value);
}

/// The next record's worth of octets of a list, or nothing.
std::optional<Bytes> take(Cursor& at, std::size_t octets) noexcept {
  const auto* start = at.take(octets);
  return start ? std::optional{Bytes{start, octets}} : std::nullopt;
}

}  // namespace

void RecordPrinter::append_members(Text& out, const Record& record) {
  if (message_ != record.message.offset) {
    message_ = record.message.offset;
    values_left_ = message_octets_max;
  }
  if (planned_fields_ > planned_fields_max) {
    plans_.clear();
    planned_fields_ = 0;
  }
  append_record(out, record.layout, record.values, {record.message.domain, record.templates, 0});
}

const RecordPrinter::Plan& RecordPrinter::plan_of(const Template& layout) {
  if (const auto at = plans_.find(layout.serial); at != plans_.end()) return at->second;
  planned_fields_ += layout.fields.size();
  return plans_.emplace(layout.serial, is_json() ? json_plan(layout) : text_plan(layout)).first->second;
}

RecordPrinter::Plan RecordPrinter::text_plan(const Template& layout) const {
  Plan plan;
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    if (is_padding(layout.fields[i])) continue;
    plan.members.push_back({name_of(layout.fields[i]) + "=", {static_cast<std::uint16_t>(i)}});
    if (i < layout.scope_count) ++plan.scope_members;
  }
  return plan;
}

RecordPrinter::Plan RecordPrinter::json_plan(const Template& layout) const {
  Plan plan;
  std::map<std::string, std::size_t> member_of;
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    if (is_padding(layout.fields[i])) continue;
    const auto name = name_of(layout.fields[i]);
    const auto [at, is_new] = member_of.try_emplace(name, plan.members.size());
    if (is_new) plan.members.push_back({fmt::format("\"{}\":", name), {}});
    plan.members[at->second].fields.push_back(static_cast<std::uint16_t>(i));
    if (i < layout.scope_count) plan.scope += fmt::format("{}\"{}\"", plan.scope.empty() ? "" : ",", name);
  }
  if (layout.scope_count > 0) plan.scope = fmt::format(",\"@scope\":[{}]", plan.scope);
  return plan;
}

void RecordPrinter::append_record(Text& out, const Template& layout, std::span<const Value> values, Nesting nesting) {
  const auto& plan = plan_of(layout);
  append(out, plan.scope);
  for (std::size_t i = 0; i < plan.members.size(); ++i) {
    const auto& member = plan.members[i];
    if (is_json()) out.push_back(',');
    else if (i > 0) out.push_back(' ');
    if (i == 0 && plan.scope_members > 0) out.push_back('[');
    append(out, member.label);
    if (member.fields.size() > 1) append_array(out, member, values, nesting);
    else append_any(out, values[member.fields[0]], nesting);
    if (i + 1 == plan.scope_members) out.push_back(']');
  }
}

void RecordPrinter::append_array(Text& out, const Member& member, std::span<const Value> values, Nesting nesting) {
  out.push_back('[');
  for (const auto field : member.fields) {
    if (field != member.fields[0]) out.push_back(',');
    append_any(out, values[field], nesting);
  }
  out.push_back(']');
}

void RecordPrinter::append_any(Text& out, const Value& value, Nesting nesting) {
  if (is_list(value.type()) && !value.octets.empty() && nesting.depth < nesting_max) {
    const auto before = out.size();
    if (append_list(out, value, nesting)) return;
    out.resize(before);
  }
  append_value(out, value, style_);
}

/// False if it is damaged; what was appended then is to be taken back.
bool RecordPrinter::append_list(Text& out, const Value& value, Nesting nesting) {
  ++nesting.depth;
  Cursor at{value.octets};
  const auto semantic = semantic_name(*at.take(1));
  fmt::format_to(fmt::appender(out), fmt::runtime(is_json() ? "{{\"@semantic\":\"{}\"," : "{{{}"), semantic);
  bool sound = false;
  switch (value.type()) {
    case DataType::basic_list: sound = append_basic_list(out, at, nesting); break;
    case DataType::sub_template_list: sound = append_one_template(out, at, nesting); break;
    default: sound = append_many_templates(out, at, nesting); break;
  }
  out.push_back('}');
  return sound;
}

/// RFC 6313 §4.5.1: one Field Specifier, then values of it.
bool RecordPrinter::append_basic_list(Text& out, Cursor at, Nesting nesting) {
  const auto field = take_field(at);
  if (!field || (field->octets == 0 && at.left() > 0)) return false;
  fmt::format_to(fmt::appender(out), fmt::runtime(is_json() ? "\"@element\":\"{}\",\"@values\":[" : " {}:"),
                 name_of(*field));
  for (bool first = true; at.left() > 0; first = false) {
    const auto octets = take_value(at, field->octets);
    if (!octets || !spend(1)) return false;
    if (!is_json()) out.push_back(' ');
    else if (!first) out.push_back(',');
    append_any(out, {&*field, *octets}, nesting);
  }
  if (is_json()) out.push_back(']');
  return true;
}

/// RFC 6313 §4.5.2: a template id, then records of it.
bool RecordPrinter::append_one_template(Text& out, Cursor at, Nesting nesting) {
  const auto* id = at.take(2);
  if (!id) return false;
  if (is_json()) append(out, "\"@records\":[");
  if (!append_sub_records(out, load_be<std::uint16_t>(id), at.rest(), nesting)) return false;
  if (is_json()) out.push_back(']');
  return true;
}

/// RFC 6313 §4.5.3: several of them, each with a length that counts its own four octets of head.
bool RecordPrinter::append_many_templates(Text& out, Cursor at, Nesting nesting) {
  if (is_json()) append(out, "\"@records\":[");
  for (bool first = true; at.left() > 0; first = false) {
    const auto* head = at.take(4);
    if (!head) return false;
    const auto octets = load_be<std::uint16_t>(head + 2);
    const auto content = octets < 4 ? std::nullopt : take(at, octets - 4u);
    if (!content) return false;
    if (!first && is_json()) out.push_back(',');
    if (!append_sub_records(out, load_be<std::uint16_t>(head), *content, nesting)) return false;
  }
  if (is_json()) out.push_back(']');
  return true;
}

bool RecordPrinter::append_sub_records(Text& out, std::uint16_t id, Bytes content, Nesting nesting) {
  if (!is_json()) fmt::format_to(fmt::appender(out), " template {}:", id);
  const auto* layout = nesting.templates.find(nesting.domain, id);
  if (!layout || layout->record_octets_min == 0) {
    fmt::format_to(fmt::appender(out), fmt::runtime(is_json() ? "{{\"@template\":{},\"@octets\":" : " "), id);
    append_hexadecimal(out, content, style_);
    if (is_json()) out.push_back('}');
    return true;
  }
  std::vector<Value> values;
  bool first = true;
  for (Cursor at{content}; at.left() > 0; first = false) {
    if (!spend(layout->fields.size()) || !take_record(at, *layout, values)) return false;
    fmt::format_to(fmt::appender(out), fmt::runtime(is_json() ? "{}{{\"@template\":{}" : " ("), first ? "" : ",", id);
    append_record(out, *layout, values, nesting);
    out.push_back(is_json() ? '}' : ')');
  }
  return true;
}

/// Lists of hostile senders could hold more values than a message has octets.
bool RecordPrinter::spend(std::size_t values) noexcept {
  if (values > values_left_) return false;
  values_left_ -= values;
  return true;
}

}  // namespace weir::ipfix
