// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/run.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "app/complain.hpp"
#include "app/live/answers.hpp"
#include "app/live/cpus.hpp"
#include "app/live/probe.hpp"
#include "app/privileges.hpp"
#include "app/signals.hpp"
#include "app/supervisor.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/kernel_nics.hpp"

namespace weir::app {
namespace {

struct CommandLine {
  std::vector<std::string> ports, set, out, to;
  std::optional<std::string> config, filter, workers;
  bool json = false;
};

void describe(CLI::App& app, CommandLine& line) {
  app.add_option("PORT", line.ports,
                 "PCI address of a NIC bound to DPDK, or a virtual device: net_af_packet0,iface=eth1 (live.ports)");
  app.add_option("--config", line.config, "settings file (conf/weir.yaml has every setting and its reason)");
  app.add_option("--set", line.set, "NAME=VALUE, a setting; wins over the file. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--out", line.out, "an IPFIX file to write (RFC 5655); - is standard output. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--to", line.to, "a collector, udp://HOST:PORT or tcp://HOST:PORT. May be repeated")
      ->allow_extra_args(false);
  app.add_option("--workers", line.workers, "cores that meter (live.workers)");
  app.add_option("--filter", line.filter, "only packets that this libpcap filter selects (live.filter)");
  app.add_flag("--json", line.json, "print the summary for programs");
  app.footer("settings:\n" + settings_help());
}

Settings settings_of(const CommandLine& line) {
  auto assignments = line.set;
  for (const auto& port : line.ports) assignments.push_back("live.ports=" + port);
  for (const auto& out : line.out) assignments.push_back("export.out=" + out);
  for (const auto& to : line.to) assignments.push_back("export.to=" + to);
  if (line.workers) assignments.push_back("live.workers=" + *line.workers);
  if (line.filter) assignments.push_back("live.filter=" + *line.filter);
  auto settings = read_settings(line.config, assignments);
  if (settings.live.ports.empty())
    throw StartError{
        "no port to meter; give one (weir run net_af_packet0,iface=eth1), or set live.ports; `weir ports` "
        "lists what there is"};
  return settings;
}

constexpr auto say = [](std::string_view text) { complain("weir: {}", text); };

std::vector<std::string> devices_of(const std::vector<std::string>& ports, unsigned workers) {
  std::vector<std::string> devices;
  for (const auto& port : ports) {
    const auto device = capture::complete_device(port, workers);
    devices.push_back(device.text);
    for (const auto& remark : device.remarks) say(remark);
  }
  return devices;
}

/// Where the PCI devices are; what is not known yet, is near everything.
std::vector<int> nodes_of(const std::vector<std::string>& devices) {
  std::vector<int> nodes;
  for (const auto& nic : capture::list_pci_nics({}))
    for (const auto& device : devices)
      if (nic.node && nic.address.ends_with(device)) nodes.push_back(static_cast<int>(*nic.node));
  return nodes;
}

CpuPlan cpus_of(const Settings::Live& live) {
  auto plan = plan_cpus({live.workers, live.worker_cpus, live.exporter_cpu, live.control_cpu}, usable_cpus(),
                        nodes_of(live.ports));
  for (const auto& warning : plan.warnings) say(warning);
  return plan;
}

std::string status_line(const Report& report) {
  std::uint64_t missed = 0;
  for (const auto& port : report.ports) missed += port.counters.missed();
  return fmt::format("{} packets received, {} missed, {} records", report.packets.received.packets, missed,
                     report.records());
}

/// Sees to everything until it is told to end.
void watch(Probe& probe, Control& control, Answers& answers, Signals& signals, Supervisor& supervisor) {
  constexpr std::chrono::milliseconds turn{100};
  constexpr std::chrono::seconds status_period{10};
  for (auto status_at = std::chrono::steady_clock::now(); !signals.is_asked_to_end();) {
    control.serve(turn, answers, signals.wake());
    signals.calm();
    if (signals.take_reload()) {
      supervisor.reloading();
      answers.reload();
      supervisor.ready("reloaded");
    }
    probe.watch();
    const auto now = std::chrono::steady_clock::now();
    supervisor.alive(now);
    if (now - status_at < status_period) continue;
    supervisor.status(status_line(probe.report()));
    status_at = now;
  }
}

void print_summary(const Report& report, const CommandLine& line, const Settings& settings) {
  const auto& out = settings.exporter.out;
  auto* to = std::ranges::find(out, "-") == out.end() ? stdout : stderr;  // records have standard output for themselves
  const auto summary = line.json ? json_text(report) : text(report);
  std::fwrite(summary.data(), 1, summary.size(), to);
  std::fflush(to);
}

}  // namespace

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Meters live ports into flows and exports them as IPFIX, until SIGINT or SIGTERM.", "weir run"};
  describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitStatus::usage);
  }
  const auto settings = settings_of(line);
  const auto& live = settings.live;
  const auto identity = identity_of(live.user, live.group);
  const auto cpus = cpus_of(live);
  const auto workers = static_cast<unsigned>(cpus.workers.size());
  const auto devices = devices_of(live.ports, workers);
  Signals signals;
  Supervisor supervisor;
  Control control{live.control};
  if (!control.lost_before().empty()) say(control.lost_before());
  capture::Eal eal{{.devices = devices,
                    .cpus = cpus.lcores(),
                    .memory = memory_for(settings, devices.size(), workers),
                    .heap_megabytes = heap_megabytes(settings, devices.size(), workers),
                    .arguments = live.eal},
                   say};
  Probe probe{settings, eal, devices, cpus, signals.is_asked_to_end(), say};
  probe.start();
  if (identity) {
    control.give_to(*identity);
    say(drop_privileges(*identity, live.capabilities));
  }
  Answers answers{probe, [&line] { return settings_of(line); }, say};
  const auto started = fmt::format("metering {} port{} with {} worker{}", devices.size(),
                                   devices.size() == 1 ? "" : "s", workers, workers == 1 ? "" : "s");
  say(started);
  supervisor.ready(started);
  watch(probe, control, answers, signals, supervisor);
  supervisor.stopping("ending all flows");
  const auto report = probe.finish();
  print_summary(report, line, settings);
  return static_cast<int>(status_of(report));
}

}  // namespace weir::app
