// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/kernel_nics.hpp"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "base/small_file.hpp"

namespace weir::capture {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> dpdk_drivers{"vfio-pci", "uio_pci_generic", "igb_uio"};
/// DPDK shares these devices with the kernel's driver, which must stay.
constexpr std::array<std::string_view, 3> sharing_drivers{"mlx4_core", "mlx5_core", "mana"};

template <class Names>
bool is_among(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

std::string line_in(const fs::path& path) {
  auto text = text_of(path);
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

/// Decimal or, after 0x, hexadecimal.
long long number_in(const fs::path& path) { return std::strtoll(line_in(path).c_str(), nullptr, 0); }

/// "0x8086" → "8086".
std::string digits_in(const fs::path& path) {
  const auto text = line_in(path);
  return text.starts_with("0x") ? text.substr(2) : text;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{folder, none}) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

bool is_network(const fs::path& device) { return line_in(device / "class").starts_with("0x02"); }

HeldBy holder(std::string_view driver) {
  if (driver.empty()) return HeldBy::nobody;
  return is_among(driver, dpdk_drivers) ? HeldBy::dpdk : HeldBy::kernel;
}

KernelInterface read_interface(const fs::path& folder, const std::vector<std::string>& with_address) {
  const auto name = folder.filename().string();
  return {.name = name,
          .state = line_in(folder / "operstate"),
          .megabits = static_cast<std::uint64_t>(std::max(0LL, number_in(folder / "speed"))),
          .up = (number_in(folder / "flags") & IFF_UP) != 0,
          .has_address = is_among(name, with_address)};
}

/// They lie in net/, or a virtio device lies between.
std::vector<KernelInterface> read_interfaces(const fs::path& device, const std::vector<std::string>& with_address) {
  std::vector<KernelInterface> interfaces;
  for (const auto& entry : entries_of(device)) {
    const auto name = entry.filename().string();
    const auto folder = name == "net" ? entry : name.starts_with("virtio") ? entry / "net" : fs::path{};
    if (folder.empty()) continue;
    for (const auto& interface : entries_of(folder)) interfaces.push_back(read_interface(interface, with_address));
  }
  return interfaces;
}

PciNic read_nic(const fs::path& device, const std::vector<std::string>& with_address) {
  std::error_code none;
  PciNic nic{.address = device.filename().string(),
             .id = digits_in(device / "vendor") + ":" + digits_in(device / "device"),
             .driver = fs::read_symlink(device / "driver", none).filename().string(),
             .node = {},
             .interfaces = read_interfaces(device, with_address)};
  nic.held_by = holder(nic.driver);
  const auto node = line_in(device / "numa_node");
  if (!node.empty() && node != "-1") nic.node = static_cast<unsigned>(std::strtoul(node.c_str(), nullptr, 10));
  return nic;
}

std::string warning_for(const PciNic& nic, const KernelInterface& interface) {
  return fmt::format("{} {}: what goes over it, perhaps this very session, ends once {} is bound", interface.name,
                     interface.has_address ? "has an address" : "is up", nic.address);
}

}  // namespace

std::vector<PciNic> list_pci_nics(const std::vector<std::string>& with_address, const fs::path& sysfs) {
  std::vector<PciNic> nics;
  for (const auto& device : entries_of(sysfs / "bus/pci/devices"))
    if (is_network(device)) nics.push_back(read_nic(device, with_address));
  return nics;
}

BindingState read_binding_state(const fs::path& sysfs) {
  std::error_code none;
  return {.iommu = !entries_of(sysfs / "class/iommu").empty(),
          .vfio = fs::exists(sysfs / "bus/pci/drivers/vfio-pci", none),
          .unsafe_noiommu = line_in(sysfs / "module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y"};
}

std::vector<std::string> interfaces_with_address() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, ::freeifaddrs};
  std::vector<std::string> names;
  for (const auto* at = list; at; at = at->ifa_next)
    if (at->ifa_addr && (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6))
      names.emplace_back(at->ifa_name);
  return names;
}

std::string line_of(const PciNic& nic) {
  auto line = fmt::format("{} {} {}", nic.address, nic.id, nic.driver.empty() ? "without a driver" : nic.driver);
  if (nic.node) line += fmt::format(", node {}", *nic.node);
  for (std::size_t i = 0; i < nic.interfaces.size(); ++i) {
    const auto& interface = nic.interfaces[i];
    line += fmt::format("{} {} {}", i == 0 ? ":" : ",", interface.name, interface.state);
    if (interface.megabits) line += fmt::format(" {} Mbit/s", interface.megabits);
  }
  return line;
}

Advice advice_for(const PciNic& nic, const BindingState& state) {
  Advice advice;
  if (nic.held_by == HeldBy::dpdk) return advice;
  if (is_among(nic.driver, sharing_drivers)) {
    advice.warnings.push_back(fmt::format("{} stays with {}: name it in live.ports as it is", nic.address, nic.driver));
    return advice;
  }
  for (const auto& interface : nic.interfaces)
    if (interface.up || interface.has_address) advice.warnings.push_back(warning_for(nic, interface));
  if (!state.vfio) advice.commands.push_back("modprobe vfio-pci");
  if (!state.iommu && !state.unsafe_noiommu)
    advice.commands.push_back(
        "echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode  "
        "# no IOMMU here: the device can then reach all memory");
  advice.commands.push_back(fmt::format("dpdk-devbind.py --bind=vfio-pci {}", nic.address));
  return advice;
}

}  // namespace weir::capture
