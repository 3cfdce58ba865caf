// SPDX-License-Identifier: BSD-3-Clause
// From the first octet of a frame to the first octet of its outermost IP header. What happens there `out` decides:
// Headers are filled (ipv4.hpp, ipv6.hpp), an IpPacket is found (locate.hpp).
#pragma once

#include <cstdint>
#include <utility>
#include <weir/bytes.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

#include "decode/frame.hpp"
#include "decode/step.hpp"
#include "decode/walk.hpp"

namespace weir::decode {

/// No outcome: what stands here is not in the usual order, so the frame has to be walked from its first octet. That is
/// rare, and to begin anew leaves nothing to be kept for it on the short way.
inline constexpr Outcome goes_the_long_way{0xff};

/// `out` must be fresh.
[[gnu::noinline]] constexpr Outcome walk_link(Link link, Frame frame, auto& out) noexcept {
  Way way;
  const auto step = walk_to_ip(first_step(link, frame, out), frame, way, out);
  return decode_ip(step, frame, out);
}

// The short way: what usually stands before IP, in the order in which it usually stands, each function inlined into the
// one before.

constexpr Outcome decode_labels(Frame frame, auto& out) noexcept {
  const auto step = read_labels(frame, out);
  if (step.layer == Layer::ends) return outcome_of(step);
  const auto* first = Frame{frame}.take(1);
  switch (first ? load_be<std::uint8_t>(first) >> 4 : 0) {
    case 4: return decode_ipv4(frame, out);
    case 6: return decode_ipv6(frame, out);
    default: return goes_the_long_way;
  }
}

constexpr Outcome decode_pppoe(Frame frame, auto& out) noexcept {
  auto step = read_pppoe(frame);
  if (step.layer != Layer::ends) step = read_ppp(frame);
  return step.layer == Layer::labels ? decode_labels(frame, out) : decode_ip(step, frame, out);
}

constexpr Outcome decode_tags(std::uint16_t type, Frame frame, auto& out) noexcept {
  bool tagged = false;
  while (type == ethertype::vlan || type == ethertype::vlan_service) {
    const auto* tag = frame.take(4);
    if (!tag) return frame.lacks(4, Outcome::malformed_link);
    met_tag(load_be<std::uint16_t>(tag), !std::exchange(tagged, true), out);
    type = load_be<std::uint16_t>(tag + 2);
  }
  switch (type) {
    case ethertype::ipv4: return decode_ipv4(frame, out);
    case ethertype::ipv6: return decode_ipv6(frame, out);
    case ethertype::mpls_unicast:
    case ethertype::mpls_multicast: return decode_labels(frame, out);
    case ethertype::pppoe_session: return decode_pppoe(frame, out);
    default: return goes_the_long_way;
  }
}

constexpr Outcome decode_nibble(Frame frame, auto& out) noexcept {
  const auto* first = Frame{frame}.take(1);
  if (!first) return frame.lacks(1, Outcome::malformed_ip_header);
  switch (load_be<std::uint8_t>(first) >> 4) {
    case 4: return decode_ipv4(frame, out);
    case 6: return decode_ipv6(frame, out);
    default: return Outcome::not_ip;
  }
}

constexpr Outcome decode_ethernet(Frame frame, auto& out) noexcept {
  const auto* ethernet = frame.take(ethernet_octets);
  if (!ethernet) return frame.lacks(ethernet_octets, Outcome::malformed_link);
  const auto type = load_be<std::uint16_t>(ethernet + 12);
  return type == ethertype::ipv4 ? decode_ipv4(frame, out) : decode_tags(type, frame, out);
}

/// `out` must be fresh: only what the packet says is written, and where it goes the long way nothing to rely on.
constexpr Outcome decode_link(Link link, Frame frame, auto& out) noexcept {
  if (link == Link::ethernet) return decode_ethernet(frame, out);
  return link == Link::raw ? decode_nibble(frame, out) : goes_the_long_way;
}

}  // namespace weir::decode
