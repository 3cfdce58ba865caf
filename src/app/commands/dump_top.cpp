// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_top.hpp"

#include <algorithm>

#include "app/commands/flow_table.hpp"
#include "app/human.hpp"

namespace weir::app {

bool DumpTop::is_larger(const Ranked& a, const Ranked& b) noexcept {
  const auto of_a = a.flow.octets_both(), of_b = b.flow.octets_both();
  return of_a != of_b ? of_a > of_b : a.number < b.number;
}

void DumpTop::record(const ipfix::Record& record) {
  if (record.layout.kind == ipfix::TemplateKind::options) return;
  const Ranked ranked{flow_of(record), count_++};
  packets_ += ranked.flow.packets[0] + ranked.flow.packets[1];
  octets_ += ranked.flow.octets_both();
  if (flows_.size() == flows_max_) {
    if (flows_max_ == 0 || !is_larger(ranked, flows_.front())) return;
    std::ranges::pop_heap(flows_, is_larger);
    flows_.pop_back();
  }
  flows_.push_back(ranked);
  std::ranges::push_heap(flows_, is_larger);
}

void DumpTop::finish() {
  std::ranges::sort(flows_, is_larger);
  std::vector<DumpFlow> flows(flows_.size());
  std::ranges::transform(flows_, flows.begin(), &Ranked::flow);
  append_flow_table(output_.text(), flows);
  fmt::format_to(fmt::appender(output_.text()), "{} of {} flows shown; all of them: {} packets, {}\n",
                 grouped(flows_.size()), grouped(count_), grouped(packets_), flow_octets_text(octets_));
}

}  // namespace weir::app
