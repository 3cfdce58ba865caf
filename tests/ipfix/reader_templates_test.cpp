// SPDX-License-Identifier: BSD-3-Clause
// Templates, options templates and withdrawals (RFC 7011 §3.4, §8). RFC 5471's sections are named where its cases are.
#include <gtest/gtest.h>

#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

const auto protocol = definition(256, {{4, 1}});
const auto tos = definition(256, {{5, 1}});
MessageText data() { return MessageText{}.set(256, hex("06")); }

TEST(Templates, may_have_any_ids_in_any_order) {  // RFC 7011 §3.4.1
  Session session;
  auto message = MessageText{};
  message.set(2, joined({definition(65535, {{4, 1}}), definition(300, {{5, 1}}), definition(256, {{192, 1}})}));
  EXPECT_EQ(session.read(message), (Lines{"defined 65535", "defined 300", "defined 256"}));
}

TEST(Templates, may_have_as_many_fields_as_fit_into_a_message) {  // RFC 5471 §3.5.3
  Session session;
  const auto all = definition(256, std::vector<FieldText>(16370, {4, 1}));
  EXPECT_EQ(session.read(MessageText{}.set(2, all)), Lines{"defined 256"});
  const auto said = session.read(MessageText{}.set(256, Octets(16370, std::byte{6})));
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].size(), 4 + 16370 * std::string{"protocolIdentifier=6 "}.size() - 1);
}

TEST(Templates, keep_every_occurrence_of_an_element) {  // RFC 5471 §3.3.3
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{8, 4}, {8, 4}, {4, 1}, {8, 4}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("0a000001 0a000002 06 0a000003"))),
            Lines{"256 sourceIPv4Address=10.0.0.1 sourceIPv4Address=10.0.0.2 protocolIdentifier=6 "
                  "sourceIPv4Address=10.0.0.3"});
}

TEST(Templates, keep_elements_that_nobody_knows) {  // RFC 5471 §3.3.1
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{7, 2, 99999}, {30000, 1}, {40, 2, 6871}, {1, 4, 29305}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("cafe 07 0001 00000005"))),
            Lines{"256 99999/7=0xcafe 0/30000=0x07 flowAttributes=0x1 reverseOctetDeltaCount=5"});
}

TEST(Templates, are_gone_after_a_withdrawal) {  // RFC 5471 §3.2.5.1 to §3.2.5.3
  Session session;
  session.read(MessageText{}.set(2, protocol));
  EXPECT_EQ(session.read(MessageText{}.set(2, withdrawal(256))), Lines{"withdrawn 256"});
  EXPECT_EQ(session.read(data()), Lines{"no_template 256 at 16"});
  EXPECT_EQ(session.read(MessageText{}.set(2, withdrawal(256))), Lines{"withdrawal_unknown 256 at 16"});
  EXPECT_EQ(session.read(MessageText{}.set(2, withdrawal(999))), Lines{"withdrawal_unknown 999 at 16"});
}

TEST(Templates, are_withdrawn_all_at_once_by_kind) {  // RFC 5471 §3.2.5.4, §3.2.5.5
  const auto both = MessageText{}
                        .set(2, joined({protocol, definition(300, {{5, 1}})}))
                        .set(3, options_definition(257, 1, {{149, 4}}))
                        .set(3, options_definition(258, 1, {{149, 4}}));
  Session session;
  session.read(both);
  session.read(MessageText{.domain = 2}.set(2, protocol));
  EXPECT_EQ(session.read(MessageText{}.set(2, withdrawal(2))), Lines{"withdrawn 2"});
  EXPECT_EQ(session.reader().templates().size(), 3u) << "two options templates, and the other domain's";
  EXPECT_EQ(session.read(MessageText{}.set(257, hex("00000001"))), Lines{"257 [observationDomainId=1]"});
  session.read(both);
  EXPECT_EQ(session.read(MessageText{}.set(3, withdrawal(3))), Lines{"withdrawn 3"});
  EXPECT_EQ(session.reader().templates().size(), 3u) << "two templates, and the other domain's";
}

TEST(Templates, are_withdrawn_only_as_what_they_are) {  // RFC 7011 §8.1
  Session session;
  session.read(MessageText{}.set(2, protocol));
  EXPECT_EQ(session.read(MessageText{}.set(3, withdrawal(256))), Lines{"withdrawal_unknown 256 at 16"});
  EXPECT_EQ(session.read(data()), Lines{"256 protocolIdentifier=6"});
}

TEST(Templates, are_not_withdrawn_by_the_id_of_the_other_kind) {
  EXPECT_EQ(Session{}.read(MessageText{}.set(2, withdrawal(3))), Lines{"template_id at 20"});
  EXPECT_EQ(Session{}.read(MessageText{}.set(3, withdrawal(2))), Lines{"template_id at 20"});
}

TEST(Templates, change_in_the_order_of_their_sets) {  // RFC 7011 §8.1
  Session session;
  auto message = MessageText{};
  message.set(2, protocol).set(256, hex("06")).set(2, withdrawal(256)).set(2, tos).set(256, hex("07"));
  EXPECT_EQ(session.read(message), (Lines{"defined 256", "256 protocolIdentifier=6", "withdrawn 256", "defined 256",
                                          "256 ipClassOfService=7"}));
}

TEST(Templates, may_be_repeated_and_are_replaced_with_a_remark) {  // RFC 5471 §3.6.8.1, §3.6.8.2
  Session session;
  session.read(MessageText{}.set(2, protocol));
  EXPECT_EQ(session.read(MessageText{}.set(2, protocol)), Lines{"repeated 256"});
  EXPECT_EQ(session.read(MessageText{}.set(2, tos)), (Lines{"template_replaced 256 at 16", "replaced 256"}));
  EXPECT_EQ(session.read(data()), Lines{"256 ipClassOfService=6"});
}

TEST(Templates, over_udp_are_replaced_silently_and_never_withdrawn) {  // RFC 7011 §8.4, RFC 5471 §3.6.8.3
  Session session{{.carrier = ipfix::Carrier::datagrams}};
  session.read(MessageText{}.set(2, protocol));
  EXPECT_EQ(session.read(MessageText{}.set(2, tos)), Lines{"replaced 256"});
  EXPECT_EQ(session.read(MessageText{}.set(2, withdrawal(256))), Lines{"withdrawal_ignored 256 at 16"});
  EXPECT_EQ(session.read(MessageText{}.set(2, withdrawal(2))), Lines{"withdrawal_ignored 2 at 16"});
  EXPECT_EQ(session.read(data()), Lines{"256 ipClassOfService=6"});
}

TEST(Templates, and_options_templates_share_their_ids) {  // RFC 7011 §3.4.1
  Session session;
  session.read(MessageText{}.set(3, options_definition(256, 1, {{4, 1}})));
  session.read(MessageText{}.set(2, tos));
  EXPECT_EQ(session.read(data()), Lines{"256 ipClassOfService=6"});
  EXPECT_EQ(session.reader().templates().size(), 1u);
}

TEST(Templates, of_a_malformed_message_never_were) {
  Session session;
  session.read(MessageText{}.set(2, protocol));
  auto broken = MessageText{};
  broken.set(2, joined({tos, definition(300, {{4, 1}})})).set(2, withdrawal(2)).set(3, hex("0101 0001 0000"));
  EXPECT_EQ(session.read(broken).size(), 1u);
  EXPECT_EQ(session.read(data()), Lines{"256 protocolIdentifier=6"});
  EXPECT_EQ(session.reader().templates().size(), 1u);
}

TEST(Templates, cut_short_spoil_their_message) {  // RFC 5471 §3.6.4 a to e
  const auto of = [](const Octets& content) { return Session{}.read(MessageText{}.set(2, content)); };
  const auto whole = definition(256, {{8, 4}, {12, 4}});
  for (std::size_t size = 4; size < whole.size(); ++size)
    EXPECT_EQ(of(Octets{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}), Lines{"template_cut at 20"})
        << size;
  auto one_field = whole;
  one_field[3] = std::byte{1};
  EXPECT_EQ(of(one_field), Lines{"template_id at 28"}) << "what is left over is no template";
  EXPECT_EQ(of(whole), Lines{"defined 256"});
  EXPECT_EQ(of(definition(255, {{8, 4}})), Lines{"template_id at 20"});
  EXPECT_EQ(of(joined({hex("0100 0001 8008 0004"), hex("0000")})), Lines{"template_cut at 20"}) << "enterprise number";
}

TEST(Templates, for_options_have_a_scope) {  // RFC 5471 §3.6.4 f and g, RFC 7011 §3.4.2.2
  const auto of = [](std::uint16_t scope_count) {
    return Session{}.read(MessageText{}.set(3, options_definition(256, scope_count, {{149, 4}, {41, 8}})));
  };
  EXPECT_EQ(of(0), Lines{"scope_count at 20"});
  EXPECT_EQ(of(1), Lines{"defined 256"});
  EXPECT_EQ(of(2), Lines{"defined 256"});
  EXPECT_EQ(of(3), Lines{"scope_count at 20"});
}

TEST(Templates, for_options_take_any_element_as_scope_in_its_order) {  // RFC 5471 §3.4.1, §3.4.2
  Session session;
  session.read(
      MessageText{}.set(3, options_definition(256, 4, {{82, 65535}, {5, 2, 99999}, {311, 4}, {149, 4}, {42, 8}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("02 6c6f 0102 3f000000 00000007 0000000000000009"))),
            Lines{"256 [interfaceName=\"lo\" 99999/5=0x0102 samplingProbability=0.5 observationDomainId=7] "
                  "exportedFlowRecordTotalCount=9"});
}

TEST(Templates, that_are_gone_leave_room_for_others) {
  Session session{{.templates = {.templates = 1, .fields = 2}}};
  const auto two = definition(256, {{4, 1}, {5, 1}});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(session.read(MessageText{}.set(2, two)).back(), i == 0 ? "defined 256" : "replaced 256");
    session.read(MessageText{}.set(2, protocol).set(2, hex("00ff 0001")));  // malformed: taken back
    session.read(MessageText{}.set(2, protocol));
  }
  session.read(MessageText{}.set(2, withdrawal(2)));
  EXPECT_EQ(session.read(MessageText{}.set(2, two)), Lines{"defined 256"});
}

TEST(Templates, beyond_the_limit_are_not_kept) {  // RFC 5471 §3.5.4
  Session session{{.templates = {.templates = 2, .fields = 5}}};
  session.read(MessageText{}.set(2, joined({protocol, definition(257, {{4, 1}})})));
  EXPECT_EQ(session.read(MessageText{}.set(2, definition(258, {{4, 1}}))), Lines{"template_no_room 258 at 16"});
  EXPECT_EQ(session.read(data()), Lines{"256 protocolIdentifier=6"});
  const auto too_long = MessageText{.sequence = 1}.set(2, definition(256, std::vector<FieldText>(5, {4, 1})));
  EXPECT_EQ(session.read(too_long).at(0).substr(0, 20), "template_no_room 256");
  EXPECT_EQ(session.read(MessageText{.sequence = 1}.set(256, hex("06"))).at(0).substr(0, 15), "no_template 256")
      << "the old definition must not be used for what follows";
  session.read(MessageText{}.set(2, withdrawal(257)));
  EXPECT_EQ(session.read(MessageText{.sequence = 0}.set(2, definition(258, {{4, 1}}))), Lines{"defined 258"});
}

}  // namespace
}  // namespace weir::test
