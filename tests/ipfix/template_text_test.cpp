// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/template_text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>
#include <weir/message.hpp>

#include "base/error.hpp"
#include "ipfix/element_text.hpp"
#include "ipfix/profiles.hpp"

namespace weir::ipfix {
namespace {

using Texts = std::vector<std::string>;

template <class Function>
std::string complaint(Function&& read) {
  try {
    read();
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}
std::string refusal(const std::string& text, const Vocabulary& words = {}) {
  return complaint([&] { template_from(text, words); });
}

const Vocabulary both_ways{.biflow = true};

TEST(TemplateText, a_field_is_a_name_or_a_number_and_may_say_its_type_and_length) {
  for (const auto* text : {"octetDeltaCount", "(0/1)", "(1)", "octetDeltaCount(0/1)", "octetDeltaCount<unsigned64>",
                           "octetDeltaCount(0/1)<unsigned64>"}) {
    const auto [field, known] = field_from(text, {});
    EXPECT_EQ(field.pen, 0u) << text;
    EXPECT_EQ(field.id, 1u) << text;
    EXPECT_EQ(field.octets, 0u) << text;
    EXPECT_EQ(field.source, "octetDeltaCount") << text;
  }
  EXPECT_EQ(field_from("octetDeltaCount[4]", {}).field.octets, 4u);
  EXPECT_EQ(field_from("interfaceName[v]", {}).field.octets, variable_length);
  EXPECT_EQ(field_from("interfaceName[65535]", {}).field.octets, variable_length) << "as python-ipfix writes it";
  EXPECT_EQ(field_from("reverseOctetDeltaCount", {}).field.pen, 29305u);
}

TEST(TemplateText, weirs_own_elements_are_announced_under_the_enterprise_number_of_the_settings) {
  const auto field = field_from("latePacketDeltaCount", {.enterprise = 4711}).field;
  EXPECT_EQ(field.pen, 4711u);
  EXPECT_EQ(field.source, "latePacketDeltaCount");
  EXPECT_EQ(field_from("(4711/1)", {.enterprise = 4711}).field.source, "latePacketDeltaCount");
  EXPECT_EQ(complaint([] { field_from("(32473/1)", {.enterprise = 4711}); }),
            "'(32473/1)': no element has this number; write its name, or add it to export.elements");
}

TEST(TemplateText, what_cannot_be_announced_is_refused_with_the_reason) {
  EXPECT_EQ(refusal("octetDeltaCont"), "'octetDeltaCont': no element has this name; the nearest is octetDeltaCount");
  EXPECT_EQ(refusal("octetdeltacount"), "'octetdeltacount': no element has this name; the nearest is octetDeltaCount");
  EXPECT_EQ(refusal("octetDeltaCount[9]"),
            "'octetDeltaCount[9]': 9 octets are not allowed for <unsigned64>; 1 to 8 "
            "octets are");
  EXPECT_EQ(refusal("flowStartMilliseconds[4]"),
            "'flowStartMilliseconds[4]': 4 octets are not allowed for "
            "<dateTimeMilliseconds>; 8 octets are");
  EXPECT_EQ(refusal("samplingProbability[5]"),
            "'samplingProbability[5]': 5 octets are not allowed for <float64>; 4 or "
            "8 octets are");
  EXPECT_EQ(refusal("octetDeltaCount[v]"),
            "'octetDeltaCount[v]': so many octets are not allowed for <unsigned64>; 1 "
            "to 8 octets are");
  EXPECT_EQ(refusal("octetDeltaCount[0]"),
            "'octetDeltaCount[0]': a length is 1 to 65534 octets, or v for a variable "
            "one");
  EXPECT_EQ(refusal("octetDeltaCount(0/2)"), "'octetDeltaCount(0/2)': octetDeltaCount is (0/1)");
  EXPECT_EQ(refusal("octetDeltaCount<string>"), "'octetDeltaCount<string>': octetDeltaCount is <unsigned64>");
  EXPECT_EQ(refusal("octetDeltaCount<text>"), "'octetDeltaCount<text>': there is no type <text>");
  EXPECT_EQ(refusal("(0/32768)"), "'(0/32768)': an element's id is 1 to 32767");
  EXPECT_EQ(refusal("(0/0)"), "'(0/0)': an element's id is 1 to 32767");
  EXPECT_EQ(refusal("(4294967296/1)"), "'(4294967296/1)': an enterprise number is at most 4294967295");
  EXPECT_EQ(refusal("octetDeltaCount[4"), "'octetDeltaCount[4': '[' is not closed");
  EXPECT_EQ(refusal("[4]"), "'[4]': a field needs a name or a number");
  EXPECT_EQ(refusal(" , "), "a template without fields; name elements or a profile");
  EXPECT_EQ(refusal("= minimal"), "nothing stands before the '='; write all, or leave the '=' out");
  EXPECT_NE(refusal("ipv5 = minimal").find("'ipv5': before the '=' stands all, or ipv4 or ipv6"), std::string::npos);
  EXPECT_NE(refusal("256 = minimal").find("'256': before the '='"), std::string::npos);
  EXPECT_EQ(refusal("octetDeltaCount octetDeltaCount[4]"),
            "'octetDeltaCount[4]': the template has this element already");
}

TEST(TemplateText, an_element_that_the_records_cannot_have_is_refused_with_the_reason) {
  EXPECT_EQ(refusal("ipv4 = sourceIPv6Address"),
            "'sourceIPv6Address': records of IPv4 have none; take it out, or make a template for ipv6");
  EXPECT_EQ(refusal("reverseOctetDeltaCount"),
            "'reverseOctetDeltaCount': records have one direction only; set "
            "flow.direction to biflow, or take it out");
  EXPECT_EQ(refusal("handshakeRoundTripTimeMicroseconds").substr(0, 36), "'handshakeRoundTripTimeMicroseconds'");
  EXPECT_EQ(refusal("biflow"), "'biflow': set flow.direction to biflow, or name the profile default");
  EXPECT_EQ(refusal("reverseOctetDeltaCount", both_ways), "");
  EXPECT_EQ(refusal("octetDeltaCount packetDeltaCount", {.sources = {}}), "");
  constexpr std::string_view with_values[] = {"octetDeltaCount", "packetDeltaCount"};
  EXPECT_EQ(refusal("octetTotalCount", {.sources = with_values}),
            "'octetTotalCount': weir has no value for it; the nearest with one is octetDeltaCount");
}

TEST(TemplateText, a_template_for_both_versions_becomes_one_for_each_with_its_own_elements) {
  const auto made = template_from("octetDeltaCount, sourceIPv4Address sourceIPv6Address", {});
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(text_of(made[0], {}), "ipv4 = octetDeltaCount sourceIPv4Address");
  EXPECT_EQ(text_of(made[1], {}), "ipv6 = octetDeltaCount sourceIPv6Address");
}

TEST(TemplateText, a_selector_names_a_version_and_protocols) {
  const auto made = template_from("ipv6 udp,132 tcp udp = octetDeltaCount", {});
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].version, 6);
  EXPECT_EQ(made[0].protocols, (std::vector<std::uint8_t>{6, 17, 132}));
}

TEST(TemplateText, a_field_that_is_written_takes_the_place_of_a_profiles) {
  const auto made = template_from("ipv4 = minimal octetDeltaCount[4] vlanId minimal", {});
  EXPECT_EQ(text_of(made[0], {}),
            "ipv4 = flowStartMilliseconds flowEndMilliseconds octetDeltaCount[4] packetDeltaCount sourceIPv4Address "
            "destinationIPv4Address sourceTransportPort destinationTransportPort protocolIdentifier vlanId");
}

TEST(TemplateText, the_default_profile_follows_where_some_flow_would_have_no_template) {
  const auto names = [](const std::vector<WantedTemplate>& all) {
    Texts out;
    for (const auto& wanted : all) out.push_back(wanted.name);
    return out;
  };
  EXPECT_TRUE(templates_from(Texts{}, {}).empty()) << "the meter has its own";
  EXPECT_EQ(names(templates_from(Texts{"tcp = minimal"}, {})),
            (Texts{"minimal_ipv4", "minimal_ipv6", "default_ipv4", "default_ipv6"}));
  EXPECT_EQ(names(templates_from(Texts{"ipv4 = minimal"}, both_ways)), (Texts{"minimal_ipv4", "biflow_ipv6"}));
  EXPECT_EQ(names(templates_from(Texts{"minimal"}, {})), (Texts{"minimal_ipv4", "minimal_ipv6"}));
}

TEST(TemplateText, a_template_that_no_flow_can_reach_is_refused) {
  EXPECT_EQ(complaint([] {
              templates_from(Texts{"minimal", "tcp = default"}, {});
            }),
            "template 2 can never be used: one before it is for every flow that it is for");
  EXPECT_EQ(complaint([] { templates_from(Texts{"ipv4 = minimal", "default"}, {}); }), "");
  EXPECT_EQ(complaint([] { templates_from(Texts{"minimal", "x"}, {}); }).substr(0, 15), "template 2: 'x'");
  EXPECT_EQ(complaint([] { templates_from(Texts(33, "tcp = minimal"), {}); }), "33 templates; at most 32 are allowed");
}

TEST(TemplateText, a_users_element_borrows_the_value_of_another) {
  Vocabulary words;
  words.user.push_back(user_element_from("myVlan(4711/5)<unsigned32> = vlanId", words));
  words.user.push_back(user_element_from(" its-start(4711/6) =flowStartMilliseconds ", words));
  words.user.push_back(user_element_from("again(4711/7)[3] = myVlan", words));
  EXPECT_EQ(field_from("myVlan", words).field.octets, 4u) << "its own type's, not that of vlanId";
  EXPECT_EQ(field_from("myVlan", words).field.source, "vlanId");
  EXPECT_EQ(field_from("(4711/6)", words).field.source, "flowStartMilliseconds");
  EXPECT_EQ(field_from("again", words).field.octets, 3u);
  EXPECT_EQ(field_from("again[2]", words).field.octets, 2u);
  EXPECT_EQ(field_from("again", words).field.source, "vlanId");

  const auto refused = [&](const char* text) { return complaint([&] { user_element_from(text, words); }); };
  EXPECT_EQ(refused("x(4711/8) = vlan"), "'x(4711/8)': no element is called vlan; the nearest is vlanId");
  EXPECT_EQ(refused("x(4711/8)"),
            "'x(4711/8)': an element is name(enterprise/id)<type> = the element whose value it has");
  EXPECT_EQ(refused("x = vlanId"),
            "'x = vlanId': an element is name(enterprise/id)<type> = the element whose value it "
            "has");
  EXPECT_EQ(refused("vlanId(4711/8) = dot1qVlanId"), "'vlanId(4711/8)': the name vlanId is taken");
  EXPECT_EQ(refused("minimal(4711/8) = dot1qVlanId"), "'minimal(4711/8)': the name minimal is taken");
  EXPECT_EQ(refused("x(4711/5) = vlanId"), "'x(4711/5)': (4711/5) is myVlan");
  EXPECT_EQ(refused("x(32473/1) = vlanId"), "'x(32473/1)': (32473/1) is latePacketDeltaCount");
  EXPECT_EQ(refused("x(0/600) = vlanId"),
            "'x(0/600)': numbers under enterprise 0 are IANA's to give; use one of your "
            "own");
  EXPECT_EQ(refused("x(4711/8)<string> = vlanId"),
            "'x(4711/8)<string>': vlanId is <unsigned16> and cannot be announced as "
            "<string>");
}

TEST(TemplateText, every_profile_can_be_named) {
  for (const auto& profile : profiles()) {
    EXPECT_EQ(find_element(profile.name), nullptr) << profile.name << " is an element, too";
    EXPECT_EQ(refusal(std::string{profile.name}, both_ways), "") << profile.name;
    EXPECT_EQ(refusal(std::string{profile.name}) == "", profile.name != "biflow") << profile.name;
  }
}

// Collectors that decode by position lose everything behind a field that they cannot measure.
TEST(TemplateText, default_and_minimal_are_of_iana_alone) {
  for (const auto* name : {"default", "minimal", "logstash"})
    for (const auto& wanted : template_from(name, {}))
      for (const auto& field : wanted.fields) EXPECT_EQ(field.pen, 0u) << field.source;
}

/// A template of random fields with random lengths, numbers and words before the '='.
std::string random_template(std::mt19937& random, const Vocabulary& words) {
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>{0, n - 1}(random); };
  std::string out = below(2) != 0 ? "ipv4 " : "ipv6 ";
  for (auto protocols = below(3); protocols > 0; --protocols) out += fmt::format("{} ", below(256));
  out += "=";
  std::vector<bool> taken(all_elements().size());
  for (auto fields = 1 + below(20); fields > 0;) {
    const auto i = below(all_elements().size());
    const auto known = find(words, all_elements()[i].name);
    if (taken[i] || version_of(*known) != 0 || known->element.id != all_elements()[i].id) continue;
    if (find_element(known->element.name) != &all_elements()[i]) continue;  // two enterprises use its name
    taken[i] = true;
    --fields;
    const auto& element = known->element;
    out += fmt::format(" {}", element.name);
    if (below(2) != 0) out += fmt::format("({}/{})", element.pen, element.id);
    if (octets_of(element.type) == 0) out += below(2) != 0 ? "[v]" : fmt::format("[{}]", 1 + below(999));
    else if (is_integer(element.type) && below(2) != 0) out += fmt::format("[{}]", 1 + below(octets_of(element.type)));
  }
  return out;
}

TEST(TemplateText, what_it_prints_means_what_it_read) {
  std::mt19937 random{5473};
  const auto same = [](const WantedField& a, const WantedField& b) {
    return a.pen == b.pen && a.id == b.id && a.octets == b.octets && a.source == b.source;
  };
  for (int i = 0; i < 500; ++i) {
    const Vocabulary words{.enterprise = 4711, .biflow = true};
    const auto text = random_template(random, words);
    const auto once = template_from(text, words);
    ASSERT_EQ(once.size(), 1u) << text;
    const auto twice = template_from(text_of(once[0], words), words);
    ASSERT_EQ(twice.size(), 1u);
    EXPECT_EQ(once[0].version, twice[0].version) << text;
    EXPECT_EQ(once[0].protocols, twice[0].protocols) << text;
    EXPECT_TRUE(std::ranges::equal(once[0].fields, twice[0].fields, same)) << text << '\n' << text_of(once[0], words);
  }
}

}  // namespace
}  // namespace weir::ipfix
