// SPDX-License-Identifier: BSD-3-Clause
// The classic capture format (draft-ietf-opsawg-pcap): a file header, then records.
#pragma once

#include <cstdint>

#include "capture/filling.hpp"
#include "capture/interfaces.hpp"
#include "capture/stamp.hpp"

namespace weir::capture {

class PcapReader {
 public:
  static constexpr std::size_t file_header_octets = 24;

  /// Whether these four octets begin a pcap file, of either byte order.
  static bool magic(const std::byte* file) noexcept;
  static bool reads_version(const std::byte* file) noexcept;

  /// Reads the file header, which must be there.
  Halt begin(Filling& filling, Interfaces& interfaces);
  /// Makes packets of the records that are there.
  Halt take(Filling& filling, Interfaces& interfaces, PacketTimer& timer);

  bool between_records(const Filling& filling) const noexcept { return filling.left() == 0; }
  std::uint64_t record_offset(const Filling& filling) const noexcept { return filling.offset(); }

 private:
  template <Order order, std::size_t record_header>
  Halt take_records(Filling& filling, PacketTimer& timer) const noexcept;

  Order order_ = Order::little;
  bool long_headers_ = false;      // 24 octets a record header, as patched Linux kernels once wrote
  std::uint32_t nanoseconds_ = 0;  // in a unit of the stamps' fraction
  std::uint16_t interface_ = 0;
  Link link_ = Link::unsupported;
  bool used_ = false;
};

}  // namespace weir::capture
