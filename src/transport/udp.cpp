// SPDX-License-Identifier: BSD-3-Clause
#include "transport/udp.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace weir::transport {

using std::chrono::nanoseconds;

namespace {

constexpr std::chrono::seconds look_again_after{5};
constexpr std::size_t datagram_octets_max = 65535;

}  // namespace

Udp::Udp(const Endpoint& endpoint, LookedUp known, const UdpOptions& options)
    : where_{endpoint, std::move(known)}, options_{options} {
  if (options.rate > 0) interval_ = nanoseconds{1'000'000'000 / options.rate};
  const bool is_there = open();
  if (!is_there && options.absence == Absence::waited_for) return;
  if (where_.addresses().empty()) refuse_unknown(endpoint, where_.problem());
  if (!is_there) throw StartError{endpoint.text + ": " + trouble_.text() + "; check host and routes"};
  if (options.message_octets > message_octets_max())
    throw StartError{endpoint.text + ": the path takes packets of " + std::to_string(packet_octets_max()) +
                     " octets; set export.message_octets to " + std::to_string(message_octets_max()) + " or less"};
}

bool Udp::open() noexcept {
  trouble_ = {where_.problem(), 0};
  for (const auto& address : where_.addresses()) {
    Descriptor socket{::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (socket && ::connect(socket.number(), address.get(), address.octets) == 0) {
      socket_ = std::move(socket);
      family_ = address.family();
      return true;
    }
    trouble_ = {"no way there", errno};
  }
  return false;
}

/// True: there it is. The resolver's answer is for a later call.
bool Udp::look_for_it() noexcept {
  if (where_.is_looking()) return false;
  if (std::exchange(asked_, false)) return open() && fits();
  if (Clock::now() < look_at_) return false;
  look_at_ = Clock::now() + look_again_after;
  where_.look_again();
  asked_ = true;
  return false;
}

bool Udp::fits() noexcept {
  if (options_.message_octets <= message_octets_max()) return true;
  socket_.close();
  trouble_ = {"the path takes only shorter packets; lower export.message_octets", 0};
  return false;
}

std::size_t Udp::packet_octets_max() const noexcept {
  int path = 0;
  socklen_t octets = sizeof path;
  const bool known = family_ == AF_INET6 ? ::getsockopt(socket_.number(), IPPROTO_IPV6, IPV6_MTU, &path, &octets) == 0
                                         : ::getsockopt(socket_.number(), IPPROTO_IP, IP_MTU, &path, &octets) == 0;
  return known && path > 0 ? std::min(static_cast<std::size_t>(path), datagram_octets_max) : datagram_octets_max;
}

/// RFC 7011 §10.3.3: the message length is set so that no packet is longer than the path takes.
std::size_t Udp::message_octets_max() const noexcept {
  constexpr std::size_t ipv4_and_udp = 28, ipv6_and_udp = 48;
  const auto headers = family_ == AF_INET6 ? ipv6_and_udp : ipv4_and_udp;
  const auto packet = packet_octets_max();
  return packet > headers ? packet - headers : 0;
}

Sent Udp::send(Bytes message) noexcept {
  if (!socket_ && !look_for_it()) return Sent::try_later;
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
