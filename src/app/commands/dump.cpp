// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands/dump_input.hpp"
#include "app/commands/dump_lines.hpp"
#include "app/commands/dump_statistics.hpp"
#include "app/commands/dump_top.hpp"
#include "app/complain.hpp"
#include "base/error.hpp"

namespace weir::app {
namespace {

struct DumpOptions {
  std::vector<std::string> files;
  bool json = false, templates = false, statistics = false;
  std::size_t top = 0;
};

std::unique_ptr<DumpView> make_view(const DumpOptions& options, DumpOutput& output) {
  const auto style = options.json ? ipfix::Style::json : ipfix::Style::text;
  if (options.top > 0) return std::make_unique<DumpTop>(output, options.top);
  if (options.statistics) return std::make_unique<DumpStatistics>(output, style);
  if (options.templates) return std::make_unique<DumpTemplates>(output, style);
  return std::make_unique<DumpRecords>(output, style);
}

/// What one file turned out to be.
struct FileCount {
  std::uint64_t octets = 0;
  bool is_foreign = false;  ///< nothing in it looks like a message
};

FileCount read_messages(DumpInput& input, DumpView& view, DumpOutput& output) {
  using Found = ipfix::Framer::Found;
  ipfix::Framer framer;
  ipfix::Reader reader;
  FileCount count;
  while (!output.is_closed()) {
    const auto after = input.is_at_end() ? ipfix::Framer::Input::ends_here : ipfix::Framer::Input::goes_on;
    const auto step = framer.next(input.window(), after);
    switch (step.found) {
      case Found::end: return count;
      case Found::message: reader.read(step.message, step.offset, view); break;
      case Found::damage: {
        const bool all_of_it = step.damaged.offset == 0 && input.is_at_end() && step.consumed == input.window().size();
        count.is_foreign = all_of_it && step.damaged.what == ipfix::Damage::no_message;
        if (!count.is_foreign) view.passed_over(step.damaged);
        break;
      }
      case Found::more_needed: break;
    }
    input.drop(step.consumed);
    count.octets += step.consumed;
    if (step.found != Found::more_needed) continue;
    output.flush();  // a stream may be silent for long
    input.fill();
  }
  return count;
}

ExitStatus unusable(const std::string& name, std::string_view why) {
  complain("{}: {}", name, why);
  return ExitStatus::unusable_input;
}

ExitStatus dump_file(const std::string& name, DumpView& view, DumpOutput& output) {
  DumpInput input{name};
  view.begin_file(name);
  const auto count = read_messages(input, view, output);
  if (!input.trouble().empty()) complain("{}: offset {}: {}", name, count.octets, input.trouble());
  if (count.octets == 0 && input.trouble().empty() && !output.is_closed()) return unusable(name, "is empty");
  if (count.is_foreign) return unusable(name, "is not IPFIX: there is no message (version 10) in it");
  return input.trouble().empty() ? ExitStatus::good : ExitStatus::damaged_input;
}

ExitStatus dump_files(const DumpOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  DumpOutput output;
  const auto view = make_view(options, output);
  auto status = ExitStatus::good;
  for (const auto& name : options.files) {
    try {
      status = worse(status, dump_file(name, *view, output));
    } catch (const StartError& error) {  // later files still go on
      complain("{}", error.what());
      status = worse(status, error.status);
    }
  }
  view->finish();
  output.flush();
  if (output.is_closed() && output.error() != EPIPE) {
    complain("standard output: {}", std::strerror(output.error()));
    status = worse(status, ExitStatus::records_lost);
  }
  return view->has_damage() ? worse(status, ExitStatus::damaged_input) : status;
}

/// `--top` may stand without its number.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool bare =
        arguments[i] == "--top" && (i + 1 == arguments.size() || arguments[i + 1].empty() ||
                                    arguments[i + 1].find_first_not_of("0123456789") != std::string::npos);
    if (bare) arguments[i] = "--top=20";
  }
  return {arguments.rbegin(), arguments.rend()};  // CLI11 takes them from the back
}

}  // namespace

int dump(int argc, char** argv) {
  DumpOptions options;
  CLI::App app{"Show what is in IPFIX files and message streams, gzip'd or not: one record a line.", "weir dump"};
  app.add_option("FILE", options.files, "IPFIX files; - is standard input")->required();
  auto* json = app.add_flag("--json", options.json, "JSON lines, element names as keys");
  auto* templates = app.add_flag("--templates", options.templates, "the templates instead of the records");
  auto* statistics = app.add_flag("--stats", options.statistics, "counts instead of the records");
  app.add_option("--top", options.top, "a table of the N flows with most octets (20 without N)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->excludes(json)
      ->excludes(templates)
      ->excludes(statistics);
  statistics->excludes(templates);
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(ExitStatus::good) : static_cast<int>(ExitStatus::usage);
  }
  return static_cast<int>(dump_files(options));
}

}  // namespace weir::app
