// SPDX-License-Identifier: BSD-3-Clause
// Templates of the settings, from their text to what is announced.
#include "app/templates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "app/elements.hpp"
#include "app/options.hpp"
#include "base/error.hpp"
#include "flow/layout.hpp"
#include "ipfix/catalogue.hpp"
#include "ipfix/profiles.hpp"

namespace weir::app {
namespace {

using Line = std::vector<std::string>;

Settings settings_with(const Line& assignments) { return settings_from("", "weir.yaml", assignments); }

std::string complaint(const Line& assignments) {
  try {
    settings_with(assignments);
  } catch (const StartError& error) {
    return error.what();
  }
  return "";
}

/// What is announced: enterprise, id, octets and whether it is key, of each template of each version.
std::vector<std::string> announced(const Line& assignments) {
  std::vector<std::string> out;
  for (const auto& layout : flow::make_layouts(meter_options(settings_with(assignments), 1)))
    for (const auto& made : layout.templates) {
      std::ostringstream line;
      for (const auto& field : made.fields)
        line << field.pen << '/' << field.id << '[' << field.octets << (field.key ? "] key " : "] ");
      out.push_back(line.str());
    }
  return out;
}

TEST(Templates, default_is_what_is_announced_where_the_settings_name_none) {
  EXPECT_EQ(announced({"export.templates=default"}), announced({}));
  const std::string biflow = "flow.direction=biflow";
  EXPECT_EQ(announced({biflow, "export.templates=biflow"}), announced({biflow}));
}

TEST(Templates, of_every_profile_can_be_recorded_and_fit_into_a_message) {
  for (const std::string direction : {"uniflow", "biflow"})
    for (const auto& profile : ipfix::profiles()) {
      if (profile.name == "biflow" && direction == "uniflow") continue;
      const auto settings =
          settings_with({"flow.direction=" + direction, "export.templates=" + std::string{profile.name}});
      const auto layouts = flow::make_layouts(meter_options(settings, 1));
      const ipfix::Catalogue catalogue{layouts, {.types = vocabulary_of(settings)}};
      EXPECT_LE(16 + 4 + catalogue.record_octets_max(), Settings{}.exporter.message_octets)
          << profile.name << ": " << catalogue.longest_record();
    }
}

TEST(Templates, own_elements_go_under_the_enterprise_number_and_users_under_theirs) {
  // 32473 is the number of weir's own where none is set, and a user's like any other where one is.
  EXPECT_EQ(announced({"export.enterprise_number=4711", "export.elements=myVlan(32473/1)<unsigned16> = vlanId",
                       "export.templates=ipv4 = latePacketDeltaCount myVlan"})[0],
            "4711/1[8] 32473/1[2] key ");
  EXPECT_EQ(announced({"flow.direction=biflow", "export.enterprise_number=4711",
                       "export.templates=ipv4 = latePacketDeltaCount reverseLatePacketDeltaCount"})[1],
            "4711/1[8] 4711/16385[8] ");
}

TEST(Templates, full_has_everything_but_payload) {
  std::vector<std::string> wanted;
  for (const auto& made : templates_of(settings_with({"flow.direction=biflow", "export.templates=full"})))
    for (const auto& field : made.fields) wanted.push_back(field.source);
  for (const auto& row : element_rows())
    EXPECT_EQ(std::ranges::count(wanted, row.element->name) > 0, row.element->name != "payload") << row.element->name;
}

TEST(Templates, are_refused_with_the_setting_that_says_it) {
  EXPECT_EQ(complaint({"export.templates=octetDeltaCont"}),
            "export.templates: template 1: 'octetDeltaCont': no element has this name; the nearest is octetDeltaCount");
  EXPECT_EQ(complaint({"export.elements=x(4711/1) = vlan"}),
            "export.elements: element 1: 'x(4711/1)': no element is called vlan; the nearest is vlanId");
  EXPECT_EQ(complaint({"export.enterprise_number=6871"}),
            "export.enterprise_number: 6871 has elements of its own; set it to your own number");
  EXPECT_NE(complaint({"export.templates=observationTimeSeconds"}).find("weir has no value for it"), std::string::npos);
}

TEST(Templates, have_elements_of_the_users_with_the_value_of_another) {
  const auto settings =
      settings_with({"export.elements=myVlan(4711/5)<unsigned32> = vlanId", "export.templates=all = myVlan vlanId"});
  const auto layouts = flow::make_layouts(meter_options(settings, 1));
  const auto& fields = layouts[0].templates.at(0).fields;
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].pen, 4711u);
  EXPECT_EQ(fields[0].octets, 4u);
  EXPECT_EQ(fields[0].offset, fields[1].offset);
}

TEST(Elements, of_the_readme_are_those_that_there_are) {
  std::ifstream file{WEIR_CONF "/../README.md"};
  const std::string readme{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_NE(readme.find(elements_as_markdown(element_rows())), std::string::npos)
      << "put the lines of `weir elements --markdown` in the place of the README's table";
}

TEST(Elements, each_say_when_they_are_zero) {
  for (const auto& row : element_rows()) EXPECT_FALSE(row.zero.empty()) << row.element->name;
}

}  // namespace
}  // namespace weir::app
