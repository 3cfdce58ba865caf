// SPDX-License-Identifier: BSD-3-Clause
// The octets of a capture as one stream, whether they come from a file, a pipe or memory, gzip'd or not.
#pragma once

#include <zlib.h>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <weir/bytes.hpp>

#include "base/descriptor.hpp"

namespace weir::capture {

/// Where a capture comes from: first the octets of `head`, then those that `file` still gives, if it is open.
struct Source {
  std::string name;
  std::vector<std::byte> head;  ///< what was read already to judge it; for tests, all of it
  Descriptor file;
  std::uint64_t octets = 0;  ///< size of a regular file
  bool regular = false;      ///< it never blocks
  bool gzip = false;
  std::size_t read_max = std::numeric_limits<std::size_t>::max();  ///< octets a read gives at most: tests make it 1
};

/// What reading came to.
struct Got {
  std::size_t octets = 0;  ///< 0: the end, or a fault
  std::string fault;       ///< why it ended early
};

/// zlib's inflater, with all its memory from the start.
class Inflater {
 public:
  Inflater();
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void reset() noexcept { inflateReset(&stream_); }
  enum class Result : std::uint8_t { going_on, member_ends, corrupt };
  /// Takes octets from the front of `in` and of `out` as it uses them.
  Result inflate_some(Bytes& in, std::span<std::byte>& out) noexcept;
  const char* reason() const noexcept { return stream_.msg ? stream_.msg : "invalid data"; }

 private:
  z_stream stream_{};
};

/// Reads sources, one after another.
class Octets {
 public:
  void begin(Source& source) noexcept;
  void end() noexcept;
  /// Reads some octets, at most as many as there is room for. Waits for a pipe, unless stop() is called.
  Got read(std::span<std::byte> room) noexcept;

  /// May be called from a signal handler.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }
  /// Octets read so far from all sources, before they are inflated.
  std::uint64_t consumed() const noexcept { return consumed_.load(std::memory_order_relaxed); }

 private:
  Got read_stored(std::span<std::byte> room) noexcept;
  Got read_file(std::span<std::byte> room) noexcept;
  Got read_inflated(std::span<std::byte> room) noexcept;
  void wait_for_octets() const noexcept;
  bool next_member() noexcept;

  static constexpr std::size_t deflated_max = 64 * 1024;
  Source* source_ = nullptr;
  std::size_t head_used_ = 0;
  Inflater inflater_;
  std::unique_ptr<std::byte[]> deflated_ = std::make_unique<std::byte[]>(deflated_max);
  Bytes waiting_;  // the part of deflated_ that is not inflated yet
  bool between_members_ = false, corrupt_ = false;
  bool more_inside_ = false;  // the inflater may still have octets though it needs no more of the file
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> consumed_{0};
};

}  // namespace weir::capture
