// SPDX-License-Identifier: BSD-3-Clause
// Standard output in large writes. When the reader has gone away, everything stops quietly.
#pragma once

#include <fmt/format.h>

#include <cstddef>

namespace weir::app {

class DumpOutput {
 public:
  using Text = fmt::memory_buffer;

  Text& text() noexcept { return text_; }
  void flush_when_full() {
    if (text_.size() >= full) flush();
  }
  void flush();

  bool is_closed() const noexcept { return error_ != 0; }
  /// errno of the write that failed, 0 if none did.
  int error() const noexcept { return error_; }

 private:
  static constexpr std::size_t full = std::size_t{1} << 16;
  Text text_;
  int error_ = 0;
};

}  // namespace weir::app
