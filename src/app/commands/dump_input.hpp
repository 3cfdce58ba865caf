// SPDX-License-Identifier: BSD-3-Clause
// A file or standard input, gzip'd or not, as a window that moves over its octets.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <string>
#include <vector>
#include <weir/bytes.hpp>

namespace weir::app {

class DumpInput {
 public:
  /// "-" is standard input. Throws StartError.
  explicit DumpInput(const std::string& name);
  ~DumpInput();
  DumpInput(const DumpInput&) = delete;
  DumpInput& operator=(const DumpInput&) = delete;

  Bytes window() const noexcept { return Bytes{buffer_}.subspan(begin_, end_ - begin_); }
  void drop(std::size_t octets) noexcept { begin_ += octets; }
  bool is_at_end() const noexcept { return at_end_; }
  /// Waits for at least one octet more, or sees the end. The window's old octets move.
  void fill();

  /// Why the octets ended before their time; empty if they did not.
  const std::string& trouble() const noexcept { return trouble_; }

 private:
  std::size_t read_raw(std::span<std::byte> room);
  std::size_t inflate_into(std::span<std::byte> room);
  void detect_gzip();

  int descriptor_ = -1;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool at_end_ = false;
  std::string trouble_;

  bool is_gzip_ = false;
  z_stream inflater_{};
  std::vector<std::byte> packed_;                     ///< read, not yet inflated
  bool inside_member_ = false, more_inside_ = false;  ///< gzip files may be several, one after another
};

}  // namespace weir::app
