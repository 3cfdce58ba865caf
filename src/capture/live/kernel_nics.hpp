// SPDX-License-Identifier: BSD-3-Clause
// Network devices on PCI as the kernel's files describe them: which ones DPDK could have, and what it takes. Only
// reads, and opens no device.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace weir::capture {

struct KernelInterface {
  std::string name;
  std::string state;           ///< operstate: "up", "down", "unknown", …
  std::uint64_t megabits = 0;  ///< 0: not known, or no link
  bool up = false;             ///< set up by an administrator, whatever its link does
  bool has_address = false;
};

enum class HeldBy : std::uint8_t { kernel, dpdk, nobody };

struct PciNic {
  std::string address;  ///< "0000:05:00.0"
  std::string id;       ///< "8086:1572", vendor and device
  std::string driver;   ///< empty without
  HeldBy held_by = HeldBy::nobody;
  std::optional<unsigned> node;             ///< none: a machine without NUMA, or a device that does not say
  std::vector<KernelInterface> interfaces;  ///< of this function; none where DPDK has it
};

/// What binding needs beside the device.
struct BindingState {
  bool iommu = false;           ///< there is one, so that vfio-pci works as it is
  bool vfio = false;            ///< vfio-pci is loaded
  bool unsafe_noiommu = false;  ///< vfio may do without
};

/// In the order of their addresses. `with_address`: names of interfaces that have an IP address, which sysfs does not
/// tell.
std::vector<PciNic> list_pci_nics(const std::vector<std::string>& with_address,
                                  const std::filesystem::path& sysfs = "/sys");
BindingState read_binding_state(const std::filesystem::path& sysfs = "/sys");

/// Asks the kernel, not a device.
std::vector<std::string> interfaces_with_address();

/// "0000:05:00.0 8086:1572 i40e, node 0: eth1 up 10000 Mbit/s".
std::string line_of(const PciNic& nic);

/// What to know and what to do so that weir can have it. Nothing for one that DPDK has already.
struct Advice {
  std::vector<std::string> warnings, commands;  ///< a line each; commands in their order
};
Advice advice_for(const PciNic& nic, const BindingState& state);

}  // namespace weir::capture
