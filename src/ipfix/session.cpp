// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.hpp"
#include "base/error.hpp"

namespace weir::ipfix {
namespace {

/// Whether `interval` has passed since `last`. A clock that was set back (the wall's may be) begins the interval anew.
bool is_due(Instant& last, nanoseconds interval, Instant now) noexcept {
  if (now < last) last = now;
  if (now - last < interval) return false;
  last = now;
  return true;
}

std::uint64_t seconds_of(Instant now, ExportClock clock) noexcept {
  const auto since_epoch = std::max(now.time_since_epoch(), nanoseconds{0});
  const auto seconds = clock == ExportClock::packets ? std::chrono::ceil<std::chrono::seconds>(since_epoch)
                                                     : std::chrono::floor<std::chrono::seconds>(since_epoch);
  return static_cast<std::uint64_t>(seconds.count());
}

/// RFC 7011 §4.2, §4.3: first and last time of what was left out; where nothing was, the time of the report.
std::uint64_t time_or(Instant at, Instant now) noexcept {
  return milliseconds_since_epoch(std::max(at == no_stamp ? now : at, Instant{}));
}

}  // namespace

Session::Session(const SessionOptions& options, const Catalogue& catalogue, const Surroundings& surroundings)
    : options_{options},
      catalogue_{catalogue},
      surroundings_{surroundings},
      control_{options.message_octets, options.domain},
      data_{options.message_octets, options.domain} {
  const auto least = message_header_octets + set_header_octets + catalogue.record_octets_max();
  if (options.message_octets < least)
    throw StartError{fmt::format(
        "export.message_octets {} is too small: {} octets of the message, {} of the set and {} of {} are {}; set it to "
        "{} or more",
        options.message_octets, message_header_octets, set_header_octets, catalogue.record_octets_max(),
        catalogue.longest_record(), least, least)};
  begin(Instant{});
}

void Session::begin(Instant now) noexcept {
  next_.fill(0);
  announced_ = statistics_at_ = now;
  sequence_ = options_.sequence_first;
  messages_since_announcement_ = 0;
  last_ = Last::none;
}

bool Session::add(TemplateId id, Bytes record, const Totals& totals, Instant now) noexcept {
  auto* at = data_.record(id.value, record.size());
  if (!at) {
    data_owed_ = true;
    return false;
  }
  if (waiting_.records == 0) opened_ = now;
  std::memcpy(at, record.data(), record.size());
  waiting_ += totals;
  return true;
}

void Session::tick(Instant now) noexcept {
  if (options_.delivery == Delivery::datagram && is_due(announced_, options_.template_refresh, now))
    announce_again(now);
  if (is_due(statistics_at_, options_.statistics, now)) owe_statistics();
  if (data_.empty()) return;
  if (now < opened_) opened_ = now;
  if (now - opened_ >= options_.flush) data_owed_ = true;
}

void Session::announce_again(Instant now) noexcept {
  announced_ = now;
  messages_since_announcement_ = 0;
  next_[types] = next_[announcement] = next_[properties] = next_[flow_keys] = next_[selection] = next_[interfaces] = 0;
}

/// A message that is on its way may have told a part of the old selection: it does not count.
void Session::owe_selection() noexcept { next_[selection] = after_[selection] = 0; }

std::size_t Session::records_of(Part part) const noexcept {
  const auto announcements = catalogue_.announcements(surroundings_.selection.sampled()).size();
  const auto sequences = surroundings_.selection.sequences().size();
  switch (part) {
    case announcement: return announcements;
    case repetition: return options_.delivery == Delivery::datagram ? announcements : 0;
    case types: return catalogue_.types().size();
    case types_repeated: return options_.delivery == Delivery::datagram ? catalogue_.types().size() : 0;
    case properties: return catalogue_.properties().size();
    case flow_keys: return catalogue_.flow_templates().size();
    case selection: return 1 + sequences;
    case interfaces: return surroundings_.interfaces.all().size();
    default: return statistics_records + sequences + surroundings_.port_losses.size();
  }
}

Bytes Session::next(Instant now) noexcept {
  if (options_.delivery == Delivery::datagram && data_owed_ &&
      messages_since_announcement_ >= options_.template_refresh_messages)
    announce_again(now);
  control_.clear();
  after_ = next_;
  // RFC 7011 §8.4: before the first data, more than once, in messages of their own. Types of elements come before the
  // templates that have them: libfixbuf looks an element up once, when a template has it.
  constexpr std::array templates{types, announcement, types_repeated, repetition};
  if (const auto* owed = std::ranges::find_if(templates, [this](Part part) { return owes(part); });
      owed != templates.end()) {
    put_part(*owed, now);
  } else {
    for (const auto part : {properties, flow_keys, selection, interfaces, statistics}) {
      put_part(part, now);
      if (after_[part] < records_of(part)) break;
    }
  }
  if (!control_.empty()) return seal(control_, Last::control, now);
  if (data_owed_) return seal(data_, Last::data, now);
  last_ = Last::none;
  return {};
}

void Session::put_part(Part part, Instant now) noexcept {
  for (auto& index = after_[part]; index < records_of(part); ++index) {
    if (!put_record(part, index, now)) return;
  }
}

bool Session::put_record(Part part, std::size_t index, Instant now) noexcept {
  switch (part) {
    case types:
    case types_repeated: return put_told(catalogue_.types()[index]);
    case announcement:
    case repetition: return put_told(catalogue_.announcements(true)[index]);
    case properties: return put_told(catalogue_.properties()[index]);
    case flow_keys: return put_flow_keys(catalogue_.flow_templates()[index]);
    case selection: return put_selection(index);
    case interfaces: return put_interface(surroundings_.interfaces.all()[index]);
    default: return put_statistics(index, now);
  }
}

bool Session::put_told(const Catalogue::Told& told) noexcept {
  auto* at = control_.record(told.set, told.record.size());
  if (at) std::memcpy(at, told.record.data(), told.record.size());
  return at != nullptr;
}

bool Session::put_flow_keys(const FlowTemplate& of) noexcept {
  return put_option(Option::flow_keys, FlowKeys{.indicator = of.keys, .template_id = of.id.value});
}

/// The selector, then its sequences.
bool Session::put_selection(std::size_t index) noexcept {
  const auto& told = surroundings_.selection;
  if (index > 0) return put_option(Option::selection_sequence, told.sequences()[index - 1]);
  return std::visit([this](const auto& selector) { return put_option(option_of(selector), selector); },
                    told.selector());
}

bool Session::put_interface(const InterfaceName& name) noexcept {
  const auto text = name.text();
  static_assert(InterfaceName::octets_max < 255, "one octet of length is enough (RFC 7011 §7)");
  const auto octets = 4 + 1 + text.size();
  auto* at = control_.record(Catalogue::id_of(Option::interface_name).value, octets);
  if (!at) return false;
  Writer out{{at, octets}};
  out.number(name.number());
  out.number(static_cast<std::uint8_t>(text.size()));
  out.bytes(std::as_bytes(std::span{text}));
  return true;
}

bool Session::put_statistics(std::size_t index, Instant now) noexcept {
  const auto& metering = surroundings_.metering;
  switch (index) {
    case 0:
      return put_option(
          Option::metering_statistics,
          MeteringStatistics{
              .domain = options_.domain.value, .messages = messages_, .flows = flows_, .octets = octets_});
    case 1:
      return put_option(Option::metering_reliability,
                        MeteringReliability{.domain = options_.domain.value,
                                            .packets = metering.ignored_packets,
                                            .octets = metering.ignored_octets,
                                            .first_ms = time_or(metering.ignored_first, now),
                                            .last_ms = time_or(metering.ignored_last, now)});
    case 2:
      return put_option(Option::exporting_reliability, ExportingReliability{.flows = not_sent_.records,
                                                                            .packets = not_sent_.packets,
                                                                            .octets = not_sent_.octets,
                                                                            .first_ms = time_or(not_sent_first_, now),
                                                                            .last_ms = time_or(not_sent_last_, now)});
    default: break;
  }
  const auto sequences = surroundings_.selection.sequences();
  const auto beside = index - statistics_records;
  if (beside < sequences.size()) return put_option(Option::selection_statistics, sequences[beside]);
  return put_port_losses(surroundings_.port_losses[beside - sequences.size()]);
}

bool Session::put_port_losses(const PortLosses& losses) noexcept {
  const auto octets = port_losses_record_max - PortLosses::cause_octets_max + losses.cause.size();
  WEIR_ASSERT(octets <= port_losses_record_max);
  auto* at = control_.record(Catalogue::id_of(Option::port_losses).value, octets);
  if (!at) return false;
  Writer out{{at, octets}};
  out.number(losses.interface);
  out.number(static_cast<std::uint8_t>(losses.cause.size()));
  out.bytes(std::as_bytes(std::span{losses.cause}));
  out.number(losses.packets);
  return true;
}

template <class Record>
bool Session::put_option(Option option, const Record& record) noexcept {
  const auto& plan = catalogue_.plan_of(option);
  auto* at = control_.record(Catalogue::id_of(option).value, plan.octets_max());
  if (at) plan.encode(std::as_bytes(std::span{&record, 1}).data(), at);
  return at != nullptr;
}

Bytes Session::seal(MessageBuilder& message, Last last, Instant now) noexcept {
  last_ = last;
  // RFC 7011 §8.2: templates are ordered by Export Time, so it never turns back. §5.2: it is sent modulo 2^32.
  export_seconds_ = std::max(export_seconds_, seconds_of(now, options_.clock));
  return message.seal(sequence_, static_cast<std::uint32_t>(export_seconds_));
}

void Session::accepted() noexcept {
  WEIR_ASSERT(last_ != Last::none);
  const bool is_data = last_ == Last::data;
  auto& message = is_data ? data_ : control_;
  sequence_ += message.data_records();
  data_records_ += message.data_records();
  ++messages_;
  octets_ += message.octets();
  accepted_last_ = {};
  if (is_data) {
    accepted_last_ = waiting_;
    flows_ += waiting_.records;
    waiting_ = {};
    data_owed_ = false;
    data_.clear();
    ++messages_since_announcement_;
  } else {
    next_ = after_;
  }
  last_ = Last::none;
}

Totals Session::lost(Instant now) noexcept {
  WEIR_ASSERT(last_ != Last::none);
  if (last_ == Last::control) {
    sequence_ += control_.data_records();
    next_ = after_;
    last_ = Last::none;
    return {};
  }
  sequence_ += data_.data_records();
  return give_up({}, now);
}

Totals Session::give_up(const Totals& beside, Instant now) noexcept {
  auto records = waiting_;
  records += beside;
  count_not_sent(records, now);
  waiting_ = {};
  data_owed_ = false;
  data_.clear();
  last_ = Last::none;
  return records;
}

void Session::count_not_sent(const Totals& records, Instant now) noexcept {
  if (records.records == 0) return;
  not_sent_ += records;
  if (not_sent_first_ == no_stamp) not_sent_first_ = now;
  not_sent_last_ = now;
}

}  // namespace weir::ipfix
