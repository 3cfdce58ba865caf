// SPDX-License-Identifier: BSD-3-Clause
// capture → decode: a packet as it was captured, and the list of link types that weir reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <weir/bytes.hpp>
#include <weir/units.hpp>

namespace weir {

/// Link types that are decoded (https://www.tcpdump.org/linktypes.html). The number is LINKTYPE_…
#define WEIR_LINKS(X)                             \
  X(ethernet, 1, "ETHERNET")                      \
  X(null, 0, "NULL")                              \
  X(raw, 101, "RAW")                              \
  X(loop, 108, "LOOP")                            \
  X(sll, 113, "LINUX_SLL")                        \
  X(ipv4, 228, "IPV4")                            \
  X(ipv6, 229, "IPV6")                            \
  X(sll2, 276, "LINUX_SLL2")                      \
  X(ppp, 9, "PPP")                                \
  X(ppp_hdlc, 50, "PPP_HDLC")                     \
  X(ppp_ether, 51, "PPP_ETHER")                   \
  X(atm_rfc1483, 100, "ATM_RFC1483")              \
  X(c_hdlc, 104, "C_HDLC")                        \
  X(ieee802_11, 105, "IEEE802_11")                \
  X(frelay, 107, "FRELAY")                        \
  X(ieee802_11_radiotap, 127, "IEEE802_11_RADIO") \
  X(ppi, 192, "PPI")                              \
  X(mpls, 219, "MPLS")

#define X(name, number, text) name,
enum class Link : std::uint8_t { WEIR_LINKS(X) unsupported };
#undef X

/// LINKTYPE_… number → Link. 12 and 14 are RAW as old BSDs wrote it into files.
constexpr Link link_from_number(std::uint32_t number) noexcept {
  switch (number) {
#define X(name, value, text) \
  case value: return Link::name;
    WEIR_LINKS(X)
#undef X
    case 12:
    case 14: return Link::raw;
    default: return Link::unsupported;
  }
}

/// Whether a packet is metered at all. Sampling is asked first, the filter only of packets that sampling selected.
enum class Selection : std::uint8_t { selected, not_selected, filtered };

/// One captured packet. `bytes` belong to whoever received it and stay until the slice or burst is given back.
struct Packet {
  const std::byte* bytes = nullptr;  ///< from the first octet of the link header
  std::uint32_t captured = 0;        ///< octets that `bytes` points at
  std::uint32_t wire = 0;            ///< octets that the frame had on the wire; at least `captured`
  Instant stamp = no_stamp;          ///< when it was captured
  Instant clock{};                   ///< the packet clock at its arrival: the largest stamp so far over the whole input
  std::uint16_t interface = 0;       ///< number of the interface it came from, counted from 0 over the whole input
  Link link = Link::unsupported;
  Selection selection = Selection::selected;
  std::uint16_t notes = 0;  ///< note_bit()s of what the capture stage remarked: late, no_stamp, clock_jump

  Bytes captured_bytes() const noexcept { return {bytes, captured}; }
};

using Burst = std::span<const Packet>;

/// Packets are decoded and metered this many at a time: enough to hide a cache miss behind the others.
inline constexpr std::size_t burst_size = 32;

}  // namespace weir
