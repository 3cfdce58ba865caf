// SPDX-License-Identifier: BSD-3-Clause
#include "capture/open.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "capture/format.hpp"

namespace weir::capture {

namespace {

constexpr std::size_t head_max = 4096;  // enough for any gzip header that a person would make

Problem unusable(const std::string& name, std::string_view reason) {
  return {ExitStatus::unusable_input, fmt::format("{} {}", name, reason)};
}

Problem cannot_open(const std::string& name, int error) {
  switch (error) {
    case ENOENT: return unusable(name, "does not exist; check the name");
    case EACCES:
      return unusable(name, "may not be read by this user: permission denied; chmod it, or run as its owner");
    case EMFILE: return unusable(name, "is one file too many to be open at once; raise the limit: ulimit -n");
    default: return unusable(name, fmt::format("cannot be opened: {}", std::strerror(error)));
  }
}

std::variant<Source, Problem> examine(Source source) {
  struct stat status {};
  if (::fstat(source.file.number(), &status) != 0) return cannot_open(source.name, errno);
  if (S_ISDIR(status.st_mode)) return unusable(source.name, "is a directory; name the captures in it");
  if (::isatty(source.file.number())) return unusable(source.name, "is a terminal; give a file or a pipe");
  source.regular = S_ISREG(status.st_mode);
  source.octets = source.regular ? static_cast<std::uint64_t>(status.st_size) : 0;
  return source;
}

/// The first octets of a source, as far as they can be had without losing them.
class Head {
 public:
  explicit Head(Source& source) noexcept : source_{source} {
    if (source.regular) start_ = ::lseek(source.file.number(), 0, SEEK_CUR);
    if (source.regular) seen_.reserve(head_max);
  }
  Bytes octets() const noexcept { return source_.regular ? seen_ : source_.head; }

  /// Reads on; 0 at the end.
  ssize_t more() {
    auto& into = source_.regular ? seen_ : source_.head;
    const auto have = into.size();
    if (!source_.file || have >= head_max) return 0;
    into.resize(head_max);
    auto* room = into.data() + have;
    const int file = source_.file.number();
    ssize_t got = 0;
    do {
      got = source_.regular ? ::pread(file, room, head_max - have, start_ + static_cast<off_t>(have))
                            : ::read(file, room, head_max - have);
    } while (got < 0 && errno == EINTR);
    into.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got;
  }

 private:
  Source& source_;
  off_t start_ = 0;
  std::vector<std::byte> seen_;
};

struct Inflated {
  std::array<std::byte, judged_octets> octets;
  std::size_t count;
};

Inflated inflate_head(Bytes head) {
  Inflated inflated{};
  Inflater inflater;
  std::span<std::byte> room{inflated.octets};
  while (!head.empty() && !room.empty()) {
    const auto before = head.size();
    if (inflater.inflate_some(head, room) == Inflater::Result::member_ends) inflater.reset();
    if (head.size() == before) break;
  }
  inflated.count = inflated.octets.size() - room.size();
  return inflated;
}

Judged judge_head(Bytes head, Source& source) {
  const auto judged = judge(head);
  source.gzip = judged.format == Format::gzip;
  if (!source.gzip) return judged;
  const auto inflated = inflate_head(head);
  const auto inner = judge({inflated.octets.data(), inflated.count});
  return inner.format == Format::gzip
             ? Judged{Format::other, "is gzip'd twice; undo one: gzip -dc FILE | weir replay -"}
             : inner;
}

}  // namespace

std::string printable(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return name;
}

void raise_open_files_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::variant<Source, Problem> open_source(const std::string& name) {
  Source source;
  source.name = name == "-" ? "standard input" : printable(name);
  const int number =
      name == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) return cannot_open(source.name, errno);
  source.file = Descriptor{number};
  return examine(std::move(source));
}

std::optional<Problem> judge_source(Source& source) {
  Head head{source};
  auto judged = judge_head(head.octets(), source);
  ssize_t got = 0;
  while (judged.format == Format::too_short && (got = head.more()) > 0) judged = judge_head(head.octets(), source);
  if (got < 0) return unusable(source.name, fmt::format("cannot be read: {}", std::strerror(errno)));
  if (judged.format == Format::other) return unusable(source.name, judged.reason);
  if (judged.format != Format::too_short) return {};
  if (head.octets().empty()) return unusable(source.name, "is empty; a capture has a header even without packets");
  if (source.gzip && head.octets().size() >= head_max) return {};  // a very long gzip header: it will be seen
  return unusable(source.name, source.gzip ? "holds no whole capture header once its gzip is undone; copy it again"
                                           : "ends within its capture header; copy it again");
}

}  // namespace weir::capture
