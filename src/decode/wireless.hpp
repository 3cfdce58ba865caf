// SPDX-License-Identifier: BSD-3-Clause
// IEEE 802.11 frames, and what receivers put before them.
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

#include "decode/frame.hpp"
#include "decode/met.hpp"
#include "decode/step.hpp"

namespace weir::decode {

/// The frame check sequence at the end of the frame is none of what it carries.
constexpr void leave_check_sequence(Frame& frame) noexcept {
  constexpr std::uint64_t octets = 4;
  if (frame.on_wire() >= octets) frame.end_after(frame.on_wire() - octets);
}

/// IEEE 802.11 §9.2: data that is neither encrypted, nor the later part of a fragment, nor several frames in one.
/// `padded`: to four octets behind the header, as some receivers do.
constexpr Step read_ieee80211(Frame& frame, bool padded, auto& out) noexcept {
  constexpr std::uint8_t version_and_type = 0x0f, data = 0x08, subtype_null = 0x40, subtype_qos = 0x80;
  constexpr std::uint8_t to_ds = 0x01, from_ds = 0x02, is_protected = 0x40, ordered = 0x80, a_msdu = 0x80;
  constexpr std::size_t three_addresses = 24, address = 6, qos_control = 2, ht_control = 4;
  const auto* control = Frame{frame}.take(2);
  if (!control) return lacks(frame, 2);
  const auto kind = load_be<std::uint8_t>(control), flags = load_be<std::uint8_t>(control + 1);
  if ((kind & version_and_type) != data || kind & subtype_null || flags & is_protected) return ends(Outcome::not_ip);

  const bool four = flags & to_ds && flags & from_ds, qos = kind & subtype_qos;
  const auto octets = three_addresses + (four ? address : 0);
  const auto all = octets + (qos ? qos_control + (flags & ordered ? ht_control : 0) : 0);
  const auto more = padded ? (all + 3) / 4 * 4 - all : 0;
  const auto* header = frame.take(all + more);
  if (!header) return lacks(frame, all + more);
  if (load_be<std::uint8_t>(header + 22) & 0x0f) return ends(Outcome::not_ip);
  if (qos && load_be<std::uint8_t>(header + octets) & a_msdu) return ends(Outcome::not_ip);

  const auto* source = four ? header + 24 : header + (flags & from_ds ? 16 : 10);
  met_macs(source, header + (flags & to_ds ? 16 : 4), out);
  return {Layer::llc};
}

/// What a receiver put before a frame.
struct Received {
  const std::byte* header = nullptr;  ///< nullptr: it is not there, and `step` says what becomes of the packet
  std::size_t octets = 0;
  Step step{};
};

/// radiotap and PPI begin alike: version 0, a flag octet, the length of all, little-endian, and a word more.
constexpr Received take_received(Frame& frame) noexcept {
  constexpr std::size_t octets_least = 8;
  const auto* front = Frame{frame}.take(octets_least);
  if (!front) return {.step = lacks(frame, octets_least)};
  const std::size_t octets = load_le<std::uint16_t>(front + 2);
  if (load_be<std::uint8_t>(front) != 0 || octets < octets_least) return {.step = ends(Outcome::not_ip)};
  const auto* header = frame.take(octets);
  if (!header) return {.step = lacks(frame, octets)};
  return {.header = header, .octets = octets};
}

/// radiotap.org: little-endian; flags are the second field, behind as many words of presence bits as follow each other.
constexpr Step read_radiotap(Frame& frame) noexcept {
  constexpr std::uint32_t has_time = 1, has_flags = 2, another_word = 0x8000'0000;
  constexpr std::uint8_t has_check_sequence = 0x10, padded = 0x20;
  constexpr std::size_t time = 8;
  const auto [header, octets, step] = take_received(frame);
  if (!header) return step;

  std::size_t at = 4;
  while (load_le<std::uint32_t>(header + at) & another_word)
    if ((at += 4) + 4 > octets) return ends(Outcome::not_ip);
  at += 4;
  const auto present = load_le<std::uint32_t>(header + 4);
  if (present & has_time) at = (at + time - 1) / time * time + time;
  const bool stated = present & has_flags && at < octets;
  const auto flags = stated ? load_be<std::uint8_t>(header + at) : std::uint8_t{0};
  if (flags & has_check_sequence) leave_check_sequence(frame);
  return {Layer::ieee80211, flags & padded ? std::uint16_t{1} : std::uint16_t{0}};
}

/// Per-Packet Information: little-endian; `link` becomes that of what follows. Its first field may tell of a check
/// sequence.
constexpr Step read_ppi(Frame& frame, Link& link) noexcept {
  constexpr std::size_t fields = 8, field_with_flags = 14;
  constexpr std::uint16_t common_field = 2, has_check_sequence = 1;
  const auto [header, octets, step] = take_received(frame);
  if (!header) return step;
  link = link_from_number(load_le<std::uint32_t>(header + 4));
  if (link == Link::unsupported) return ends(Outcome::not_ip);
  const bool common = octets >= fields + field_with_flags && load_le<std::uint16_t>(header + fields) == common_field;
  if (common && load_le<std::uint16_t>(header + 20) & has_check_sequence) leave_check_sequence(frame);
  return {Layer::ppi};
}

}  // namespace weir::decode
