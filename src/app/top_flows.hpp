// SPDX-License-Identifier: BSD-3-Clause
// The largest of the live flows that a query asks for. Workers fill one each, the control thread joins them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>
#include <weir/record.hpp>

#include "app/flow_query.hpp"
#include "flow/meter.hpp"

namespace weir::app {

/// All memory is taken at construction: by whoever asks, not by the worker that walks its table.
class TopFlows final : public flow::FlowVisitor {
 public:
  /// The layouts outlive it.
  TopFlows(const FlowQuery& query, const std::array<RecordLayout, 2>& layouts);

  void flow(unsigned pool, const std::byte* record) noexcept override;
  /// Adds what another one with the same query and layouts has found.
  void take(const TopFlows& other) noexcept;

  std::uint64_t live() const noexcept { return live_; }          ///< flows that were looked at
  const Totals& matching() const noexcept { return matching_; }  ///< flows, packets, octets of those that match
  std::size_t size() const noexcept { return ranked_.size(); }   ///< flows that are kept

  /// {"live":…,"matching":{"flows":…,"packets":…,"octets":…},"flows":[{element names as keys}]}, the largest first.
  nlohmann::ordered_json json() const;
  /// A table, and a line that says how many there are.
  std::string text() const;

 private:
  struct Ranked {
    std::uint64_t size, number;  ///< of equals that which came first
    std::uint32_t slot, pool;
  };
  static bool is_larger(const Ranked& a, const Ranked& b) noexcept;
  void keep(std::uint64_t size, unsigned pool, const std::byte* record) noexcept;
  std::byte* at(std::uint32_t slot) noexcept { return records_.data() + slot * slot_octets_; }
  const std::byte* at(std::uint32_t slot) const noexcept { return records_.data() + slot * slot_octets_; }
  std::vector<Ranked> in_order() const;

  std::span<const RecordLayout, 2> layouts_;
  std::array<FlowFilter, 2> filters_;
  FlowQuery::By by_;
  std::size_t top_, slot_octets_;
  std::vector<std::byte> records_;
  std::vector<Ranked> ranked_;  ///< a heap, the smallest on top
  std::uint64_t live_ = 0, number_ = 0;
  Totals matching_;
};

}  // namespace weir::app
