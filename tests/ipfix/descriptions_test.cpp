// SPDX-License-Identifier: BSD-3-Clause
// What is sent beside the templates about them: types of elements (RFC 5610), common properties (RFC 5473).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ipfix/element_text.hpp"
#include "ipfix/session_under_test.hpp"
#include "ipfix/type_information.hpp"

namespace weir::ipfix {
namespace {

constexpr std::uint16_t types_set = 523, first_properties_set = 524;

RecordLayout layout_with(std::vector<Field> more) {
  auto layout = small_layout();
  for (auto& announced : layout.templates) announced.fields.insert(announced.fields.end(), more.begin(), more.end());
  return layout;
}

std::vector<test::WalkedRecord> records_in(const std::vector<WalkedMessage>& messages, std::uint16_t set) {
  std::vector<test::WalkedRecord> found;
  for (const auto& message : messages)
    for (const auto& record : message.records)
      if (record.set == set) found.push_back(record);
  return found;
}

Vocabulary own_words() {
  Vocabulary words{.enterprise = 4711};
  words.user.push_back(user_element_from("myPort(99/5)<unsigned32> = sourceTransportPort", words));
  return words;
}

TEST(TypeInformation, tells_each_element_of_the_templates_that_is_not_ianas_once) {
  const std::vector<Field> fields{{.pen = 6871, .id = 14, .octets = 2, .stored = 2, .offset = 20},
                                  {.pen = 4711, .id = 0x4001, .octets = 8, .stored = 6, .offset = 8},
                                  {.pen = 99, .id = 5, .octets = 4, .stored = 2, .offset = 4},
                                  {.pen = 123, .id = 45, .octets = 1, .stored = 1, .offset = 6}};
  SessionUnderTest under_test{{}, {.types = own_words()}, layout_with(fields)};
  const auto told = records_in(under_test.take(start), types_set);
  ASSERT_EQ(told.size(), 3u) << "nobody can say what (123/45) is, and 29305 is RFC 5103's";

  EXPECT_EQ(told[0].number(346), 6871u);
  EXPECT_EQ(told[0].number(303), 14u);
  EXPECT_EQ(told[0].number(339), 2u) << "unsigned16 in IANA's list of types";
  EXPECT_EQ(told[0].number(344), 5u) << "flags";
  EXPECT_EQ(told[0].number(342), 0u);
  EXPECT_EQ(told[0].number(343), 0xffffu);
  EXPECT_EQ(told[0].text(341), "initialTCPFlags");
  EXPECT_EQ(told[0].text(340), "");
  EXPECT_EQ(told[1].number(346), 4711u) << "weir's own, under the number of the settings";
  EXPECT_EQ(told[1].number(303), 0x4001u);
  EXPECT_EQ(told[1].number(345), 3u) << "packets";
  EXPECT_EQ(told[1].text(341), "reverseLatePacketDeltaCount");
  EXPECT_EQ(told[2].number(346), 99u);
  EXPECT_EQ(told[2].number(339), 3u) << "unsigned32, as the user announces it";
  EXPECT_EQ(told[2].text(341), "myPort");
}

TEST(TypeInformation, is_not_announced_where_all_elements_are_ianas_or_nobody_wants_it) {
  for (const auto& options : {CatalogueOptions{.types = Vocabulary{}}, CatalogueOptions{}}) {
    SessionUnderTest under_test{{}, options};
    const auto taken = under_test.take(start);
    EXPECT_EQ(template_ids(taken[0]), all_templates);
  }
}

/// For each message: whether it has types, with their template, (`t`) or other templates (`T`) or neither (`.`).
std::string order(const std::vector<WalkedMessage>& messages) {
  std::string order;
  for (const auto& message : messages) {
    const auto ids = template_ids(message);
    const bool types = std::ranges::count(message.records, types_set, &test::WalkedRecord::set) > 0;
    EXPECT_TRUE(!types || ids == std::vector{types_set} || ids.empty());
    order += types ? 't' : ids.empty() ? '.' : 'T';
  }
  return order;
}

const std::vector<Field> of_cert{{.pen = 6871, .id = 14, .octets = 2, .stored = 2, .offset = 20}};

TEST(TypeInformation, comes_before_the_templates_at_the_start_of_each_session) {
  SessionUnderTest under_test{{}, {.types = Vocabulary{}}, layout_with(of_cert)};
  EXPECT_EQ(order(under_test.take(start)), "tT.");
  under_test.session.begin(start + 1s);
  under_test.walker = Walker{};
  under_test.sequence = 0;
  EXPECT_EQ(order(under_test.take(start + 1s)), "tT.");
}

TEST(TypeInformation, is_repeated_with_the_templates_on_datagrams) {
  SessionUnderTest under_test{{.delivery = Delivery::datagram}, {.types = Vocabulary{}}, layout_with(of_cert)};
  EXPECT_EQ(order(under_test.take(start)), "tTtT.");
  under_test.session.tick(start + 60s);
  EXPECT_EQ(order(under_test.take(start + 60s)), "tT.");
}

TEST(TypeInformation, goes_over_as_many_messages_as_it_needs_before_the_first_template) {
  std::vector<Field> fields;
  for (const auto& element : all_elements())
    if (element.pen == enterprise::cert && fields.size() < 40)
      fields.push_back({.pen = element.pen, .id = element.id, .octets = 1, .stored = 1, .offset = 6});
  SessionUnderTest under_test{{.message_octets = 512}, {.types = Vocabulary{}}, layout_with(fields)};
  const auto taken = under_test.take(start);
  EXPECT_EQ(records_of(taken, types_set), fields.size());
  EXPECT_EQ(order(taken).find_last_of('t') + 1, order(taken).find('T'));
  EXPECT_GT(order(taken).find('T'), 2u);
  for (const auto& message : taken) EXPECT_LE(message.octets, 512u);
}

TEST(TypeInformation, knows_the_units_of_the_registry) {
  EXPECT_EQ(unit_number("octets"), 2u);
  EXPECT_EQ(unit_number("hops"), 11u);
  EXPECT_EQ(unit_number("none"), 0u);
  EXPECT_EQ(unit_number("furlongs"), 0u);
  for (const auto& element : all_elements())
    EXPECT_TRUE(element.pen != enterprise::own || element.units.empty() || unit_number(element.units) > 0);
}

TEST(CommonProperties, tell_constants_once_and_records_refer_to_them) {
  const std::vector<Field> version{{.id = 60, .octets = 1, .form = Form::constant, .constant = 4}};
  SessionUnderTest under_test{{}, {.common_properties = true}, layout_with(version)};
  const auto taken = under_test.take(start);
  const auto sets = records_in(taken, first_properties_set);
  ASSERT_EQ(sets.size(), 1u) << "both templates have the same constants";
  EXPECT_EQ(sets[0].number(137), 1u);
  EXPECT_EQ(sets[0].number(14), 77u);
  EXPECT_EQ(sets[0].number(60), 4u);

  under_test.add(3, start);
  under_test.session.owe_data();
  const auto flows = records_in(under_test.take(start), 256);
  ASSERT_EQ(flows.size(), 3u);
  for (const auto& flow : flows) {
    EXPECT_EQ(flow.number(137), 1u);
    EXPECT_FALSE(flow.number(14) || flow.number(60)) << "a record must not say them again";
    EXPECT_EQ(flow.number(136), 1u) << "what stands behind them is where it was";
  }
}

TEST(CommonProperties, differ_where_constants_do_and_stay_out_where_they_save_nothing) {
  auto layout = layout_with({{.id = 60, .octets = 1, .form = Form::constant, .constant = 4}});
  layout.templates[1].fields.back().constant = 6;
  layout.templates.push_back({"one_octet",
                              {{.id = 60, .octets = 1, .form = Form::constant, .constant = 4},
                               {.id = 4, .octets = 1, .stored = 1, .offset = 6}}});
  SessionUnderTest under_test{{}, {.common_properties = true}, layout};
  const auto taken = under_test.take(start);
  EXPECT_EQ(records_of(taken, first_properties_set), 1u);
  EXPECT_EQ(records_of(taken, first_properties_set + 1), 1u);
  const auto& announced = taken[0].templates;
  ASSERT_EQ(announced[2].id, 258u);
  EXPECT_EQ(announced[2].fields[0].id, 60u);
}

TEST(CommonProperties, bit_n_of_flow_keys_still_means_field_n) {
  auto layout = small_layout();
  auto& fields = layout.templates[0].fields;
  fields.insert(fields.begin(), {.id = 14, .octets = 4, .form = Form::constant, .constant = 1});
  SessionUnderTest under_test{{}, {.common_properties = true}, layout};
  const auto keys = records_in(under_test.take(start), keys_set);
  EXPECT_EQ(keys[0].number(173), 0b1110u) << "commonPropertiesId, then three keys";
}

/// Many templates of many fields.
RecordLayout wide_layout(std::size_t templates, std::size_t fields) {
  auto layout = small_layout();
  layout.templates.clear();
  for (std::size_t i = 0; i < templates; ++i) {
    layout.templates.push_back({"wide", {}});
    for (std::size_t k = 0; k < fields; ++k)
      layout.templates.back().fields.push_back(
          {.pen = 6871, .id = static_cast<std::uint16_t>(14 + k % 2), .octets = 2, .stored = 2, .offset = 20});
  }
  return layout;
}

TEST(Announcement, goes_over_as_many_messages_as_it_needs_each_within_the_limit) {
  SessionUnderTest under_test{{.message_octets = 512}, {.types = Vocabulary{}}, wide_layout(40, 60)};
  std::set<std::uint16_t> announced;
  for (const auto& message : under_test.take(start)) {
    EXPECT_LE(message.octets, 512u);
    for (const auto id : template_ids(message)) announced.insert(id);
  }
  EXPECT_EQ(announced.size(), 40u + 6u + 1u);
  EXPECT_TRUE(announced.contains(295));
}

TEST(Announcement, of_a_template_that_no_message_can_hold_is_refused_with_the_sum) {
  try {
    SessionUnderTest under_test{{.message_octets = 512}, {}, wide_layout(1, 62)};
    FAIL();
  } catch (const StartError& error) {
    EXPECT_STREQ(error.what(),
                 "export.message_octets 512 is too small: 16 octets of the message, 4 of the set and 500 of template "
                 "256 (wide, 62 fields) are 520; set it to 520 or more");
  }
}

}  // namespace
}  // namespace weir::ipfix
