// SPDX-License-Identifier: BSD-3-Clause
// What the chain meets before the outermost IP header, and what becomes of it by who wants to know: Headers keep the
// first VLAN identifier, Details keep it all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <weir/bytes.hpp>
#include <weir/details.hpp>
#include <weir/headers.hpp>

namespace weir::decode {

constexpr void met_tag(std::uint16_t tci, bool outermost, Headers& out) noexcept {
  constexpr std::uint16_t identifier_bits = 0x0fff;
  if (outermost) out.vlan = tci & identifier_bits;
}
constexpr void met_label(std::uint32_t, Headers&) noexcept {}
constexpr void met_macs(const std::byte*, const std::byte*, Headers&) noexcept {}
constexpr void met_type(std::uint16_t, Headers&) noexcept {}

/// Headers and, where they are asked for, Details of the same packet.
struct Detailed {
  Headers& headers;
  Details* details;  ///< nullptr: not asked for
};

/// One more of something, up to what the counter holds.
template <class Count>
constexpr void count_up(Count& count) noexcept {
  if (count < std::numeric_limits<Count>::max()) ++count;
}

constexpr void met_tag(std::uint16_t tci, bool outermost, Detailed& out) noexcept {
  met_tag(tci, outermost, out.headers);
  if (!out.details) return;
  auto& details = *out.details;
  if (details.vlan_tags == 0) details.has |= Details::vlan_outer, details.vlan_tci = tci;
  if (details.vlan_tags == 1) details.has |= Details::vlan_inner, details.inner_vlan_tci = tci;
  count_up(details.vlan_tags);
}
constexpr void met_label(std::uint32_t entry, Detailed& out) noexcept {
  if (!out.details) return;
  auto& details = *out.details;
  if (details.mpls_depth < details.mpls_entries.size()) details.mpls_entries[details.mpls_depth] = entry;
  details.has |= Details::mpls;
  count_up(details.mpls_depth);
}
constexpr void met_macs(const std::byte* source, const std::byte* destination, Detailed& out) noexcept {
  if (!out.details || out.details->has & Details::macs) return;
  out.details->has |= Details::macs;
  std::copy_n(source, 6, out.details->source_mac.begin());
  if (destination) std::copy_n(destination, 6, out.details->destination_mac.begin());
}
constexpr void met_type(std::uint16_t type, Detailed& out) noexcept {
  if (out.details && out.details->ethertype == 0) out.details->ethertype = type;
}

/// What stands behind an IP header that was met is nobody's link.
struct Unheard {};
constexpr void met_tag(std::uint16_t, bool, Unheard&) noexcept {}
constexpr void met_label(std::uint32_t, Unheard&) noexcept {}
constexpr void met_macs(const std::byte*, const std::byte*, Unheard&) noexcept {}
constexpr void met_type(std::uint16_t, Unheard&) noexcept {}

}  // namespace weir::decode
