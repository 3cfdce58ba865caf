// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/memory_bound.hpp"

#include <algorithm>
#include <weir/bytes.hpp>

#include "app/bench/cpu_time.hpp"
#include "base/prefetch.hpp"

namespace weir::app::bench {
namespace {

constexpr std::size_t line = 64, updates_max = std::size_t{1} << 20;
/// How far ahead lines are asked for: more than a core can wait for at once, fewer than its nearest cache holds.
constexpr std::size_t ahead = 32;

}  // namespace

MemoryBound::MemoryBound(const capture::SyntheticOptions& traffic, std::size_t record_octets)
    : octets_{record_octets},
      records_{traffic.flows},
      table_{records_ * octets_},
      order_(std::min(traffic.packets, updates_max) + ahead),
      random_{~traffic.seed},
      draw_{traffic.popularity, traffic.skew, traffic.flows} {
  table_.touch();
}

double MemoryBound::measure() noexcept {
  for (auto& record : order_) record = static_cast<std::uint32_t>(draw_(random_));
  const auto updates = order_.size() - ahead;
  auto* table = table_.data();
  const auto took = cpu_time_of([&] {
    for (std::size_t i = 0; i < updates; ++i) {
      const auto* next = table + order_[i + ahead] * octets_;
      for (std::size_t at = 0; at < octets_; at += line) prefetch(next + at);
      auto* record = table + order_[i] * octets_;
      for (std::size_t at = 0; at < octets_; at += line)
        store_native(record + at, load_native<std::uint64_t>(record + at) + 1);
    }
  });
  updates_ += updates;
  return static_cast<double>(took.count()) / static_cast<double>(updates);
}

bool MemoryBound::right() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < table_.size(); at += line) sum += load_native<std::uint64_t>(table_.data() + at);
  return sum == updates_ * (octets_ / line);
}

}  // namespace weir::app::bench
