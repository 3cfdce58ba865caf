// SPDX-License-Identifier: BSD-3-Clause
#include "transport/udp.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/error.hpp"

namespace weir::transport {

using std::chrono::nanoseconds;

Udp::Udp(const Endpoint& endpoint, std::span<const Address> addresses, const UdpOptions& options) {
  open(endpoint, addresses);
  check_path(endpoint, options.message_octets);
  if (options.rate > 0) interval_ = nanoseconds{1'000'000'000 / options.rate};
}

void Udp::open(const Endpoint& endpoint, std::span<const Address> addresses) {
  int error = 0;
  for (const auto& address : addresses) {
    Descriptor socket{::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (socket && ::connect(socket.number(), address.get(), address.octets) == 0) {
      socket_ = std::move(socket);
      family_ = address.family();
      return;
    }
    error = errno;
  }
  throw StartError{endpoint.text + ": " + Trouble{"no way there", error}.text() + "; check host and routes"};
}

/// RFC 7011 §10.3.3: the message length is set so that no packet is longer than the path takes.
void Udp::check_path(const Endpoint& endpoint, std::size_t message_octets) const {
  constexpr std::size_t ipv4_and_udp = 28, ipv6_and_udp = 48, datagram_max = 65535;
  const bool v6 = family_ == AF_INET6;
  const auto headers = v6 ? ipv6_and_udp : ipv4_and_udp;
  int path = 0;
  socklen_t octets = sizeof path;
  const bool known = v6 ? ::getsockopt(socket_.number(), IPPROTO_IPV6, IPV6_MTU, &path, &octets) == 0
                        : ::getsockopt(socket_.number(), IPPROTO_IP, IP_MTU, &path, &octets) == 0;
  const auto packet_max = known && path > 0 ? std::min(static_cast<std::size_t>(path), datagram_max) : datagram_max;
  const auto message_max = packet_max > headers ? packet_max - headers : 0;
  if (message_octets > message_max)
    throw StartError{endpoint.text + ": the path takes packets of " + std::to_string(packet_max) +
                     " octets; set export.message_octets to " + std::to_string(message_max) + " or less"};
}

Sent Udp::send(Bytes message) noexcept {
  if (interval_ > nanoseconds{0} && Clock::now() < next_) return Sent::paced;
  // An ICMP error is told to the next send, once, and that send does nothing: so it is repeated.
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (::send(socket_.number(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
      ++taken_;
      pace();
      return Sent::yes;
    }
    trouble_ = {"send", errno};
    if (errno == ECONNREFUSED) ++refusals_;
    else if (errno != EINTR) break;
  }
  switch (trouble_.error) {
    case EMSGSIZE:
    case EINVAL: return Sent::refused;
    default: return Sent::try_later;  // buffers are full, or there is no route just now
  }
}

/// A sender that was late may catch up a little, so that the rate is met in spite of coarse sleeping.
void Udp::pace() noexcept {
  if (interval_ == nanoseconds{0}) return;
  constexpr std::chrono::milliseconds catch_up{5};
  next_ = std::max(next_, Clock::now() - catch_up) + interval_;
}

void Udp::wait(milliseconds limit) noexcept {
  const auto now = Clock::now();
  if (now < next_) {
    const auto pause = std::min<nanoseconds>(next_ - now, limit);
    const timespec sleep{.tv_sec = pause.count() / 1'000'000'000, .tv_nsec = pause.count() % 1'000'000'000};
    ::nanosleep(&sleep, nullptr);
    return;
  }
  constexpr milliseconds no_event{10};  // ENOBUFS, no route: nothing tells when that is over
  pollfd ready{.fd = socket_.number(), .events = POLLOUT, .revents = 0};
  const bool can_tell = trouble_.error == EAGAIN;
  ::poll(&ready, can_tell ? 1 : 0, static_cast<int>((can_tell ? limit : std::min(limit, no_event)).count()));
}

}  // namespace weir::transport
