// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/metering_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/print.hpp"
#include "base/error.hpp"

namespace weir::app {
namespace {

void refuse_empty(const char* option, const std::vector<std::string>& given) {
  if (std::ranges::find(given, "") != given.end())
    throw StartError{fmt::format("{} is empty; say where the records go, or leave it out", option)};
}

}  // namespace

void describe(CLI::App& app, MeteringLine& line, const std::string& section, std::string_view workers_are) {
  app.add_option("--config", line.config, "settings file (conf/weir.yaml has every setting and its reason)");
  app.add_option("--set", line.set, "NAME=VALUE, a setting; wins over the file. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--out", line.out, "an IPFIX file to write (RFC 5655); - is standard output. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--to", line.to, "a collector, udp://HOST:PORT or tcp://HOST:PORT. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--workers", line.workers, fmt::format("{} ({}.workers)", workers_are, section));
  app.add_option("--filter", line.filter,
                 fmt::format("only packets that this libpcap filter selects ({}.filter)", section));
  app.add_flag("--json", line.json, "print the summary for programs");
  app.footer("settings:\n" + settings_help());
}

std::optional<int> parse(CLI::App& app, int argc, char** argv) try {
  app.parse(argc, argv);
  return std::nullopt;
} catch (const CLI::ParseError& error) {
  return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::usage);
}

Settings settings_of(const MeteringLine& line, const std::string& section,
                     const std::vector<std::string>& assignments) {
  refuse_empty("--out", line.out);
  refuse_empty("--to", line.to);
  auto all = line.set;
  for (const auto& out : line.out) all.push_back("export.out=" + out);
  for (const auto& to : line.to) all.push_back("export.to=" + to);
  if (line.workers) all.push_back(section + ".workers=" + *line.workers);
  if (line.filter) all.push_back(section + ".filter=" + *line.filter);
  all.insert(all.end(), assignments.begin(), assignments.end());
  return read_settings(line.config, all);
}

ExitStatus print_summary(const Report& report, const MeteringLine& line, const Settings& settings) {
  const auto& out = settings.exporter.out;
  auto* to = std::ranges::find(out, "-") == out.end() ? stdout : stderr;
  return print(line.json ? json_text(report) : text(report), to);
}

}  // namespace weir::app
