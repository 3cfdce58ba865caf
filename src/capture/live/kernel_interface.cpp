// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/kernel_interface.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

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

}  // namespace weir::capture
