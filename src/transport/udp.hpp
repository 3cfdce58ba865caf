// SPDX-License-Identifier: BSD-3-Clause
// One message, one datagram (RFC 7011 §10.3).
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

/// What a collector that has no address yet, or no route to it, means.
enum class Absence : std::uint8_t {
  refused,     ///< a mistake: say so at once
  waited_for,  ///< send() looks for it again, now and then
};

struct UdpOptions {
  std::uint32_t rate = 0;             ///< messages a second, 0: as fast as the socket takes them
  std::size_t message_octets = 1400;  ///< the longest that will be sent
  Absence absence = Absence::refused;
};

/// The socket is connected to the first address that has a route, and keeps its source port: another port would be
/// another transport session (RFC 7011 §3.1).
class Udp {
 public:
  /// Throws StartError, too, if a message of the given length would be cut into fragments on the way that is known now.
  Udp(const Endpoint& endpoint, const UdpOptions& options) : Udp{endpoint, look_up(endpoint), options} {}
  Udp(const Endpoint& endpoint, LookedUp known, const UdpOptions& options);

  Sent send(Bytes message) noexcept;
  bool half_sent() const noexcept { return false; }
  void wait(milliseconds limit) noexcept;
  Sent finish() noexcept { return Sent::yes; }
  void abandon() noexcept {}
  std::uint64_t progress() const noexcept { return taken_; }
  std::string trouble() const { return trouble_.text(); }

  /// How often the other side said that nobody listens (ICMP port unreachable).
  std::uint64_t refusals() const noexcept { return refusals_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool open() noexcept;
  bool look_for_it() noexcept;
  bool fits() noexcept;
  std::size_t packet_octets_max() const noexcept;
  std::size_t message_octets_max() const noexcept;
  void pace() noexcept;

  Whereabouts where_;
  UdpOptions options_;
  bool asked_ = false;
  Clock::time_point look_at_{};
  Descriptor socket_;
  int family_ = 0;
  std::chrono::nanoseconds interval_{0};
  Clock::time_point next_{};
  std::uint64_t taken_ = 0, refusals_ = 0;
  Trouble trouble_;
};
static_assert(Transport<Udp>);

}  // namespace weir::transport
