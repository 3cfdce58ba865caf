// SPDX-License-Identifier: BSD-3-Clause
// What a session tells of sampling (RFC 5476 §6.5).
#include "ipfix/selection.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "session_under_test.hpp"

namespace weir::ipfix {
namespace {

constexpr std::uint16_t sequences_set = 518, counts_set = 519, random_set = 520, hash_set = 521;

const test::WalkedRecord& only_record(const std::vector<WalkedMessage>& messages, std::uint16_t set) {
  static const test::WalkedRecord none;
  EXPECT_EQ(records_of(messages, set), 1u) << set;
  for (const auto& message : messages)
    for (const auto& record : message.records)
      if (record.set == set) return record;
  return none;
}

TEST(Session, tells_of_no_sampling_with_a_selector_of_every_packet_alone) {
  SessionUnderTest under_test;
  const auto messages = under_test.take(start);
  const auto& selector = only_record(messages, selector_set);
  EXPECT_EQ(selector.number(302), 1u);
  EXPECT_EQ(selector.number(304), 1u);
  EXPECT_EQ(selector.number(305), 1u);
  EXPECT_EQ(selector.number(306), 0u);
  EXPECT_EQ(records_of(messages, sequences_set) + records_of(messages, counts_set), 0u);
}

TEST(Session, tells_of_a_selector_its_sequences_and_their_counts) {
  SessionUnderTest under_test;
  under_test.surroundings.selection = Selection{{RandomSelector{.size = 2, .population = 9}, {1, 1, 2}}};
  under_test.surroundings.selection.count(1, 90, 20);
  const auto messages = under_test.take(start);
  auto ids = all_templates;
  ids.insert(ids.end(), {518, 519, 520, 521});
  EXPECT_EQ(template_ids(messages[0]), ids);
  const auto& selector = only_record(messages, random_set);
  EXPECT_EQ(selector.number(302), 1u);
  EXPECT_EQ(selector.number(304), 3u);
  EXPECT_EQ(selector.number(309), 2u);
  EXPECT_EQ(selector.number(310), 9u);
  std::vector<std::optional<std::uint64_t>> told;
  for (const auto& record : messages[1].records) {
    if (record.set == sequences_set)
      told.insert(told.end(), {record.number(301), record.number(10), record.number(302)});
    if (record.set == counts_set) told.insert(told.end(), {record.number(301), record.number(318), record.number(319)});
  }
  EXPECT_EQ(told,
            (std::vector<std::optional<std::uint64_t>>{1, 1, 1, 2, 1, 1, 3, 2, 1,  // sequence, interface, selector
                                                       1, 0, 0, 2, 90, 20, 3, 0, 0}));
  under_test.surroundings.selection.count(1, 180, 40);
  under_test.session.tick(start + 60s);
  const auto later = under_test.take(start + 60s);
  EXPECT_EQ(records_of(later, counts_set), 3u);
  EXPECT_EQ(records_of(later, sequences_set) + records_of(later, random_set), 0u) << "context goes once on a stream";
}

TEST(Session, tells_what_a_hash_selects) {
  SessionUnderTest under_test;
  under_test.surroundings.selection =
      Selection{{HashSelector{.payload_offset = 4, .payload_octets = 16, .selected_max = 99}, {0}}};
  const auto messages = under_test.take(start);
  const auto& selector = only_record(messages, hash_set);
  std::vector<std::optional<std::uint64_t>> told;
  for (const auto& field : selector.fields) told.push_back(selector.number(field.id));
  EXPECT_EQ(told, (std::vector<std::optional<std::uint64_t>>{1, 6, 4, 16, 0, 0xffffffffu, 0, 99, 2}));
}

TEST(Session, a_new_selector_has_new_ids_and_what_it_needs_is_owed) {
  for (const auto delivery : {Delivery::stream, Delivery::datagram}) {
    SessionUnderTest under_test{{.delivery = delivery}};
    under_test.take(start);
    under_test.surroundings.selection.change({SystematicSelector{.interval = 1, .space = 9}, {1, 2}});
    under_test.session.owe_selection();
    const auto on = under_test.take(start);
    ASSERT_EQ(on.size(), delivery == Delivery::stream ? 2u : 3u);
    for (std::size_t i = 0; i + 1 < on.size(); ++i)
      EXPECT_EQ(template_ids(on[i]), (std::vector<std::uint16_t>{518, 519, 520, 521})) << "only what is new";
    EXPECT_EQ(only_record(on, selector_set).number(302), 2u);
    EXPECT_EQ(records_of(on, sequences_set), 2u);
    EXPECT_EQ(records_of(on, keys_set), 0u);

    under_test.surroundings.selection.change({HashSelector{}, {1}});
    under_test.session.owe_selection();
    const auto other = under_test.take(start);
    ASSERT_EQ(other.size(), 1u);
    EXPECT_TRUE(other[0].templates.empty()) << "announced before";
    EXPECT_EQ(only_record(other, hash_set).number(302), 3u);
    EXPECT_EQ(only_record(other, sequences_set).number(301), 3u);

    under_test.surroundings.selection.change({});
    under_test.session.owe_selection();
    const auto off = under_test.take(start);
    ASSERT_EQ(off.size(), 1u);
    EXPECT_EQ(only_record(off, selector_set).number(302), 4u);
    EXPECT_EQ(off[0].records.size(), 1u);
  }
}

TEST(Session, a_new_selector_is_told_of_even_if_the_old_one_was_on_its_way) {
  SessionUnderTest under_test;
  under_test.walker.walk(under_test.session.next(start));
  under_test.session.accepted();
  const auto on_its_way = under_test.walker.walk(under_test.session.next(start));
  EXPECT_EQ(only_record({on_its_way}, selector_set).number(302), 1u);
  under_test.surroundings.selection.change({RandomSelector{}, {1}});
  under_test.session.owe_selection();
  under_test.session.accepted();
  under_test.sequence = static_cast<std::uint32_t>(on_its_way.records.size());
  EXPECT_EQ(only_record(under_test.take(start), random_set).number(302), 2u);
}

TEST(Selection, is_bounded) {
  const Selection selection{{SystematicSelector{}, std::vector<std::uint32_t>(5000, 1)}};
  EXPECT_EQ(selection.sequences().size(), Selection::sequences_max);
}

}  // namespace
}  // namespace weir::ipfix
