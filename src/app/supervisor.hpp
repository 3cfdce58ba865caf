// SPDX-License-Identifier: BSD-3-Clause
// What systemd is told of a service (sd_notify(3), Type=notify): ready, alive, reloading, stopping, and a line for
// people. Without $NOTIFY_SOCKET nothing happens. A few datagrams need no library.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/descriptor.hpp"

namespace weir::app {

class Supervisor {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.
  Supervisor();

  bool is_there() const noexcept { return static_cast<bool>(socket_); }
  /// How often alive() must be called at least; 0 where nobody watches.
  std::chrono::microseconds watchdog() const noexcept { return watchdog_; }

  void ready(std::string_view status);  ///< after the start, and after a reload
  void reloading();
  void stopping(std::string_view status);
  void status(std::string_view line);
  /// Says that the process is alive, where half of the watchdog's time has passed since it was last said.
  void alive(Time now);

 private:
  void tell(std::string_view lines);

  Descriptor socket_;
  std::string address_;  ///< a sockaddr_un's path; abstract ones begin with 0
  std::chrono::microseconds watchdog_{};
  Time alive_at_{};
};

}  // namespace weir::app
