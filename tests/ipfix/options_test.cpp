// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/options.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weir::ipfix {
namespace {

std::string well_formed(std::string_view text, std::size_t room = 64) {
  std::string out(room, '\0');
  out.resize(put_well_formed(text, out));
  return out;
}

TEST(InterfaceName, keeps_utf_8_and_replaces_what_is_none) {
  EXPECT_EQ(well_formed("eth0"), "eth0");
  EXPECT_EQ(well_formed("\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\x8a"), "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8c\x8a");
  EXPECT_EQ(well_formed("a\xff"
                        "b"),
            "a?b");
  EXPECT_EQ(well_formed("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(well_formed("\xe0\x9f\xbf"), "???") << "overlong";
  EXPECT_EQ(well_formed("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(well_formed("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
  EXPECT_EQ(well_formed("x\xe2\x82"), "x??") << "cut in a character";
  EXPECT_EQ(well_formed("a\x1b[0m\n"), "a?[0m?") << "control characters";
  EXPECT_EQ(well_formed(std::string_view{"a\0b", 3}), "a?b");
}

TEST(InterfaceName, is_cut_between_characters) {
  EXPECT_EQ(well_formed("aa\xc3\xbc", 3), "aa");
  EXPECT_EQ(InterfaceName(1, std::string(500, 'x')).text(), std::string(64, 'x'));
}

TEST(InterfaceName, without_a_name_is_the_number) { EXPECT_EQ(InterfaceName(4294967295u, "").text(), "4294967295"); }

TEST(InterfaceNames, are_bounded_and_the_first_of_a_number_stays) {
  InterfaceNames names;
  names.add(1, "a");
  names.add(1, "b");
  ASSERT_EQ(names.all().size(), 1u);
  EXPECT_EQ(names.all()[0].text(), "a");
  for (std::uint32_t i = 0; i < 70000; i += 7) names.add(i, "x");
  EXPECT_EQ(names.all().size(), InterfaceNames::names_max);
}

}  // namespace
}  // namespace weir::ipfix
