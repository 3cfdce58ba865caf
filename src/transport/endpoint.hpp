// SPDX-License-Identifier: BSD-3-Clause
// Where a collector listens: udp://HOST[:PORT] or tcp://HOST[:PORT].
#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::transport {

enum class Scheme : std::uint8_t { udp, tcp };

struct Endpoint {
  Scheme scheme{};
  std::string host;        ///< name or address; IPv6 without brackets
  std::uint16_t port = 0;  ///< 4739 where none was given (RFC 7011 §10.1)
  std::string text;        ///< as it was given
};

/// Throws StartError naming `option` and what a right one looks like.
Endpoint parse_endpoint(std::string_view text, std::string_view option = "--to");

struct Address {
  sockaddr_storage storage{};
  socklen_t octets = 0;

  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
};

/// What the resolver said: addresses in its order, or why there are none.
struct LookedUp {
  std::vector<Address> addresses;
  const char* problem = "";
};
LookedUp look_up(const Endpoint& endpoint);
/// The same of an answer of getaddrinfo(3), and how to ask it.
LookedUp looked_up(int error, const addrinfo* found);
addrinfo hints_of(const Endpoint& endpoint) noexcept;
/// The host is no name that others would have to be asked for.
bool is_address(const Endpoint& endpoint);

/// Throws StartError if there are none.
std::vector<Address> resolve(const Endpoint& endpoint);
[[noreturn]] void refuse_unknown(const Endpoint& endpoint, const char* problem);

}  // namespace weir::transport
