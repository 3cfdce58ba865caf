// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_statistics.hpp"

#include <string_view>

namespace weir::app {
namespace {

struct CountText {
  std::string_view name, text;
};
#define X(name, text) CountText{#name, text},
constexpr auto count_texts = std::to_array<CountText>({WEIR_DUMP_COUNTS(X)});
#undef X

}  // namespace

void DumpStatistics::begin_file(const std::string& name) {
  DumpView::begin_file(name);
  add(Count::files);
}

void DumpStatistics::message(const ipfix::Message& message) {
  add(Count::messages);
  add(Count::octets, message.octets.size());
  domains_.insert(message.domain);
}

void DumpStatistics::sequence_jump(const ipfix::Message& message, ipfix::SequenceJump jump) {
  DumpView::sequence_jump(message, jump);
  if (jump.way == ipfix::SequenceJump::Way::back) return add(Count::sequence_backward);
  add(Count::sequence_gaps);
  add(Count::missing_records, jump.records);
}

void DumpStatistics::template_defined(const ipfix::Message&, const ipfix::Template& layout,
                                      ipfix::TemplateStore::Put put) {
  using Put = ipfix::TemplateStore::Put;
  if (put == Put::repeated) return add(Count::templates_repeated);
  if (put == Put::replaced) add(Count::templates_replaced);
  add(layout.kind == ipfix::TemplateKind::options ? Count::options_templates : Count::templates);
}

void DumpStatistics::template_withdrawn(const ipfix::Message&, ipfix::TemplateKind, std::uint16_t) {
  add(Count::withdrawals);
}

void DumpStatistics::record(const ipfix::Record& record) {
  add(record.layout.kind == ipfix::TemplateKind::options ? Count::options_records : Count::data_records);
}

void DumpStatistics::remark(const ipfix::Message& message, ipfix::Remark remark) {
  DumpView::remark(message, remark);
  switch (remark.kind) {
    case ipfix::RemarkKind::set_unknown: return add(Count::unknown_sets);
    case ipfix::RemarkKind::no_template:
    case ipfix::RemarkKind::record_of_nothing:
    case ipfix::RemarkKind::values_limit: return add(Count::undecodable_sets);
    default: return;
  }
}

void DumpStatistics::damaged(const ipfix::Damaged& damage) {
  DumpView::damaged(damage);
  add(Count::damaged_messages);
  add(Count::skipped_octets, damage.octets_skipped);
}

void DumpStatistics::passed_over(const ipfix::Damaged& damage) {
  DumpView::passed_over(damage);
  add(Count::damaged_messages);
  add(Count::skipped_octets, damage.octets_skipped);
}

void DumpStatistics::finish() {
  const auto out = fmt::appender(output_.text());
  const bool json = style_ == ipfix::Style::json;
  if (json) output_.text().push_back('{');
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (json) fmt::format_to(out, "\"{}\":{},", count_texts[i].name, counts_[i]);
    else fmt::format_to(out, "{:14} {}\n", counts_[i], count_texts[i].text);
  }
  if (json) ipfix::append(output_.text(), "\"domains\":[");
  else fmt::format_to(out, "{:14} observation domains:", domains_.size());
  for (const auto domain : domains_) {
    const bool first = domain == *domains_.begin();
    fmt::format_to(out, "{}{}", json ? (first ? "" : ",") : " ", domain);
  }
  ipfix::append(output_.text(), json ? "]}\n" : "\n");
}

}  // namespace weir::app
