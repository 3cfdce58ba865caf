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
  Bytes octets;            ///< from the IP header to the end of the capture
  std::uint16_t vlan = 0;  ///< met on the way
};

constexpr Outcome find_ip(Frame frame, unsigned version, IpPacket& out) noexcept {
  const auto* first = Frame{frame}.take(1);
  if (first && load_be<std::uint8_t>(first) >> 4 == version) out.octets = frame.rest();
  return Outcome::metered;
}
constexpr Outcome decode_ipv4(Frame frame, IpPacket& out) noexcept { return find_ip(frame, 4, out); }
constexpr Outcome decode_ipv6(Frame frame, IpPacket& out) noexcept { return find_ip(frame, 6, out); }

}  // namespace weir::decode
