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
  stale.source.fill(std::byte{0xa5});
  stale.destination.fill(std::byte{0x5a});
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
