// SPDX-License-Identifier: BSD-3-Clause
#include "app/live/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/small_file.hpp"

namespace weir::app {
namespace {

namespace fs = std::filesystem;

std::uint64_t number_in(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "MemFree:  4955160 kB" → octets.
std::uint64_t octets_called(std::string_view name, std::string_view text) {
  const auto at = text.find(name);
  return at == text.npos ? 0 : number_in(text.substr(at + name.size())) * 1024;
}

/// A node has no MemAvailable of its own: what is free, and what a use of files could give back.
std::uint64_t available_in(std::string_view meminfo) {
  std::uint64_t sum = 0;
  for (const auto* name : {"MemFree:", "Active(file):", "Inactive(file):", "SReclaimable:"})
    sum += octets_called(name, meminfo);
  return sum;
}

/// The folders `prefix`N of `in`, by their numbers.
std::vector<std::pair<std::uint64_t, fs::path>> numbered(const fs::path& in, std::string_view prefix) {
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{in, none}) {
    const auto name = entry.path().filename().string();
    const bool has_number = name.size() > prefix.size() && name.starts_with(prefix) && name[prefix.size()] >= '0' &&
                            name[prefix.size()] <= '9';
    if (has_number) found.emplace_back(number_in(std::string_view{name}.substr(prefix.size())), entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::vector<HugePages> pages_in(const fs::path& folder, const fs::path& root) {
  std::vector<HugePages> pages;
  for (const auto& [kibibytes, path] : numbered(folder, "hugepages-"))
    pages.push_back({.octets_each = kibibytes * 1024,
                     .all = number_in(text_of(path / "nr_hugepages")),
                     .free = number_in(text_of(path / "free_hugepages")),
                     .folder = fmt::format("/{}", path.lexically_relative(root).string())});
  return pages;
}

}  // namespace

std::uint64_t MemoryNode::huge_octets_free() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& size : pages) sum += size.free * size.octets_each;
  return sum;
}

const MemoryNode* Machine::node(unsigned number) const noexcept {
  const auto found = std::ranges::find(nodes, number, &MemoryNode::number);
  return found == nodes.end() ? nullptr : &*found;
}

Machine read_machine(const fs::path& root) {
  Machine machine{.nodes = {}, .available = octets_called("MemAvailable:", text_of(root / "proc/meminfo"))};
  for (const auto& [number, path] : numbered(root / "sys/devices/system/node", "node"))
    machine.nodes.push_back({.number = static_cast<unsigned>(number),
                             .pages = pages_in(path / "hugepages", root),
                             .available = available_in(text_of(path / "meminfo"))});
  if (machine.nodes.empty())
    machine.nodes.push_back(
        {.pages = pages_in(root / "sys/kernel/mm/hugepages", root), .available = machine.available});
  return machine;
}

}  // namespace weir::app
