// SPDX-License-Identifier: BSD-3-Clause
// The text of files as sysfs and procfs have them: small, and of no size that could be asked for.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace weir {

/// At most 16 KiB; empty where it cannot be read.
inline std::string text_of(const std::filesystem::path& path) {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file{std::fopen(path.c_str(), "re"), close};
  std::string text(std::size_t{1} << 14, '\0');
  text.resize(file ? std::fread(text.data(), 1, text.size(), file.get()) : 0);
  return text;
}

}  // namespace weir
