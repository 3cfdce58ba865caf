// SPDX-License-Identifier: BSD-3-Clause
// SIGINT and SIGTERM ask a probe to end in good order, SIGHUP to read its settings anew. A second SIGINT or SIGTERM
// ends the process at once. One of these lives at a time.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/descriptor.hpp"

namespace weir::app {

class Signals {
 public:
  /// Milliseconds that never turn back; asked in a signal handler.
  using Clock = std::int64_t (*)() noexcept;
  static std::int64_t monotonic_clock() noexcept;

  /// From here on. SIGPIPE is ignored. Throws StartError.
  explicit Signals(Clock clock = monotonic_clock);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  /// Signals are again what they are for any process.
  ~Signals();

  /// For whoever watches it from another thread, too.
  const std::atomic<bool>& is_asked_to_end() const noexcept;
  /// True once for one or more SIGHUP.
  bool take_reload() noexcept;

  /// Readable from a signal on until calm().
  int wake() const noexcept { return wake_.number(); }
  /// Before the two questions above are asked, so that no signal is missed.
  void calm() noexcept;

 private:
  Descriptor wake_, ring_;
};

}  // namespace weir::app
