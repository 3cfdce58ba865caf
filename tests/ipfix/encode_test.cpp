// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/encode.hpp"
#include "ipfix/options.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/ipfix_walker.hpp"

namespace weir::ipfix {
namespace {

using test::Octets;

std::byte octet(unsigned value) { return static_cast<std::byte>(value); }

/// A record is sixteen octets at least.
Octets encoded(const std::vector<Field>& fields, Octets record) {
  if (record.size() < 16) record.resize(16);
  const EncodePlan plan{fields, record.size()};
  Octets out(plan.octets_max(), octet(0xee));
  plan.encode(record.data(), out.data());
  return out;
}

/// With texts in it.
Octets written(const std::vector<Field>& fields, const Octets& record, const InterfaceNames* names = nullptr) {
  const EncodePlan plan{fields, record.size()};
  Octets out(plan.octets_max() + 1, octet(0xee));
  const auto octets = plan.encode(record.data(), out.data(), names);
  EXPECT_LE(octets, plan.octets_max());
  EXPECT_EQ(out[octets], octet(0xee));
  out.resize(octets);
  return out;
}

TEST(EncodePlan, turns_stored_numbers_to_network_order_and_widens_them) {
  const Octets record{octet(1), octet(2), octet(3), octet(4), octet(5), octet(6), octet(7), octet(8)};
  EXPECT_EQ(encoded({{.id = 1, .octets = 2, .stored = 2}}, record), (Octets{octet(2), octet(1)}));
  EXPECT_EQ(encoded({{.id = 1, .octets = 8, .stored = 6}}, record),
            (Octets{octet(0), octet(0), octet(6), octet(5), octet(4), octet(3), octet(2), octet(1)}));
  EXPECT_EQ(encoded({{.id = 1, .octets = 4, .stored = 3, .offset = 5}}, record),
            (Octets{octet(0), octet(8), octet(7), octet(6)}));
}

TEST(EncodePlan, reads_nothing_behind_the_record_and_writes_nothing_behind_the_data_record) {
  Octets record(20);  // sanitizers watch its end
  for (unsigned i = 0; i < record.size(); ++i) record[i] = octet(i);
  for (std::uint16_t octets = 1; octets <= 20; ++octets) {
    const std::vector<Field> fields{
        {.id = 8, .octets = octets, .form = Form::bytes, .offset = static_cast<std::uint16_t>(20 - octets)}};
    const EncodePlan plan{fields, record.size()};
    Octets out(octets + 1u, octet(0xee));
    plan.encode(record.data(), out.data());
    EXPECT_TRUE(std::equal(record.end() - octets, record.end(), out.begin()));
    EXPECT_EQ(out.back(), octet(0xee));
  }
}

TEST(EncodePlan, a_number_that_outgrows_its_reduced_field_becomes_the_greatest_not_a_small_one) {
  const Octets record{octet(1), octet(0), octet(1), octet(0)};
  EXPECT_EQ(encoded({{.id = 1, .octets = 2, .stored = 4}}, record), (Octets{octet(0xff), octet(0xff)}));
  EXPECT_EQ(encoded({{.id = 1, .octets = 3, .stored = 4}}, record), (Octets{octet(1), octet(0), octet(1)}));
}

TEST(EncodePlan, keeps_the_data_offset_out_of_tcp_control_bits) {
  const Octets record{octet(0x12), octet(0xf1)};
  EXPECT_EQ(encoded({{.id = 6, .octets = 2, .form = Form::tcp_bits}}, record), (Octets{octet(0x01), octet(0x12)}));
  EXPECT_EQ(encoded({{.id = 6, .octets = 1, .form = Form::tcp_bits}}, record), (Octets{octet(0x12)}));
}

TEST(EncodePlan, texts_have_their_length_before_them_and_fixed_ones_are_cut_or_padded) {
  Octets record(300, octet(7));
  store_native(record.data() + 10, std::uint16_t{3});
  const Field text{.pen = 6871, .id = 18, .octets = variable_length, .form = Form::text, .offset = 10, .room = 280};
  const Field one{.id = 4, .octets = 1, .stored = 1, .offset = 0};
  EXPECT_EQ(written({one, text, one}, record), (Octets{octet(7), octet(3), octet(7), octet(7), octet(7), octet(7)}));
  auto fixed = text;
  fixed.octets = 2;
  EXPECT_EQ(written({one, fixed}, record), Octets(3, octet(7)));
  fixed.octets = 5;
  EXPECT_EQ(written({fixed}, record), (Octets{octet(7), octet(7), octet(7), octet(0), octet(0)}));

  store_native(record.data() + 10, std::uint16_t{0});
  EXPECT_EQ(written({text, one}, record), (Octets{octet(0), octet(7)}));
  store_native(record.data() + 10, std::uint16_t{255});  // RFC 7011 §7: from here on three octets
  const auto longer = written({text, one}, record);
  ASSERT_EQ(longer.size(), 3u + 255 + 1);
  EXPECT_EQ(longer[0], octet(255));
  EXPECT_EQ(load_be<std::uint16_t>(longer.data() + 1), 255);
}

TEST(EncodePlan, interfaces_have_their_names_and_without_one_their_numbers) {
  Octets record(16);
  store_native(record.data() + 4, std::uint16_t{2});
  const Field name{.id = 82, .octets = variable_length, .form = Form::interface_name, .offset = 4};
  InterfaceNames names;
  names.add(1, "lo");
  EXPECT_EQ(written({name}, record, &names), (Octets{octet(1), octet('2')}));
  names.add(2, "eth0");
  EXPECT_EQ(written({name}, record, &names), (Octets{octet(4), octet('e'), octet('t'), octet('h'), octet('0')}));
  EXPECT_EQ(written({name}, record), (Octets{octet(1), octet('2')}));
}

TEST(EncodePlan, constants_stand_between_fields_that_vary) {
  const Octets record{octet(9), octet(8)};
  EXPECT_EQ(encoded({{.id = 4, .octets = 1, .stored = 1},
                     {.id = 14, .octets = 4, .form = Form::constant, .constant = 0x01020304},
                     {.id = 5, .octets = 1, .stored = 1, .offset = 1}},
                    record),
            (Octets{octet(9), octet(1), octet(2), octet(3), octet(4), octet(8)}));
}

/// What the field must become, reckoned octet by octet.
Octets expected(const Field& field, const Octets& record) {
  if (field.form == Form::bytes) return {record.begin() + field.offset, record.begin() + field.offset + field.octets};
  std::uint64_t value = field.constant;
  if (field.form != Form::constant) {
    value = 0;
    const std::size_t stored = field.form == Form::tcp_bits ? 2 : field.stored;
    for (std::size_t i = 0; i < stored; ++i)
      value += std::to_integer<std::uint64_t>(record[field.offset + i]) << (8 * i);
    if (field.form == Form::tcp_bits) value &= field.octets == 1 ? 0xff : 0xfff;
  }
  Octets octets;
  for (int i = field.octets - 1; i >= 0; --i) octets.push_back(octet(static_cast<unsigned>(value >> (8 * i)) & 0xff));
  return octets;
}

Field random_field(std::mt19937& random, std::size_t record_octets) {
  Field field{.id = static_cast<std::uint16_t>(1 + random() % 0x7fff), .form = static_cast<Form>(random() % 4)};
  field.pen = random() % 4 == 0 ? 29305 : 0;
  field.key = random() % 2;
  if (field.form == Form::tcp_bits) field.octets = static_cast<std::uint16_t>(1 + random() % 2);
  if (field.form == Form::bytes) field.octets = static_cast<std::uint16_t>(1 + random() % 20);
  if (field.form == Form::number) {
    field.stored = static_cast<std::uint8_t>(1 + random() % 8);
    field.octets = static_cast<std::uint16_t>(field.stored + random() % (9u - field.stored));
  }
  if (field.form == Form::constant) field.octets = 8, field.constant = random();
  const std::size_t stored = field.form == Form::bytes ? field.octets : field.form == Form::tcp_bits ? 2 : field.stored;
  field.offset = static_cast<std::uint16_t>(random() % (record_octets - stored + 1));
  return field;
}

TEST(EncodePlan, whatever_is_announced_is_what_an_independent_walk_finds) {
  std::mt19937 random{7};
  for (int round = 0; round < 2000; ++round) {
    Octets record(32 + random() % 64);
    for (auto& at : record) at = octet(random() & 0xff);
    std::vector<Field> fields(1 + random() % 40);
    for (auto& field : fields) field = random_field(random, record.size());

    const auto wire = encoded(fields, record);
    const auto announced = template_record(TemplateId{256}, fields);
    Bytes left = wire, specifiers{announced};
    ASSERT_EQ(load_be<std::uint16_t>(specifiers.data() + 2), fields.size());
    specifiers = specifiers.subspan(4);
    for (const auto& field : fields) {
      const auto octets = load_be<std::uint16_t>(specifiers.data() + 2);
      ASSERT_EQ(load_be<std::uint16_t>(specifiers.data()), field.id | (field.pen ? 0x8000 : 0));
      if (field.pen) {
        ASSERT_EQ(load_be<std::uint32_t>(specifiers.data() + 4), field.pen);
      }
      specifiers = specifiers.subspan(field.pen ? 8 : 4);
      ASSERT_LE(octets, left.size());
      ASSERT_EQ(Octets(left.begin(), left.begin() + octets), expected(field, record));
      left = left.subspan(octets);
    }
    ASSERT_TRUE(left.empty() && specifiers.empty());
  }
}

TEST(FlowKeyIndicator, has_bit_n_for_field_n_and_none_beyond_64) {
  std::vector<Field> fields(70, Field{.id = 1, .octets = 1, .stored = 1});
  fields[0].key = fields[5].key = fields[63].key = fields[64].key = true;
  EXPECT_EQ(flow_key_indicator(fields), 1u | 1u << 5 | std::uint64_t{1} << 63);
}

}  // namespace
}  // namespace weir::ipfix
