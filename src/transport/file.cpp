// SPDX-License-Identifier: BSD-3-Clause
#include "transport/file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "transport/folder.hpp"

namespace weir::transport {
namespace {

constexpr std::size_t buffer_octets = 256 * 1024;
constexpr std::size_t message_octets_min = 16;        ///< RFC 7011 §3.1: a header alone
constexpr std::chrono::seconds write_again_after{1};  ///< space does not come back sooner

/// "flows.ipfix" → "flows-3.ipfix": what looks for all files of a kind finds this one, too.
std::string numbered(const std::string& path, int number) {
  const auto name_at = directory_of(path).size();
  const auto dot = path.rfind('.');
  const auto end = dot == std::string::npos || dot <= name_at ? path.size() : dot;
  return path.substr(0, end) + "-" + std::to_string(number) + path.substr(end);
}

/// 0, or why not; EEXIST if something has that name.
int rename_without_replacing(const std::string& from, const std::string& to) noexcept {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot promise it: nobody else is expected to write under these names.
  if (::access(to.c_str(), F_OK) == 0) return EEXIST;
  return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

File::File(std::string path, const std::atomic<bool>& stop, const FileOptions& options)
    : options_{options}, path_{std::move(path)} {
  if (!options_.replace) {
    open_beside();
    give_away();
    return;
  }
  struct stat about {};
  const bool exists = path_ != "-" && ::stat(path_.c_str(), &about) == 0;
  if (exists && S_ISDIR(about.st_mode)) refuse({"is a directory", 0}, "give the name of a file in it");
  if (path_ == "-" || (exists && !S_ISREG(about.st_mode))) {
    open_directly(stop);
    return;
  }
  open_beside();
  if (exists) (void)::fchmod(file_.number(), about.st_mode & 0777);
  give_away();
}

bool File::begin_next(std::string path) noexcept try {
  path_ = std::move(path);
  left_as_.clear();
  buffered_ = 0;
  octets_ = whole_ = 0;
  ends_.clear();
  failed_ = true;
  open_beside();
  give_away();
  failed_ = false;
  return true;
} catch (const StartError&) {
  stuck_ = true;
  return false;
}

/// Last, for the mode may be changed by the owner alone.
void File::give_away() noexcept {
  if (options_.owner) (void)!::fchown(file_.number(), options_.owner->user, options_.owner->group);
}

void File::refuse(const Trouble& trouble, const std::string& remedy) {
  trouble_ = trouble;
  throw StartError{"--out " + path_ + ": " + trouble.text() + "; " + remedy};
}

void File::open_directly(const std::atomic<bool>& stop) {
  if (path_ == "-") {
    if (::isatty(STDOUT_FILENO)) refuse({"standard output is a terminal", 0}, "send it to a file or program");
    file_ = Descriptor{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)};
    if (!file_) refuse({"standard output", errno}, "open it, or give a file");
    return;
  }
  constexpr int pause_ms = 50;
  while (!stop.load(std::memory_order_relaxed)) {
    file_ = Descriptor{::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
    if (file_) return;
    if (errno != ENXIO && errno != EINTR) refuse({"open", errno}, "give a file that may be written");
    if (!options_.wait_for_reader) refuse({"is a FIFO that nobody reads", 0}, "start its reader first");
    ::poll(nullptr, 0, pause_ms);  // a FIFO that nobody reads yet
  }
  throw StartError{"--out " + path_ + ": interrupted while it waited for a reader; nothing was read", ExitStatus::good};
}

void File::open_beside() {
  target_ = options_.replace ? target_of(path_) : path_;
  if (options_.replace && ::access(target_.c_str(), F_OK) == 0 && ::access(target_.c_str(), W_OK) != 0)
    refuse({"may not be written", errno}, "give another name, or change its permissions");
  if (options_.replace && !may_replace(target_))
    refuse({"may only be replaced by its owner", EPERM}, "give another name, or remove it");
  constexpr int attempts = 1000;
  for (int i = 0; i < attempts && !file_; ++i) {
    temporary_ = directory_of(target_) + ".weir-" + std::to_string(::getpid()) + "-" + std::to_string(i) + ".part";
    file_ = Descriptor{::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
    if (!file_ && errno != EEXIST) break;
  }
  if (!file_) {
    const int error = errno;
    temporary_.clear();
    const bool is_forbidden = error == EACCES || error == EPERM;
    refuse({"creating a file in its directory", error},
           is_forbidden ? "`chown " + std::to_string(::geteuid()) + " " + directory_of(target_) +
                              ".` lets it, or give a name in another directory"
                        : "give a name in a directory that exists and may be written");
  }
  // For as long as this process lives the lock tells the file from one that was left behind (leftovers.hpp).
  (void)::flock(file_.number(), LOCK_EX | LOCK_NB);
  buffer_.resize(buffer_octets);
  ends_.reserve(buffer_octets / message_octets_min);
}

Sent File::send(Bytes message) noexcept {
  if (failed_) return Sent::failed;
  if (!is_whole_or_nothing()) return write_through(message);
  const bool is_time = stuck_ ? Clock::now() >= retry_at_ : message.size() > room();
  if (is_time) (void)write_out();
  if (message.size() > room()) return Sent::try_later;
  std::memcpy(buffer_.data() + buffered_, message.data(), message.size());
  buffered_ += message.size();
  ends_.push_back(octets_ + buffered_);
  ++progress_;
  return Sent::yes;
}

/// A pipe that is ready takes PIPE_BUF octets without blocking, even if it was not opened to never block.
Sent File::write_through(Bytes message) noexcept {
  while (written_ < message.size()) {
    pollfd ready{.fd = file_.number(), .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) == 0) {
      trouble_ = {"nobody reads it", 0};
      return Sent::try_later;
    }
    const auto left = message.subspan(written_, std::min<std::size_t>(message.size() - written_, PIPE_BUF));
    const auto octets = ::write(file_.number(), left.data(), left.size());
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno == EAGAIN) return Sent::try_later;
    if (octets < 0) return fail({"write", errno});
    written_ += static_cast<std::size_t>(octets);
    progress_ += static_cast<std::uint64_t>(octets);
  }
  written_ = 0;
  return Sent::yes;
}

/// False: what was not written stays in the buffer.
bool File::write_out() noexcept {
  std::size_t at = 0;
  int error = 0;
  while (at < buffered_ && error == 0) {
    const auto octets = ::write(file_.number(), buffer_.data() + at, buffered_ - at);
    if (octets >= 0) at += static_cast<std::size_t>(octets);
    else if (errno != EINTR) error = errno;
  }
  take_out(at);
  stuck_ = error != 0;
  if (!stuck_) return true;
  trouble_ = {"write", error};
  retry_at_ = Clock::now() + write_again_after;
  return false;
}

/// So many octets of the buffer are in the file.
void File::take_out(std::size_t octets) noexcept {
  std::memmove(buffer_.data(), buffer_.data() + octets, buffered_ - octets);
  buffered_ -= octets;
  octets_ += octets;
  const auto half = std::upper_bound(ends_.begin(), ends_.end(), octets_);
  if (half != ends_.begin()) whole_ = *(half - 1);
  ends_.erase(ends_.begin(), half);
}

bool File::is_disk_full() const noexcept { return stuck_ && (trouble_.error == ENOSPC || trouble_.error == EDQUOT); }

Sent File::finish() noexcept {
  if (failed_) return Sent::failed;
  if (!is_whole_or_nothing()) {
    const int error = file_.close();
    return error == 0 ? Sent::yes : fail({"close", error});
  }
  return write_out() ? close_under_its_name() : Sent::failed;
}

bool File::keep_whole_messages() noexcept {
  const bool can = !failed_ && is_whole_or_nothing() && whole_ > 0;
  if (can && ::ftruncate(file_.number(), static_cast<off_t>(whole_)) == 0) return close_under_its_name() == Sent::yes;
  abandon();
  return false;
}

Sent File::close_under_its_name() noexcept {
  if (const int error = file_.close()) return fail({"close", error});
  failed_ = true;  // nothing more goes into it
  if (const int error = give_name()) {
    trouble_ = {"rename", error};
    if (::access(temporary_.c_str(), F_OK) == 0) left_as_ = temporary_;
    temporary_.clear();
    return Sent::failed;
  }
  temporary_.clear();
  return Sent::yes;
}

/// 0, or why not.
int File::give_name() noexcept {
  if (options_.replace) return std::rename(temporary_.c_str(), target_.c_str()) == 0 ? 0 : errno;
  constexpr int attempts = 100'000;
  int error = rename_without_replacing(temporary_, target_);
  for (int i = 1; error == EEXIST && i < attempts; ++i)
    error = rename_without_replacing(temporary_, numbered(target_, i));
  return error;
}

Sent File::fail(Trouble trouble) noexcept {
  trouble_ = trouble;
  abandon();
  return Sent::failed;
}

void File::abandon() noexcept {
  failed_ = true;
  file_.close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

void File::wait(milliseconds limit) noexcept {
  pollfd ready{.fd = file_.number(), .events = POLLOUT, .revents = 0};
  ::poll(&ready, 1, static_cast<int>(limit.count()));
}

}  // namespace weir::transport
