// SPDX-License-Identifier: BSD-3-Clause
// Ports as people write them → what DPDK is told, and what should be known about a device before it is used.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::capture {

struct Device {
  std::string text;                  ///< a PCI address, or a virtual device with its arguments
  std::vector<std::string> remarks;  ///< a sentence each, for the log of the start
};

/// Adds what weir wants of a device and nobody said: queues for `workers`, a ring of the kernel's that outlasts a
/// pause. Throws StartError for what is no port of DPDK's, and for captures whose frames are not Ethernet's.
Device complete_device(std::string_view given, unsigned workers);

/// Receive queues that a virtual device is given by its arguments, each of its files one; 0 where they do not say.
unsigned queues_named(std::string_view device);

/// The longest frame that a virtual device hands out, whatever MTU it is told; 0: not said. net_af_packet wants as much
/// in one buffer.
unsigned frame_octets_named(std::string_view device);

/// Frames that the kernel's ring of each queue holds; 0: not said.
unsigned frames_named(std::string_view device);

/// net_pcap takes a frame that no buffer holds into several without being asked, and refuses to be asked.
bool scatters_unasked(std::string_view device) noexcept;

/// The kernel's interface that a virtual device is given, as its index; 0: none.
unsigned interface_named(std::string_view device);

/// "0000:05:00.0" or "05:00.0".
bool is_pci_address(std::string_view device) noexcept;

}  // namespace weir::capture
