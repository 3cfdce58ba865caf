// SPDX-License-Identifier: BSD-3-Clause
// A directory of a test's own, gone when the test is.
#pragma once

#include <stdlib.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace weir::test {

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error{"mkdtemp"};
    path_ = name;
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::size_t entries() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{path_}) ++count;
    return count;
  }

 private:
  std::filesystem::path path_;
};

inline std::vector<std::byte> contents(const std::string& path) {
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  auto* file = std::fopen(path.c_str(), "rb");
  if (!file) throw std::runtime_error{"open " + path};
  const auto read = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  if (read != bytes.size()) throw std::runtime_error{"read " + path};
  return bytes;
}

}  // namespace weir::test
