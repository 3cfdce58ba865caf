// SPDX-License-Identifier: BSD-3-Clause
// From the first octet of a frame to the first octet of its outermost IP header. What happens there `out` decides:
// Headers are filled (ipv4.hpp, ipv6.hpp), an IpPacket is found (locate.hpp).
#pragma once

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

/// The short way: Ethernet, tags, PPPoE, labels and IP in the order in which they usually stand; anything else goes the
/// long one. `out` must be fresh: only what the packet says is written.
constexpr Outcome decode_link(Link link, Frame frame, auto& out) noexcept {
  Way way;
  auto step = link == Link::ethernet ? read_ethernet(frame, out) : first_step(link, frame, out);
  if (step.layer == Layer::ethertype) step = read_tags(step.value, frame, way, out);
  if (step.layer == Layer::ipv4) return decode_ipv4(frame, out);
  if (step.layer == Layer::pppoe) step = read_pppoe(frame);
  if (step.layer == Layer::ppp) step = read_ppp(frame);
  if (step.layer == Layer::labels) step = read_labels(frame, out);
  if (step.layer == Layer::ip || step.layer == Layer::below_labels) {
    const auto version = read_nibble(frame);
    if (step.layer == Layer::ip || version.layer != Layer::ends) step = version;
  }
  switch (step.layer) {
    case Layer::ends: return outcome_of(step);
    case Layer::ipv4: return decode_ipv4(frame, out);
    case Layer::ipv6: return decode_ipv6(frame, out);
    default: return decode_rare(step, frame, way, out);
  }
}

}  // namespace weir::decode
