// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_view.hpp"

#include "app/complain.hpp"

namespace weir::app {
namespace {

constexpr int remarks_max = 100;  // in one file

}  // namespace

void DumpView::begin_file(const std::string& name) {
  file_ = name;
  remarks_ = 0;
  remarked_.clear();
}

void DumpView::damaged(const ipfix::Damaged& damage) {
  damage_ = true;
  complain("{}: offset {}: {}; message skipped", file_, damage.offset, text_of(damage.what));
}

void DumpView::passed_over(const ipfix::Damaged& damage) {
  damage_ = true;
  complain("{}: offset {}: {}; {} octets skipped", file_, damage.offset, text_of(damage.what), damage.octets_skipped);
}

void DumpView::remark(const ipfix::Message& message, ipfix::Remark remark) {
  if (remarked_.contains({remark.kind, remark.id}) || !may_remark()) return;
  remarked_.insert({remark.kind, remark.id});
  complain("{}: offset {}: domain {}, id {}: {} (said once)", file_, remark.offset, message.domain, remark.id,
           text_of(remark.kind));
}

void DumpView::sequence_jump(const ipfix::Message& message, ipfix::SequenceJump jump) {
  if (!may_remark()) return;
  const bool ahead = jump.way == ipfix::SequenceJump::Way::ahead;
  complain("{}: offset {}: domain {}: sequence number {} where {} was due: {}", file_, message.offset, message.domain,
           message.sequence, jump.expected,
           ahead ? fmt::format("{} records are missing", jump.records)
                 : fmt::format("{} records back (repeated, late or begun anew)", jump.records));
}

bool DumpView::may_remark() {
  if (remarks_ == remarks_max) complain("{}: further remarks are left out; see --stats", file_);
  return remarks_++ < remarks_max;
}

}  // namespace weir::app
