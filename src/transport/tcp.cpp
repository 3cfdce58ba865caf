// SPDX-License-Identifier: BSD-3-Clause
#include "transport/tcp.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace weir::transport {
namespace {

constexpr milliseconds attempt_max = std::chrono::seconds{10};  ///< for one of several addresses to answer

/// On loopback, connecting to a free port of the ephemeral range may meet itself (simultaneous open).
bool is_connected_to_itself(int socket) noexcept {
  Address here, there;
  here.octets = there.octets = sizeof here.storage;
  const bool known = ::getsockname(socket, reinterpret_cast<sockaddr*>(&here.storage), &here.octets) == 0 &&
                     ::getpeername(socket, reinterpret_cast<sockaddr*>(&there.storage), &there.octets) == 0;
  return known && here.octets == there.octets && std::memcmp(&here.storage, &there.storage, here.octets) == 0;
}

}  // namespace

Sent Tcp::send(Bytes message) noexcept {
  if (!is_connected()) return Sent::try_later;
  if (has_collector_gone()) return break_off();
  while (written_ < message.size()) {
    const auto left = message.subspan(written_);
    const auto octets = ::send(socket_.number(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (octets >= 0) {
      written_ += static_cast<std::size_t>(octets);
      progress_ += static_cast<std::uint64_t>(octets);
      continue;
    }
    if (errno == EINTR) continue;
    trouble_ = errno == EAGAIN ? Trouble{"the collector does not read", 0} : Trouble{"send", errno};
    if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) return Sent::try_later;
    return break_off();
  }
  written_ = 0;
  return Sent::yes;
}

bool Tcp::is_connected() noexcept {
  if (state_ == State::idle && Clock::now() >= retry_at_) {
    retry_at_ = Clock::now() + options_.retry_min;
    if (!is_first_ || where_.addresses().empty()) where_.look_again();
    is_first_ = false;
    state_ = State::looking;
  }
  if (state_ == State::looking && !where_.is_looking()) {
    next_address_ = 0;
    connect_next();
  }
  while (state_ == State::connecting) {
    const int error = connect_error();
    if (error == EINPROGRESS) return false;
    if (error == 0) {
      state_ = State::connected;
      ++connections_;
      break;
    }
    trouble_ = {"connect", error};
    connect_next();
  }
  return state_ == State::connected;
}

void Tcp::connect_next() noexcept {
  const auto& addresses = where_.addresses();
  if (addresses.empty()) trouble_ = {where_.problem(), 0};
  while (next_address_ < addresses.size()) {
    const auto& address = addresses[next_address_++];
    socket_ = Descriptor{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (socket_) prepare(socket_.number());
    attempted_ = Clock::now();
    if (socket_ && (::connect(socket_.number(), address.get(), address.octets) == 0 || errno == EINPROGRESS)) {
      state_ = State::connecting;
      if (!*trouble_.doing) trouble_ = {"the collector does not answer", 0};
      return;
    }
    trouble_ = {"connect", errno};
  }
  socket_.close();
  state_ = State::idle;
}

/// 0 connected, EINPROGRESS not yet, else why not.
int Tcp::connect_error() noexcept {
  pollfd ready{.fd = socket_.number(), .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) <= 0) {
    const bool others_wait = next_address_ < where_.addresses().size();
    return others_wait && Clock::now() - attempted_ >= attempt_max ? ETIMEDOUT : EINPROGRESS;
  }
  int error = 0;
  socklen_t octets = sizeof error;
  if (::getsockopt(socket_.number(), SOL_SOCKET, SO_ERROR, &error, &octets) != 0) return errno;
  if (error == 0 && is_connected_to_itself(socket_.number())) return ECONNREFUSED;
  return error;
}

void Tcp::prepare(int socket) const noexcept {
  const int on = 1;
  const auto most = static_cast<std::int64_t>(std::numeric_limits<int>::max());
  const int stall_max = static_cast<int>(std::clamp<std::int64_t>(options_.stall_max.count(), 1, most));
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof on);  // a message is sent when it is due, not when more come
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_max, sizeof stall_max);
}

/// A collector that closed takes nothing more: better to know before the next message than after it. What a collector
/// says is thrown away; unread octets would turn our FIN into a RST.
bool Tcp::has_collector_gone() noexcept {
  std::array<std::byte, 4096> unwanted;
  for (int reads = 0; reads < 16; ++reads) {
    const auto octets = ::recv(socket_.number(), unwanted.data(), unwanted.size(), MSG_DONTWAIT);
    if (octets > 0) continue;
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno == EAGAIN) return false;
    trouble_ = octets == 0 ? Trouble{"the collector closed the connection", 0} : Trouble{"connection", errno};
    return true;
  }
  return false;
}

std::uint64_t Tcp::queued() const noexcept {
  int octets = 0;
  return ::ioctl(socket_.number(), SIOCOUTQ, &octets) == 0 && octets > 0 ? static_cast<std::uint64_t>(octets) : 0;
}

/// Of a message on its way, what was taken does not count as unconfirmed: it is sent again, whole.
Sent Tcp::break_off() noexcept {
  const auto held = queued();
  unconfirmed_ += held > written_ ? held - written_ : 0;
  return end(State::idle, Sent::broken);
}

Sent Tcp::end(State state, Sent answer) noexcept {
  socket_.close();
  state_ = state;
  written_ = 0;
  return answer;
}

Sent Tcp::finish() noexcept {
  if (state_ == State::connected) {
    ::shutdown(socket_.number(), SHUT_WR);
    state_ = State::closing;
    queued_ = queued();
    confirmed_ = Clock::time_point::max();
  }
  if (state_ != State::closing) return end(State::closed, Sent::yes);
  const bool gone = has_collector_gone();
  const auto held = queued();
  if (held < std::exchange(queued_, held)) ++progress_;
  if (held == 0) confirmed_ = std::min(confirmed_, Clock::now());
  const bool waited = held == 0 && Clock::now() - confirmed_ >= options_.close_max;
  if (!gone && !waited) {
    if (held > 0) trouble_ = {"the collector does not take what was sent", 0};
    return Sent::try_later;
  }
  unconfirmed_ += held > 0 ? held - 1 : 0;  // the FIN counts as one
  return end(State::closed, held > 1 ? Sent::broken : Sent::yes);
}

void Tcp::abandon() noexcept {
  if (state_ == State::connected || state_ == State::closing) {
    const auto held = queued(), not_a_message = state_ == State::closing ? std::uint64_t{1} : written_;
    unconfirmed_ += held > not_a_message ? held - not_a_message : 0;
  }
  end(State::closed, Sent::failed);
}

void Tcp::wait(milliseconds limit) noexcept {
  constexpr milliseconds no_event{10};  // nothing tells that octets were confirmed
  pollfd ready{.fd = socket_.number(), .events = POLLOUT | POLLRDHUP, .revents = 0};
  if (state_ == State::idle)
    limit = std::clamp(std::chrono::ceil<milliseconds>(retry_at_ - Clock::now()), milliseconds{0}, limit);
  if (state_ == State::closing) {
    ready.events = POLLIN;
    limit = std::min(limit, no_event);
  }
  const bool has_socket = static_cast<bool>(socket_);
  ::poll(&ready, has_socket ? 1 : 0, static_cast<int>(limit.count()));
}

}  // namespace weir::transport
