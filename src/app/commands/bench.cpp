// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/bench.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/bench/report.hpp"
#include "app/commands/metering_line.hpp"
#include "app/complain.hpp"
#include "app/human.hpp"
#include "app/live/cpus.hpp"
#include "app/live/machine.hpp"
#include "app/options.hpp"
#include "app/print.hpp"
#include "app/settings.hpp"
#include "base/error.hpp"
#include "base/small_file.hpp"

namespace weir::app {
namespace {

using capture::FrameSizes, capture::Popularity, capture::TrafficKind;

constexpr std::uint64_t flows_max = 1u << 26, packets_max = 1u << 26;
constexpr unsigned workers_max = 64, rounds_max = 1000;
constexpr double rate_usual = 1e7, packets_before_max = 1u << 30;

struct CommandLine {
  capture::SyntheticOptions traffic{};
  std::string distribution = "uniform", sizes = "64";
  std::optional<double> rate, new_per_second;
  std::optional<std::uint64_t> capacity;
  std::vector<std::string> set;
  std::optional<std::string> config, sweep;
  std::uint64_t sweep_to = 1u << 24;
  unsigned workers = 1, rounds = 5;
  bool flood = false, biflow = false, json = false;
};

void describe(CLI::App& app, CommandLine& line) {
  auto& traffic = line.traffic;
  app.add_option("--flows", traffic.flows, "flows in the tables, all workers together")
      ->check(CLI::Range(std::uint64_t{1}, flows_max));
  app.add_option("--distribution", line.distribution, "how packets fall on flows: uniform or zipf")
      ->check(CLI::IsMember({"uniform", "zipf"}));
  app.add_option("--skew", traffic.skew, "of zipf: flow n sends in proportion to 1 / n^SKEW")
      ->check(CLI::Range(0.1, 3.0));
  app.add_option("--sizes", line.sizes, "octets of frames: 64, imix (7 x 64, 4 x 594, 1 x 1518) or 1518")
      ->check(CLI::IsMember({"64", "imix", "1518"}));
  app.add_option("--ipv6", traffic.ipv6_share, "share of flows that are IPv6")->check(CLI::Range(0.0, 1.0));
  app.add_option("--answered", traffic.answered_share, "share of flows whose other end sends half of their packets")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--new", traffic.new_share, "share of packets that begin a flow; as many end by the idle timeout")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--new-per-second", line.new_per_second,
                 "flows that begin in a second of the traffic's clock; they wait for the idle timeout beside --flows")
      ->check(CLI::Range(1.0, 1e9));
  app.add_option("--rate", line.rate, "packets a second by the traffic's own clock, which ends flows")
      ->check(CLI::Range(1.0, 1e12));
  app.add_flag("--flood", line.flood, "a flood of SYN: every packet begins a flow, the table is full");
  app.add_flag("--biflow", line.biflow, "flow.direction=biflow");
  app.add_option("--capacity", line.capacity, "room for flows, all workers together, instead of what the flows need")
      ->check(CLI::Range(std::uint64_t{1024}, 2 * flows_max));
  app.add_option("--workers", line.workers, "measures with 1, 2, 4 … so many workers")
      ->check(CLI::Range(1u, workers_max));
  app.add_option("--packets", traffic.packets, "packets of one round, for each worker")
      ->check(CLI::Range(std::uint64_t{1024}, packets_max));
  app.add_option("--rounds", line.rounds, "rounds that are measured")->check(CLI::Range(1u, rounds_max));
  app.add_option("--seed", traffic.seed, "of the traffic");
  app.add_option("--sweep", line.sweep, "measures 1 k, 4 k … 16 M flows, and writes a plot to this file (SVG)");
  app.add_option("--sweep-to", line.sweep_to, "the most flows of a sweep")
      ->check(CLI::Range(std::uint64_t{1024}, flows_max));
  app.add_option("--config", line.config, "settings file: its flow.* and live.ring_records count");
  app.add_option("--set", line.set, "NAME=VALUE, a setting; wins over the file. May be repeated")
      ->allow_extra_args(false);
  app.add_flag("--json", line.json, "for programs");
}

/// What cannot go together.
void refuse(const CommandLine& line) {
  const bool flows_begin = line.traffic.new_share > 0 || line.new_per_second;
  if (line.flood && flows_begin)
    throw StartError{"--flood and --new: every packet of a flood begins a flow; leave one out"};
  if (line.flood && line.traffic.answered_share > 0)
    throw StartError{"--flood and --answered: nobody answers a flood; leave one out"};
  if (line.traffic.new_share > 0 && line.new_per_second)
    throw StartError{"--new and --new-per-second say the same; leave one out"};
  if (line.new_per_second.value_or(0) > line.rate.value_or(rate_usual))
    throw StartError{fmt::format("--new-per-second {:g}: that is more than --rate, {:g} packets a second",
                                 *line.new_per_second, line.rate.value_or(rate_usual))};
  if (line.sweep && line.workers > 1) throw StartError{"--sweep measures one worker; leave --workers out"};
  if (line.sweep && (line.flood || flows_begin))
    throw StartError{"--sweep measures flows that are there; leave --flood, --new and --new-per-second out"};
  if (line.sweep && line.sweep->empty()) throw StartError{"--sweep is empty; say where the plot goes"};
  if (line.traffic.flows < line.workers)
    throw StartError{
        fmt::format("--flows {}: that is not a flow for each of {} workers", line.traffic.flows, line.workers)};
}

/// Flows begin, fall silent and wait for their idle timeout, beside as many that are alive as ever. By share (--new):
/// half of the flows are alive and half of them wait, and the traffic's clock runs at what makes that so. By second
/// (--new-per-second): all are alive, those that wait come on top. Packets go by until as many wait as ever will.
void let_flows_begin(const CommandLine& line, bench::Plan& plan) {
  auto& traffic = plan.traffic;
  const auto idle = std::max(static_cast<double>(plan.meter.timeout_idle.count()) / 1e9, 1e-3);
  if (line.new_per_second) {
    traffic.new_share = *line.new_per_second / traffic.packets_per_second;
  } else {
    traffic.flows = std::max<std::uint64_t>(traffic.flows / 2, line.workers);
    if (!line.rate) traffic.packets_per_second = static_cast<double>(traffic.flows) / traffic.new_share / idle;
  }
  constexpr double until_swept = 1.25;  // idle timeouts, until a sweep has found those that are over
  const auto packets = until_swept * idle * traffic.packets_per_second;
  if (packets > packets_before_max)
    throw StartError{
        fmt::format("{} packets would go by until flows end as fast as they begin; lower --rate, or "
                    "--set flow.timeout_idle",
                    grouped(static_cast<std::uint64_t>(std::min(packets, 1e18))))};
  plan.packets_before = static_cast<std::uint64_t>(packets);
  plan.meter.capacity = traffic.flows + static_cast<std::uint64_t>(packets * traffic.new_share);
}

/// Where flows only stay, the traffic's clock is fast enough for none of them to end, and there is room to spare, for
/// where a table is full to the last place a few flows find none. A flood has no more than it is given.
bench::Plan plan_of(const CommandLine& line, std::uint64_t flows) {
  auto assignments = line.set;
  if (line.biflow) assignments.emplace_back("flow.direction=biflow");
  const auto settings = read_settings(line.config, assignments);
  bench::Plan plan{.traffic = line.traffic,
                   .meter = meter_options(settings, 1),
                   .ring_records = settings.live.ring_records,
                   .rounds = line.rounds,
                   .packets_before = 0};
  auto& traffic = plan.traffic;
  traffic.flows = flows;
  traffic.popularity = line.distribution == "zipf" ? Popularity::zipf : Popularity::uniform;
  traffic.sizes = line.sizes == "imix"   ? FrameSizes::imix
                  : line.sizes == "1518" ? FrameSizes::octets_1518
                                         : FrameSizes::octets_64;
  traffic.packets_per_second = line.rate.value_or(std::max(rate_usual, static_cast<double>(flows)));
  plan.meter.capacity = flows + flows / 8;
  if (line.flood) {
    plan.meter.capacity = flows;
    traffic.kind = TrafficKind::syn_flood;
    traffic.new_share = 1;
    plan.packets_before = flows;
  } else if (traffic.new_share > 0 || line.new_per_second) {
    let_flows_begin(line, plan);
  }
  plan.meter.capacity = line.capacity.value_or(std::max<std::size_t>(plan.meter.capacity, 1024));
  return plan;
}

std::string processor_name() {
  const auto text = weir::text_of("/proc/cpuinfo");
  constexpr std::string_view label = "model name";
  const auto at = text.find(label);
  const auto colon = at == text.npos ? at : text.find(": ", at);
  if (colon == text.npos) return "a processor without a name";
  return text.substr(colon + 2, text.find('\n', colon) - colon - 2);
}

/// Empty: it suffices.
std::string shortage(const bench::Plan& plan, unsigned workers) {
  const auto needed = bench::octets_needed(plan, workers), there = read_machine().available;
  if (there == 0 || needed <= there / 10 * 9) return {};
  return fmt::format("it takes {} of memory, and {} are there", scaled(static_cast<double>(needed), "B"),
                     scaled(static_cast<double>(there), "B"));
}

ExitStatus status_of(const bench::Report& report) {
  auto status = ExitStatus::good;
  for (const auto& result : report.results) {
    if (result.wrong.empty()) continue;
    complain("weir: {} and {}: no figure counts: {}", counted(result.flows, "flow"), counted(result.workers, "worker"),
             result.wrong);
    status = ExitStatus::ledger_open;
  }
  return status;
}

void measure_workers(const CommandLine& line, bench::Report& report) {
  if (const auto why = shortage(report.plan, line.workers); !why.empty())
    throw StartError{why + "; lower --flows, --packets or --workers"};
  if (line.workers > report.cpus)
    complain("weir: {} share {}: they take turns, and the exporter with them", counted(line.workers, "worker"),
             counted(report.cpus, "CPU"));
  for (unsigned workers = 1; workers < line.workers; workers *= 2)
    report.results.push_back(bench::run(report.plan, workers));
  report.results.push_back(bench::run(report.plan, line.workers));
}

void measure_sweep(const CommandLine& line, bench::Report& report) {
  constexpr std::uint64_t first = 1024, factor = 4;
  for (auto flows = first; flows <= line.sweep_to; flows *= factor) {
    const auto plan = plan_of(line, flows);
    if (const auto why = shortage(plan, 1); !why.empty()) report.left_out.push_back({flows, why});
    else report.results.push_back(bench::run(plan, 1));
  }
}

/// The file is made before anything is measured: a sweep takes minutes.
class PlotFile {
 public:
  explicit PlotFile(const std::string& name) : name_{name}, file_{std::fopen(name.c_str(), "we")} {
    if (!file_) throw StartError{fmt::format("--sweep {}: {}", name, std::strerror(errno)), ExitStatus::unusable_input};
  }
  ExitStatus write(const std::string& svg) {
    const bool whole = std::fwrite(svg.data(), 1, svg.size(), file_.get()) == svg.size();
    if (std::fclose(file_.release()) == 0 && whole) return ExitStatus::good;
    complain("weir: --sweep {}: {}", name_, std::strerror(errno));
    return ExitStatus::unusable_input;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  std::string name_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace

int measure(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Measures how fast this machine meters traffic that is made in memory, by stage.", "weir bench"};
  describe(app, line);
  if (const auto status = parse(app, argc, argv)) return *status;
  refuse(line);
  bench::Report report{.plan = plan_of(line, line.traffic.flows),
                       .processor = processor_name(),
                       .cpus = static_cast<unsigned>(usable_cpus().size()),
                       .sweep = line.sweep.has_value()};
  std::optional<PlotFile> plot;
  if (line.sweep) plot.emplace(*line.sweep);
  if (report.sweep) measure_sweep(line, report);
  else measure_workers(line, report);
  auto status = status_of(report);
  if (plot && status == ExitStatus::good && !report.results.empty())
    status = plot->write(bench::svg_of(bench::plot(report)));
  const auto json = bench::json(report).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (line.json) return static_cast<int>(worse(status, print(json)));
  return static_cast<int>(status == ExitStatus::ledger_open ? status : worse(status, print(bench::text(report))));
}

}  // namespace weir::app
