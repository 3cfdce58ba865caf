// SPDX-License-Identifier: BSD-3-Clause
#include "decode/decode.hpp"

#include <memory>

#include "base/assert.hpp"
#include "decode/frame.hpp"
#include "decode/link.hpp"
#include "decode/locate.hpp"
#include "decode/straight.hpp"

namespace weir::decode {

/// The whole chain in one function: a Frame that is handed to a function of its own goes through memory and waits
/// there.
[[gnu::flatten]] Outcome decode(Link link, Bytes captured, std::uint64_t wire, Headers& out) noexcept {
  std::construct_at(&out);  // in place: a copy of a Headers{} would wait for its own stores
  return decode_link(link, Frame{captured, wire}, out);
}

namespace {

Outcome decode_by_the_chain(const Packet& packet, Headers& out) noexcept {
  if (packet.selection == Selection::not_selected) return Outcome::not_selected;
  if (packet.link == Link::unsupported) return Outcome::link_unsupported;
  if (packet.selection == Selection::filtered) return Outcome::filtered;
  return decode(packet.link, packet.captured_bytes(), packet.wire, out);
}

}  // namespace

Outcome decode(const Packet& packet, Headers& out) noexcept {
  return decode_straight(packet, out) ? Outcome::metered : decode_by_the_chain(packet, out);
}

void decode_burst(Burst burst, std::span<Headers> out, std::span<Outcome> outcomes) noexcept {
  WEIR_ASSERT(out.size() >= burst.size());
  WEIR_ASSERT(outcomes.size() >= burst.size());
  for (std::size_t i = 0; i < burst.size(); ++i)
    outcomes[i] = decode_straight(burst[i], out[i]) ? Outcome::metered : decode_by_the_chain(burst[i], out[i]);
}

Bytes ip_packet(const Packet& packet) noexcept {
  IpPacket found;
  decode_link(packet.link, Frame{packet.captured_bytes(), packet.wire}, found);
  return found.octets;
}

}  // namespace weir::decode
