// SPDX-License-Identifier: BSD-3-Clause
// Where the outermost IP packet is, for those who want its octets and not what they mean. The way there is the
// decoder's own, so what is found here is what would be metered.
#pragma once

#include <cstdint>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>

#include "decode/frame.hpp"

namespace weir::decode {

struct IpPacket {
  Bytes octets;  ///< from the IP header to the end of the capture
};
constexpr void met_tag(std::uint16_t, bool, IpPacket&) noexcept {}
constexpr void met_label(std::uint32_t, IpPacket&) noexcept {}
constexpr void met_macs(const std::byte*, const std::byte*, IpPacket&) noexcept {}
constexpr void met_type(std::uint16_t, IpPacket&) noexcept {}

constexpr Outcome find_ip(Frame frame, unsigned version, IpPacket& out) noexcept {
  const auto* first = Frame{frame}.take(1);
  if (first && load_be<std::uint8_t>(first) >> 4 == version) out.octets = frame.rest();
  return Outcome::metered;
}
constexpr Outcome decode_ipv4(Frame frame, IpPacket& out) noexcept { return find_ip(frame, 4, out); }
constexpr Outcome decode_ipv6(Frame frame, IpPacket& out) noexcept { return find_ip(frame, 6, out); }

}  // namespace weir::decode
