// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcapng.hpp"

#include <algorithm>

namespace weir::capture {

namespace {

namespace block_type {
constexpr std::uint32_t interface_description = 1, obsolete_packet = 2, simple_packet = 3, enhanced_packet = 6;
}
namespace option_code {
constexpr std::uint16_t end = 0, name = 2, resolution = 9, offset = 14;
}
constexpr std::uint32_t byte_order_magic = 0x1a2b'3c4d;
constexpr std::size_t block_head = 8, block_length = 4, block_least = block_head + block_length;
constexpr std::size_t section_head = 24, section_least = section_head + block_length;
constexpr std::size_t description_head = 16, simple_head = 12, packet_head = 28;

constexpr Halt check_length(std::uint32_t total, std::size_t least) noexcept {
  if (total % 4 != 0) return Halt::damaged("the length of its block, {} octets, is no multiple of 4", total);
  if (total < least) return Halt::damaged("the length of its block, {} octets, is too short for it", total);
  return Halt::nothing();
}

constexpr Halt lengths_differ(std::uint32_t total) noexcept {
  return Halt::damaged("its block of {} octets does not end with its length", total);
}

}  // namespace

/// A packet that is there and has been judged.
struct PcapngReader::Sound {
  std::size_t from;  // in the buffer
  std::uint32_t captured, wire;
  Instant stamp;
};

inline void PcapngReader::put(Filling& filling, PacketTimer& timer, const Described& described,
                              const Sound& sound) noexcept {
  auto& packet = filling.packets[filling.count++];
  packet.bytes = filling.keep(sound.from, sound.captured);
  packet.captured = sound.captured;
  packet.wire = std::max(sound.captured, sound.wire);
  timer.mark(packet, sound.stamp);
  packet.interface = described.number;
  packet.link = described.link;
  packet.selection = Selection::selected;
}

std::optional<Order> PcapngReader::byte_order(const std::byte* section) noexcept {
  if (load_le<std::uint32_t>(section + block_head) == byte_order_magic) return Order::little;
  if (load_be<std::uint32_t>(section + block_head) == byte_order_magic) return Order::big;
  return {};
}

void PcapngReader::begin() noexcept {
  described_.clear();
  in_block_ = false;
}

Halt PcapngReader::take(Filling& filling, Interfaces& interfaces, PacketTimer& timer) {
  while (!filling.full()) {
    if (!in_block_)
      order_ == Order::little ? take_usual<Order::little>(filling, timer) : take_usual<Order::big>(filling, timer);
    if (filling.full()) break;
    const auto halt = in_block_ ? drop_rest(filling) : take_block(filling, interfaces, timer);
    if (!halt.goes_on()) return halt;
  }
  return Halt::full();
}

/// The loop that most packets go through: enhanced blocks that lie whole in the buffer, one after another, and have
/// nothing odd about them. It works on copies, so that they stay in registers; whatever else comes is for take_block to
/// judge.
template <Order order>
void PcapngReader::take_usual(Filling& shared_filling, PacketTimer& shared_timer) const noexcept {
  auto filling = shared_filling;
  auto timer = shared_timer;
  const std::span described{described_};
  while (!filling.full() && filling.left() >= packet_head + block_length) {
    const auto* block = filling.unread();
    const auto type = load<order, std::uint32_t>(block), total = load<order, std::uint32_t>(block + 4);
    if (type != block_type::enhanced_packet || total % 4 != 0) break;
    if (total < packet_head + block_length || total > filling.left() || total > block_whole_max) break;
    const auto interface = load<order, std::uint32_t>(block + 8), captured = load<order, std::uint32_t>(block + 20);
    if (captured > captured_max || captured > total - packet_head - block_length) break;
    if (load<order, std::uint32_t>(block + total - block_length) != total) break;
    if (interface >= described.size() || !described[interface].used) break;

    const auto high = load<order, std::uint32_t>(block + 12), low = load<order, std::uint32_t>(block + 16);
    const auto stamp = described[interface].resolution.instant(std::uint64_t{high} << 32 | low);
    const auto wire = load<order, std::uint32_t>(block + 24);
    put(filling, timer, described[interface], {filling.at + packet_head, captured, wire, stamp});
    filling.at += total;
  }
  shared_filling = filling;
  shared_timer = timer;
}

Halt PcapngReader::take_block(Filling& filling, Interfaces& interfaces, PacketTimer& timer) {
  if (filling.left() < block_least) return Halt::until(block_least);
  const auto* block = filling.unread();
  const auto type = load<std::uint32_t>(order_, block);
  if (type == section_header) return begin_section(filling);

  const bool simple = type == block_type::simple_packet;
  const bool packet = simple || type == block_type::enhanced_packet || type == block_type::obsolete_packet;
  const auto head = simple ? simple_head : packet ? packet_head : block_head;
  const auto total = load<std::uint32_t>(order_, block + 4);
  if (const auto halt = check_length(total, head + block_length); !halt.goes_on()) return halt;
  if (filling.left() < head) return Halt::until(head);

  if (packet) return take_packet(filling, total, find_packet(type, total, block), interfaces, timer);
  if (type == block_type::interface_description) return describe_interface(filling, total, interfaces);
  return drop_block(filling, total);
}

Halt PcapngReader::begin_section(Filling& filling) {
  if (filling.left() < section_least) return Halt::until(section_least);
  const auto* section = filling.unread();
  const auto order = byte_order(section);
  if (!order) return Halt::damaged("a section begins that has no byte-order magic");
  const auto total = load<std::uint32_t>(*order, section + 4);
  if (const auto halt = check_length(total, section_least); !halt.goes_on()) return halt;
  const auto version = load<std::uint16_t>(*order, section + 12);
  if (version != 1) return Halt::damaged("a section begins that is of pcapng version {}, not 1", version);
  order_ = *order;
  described_.clear();
  return drop_block(filling, total);
}

Halt PcapngReader::describe_interface(Filling& filling, std::uint32_t total, Interfaces& interfaces) {
  if (const auto halt = check_length(total, description_head + block_length); !halt.goes_on()) return halt;
  if (total > block_whole_max) return Halt::damaged("an interface is described in {} octets, which is too long", total);
  if (filling.left() < total) return Halt::until(total);
  const auto* block = filling.unread();
  if (load<std::uint32_t>(order_, block + total - block_length) != total) return lengths_differ(total);

  Described described;
  described.snap_length = load<std::uint32_t>(order_, block + 12);
  std::string_view name;
  read_options({block + description_head, total - description_head - block_length}, name, described.resolution);
  const auto id = static_cast<std::uint32_t>(described_.size());
  const auto number = interfaces.number_of(id, name, load<std::uint16_t>(order_, block + 8));
  if (!number) return Halt::damaged("there are more than {} interfaces", Interfaces::count_max);
  described.number = *number;
  described.link = interfaces.all()[*number].link;
  described_.push_back(described);
  filling.at += total;
  return Halt::nothing();
}

/// Options that end outside of the block are not read; those before them count.
void PcapngReader::read_options(Bytes options, std::string_view& name, Resolution& resolution) const {
  std::int64_t offset = 0;
  for (Cursor cursor{options}; const auto* head = cursor.take(4);) {
    const auto code = load<std::uint16_t>(order_, head);
    const auto octets = load<std::uint16_t>(order_, head + 2);
    const auto* value = cursor.take(octets);
    if (!value || code == option_code::end) break;
    if (code == option_code::name) {
      name = {reinterpret_cast<const char*>(value), octets};
      name = name.substr(0, name.find('\0'));
    }
    if (code == option_code::resolution && octets == 1)
      resolution = Resolution::from_option(load_le<std::uint8_t>(value));
    if (code == option_code::offset && octets == 8)
      offset = static_cast<std::int64_t>(load<std::uint64_t>(order_, value));
    cursor.take(std::min<std::size_t>((4u - octets % 4u) % 4u, cursor.left()));
  }
  resolution.offset_seconds = offset;
}

PcapngReader::Found PcapngReader::find_packet(std::uint32_t type, std::uint32_t total,
                                              const std::byte* block) const noexcept {
  if (type == block_type::simple_packet) return find_simple(total, block);
  const auto high = load<std::uint32_t>(order_, block + 12), low = load<std::uint32_t>(order_, block + 16);
  // In the obsolete block the interface is a number of 16 bits; behind it packets are counted that were dropped.
  const auto interface = type == block_type::enhanced_packet ? load<std::uint32_t>(order_, block + 8)
                                                             : load<std::uint16_t>(order_, block + 8);
  return {.header = packet_head,
          .interface = interface,
          .captured = load<std::uint32_t>(order_, block + 20),
          .wire = load<std::uint32_t>(order_, block + 24),
          .units = std::uint64_t{high} << 32 | low};
}

/// A packet of the first interface, without a stamp. How much of it was captured must be inferred.
PcapngReader::Found PcapngReader::find_simple(std::uint32_t total, const std::byte* block) const noexcept {
  const auto wire = load<std::uint32_t>(order_, block + 8);
  auto captured = std::min(wire, static_cast<std::uint32_t>(total - simple_head - block_length));
  if (!described_.empty() && described_[0].snap_length > 0) captured = std::min(captured, described_[0].snap_length);
  return {.header = simple_head, .interface = 0, .captured = captured, .wire = wire, .units = {}};
}

Halt PcapngReader::take_packet(Filling& filling, std::uint32_t total, const Found& found, Interfaces& interfaces,
                               PacketTimer& timer) {
  if (found.interface >= described_.size())
    return Halt::damaged("its section does not describe its interface, {}", found.interface);
  if (found.captured > captured_max) return beyond_any_snap_length(found.captured);
  if (found.captured > total - found.header - block_length)
    return Halt::damaged("it claims {} captured octets, more than its block has", found.captured);
  const bool whole = total <= block_whole_max;
  const std::size_t needs = whole ? total : found.header + found.captured;
  if (filling.left() < needs) return Halt::until(needs);
  if (whole && load<std::uint32_t>(order_, filling.unread() + total - block_length) != total)
    return lengths_differ(total);

  auto& described = described_[found.interface];
  if (!std::exchange(described.used, true)) interfaces.use(described.number);
  const auto stamp = found.units ? described.resolution.instant(*found.units) : no_stamp;
  put(filling, timer, described, {filling.at + found.header, found.captured, found.wire, stamp});
  if (!whole) return drop_block(filling, total);
  filling.at += total;
  return Halt::nothing();
}

Halt PcapngReader::drop_block(Filling& filling, std::uint32_t total) {
  in_block_ = true;
  total_ = total;
  drop_ = total - block_length;
  block_offset_ = filling.offset();
  return drop_rest(filling);
}

Halt PcapngReader::drop_rest(Filling& filling) {
  constexpr std::uint32_t step = 64 * 1024;
  const auto here = std::min<std::uint64_t>(drop_, filling.left());
  filling.at += here;
  drop_ -= here;
  if (drop_ > 0) return Halt::until(std::min<std::uint64_t>(drop_, step));
  if (filling.left() < block_length) return Halt::until(block_length);
  if (load<std::uint32_t>(order_, filling.unread()) != total_) return lengths_differ(total_);
  filling.at += block_length;
  in_block_ = false;
  return Halt::nothing();
}

}  // namespace weir::capture
