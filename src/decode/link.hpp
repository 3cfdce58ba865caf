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

/// The long way, out of line: what goes it is rare, and does not stand in the way of the rest.
[[gnu::noinline]] constexpr Outcome decode_rare(Step step, Frame frame, Way way, auto& out) noexcept {
  return decode_ip(walk_to_ip(step, frame, way, out), frame, out);
}

// The short way: what usually stands before IP, in the order in which it usually stands, each function inlined into the
// one before.

constexpr Outcome decode_labels(Frame frame, Way way, auto& out) noexcept {
  const auto step = read_labels(frame, out);
  if (step.layer == Layer::ends) return outcome_of(step);
  const auto* first = Frame{frame}.take(1);
  switch (first ? load_be<std::uint8_t>(first) >> 4 : 0) {
    case 4: return decode_ipv4(frame, out);
    case 6: return decode_ipv6(frame, out);
    default: return decode_rare(step, frame, way, out);
  }
}

constexpr Outcome decode_pppoe(Frame frame, Way way, auto& out) noexcept {
  auto step = read_pppoe(frame);
  if (step.layer != Layer::ends) step = read_ppp(frame);
  return step.layer == Layer::labels ? decode_labels(frame, way, out) : decode_ip(step, frame, out);
}

constexpr Outcome decode_tags(std::uint16_t type, Frame frame, auto& out) noexcept {
  Way way;
  while (type == ethertype::vlan || type == ethertype::vlan_service) {
    const auto* tag = frame.take(4);
    if (!tag) return frame.lacks(4, Outcome::malformed_link);
    met_tag(load_be<std::uint16_t>(tag), !std::exchange(way.tagged, true), out);
    type = load_be<std::uint16_t>(tag + 2);
  }
  switch (type) {
    case ethertype::ipv4: return decode_ipv4(frame, out);
    case ethertype::ipv6: return decode_ipv6(frame, out);
    case ethertype::mpls_unicast:
    case ethertype::mpls_multicast: return decode_labels(frame, way, out);
    case ethertype::pppoe_session: return decode_pppoe(frame, way, out);
    default: return decode_rare({Layer::ethertype, type}, frame, way, out);
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

/// `out` must be fresh: only what the packet says is written.
constexpr Outcome decode_link(Link link, Frame frame, auto& out) noexcept {
  if (link == Link::ethernet) return decode_ethernet(frame, out);
  if (link == Link::raw) return decode_nibble(frame, out);
  const auto step = first_step(link, frame, out);
  return step.layer == Layer::ethertype ? decode_tags(step.value, frame, out) : decode_rare(step, frame, {}, out);
}

}  // namespace weir::decode
