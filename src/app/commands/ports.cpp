// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/ports.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/commands/metering_line.hpp"
#include "app/complain.hpp"
#include "app/human.hpp"
#include "app/live/cpus.hpp"
#include "app/print.hpp"
#include "app/settings.hpp"
#include "base/error.hpp"
#include "capture/live/devices.hpp"
#include "capture/live/eal.hpp"
#include "capture/live/facts.hpp"
#include "capture/live/kernel_interface.hpp"
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

/// DPDK learns of a link when a port is started, and listing starts none; the kernel knows of its own.
struct Link {
  std::string_view state = "not started";
  std::uint64_t bits_per_second = 0;  ///< 0: not known
};

Link link_of(const capture::PortFacts& port) noexcept {
  if (!port.kernel_interface) return {};
  const auto carrier = capture::carrier_of(port.kernel_interface);
  return {carrier == capture::Carrier::up     ? "up"
          : carrier == capture::Carrier::down ? "down"
                                              : "gone",
          capture::bits_per_second_of(port.kernel_interface)};
}

/// What was asked for and is no port here.
struct Absent {
  std::string device, why;
};

struct Findings {
  std::vector<capture::PortFacts> ports{};
  std::vector<Absent> absent{};
  std::vector<capture::PciNic> nics;
  capture::BindingState binding;
};

Json json_of(const capture::PortFacts& port) {
  const auto link = link_of(port);
  return {{"name", port.name},
          {"driver", port.driver},
          {"mac", port.mac},
          {"node", port.node},
          {"link", link.state},
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

Json json_of(const capture::PciNic& nic, const capture::BindingState& binding) {
  auto interfaces = Json::array();
  for (const auto& interface : nic.interfaces)
    interfaces.push_back({{"name", interface.name},
                          {"state", interface.state},
                          {"megabits_per_second", interface.megabits},
                          {"has_address", interface.has_address}});
  const auto advice = capture::advice_for(nic, binding);
  return {{"address", nic.address},     {"id", nic.id},
          {"driver", nic.driver},       {"node", nic.node ? Json{*nic.node} : Json{}},
          {"interfaces", interfaces},   {"warnings", advice.warnings},
          {"commands", advice.commands}};
}

std::string json_text(const Findings& found) {
  Json out{{"ports", Json::array()}, {"absent", Json::array()}, {"kernel", Json::array()}};
  for (const auto& port : found.ports) out["ports"].push_back(json_of(port));
  for (const auto& [device, why] : found.absent) out["absent"].push_back({{"device", device}, {"why", why}});
  for (const auto& nic : found.nics)
    if (nic.held_by != capture::HeldBy::dpdk) out["kernel"].push_back(json_of(nic, found.binding));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string text_of(const capture::PortFacts& port) {
  const auto link = link_of(port);
  const auto speed = link.bits_per_second ? ", " + scaled(static_cast<double>(link.bits_per_second), "bit/s") : "";
  return fmt::format(
      "{}\n  driver      {}, address {}, memory node {}\n  link        {}{}\n  queues      up to {}, of {} to {} "
      "descriptors\n  RSS         {} (key of {} octets, {} redirection entries)\n  offloads    {}\n  time        {}\n",
      port.name, port.driver, port.mac.empty() ? "none" : port.mac, port.node < 0 ? "any" : std::to_string(port.node),
      link.state, speed, port.queues_max, port.descriptors_min, port.descriptors_max, joined(port.rss_functions),
      port.rss_key_octets, port.redirection_entries, joined(port.offloads),
      port.stamps != capture::StampUnit::none ? "stamped by the device" : "stamped by weir, once a burst");
}

std::string text_of(const Findings& found) {
  std::string out;
  for (const auto& port : found.ports) out += text_of(port);
  for (const auto& nic : found.nics) {
    if (nic.held_by == capture::HeldBy::dpdk) continue;
    out += capture::line_of(nic) + "\n";
    const auto advice = capture::advice_for(nic, found.binding);
    for (const auto* lines : {&advice.warnings, &advice.commands})
      for (const auto& line : *lines) out += "  " + line + "\n";
  }
  if (out.empty())
    return "no port is bound to DPDK, and the kernel has no NIC on PCI; virtual devices can be given by name\n";
  return out;
}

/// Those that a user gave, and all PCI devices that are bound to DPDK: no others are touched.
std::vector<std::string> devices_of(const std::vector<std::string>& given, Findings& found) {
  std::vector<std::string> devices;
  for (const auto& device : given) try {
      devices.push_back(capture::complete_device(device, 1).text);
    } catch (const StartError& error) {
      found.absent.push_back({device, error.what()});
    }
  for (const auto& nic : found.nics)
    if (nic.held_by == capture::HeldBy::dpdk && std::ranges::find(devices, nic.address) == devices.end())
      devices.push_back(nic.address);
  return devices;
}

/// One after the other, so that one which is not there hides none that is.
void find_ports(const std::vector<std::string>& devices, const std::vector<std::string>& eal_arguments,
                Findings& found) {
  if (devices.empty()) return;
  std::vector<std::string> on_pci;
  std::ranges::copy_if(devices, std::back_inserter(on_pci), capture::is_pci_address);
  std::string said;  // by DPDK, of the device that it looks at
  capture::Eal eal{{.devices = on_pci,
                    .cpus = {usable_cpus().front().number},
                    .memory = capture::BufferMemory::heap,
                    .heap_megabytes = 128,
                    .arguments = eal_arguments},
                   [&said](std::string_view text) { said = text; }};
  for (const auto& device : devices) try {
      said.clear();
      if (!capture::is_pci_address(device)) eal.add(device);
      auto facts = capture::facts_of(capture::port_named(device));
      if (!facts.kernel_interface) facts.kernel_interface = capture::interface_named(device);  // net_pcap is silent
      found.ports.push_back(std::move(facts));
    } catch (const StartError& error) {
      found.absent.push_back({device, said.empty() ? error.what() : fmt::format("{}: {}", error.what(), said)});
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
  Findings found{.nics = capture::list_pci_nics(capture::interfaces_with_address()),
                 .binding = capture::read_binding_state()};
  find_ports(devices_of(given, found), settings.live.eal, found);
  const auto status = print(line.json ? json_text(found) : text_of(found));
  for (const auto& [device, why] : found.absent) complain("weir: {}", why);
  return static_cast<int>(worse(status, found.absent.empty() ? ExitStatus::good : ExitStatus::unusable_input));
}

}  // namespace weir::app
