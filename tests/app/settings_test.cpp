// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "base/error.hpp"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using Line = std::vector<std::string>;

Settings settings_of(std::string_view yaml, const Line& line = {}) { return settings_from(yaml, "weir.yaml", line); }

/// The line that a person reads who gave these.
std::string complaint(std::string_view yaml, const Line& line = {}) {
  try {
    settings_of(yaml, line);
  } catch (const StartError& error) {
    EXPECT_EQ(error.status, ExitStatus::usage);
    EXPECT_EQ(std::string_view{error.what()}.find('\n'), std::string_view::npos) << error.what();
    return error.what();
  }
  return "";
}

/// The line that `where` ("weir.yaml:12") speaks of.
std::string line_of(std::string text, const std::string& where) {
  for (auto number = std::stoul(where.substr(where.find(':') + 1)); number > 1; --number)
    text.erase(0, text.find('\n') + 1);
  return text.substr(0, text.find('\n'));
}

TEST(Settings, the_sample_file_lists_every_setting_with_its_default_and_range) {
  const auto text = read_settings_file(WEIR_CONF "/weir.yaml");
  const auto assignments = read_assignments(text, "weir.yaml");
  const auto table = setting_table();
  const auto all = settings_from(text, "weir.yaml", {});
  ASSERT_EQ(assignments.size(), table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(assignments[i].name, table[i].name);
    EXPECT_EQ(value_of(table[i], all), value_of(table[i], Settings{})) << table[i].name;
    EXPECT_TRUE(line_of(text, assignments[i].where).ends_with("  # " + range_of(table[i]))) << table[i].name;
  }
}

TEST(Settings, each_file_to_start_from_is_accepted_and_names_ports_and_a_destination) {
  unsigned files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{WEIR_CONF}) {
    const auto name = entry.path().filename().string();
    if (entry.path().extension() != ".yaml" || name == "weir.yaml") continue;
    const auto all = settings_from(read_settings_file(entry.path()), name, {});
    EXPECT_FALSE(all.live.ports.empty()) << name;
    EXPECT_NE(all.exporter.to.size() + all.exporter.out.size(), 0u) << name;
    ++files;
  }
  EXPECT_EQ(files, 4u);
}

TEST(Settings, every_setting_can_be_set_to_what_it_prints_and_help_names_it) {
  const auto help = settings_help();
  for (const auto& setting : setting_table()) {
    const auto usual = value_of(setting, Settings{});
    EXPECT_EQ(complaint("", {std::string{setting.name} + "=" + usual}), "") << setting.name;
    EXPECT_NE(help.find(setting.name), help.npos) << setting.name;
  }
}

TEST(Settings, are_read_from_nests_and_from_dotted_names) {
  const auto all = settings_of(
      "flow:\n"
      "  timeout_idle: 0.5\n"
      "  direction: biflow\n"
      "  tcp_close: false\n"
      "flow.hash_key: 0xffffffffffffffff\n"
      "export: {udp: {rate: 10}, tcp.retry_min: 1, to: ['udp://[::1]:4739', tcp://a:1], clock: wall}\n"
      "export.out: flows.ipfix\n"
      "replay.filter: tcp[13] & 2 != 0  # a comment\n");
  EXPECT_EQ(all.flow.timeout_idle, 500ms);
  EXPECT_EQ(all.flow.timeout_active, 60s);
  EXPECT_EQ(all.flow.direction, flow::FlowDirection::biflow);
  EXPECT_EQ(all.flow.tcp_close, flow::TcpClose::off);
  EXPECT_EQ(all.flow.hash_key, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(all.exporter.udp.rate, 10u);
  EXPECT_EQ(all.exporter.tcp.retry_min, 1s);
  EXPECT_EQ(all.exporter.to, (Line{"udp://[::1]:4739", "tcp://a:1"}));
  EXPECT_EQ(all.exporter.out, Line{"flows.ipfix"});
  EXPECT_EQ(all.exporter.clock, ExportClock::wall);
  EXPECT_EQ(all.replay.filter, "tcp[13] & 2 != 0");
}

TEST(Settings, the_command_line_wins_over_the_file_and_its_lists_add_up) {
  const auto all = settings_of("flow.capacity: 2048\nexport.out: [a, b]\nreplay.workers: 2\n",
                               {"flow.capacity=4096", "flow.capacity=8192", "export.out=c", "export.out=d=e"});
  EXPECT_EQ(all.flow.capacity, 8192u);
  EXPECT_EQ(all.exporter.out, (Line{"c", "d=e"}));
  EXPECT_EQ(all.replay.workers, 2u);
}

TEST(Settings, a_list_of_the_command_line_may_be_written_as_in_the_file) {
  const auto all = settings_of("live.eal: [--a]\n", {"live.eal=['--log-level=pmd:debug', \"-m\", 512]", "live.eal=-v",
                                                     "export.out=[]", "export.to=udp://[::1]:4739"});
  EXPECT_EQ(all.live.eal, (Line{"--log-level=pmd:debug", "-m", "512", "-v"}));
  EXPECT_EQ(all.exporter.out, Line{});
  EXPECT_EQ(all.exporter.to, Line{"udp://[::1]:4739"});
  EXPECT_EQ(settings_of("", {"live.filter=[a]"}).live.filter, "[a]");
  for (const auto* wrong :
       {"live.eal=[", "live.eal=[a", "live.eal=[a]b", "live.eal=[[a]]", "live.eal=[a]\nlive.mtu: 99"})
    EXPECT_TRUE(complaint("", {wrong}).starts_with("--set live.eal=[")) << complaint("", {wrong});
}

TEST(Settings, a_value_out_of_range_is_refused_with_line_name_range_and_unit) {
  EXPECT_EQ(complaint("flow:\n  timeout_active: 60\n\n  timeout_idle: 315360001\n"),
            "weir.yaml:4: flow.timeout_idle must be 0..315360000 s, not '315360001'");
  EXPECT_EQ(complaint("", {"flow.capacity=1023"}),
            "--set flow.capacity=1023: flow.capacity must be 1024..268435456 flows, not '1023'");
  EXPECT_EQ(complaint("export.clock: x"), "weir.yaml:1: export.clock must be auto or packets or wall, not 'x'");
  EXPECT_EQ(complaint("export.domain: [1]"), "weir.yaml:1: export.domain must be 0..4294967295, not a list");
}

TEST(Settings, sampling_that_cannot_be_is_refused) {
  EXPECT_EQ(settings_of("sampling: {method: random, size: 5, population: 5}").sampling.select.size, 5u);
  EXPECT_EQ(complaint("sampling: {size: 6, population: 5}").substr(0, 48),
            "sampling.size 6 is more than sampling.population");
  EXPECT_EQ(complaint("sampling.interval: 0"), "weir.yaml:1: sampling.interval must be 1..4294967295 packets, not '0'");
  EXPECT_EQ(complaint("sampling.method: sometimes"),
            "weir.yaml:1: sampling.method must be off or systematic or random or hash, not 'sometimes'");
}

TEST(Settings, numbers_are_exact_and_nothing_but_numbers) {
  EXPECT_EQ(settings_of("flow.timeout_idle: 315360000").flow.timeout_idle, 315'360'000s);
  EXPECT_EQ(settings_of("flow.timeout_idle: 0.000000001").flow.timeout_idle, 1ns);
  EXPECT_EQ(settings_of("export.domain: 4294967295").exporter.domain, 4'294'967'295u);
  for (const auto* wrong : {"1.5s", "-1", "+1", "1e3", " ", ".5", "1.", "1.0000000001", "0x10", "315360000.1", "1 2",
                            "nan", "18446744073709551617", "1.-5", "\"\""})
    EXPECT_NE(complaint("flow.timeout_idle: " + std::string{wrong}), "") << wrong;
  for (const auto* wrong : {"65536", "511", "0x", "1.0", "18446744073709552116"})
    EXPECT_NE(complaint("export.message_octets: " + std::string{wrong}), "") << wrong;
}

TEST(Settings, an_unknown_name_is_answered_with_the_nearest) {
  EXPECT_EQ(complaint("flow: {timeout_idel: 3}"),
            "weir.yaml:1: no setting is called flow.timeout_idel; the nearest is flow.timeout_idle");
  EXPECT_EQ(complaint("", {"workers=2"}),
            "--set workers=2: no setting is called workers; the nearest is replay.workers");
  EXPECT_EQ(complaint("export: {flow.capacity: 1}"),
            "weir.yaml:1: no setting is called export.flow.capacity; the nearest is flow.capacity");
}

TEST(Settings, what_is_no_map_of_settings_is_refused_in_one_line) {
  EXPECT_EQ(complaint("flow.capacity: 2048\nflow:\n  capacity: 4096\n"),
            "weir.yaml:3: flow.capacity is given twice, first in line 1; keep one");
  EXPECT_EQ(complaint("flow: {}\nflow: {}\n"), "weir.yaml:2: flow is given twice, first in line 1; keep one");
  EXPECT_EQ(complaint("flow:\n\ttimeout_idle: 3\n"), "weir.yaml:2: a tab before the text; YAML indents with spaces");
  EXPECT_EQ(complaint("export.out: &a [x]\n"), "weir.yaml:1: an anchor (&); write the value out where it is needed");
  EXPECT_EQ(complaint("flow.capacity:\n"), "weir.yaml:1: flow.capacity has no value; give one or take the line out");
  EXPECT_EQ(complaint("- flow\n"), "weir.yaml:1: a list where `name: value` must stand");
  EXPECT_EQ(complaint("hello"), "weir.yaml:1: not a list of settings; write `name: value`");
  EXPECT_EQ(complaint("flow.capacity: !!int 5\n"), "weir.yaml:1: a tag (tag:yaml.org,2002:int); leave it out");
  EXPECT_EQ(complaint("replay.workers: 1\n---\nreplay.workers: 2\n"),
            "weir.yaml: more than one document; take the second `---` out");
  EXPECT_EQ(complaint("flow: {capacity: 2048"), "weir.yaml:1: not YAML: end of map flow not found");
  EXPECT_EQ(complaint(std::string("replay.filter: \0", 16)),
            "weir.yaml:1: the octet 0x00; settings are plain text (UTF-8)");
  EXPECT_EQ(complaint("", {"flow.capacity"}),
            "--set flow.capacity: write --set name=value, such as --set flow.timeout_idle=30");
}

TEST(Settings, no_size_and_no_depth_of_a_file_hurts) {
  const auto repeated = [](std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  };
  for (const auto* nest : {"[", "{", "- ", "? ", "{a: ", "[a: ", "!t ", "&a ", "- - ", "a: ", "'", "\"\\"})
    for (const auto* break_ : {"", "\n"})
      EXPECT_NE(complaint(repeated(nest + std::string{break_}, 16'000)), "") << nest;
  EXPECT_EQ(complaint(repeated("# 16 octets long\n", 65'536)),
            "weir.yaml: larger than 1048576 octets; is it a settings file?");
  EXPECT_EQ(complaint(repeated("#\n", 500'000)), "");
}

TEST(Settings, a_file_that_cannot_be_read_says_why) {
  const auto complaint_of = [](const std::string& name) -> std::string {
    try {
      read_settings(name, {});
    } catch (const StartError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint_of("/no/such/weir.yaml"), "/no/such/weir.yaml: cannot be read: No such file or directory");
  EXPECT_EQ(complaint_of("/tmp"), "/tmp: cannot be read: Is a directory");
  EXPECT_EQ(read_settings({}, {}).flow.capacity, 1u << 20);
}

}  // namespace
}  // namespace weir::app
