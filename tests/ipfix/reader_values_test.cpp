// SPDX-License-Identifier: BSD-3-Clause
// Values of every abstract data type (RFC 7011 §6, RFC 5471 §3.2.1, §3.2.2, §3.3.2), as text and as JSON.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/ipfix_message.hpp"

namespace weir::test {
namespace {

/// The one record of a template with one field, without its name.
std::string shown(FieldText f, const Octets& value, ipfix::Style style) {
  Session session{{}, style};
  const auto content = f.octets == 65535 ? joined({number(255, 1), number(value.size(), 2), value}) : value;
  const auto said = session.read(MessageText{}.set(2, definition(256, {f})).set(256, content));
  if (said.empty()) return "nothing";
  const auto& line = said.back();
  const auto place = line.find(style == ipfix::Style::json ? "\":" : "=");
  return place == std::string::npos ? line : line.substr(place + (style == ipfix::Style::json ? 2 : 1));
}
std::string text(FieldText f, const Octets& value) { return shown(f, value, ipfix::Style::text); }
std::string json(FieldText f, const Octets& value) { return shown(f, value, ipfix::Style::json); }

TEST(Values, of_integers_are_read_in_every_reduced_size) {
  for (std::uint16_t size = 1; size <= 8; ++size) {
    const auto most = size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1;
    EXPECT_EQ(text({1, size}, number(most, size)), std::to_string(most));
    EXPECT_EQ(json({1, size}, number(1, size)), "1");
  }
  EXPECT_EQ(text({4, 1}, hex("ff")), "255");
  EXPECT_EQ(text({7, 2}, hex("ffff")), "65535");
  EXPECT_EQ(text({10, 4}, hex("ffffffff")), "4294967295");
}

TEST(Values, of_signed_integers_keep_their_sign_when_reduced) {
  EXPECT_EQ(text({434, 4}, hex("ffffffff")), "-1") << "mibObjectValueInteger is signed32";
  EXPECT_EQ(text({434, 1}, hex("80")), "-128");
  EXPECT_EQ(text({434, 2}, hex("7fff")), "32767");
  EXPECT_EQ(json({434, 3}, hex("fffffe")), "-2");
}

TEST(Values, of_floats_are_the_shortest_that_read_back) {
  EXPECT_EQ(text({320, 8}, hex("3fb999999999999a")), "0.1");
  EXPECT_EQ(text({320, 4}, hex("3dcccccd")), "0.1") << "float64 sent as float32";
  EXPECT_EQ(json({320, 8}, hex("7ff8000000000000")), "\"nan\"");
  EXPECT_EQ(json({320, 4}, hex("ff800000")), "\"-inf\"");
}

TEST(Values, of_booleans_are_one_and_two) {  // RFC 7011 §6.1.5
  EXPECT_EQ(text({276, 1}, hex("01")), "true");
  EXPECT_EQ(json({276, 1}, hex("02")), "false");
  EXPECT_EQ(text({276, 1}, hex("00")), "0");
}

TEST(Values, of_addresses_are_written_as_usual) {
  EXPECT_EQ(text({8, 4}, hex("0a0000ff")), "10.0.0.255");
  EXPECT_EQ(json({8, 4}, hex("00000000")), "\"0.0.0.0\"");
  EXPECT_EQ(text({56, 6}, hex("00005e0053af")), "00:00:5e:00:53:af");
  EXPECT_EQ(json({56, 6}, hex("ffffffffffff")), "\"ff:ff:ff:ff:ff:ff\"");
}

TEST(Values, of_ipv6_addresses_are_canonical) {  // RFC 5952
  const auto ipv6 = [](const char* octets) { return text({27, 16}, hex(octets)); };
  EXPECT_EQ(ipv6("20010db8 00000000 00000000 00000001"), "2001:db8::1");
  EXPECT_EQ(ipv6("00000000 00000000 00000000 00000000"), "::");
  EXPECT_EQ(ipv6("00000000 00000000 00000000 00000001"), "::1");
  EXPECT_EQ(ipv6("fe800000 00000000 00000000 00000000"), "fe80::");
  EXPECT_EQ(ipv6("20010db8 00000001 00010001 00010001"), "2001:db8:0:1:1:1:1:1") << "one group is not shortened";
  EXPECT_EQ(ipv6("20010db8 00000000 00010000 00000001"), "2001:db8::1:0:0:1") << "the first of equal runs";
  EXPECT_EQ(ipv6("20010000 00000001 00000000 00000001"), "2001:0:0:1::1") << "the longest run";
  EXPECT_EQ(ipv6("00000000 00000000 0000ffff c0000201"), "::ffff:192.0.2.1");
  EXPECT_EQ(ipv6("20010DB8 ABCDEF01 23456789 abcdef01"), "2001:db8:abcd:ef01:2345:6789:abcd:ef01");
}

TEST(Values, of_times_have_the_precision_of_their_type) {
  EXPECT_EQ(text({150, 4}, number(1'700'000'000, 4)), "2023-11-14T22:13:20Z");
  EXPECT_EQ(text({150, 4}, hex("ffffffff")), "2106-02-07T06:28:15Z");
  EXPECT_EQ(text({152, 8}, number(1'700'000'000'007, 8)), "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(json({152, 8}, number(951'782'400'000, 8)), "\"2000-02-29T00:00:00.000Z\"");
  EXPECT_EQ(text({152, 8}, hex("ffffffffffffffff")), "0xffffffffffffffff") << "no such year";
}

// RFC 7011 §6.1.9, §6.1.10: seconds since 1900 and a binary fraction; microseconds ignore its last eleven bits.
TEST(Values, of_ntp_times_are_read_in_their_era) {
  constexpr std::uint64_t seconds_1900_to_1970 = 2'208'988'800;
  const auto ntp = [](std::uint64_t seconds, std::uint64_t fraction) {
    return joined({number(seconds + seconds_1900_to_1970, 4), number(fraction, 4)});
  };
  EXPECT_EQ(text({154, 8}, ntp(1'700'000'000, 0x8000'0000)), "2023-11-14T22:13:20.500000Z");
  EXPECT_EQ(text({156, 8}, ntp(1'700'000'000, 0x8000'0000)), "2023-11-14T22:13:20.500000000Z");
  EXPECT_EQ(text({154, 8}, ntp(1'700'000'000, 0x8ff)), "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(text({154, 8}, ntp(1'700'000'000, 0xffff'ffff)), "2023-11-14T22:13:21.000000Z") << "the nearest";
  EXPECT_EQ(text({156, 8}, ntp(2'114'380'800, 0)), "2037-01-01T00:00:00.000000000Z") << "after the rollover of 2036";
  EXPECT_EQ(text({156, 8}, hex("80000000 00000000")), "1968-01-20T03:14:08.000000000Z");
  for (const std::uint64_t nanoseconds : {1u, 123'456'789u, 999'999'999u}) {
    const auto fraction = (nanoseconds << 32) / 1'000'000'000;
    const auto expected = fmt::format("2023-11-14T22:13:20.{:09}Z", nanoseconds);
    EXPECT_EQ(text({156, 8}, ntp(1'700'000'000, fraction)), expected) << "survives a fraction rounded down";
  }
}

TEST(Values, of_strings_are_quoted_and_harmless) {
  const auto escape = text_octets("\x1b[2J");
  EXPECT_EQ(text({82, 65535}, text_octets("eth0")), "\"eth0\"");
  EXPECT_EQ(text({82, 65535}, text_octets("a\"b\\c")), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(text({82, 65535}, escape), "\"\\x1b[2J\"");
  EXPECT_EQ(json({82, 65535}, escape), "\"\\u001b[2J\"");
  EXPECT_EQ(text({82, 65535}, text_octets("B\xc3\xbc"
                                          "cher \xe2\x86\x92")),
            "\"B\xc3\xbc"
            "cher \xe2\x86\x92\"");
  EXPECT_EQ(text({82, 65535}, text_octets("\xc2\x9b"
                                          "2J")),
            "\"\\xc2\\x9b2J\"")
      << "a C1 control steers terminals too";
  EXPECT_EQ(json({82, 65535}, text_octets("\xc2\x9b"
                                          "2J")),
            "\"\\u009b2J\"");
  EXPECT_EQ(text({82, 8}, text_octets(std::string("lo\0\0\0\0\0\0", 8))), "\"lo\"") << "filled up by its exporter";
  EXPECT_EQ(text({82, 65535}, {}), "\"\"");
}

TEST(Values, of_strings_that_are_not_utf_8_do_not_spoil_the_output) {
  for (const char* bad :
       {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x86", "\x80", "\xf8\x88\x80\x80\x80"}) {
    const auto octets = text_octets(bad);
    std::string escaped = "\"";
    for (const auto octet : octets) escaped += fmt::format("\\x{:02x}", std::to_integer<unsigned>(octet));
    EXPECT_EQ(text({82, 65535}, octets), escaped + "\"");
    EXPECT_TRUE(nlohmann::json::accept(json({82, 65535}, octets))) << escaped;
  }
}

TEST(Values, of_octet_arrays_and_wide_flags_are_hexadecimal) {
  EXPECT_EQ(text({313, 65535}, hex("4500ff")), "0x4500ff");
  EXPECT_EQ(json({313, 65535}, {}), "\"0x\"");
  EXPECT_EQ(text({6, 2}, hex("001b")), "0x1b");
  EXPECT_EQ(json({6, 1}, hex("1b")), "27");
  EXPECT_EQ(text({515, 4}, hex("00000101")), "0x101") << "RFC 9740: reduced as a rule";
  std::string wide;
  for (int i = 0; i < 32; ++i) wide += "ab";
  EXPECT_EQ(json({515, 32}, Octets(32, std::byte{0xab})), "\"0x" + wide + "\"");
}

TEST(Values, of_any_length_are_found_by_their_prefix) {  // RFC 7011 §7
  for (const std::size_t size : {0u, 1u, 254u, 255u, 256u, 65000u}) {
    Session session;
    session.read(MessageText{}.set(2, definition(256, {{313, 65535}, {4, 1}})));
    const auto prefix = size < 255 ? number(size, 1) : joined({number(255, 1), number(size, 2)});
    const auto content = joined({prefix, Octets(size, std::byte{0x61}), hex("06")});
    const auto said = session.read(MessageText{}.set(256, content));
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].size(), std::string{"256 ipHeaderPacketSection=0x protocolIdentifier=6"}.size() + 2 * size);
    EXPECT_TRUE(said[0].ends_with(" protocolIdentifier=6"));
  }
}

TEST(Values, of_variable_and_fixed_length_stand_in_any_order) {  // RFC 5471 §3.2.2
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{82, 65535}, {4, 1}, {83, 65535}, {82, 65535}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("02 6c6f 06 ff0001 61 00  00 07 00 00"))),
            (Lines{"256 interfaceName=\"lo\" protocolIdentifier=6 interfaceDescription=\"a\" interfaceName=\"\"",
                   "256 interfaceName=\"\" protocolIdentifier=7 interfaceDescription=\"\" interfaceName=\"\""}));
}

TEST(Values, of_no_octets_are_absent) {
  Session session;
  session.read(MessageText{}.set(2, definition(256, {{4, 1}, {1, 0}})));
  EXPECT_EQ(session.read(MessageText{}.set(256, hex("06"))), Lines{"256 protocolIdentifier=6 octetDeltaCount=-"});
}

TEST(Values, of_a_repeated_element_are_an_array_in_json) {
  Session session{{}, ipfix::Style::json};
  session.read(MessageText{}.set(3, options_definition(256, 1, {{302, 2}, {303, 2}, {302, 2}, {5, 1, 99999}})));
  EXPECT_EQ(
      session.read(MessageText{}.set(256, hex("0001 0002 0003 04"))),
      Lines{"256 ,\"@scope\":[\"selectorId\"],\"selectorId\":[1,3],\"informationElementId\":2,\"99999/5\":\"0x04\""});
}

// Lists, RFC 6313.

std::string list_text(std::uint16_t id, const Octets& list) { return text({id, 65535}, list); }

TEST(Lists, of_one_element_are_shown_with_its_name) {
  EXPECT_EQ(list_text(291, hex("03 0007 0002 0050 01bb")), "{allOf sourceTransportPort: 80 443}");
  EXPECT_EQ(list_text(291, hex("ff 0052 ffff 02 6c6f 00")), "{undefined interfaceName: \"lo\" \"\"}");
  EXPECT_EQ(list_text(291, hex("04 8007 0001 0001869f 05")), "{ordered 99999/7: 0x05}");
  EXPECT_EQ(list_text(291, hex("00 0007 0002")), "{noneOf sourceTransportPort:}");
  EXPECT_EQ(json({291, 65535}, hex("03 0007 0002 0050 01bb")),
            "{\"@semantic\":\"allOf\",\"@element\":\"sourceTransportPort\",\"@values\":[80,443]}");
}

TEST(Lists, that_are_damaged_are_shown_as_octets) {
  for (const char* bad :
       {"03", "03 0007", "03 8007 0002", "03 0007 0002 0050 01", "03 0007 0000 0050", "03 0052 ffff 05 61"}) {
    const auto octets = hex(bad);
    EXPECT_EQ(list_text(291, octets).substr(0, 2), "0x") << bad;
  }
  EXPECT_EQ(list_text(291, {}), "0x");
}

std::string sub_list(std::uint16_t id, const Octets& list, ipfix::Style style) {
  Session session{{}, style};
  session.read(MessageText{}.set(2, joined({definition(256, {{id, 65535}}), definition(300, {{7, 2}, {82, 65535}})})));
  const auto said = session.read(MessageText{}.set(256, joined({number(list.size(), 1), list})));
  return said.at(0).substr(4);
}

TEST(Lists, of_records_are_decoded_by_the_sessions_templates) {
  const auto records = hex("0050 01 61  01bb 00");
  EXPECT_EQ(sub_list(292, joined({hex("04 012c"), records}), ipfix::Style::text),
            "subTemplateList={ordered template 300: (sourceTransportPort=80 interfaceName=\"a\") "
            "(sourceTransportPort=443 interfaceName=\"\")}");
  EXPECT_EQ(sub_list(292, joined({hex("04 012c"), records}), ipfix::Style::json),
            ",\"subTemplateList\":{\"@semantic\":\"ordered\",\"@records\":["
            "{\"@template\":300,\"sourceTransportPort\":80,\"interfaceName\":\"a\"},"
            "{\"@template\":300,\"sourceTransportPort\":443,\"interfaceName\":\"\"}]}");
  EXPECT_EQ(sub_list(293, hex("03 012c 0007 0050 00  012c 0007 01bb 00  012d 0005 aa"), ipfix::Style::text),
            "subTemplateMultiList={allOf template 300: (sourceTransportPort=80 interfaceName=\"\") "
            "template 300: (sourceTransportPort=443 interfaceName=\"\") template 301: 0xaa}");
  EXPECT_EQ(
      sub_list(293, hex("03 012d 0005 aa"), ipfix::Style::json),
      ",\"subTemplateMultiList\":{\"@semantic\":\"allOf\",\"@records\":[{\"@template\":301,\"@octets\":\"0xaa\"}]}");
  EXPECT_EQ(sub_list(293, hex("03 012c 0003 0050"), ipfix::Style::text), "subTemplateMultiList=0x03012c00030050");
  EXPECT_EQ(sub_list(292, hex("03 012c 0050 05"), ipfix::Style::text), "subTemplateList=0x03012c005005");
}

TEST(Lists, nested_a_thousand_deep_end_at_a_bound) {  // RFC 6313 §7
  Octets list;
  for (int depth = 0; depth < 1000; ++depth)
    list = joined({hex("03 0123 ffff ff"), number(list.size(), 2), list});  // a basicList of one basicList
  const auto shown_list = list_text(291, list);
  EXPECT_EQ(shown_list.find("basicList: {allOf basicList:"), std::string{"{allOf "}.size());
  EXPECT_NE(shown_list.find("0x03"), std::string::npos);
  EXPECT_LT(shown_list.size(), 3 * list.size());
}

}  // namespace
}  // namespace weir::test
