// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>
#include <weir/element.hpp>

namespace weir {
namespace {

TEST(Registry, finds_an_element_by_number_and_by_name) {
  const auto* octets = find_element(enterprise::iana, 1);
  ASSERT_NE(octets, nullptr);
  EXPECT_EQ(octets->name, "octetDeltaCount");
  EXPECT_EQ(octets->type, DataType::unsigned64);
  EXPECT_EQ(octets->semantics, Semantics::delta_counter);
  EXPECT_EQ(octets->units, "octets");
  EXPECT_EQ(find_element("octetDeltaCount"), octets);
}

TEST(Registry, does_not_know_what_was_never_registered) {
  EXPECT_EQ(find_element(0, 0), nullptr);
  EXPECT_EQ(find_element(0, 65), nullptr) << "kept for NetFlow version 9";
  EXPECT_EQ(find_element(0, 65535), nullptr);
  EXPECT_EQ(find_element(4'294'967'295u, 65535), nullptr);
  EXPECT_EQ(find_element("octetDeltaCoun"), nullptr);
  EXPECT_EQ(find_element(""), nullptr);
}

// RFC 5103 §6.1: the type of the element, the name with "reverse" before it and its first letter capitalised.
TEST(Registry, derives_reverse_elements) {
  const auto* reverse = find_element(enterprise::reverse, 1);
  ASSERT_NE(reverse, nullptr);
  EXPECT_EQ(reverse->name, "reverseOctetDeltaCount");
  EXPECT_EQ(reverse->pen, enterprise::reverse);
  EXPECT_EQ(reverse->id, 1);
  EXPECT_EQ(reverse->type, DataType::unsigned64);
  EXPECT_EQ(find_element("reverseOctetDeltaCount"), reverse);
}

// RFC 5103 §6.2: an enterprise may keep a bit of its ids for the reverse; CERT keeps 0x4000.
TEST(Registry, derives_the_reverse_of_certs_elements_from_their_bit) {
  const auto* forward = find_element(enterprise::cert, 14);
  const auto* reverse = find_element(enterprise::cert, 0x400e);
  ASSERT_NE(forward, nullptr);
  ASSERT_NE(reverse, nullptr);
  EXPECT_EQ(forward->name, "initialTCPFlags");
  EXPECT_EQ(reverse->name, "reverseInitialTCPFlags");
  EXPECT_EQ(reverse->type, forward->type);
}

TEST(Registry, names_what_nobody_registered_under_the_enterprise_number_for_examples) {
  const auto* late = find_element("latePacketDeltaCount");
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->pen, enterprise::own);
  const auto* reverse = find_element(enterprise::own, late->id | 0x4000);
  ASSERT_NE(reverse, nullptr);
  EXPECT_EQ(reverse->name, "reverseLatePacketDeltaCount");
}

TEST(Registry, gives_the_lower_enterprise_where_two_use_one_name) {
  const auto* host = find_element("httpHost");
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->pen, enterprise::cert);
}

TEST(Registry, knows_which_lengths_may_be_announced) {
  EXPECT_TRUE(length_is_legal(DataType::unsigned64, 3));
  EXPECT_TRUE(length_is_legal(DataType::float64, 4));
  EXPECT_TRUE(length_is_legal(DataType::string, 0));
  EXPECT_FALSE(length_is_legal(DataType::unsigned64, 0));
  EXPECT_FALSE(length_is_legal(DataType::unsigned64, 9));
  EXPECT_FALSE(length_is_legal(DataType::date_time_milliseconds, 4)) << "RFC 7011 §6.2: times are never reduced";
  EXPECT_FALSE(length_is_legal(DataType::ipv4_address, 3));
  EXPECT_FALSE(length_is_legal(DataType::float64, 5));
}

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns(1);
  for (const char c : line) c == ',' ? void(columns.emplace_back()) : columns.back().push_back(c);
  return columns;
}

TEST(Registry, agrees_with_the_list_of_elements_row_by_row) {
  const char* shared = std::getenv("WEIR_SHARED");
  if (!shared) GTEST_SKIP() << "WEIR_SHARED is not set: no list of elements to compare with";
  std::ifstream list{std::string{shared} + "/ipfix-elements.csv"};
  ASSERT_TRUE(list) << "cannot read " << shared << "/ipfix-elements.csv";

  std::string line;
  std::getline(list, line);
  std::size_t rows = 0;
  while (std::getline(list, line)) {
    const auto row = columns_of(line);
    ASSERT_GE(row.size(), 6u) << line;
    if (row[3].empty()) continue;  // a remark, not an element
    const auto* element =
        find_element(static_cast<std::uint32_t>(std::stoul(row[0])), static_cast<std::uint16_t>(std::stoul(row[1])));
    ASSERT_NE(element, nullptr) << line;
    EXPECT_EQ(element->name, row[2]);
    EXPECT_EQ(data_type_names[static_cast<std::size_t>(element->type)], row[3]) << line;
    EXPECT_EQ(semantics_names[static_cast<std::size_t>(element->semantics)], row[4].empty() ? "default" : row[4]);
    EXPECT_EQ(element->units, row[5]) << line;
    ++rows;
  }
  EXPECT_EQ(rows, 1101u);
}

}  // namespace
}  // namespace weir
