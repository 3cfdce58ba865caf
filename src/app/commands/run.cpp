// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/run.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "app/commands/metering_line.hpp"
#include "app/complain.hpp"
#include "app/human.hpp"
#include "app/live/answers.hpp"
#include "app/live/buffer_memory.hpp"
#include "app/live/cpus.hpp"
#include "app/live/probe.hpp"
#include "app/live/starting.hpp"
#include "app/privileges.hpp"
#include "app/signals.hpp"
#include "app/supervisor.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/kernel_nics.hpp"
#include "transport/folder.hpp"

namespace weir::app {
namespace {

Settings live_settings_of(const MeteringLine& line) {
  std::vector<std::string> assignments;
  for (const auto& port : line.inputs) assignments.push_back("live.ports=" + port);
  auto settings = settings_of(line, "live", assignments);
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

/// A folder that only root may write would lose every record, and would say so at the first rename.
void prove_folders(const std::vector<std::string>& files, const Identity& identity) {
  for (const auto& file : files) {
    if (file == "-") continue;
    const auto error = result_as(identity, [&] { return transport::try_folder_of(file); });
    if (error == 0 || error == ENOENT) continue;  // what is not there is refused by who opens it
    const auto folder = transport::directory_of(transport::target_of(file)) + ".";
    throw StartError{
        fmt::format("--out {}: {} (live.user) may not create, rename and remove files in {}: {}; "
                    "`chown {} {}`, or give a name in another folder",
                    file, identity.name, folder, std::strerror(error), identity.name, folder)};
  }
}

void say_where_nothing_goes(const Settings::Export& exporter) {
  if (!exporter.to.empty() || !exporter.out.empty()) return;
  say("records go nowhere: no collector and no file is set (--to udp://HOST:4739, --out FILE; export.to, export.out); "
      "`weir ctl flows` shows the flows meanwhile");
}

/// Where the PCI devices are; what is not known yet, is near everything.
std::vector<int> nodes_of(const std::vector<std::string>& devices) {
  std::vector<int> nodes;
  for (const auto& nic : capture::list_pci_nics({}))
    for (const auto& device : devices)
      if (nic.node && nic.address.ends_with(device)) nodes.push_back(static_cast<int>(*nic.node));
  return nodes;
}

std::string status_line(const Report& report) {
  std::uint64_t missed = 0;
  for (const auto& port : report.ports) missed += port.counters.missed();
  return fmt::format("{} packets received, {} missed, {} records", report.packets.received.packets, missed,
                     report.records());
}

/// Sees to everything until it is told to end, or has no port left.
void watch(Probe& probe, Control& control, Answers& answers, Signals& signals, Supervisor& supervisor) {
  constexpr std::chrono::milliseconds turn{100};
  constexpr std::chrono::seconds status_period{10};
  for (auto status_at = std::chrono::steady_clock::now(); !signals.is_asked_to_end() && !probe.has_lost_all_ports();) {
    control.serve(turn, answers, signals.wake());
    signals.calm();
    if (signals.take_reload()) {
      supervisor.reloading();
      const auto refusal = refusal_in(answers.reload());
      supervisor.ready(refusal.empty() ? "reloaded" : "reload refused: " + refusal);
    }
    probe.watch();
    const auto now = std::chrono::steady_clock::now();
    supervisor.alive(now);
    if (now - status_at < status_period) continue;
    supervisor.status(status_line(probe.report()));
    status_at = now;
  }
}

}  // namespace

int run(int argc, char** argv) {
  MeteringLine line;
  CLI::App app{"Meters live ports into flows and exports them as IPFIX, until SIGINT or SIGTERM.", "weir run"};
  app.add_option("PORT", line.inputs,
                 "PCI address of a NIC bound to DPDK, or a virtual device: net_af_packet0,iface=eth1 (live.ports)");
  describe(app, line, "live", "cores that meter");
  if (const auto status = parse(app, argc, argv)) return *status;
  const auto settings = live_settings_of(line);
  const auto& live = settings.live;
  const auto identity = identity_of(live.user, live.group, live.capabilities);
  say_where_nothing_goes(settings.exporter);
  if (identity && ::geteuid() == 0) prove_folders(settings.exporter.out, *identity);
  const auto cpus = plan_cpus({live.workers, live.worker_cpus, live.exporter_cpu, live.control_cpu}, usable_cpus(),
                              nodes_of(live.ports));
  const auto workers = static_cast<unsigned>(cpus.workers.size());
  const auto devices = devices_of(live.ports, workers);
  Supervisor supervisor;
  Control control{live.control};
  std::optional<Starting> starting{control};
  if (!control.lost_before().empty()) say(control.lost_before());
  const auto memory = memory_for(settings, devices, workers);
  refuse_memory_that_is_not_there(memory, settings, devices, workers);
  capture::Eal eal{{.devices = devices,
                    .cpus = cpus.lcores(),
                    .memory = memory,
                    .heap_megabytes = heap_megabytes(settings, devices, workers),
                    .arguments = live.eal},
                   say};
  Signals signals;  // until here they end the process at once: a device may keep DPDK waiting for ever
  Probe probe{settings, eal, devices, cpus, signals.is_asked_to_end(), say};
  probe.while_waiting([&supervisor] { supervisor.alive(std::chrono::steady_clock::now()); });
  probe.start();
  starting.reset();  // before privileges are dropped, which are each thread's own
  if (identity) {
    control.give_to(*identity);
    say(drop_privileges(*identity));
  }
  Answers answers{probe, [&line] { return live_settings_of(line); }, say};
  const auto started = fmt::format("metering {} with {}", counted(devices.size(), "port"), counted(workers, "worker"));
  say(started);
  supervisor.ready(started);
  watch(probe, control, answers, signals, supervisor);
  supervisor.stopping("ending all flows");
  const bool has_ports = !probe.has_lost_all_ports();
  if (!has_ports) say("no port is left: the probe ends; start it again when one is back");
  const auto report = probe.finish();
  const auto printed = print_summary(report, line, settings);
  return static_cast<int>(
      worse(worse(status_of(report), printed), has_ports ? ExitStatus::good : ExitStatus::unusable_input));
}

}  // namespace weir::app
