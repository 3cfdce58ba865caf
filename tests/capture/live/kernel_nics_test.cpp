// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/kernel_nics.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/scratch_directory.hpp"

namespace weir::capture {
namespace {

namespace fs = std::filesystem;

/// A machine's /sys, as far as it is read.
struct Sysfs {
  Sysfs() { fs::create_directories(fs::path{root} / "class/iommu"); }

  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((root / path).parent_path());
    std::ofstream{root / path} << text << "\n";
  }
  void device(const fs::path& address, const std::string& driver, const std::string& class_code = "0x020000") const {
    const auto folder = "bus/pci/devices" / address;
    write(folder / "class", class_code);
    write(folder / "vendor", "0x8086");
    write(folder / "device", "0x1572");
    write(folder / "numa_node", "1");
    if (!driver.empty()) fs::create_directory_symlink("../../../bus/pci/drivers/" + driver, root / folder / "driver");
  }
  void interface(const fs::path& folder, const std::string& flags, const std::string& speed) const {
    const auto at = "bus/pci/devices" / folder;
    write(at / "flags", flags);
    write(at / "speed", speed);
    write(at / "operstate", flags == "0x1003" ? "up" : "down");
  }
  std::vector<PciNic> list(const std::vector<std::string>& with_address = {}) const {
    return list_pci_nics(with_address, root);
  }

  test::ScratchDirectory directory;
  fs::path root = directory / "sys";
};

constexpr BindingState ready{.iommu = true, .vfio = true};

TEST(KernelNics, are_listed_with_what_the_kernel_knows_of_them) {
  const Sysfs sysfs;
  sysfs.device("0000:06:00.0", "vfio-pci");
  sysfs.device("0000:05:00.0", "i40e");
  sysfs.interface("0000:05:00.0/net/eth1", "0x1003", "10000");
  sysfs.device("0000:00:01.0", "nvme", "0x010802");
  sysfs.device("0000:07:00.0", "virtio-pci");
  sysfs.interface("0000:07:00.0/virtio3/net/eth2", "0x1002", "-1");
  sysfs.write("bus/pci/devices/0000:07:00.0/numa_node", "-1");
  sysfs.device("0000:08:00.0", "");
  const auto nics = sysfs.list({"eth1"});
  ASSERT_EQ(nics.size(), 4u);
  EXPECT_EQ(line_of(nics[0]), "0000:05:00.0 8086:1572 i40e, node 1: eth1 up 10000 Mbit/s");
  EXPECT_EQ(line_of(nics[1]), "0000:06:00.0 8086:1572 vfio-pci, node 1");
  EXPECT_EQ(line_of(nics[2]), "0000:07:00.0 8086:1572 virtio-pci: eth2 down");
  EXPECT_EQ(line_of(nics[3]), "0000:08:00.0 8086:1572 without a driver, node 1");
  EXPECT_EQ(nics[0].held_by, HeldBy::kernel);
  EXPECT_EQ(nics[1].held_by, HeldBy::dpdk);
  EXPECT_EQ(nics[3].held_by, HeldBy::nobody);
  EXPECT_TRUE(nics[0].interfaces.at(0).has_address);
  EXPECT_TRUE(nics[0].interfaces.at(0).up);
  EXPECT_FALSE(nics[2].interfaces.at(0).has_address);
  EXPECT_FALSE(nics[2].interfaces.at(0).up);
}

TEST(KernelNics, advice_is_the_command_that_binds) {
  const Sysfs sysfs;
  sysfs.device("0000:05:00.0", "i40e");
  sysfs.interface("0000:05:00.0/net/eth1", "0x1002", "-1");
  const auto advice = advice_for(sysfs.list().at(0), ready);
  EXPECT_EQ(advice.commands, (std::vector<std::string>{"dpdk-devbind.py --bind=vfio-pci 0000:05:00.0"}));
  EXPECT_TRUE(advice.warnings.empty());
}

TEST(KernelNics, advice_warns_of_an_interface_that_is_in_use) {
  const Sysfs sysfs;
  sysfs.device("0000:05:00.0", "i40e");
  sysfs.interface("0000:05:00.0/net/eth1", "0x1003", "10000");
  auto warnings = advice_for(sysfs.list().at(0), ready).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(warnings[0].starts_with("eth1 is up: ")) << warnings[0];
  sysfs.interface("0000:05:00.0/net/eth1", "0x1002", "-1");
  warnings = advice_for(sysfs.list({"eth1"}).at(0), ready).warnings;
  EXPECT_TRUE(warnings.at(0).starts_with("eth1 has an address: ")) << warnings[0];
}

TEST(KernelNics, advice_says_what_vfio_lacks) {
  const Sysfs sysfs;
  sysfs.device("0000:05:00.0", "");
  const auto lines = [&] { return advice_for(sysfs.list().at(0), read_binding_state(sysfs.root)).commands; };
  ASSERT_EQ(lines().size(), 3u);
  EXPECT_EQ(lines()[0], "modprobe vfio-pci");
  EXPECT_NE(lines()[1].find("enable_unsafe_noiommu_mode"), std::string::npos);
  sysfs.write("bus/pci/drivers/vfio-pci/bind", "");
  sysfs.write("module/vfio/parameters/enable_unsafe_noiommu_mode", "N");
  EXPECT_EQ(lines().size(), 2u);
  sysfs.write("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  EXPECT_EQ(lines().size(), 1u);
  sysfs.write("module/vfio/parameters/enable_unsafe_noiommu_mode", "N");
  sysfs.write("class/iommu/dmar0/name", "");
  EXPECT_EQ(lines().size(), 1u);
}

TEST(KernelNics, a_device_that_dpdk_has_or_shares_needs_no_binding) {
  const Sysfs sysfs;
  sysfs.device("0000:05:00.0", "mlx5_core");
  sysfs.interface("0000:05:00.0/net/eth1", "0x1003", "100000");
  sysfs.device("0000:06:00.0", "uio_pci_generic");
  const auto nics = sysfs.list({"eth1"});
  EXPECT_EQ(advice_for(nics.at(0), {}).warnings,
            (std::vector<std::string>{"0000:05:00.0 stays with mlx5_core: name it in live.ports as it is"}));
  for (const auto& nic : nics) EXPECT_TRUE(advice_for(nic, {}).commands.empty());
  EXPECT_TRUE(advice_for(nics.at(1), {}).warnings.empty());
}

TEST(KernelNics, a_machine_without_pci_has_none) {
  const Sysfs sysfs;
  EXPECT_TRUE(sysfs.list().empty());
  EXPECT_TRUE(list_pci_nics({}, "/nowhere").empty());
}

}  // namespace
}  // namespace weir::capture
