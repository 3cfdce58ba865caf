// SPDX-License-Identifier: BSD-3-Clause
// A session and the collector that it pays.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "ipfix/session.hpp"
#include "support/ipfix_walker.hpp"
#include "support/small_layout.hpp"

namespace weir::ipfix {

using namespace std::chrono_literals;
using test::small_layout;
using test::small_records;
using test::WalkedMessage;
using test::Walker;

inline constexpr Instant start{1'700'000'000s};

/// A session whose messages are walked as soon as they are due; each must continue the sequence of the last.
struct SessionUnderTest {
  explicit SessionUnderTest(const SessionOptions& options = {}, const CatalogueOptions& announced = {},
                            RecordLayout records = small_layout())
      : layout{std::move(records)}, catalogue{{&layout, 1}, announced}, session{options, catalogue, surroundings} {
    sequence = options.sequence_first;
    session.begin(start);
  }

  /// Takes what is owed and accepts it; returns it.
  std::vector<WalkedMessage> take(Instant now) {
    std::vector<WalkedMessage> taken;
    for (auto bytes = session.next(now); !bytes.empty(); bytes = session.next(now)) {
      taken.push_back(walker.walk(bytes));
      EXPECT_EQ(taken.back().sequence, sequence);
      sequence += static_cast<std::uint32_t>(taken.back().records.size());
      session.accepted();
    }
    return taken;
  }

  void add(std::size_t count, Instant now, std::uint8_t which = 0) {
    const auto records = small_records(count, which);
    const EndedRecords ended{&layout, records};
    const auto& flow_template = catalogue.of(&layout)[which];
    std::vector<std::byte> wire(flow_template.plan.octets_max());
    for (std::size_t i = 0; i < count; ++i) {
      flow_template.plan.encode(ended[i], wire.data());
      if (session.add(flow_template.id, wire, layout.totals(ended[i]), now)) continue;
      for (auto& message : take(now)) full.push_back(std::move(message));
      ASSERT_TRUE(session.add(flow_template.id, wire, layout.totals(ended[i]), now));
    }
  }

  RecordLayout layout;
  Catalogue catalogue;
  Surroundings surroundings;
  Session session;
  Walker walker;
  std::vector<WalkedMessage> full;
  std::uint32_t sequence = 0;
};

inline std::vector<std::uint16_t> template_ids(const WalkedMessage& message) {
  std::vector<std::uint16_t> ids;
  for (const auto& announced : message.templates) ids.push_back(announced.id);
  return ids;
}

inline std::size_t records_of(const std::vector<WalkedMessage>& messages, std::uint16_t set) {
  std::size_t count = 0;
  for (const auto& message : messages) count += std::ranges::count(message.records, set, &test::WalkedRecord::set);
  return count;
}

inline const std::vector<std::uint16_t> all_templates{256, 257, 512, 513, 514, 515, 516, 517};
inline constexpr std::uint16_t statistics_set = 512, keys_set = 515, selector_set = 516, names_set = 517;

}  // namespace weir::ipfix
