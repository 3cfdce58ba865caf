// SPDX-License-Identifier: BSD-3-Clause
#include "transport/leftovers.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <filesystem>

#include "base/descriptor.hpp"

namespace weir::transport {
namespace {

bool is_temporary(const std::string& name) { return name.starts_with(".weir-") && name.ends_with(".part"); }

bool is_left(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)};
  return file && ::flock(file.number(), LOCK_SH | LOCK_NB) == 0;
}

}  // namespace

std::vector<std::string> leftovers_beside(const std::string& path) {
  std::vector<std::string> found;
  const auto parent = std::filesystem::path{path}.parent_path();
  std::error_code error;
  std::filesystem::directory_iterator at{parent.empty() ? "." : parent, error};
  for (; !error && at != std::filesystem::directory_iterator{}; at.increment(error))
    if (is_temporary(at->path().filename()) && is_left(at->path()))
      found.push_back((parent / at->path().filename()).string());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace weir::transport
