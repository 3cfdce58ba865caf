// SPDX-License-Identifier: BSD-3-Clause
// Messages out of a run of octets, and the way back after damage (RFC 7011 §10.4.3, RFC 5655 §10.3).
#include "ipfix/reader_framer.hpp"

#include <gtest/gtest.h>

#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

using ipfix::Framer;

/// What comes out when so many octets come at a time: "message OFFSET", "DAMAGE at OFFSET, N octets".
Lines framed(const Octets& input, std::size_t octets_at_a_time = ~std::size_t{0}) {
  Framer framer;
  Lines lines;
  std::size_t begin = 0, end = 0;
  for (;;) {
    const auto after = end == input.size() ? Framer::Input::ends_here : Framer::Input::goes_on;
    const auto step = framer.next(Bytes{input}.subspan(begin, end - begin), after);
    if (step.found == Framer::Found::end) break;
    if (step.found == Framer::Found::message) lines.push_back(fmt::format("message {}", step.offset));
    if (step.found == Framer::Found::damage)
      lines.push_back(fmt::format("{} at {}, {} octets", damage_names[static_cast<std::size_t>(step.damaged.what)],
                                  step.damaged.offset, step.damaged.octets_skipped));
    begin += step.consumed;
    if (step.found != Framer::Found::more_needed) continue;
    EXPECT_NE(after, Framer::Input::ends_here) << "asks for more after the end";
    if (after == Framer::Input::ends_here) break;
    end += std::min(octets_at_a_time, input.size() - end);
  }
  return lines;
}

Octets message(std::size_t octets) { return MessageText{}.set(300, Octets(octets - 20, std::byte{0x55})).octets(); }

void overwrite(Octets& octets, std::size_t place, const Octets& with) {
  std::ranges::copy(with, octets.begin() + static_cast<std::ptrdiff_t>(place));
}

TEST(Framer, delimits_messages_by_their_length_however_they_arrive) {
  const auto input = joined({message(100), MessageText{}.octets(), message(65535), message(40)});
  const Lines expected{"message 0", "message 100", "message 116", "message 65651"};
  for (const std::size_t at_a_time : {1u, 2u, 15u, 100u, 4096u, 1'000'000u})
    EXPECT_EQ(framed(input, at_a_time), expected) << at_a_time;
}

TEST(Framer, finds_nothing_in_nothing) { EXPECT_EQ(framed({}), Lines{}); }

TEST(Framer, does_not_wait_for_the_next_message_to_hand_out_a_sound_one) {
  Framer framer;
  const auto input = message(100);
  EXPECT_EQ(framer.next(input, Framer::Input::goes_on).found, Framer::Found::message);
}

TEST(Framer, reports_a_last_message_that_is_cut_and_keeps_all_before) {
  const auto whole = joined({message(60), message(80), message(100)});
  for (std::size_t size = 140; size <= whole.size(); ++size) {
    const Octets cut{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)};
    Lines expected{"message 0", "message 60"};
    if (size == 240) expected.push_back("message 140");
    else if (size > 140)
      expected.push_back(fmt::format("{} at 140, {} octets", size == 141 ? "no_message" : "message_cut", size - 140));
    for (const std::size_t at_a_time : {1u, 7u, 1000u}) EXPECT_EQ(framed(cut, at_a_time), expected) << size;
  }
}

TEST(Framer, finds_the_next_message_behind_foreign_octets) {
  const auto input =
      joined({message(60), hex("dead 000a 0000 beef 000a"), message(60), message(60), Octets(5), message(60)});
  const Lines expected{"message 0",   "no_message at 60, 10 octets", "message 70",
                       "message 130", "no_message at 190, 5 octets", "message 195"};
  for (const std::size_t at_a_time : {1u, 3u, 1000u}) EXPECT_EQ(framed(input, at_a_time), expected);
}

TEST(Framer, does_not_believe_a_message_between_foreign_octets) {  // RFC 5655 §10.3
  const auto input = joined({Octets(9, std::byte{1}), message(60), Octets(9, std::byte{1}), message(60)});
  EXPECT_EQ(framed(input), (Lines{"no_message at 0, 78 octets", "message 78"}));
}

TEST(Framer, loses_only_messages_that_damage_touched) {  // a hundred octets somewhere in twenty messages of 60
  Octets whole;
  for (int i = 0; i < 20; ++i) whole = joined({whole, message(60)});
  for (std::size_t place = 60; place + 100 < whole.size() - 60; ++place) {
    auto input = whole;
    overwrite(input, place, Octets(100, std::byte{0xee}));
    const auto lines = framed(input);
    const auto first = place / 60, last = (place + 99) / 60;
    for (std::size_t i = 0; i < 20; ++i) {
      const bool touched = i >= first && i <= last;
      const bool is_framed = std::ranges::count(lines, fmt::format("message {}", i * 60)) == 1;
      EXPECT_TRUE(is_framed || touched) << "message " << i << " of damage at " << place;
    }
  }
}

TEST(Framer, does_not_follow_a_length_that_is_wrong) {
  for (const unsigned length : {15u, 16u, 59u, 61u, 100u, 120u, 180u, 65535u}) {
    auto input = joined({message(60), message(60), message(60), message(60)});
    overwrite(input, 62, number(length, 2));
    const auto lines = framed(input);
    EXPECT_EQ(lines.front(), "message 0") << length;
    EXPECT_EQ(lines.back(), "message 180") << length;
    EXPECT_EQ(std::ranges::count(lines, "message 120"), 1) << length;
  }
}

TEST(Framer, does_not_mind_sets_with_the_reserved_id_10) {
  const auto input = MessageText{}.set(10, Octets(20, std::byte{1})).set(10, {}).octets();
  EXPECT_EQ(framed(joined({input, input})), (Lines{"message 0", "message 44"}));
}

TEST(Framer, passes_over_a_message_whose_sets_do_not_fill_it) {
  auto bad = message(60);
  overwrite(bad, 18, number(999, 2));
  EXPECT_EQ(framed(joined({message(60), bad, message(60)})),
            (Lines{"message 0", "message_sets at 60, 60 octets", "message 120"}));
  EXPECT_EQ(framed(bad), Lines{"message_sets at 0, 60 octets"});
}

TEST(Framer, passes_over_input_that_has_no_message) {
  EXPECT_EQ(framed(Octets(200'000)), Lines{"no_message at 0, 200000 octets"});
  const auto zeros_and_tens = [] {
    Octets octets;
    for (int i = 0; i < 50'000; ++i) octets.insert(octets.end(), {std::byte{0}, std::byte{10}});
    return octets;
  }();
  EXPECT_EQ(framed(zeros_and_tens, 4096).size(), 1u);
}

}  // namespace
}  // namespace weir::test
