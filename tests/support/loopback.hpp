// SPDX-License-Identifier: BSD-3-Clause
// Collectors on loopback that do what they are told, in tests. Every wait has a deadline and ends at the event.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace weir::test {

inline constexpr int patience_ms = 20'000;

class Socket {
 public:
  explicit Socket(int number) : number_{number} {
    if (number_ < 0) throw std::runtime_error{std::string{"socket: "} + std::strerror(errno)};
  }
  Socket(Socket&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  ~Socket() { close(); }

  int number() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  /// The other side gets a RST, whatever it is doing.
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  bool readable(int wait_ms = patience_ms) const {
    pollfd ready{.fd = number_, .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, wait_ms) > 0;
  }
  /// At most `octets`; nothing at the end of the stream. Throws when the connection was reset or nothing comes.
  std::vector<std::byte> read(std::size_t octets) const {
    if (!readable()) throw std::runtime_error{"nothing to read"};
    std::vector<std::byte> bytes(octets);
    const auto taken = ::recv(number_, bytes.data(), bytes.size(), 0);
    if (taken < 0) throw std::runtime_error{std::string{"recv: "} + std::strerror(errno)};
    bytes.resize(static_cast<std::size_t>(taken));
    return bytes;
  }
  std::vector<std::byte> read_to_end(std::size_t at_a_time = 65536) const {
    std::vector<std::byte> all;
    for (auto some = read(at_a_time); !some.empty(); some = read(at_a_time))
      all.insert(all.end(), some.begin(), some.end());
    return all;
  }

 private:
  int number_;
};

/// A socket on 127.0.0.1 or ::1, at a port that was free.
class Bound {
 public:
  explicit Bound(int type, int family = AF_INET, std::uint16_t port = 0) : socket_{::socket(family, type, 0)} {
    const int on = 1;
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      bind(address);
      port_ = ntohs(address.sin_port);
    } else {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      address.sin6_addr = in6addr_loopback;
      bind(address);
      port_ = ntohs(address.sin6_port);
    }
  }

  std::uint16_t port() const { return port_; }
  Socket& socket() { return socket_; }

  void listen() {
    if (::listen(socket_.number(), 16) != 0) throw std::runtime_error{"listen"};
  }
  Socket accept() {
    if (!socket_.readable()) throw std::runtime_error{"nobody connects"};
    return Socket{::accept(socket_.number(), nullptr, nullptr)};
  }
  /// Small buffers, so that a sender soon has to wait. Before listen().
  void take_little() {
    const int octets = 1;  // the kernel's least
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  }

 private:
  template <class Address>
  void bind(Address& address) {
    socklen_t octets = sizeof address;
    if (::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), octets) != 0 ||
        ::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &octets) != 0)
      throw std::runtime_error{std::string{"bind: "} + std::strerror(errno)};
  }

  Socket socket_;
  std::uint16_t port_ = 0;
};

/// Whether `happens` becomes true in time; `meanwhile` is what may take a moment.
template <class Happens, class Meanwhile>
bool comes(Happens happens, Meanwhile meanwhile) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience_ms};
  while (!happens()) {
    if (std::chrono::steady_clock::now() > end) return false;
    meanwhile();
  }
  return true;
}

}  // namespace weir::test
