// SPDX-License-Identifier: BSD-3-Clause
// An IPFIX File: messages one behind the other (RFC 5655 §7.2).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "transport/transport.hpp"
#include "transport/trouble.hpp"

namespace weir::transport {

struct FileOptions {
  bool replace = true;          ///< a file that is there already; if not, the new one gets a number behind its name
  bool wait_for_reader = true;  ///< of a FIFO; if not, one that nobody reads is refused
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

  Sent send(Bytes message) noexcept;
  bool half_sent() const noexcept { return written_ > 0; }
  void wait(milliseconds limit) noexcept;
  Sent finish() noexcept;
  /// A file that did not become whole is removed.
  void abandon() noexcept;
  std::uint64_t progress() const noexcept { return progress_; }
  std::string trouble() const { return trouble_.text(); }

  /// Messages are out only when finish() said yes: until then nothing is under the file's name.
  bool is_whole_or_nothing() const noexcept { return !target_.empty(); }

  /// Another regular file, behind one that was finished or failed. False: it cannot be, and trouble() says why.
  bool begin_next(std::string path) noexcept;

 private:
  void open_directly(const std::atomic<bool>& stop);
  void open_beside();
  [[noreturn]] void refuse(const Trouble& trouble, const char* remedy);
  Sent write_through(Bytes message) noexcept;
  bool write_out() noexcept;
  int give_name() noexcept;
  Sent fail(Trouble trouble) noexcept;

  FileOptions options_;
  std::string path_, target_, temporary_;
  Descriptor file_;
  std::vector<std::byte> buffer_;  ///< regular files only
  std::size_t buffered_ = 0;
  std::size_t written_ = 0;  ///< of the message that is on its way
  std::uint64_t progress_ = 0;
  bool failed_ = false;
  Trouble trouble_;
};
static_assert(Transport<File>);

}  // namespace weir::transport
