// SPDX-License-Identifier: BSD-3-Clause
// What stands next in a frame. Each header's function takes its octets and says what they announce.
#pragma once

#include <cstdint>
#include <weir/outcome.hpp>

#include "decode/frame.hpp"

namespace weir::decode {

enum class Layer : std::uint8_t {
  ends,  ///< nothing more; `value` is the Outcome
  ipv4,
  ipv6,
  ip,         ///< of the version that its first four bits say
  ethertype,  ///< whatever `value` is the EtherType of
  ethernet,
  llc,
  backbone,  ///< IEEE 802.1ah: an I-TAG, then the customer's frame
  metadata,  ///< Cisco's
  nsh,
  labels,
  below_labels,  ///< IP, or an Ethernet pseudowire
  pppoe,
  ppp,
  hdlc,  ///< PPP with or without address and control field, or Cisco's framing
  cisco_hdlc,
  frame_relay,
  nlpid,
  ieee80211,  ///< `value` 1: header padded to four octets
  radiotap,
  ppi,
};

struct Step {
  Layer layer;
  std::uint16_t value = 0;
};

constexpr Step ends(Outcome outcome) noexcept { return {Layer::ends, static_cast<std::uint16_t>(outcome)}; }
constexpr Step lacks(const Frame& frame, std::size_t octets, Outcome malformed = Outcome::malformed_link) noexcept {
  return ends(frame.lacks(octets, malformed));
}
constexpr Outcome outcome_of(Step step) noexcept { return static_cast<Outcome>(step.value); }

/// What a walk has behind it.
struct Way {
  bool tagged = false;      ///< a VLAN tag
  bool too_deep = false;    ///< more nested than is followed
  std::uint8_t frames = 0;  ///< Ethernet frames inside of others
};

/// Ethernet frames inside of others, and tunnels, that are followed. What goes deeper is nobody's network.
inline constexpr std::uint8_t frames_most = 8, tunnels_most = 8;

}  // namespace weir::decode
