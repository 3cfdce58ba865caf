// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/ports.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/commands/metering_line.hpp"
#include "app/complain.hpp"
#include "app/human.hpp"
#include "app/live/cpus.hpp"
#include "app/settings.hpp"
#include "base/error.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/eal.hpp"
#include "capture/live/facts.hpp"
#include "capture/live/kernel_nics.hpp"

namespace weir::app {
namespace {

using Json = nlohmann::ordered_json;

struct CommandLine {
  std::vector<std::string> ports, set;
  std::optional<std::string> config;
  bool json = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += line.empty() ? word : " " + word;
  return words.empty() ? "none" : line;
}

Json json_of(const capture::PortFacts& port) {
  const auto link = capture::link_of(port.number);
  return {{"name", port.name},
          {"driver", port.driver},
          {"mac", port.mac},
          {"node", port.node},
          {"link", link.up ? "up" : "down"},
          {"bits_per_second", link.bits_per_second},
          {"queues_max", port.queues_max},
          {"descriptors_max", port.descriptors_max},
          {"mtu_max", port.mtu_max},
          {"rss", port.rss_functions},
          {"rss_key_octets", port.rss_key_octets},
          {"redirection_entries", port.redirection_entries},
          {"offloads", port.offloads},
          {"stamps", port.stamps != capture::StampUnit::none}};
}

std::string text_of(const capture::PortFacts& port) {
  const auto link = capture::link_of(port.number);
  const auto speed = link.bits_per_second ? ", " + scaled(static_cast<double>(link.bits_per_second), "bit/s") : "";
  return fmt::format(
      "{}\n  driver      {}, address {}, memory node {}\n  link        {}{}\n  queues      up to {}, of {} to {} "
      "descriptors\n  RSS         {} (key of {} octets, {} redirection entries)\n  offloads    {}\n  time        {}\n",
      port.name, port.driver, port.mac.empty() ? "none" : port.mac, port.node < 0 ? "any" : std::to_string(port.node),
      link.up ? "up" : "down", speed, port.queues_max, port.descriptors_min, port.descriptors_max,
      joined(port.rss_functions), port.rss_key_octets, port.redirection_entries, joined(port.offloads),
      port.stamps != capture::StampUnit::none ? "stamped by the device" : "stamped by weir, once a burst");
}

/// Those that a user gave, and all PCI devices that are bound to DPDK: no others are touched.
std::vector<std::string> devices_of(const std::vector<std::string>& given, const std::vector<capture::PciNic>& nics) {
  std::vector<std::string> devices;
  for (const auto& port : given) devices.push_back(capture::complete_device(port, 1).text);
  for (const auto& nic : nics)
    if (nic.held_by == capture::HeldBy::dpdk && std::ranges::find(devices, nic.address) == devices.end())
      devices.push_back(nic.address);
  return devices;
}

void print_kernel_nics(const std::vector<capture::PciNic>& nics) {
  const auto binding = capture::read_binding_state();
  for (const auto& nic : nics) {
    if (nic.held_by == capture::HeldBy::dpdk) continue;
    fmt::print("{}\n", capture::line_of(nic));
    for (const auto& line : capture::advice_for(nic, binding)) fmt::print("  {}\n", line);
  }
}

}  // namespace

int ports(int argc, char** argv) {
  CommandLine line;
  CLI::App app{"Lists what can be metered: ports of DPDK's, and NICs that are still the kernel's.", "weir ports"};
  app.add_option("PORT", line.ports, "virtual devices to look at as well: net_af_packet0,iface=eth1");
  app.add_option("--config", line.config, "settings file: its live.ports and live.eal count");
  app.add_option("--set", line.set, "NAME=VALUE, a setting; wins over the file. May be repeated")
      ->allow_extra_args(false);
  app.add_flag("--json", line.json, "for programs");
  if (const auto status = parse(app, argc, argv)) return *status;
  const auto settings = read_settings(line.config, line.set);
  auto given = line.ports;
  for (const auto& port : settings.live.ports)
    if (!capture::is_pci_address(port)) given.push_back(port);
  const auto nics = capture::list_pci_nics(capture::interfaces_with_address());
  const auto devices = devices_of(given, nics);
  std::vector<capture::PortFacts> found;
  std::optional<capture::Eal> eal;
  if (!devices.empty()) {
    eal.emplace(capture::EalOptions{.devices = devices,
                                    .cpus = {usable_cpus().front().number},
                                    .memory = capture::BufferMemory::heap,
                                    .heap_megabytes = 128,
                                    .arguments = settings.live.eal},
                [](std::string_view text) { complain("weir: {}", text); });
    for (const auto port : capture::known_ports()) found.push_back(capture::facts_of(port));
  }
  if (line.json) {
    auto out = Json{{"ports", Json::array()}, {"kernel", Json::array()}};
    for (const auto& port : found) out["ports"].push_back(json_of(port));
    for (const auto& nic : nics)
      if (nic.held_by != capture::HeldBy::dpdk)
        out["kernel"].push_back({{"address", nic.address}, {"id", nic.id}, {"driver", nic.driver}});
    fmt::print("{}\n", out.dump(2, ' ', false, Json::error_handler_t::replace));
    return 0;
  }
  if (found.empty() && nics.empty())
    fmt::print("no port is bound to DPDK, and the kernel has no NIC on PCI; virtual devices can be given by name\n");
  for (const auto& port : found) fmt::print("{}", text_of(port));
  print_kernel_nics(nics);
  return 0;
}

}  // namespace weir::app
