// SPDX-License-Identifier: BSD-3-Clause
// What a live record keeps otherwise than its template says, put right in the copy that is handed out.
#pragma once

#include <weir/record.hpp>

#include "flow/key.hpp"
#include "flow/shape.hpp"

namespace weir::flow {

/// ICMP's type and code stand in the place of the ports while the flow lives.
template <std::size_t N>
inline void take_icmp_out_of_ports(Key<N>& key, RecordEnd& end, bool echo_reply, bool icmp_in_ports) noexcept {
  end.icmp_type_code = echo_reply ? echo_reply_of<N>(key.port_b()) : key.port_b();
  auto& numbers = key.word[Key<N>::numbers];
  numbers &= ~Word{0xffff'ffff};
  if (icmp_in_ports) numbers |= Word{end.icmp_type_code} << 16;
}

/// The narrow clocks keep some bits of theirs in the octets of the end.
template <class S>
void clear_end(std::byte* record) noexcept {
  auto* end = record + S::forward_at + Direction::end_at;
  store_word(end, load_word(end) & low_44);
}

/// A direction without packets has counts of 0, TTLs of 0 and the other direction's times.
template <class S>
void fill_empty_directions(std::byte* record) noexcept {
  auto forward = Direction::load(record + S::forward_at), reverse = Direction::load(record + S::reverse_at);
  const auto fill = [](Direction& empty, const Direction& other) {
    empty.octet_word = 0;
    empty.start_word = (empty.start_word & ~low_48) | (other.start_word & low_48);
    empty.end_word = (empty.end_word & ~low_44) | (other.end_word & low_44);
  };
  if (forward.packets() == 0) fill(forward, reverse);
  if (reverse.packets() == 0) fill(reverse, forward);
  forward.store(record + S::forward_at);
  reverse.store(record + S::reverse_at);
}

/// What a live record would add if it were handed out now.
template <class S>
Totals totals_of(const std::byte* record) noexcept {
  Totals sum;
  for (unsigned i = 0; i < S::directions; ++i) {
    const auto direction = Direction::load(record + S::direction_at(i));
    sum.packets += direction.packets();
    sum.octets += direction.octet_word & low_48;
  }
  sum.records = S::has_packets(record);
  return sum;
}

}  // namespace weir::flow
