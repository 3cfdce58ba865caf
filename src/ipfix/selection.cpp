// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/selection.hpp"

namespace weir::ipfix {

Selection::Selection(const SelectionPlan& plan) {
  sequences_.reserve(sequences_max);
  change(plan);
}

void Selection::change(const SelectionPlan& plan) noexcept {
  selector_ = plan.selector;
  const auto id = ++selector_id_;
  std::visit([id](auto& selector) { selector.id = id; }, selector_);
  sequences_.clear();
  for (const auto interface : plan.interfaces)
    if (sequences_.size() < sequences_max)
      sequences_.push_back({.id = ++sequence_id_, .selector = id, .interface = interface});
}

void Selection::count(std::size_t sequence, std::uint64_t observed, std::uint64_t selected) noexcept {
  if (sequence >= sequences_.size()) return;
  sequences_[sequence].observed = observed;
  sequences_[sequence].selected = selected;
}

}  // namespace weir::ipfix
