// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/reader.hpp"

#include <algorithm>

namespace weir::ipfix {

std::string_view text_of(RemarkKind kind) noexcept {
#define X(name, text) std::string_view{text},
  static constexpr auto texts = std::to_array<std::string_view>({WEIR_REMARKS(X)});
#undef X
  return texts[static_cast<std::size_t>(kind)];
}

std::optional<Bytes> take_value(Cursor& at, std::uint16_t length) noexcept {
  std::size_t octets = length;
  if (length == variable_length) {  // RFC 7011 §7: one octet of length, or 255 and two more
    const auto* prefix = at.take(1);
    if (!prefix) return {};
    octets = load_be<std::uint8_t>(prefix);
    if (octets == 255) {
      const auto* longer = at.take(2);
      if (!longer) return {};
      octets = load_be<std::uint16_t>(longer);
    }
  }
  const auto* value = at.take(octets);
  return value ? std::optional{Bytes{value, octets}} : std::nullopt;
}

std::optional<FieldSpecifier> take_field(Cursor& at) noexcept {
  const auto* head = at.take(4);
  if (!head) return {};
  const auto id = load_be<std::uint16_t>(head);
  FieldSpecifier field{.id = static_cast<std::uint16_t>(id & ~enterprise_bit),
                       .octets = load_be<std::uint16_t>(head + 2)};
  if (id & enterprise_bit) {
    const auto* pen = at.take(4);
    if (!pen) return {};
    field.pen = load_be<std::uint32_t>(pen);
  }
  field.element = find_element(field.pen, field.id);
  return field;
}

bool take_record(Cursor& at, const Template& layout, std::vector<Value>& values) {
  values.clear();
  for (const auto& field : layout.fields) {
    const auto octets = take_value(at, field.octets);
    if (!octets) return false;
    values.push_back({&field, *octets});
  }
  return true;
}

namespace {

/// How many whole records lie in a set's content; what is left over is padding (RFC 7011 §3.3.1). Nothing if one
/// reaches beyond it.
std::optional<std::size_t> count_records(const Template& layout, Bytes content) noexcept {
  if (layout.fixed) return content.size() / layout.record_octets_min;
  std::size_t count = 0;
  for (Cursor at{content}; at.left() >= layout.record_octets_min; ++count)
    for (const auto& field : layout.fields)
      if (!take_value(at, field.octets)) return {};
  return count;
}

bool is_zero(Bytes octets) noexcept {
  return std::ranges::all_of(octets, [](std::byte octet) { return octet == std::byte{0}; });
}

bool has_illegal_length(const FieldSpecifier& field) noexcept {
  return field.element && field.octets != variable_length && !length_is_legal(field.element->type, field.octets);
}

/// Integers longer than their type are common (samplerId of 4 octets), and so are fields of no length: both are
/// harmless.
bool is_readable(const FieldSpecifier& field) noexcept {
  if (!has_illegal_length(field) || field.octets == 0) return true;
  return is_integer(field.element->type) && field.octets <= sizeof(std::uint64_t);
}

}  // namespace

/// One pass over one message.
struct Reader::Walk {
  const Message& message;
  const ReaderOptions& options;
  TemplateStore& templates;
  LearnedElements& learned;
  std::vector<Value>& values;
  Events& events;
  Pass pass;
  std::uint32_t records = 0;
  bool all_counted = true;  ///< no data set that could not be decoded

  struct Set {
    std::uint16_t id = 0;
    std::size_t at = 0;  ///< from the start of the message
    Bytes content;
  };

  std::size_t place_of(const std::byte* octet) const noexcept {
    return static_cast<std::size_t>(octet - message.octets.data());
  }
  void remark(RemarkKind kind, std::uint16_t id, const Set& set) const {
    events.remark(message, {kind, id, message.offset + set.at});
  }

  Verdict sets() {
    for (Cursor at{message.octets.subspan(message_header_octets)}; at.left() > 0;) {
      const auto place = place_of(at.rest().data());
      const auto* head = at.take(set_header_octets);
      if (!head) return Fault{Damage::set_header_cut, place};
      const auto octets = load_be<std::uint16_t>(head + 2);
      const auto* content = octets < set_header_octets ? nullptr : at.take(octets - set_header_octets);
      if (!content) return Fault{Damage::set_length, place};
      const Set set{load_be<std::uint16_t>(head), place, Bytes{content, octets - set_header_octets}};
      if (auto fault = one_set(set)) return fault;
    }
    return {};
  }

  Verdict one_set(const Set& set) {
    if (set.id >= data_set_first) return data_set(set);
    if (set.id == template_set) return definitions(set, TemplateKind::data);
    if (set.id == options_template_set) return definitions(set, TemplateKind::options);
    remark(RemarkKind::set_unknown, set.id, set);
    return {};
  }

  Verdict definitions(const Set& set, TemplateKind kind) {
    constexpr std::size_t padding_octets_max = 7;  // RFC 7011 §3.3.1: sets may be aligned to 8 octets
    for (Cursor at{set.content}; at.left() >= 4;) {
      if (at.left() <= padding_octets_max && is_zero(at.rest())) break;
      const auto place = place_of(at.rest().data());
      const auto* head = at.take(4);
      const auto id = load_be<std::uint16_t>(head);
      const auto field_count = load_be<std::uint16_t>(head + 2);
      if (field_count == 0 && (id >= data_set_first || id == set.id)) {
        withdrawal(set, kind, id);
        continue;
      }
      if (id < data_set_first) return Fault{Damage::template_id, place};
      Template definition{.domain = message.domain, .id = id, .kind = kind};
      if (auto why = take_definition(at, field_count, definition)) return Fault{*why, place};
      keep(set, std::move(definition));
    }
    return {};
  }

  std::optional<Damage> take_definition(Cursor& at, std::uint16_t field_count, Template& out) const {
    if (out.kind == TemplateKind::options) {
      const auto* scope = at.take(2);
      if (!scope) return Damage::template_cut;
      out.scope_count = load_be<std::uint16_t>(scope);
      // RFC 7011 §3.4.2.2
      if (out.scope_count == 0 || out.scope_count > field_count) return Damage::scope_count;
    }
    if (at.left() / 4 < field_count) return Damage::template_cut;
    out.fields.reserve(field_count);
    out.learned = learned.size();
    for (std::uint16_t i = 0; i < field_count; ++i) {
      auto field = take_field(at);
      if (!field) return Damage::template_cut;
      learned.name(*field);
      out.fields.push_back(*field);
      out.fixed = out.fixed && field->octets != variable_length;
      out.readable = out.readable && is_readable(*field);
      out.record_octets_min += field->octets == variable_length ? 1u : field->octets;
    }
    return {};
  }

  void keep(const Set& set, Template&& definition) {
    const auto id = definition.id;
    const auto [put, kept] = templates.put(std::move(definition));
    using Put = TemplateStore::Put;
    if (!kept) return remark(RemarkKind::template_no_room, id, set);
    // RFC 7011 §8.1 and §8.4: over UDP a new definition is no matter for the log.
    if (put == Put::replaced && options.carrier == Carrier::stream) remark(RemarkKind::template_replaced, id, set);
    if (put != Put::repeated && std::ranges::any_of(kept->fields, has_illegal_length))
      remark(RemarkKind::field_length, id, set);
    events.template_defined(message, *kept, put);
  }

  void withdrawal(const Set& set, TemplateKind kind, std::uint16_t id) {
    if (options.carrier == Carrier::datagrams) return remark(RemarkKind::withdrawal_ignored, id, set);
    const bool all = id == set.id;
    if (all) templates.withdraw_all(message.domain, kind);
    else if (!templates.withdraw(message.domain, kind, id)) return remark(RemarkKind::withdrawal_unknown, id, set);
    events.template_withdrawn(message, kind, id);
  }

  Verdict data_set(const Set& set) {
    const auto* layout = templates.find(message.domain, set.id);
    if (!layout) return leave_out(set, RemarkKind::no_template);
    if (layout->record_octets_min == 0) return leave_out(set, RemarkKind::record_of_nothing);
    if (!layout->readable) return Fault{Damage::field_length, set.at};
    const auto count = count_records(*layout, set.content);
    if (!count) return Fault{Damage::value_beyond_set, set.at};
    if (*count == 0 && !set.content.empty()) return Fault{Damage::record_cut, set.at};
    // Fields of no length cost a sender nothing; without a bound one message could hold a thousand million of them.
    if (*count * layout->fields.size() > message_octets_max) return leave_out(set, RemarkKind::values_limit);
    records += static_cast<std::uint32_t>(*count);
    if (pass == Pass::performance) hand_out(set, templates.name_fields(*layout, learned));
    return {};
  }

  Verdict leave_out(const Set& set, RemarkKind why) {
    all_counted = false;
    remark(why, set.id, set);
    return {};
  }

  void hand_out(const Set& set, const Template& layout) {
    for (Cursor at{set.content}; at.left() >= layout.record_octets_min;) {
      if (!take_record(at, layout, values)) return;
      events.record({message, layout, values, templates});
      if (layout.kind == TemplateKind::options) learned.learn(values);
    }
  }
};

Reader::Verdict Reader::judge_header(Bytes octets) noexcept {
  if (octets.size() < message_header_octets) return Fault{Damage::message_cut, 0};
  if (load_be<std::uint16_t>(octets.data()) != version) return Fault{Damage::no_message, 0};
  const auto length = load_be<std::uint16_t>(octets.data() + 2);
  if (length < message_header_octets) return Fault{Damage::message_length, 0};
  if (length != octets.size()) return Fault{length > octets.size() ? Damage::message_cut : Damage::message_sets, 0};
  return {};
}

void Reader::read(Bytes octets, std::uint64_t offset, Events& events) {
  const auto damaged = [&](const Fault& fault) { events.damaged({fault.what, offset + fault.at, octets.size()}); };
  if (const auto fault = judge_header(octets)) return damaged(*fault);
  const Message message{.offset = offset,
                        .export_time = load_be<std::uint32_t>(octets.data() + 4),
                        .sequence = load_be<std::uint32_t>(octets.data() + 8),
                        .domain = load_be<std::uint32_t>(octets.data() + 12),
                        .octets = octets};
  if (!sequences_.contains(message.domain) && sequences_.size() >= options_.domains)
    return damaged({Damage::domain_limit, 0});

  Events nobody;
  Walk rehearsal{message, options_, templates_, learned_, values_, nobody, Pass::rehearsal};
  const auto fault = rehearsal.sets();
  templates_.roll_back();
  if (fault) return damaged(*fault);

  events.message(message);
  auto& sequence = sequences_[message.domain];
  if (const auto jump = sequence.next(message.sequence, rehearsal.records)) events.sequence_jump(message, *jump);
  if (!rehearsal.all_counted) sequence.lose_count();

  Walk performance{message, options_, templates_, learned_, values_, events, Pass::performance};
  performance.sets();
  templates_.commit();
}

}  // namespace weir::ipfix
