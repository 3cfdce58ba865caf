// SPDX-License-Identifier: BSD-3-Clause
#include "flow/plan.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "flow/plan_key.hpp"

namespace weir::flow {
namespace {

constexpr std::uint16_t variable = 65535;  // RFC 7011 §7
constexpr std::size_t record_octets_most = 32'768, tunnel_text_room = 14;
constexpr std::uint32_t reverse_pen = 29305;  // RFC 5103 §6.1

struct Usual {
  std::uint16_t id;
  std::string_view name;
};
/// The fields of the usual templates, as layout.cpp has them.
constexpr Usual usual_fields[] = {
    {152, "flowStartMilliseconds"},
    {153, "flowEndMilliseconds"},
    {1, "octetDeltaCount"},
    {2, "packetDeltaCount"},
    {8, "sourceIPv4Address"},
    {27, "sourceIPv6Address"},
    {12, "destinationIPv4Address"},
    {28, "destinationIPv6Address"},
    {7, "sourceTransportPort"},
    {11, "destinationTransportPort"},
    {10, "ingressInterface"},
    {14, "egressInterface"},
    {58, "vlanId"},
    {6, "tcpControlBits"},
    {32, "icmpTypeCodeIPv4"},
    {139, "icmpTypeCodeIPv6"},
    {4, "protocolIdentifier"},
    {5, "ipClassOfService"},
    {60, "ipVersion"},
    {52, "minimumTTL"},
    {53, "maximumTTL"},
    {136, "flowEndReason"},
};
constexpr Usual usual_reverse[] = {
    {152, "reverseFlowStartMilliseconds"}, {153, "reverseFlowEndMilliseconds"}, {1, "reverseOctetDeltaCount"},
    {2, "reversePacketDeltaCount"},        {10, "reverseIngressInterface"},     {6, "reverseTcpControlBits"},
    {5, "reverseIpClassOfService"},        {52, "reverseMinimumTTL"},           {53, "reverseMaximumTTL"},
};
constexpr std::uint16_t cert_payload = 18, cert_reverse_payload = cert_payload | 0x4000;

WantedTemplate usual_template(const MeterOptions& options) {
  const bool biflow = options.direction == FlowDirection::biflow;
  WantedTemplate wanted;
  for (const auto& field : usual_fields) wanted.fields.push_back({0, field.id, 0, std::string{field.name}});
  if (biflow)
    for (const auto& field : usual_reverse)
      wanted.fields.push_back({reverse_pen, field.id, 0, std::string{field.name}});
  if (options.payload_octets > 0) wanted.fields.push_back({enterprise::cert, cert_payload, 0, "payload"});
  if (options.payload_octets > 0 && biflow)
    wanted.fields.push_back({enterprise::cert, cert_reverse_payload, 0, "reversePayload"});
  return wanted;
}

template <class S>
Blocks blocks_of(unsigned family) {
  return {.family = family,
          .address_octets = S::Key::address_octets,
          .direction_at = {S::forward_at, S::biflow ? S::reverse_at : S::forward_at},
          .end_at = S::clocks_at,
          .octets = S::used_octets,
          .biflow = S::biflow};
}

Blocks blocks_of(const MeterOptions& options, unsigned family) {
  if (options.direction == FlowDirection::biflow) return family == 0 ? blocks_of<Biflow4>(0) : blocks_of<Biflow6>(1);
  return family == 0 ? blocks_of<Uniflow4>(0) : blocks_of<Uniflow6>(1);
}

/// A field that the meter can give, and what of.
struct Resolved {
  const ElementSource* source;
  bool reverse;
  const WantedField* field;
  std::uint16_t octets;
};

std::string named(const WantedTemplate& of) { return of.name.empty() ? "template" : "template " + of.name; }

std::uint16_t octets_on_wire(const ElementSource& source, const WantedField& field, const std::string& where) {
  const bool text = source.how == How::tunnel_text || source.how == How::interface_name || source.how == How::payload;
  const auto whole = octets_of(source.type);
  if (field.octets == 0) {
    if (text) return variable;
    return static_cast<std::uint16_t>(whole ? whole : source.stored);
  }
  if (text) return field.octets;
  if (whole == 0 && field.octets != source.stored)
    throw StartError{where + " has " + std::to_string(source.stored) + " octets"};
  if (field.of_the_user && is_integer(source.type) && field.octets <= sizeof(Word)) return field.octets;
  if (field.octets == variable || !length_is_legal(source.type, field.octets))
    throw StartError{where + " cannot have " +
                     (field.octets == variable ? "variable length" : std::to_string(field.octets) + " octets") + "; " +
                     std::string{data_type_names[static_cast<std::size_t>(source.type)]} +
                     (is_integer(source.type) ? " has 1 to " : " has ") + std::to_string(whole)};
  return field.octets;
}

/// Nothing: the field makes sense only in the other family, and the template is for both.
std::optional<Resolved> resolve(const WantedTemplate& of, const WantedField& field, const Blocks& at,
                                const MeterOptions& options) {
  const auto where = named(of) + ": " + field.source;
  const auto refuse = [&where](const std::string& why) { throw StartError{where + " " + why}; };
  const auto [source, reverse] = find_source(field.source);
  if (!source) refuse("is no element that weir can tell");
  if (source->how == How::refused) refuse("cannot be told: " + std::string{source->zero});
  if (!at.makes_sense(*source)) {
    if (of.version != 0) refuse(std::string{"makes no sense in IPv"} + (at.family == 0 ? "4" : "6"));
    return std::nullopt;
  }
  if (source->is(trait::biflow) && !at.biflow) refuse("makes sense in a biflow only; set flow.direction to biflow");
  if (reverse && !at.biflow) refuse("makes no sense in a uniflow; set flow.direction to biflow");
  if (reverse && source->is(trait::whole)) refuse("is of both directions together, and has no reverse");
  if (source->how == How::payload && options.payload_octets == 0) refuse("needs flow.payload_octets");
  return Resolved{source, reverse, &field, octets_on_wire(*source, field, where)};
}

class FamilyPlanner {
 public:
  FamilyPlanner(const MeterOptions& options, const Blocks& at)
      : options_{options},
        at_{at},
        key_{plan_key(options, at)},
        settled_{options, at.version(), key_.plan.source_bits, key_.plan.destination_bits} {
    plan_.key = key_.plan;
    plan_.key_at = at.octets;
    plan_.columns_at = at.octets + 8 * plan_.key.extra_words;
    plan_.payload_octets = options.payload_octets;
    octets_ = plan_.columns_at;
    for (auto& by_protocol : plan_.template_of) by_protocol.assign(256, none);
    for (const auto& step : plan_.key.extra) needs_details_ |= step.octets != nullptr;
    for (const auto& [source, word] : key_.word_of) needs_details_ |= source->is(trait::details);
  }

  void add(const WantedTemplate& wanted) {
    std::vector<Resolved> fields;
    for (const auto& field : wanted.fields)
      if (const auto resolved = resolve(wanted, field, at_, options_)) fields.push_back(*resolved);
    if (fields.empty()) return;
    const bool reverse = std::ranges::any_of(fields, &Resolved::reverse);
    const auto number = add(wanted, fields, false);
    choose(0, wanted, number);
    choose(1, wanted, reverse ? add(wanted, fields, true) : number);
  }

  bool some_protocol_has_none() const noexcept { return std::ranges::count(plan_.template_of[0], none) > 0; }

  void finish(RecordLayout& layout, Extension& extension) {
    plan_.live_octets = (octets_ + 63) / 64 * 64;
    std::size_t ended = plan_.live_octets;
    for (auto& derived : plan_.derived) {
      derived.offset = static_cast<std::uint16_t>(ended);
      ended += derived.make ? derived.stored : 2 + tunnel_text_room;
    }
    ended = (ended + 63) / 64 * 64;
    if (ended > record_octets_most)
      throw StartError{"a record needs more than 32768 octets; lower flow.payload_octets"};
    plan_.blank.assign(octets_ - plan_.columns_at, std::byte{0});
    for (const auto& [column, offset] : columns_) {
      auto* at = plan_.blank.data() + offset - plan_.columns_at;
      if (column.first->how == How::minimum) std::memset(at, 0xff, column.first->stored);
      if (column.first->type == DataType::boolean) *at = std::byte{2};  // false (RFC 7011 §6.1.5)
    }
    make_fields(layout);
    layout.octets = plan_.ended_octets = ended;
    layout.live_octets = plan_.live_octets;
    layout.end_offset = at_.end_at;
    layout.directions = at_.biflow ? 2 : 1;
    for (std::uint8_t i = 0; i < layout.directions; ++i) {
      layout.packet_offsets[i] = static_cast<std::uint16_t>(at_.direction_at[i] + Direction::packets_at);
      layout.octet_offsets[i] = static_cast<std::uint16_t>(at_.direction_at[i] + Direction::octets_at);
    }
    layout.by_addresses = plan_.key.source_bits > 0 || plan_.key.destination_bits > 0;
    for (const auto& [id, name] : usual_fields) {
      const auto* source = find_source(name).source;
      if (!at_.makes_sense(*source)) continue;
      const auto octets = static_cast<std::uint16_t>(source->stored);
      if (source->how == How::address)
        layout.places.push_back({.id = id,
                                 .octets = octets,
                                 .form = Form::bytes,
                                 .offset = static_cast<std::uint16_t>(source->place * octets)});
      else if (source->how == How::number && source->place < 7)  // the class lies beside the key
        layout.places.push_back({.id = id,
                                 .octets = octets,
                                 .stored = source->stored,
                                 .offset = static_cast<std::uint16_t>(at_.numbers_at() + source->place)});
    }
    extension = std::move(plan_);
  }

  bool needs_details() const noexcept { return needs_details_; }

 private:
  static constexpr std::uint8_t none = 0xff;
  using Column = std::pair<const ElementSource*, bool>;

  std::uint8_t add(const WantedTemplate& wanted, const std::vector<Resolved>& fields, bool with_reverse) {
    if (templates_.size() >= none) throw StartError{"templates: there are more than 254 for one address family"};
    auto& made = templates_.emplace_back();
    made.name = wanted.name.empty() ? std::string{at_.family == 0 ? "ipv4" : "ipv6"} : wanted.name;
    if (with_reverse) made.name += "_biflow";
    for (const auto& field : fields) {
      if (field.reverse && !with_reverse) continue;
      need(field);
      made.fields.push_back(field);
    }
    return static_cast<std::uint8_t>(templates_.size() - 1);
  }

  void choose(unsigned with_reverse, const WantedTemplate& wanted, std::uint8_t number) {
    auto& by_protocol = plan_.template_of[with_reverse];
    if (wanted.protocols.empty()) std::ranges::replace(by_protocol, none, number);
    else if (!protocol_is_key())
      throw StartError{named(wanted) + " is for some protocols; that needs protocolIdentifier in flow.key"};
    for (const auto protocol : wanted.protocols)
      if (by_protocol[protocol] == none) by_protocol[protocol] = number;
  }

  Word numbers_mask() const noexcept { return plan_.key.mask[at_.address_octets / 4]; }
  bool protocol_is_key() const noexcept { return numbers_mask() >> 48 & 0xff; }
  bool vlan_is_key() const noexcept { return numbers_mask() >> 32 & 0xffff; }
  bool icmp_is_key() const noexcept { return plan_.key.icmp_mask & 0xffff'0000; }

  /// A compiled value that is not part of this key is the first packet's, in a column.
  bool falls_back(const Resolved& field) const noexcept {
    const auto& source = *field.source;
    if (source.how == How::end) return source.value && !icmp_is_key();
    if (source.how != How::number || !source.value) return false;
    return field.reverse || !(numbers_mask() >> 8 * source.place & 0xff);
  }
  /// Where the value is a word of the key.
  std::optional<std::uint16_t> key_word(const Resolved& field) const {
    const auto there = key_.word_of.find(field.source);
    if (field.reverse || there == key_.word_of.end()) return std::nullopt;
    return static_cast<std::uint16_t>(plan_.key_at + 8u * there->second);
  }

  void need(const Resolved& field) {
    const auto& source = *field.source;
    needs_details_ |= source.is(trait::details);
    if (source.how == How::direction || source.is_column()) limit(field);
    if (source.is_column() || falls_back(field)) {
      if (!key_word(field)) need_column(source, field.reverse);
    } else if (source.how == How::derived || source.how == How::tunnel_text) {
      need_derived(source, field.reverse);
    }
  }

  static const ElementSource& hidden(std::string_view name) {
    return *std::ranges::find(element_sources(), name, &ElementSource::name);
  }

  std::uint16_t need_column(const ElementSource& source, bool reverse) {
    const auto [at, is_new] = columns_.try_emplace(Column{&source, reverse}, static_cast<std::uint16_t>(octets_));
    if (!is_new) return at->second;
    const auto offset = at->second;
    needs_details_ |= source.is(trait::details);
    octets_ += source.how == How::payload ? 2 + options_.payload_octets : source.stored;
    if (octets_ > record_octets_most)
      throw StartError{"a record needs more than 32768 octets; lower flow.payload_octets"};
    add_steps(source, reverse, offset);
    return offset;
  }

  void add_steps(const ElementSource& source, bool reverse, std::uint16_t offset) {
    const auto how = source.is_column() ? source.how : How::first;  // a compiled value that is not key
    const Step step{source.value, source.octets, offset, how, source.stored};
    const bool once = how == How::first || how == How::first_octets;
    (once ? plan_.first : plan_.each)[reverse].push_back(step);
    if (how == How::handshake) plan_.each[!reverse].push_back(step);
    const bool least = how == How::minimum;
    if (least || how == How::maximum || how == How::united || how == How::united_later || how == How::sum)
      plan_.resets.push_back({offset, source.stored, least});
    if (how == How::total) plan_.totals.push_back({offset, source.stored, false});
    if (source.is(trait::time) && at_.biflow)
      plan_.fills[reverse].push_back({offset, need_column(source, !reverse), source.stored});
    else if (least && at_.biflow) plan_.fills[reverse].push_back({offset, 0, source.stored});
  }

  void need_derived(const ElementSource& source, bool reverse) {
    if (derived_.contains({&source, reverse})) return;
    Derived derived{source.make, 0, 0, 0, source.stored, 0, 0, reverse};
    if (!source.one.empty()) {
      const auto& one = hidden(source.one);
      derived.one = need_column(one, reverse);
      derived.one_stored = one.stored;
      if (one.how == How::handshake) {  // its second word
        derived.one = static_cast<std::uint16_t>(derived.one + 8);
        derived.one_stored = 8;
      }
    }
    if (!source.other.empty()) {
      derived.other = need_column(hidden(source.other), source.is(trait::biflow) ? !reverse : reverse);
      derived.other_stored = hidden(source.other).stored;
    }
    plan_.hashes_flow |= source.name == "flowId";
    derived_[{&source, reverse}] = plan_.derived.size();
    plan_.derived.push_back(derived);
  }

  void limit(const Resolved& field) {
    const auto& source = *field.source;
    if (!source.is(trait::counter)) return;
    const bool compiled = source.how == How::direction;
    const auto octets = std::min<std::size_t>(field.octets, source.stored);
    const bool square = source.name.ends_with("SumOfSquares");
    if (octets == source.stored && !square && (compiled || source.stored == 8)) return;
    const auto of = !compiled                              ? Limit::Of::column
                    : source.place == Direction::octets_at ? Limit::Of::octets
                                                           : Limit::Of::packets;
    plan_.limits[field.reverse].push_back({.most = greatest(octets),
                                           .value = source.value,
                                           .offset = compiled ? std::uint16_t{0} : need_column(source, field.reverse),
                                           .of = of,
                                           .stored = source.stored,
                                           .total = source.how == How::total});
  }

  void make_fields(RecordLayout& layout) {
    for (const auto& from : templates_) {
      auto& to = layout.templates.emplace_back();
      to.name = from.name;
      for (const auto& field : from.fields)
        to.fields.push_back(field_of(field, {.pen = field.field->pen, .id = field.field->id, .octets = field.octets}));
    }
  }

  Field field_of(const Resolved& wanted, Field field) {
    const auto& source = *wanted.source;
    const auto number = [&field](std::size_t offset, std::uint8_t stored) {
      field.form = Form::number;
      field.offset = static_cast<std::uint16_t>(offset);
      field.stored = stored;
      return field;
    };
    if (const auto word = key_word(wanted)) {
      field.key = true;
      if (source.how == How::first_octets) {
        field.form = Form::bytes;
        field.offset = *word;
        return field;
      }
      if (source.how != How::tunnel_text) return number(*word, source.stored);
    }
    if (source.is_column() || falls_back(wanted)) {
      const auto offset = columns_.at({&source, wanted.reverse});
      number(offset, source.stored);
      if (source.how == How::first_octets) field.form = Form::bytes;
      if (source.how == How::payload) {
        field.form = Form::text;
        field.room = static_cast<std::uint16_t>(options_.payload_octets);
      }
      return field;
    }
    const auto direction = at_.direction_at[wanted.reverse];
    switch (source.how) {
      case How::address:
        field.form = Form::bytes;
        field.octets = at_.address_octets;
        field.offset = static_cast<std::uint16_t>(source.place * at_.address_octets);
        field.key = (source.place == 0 ? plan_.key.source_bits : plan_.key.destination_bits) > 0;
        return field;
      case How::number:
        if (wanted.reverse) return number(direction + Direction::tos_at, source.stored);
        field.key = numbers_mask() >> 8 * source.place & 0xff;
        return number(at_.numbers_at() + source.place, source.stored);
      case How::direction:
        number(direction + source.place, source.stored);
        if (source.is(trait::bits)) field.form = Form::tcp_bits;
        return field;
      case How::end: field.key = source.value != nullptr; return number(at_.end_at + source.place, source.stored);
      case How::interface_name:
        field.form = Form::interface_name;
        field.offset = static_cast<std::uint16_t>(direction + Direction::interface_at);
        return field;
      case How::constant:
        field.form = Form::constant;
        field.constant = source.constant(settled_);
        return field;
      case How::tunnel_text:
        field.form = Form::text;
        field.room = tunnel_text_room;
        field.offset = plan_.derived[derived_.at({&source, wanted.reverse})].offset;
        return field;
      default: return number(plan_.derived[derived_.at({&source, wanted.reverse})].offset, source.stored);
    }
  }

  struct Made {
    std::string name;
    std::vector<Resolved> fields;
  };

  const MeterOptions& options_;
  const Blocks& at_;
  PlannedKey key_;
  Settled settled_;
  Extension plan_;
  std::vector<Made> templates_;
  std::map<Column, std::uint16_t> columns_;
  std::map<Column, std::size_t> derived_;
  std::size_t octets_ = 0;
  bool needs_details_ = false;
};

}  // namespace

bool is_usual(const MeterOptions& options) noexcept {
  return options.key.empty() && options.templates.empty() && options.payload_octets == 0;
}

Plan make_plan(const MeterOptions& options) {
  Plan plan;
  const auto usual = usual_template(options);
  for (unsigned family = 0; family < 2; ++family) {
    const auto at = blocks_of(options, family);
    FamilyPlanner planner{options, at};
    for (const auto& wanted : options.templates)
      if (wanted.version == 0 || wanted.version == at.version()) planner.add(wanted);
    if (planner.some_protocol_has_none()) planner.add(usual);
    planner.finish(plan.layouts[family], plan.extensions[family]);
    plan.needs_details |= planner.needs_details();
  }
  return plan;
}

}  // namespace weir::flow
