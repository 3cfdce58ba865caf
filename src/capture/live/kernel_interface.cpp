// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/kernel_interface.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/descriptor.hpp"

namespace weir::capture {

Carrier carrier_of(unsigned interface_index) noexcept {
  ifreq request{};
  if (!if_indextoname(interface_index, request.ifr_name)) return errno == ENXIO ? Carrier::gone : Carrier::up;
  const Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (::ioctl(socket.number(), SIOCGIFFLAGS, &request) != 0) return errno == ENODEV ? Carrier::gone : Carrier::up;
  constexpr short wanted = IFF_UP | IFF_RUNNING;
  return (request.ifr_flags & wanted) == wanted ? Carrier::up : Carrier::down;
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
