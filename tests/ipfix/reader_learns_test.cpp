// SPDX-License-Identifier: BSD-3-Clause
// Names and types that a sender describes itself (RFC 5610).
#include <gtest/gtest.h>

#include <string>

#include "ipfix/learned_elements.hpp"
#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

constexpr std::uint16_t described = 65535;
const auto types = options_definition(400, 2, {{346, 4}, {303, 2}, {339, 1}, {344, 1}, {345, 2}, {341, described}});

/// (99999/`id`), its type, its name.
Octets type_of(std::uint16_t id, std::uint8_t type, const std::string& name) {
  return joined({number(99'999, 4), number(id, 2), number(type, 1), number(0, 1), number(0, 2), number(name.size(), 1),
                 text_octets(name)});
}

constexpr std::uint8_t unsigned16 = 2, string = 13;

TEST(LearnedElements, name_fields_of_templates_that_came_before_and_after_them) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{7, 2, 99'999}, {4, 1}})).set(3, types));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("cafe 06"))), Lines{"256 99999/7=0xcafe protocolIdentifier=6"});
  session.read(MessageText{.sequence = 1}.set(400, type_of(7, unsigned16, "myVlan")));
  EXPECT_EQ(session.read(MessageText{.sequence = 2}.set(256, hex("0102 06"))),
            Lines{"256 myVlan=258 protocolIdentifier=6"});
  session.read(MessageText{.sequence = 3}.set(2, definition(257, {{7, 1, 99'999}})));
  EXPECT_EQ(session.read(MessageText{.sequence = 3}.set(257, hex("05"))), Lines{"257 myVlan=5"}) << "reduced";
  EXPECT_EQ(session.read(MessageText{.sequence = 4}.set(2, definition(256, {{7, 2, 99'999}, {4, 1}}))),
            Lines{"repeated 256"})
      << "the same template, not another one";
}

TEST(LearnedElements, keep_the_first_description) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{7, 2, 99'999}})).set(3, types));
  session.read(MessageText{}.set(400, joined({type_of(7, unsigned16, "one"), type_of(7, string, "two")})));
  EXPECT_EQ(session.read(MessageText{.sequence = 2}.set(256, hex("0001"))), Lines{"256 one=1"});
}

TEST(LearnedElements, do_not_make_a_length_wrong_that_was_none) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{7, 3, 99'999}})).set(3, types));
  session.read(MessageText{}.set(400, type_of(7, unsigned16, "short")));
  EXPECT_EQ(session.read(MessageText{.sequence = 1}.set(256, hex("000001"))), Lines{"256 99999/7=0x000001"});
}

TEST(LearnedElements, have_names_that_can_be_shown_or_none) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{7, 2, 99'999}})).set(3, types));
  std::uint32_t sequence = 0;
  for (const auto* name : {"", "a b", "x\n", "\x1b[0m", "\"quoted\""})
    session.read(MessageText{.sequence = sequence++}.set(400, type_of(7, unsigned16, name)));
  session.read(MessageText{.sequence = sequence++}.set(400, type_of(7, unsigned16, std::string(65, 'x'))));
  session.read(MessageText{.sequence = sequence++}.set(400, type_of(7, 200, "no_type")));
  EXPECT_EQ(session.read(MessageText{.sequence = sequence}.set(256, hex("cafe"))), Lines{"256 99999/7=0xcafe"});
}

TEST(LearnedElements, are_bounded) {
  ipfix::Reader reader;
  ipfix::Events nobody;
  reader.read(MessageText{}.set(3, types).octets(), 0, nobody);
  for (std::uint16_t i = 1; i < 6000; ++i)
    reader.read(MessageText{}.set(400, type_of(i, unsigned16, "x")).octets(), 0, nobody);
  EXPECT_EQ(reader.learned().size(), ipfix::LearnedElements::elements_max);
}

}  // namespace
}  // namespace weir::test
