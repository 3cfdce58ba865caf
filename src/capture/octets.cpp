// SPDX-License-Identifier: BSD-3-Clause
#include "capture/octets.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace weir::capture {

namespace {

constexpr int gzip_only = 16 + MAX_WBITS;

Bytef* as_zlib(const std::byte* octets) noexcept {  // zlib reads through a pointer that is not const, but only reads
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(octets));
}

}  // namespace

Inflater::Inflater() {
  if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc{};
}

Inflater::Result Inflater::inflate_some(Bytes& in, std::span<std::byte>& out) noexcept {
  const auto in_octets = static_cast<uInt>(std::min<std::size_t>(in.size(), std::numeric_limits<uInt>::max()));
  const auto out_octets = static_cast<uInt>(std::min<std::size_t>(out.size(), std::numeric_limits<uInt>::max()));
  stream_.next_in = as_zlib(in.data());
  stream_.avail_in = in_octets;
  stream_.next_out = as_zlib(out.data());
  stream_.avail_out = out_octets;
  const int result = inflate(&stream_, Z_NO_FLUSH);
  in = in.subspan(in_octets - stream_.avail_in);
  out = out.subspan(out_octets - stream_.avail_out);
  if (result == Z_STREAM_END) return Result::member_ends;
  return result == Z_OK || result == Z_BUF_ERROR ? Result::going_on : Result::corrupt;
}

void Octets::begin(Source& source) noexcept {
  source_ = &source;
  head_used_ = 0;
  waiting_ = {};
  between_members_ = corrupt_ = more_inside_ = false;
  if (source.gzip) inflater_.reset();
  if (source.regular && source.file) ::posix_fadvise(source.file.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

void Octets::end() noexcept {
  if (!source_) return;
  source_->file.close();
  source_->head = {};
  source_ = nullptr;
}

Got Octets::read(std::span<std::byte> room) noexcept { return source_->gzip ? read_inflated(room) : read_stored(room); }

Got Octets::read_stored(std::span<std::byte> room) noexcept {
  room = room.first(std::min(room.size(), source_->read_max));
  if (head_used_ == source_->head.size()) return read_file(room);
  const auto octets = std::min(room.size(), source_->head.size() - head_used_);
  std::memcpy(room.data(), source_->head.data() + head_used_, octets);
  head_used_ += octets;
  consumed_.fetch_add(octets, std::memory_order_relaxed);
  return {octets, {}};
}

Got Octets::read_file(std::span<std::byte> room) noexcept {
  while (source_->file && !stopped()) {
    if (!source_->regular) wait_for_octets();
    if (stopped()) break;
    const auto octets = ::read(source_->file.number(), room.data(), room.size());
    if (octets < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (octets < 0) return {.octets = 0, .fault = std::string{"reading failed: "} + std::strerror(errno)};
    consumed_.fetch_add(static_cast<std::uint64_t>(octets), std::memory_order_relaxed);
    return {static_cast<std::size_t>(octets), {}};
  }
  return {};
}

/// A signal may arrive at another thread, which does not wake this one: so look up now and then.
void Octets::wait_for_octets() const noexcept {
  constexpr int look_up_milliseconds = 100;
  pollfd waiting{.fd = source_->file.number(), .events = POLLIN, .revents = 0};
  while (!stopped() && ::poll(&waiting, 1, look_up_milliseconds) == 0) continue;
}

/// What was inflated before a fault is given first; the fault is found again by the next read.
Got Octets::read_inflated(std::span<std::byte> room) noexcept {
  auto left = room;
  while (left.size() == room.size()) {
    if (corrupt_) return {.octets = 0, .fault = std::string{"its gzip stream is corrupt: "} + inflater_.reason()};
    if (waiting_.empty() && !more_inside_) {
      auto got = read_stored({deflated_.get(), deflated_max});
      if (got.octets == 0 && got.fault.empty() && !between_members_ && !stopped())
        got.fault = "its gzip stream is cut; copy the file again";
      if (got.octets == 0) return got;
      waiting_ = {deflated_.get(), got.octets};
    }
    if (between_members_ && !next_member()) break;
    const auto result = inflater_.inflate_some(waiting_, left);
    between_members_ = result == Inflater::Result::member_ends;
    corrupt_ = result == Inflater::Result::corrupt;
    more_inside_ = result == Inflater::Result::going_on && left.empty();  // it stopped for want of room, not of octets
  }
  return {room.size() - left.size(), {}};
}

/// RFC 1952 §2.2: members follow one another. Zeros behind the last one are padding, as gzip(1) has it.
bool Octets::next_member() noexcept {
  if (waiting_.front() == std::byte{0}) {
    waiting_ = {};
    source_->head = {};
    head_used_ = 0;
    source_->file.close();
    return false;
  }
  inflater_.reset();
  return true;
}

}  // namespace weir::capture
