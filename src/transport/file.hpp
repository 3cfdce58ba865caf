// SPDX-License-Identifier: BSD-3-Clause
// An IPFIX File: messages one behind the other (RFC 5655 §7.2).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "transport/transport.hpp"
#include "transport/trouble.hpp"

namespace weir::transport {

/// Whom files are given to, where that is allowed.
struct Owner {
  uid_t user;
  gid_t group;
};

struct FileOptions {
  bool replace = true;              ///< a file that is there already; if not, the new one gets a number behind its name
  bool wait_for_reader = true;      ///< of a FIFO; if not, one that nobody reads is refused
  std::optional<Owner> owner = {};  ///< of regular files: who will rename them
};

/// A regular file is written beside its place under another name, and renamed over it when it is whole; a program that
/// waits for the name never reads half a file. Pipes, devices and standard output ("-") are written into as they are.
class File {
 public:
  /// Throws StartError. A FIFO waits for its reader, until `stop`.
  File(std::string path, const std::atomic<bool>& stop, const FileOptions& options = {});
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { abandon(); }

  /// What a regular file does not take (a full disk) stays in the buffer, and what the buffer does not take is for
  /// later.
  Sent send(Bytes message) noexcept;
  bool half_sent() const noexcept { return written_ > 0; }
  void wait(milliseconds limit) noexcept;
  /// A file that is whole and cannot have its name keeps the temporary one: left_as().
  Sent finish() noexcept;
  /// Instead of finish(), where a write failed: the file is cut to the whole messages in it, and gets its name. False:
  /// there are none, or it could not be.
  bool keep_whole_messages() noexcept;
  /// A file that did not become whole is removed.
  void abandon() noexcept;
  std::uint64_t progress() const noexcept { return progress_; }
  std::string trouble() const { return trouble_.text(); }

  /// Messages are out only when finish() said yes: until then nothing is under the file's name.
  bool is_whole_or_nothing() const noexcept { return !target_.empty(); }
  /// The newest messages that are taken and not written yet, or only half.
  std::size_t unwritten() const noexcept { return ends_.size(); }
  /// The last write failed. send() tries again, about once a second.
  bool is_stuck() const noexcept { return stuck_; }
  /// A write failed because there is no room, and not because this file may not be longer.
  bool is_disk_full() const noexcept;

  const std::string& path() const noexcept { return path_; }
  /// Where the last file is that was whole and could not have its name; empty: it has it.
  const std::string& left_as() const noexcept { return left_as_; }

  /// Another regular file, behind one that was finished or failed. False: it cannot be, and trouble() says why.
  bool begin_next(std::string path) noexcept;

 private:
  using Clock = std::chrono::steady_clock;

  void open_directly(const std::atomic<bool>& stop);
  void open_beside();
  void give_away() noexcept;
  [[noreturn]] void refuse(const Trouble& trouble, const std::string& remedy);
  Sent write_through(Bytes message) noexcept;
  bool write_out() noexcept;
  void take_out(std::size_t octets) noexcept;
  std::size_t room() const noexcept { return buffer_.size() - buffered_; }
  Sent close_under_its_name() noexcept;
  int give_name() noexcept;
  Sent fail(Trouble trouble) noexcept;

  FileOptions options_;
  std::string path_, target_, temporary_, left_as_;
  Descriptor file_;
  std::vector<std::byte> buffer_;  ///< regular files only
  std::size_t buffered_ = 0;
  std::uint64_t octets_ = 0, whole_ = 0;  ///< in the file; in its whole messages
  std::vector<std::uint64_t> ends_;       ///< of the messages that are unwritten(), from the file's begin
  Clock::time_point retry_at_{};
  std::size_t written_ = 0;  ///< of the message that is on its way
  std::uint64_t progress_ = 0;
  bool failed_ = false, stuck_ = false;
  Trouble trouble_;
};
static_assert(Transport<File>);

}  // namespace weir::transport
