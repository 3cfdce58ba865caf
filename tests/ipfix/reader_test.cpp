// SPDX-License-Identifier: BSD-3-Clause
// Sets, padding, sequence numbers, and messages that must be discarded. RFC 5471's sections are named where its cases
// are.
#include "ipfix/reader.hpp"

#include <gtest/gtest.h>

#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

const auto ports_template = definition(256, {{7, 2}, {11, 2}});

MessageText ports_defined() { return MessageText{}.set(2, ports_template); }

TEST(Reader, decodes_records_by_a_template_of_an_earlier_message) {
  Session session;
  EXPECT_EQ(session.read(ports_defined()), Lines{"defined 256"});
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("0050 01bb 1f90 0016"))),
            (Lines{"256 sourceTransportPort=80 destinationTransportPort=443",
                   "256 sourceTransportPort=8080 destinationTransportPort=22"}));
}

TEST(Reader, takes_a_message_without_sets) {
  Session session;
  EXPECT_EQ(session.read(MessageText{}), Lines{});
  EXPECT_EQ(session.reader().domains(), 1u);
}

TEST(Reader, takes_the_longest_message) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{4, 1}})));
  const auto said = session.read(MessageText{}.set(256, Octets(65535 - 20, std::byte{6})));
  EXPECT_EQ(said.size(), 65535u - 20u);
}

TEST(Reader, keeps_domains_apart) {  // RFC 7011 §8
  Session session;
  session.read(MessageText{.domain = 1}.set(2, definition(256, {{4, 1}})));
  session.read(MessageText{.domain = 2}.set(2, definition(256, {{5, 1}})));
  EXPECT_EQ(session.read(MessageText{.domain = 1}.set(256, hex("06"))), Lines{"256 protocolIdentifier=6"});
  EXPECT_EQ(session.read(MessageText{.domain = 2}.set(256, hex("06"))), Lines{"256 ipClassOfService=6"});
}

TEST(Reader, takes_padding_in_sets_of_every_kind) {  // RFC 7011 §3.3.1, RFC 5471 §3.2.3
  Session session;
  auto message = MessageText{};
  message.set(2, joined({ports_template, hex("000000")}))
      .set(3, joined({options_definition(257, 1, {{149, 4}, {41, 2}}), hex("0000 00000000")}))
      .set(256, hex("0001 0002 000000"))
      .set(256, hex("0003 0004 000000"))
      .set(257, hex("00000001 0005 0000"));
  EXPECT_EQ(session.read(message),
            (Lines{"defined 256", "defined 257", "256 sourceTransportPort=1 destinationTransportPort=2",
                   "256 sourceTransportPort=3 destinationTransportPort=4",
                   "257 [observationDomainId=1] exportedMessageTotalCount=5"}));
}

TEST(Reader, does_not_mind_padding_that_is_not_zero) {  // RFC 7011 §9.1
  Session session;
  session.read(ports_defined());
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("0001 0002 abcdef"))),
            Lines{"256 sourceTransportPort=1 destinationTransportPort=2"});
}

TEST(Reader, shows_no_phantom_records_for_padding_octets_in_the_template) {  // RFC 5471 §3.2.4
  Session session;
  session.read(
      MessageText{}.set(2, definition(256, {{4, 1}, {210, 3}})).set(2, definition(257, {{5, 1}, {210, 65535}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("06 000000 11 000000 0000"))),
            (Lines{"256 protocolIdentifier=6", "256 protocolIdentifier=17"}));
  EXPECT_EQ(session.read(MessageText{.sequence = 2}.set(257, hex("07 02 0000 09 00 00"))),
            (Lines{"257 ipClassOfService=7", "257 ipClassOfService=9"}));
}

TEST(Reader, skips_sets_with_reserved_ids_and_goes_on) {  // RFC 5471 §3.6.7
  Session session;
  session.read(ports_defined());
  auto message = MessageText{.sequence = 0};
  message.set(256, hex("0001 0002")).set(100, hex("ffff")).set(0, {}).set(1, hex("00")).set(255, {});
  message.set(256, hex("0003 0004"));
  EXPECT_EQ(
      session.read(message),
      (Lines{"256 sourceTransportPort=1 destinationTransportPort=2", "set_unknown 100 at 24", "set_unknown 0 at 30",
             "set_unknown 1 at 34", "set_unknown 255 at 39", "256 sourceTransportPort=3 destinationTransportPort=4"}));
}

TEST(Reader, notes_data_without_a_template_and_decodes_the_rest) {
  Session session;
  auto message = ports_defined();
  message.set(300, hex("00")).set(256, hex("0001 0002"));
  EXPECT_EQ(session.read(message),
            (Lines{"defined 256", "no_template 300 at 32", "256 sourceTransportPort=1 destinationTransportPort=2"}));
}

// RFC 7011 §3.1: Data Records count, options among them; templates do not.
TEST(Reader, counts_data_and_options_records_in_the_sequence_but_no_templates) {
  Session session;
  auto message = ports_defined();
  message.set(3, options_definition(257, 1, {{149, 4}})).set(256, hex("0001 0002 0003 0004")).set(257, hex("00000001"));
  session.read(message);
  EXPECT_EQ(session.read(MessageText{.sequence = 3}), Lines{});
  EXPECT_EQ(session.read(MessageText{.sequence = 4}), Lines{"missing 1"});
}

TEST(Reader, keeps_the_sequence_of_each_domain) {
  Session session;
  session.read(MessageText{.domain = 1, .sequence = 100});
  EXPECT_EQ(session.read(MessageText{.domain = 2, .sequence = 7}), Lines{});
  EXPECT_EQ(session.read(MessageText{.domain = 1, .sequence = 100}), Lines{});
}

TEST(Reader, wraps_the_sequence_at_the_end_of_its_range) {
  Session session;
  session.read(ports_defined());
  session.read(MessageText{.sequence = 4'294'967'295u});
  session.read(MessageText{.sequence = 4'294'967'295u}.set(256, hex("0001 0002 0003 0004")));
  EXPECT_EQ(session.read(MessageText{.sequence = 1}), Lines{});
  EXPECT_EQ(session.read(MessageText{.sequence = 4'294'967'295u}), Lines{"back 2"});
}

TEST(Reader, is_not_blinded_by_one_forged_sequence_number) {  // RFC 7011 §11.6
  Session session;
  session.read(MessageText{.sequence = 10});
  EXPECT_EQ(session.read(MessageText{.sequence = 1'000'000}), Lines{"missing 999990"});
  EXPECT_EQ(session.read(MessageText{.sequence = 10}), Lines{}) << "the sound stream goes on";
  EXPECT_EQ(session.read(MessageText{.sequence = 15}), Lines{"missing 5"});
  EXPECT_EQ(session.read(MessageText{.sequence = 12}), Lines{"back 3"});
}

TEST(Reader, does_not_guess_how_many_records_it_could_not_decode) {
  Session session;
  session.read(MessageText{.sequence = 0}.set(300, hex("00")));
  EXPECT_EQ(session.read(MessageText{.sequence = 17}), Lines{});
  EXPECT_EQ(session.read(MessageText{.sequence = 18}), Lines{"missing 1"});
}

// RFC 7011 §9.1: malformed messages are discarded, all of them, and nothing of them stays.

/// The message is discarded for this reason, says nothing else, and a good one after it is read.
void expect_discarded(const Octets& message, const std::string& reason) {
  Session session;
  session.read(ports_defined());
  EXPECT_EQ(session.read(message), Lines{reason});
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("0001 0002"))),
            Lines{"256 sourceTransportPort=1 destinationTransportPort=2"})
      << "after " << reason;
  EXPECT_EQ(session.reader().templates().size(), 1u) << "after " << reason;
}

const auto good_set = hex("0100 0008 0009 0009");
MessageText begun() { return MessageText{.sets = joined({hex("0002 000c"), definition(400, {{4, 1}}), good_set})}; }

TEST(Reader, discards_messages_with_a_wrong_header) {
  auto version_9 = ports_defined().octets();
  version_9[1] = std::byte{9};
  expect_discarded(version_9, "no_message at 0");
  expect_discarded(hex("000a 000f 00000000 00000000 00000001"), "message_length at 0");
  expect_discarded(hex("000a 0011 00000000 00000000 00000001"), "message_cut at 0");
  expect_discarded(hex("000a 0010 00000000 00000000 000000"), "message_cut at 0");
}

TEST(Reader, discards_messages_whose_sets_do_not_fit) {
  const auto with_tail = [](const char* tail) {
    auto message = begun();
    message.sets = joined({message.sets, hex(tail)});
    return message.octets();
  };
  const auto place = std::to_string(16 + 12 + 8);
  expect_discarded(with_tail("0100 0003 0001 0002"), "set_length at " + place);
  expect_discarded(with_tail("0100 0000 0001 0002"), "set_length at " + place);
  expect_discarded(with_tail("0100 0009 0001 0002"), "set_length at " + place);
  expect_discarded(with_tail("0100 00"), "set_header_cut at " + place);
}

TEST(Reader, discards_messages_whose_data_do_not_fit_their_template) {  // RFC 5471 §3.6.5, §3.6.6
  expect_discarded(begun().set(256, hex("0001 00")).octets(), "record_cut at 36");
  auto varlen = begun();
  varlen.set(2, definition(500, {{82, 65535}, {4, 1}}));
  const auto defined = varlen;
  expect_discarded(MessageText{defined}.set(500, hex("03 616263")).octets(), "value_beyond_set at 52");
  expect_discarded(MessageText{defined}.set(500, hex("02 6162 06 05 6162")).octets(), "value_beyond_set at 52");
  expect_discarded(MessageText{defined}.set(500, hex("ff 0004 616263")).octets(), "value_beyond_set at 52");
  expect_discarded(MessageText{defined}.set(500, hex("ff 00")).octets(), "value_beyond_set at 52");
}

TEST(Reader, discards_data_with_illegal_reduced_sizes) {  // RFC 5471 §3.6.5
  for (const auto& f : {FieldText{8, 3}, FieldText{152, 4}, FieldText{27, 8}, FieldText{388, 2}, FieldText{56, 5}}) {
    Session session;
    EXPECT_EQ(session.read(MessageText{}.set(2, definition(256, {f}))),
              (Lines{"field_length 256 at 16", "defined 256"}));
    EXPECT_EQ(session.read(MessageText{}.set(256, Octets(f.octets))), Lines{"field_length at 16"}) << f.id;
  }
}

TEST(Reader, reads_integers_longer_than_their_type_but_says_so) {
  Session session;
  EXPECT_EQ(session.read(MessageText{}.set(2, definition(256, {{48, 4}}))),
            (Lines{"field_length 256 at 16", "defined 256"}));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("00000102"))), Lines{"256 samplerId=258"});
}

TEST(Reader, does_not_hang_on_records_of_no_octets) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{82, 0}, {83, 0}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("00000000"))), Lines{"record_of_nothing 256 at 16"});
}

TEST(Reader, does_not_hand_out_more_values_than_a_message_has_octets) {
  Session session;
  std::vector<FieldText> fields(1000, {82, 0});
  fields.push_back({4, 1});
  session.read(MessageText{}.set(2, definition(256, fields)));
  EXPECT_EQ(session.read(MessageText{}.set(256, Octets(60))).size(), 60u);
  EXPECT_EQ(session.read(MessageText{.sequence = 60}.set(256, Octets(66))).size(), 1u);
}

TEST(Reader, names_the_place_in_the_input) {
  Listener listener;
  ipfix::Reader{}.read(MessageText{}.set(256, hex("00")).set(4, {}).octets(), 5'000'000'000, listener);
  EXPECT_EQ(listener.said, (Lines{"no_template 256 at 5000000016", "set_unknown 4 at 5000000021"}));
}

TEST(Reader, keeps_a_bounded_number_of_domains) {
  Session session{{.domains = 2}};
  session.read(MessageText{.domain = 1});
  session.read(MessageText{.domain = 2});
  EXPECT_EQ(session.read(MessageText{.domain = 3}), Lines{"domain_limit at 0"});
  EXPECT_EQ(session.read(MessageText{.domain = 2}), Lines{});
}

}  // namespace
}  // namespace weir::test
