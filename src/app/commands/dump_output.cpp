// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/dump_output.hpp"

#include <unistd.h>

#include <cerrno>

namespace weir::app {

void DumpOutput::flush() {
  std::size_t written = 0;
  while (error_ == 0 && written < text_.size()) {
    const auto now = ::write(STDOUT_FILENO, text_.data() + written, text_.size() - written);
    if (now >= 0) written += static_cast<std::size_t>(now);
    else if (errno != EINTR) error_ = errno;
  }
  text_.clear();
}

}  // namespace weir::app
