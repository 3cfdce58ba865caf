// SPDX-License-Identifier: BSD-3-Clause
// pcapng (draft-ietf-opsawg-pcapng): sections of blocks, each section with a byte order and interfaces of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "capture/filling.hpp"
#include "capture/interfaces.hpp"
#include "capture/stamp.hpp"

namespace weir::capture {

class PcapngReader {
 public:
  static constexpr std::uint32_t section_header = 0x0a0d'0d0a;  // reads the same in either byte order

  /// The byte order of the section that begins here, if it says one. 12 octets are looked at.
  static std::optional<Order> byte_order(const std::byte* section) noexcept;

  /// At the start of a file, which judge() has found to begin with a section.
  void begin() noexcept;
  /// Makes packets of the blocks that are there.
  Halt take(Filling& filling, Interfaces& interfaces, PacketTimer& timer);

  bool between_records(const Filling& filling) const noexcept { return filling.left() == 0 && !in_block_; }
  std::uint64_t record_offset(const Filling& filling) const noexcept {
    return in_block_ ? block_offset_ : filling.offset();
  }

 private:
  /// An interface as its section describes it.
  struct Described {
    Resolution resolution;
    std::uint32_t snap_length = 0;  ///< 0: no limit
    std::uint16_t number = 0;       ///< over the whole input
    Link link = Link::unsupported;
    bool used = false;
  };
  /// The packet in a block: where its octets begin, and what was said of it.
  struct Found {
    std::size_t header;  ///< octets of the block before the packet's
    std::uint32_t interface;
    std::uint32_t captured, wire;
    std::optional<std::uint64_t> units;
  };

  struct Sound;

  template <Order order>
  void take_usual(Filling& filling, PacketTimer& timer) const noexcept;
  static void put(Filling& filling, PacketTimer& timer, const Described& described, const Sound& sound) noexcept;
  Halt take_block(Filling& filling, Interfaces& interfaces, PacketTimer& timer);
  Halt begin_section(Filling& filling);
  Halt describe_interface(Filling& filling, std::uint32_t total, Interfaces& interfaces);
  Halt take_packet(Filling& filling, std::uint32_t total, const Found& found, Interfaces& interfaces,
                   PacketTimer& timer);
  Halt drop_block(Filling& filling, std::uint32_t total);
  Halt drop_rest(Filling& filling);

  Found find_packet(std::uint32_t type, std::uint32_t total, const std::byte* block) const noexcept;
  Found find_simple(std::uint32_t total, const std::byte* block) const noexcept;
  void read_options(Bytes options, std::string_view& name, Resolution& resolution) const;

  Order order_ = Order::little;
  std::vector<Described> described_;
  bool in_block_ = false;  // dropping what is left of a block
  std::uint32_t total_ = 0;
  std::uint64_t drop_ = 0;  // octets of it before its trailing length
  std::uint64_t block_offset_ = 0;
};

}  // namespace weir::capture
