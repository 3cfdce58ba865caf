// SPDX-License-Identifier: BSD-3-Clause
#include "app/running_mark.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/error.hpp"

namespace weir::app {
namespace {

/// The number of a process as the file holds it; 0 for an empty file, and for any other.
long number_in(int file) {
  std::array<char, 24> text{};
  const auto length = ::pread(file, text.data(), text.size() - 1, 0);
  const auto number = length > 0 ? std::strtol(text.data(), nullptr, 10) : 0;
  return number > 0 ? number : 0;
}

[[noreturn]] void fail(const std::string& path, int error) {
  throw StartError{
      fmt::format("{}: {}; delete it if no probe runs, or give another live.control", path, std::strerror(error))};
}

}  // namespace

RunningMark::RunningMark(const std::string& path, const std::string& busy)
    : file_{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)} {
  if (!file_) fail(path, errno);
  if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail(path, errno);
    const auto other = number_in(file_.number());
    throw StartError{other ? fmt::format("{} (process {})", busy, other) : busy};
  }
  left_by_ = number_in(file_.number());
  const auto text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file_.number(), 0) != 0) fail(path, errno);
  if (::pwrite(file_.number(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) fail(path, errno);
}

/// The file stays: who removes a locked file may remove that of another who has just locked it.
RunningMark::~RunningMark() {
  if (::ftruncate(file_.number(), 0) != 0) return;  // then the next start says too much rather than too little
}

/// It is open: that suffices to end in order. Who took it owns it and may take it again, whatever capabilities are left
/// by then; the group is for a start without root.
void RunningMark::give_to(const Identity& owner) {
  if (::fchown(file_.number(), ::geteuid(), owner.group) != 0) return;
  if (::fchmod(file_.number(), 0664) != 0) return;
}

}  // namespace weir::app
