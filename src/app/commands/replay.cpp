// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/replay.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/complain.hpp"
#include "app/progress.hpp"
#include "app/replay.hpp"

namespace weir::app {
namespace {

struct CommandLine {
  std::vector<std::string> files, set, out, to;
  std::optional<std::string> config, filter, workers;
  bool json = false;
};

void describe(CLI::App& app, CommandLine& line) {
  app.add_option("FILE", line.files,
                 "captures: pcap or pcapng, gzip'd or not; - is standard input. In this order they are one stream")
      ->required();
  app.add_option("--config", line.config, "settings file (conf/weir.yaml has every setting and its reason)");
  app.add_option("--set", line.set, "NAME=VALUE, a setting; wins over the file. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--out", line.out, "an IPFIX file to write (RFC 5655); - is standard output. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--to", line.to, "a collector, udp://HOST:PORT or tcp://HOST:PORT. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--workers", line.workers, "threads in all (replay.workers)");
  app.add_option("--filter", line.filter, "only packets that this libpcap filter selects (replay.filter)");
  app.add_flag("--json", line.json, "print the summary for programs");
  app.footer("settings:\n" + settings_help());
}

/// A file is renamed into its place when it is whole: over the capture that it was made from, if they had one name.
void keep_captures(const std::vector<std::string>& captures, const std::vector<std::string>& outs) {
  for (const auto& out : outs)
    for (const auto& capture : captures)
      if (std::error_code ignored; std::filesystem::equivalent(capture == "-" ? "/dev/stdin" : capture, out, ignored))
        throw StartError{fmt::format("--out {}: the capture {} would be overwritten; give another name", out, capture)};
}

void refuse_empty(const char* option, const std::vector<std::string>& given) {
  if (std::ranges::find(given, "") != given.end())
    throw StartError{fmt::format("{} is empty; say where the records go, or leave it out", option)};
}

Settings settings_of(const CommandLine& line) {
  refuse_empty("--out", line.out);
  refuse_empty("--to", line.to);
  auto assignments = line.set;
  for (const auto& out : line.out) assignments.push_back("export.out=" + out);
  for (const auto& to : line.to) assignments.push_back("export.to=" + to);
  if (line.workers) assignments.push_back("replay.workers=" + *line.workers);
  if (line.filter) assignments.push_back("replay.filter=" + *line.filter);
  return read_settings(line.config, assignments);
}

/// Standard error: lines about the input as they come, and the progress bar below them.
class Terminal {
 public:
  explicit Terminal(const capture::Input& input)
      : input_{input}, progress_{std::chrono::steady_clock::now(), input.progress().total.value_or(0)} {}

  /// Problems and warnings that are new. Called by the thread that reads.
  void say_news() {
    if (problems_ == input_.problems().size() && warnings_ == input_.warnings().size()) return;
    const std::lock_guard lock{mutex_};
    if (watched_) show(progress_.clear());
    for (; warnings_ < input_.warnings().size(); ++warnings_) complain("weir: {}", input_.warnings()[warnings_]);
    for (; problems_ < input_.problems().size(); ++problems_) complain("weir: {}", input_.problems()[problems_].line);
  }
  void update(std::uint64_t packets) {
    if (!watched_) return;
    const std::lock_guard lock{mutex_};
    show(progress_.update(std::chrono::steady_clock::now(), input_.progress().octets, packets));
  }
  void clear() {
    if (watched_) show(progress_.clear());
  }

 private:
  const capture::Input& input_;
  const bool watched_ = watched();
  std::mutex mutex_;
  Progress progress_;
  std::size_t problems_ = 0, warnings_ = 0;
};

ExitStatus status_of_inputs(const capture::Input& input) noexcept {
  auto status = ExitStatus::good;
  for (const auto& problem : input.problems()) status = worse(status, problem.status);
  return status;
}

/// SIGINT and SIGTERM end the replay in good order, a wait for destinations to open included; a second one ends the
/// process.
std::atomic<bool> stopped{false};
capture::Input* input_to_stop = nullptr;
void stop(int) {
  stopped = true;
  input_to_stop->stop();
}

void stop_on_signals(capture::Input& input) {
  input_to_stop = &input;
  struct sigaction action {};
  action.sa_handler = stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: a read from a pipe must return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void print_summary(const Report& report, const CommandLine& line, const Settings& settings) {
  const auto& out = settings.exporter.out;
  auto* to = std::ranges::find(out, "-") == out.end() ? stdout : stderr;  // records have standard output for themselves
  if (report.interrupted) complain("weir: interrupted; what had been metered was ended and exported");
  const auto summary = line.json ? json_text(report) : text(report);
  std::fwrite(summary.data(), 1, summary.size(), to);
  std::fflush(to);
}

}  // namespace

int replay(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Meters captures into flows and exports them as IPFIX.", "weir replay"};
  describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::usage);
  }
  const auto settings = settings_of(line);
  capture::Input input{line.files, {.filter = settings.replay.filter}};
  Terminal terminal{input};
  terminal.say_news();
  if (input.opened() == 0) return static_cast<int>(status_of_inputs(input));
  keep_captures(line.files, settings.exporter.out);
  stop_on_signals(input);
  Replay run{settings, input, stopped};
  const auto report = run.run({.read = [&] { terminal.say_news(); }, .exported = [&](auto n) { terminal.update(n); }});
  terminal.clear();
  print_summary(report, line, settings);
  return static_cast<int>(worse(status_of(report), status_of_inputs(input)));
}

}  // namespace weir::app
