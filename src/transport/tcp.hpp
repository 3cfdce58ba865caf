// SPDX-License-Identifier: BSD-3-Clause
// Messages one behind the other on a TCP connection, delimited by their lengths (RFC 7011 §10.4).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/descriptor.hpp"
#include "transport/endpoint.hpp"
#include "transport/transport.hpp"
#include "transport/trouble.hpp"
#include "transport/whereabouts.hpp"

namespace weir::transport {

struct TcpOptions {
  /// RFC 7011 §10.4.4: by default no connection attempt more often than once per minute.
  milliseconds retry_min = std::chrono::seconds{60};
  milliseconds stall_max = std::chrono::seconds{300};  ///< a collector that takes nothing for so long is gone
  milliseconds close_max{500};                         ///< for the collector to close, once it has everything
};

/// Connects when there is something to send, and again after a break, each time trying all addresses that the host has
/// by then.
class Tcp {
 public:
  Tcp(const Endpoint& endpoint, LookedUp known, const TcpOptions& options)
      : options_{options}, where_{endpoint, std::move(known)} {}

  Sent send(Bytes message) noexcept;
  bool half_sent() const noexcept { return written_ > 0; }
  void wait(milliseconds limit) noexcept;
  Sent finish() noexcept;
  void abandon() noexcept;
  std::uint64_t progress() const noexcept { return progress_; }
  std::string trouble() const { return trouble_.text(); }

  std::uint64_t connections() const noexcept { return connections_; }
  /// Octets of whole messages that the kernel had taken and the collector's had not confirmed when a connection ended.
  std::uint64_t unconfirmed() const noexcept { return unconfirmed_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { idle, looking, connecting, connected, closing, closed };

  bool is_connected() noexcept;
  void connect_next() noexcept;
  int connect_error() noexcept;
  void prepare(int socket) const noexcept;
  bool has_collector_gone() noexcept;
  std::uint64_t queued() const noexcept;
  Sent break_off() noexcept;
  Sent end(State state, Sent answer) noexcept;

  TcpOptions options_;
  Whereabouts where_;
  std::size_t next_address_ = 0;
  Descriptor socket_;
  State state_ = State::idle;
  bool is_first_ = true;
  Clock::time_point retry_at_{}, attempted_{}, confirmed_{};
  std::size_t written_ = 0;  ///< of the message that is on its way
  std::uint64_t queued_ = 0, progress_ = 0, connections_ = 0, unconfirmed_ = 0;
  Trouble trouble_;
};
static_assert(Transport<Tcp>);

}  // namespace weir::transport
