// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/run.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "app/complain.hpp"
#include "app/live/cpus.hpp"
#include "app/live/probe.hpp"
#include "capture/live/devices.hpp"

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

std::atomic<bool> stopped{false};
void stop(int) { stopped = true; }

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
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
  const auto say = [](std::string_view text) { complain("weir: {}", text); };
  const auto cpus = plan_cpus({live.workers, live.worker_cpus, live.exporter_cpu, live.control_cpu}, usable_cpus(), {});
  const auto workers = static_cast<unsigned>(cpus.workers.size());
  std::vector<std::string> devices;
  for (const auto& port : live.ports) {
    const auto device = capture::complete_device(port, workers);
    devices.push_back(device.text);
    for (const auto& remark : device.remarks) say(remark);
  }
  stop_on_signals();
  capture::Eal eal{{.devices = devices,
                    .cpus = cpus.lcores(),
                    .memory = memory_for(settings, devices.size(), workers),
                    .heap_megabytes = heap_megabytes(settings, devices.size(), workers),
                    .arguments = live.eal},
                   say};
  Probe probe{settings, eal, devices, cpus, stopped, say};
  probe.start();
  say(fmt::format("metering {} port{} with {} worker{}", devices.size(), devices.size() == 1 ? "" : "s", workers,
                  workers == 1 ? "" : "s"));
  while (!stopped) {
    probe.watch();
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  const auto report = probe.finish();
  const auto summary = line.json ? json_text(report) : text(report);
  std::fwrite(summary.data(), 1, summary.size(), stdout);
  std::fflush(stdout);
  return static_cast<int>(status_of(report));
}

}  // namespace weir::app
