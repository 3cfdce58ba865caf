// SPDX-License-Identifier: BSD-3-Clause
// Views of `weir dump` that print a line for each record, or for each template.
#pragma once

#include <string>

#include "app/commands/dump_view.hpp"
#include "ipfix/values_record.hpp"

namespace weir::app {

class DumpRecords : public DumpView {
 public:
  DumpRecords(DumpOutput& output, ipfix::Style style) : DumpView{output, style}, printer_{style} {}
  void begin_file(const std::string& name) override;
  void message(const ipfix::Message& message) override;
  void record(const ipfix::Record& record) override;

 private:
  ipfix::RecordPrinter printer_;
  fmt::memory_buffer head_;  ///< what is the same for all records of a message
};

/// Templates when they come, or change, or are withdrawn.
class DumpTemplates : public DumpView {
 public:
  using DumpView::DumpView;
  void template_defined(const ipfix::Message& message, const ipfix::Template& layout,
                        ipfix::TemplateStore::Put put) override;
  void template_withdrawn(const ipfix::Message& message, ipfix::TemplateKind kind, std::uint16_t id) override;

 private:
  void append_text(const ipfix::Template& layout);
  void append_json(const ipfix::Template& layout);
};

}  // namespace weir::app
