// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap.hpp"

#include <optional>

#include "base/prefetch.hpp"

namespace weir::capture {

namespace {

constexpr std::uint32_t magic_micro = 0xa1b2c3d4, magic_nano = 0xa1b23c4d, magic_modified = 0xa1b2cd34;
constexpr std::uint16_t version_major = 2, version_minor = 4;

constexpr bool known(std::uint32_t magic) noexcept {
  return magic == magic_micro || magic == magic_nano || magic == magic_modified;
}

std::optional<Order> order_of(const std::byte* file) noexcept {
  if (known(load_le<std::uint32_t>(file))) return Order::little;
  if (known(load_be<std::uint32_t>(file))) return Order::big;
  return {};
}

// Seconds and fraction have 32 bits each, without a sign, so no stamp is ever outside of what the clock can bear.
constexpr std::int64_t number_32_max = 0xffff'ffff;
static_assert(number_32_max * 1'000'000'000 + number_32_max * 1000 <= stamp_latest.time_since_epoch().count());

/// Records are found one behind the other, each by the length of the one before: so that none waits for its octets,
/// lines further on are asked for, about as many as most records have.
constexpr std::size_t asked_ahead = 512, asked_octets = 128;
static_assert(Slice::octets_max + 48 * Slice::packets_max + asked_ahead + asked_octets <= Slice::capacity);

}  // namespace

bool PcapReader::magic(const std::byte* file) noexcept { return order_of(file).has_value(); }

/// Before 2.4 lengths could stand in the other order; nobody has written such files since 1998.
bool PcapReader::reads_version(const std::byte* file) noexcept {
  const auto order = order_of(file);
  return order && load<std::uint16_t>(*order, file + 4) == version_major &&
         load<std::uint16_t>(*order, file + 6) >= version_minor;
}

Halt PcapReader::begin(Filling& filling, Interfaces& interfaces) {
  const auto* file = filling.unread();
  order_ = order_of(file).value_or(Order::little);
  const auto magic = load<std::uint32_t>(order_, file);
  long_headers_ = magic == magic_modified;
  nanoseconds_ = magic == magic_nano ? 1 : 1000;

  const auto network = load<std::uint32_t>(order_, file + 20);  // above the LINKTYPE are the octets of an FCS
  const auto number = interfaces.number_of(0, {}, network & 0xffffu);
  if (!number) return Halt::damaged("there are more than {} interfaces before it", Interfaces::count_max);
  interface_ = *number;
  link_ = interfaces.all()[interface_].link;
  used_ = false;
  filling.at += file_header_octets;
  return Halt::nothing();
}

Halt PcapReader::take(Filling& filling, Interfaces& interfaces, PacketTimer& timer) {
  constexpr std::size_t usual = 16, modified = 24;
  const auto before = filling.count;
  const auto halt = order_ == Order::little ? long_headers_ ? take_records<Order::little, modified>(filling, timer)
                                                            : take_records<Order::little, usual>(filling, timer)
                    : long_headers_ ? take_records<Order::big, modified>(filling, timer)
                                            : take_records<Order::big, usual>(filling, timer);
  if (!used_ && filling.count > before) {
    used_ = true;
    interfaces.use(interface_);
  }
  return halt;
}

/// The loop that a capture's packets go through. Everything it writes but the packets themselves is local, so that it
/// stays in registers.
template <Order order, std::size_t record_header>
Halt PcapReader::take_records(Filling& filling, PacketTimer& shared_timer) const noexcept {
  auto timer = shared_timer;
  auto at = filling.at, captured_sum = filling.captured, kept = filling.kept;
  auto* packet = filling.packets + filling.count;
  auto* const packets_end = filling.packets + Slice::packets_max;
  const auto end = filling.end;
  const auto* const buffer = filling.buffer;
  std::size_t needs = 0;

  while (packet != packets_end && captured_sum < Slice::octets_max) {
    needs = record_header;
    if (end - at < needs) break;
    const auto* record = buffer + at;
    prefetch(record + asked_ahead, asked_octets);
    auto captured = load<order, std::uint32_t>(record + 8);
    asm("" : "+r"(captured));  // or GCC loads it where it seeks the maximum, and the next record waits for its way back
    needs += captured;
    if (captured > captured_max || end - at < needs) break;

    const std::int64_t seconds = load<order, std::uint32_t>(record);
    const std::int64_t fraction = load<order, std::uint32_t>(record + 4);
    packet->bytes = record + record_header;
    packet->captured = captured;
    packet->wire = std::max(captured, load<order, std::uint32_t>(record + 12));
    timer.mark(*packet, Instant{nanoseconds{seconds * 1'000'000'000 + fraction * nanoseconds_}});
    packet->interface = interface_;
    packet->link = link_;
    packet->selection = Selection::selected;
    ++packet;
    captured_sum += captured;
    kept = at += std::exchange(needs, 0);
  }

  shared_timer = timer;
  filling.at = at;
  filling.captured = captured_sum;
  filling.count = static_cast<std::size_t>(packet - filling.packets);
  filling.kept = kept;
  if (needs == 0) return Halt::full();
  if (needs > record_header + captured_max) return beyond_any_snap_length(needs - record_header);
  return Halt::until(needs);
}

}  // namespace weir::capture
