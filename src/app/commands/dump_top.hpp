// SPDX-License-Identifier: BSD-3-Clause
// The view `weir dump --top N`: a table of the largest flows, for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/commands/dump_flow.hpp"
#include "app/commands/dump_view.hpp"

namespace weir::app {

/// Keeps the N largest flows and the totals, never more.
class DumpTop : public DumpView {
 public:
  DumpTop(DumpOutput& output, std::size_t flows_max) : DumpView{output, ipfix::Style::text}, flows_max_{flows_max} {}
  void record(const ipfix::Record& record) override;
  void finish() override;

 private:
  struct Ranked {
    DumpFlow flow;
    std::uint64_t number = 0;  ///< of equals the earlier comes first
  };
  static bool is_larger(const Ranked& a, const Ranked& b) noexcept;

  std::size_t flows_max_;
  std::vector<Ranked> flows_;  ///< a heap, the smallest on top
  std::uint64_t count_ = 0, packets_ = 0, octets_ = 0;
};

}  // namespace weir::app
