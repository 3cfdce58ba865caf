// SPDX-License-Identifier: BSD-3-Clause
// The view `weir dump --stats`: what there is in the files, and what is missing.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string_view>

#include "app/commands/dump_view.hpp"

namespace weir::app {

/// X(name in JSON, what it counts)
#define WEIR_DUMP_COUNTS(X)                                                 \
  X(files, "files")                                                         \
  X(messages, "messages")                                                   \
  X(octets, "octets of messages")                                           \
  X(data_records, "data records")                                           \
  X(options_records, "options data records")                                \
  X(templates, "templates defined")                                         \
  X(options_templates, "options templates defined")                         \
  X(templates_repeated, "templates repeated")                               \
  X(templates_replaced, "templates replaced without a withdrawal")          \
  X(withdrawals, "withdrawals")                                             \
  X(sequence_gaps, "gaps in the sequence numbers")                          \
  X(missing_records, "data records missing in gaps")                        \
  X(sequence_backward, "messages with a sequence number below the one due") \
  X(undecodable_sets, "data sets that could not be decoded")                \
  X(unknown_sets, "sets with a reserved id")                                \
  X(damaged_messages, "damaged messages")                                   \
  X(skipped_octets, "octets skipped, in damaged messages and between messages")

class DumpStatistics : public DumpView {
 public:
  using DumpView::DumpView;
  void begin_file(const std::string& name) override;
  void finish() override;

  void message(const ipfix::Message& message) override;
  void sequence_jump(const ipfix::Message& message, ipfix::SequenceJump jump) override;
  void template_defined(const ipfix::Message& message, const ipfix::Template& layout,
                        ipfix::TemplateStore::Put put) override;
  void template_withdrawn(const ipfix::Message& message, ipfix::TemplateKind kind, std::uint16_t id) override;
  void record(const ipfix::Record& record) override;
  void remark(const ipfix::Message& message, ipfix::Remark remark) override;
  void damaged(const ipfix::Damaged& damage) override;
  void passed_over(const ipfix::Damaged& damage) override;

 private:
#define X(name, text) name,
  enum class Count : std::uint8_t { WEIR_DUMP_COUNTS(X) };
#undef X
#define X(name, text) +1
  static constexpr std::size_t count_of_counts = 0 WEIR_DUMP_COUNTS(X);
#undef X
  void add(Count what, std::uint64_t n = 1) noexcept { counts_[static_cast<std::size_t>(what)] += n; }

  std::array<std::uint64_t, count_of_counts> counts_{};
  std::set<std::uint32_t> domains_;
};

}  // namespace weir::app
