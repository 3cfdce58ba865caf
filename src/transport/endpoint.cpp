// SPDX-License-Identifier: BSD-3-Clause
#include "transport/endpoint.hpp"

#include <charconv>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.hpp"

namespace weir::transport {
namespace {

constexpr std::uint16_t default_port = 4739;
constexpr std::string_view example =
    "; write it like udp://192.0.2.1:4739, tcp://collector or udp://[2001:db8::1]:4739";

/// One argument of a parse: what was given, and how to complain of it.
struct Complaint {
  std::string_view option, text;
  [[noreturn]] void operator()(std::string_view why) const {
    throw StartError{std::string{option} + " " + std::string{text} + ": " + std::string{why} + std::string{example}};
  }
};

std::uint16_t parse_port(std::string_view text, const Complaint& complain) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0)
    complain("the port must be a number from 1 to 65535");
  return port;
}

LookedUp ask_resolver(const Endpoint& endpoint, const addrinfo& hints) {
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  return looked_up(error, found);
}

}  // namespace

Endpoint parse_endpoint(std::string_view text, std::string_view option) {
  const Complaint complain{option, text};
  Endpoint endpoint;
  endpoint.text = text;
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) complain("no udp:// or tcp:// in front");
  const auto scheme = text.substr(0, scheme_end);
  if (scheme != "udp" && scheme != "tcp") complain("unknown transport");
  endpoint.scheme = scheme == "udp" ? Scheme::udp : Scheme::tcp;

  auto rest = text.substr(scheme_end + 3);
  const bool bracketed = rest.starts_with('[');
  const auto host_end = bracketed ? rest.find(']') : rest.find(':');
  if (bracketed && host_end == std::string_view::npos) complain("no ] behind the address");
  endpoint.host = bracketed ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
  rest = host_end == std::string_view::npos ? std::string_view{} : rest.substr(host_end + (bracketed ? 1 : 0));
  if (endpoint.host.empty()) complain("no host");
  if (endpoint.host.find_first_of("/?#@ ") != std::string::npos) complain("the host is no name or address");
  if (!bracketed && rest.find(':', 1) != std::string_view::npos) complain("an IPv6 address needs [ ] around it");
  if (!rest.empty() && !rest.starts_with(':')) complain("something else than :PORT behind the address");
  endpoint.port = rest.empty() ? default_port : parse_port(rest.substr(1), complain);
  return endpoint;
}

addrinfo hints_of(const Endpoint& endpoint) noexcept {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = endpoint.scheme == Scheme::udp ? SOCK_DGRAM : SOCK_STREAM;
  return hints;
}

LookedUp looked_up(int error, const addrinfo* found) {
  if (error != 0) return {.addresses = {}, .problem = ::gai_strerror(error)};
  LookedUp answer;
  for (const auto* info = found; info; info = info->ai_next) {
    auto& address = answer.addresses.emplace_back();
    address.octets = info->ai_addrlen;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
  }
  return answer;
}

LookedUp look_up(const Endpoint& endpoint) { return ask_resolver(endpoint, hints_of(endpoint)); }

bool is_address(const Endpoint& endpoint) {
  auto hints = hints_of(endpoint);
  hints.ai_flags |= AI_NUMERICHOST;
  return !ask_resolver(endpoint, hints).addresses.empty();
}

std::vector<Address> resolve(const Endpoint& endpoint) {
  auto answer = look_up(endpoint);
  if (answer.addresses.empty()) refuse_unknown(endpoint, answer.problem);
  return std::move(answer.addresses);
}

void refuse_unknown(const Endpoint& endpoint, const char* problem) {
  throw StartError{endpoint.text + ": " + problem + "; give a host name that resolves, or an address"};
}

}  // namespace weir::transport
