// SPDX-License-Identifier: BSD-3-Clause
// What the views of `weir dump` share: one line on standard error for whatever is damaged or remarkable.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "app/commands/dump_output.hpp"
#include "ipfix/reader.hpp"
#include "ipfix/values.hpp"

namespace weir::app {

class DumpView : public ipfix::Events {
 public:
  DumpView(DumpOutput& output, ipfix::Style style) : output_{output}, style_{style} {}

  /// A file is one Transport Session (RFC 5655 §7.1): nothing is carried over from the one before.
  virtual void begin_file(const std::string& name);
  /// After the last file.
  virtual void finish() {}

  void damaged(const ipfix::Damaged& damage) override;
  /// Octets that belong to no message were passed over.
  virtual void passed_over(const ipfix::Damaged& damage);
  void remark(const ipfix::Message& message, ipfix::Remark remark) override;
  void sequence_jump(const ipfix::Message& message, ipfix::SequenceJump jump) override;

  bool has_damage() const noexcept { return damage_; }

 protected:
  DumpOutput& output_;
  ipfix::Style style_;

 private:
  bool may_remark();

  std::string file_;
  bool damage_ = false;
  int remarks_ = 0;
  std::set<std::pair<ipfix::RemarkKind, std::uint16_t>> remarked_;
};

}  // namespace weir::app
