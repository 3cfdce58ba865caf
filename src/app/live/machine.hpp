// SPDX-License-Identifier: BSD-3-Clause
// What memory a machine has: read once at start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace weir::app {

/// Huge pages of one size. `folder` is where the kernel is told to make more.
struct HugePages {
  std::uint64_t octets_each = 0, all = 0, free = 0;
  std::string folder{};
};

struct MemoryNode {
  unsigned number = 0;
  std::vector<HugePages> pages{};  ///< smallest first; empty where the kernel has none
  std::uint64_t available = 0;     ///< octets that ordinary memory could still give: free, or cached files

  std::uint64_t huge_octets_free() const noexcept;
};

struct Machine {
  std::vector<MemoryNode> nodes{};  ///< in the order of their numbers; one where the kernel knows none
  std::uint64_t available = 0;      ///< MemAvailable of all nodes together

  /// nullptr where there is no such node.
  const MemoryNode* node(unsigned number) const noexcept;
};

/// Reads ROOT/sys/devices/system/node and ROOT/proc/meminfo. What cannot be read counts as nothing.
Machine read_machine(const std::filesystem::path& root = "/");

}  // namespace weir::app
