// SPDX-License-Identifier: BSD-3-Clause
#include "capture/live/packet_sockets.hpp"

#include <dirent.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>

namespace weir::capture {
namespace {

bool is_packet_socket_of(int descriptor, unsigned interface_index) noexcept {
  int domain = 0;
  socklen_t octets = sizeof domain;
  if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &octets) != 0 || domain != AF_PACKET) return false;
  sockaddr_ll bound{};
  octets = sizeof bound;
  auto* address = reinterpret_cast<sockaddr*>(&bound);
  return getsockname(descriptor, address, &octets) == 0 && bound.sll_ifindex == static_cast<int>(interface_index);
}

/// The kernel's count starts anew with each reading.
std::uint64_t take_drops(int descriptor) noexcept {
  tpacket_stats statistics{};
  socklen_t octets = sizeof statistics;
  return getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, &statistics, &octets) == 0 ? statistics.tp_drops : 0;
}

}  // namespace

std::uint64_t kernel_drops_since_last(unsigned interface_index) noexcept {
  const auto close = [](DIR* folder) { closedir(folder); };
  const std::unique_ptr<DIR, decltype(close)> folder{opendir("/proc/self/fd"), close};
  std::uint64_t drops = 0;
  while (const auto* entry = folder ? readdir(folder.get()) : nullptr) {
    const int descriptor = std::atoi(entry->d_name);
    if (descriptor > 0 && is_packet_socket_of(descriptor, interface_index)) drops += take_drops(descriptor);
  }
  return drops;
}

}  // namespace weir::capture
