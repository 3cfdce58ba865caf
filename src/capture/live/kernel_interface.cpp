// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/kernel_interface.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

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

}  // namespace weir::capture
