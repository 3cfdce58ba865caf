// SPDX-License-Identifier: BSD-3-Clause
// From any step to the next IP header, whatever stands between. Each turn takes octets of the frame, so its size bounds
// the walk; frames inside of frames are counted beside that.
#pragma once

#include <weir/outcome.hpp>
#include <weir/packet.hpp>

#include "decode/frame.hpp"
#include "decode/ipv4.hpp"
#include "decode/ipv6.hpp"
#include "decode/layers.hpp"
#include "decode/met.hpp"
#include "decode/serial.hpp"
#include "decode/step.hpp"
#include "decode/wireless.hpp"

namespace weir::decode {

constexpr Step first_step(Link link, Frame& frame, auto& out) noexcept {
  switch (link) {
    case Link::ethernet: return read_ethernet(frame, out);
    case Link::null: return read_null(frame);
    case Link::raw: return {Layer::ip};
    case Link::loop: return read_loop(frame);
    case Link::sll: return read_sll(frame, out);
    case Link::ipv4: return {Layer::ipv4};
    case Link::ipv6: return {Layer::ipv6};
    case Link::sll2: return read_sll2(frame, out);
    case Link::ppp:
    case Link::ppp_hdlc: return {Layer::hdlc};
    case Link::ppp_ether: return {Layer::pppoe};
    case Link::atm_rfc1483: return {Layer::llc};
    case Link::c_hdlc: return {Layer::cisco_hdlc};
    case Link::ieee802_11: return {Layer::ieee80211};
    case Link::frelay: return {Layer::frame_relay};
    case Link::ieee802_11_radiotap: return {Layer::radiotap};
    case Link::ppi: return {Layer::ppi};
    case Link::mpls: return {Layer::labels};
    case Link::unsupported: break;
  }
  return ends(Outcome::link_unsupported);
}

/// A frame inside of something else than the link.
constexpr Step read_inner_ethernet(Frame& frame, Way& way, auto& out) noexcept {
  if (way.frames++ < frames_most) return read_ethernet(frame, out);
  way.too_deep = true;
  return ends(Outcome::not_ip);
}

constexpr Step read_layer(Step step, Frame& frame, Way& way, auto& out) noexcept {
  switch (step.layer) {
    case Layer::ip: return read_nibble(frame);
    case Layer::ethertype: return read_tags(step.value, frame, way, out);
    case Layer::ethernet: return read_inner_ethernet(frame, way, out);
    case Layer::llc: return read_llc(frame);
    case Layer::backbone: return read_backbone(frame);
    case Layer::metadata: return read_metadata(frame);
    case Layer::nsh: return read_nsh(frame);
    case Layer::labels: return read_labels(frame, out);
    case Layer::below_labels: return read_below_labels(frame);
    case Layer::pppoe: return read_pppoe(frame);
    case Layer::ppp: return read_ppp(frame);
    case Layer::hdlc: return read_hdlc(frame);
    case Layer::cisco_hdlc: return read_cisco_hdlc(frame);
    case Layer::frame_relay: return read_frame_relay(frame);
    case Layer::nlpid: return read_nlpid(frame);
    case Layer::ieee80211: return read_ieee80211(frame, step.value == 1, out);
    case Layer::radiotap: return read_radiotap(frame);
    case Layer::ppi: {
      auto link = Link::unsupported;
      const auto next = read_ppi(frame, link);
      return next.layer == Layer::ends ? next : first_step(link, frame, out);
    }
    case Layer::ends:
    case Layer::ipv4:
    case Layer::ipv6: break;
  }
  return step;
}

/// Moves `frame` to the next IP header; the answer is ipv4, ipv6 or how it ends before.
constexpr Step walk_to_ip(Step step, Frame& frame, Way& way, auto& out) noexcept {
  while (step.layer != Layer::ends && step.layer != Layer::ipv4 && step.layer != Layer::ipv6)
    step = read_layer(step, frame, way, out);
  return step;
}

constexpr Outcome decode_ip(Step step, Frame frame, auto& out) noexcept {
  if (step.layer == Layer::ends) return outcome_of(step);
  return step.layer == Layer::ipv4 ? decode_ipv4(frame, out) : decode_ipv6(frame, out);
}

}  // namespace weir::decode
