// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <limits>
#include <weir/bytes.hpp>

namespace weir::test {
namespace {

constexpr auto octets(auto... values) {
  return std::array<std::byte, sizeof...(values)>{static_cast<std::byte>(values)...};
}

constexpr auto one_to_eight = octets(1, 2, 3, 4, 5, 6, 7, 8);
static_assert(load_be<std::uint8_t>(one_to_eight.data()) == 0x01);
static_assert(load_be<std::uint16_t>(one_to_eight.data()) == 0x0102);
static_assert(load_be<std::uint32_t>(one_to_eight.data()) == 0x01020304);
static_assert(load_be<std::uint64_t>(one_to_eight.data()) == 0x0102030405060708);
static_assert(load_le<std::uint16_t>(one_to_eight.data()) == 0x0201);
static_assert(load_le<std::uint64_t>(one_to_eight.data()) == 0x0807060504030201);
static_assert(swap_bytes(std::uint8_t{0xab}) == 0xab);
static_assert(swap_bytes(std::uint64_t{0xff}) == 0xff00'0000'0000'0000);

TEST(Bytes, numbers_are_read_at_any_address_as_the_compiler_reads_them) {
  std::array<std::byte, 15> moved{};
  for (std::size_t from = 0; from < 8; ++from) {
    std::copy(one_to_eight.begin(), one_to_eight.end(), moved.begin() + static_cast<std::ptrdiff_t>(from));
    EXPECT_EQ(load_be<std::uint16_t>(moved.data() + from), 0x0102);
    EXPECT_EQ(load_be<std::uint32_t>(moved.data() + from), 0x01020304u);
    EXPECT_EQ(load_be<std::uint64_t>(moved.data() + from), 0x0102030405060708u);
    EXPECT_EQ(load_le<std::uint32_t>(moved.data() + from), 0x04030201u);
  }
}

TEST(Bytes, what_is_stored_is_loaded_again) {
  std::array<std::byte, 8> room{};
  store_be(room.data(), std::uint64_t{0x0102030405060708});
  EXPECT_EQ(room, one_to_eight);
  store_native(room.data(), std::uint32_t{0xdeadbeef});
  EXPECT_EQ(load_native<std::uint32_t>(room.data()), 0xdeadbeefu);
  EXPECT_EQ(room[4], std::byte{5}) << "no octet more than the number has";
}

TEST(Cursor, never_takes_more_than_is_left) {
  Cursor at{one_to_eight};
  EXPECT_EQ(at.take(9), nullptr);
  EXPECT_EQ(at.take(std::numeric_limits<std::size_t>::max()), nullptr);
  EXPECT_EQ(at.left(), 8u) << "what failed took nothing";
  EXPECT_EQ(at.take(3), one_to_eight.data());
  EXPECT_EQ(at.take(6), nullptr);
  EXPECT_EQ(at.take(5), one_to_eight.data() + 3);
  EXPECT_EQ(at.left(), 0u);
  EXPECT_EQ(at.take(1), nullptr);
  EXPECT_EQ(Cursor{Bytes{}}.take(1), nullptr);
}

TEST(Cursor, the_rest_begins_where_the_last_take_ended) {
  Cursor at{one_to_eight};
  at.take(6);
  EXPECT_EQ(at.rest().data(), one_to_eight.data() + 6);
  EXPECT_EQ(at.rest().size(), 2u);
}

TEST(Writer, writes_numbers_in_network_order_and_of_reduced_size) {
  std::array<std::byte, 16> room{};
  Writer to{room};
  to.number(std::uint16_t{0x0102});
  to.number(std::uint64_t{0xffff'ffff'ff03'0405}, 3);
  to.number(std::uint64_t{0x06}, 0);
  to.bytes(Bytes{one_to_eight}.subspan(5, 2));
  to.zeros(1);
  to.number(std::uint64_t{0x1122334455667788}, 8);
  EXPECT_EQ(to.written(), 16u);
  EXPECT_FALSE(to.full());
  EXPECT_EQ(room, octets(1, 2, 3, 4, 5, 6, 7, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88));
}

TEST(Writer, what_does_not_fit_is_not_written_and_full_says_so) {
  auto room = octets(9, 9, 9, 9);
  Writer to{std::span{room}.first(3)};
  to.number(std::uint16_t{0x0102});
  EXPECT_FALSE(to.full());
  to.number(std::uint16_t{0x0304});
  EXPECT_TRUE(to.full());
  EXPECT_EQ(to.written(), 2u);
  EXPECT_EQ(to.left(), 1u);
  EXPECT_EQ(to.take(std::numeric_limits<std::size_t>::max()), nullptr);
  to.number(std::uint64_t{0}, 8);
  to.bytes(one_to_eight);
  to.zeros(2);
  EXPECT_EQ(room, octets(1, 2, 9, 9)) << "not even a part of it";
  to.number(std::uint8_t{7});
  EXPECT_EQ(room, octets(1, 2, 7, 9)) << "what fits is written still";
  EXPECT_TRUE(to.full()) << "and full stays";
}

}  // namespace
}  // namespace weir::test
