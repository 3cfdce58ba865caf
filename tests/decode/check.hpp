// SPDX-License-Identifier: BSD-3-Clause
// What the decoder says of a packet, as text that reads in a failed test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "decode/decode.hpp"
#include "support/packet_builder.hpp"
#include "support/slow_decode.hpp"

namespace weir::test {

/// Whatever was there before decode must not shine through.
inline Headers stale_headers() {
  Headers stale;
  stale.addresses.fill(std::byte{0xa5});
  stale.octets = 999'999;
  stale.source_port = stale.destination_port = stale.vlan = stale.tcp_flags = stale.notes = 0x5555;
  stale.protocol = stale.tos = stale.ttl = 0x77;
  stale.version = IpVersion::v6;
  stale.fragment = Fragment::later;
  stale.fragment_id = 0x7777;
  return stale;
}

inline std::string decoded(const Packet& packet) {
  auto headers = stale_headers();
  const auto outcome = decode::decode(packet, headers);
  return text_of(outcome, headers);
}
inline std::string decoded(const frames::Frame& frame) {
  const auto captured = frame.captured();
  return decoded(captured.packet());
}
/// Headers and Details.
struct Full {
  Outcome outcome;
  Headers headers;
  Details details;
};
inline Full decode_full(const Packet& packet, decode::Tunnels tunnels) {
  Full full{Outcome::filtered, stale_headers(), {}};
  full.details.has = full.details.vlan_tags = full.details.tunnel_depth = 0x55;
  full.details.tcp_options = full.details.payload_octets = 0x5555'5555'5555;
  decode::decode_burst({&packet, 1}, tunnels, {&full.headers, 1}, {&full.details, 1}, {&full.outcome, 1});
  return full;
}
inline std::string text_of(const Full& full) {
  const auto text = text_of(full.outcome, full.headers);
  return full.outcome == Outcome::metered ? text + "\n  " + text_of(full.details) : text;
}
/// Empty where the decoder and its slow twin agree on a packet, in full and on its Headers alone.
inline std::string disagreement(const Packet& packet, decode::Tunnels tunnels) {
  const auto full = decode_full(packet, tunnels);
  const SlowDecoder twin{packet.link, packet.captured_bytes(), packet.wire, tunnels == decode::Tunnels::inner};
  auto headers = stale_headers();
  Outcome outcome{};
  decode::decode_burst({&packet, 1}, tunnels, {&headers, 1}, {}, {&outcome, 1});
  if (same_answer(full.outcome, full.headers, twin.outcome, twin.headers) &&
      same_answer(outcome, headers, twin.outcome, twin.headers) &&
      (full.outcome != Outcome::metered || full.details == twin.details))
    return {};
  return "in full:   " + text_of(full) + "\nHeaders:   " + text_of(outcome, headers) +
         "\nslow twin: " + text_of(Full{twin.outcome, twin.headers, twin.details});
}

/// Of a packet that has to be metered.
inline Headers headers_of(const frames::Frame& frame) {
  auto headers = stale_headers();
  const auto captured = frame.captured();
  EXPECT_EQ(name_of(decode::decode(captured.packet(), headers)), "metered");
  return headers;
}

/// What decoded() has to be for a packet that is metered.
inline std::string as_built(const frames::Frame& frame) { return text_of(Outcome::metered, frame.headers()); }

}  // namespace weir::test
