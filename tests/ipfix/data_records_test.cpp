// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/data_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "ipfix/catalogue.hpp"
#include "support/small_layout.hpp"

namespace weir::ipfix {
namespace {

struct Noted {
  TemplateId id;
  std::vector<std::byte> octets;
  Totals totals;
  friend bool operator==(const Noted&, const Noted&) = default;
};

std::vector<Noted> all_of(const DataRecords& records) {
  std::vector<Noted> found;
  records.each([&](TemplateId id, Bytes octets, const Totals& totals) {
    found.push_back({id, {octets.begin(), octets.end()}, totals});
  });
  return found;
}

Totals sum_of(const DataRecords& records) {
  Totals sum;
  for (const auto& one : all_of(records)) sum += one.totals;
  return sum;
}

TEST(DataRecords, are_found_as_they_were_added_whatever_their_lengths_and_the_longest_fit_in_the_number_promised) {
  constexpr std::size_t count = 200, longest = 77;
  DataRecords records{count, longest};
  std::mt19937 random{3};
  for (int round = 0; round < 3; ++round) {
    std::vector<Noted> added;
    Totals sum;
    for (std::size_t i = 0; i < count; ++i) {
      const auto octets = round == 0 ? longest : 1 + random() % longest;
      const Noted one{TemplateId{static_cast<std::uint16_t>(256 + random() % 9)},
                      std::vector<std::byte>(octets, static_cast<std::byte>(random())),
                      {1, random(), random()}};
      records.add(one.id, one.totals, [&](std::byte* out) {
        std::copy(one.octets.begin(), one.octets.end(), out);
        return one.octets.size();
      });
      sum += one.totals;
      added.push_back(one);
    }
    EXPECT_EQ(all_of(records), added);
    EXPECT_EQ(sum_of(records), sum);
    EXPECT_FALSE(records.empty());
    records.clear();
    EXPECT_TRUE(records.empty());
    EXPECT_EQ(sum_of(records), Totals{});
    EXPECT_EQ(all_of(records).size(), 0u);
  }
}

TEST(DataRecords, are_written_behind_one_another_each_by_its_own_template) {
  const auto layout = test::small_layout();
  const Catalogue catalogue{{&layout, 1}};
  const InterfaceNames names;
  DataRecords records{5, catalogue.flow_octets_max()};
  const auto three = test::small_records(3), two_reverse = test::small_records(2, 1);
  records.add(catalogue, {&layout, three}, names);
  records.add(catalogue, {}, names);
  records.add(catalogue, {&layout, two_reverse}, names);

  auto sum = test::small_totals(3);
  sum += test::small_totals(2);
  EXPECT_EQ(sum_of(records), sum);
  const auto found = all_of(records);
  ASSERT_EQ(found.size(), 5u);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& flow_template = catalogue.of(&layout)[i < 3 ? 0 : 1];
    const auto* record = (i < 3 ? three.data() + i * 64 : two_reverse.data() + (i - 3) * 64);
    std::vector<std::byte> wanted(catalogue.flow_octets_max());
    wanted.resize(flow_template.plan.encode(record, wanted.data()));
    EXPECT_EQ(found[i], (Noted{flow_template.id, wanted, layout.totals(record)})) << i;
  }
}

}  // namespace
}  // namespace weir::ipfix
