// SPDX-License-Identifier: BSD-3-Clause
// What a port of DPDK's is before it is set up, and what its link is like: for the start, and for `weir ports`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::capture {

/// What the stamps of a device count, where it makes any.
enum class StampUnit : std::uint8_t {
  none,
  unix_us,  ///< microseconds since 1970
  unix_ns,
  ticks,  ///< of the device's own clock, which can be read
};

struct PortFacts {
  std::uint16_t number = 0;  ///< DPDK's
  std::string name, driver, mac;
  bool is_virtual = false;  ///< what it claims of its link is not so
  int node = -1;            ///< memory node; -1: it has none
  std::uint16_t queues_max = 0;
  bool fills_all_queues = false;  ///< even those that nobody reads: the driver has them from its arguments
  std::uint16_t descriptors_min = 0, descriptors_max = 0, descriptors_align = 1;
  std::uint16_t mtu_min = 0, mtu_max = 0;
  std::size_t rss_key_octets = 0;
  std::size_t redirection_entries = 0;
  std::vector<std::string> rss_functions, offloads;  ///< DPDK's names
  bool hashes_addresses = false;
  bool in_pairs = false;              ///< queues come as receive and transmit, or the other end does not connect
  bool scatters = false;              ///< takes a long frame into several buffers
  bool loses_without_buffer = false;  ///< a packet that it has taken already; others leave it where it is
  StampUnit stamps = StampUnit::none;
  unsigned kernel_interface = 0;  ///< index of the kernel's interface behind a virtual device; 0: none
};

struct LinkState {
  bool up = false;
  std::uint64_t bits_per_second = 0;  ///< 0: not known
};

/// Throws StartError if there is no such port.
PortFacts facts_of(std::uint16_t port);
/// What the device claims, once it is started.
LinkState link_of(std::uint16_t port) noexcept;

/// Numbers of the ports that DPDK knows.
std::vector<std::uint16_t> known_ports();

/// The port of a device as it was given: a PCI address, or a virtual device with or without arguments. Throws
/// StartError that names the ports there are.
std::uint16_t port_named(std::string_view device);

}  // namespace weir::capture
