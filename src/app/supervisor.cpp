// SPDX-License-Identifier: BSD-3-Clause
#include "app/supervisor.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>

namespace weir::app {
namespace {

std::optional<std::uint64_t> number_of(const char* variable) {
  const auto* value = std::getenv(variable);
  if (!value) return std::nullopt;
  std::uint64_t number = 0;
  const auto* end = value + std::strlen(value);
  const auto [stop, error] = std::from_chars(value, end, number);
  return error == std::errc{} && stop == end ? std::optional{number} : std::nullopt;
}

/// What a line of the protocol cannot hold.
std::string one_line(std::string_view text) {
  std::string line{text.substr(0, 500)};
  for (auto& c : line)
    if (c == '\n') c = ' ';
  return line;
}

std::uint64_t microseconds_monotonic() {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

Supervisor::Supervisor() {
  const auto* path = std::getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof sockaddr_un{}.sun_path) return;
  address_ = path;
  if (address_[0] == '@') address_[0] = '\0';
  socket_ = Descriptor{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto watched = number_of("WATCHDOG_PID");
  if (watched && *watched != static_cast<std::uint64_t>(::getpid())) return;
  watchdog_ = std::chrono::microseconds{number_of("WATCHDOG_USEC").value_or(0)};
}

void Supervisor::ready(std::string_view status) { tell(fmt::format("READY=1\nSTATUS={}\n", one_line(status))); }

void Supervisor::reloading() { tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", microseconds_monotonic())); }

void Supervisor::stopping(std::string_view status) { tell(fmt::format("STOPPING=1\nSTATUS={}\n", one_line(status))); }

void Supervisor::status(std::string_view line) { tell(fmt::format("STATUS={}\n", one_line(line))); }

void Supervisor::alive(Time now) {
  if (watchdog_.count() == 0 || now - alive_at_ < watchdog_ / 2) return;
  alive_at_ = now;
  tell("WATCHDOG=1\n");
}

/// What cannot be said is let go: a supervisor that does not listen is no reason to stop.
void Supervisor::tell(std::string_view lines) {
  if (!socket_) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  ::sendto(socket_.number(), lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), length);
}

}  // namespace weir::app
