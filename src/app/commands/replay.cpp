// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/replay.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "app/commands/metering_line.hpp"
#include "app/complain.hpp"
#include "app/progress.hpp"
#include "app/replay.hpp"

namespace weir::app {
namespace {

/// A file is renamed into its place when it is whole: over the capture that it was made from, if they had one name.
void keep_captures(const std::vector<std::string>& captures, const std::vector<std::string>& outs) {
  for (const auto& out : outs)
    for (const auto& capture : captures)
      if (std::error_code ignored; std::filesystem::equivalent(capture == "-" ? "/dev/stdin" : capture, out, ignored))
        throw StartError{fmt::format("--out {}: the capture {} would be overwritten; give another name", out, capture)};
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

}  // namespace

int replay(int argc, char** argv) {
  MeteringLine line;
  CLI::App app{"Meters captures into flows and exports them as IPFIX.", "weir replay"};
  app.add_option("FILE", line.inputs,
                 "captures: pcap or pcapng, gzip'd or not; - is standard input. In this order they are one stream")
      ->required();
  describe(app, line, "replay", "threads in all");
  if (const auto status = parse(app, argc, argv)) return *status;
  const auto settings = settings_of(line, "replay");
  capture::Input input{line.inputs, {.filter = settings.replay.filter}};
  Terminal terminal{input};
  terminal.say_news();
  if (input.opened() == 0) return static_cast<int>(status_of_inputs(input));
  keep_captures(line.inputs, settings.exporter.out);
  stop_on_signals(input);
  Replay run{settings, input, stopped};
  const auto report = run.run({.read = [&] { terminal.say_news(); }, .exported = [&](auto n) { terminal.update(n); }});
  terminal.clear();
  if (report.interrupted) complain("weir: interrupted; what had been metered was ended and exported");
  const auto printed = print_summary(report, line, settings);
  return static_cast<int>(worse(printed, worse(status_of(report), status_of_inputs(input))));
}

}  // namespace weir::app
