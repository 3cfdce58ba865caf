// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/kernel_interface.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/descriptor.hpp"

namespace weir::capture {

namespace {

struct Flags {
  short flags = 0;
  int error = 0;
};

Flags flags_of(unsigned interface_index) noexcept {
  ifreq request{};
  if (!if_indextoname(interface_index, request.ifr_name)) return {.error = errno == ENXIO ? ENODEV : errno};
  const Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (::ioctl(socket.number(), SIOCGIFFLAGS, &request) != 0) return {.error = errno};
  return {.flags = request.ifr_flags};
}

}  // namespace

Carrier carrier_of(unsigned interface_index) noexcept {
  constexpr short wanted = IFF_UP | IFF_RUNNING;
  const auto [flags, error] = flags_of(interface_index);
  if (error != 0) return error == ENODEV ? Carrier::gone : Carrier::up;
  return (flags & wanted) == wanted ? Carrier::up : Carrier::down;
}

bool is_set_up(unsigned interface_index) noexcept {
  const auto [flags, error] = flags_of(interface_index);
  return error != 0 || (flags & IFF_UP) != 0;
}

/// Asked with a socket, for /sys may be that of another network namespace.
std::uint64_t bits_per_second_of(unsigned interface_index) noexcept {
  ifreq request{};
  if (!if_indextoname(interface_index, request.ifr_name)) return 0;
  ethtool_cmd command{};
  command.cmd = ETHTOOL_GSET;
  request.ifr_data = reinterpret_cast<char*>(&command);
  const Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (::ioctl(socket.number(), SIOCETHTOOL, &request) != 0) return 0;
  const auto megabits = ethtool_cmd_speed(&command);
  return megabits == static_cast<std::uint32_t>(SPEED_UNKNOWN) ? 0 : std::uint64_t{megabits} * 1'000'000;
}

std::uint64_t packets_not_sent(unsigned interface_index) noexcept {
  std::array<char, IF_NAMESIZE> wanted{}, name{};
  if (!if_indextoname(interface_index, wanted.data())) return 0;
  const auto close = [](std::FILE* file) { std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> table{std::fopen("/proc/self/net/dev", "re"), close};
  std::array<char, 512> line{};
  while (table && std::fgets(line.data(), line.size(), table.get())) {
    unsigned long long dropped = 0;  // behind the eight numbers of what was received, octets, packets and errors
    constexpr auto* columns = " %15[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu";
    if (std::sscanf(line.data(), columns, name.data(), &dropped) == 2 && name == wanted) return dropped;
    name = {};
  }
  return 0;
}

}  // namespace weir::capture
