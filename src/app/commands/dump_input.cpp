// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace weir::app {
namespace {

constexpr std::size_t buffer_octets = std::size_t{1} << 19;
constexpr std::size_t packed_octets = std::size_t{1} << 17;
constexpr int any_gzip_window = 15 + 16;  // zlib.h: the largest window, gzip's header

Bytef* raw(const std::byte* octets) noexcept { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(octets)); }

int open_input(const std::string& name) {
  const int descriptor = name == "-" ? ::dup(STDIN_FILENO) : ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about {};
  if (descriptor < 0 || ::fstat(descriptor, &about) != 0) {
    const int why = errno;
    if (descriptor >= 0) ::close(descriptor);
    throw StartError{fmt::format("{}: cannot open: {}", name, std::strerror(why)), ExitStatus::unusable_input};
  }
  if (S_ISDIR(about.st_mode)) {
    ::close(descriptor);
    throw StartError{fmt::format("{}: is a directory; name the IPFIX files in it", name), ExitStatus::unusable_input};
  }
  return descriptor;
}

}  // namespace

DumpInput::DumpInput(const std::string& name) : descriptor_{open_input(name)}, buffer_(buffer_octets) { detect_gzip(); }

DumpInput::~DumpInput() {
  if (is_gzip_) inflateEnd(&inflater_);
  ::close(descriptor_);
}

std::size_t DumpInput::read_raw(std::span<std::byte> room) {
  for (;;) {
    const auto got = ::read(descriptor_, room.data(), room.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    trouble_ = fmt::format("cannot read on: {}", std::strerror(errno));
    return 0;
  }
}

void DumpInput::detect_gzip() {
  while (end_ < 2) {
    const auto got = read_raw(std::span{buffer_}.subspan(end_));
    end_ += got;
    at_end_ = got == 0;
    if (at_end_) return;
  }
  if (load_be<std::uint16_t>(buffer_.data()) != 0x1f8b) return;  // RFC 1952 §2.3.1
  if (inflateInit2(&inflater_, any_gzip_window) != Z_OK) throw StartError{"zlib: cannot start: out of memory"};
  is_gzip_ = inside_member_ = true;
  packed_.resize(packed_octets + buffer_octets);
  std::ranges::copy(window(), packed_.begin());
  inflater_.next_in = raw(packed_.data());
  inflater_.avail_in = static_cast<uInt>(end_);
  end_ = 0;
}

void DumpInput::fill() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  const auto room = std::span{buffer_}.subspan(end_);
  const auto got = is_gzip_ ? inflate_into(room) : read_raw(room);
  end_ += got;
  at_end_ = got == 0;
}

std::size_t DumpInput::inflate_into(std::span<std::byte> room) {
  inflater_.next_out = raw(room.data());
  inflater_.avail_out = static_cast<uInt>(room.size());
  while (inflater_.avail_out == room.size()) {
    if (inflater_.avail_in == 0 && !std::exchange(more_inside_, false)) {
      inflater_.next_in = raw(packed_.data());
      inflater_.avail_in = static_cast<uInt>(read_raw(packed_));
      if (inflater_.avail_in == 0) {
        if (inside_member_ && trouble_.empty()) trouble_ = "the gzip data end too early";
        return 0;
      }
    }
    inside_member_ = true;
    const int result = inflate(&inflater_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      inside_member_ = false;
      inflateReset(&inflater_);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      trouble_ = "the gzip data are damaged";
      inflater_.avail_in = 0;
      break;
    }
  }
  more_inside_ = inside_member_ && inflater_.avail_out == 0;  // it stopped for want of room, not of octets
  return room.size() - inflater_.avail_out;
}

}  // namespace weir::app
