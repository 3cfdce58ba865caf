// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/builder.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace weir::ipfix {
namespace {

TEST(MessageBuilder, every_message_walks_exactly_and_is_never_longer_than_the_limit) {
  std::mt19937 random{11};
  for (int round = 0; round < 500; ++round) {
    const std::size_t limit = 16 + random() % (round % 10 == 0 ? 65520 : 2000);
    MessageBuilder message{limit, DomainId{5}};
    std::vector<std::pair<std::uint16_t, std::size_t>> put;
    std::uint32_t data_records = 0;
    for (int i = 0; i < 3000; ++i) {
      const auto set = static_cast<std::uint16_t>(random() % 4 == 0 ? 2 + random() % 2 : 256 + random() % 3);
      const std::size_t octets = 1 + random() % 300;
      auto* at = message.record(set, octets);
      if (!at) break;
      std::memset(at, set & 0xff, octets);
      put.emplace_back(set, octets);
      data_records += set >= 256;
    }
    const auto bytes = message.seal(1, 2);
    ASSERT_LE(bytes.size(), limit);
    ASSERT_EQ(load_be<std::uint16_t>(bytes.data()), 10);
    ASSERT_EQ(load_be<std::uint16_t>(bytes.data() + 2), bytes.size());
    ASSERT_EQ(message.data_records(), data_records);

    std::size_t at = 16, record = 0;
    std::uint16_t before = 0;
    while (at < bytes.size()) {
      const auto set = load_be<std::uint16_t>(bytes.data() + at);
      const auto length = load_be<std::uint16_t>(bytes.data() + at + 2);
      ASSERT_NE(set, before) << "a set of the same kind was open";
      ASSERT_GT(length, 4) << "an empty set";
      for (auto left = length - std::size_t{4}; left > 0; ++record) {
        ASSERT_LT(record, put.size());
        ASSERT_EQ(put[record].first, set);
        ASSERT_LE(put[record].second, left);
        left -= put[record].second;
      }
      before = set;
      at += length;
    }
    ASSERT_EQ(at, bytes.size());
    ASSERT_EQ(record, put.size());
  }
}

TEST(MessageBuilder, fills_a_message_to_the_last_octet) {
  MessageBuilder message{65535, DomainId{1}};
  EXPECT_EQ(message.record(256, 65535 - 19), nullptr) << "there is a set header to write, too";
  ASSERT_NE(message.record(256, 65535 - 20), nullptr);
  EXPECT_EQ(message.record(256, 1), nullptr);
  EXPECT_EQ(message.seal(0, 0).size(), 65535u);
}

TEST(MessageBuilder, a_sealed_message_can_be_given_another_time_and_sequence) {
  MessageBuilder message{100, DomainId{0x01020304}};
  ASSERT_NE(message.record(256, 4), nullptr);
  message.seal(1, 2);
  const auto bytes = message.seal(0xfffffffe, 0x80000001);
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data() + 4), 0x80000001u);
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data() + 8), 0xfffffffeu);
  EXPECT_EQ(load_be<std::uint32_t>(bytes.data() + 12), 0x01020304u);
  message.clear();
  EXPECT_TRUE(message.empty());
  EXPECT_EQ(message.data_records(), 0u);
}

}  // namespace
}  // namespace weir::ipfix
