// SPDX-License-Identifier: BSD-3-Clause
#include "app/top_flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "app/commands/dump_flow.hpp"
#include "app/commands/flow_table.hpp"
#include "app/human.hpp"
#include "app/record_view.hpp"
#include "ipfix/values_record.hpp"

namespace weir::app {

TopFlows::TopFlows(const FlowQuery& query, const std::array<RecordLayout, 2>& layouts)
    : layouts_{layouts},
      filters_{FlowFilter{query, layouts[0]}, FlowFilter{query, layouts[1]}},
      by_{query.by},
      top_{std::min(query.top, FlowQuery::top_max)},
      slot_octets_{std::max(layouts[0].octets, layouts[1].octets)},
      records_(top_ * slot_octets_) {
  ranked_.reserve(top_);
}

bool TopFlows::is_larger(const Ranked& a, const Ranked& b) noexcept {
  return a.size != b.size ? a.size > b.size : a.number < b.number;
}

void TopFlows::flow(unsigned pool, const std::byte* record) noexcept {
  ++live_;
  if (!filters_[pool].matches(record)) return;
  const auto totals = layouts_[pool].totals(record);
  matching_ += totals;
  keep(by_ == FlowQuery::By::octets ? totals.octets : totals.packets, pool, record);
}

void TopFlows::keep(std::uint64_t size, unsigned pool, const std::byte* record) noexcept {
  Ranked ranked{size, number_++, static_cast<std::uint32_t>(ranked_.size()), pool};
  if (ranked_.size() == top_) {
    if (top_ == 0 || !is_larger(ranked, ranked_.front())) return;
    std::ranges::pop_heap(ranked_, is_larger);
    ranked.slot = ranked_.back().slot;
    ranked_.pop_back();
  }
  std::memcpy(at(ranked.slot), record, layouts_[pool].octets);
  ranked_.push_back(ranked);  // within what was reserved
  std::ranges::push_heap(ranked_, is_larger);
}

void TopFlows::take(const TopFlows& other) noexcept {
  live_ += other.live_;
  matching_ += other.matching_;
  for (const auto& ranked : other.ranked_) keep(ranked.size, ranked.pool, other.at(ranked.slot));
}

std::vector<TopFlows::Ranked> TopFlows::in_order() const {
  auto ranked = ranked_;
  std::ranges::sort(ranked, is_larger);
  return ranked;
}

nlohmann::ordered_json TopFlows::json() const {
  RecordView view{layouts_};
  ipfix::RecordPrinter printer{ipfix::Style::json};
  auto flows = nlohmann::ordered_json::array();
  for (const auto& ranked : in_order()) {
    ipfix::Text members;
    printer.append_members(members, view.of(ranked.pool, at(ranked.slot)));  // each has a comma before it
    const std::string_view text{members.data(), members.size()};
    flows.push_back(nlohmann::ordered_json::parse(fmt::format("{{{}}}", text.substr(1))));
  }
  return {{"live", live_},
          {"matching", {{"flows", matching_.records}, {"packets", matching_.packets}, {"octets", matching_.octets}}},
          {"flows", std::move(flows)}};
}

std::string TopFlows::text() const {
  RecordView view{layouts_};
  std::vector<DumpFlow> flows;
  for (const auto& ranked : in_order()) flows.push_back(flow_of(view.of(ranked.pool, at(ranked.slot))));
  ipfix::Text out;
  append_flow_table(out, flows);
  fmt::format_to(fmt::appender(out), "{} of {} flows shown; all of them: {} packets, {}; in the table: {} flows\n",
                 grouped(flows.size()), grouped(matching_.records), grouped(matching_.packets),
                 flow_octets_text(matching_.octets), grouped(live_));
  return fmt::to_string(out);
}

}  // namespace weir::app
