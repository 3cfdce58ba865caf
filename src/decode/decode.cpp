// SPDX-License-Identifier: BSD-3-Clause
#include "decode/decode.hpp"

#include <algorithm>
#include <memory>

#include "base/assert.hpp"
#include "decode/ahead.hpp"
#include "decode/frame.hpp"
#include "decode/innermost.hpp"
#include "decode/link.hpp"
#include "decode/locate.hpp"
#include "decode/straight.hpp"

namespace weir::decode {

/// The whole chain in one function: a Frame that is handed to a function of its own goes through memory and waits
/// there.
[[gnu::flatten]] Outcome decode(Link link, Bytes captured, std::uint64_t wire, Headers& out) noexcept {
  std::construct_at(&out);  // in place: a copy of a Headers{} would wait for its own stores
  const auto outcome = decode_link(link, Frame{captured, wire}, out);
  if (outcome != goes_the_long_way) [[likely]]
    return outcome;
  std::construct_at(&out);
  return walk_link(link, Frame{captured, wire}, out);
}

Outcome decode_by_the_chain(const Packet& packet, Headers& out) noexcept {
  if (packet.selection == Selection::not_selected) return Outcome::not_selected;
  if (packet.link == Link::unsupported) return Outcome::link_unsupported;
  if (packet.selection == Selection::filtered) return Outcome::filtered;
  return decode(packet.link, packet.captured_bytes(), packet.wire, out);
}

Outcome decode(const Packet& packet, Headers& out) noexcept {
  return decode_straight(packet, out) ? Outcome::metered : decode_by_the_chain(packet, out);
}

namespace {

/// A packet of the straight road needs no walk: it has no tags, and its IP header stands behind the Ethernet header.
void describe_straight(const Packet& packet, Detailed& out) noexcept {
  Frame frame{packet.captured_bytes(), packet.wire};
  met_type(read_ethernet(frame, out).value, out);
  describe(frame, frame, packet.bytes, out);
}

Outcome walk_in_full(const Packet& packet, Tunnels tunnels, Detailed& out) noexcept {
  Frame frame{packet.captured_bytes(), packet.wire};
  Way way;
  const auto step = walk_to_ip(first_step(packet.link, frame, out), frame, way, out);
  if (const auto outcome = decode_ip(step, frame, out.headers); outcome != Outcome::metered) return outcome;
  const auto outermost = frame;
  if (tunnels == Tunnels::inner) go_inside(frame, out);
  describe(outermost, frame, packet.bytes, out);
  return Outcome::metered;
}

Outcome decode_in_full(const Packet& packet, Tunnels tunnels, Headers& headers, Details* details) noexcept {
  if (details) std::construct_at(details);
  Detailed out{headers, details};
  if (decode_straight(packet, headers) && (tunnels == Tunnels::outer || !may_hold_tunnel(headers))) {
    if (details) describe_straight(packet, out);
    return Outcome::metered;
  }
  if (packet.selection == Selection::not_selected) return Outcome::not_selected;
  if (packet.link == Link::unsupported) return Outcome::link_unsupported;
  if (packet.selection == Selection::filtered) return Outcome::filtered;
  std::construct_at(&headers);
  return walk_in_full(packet, tunnels, out);
}

}  // namespace

void decode_burst(Burst burst, Tunnels tunnels, std::span<Headers> out, std::span<Details> details,
                  std::span<Outcome> outcomes) noexcept {
  WEIR_ASSERT(out.size() >= burst.size());
  WEIR_ASSERT(details.empty() || details.size() >= burst.size());
  WEIR_ASSERT(outcomes.size() >= burst.size());
  for_each_ahead(burst, [&](std::size_t i) {
    outcomes[i] = decode_in_full(burst[i], tunnels, out[i], details.empty() ? nullptr : &details[i]);
  });
}

bool decode_burst(Burst burst, std::span<Headers> out, std::span<Outcome> outcomes) noexcept {
  WEIR_ASSERT(out.size() >= burst.size());
  WEIR_ASSERT(outcomes.size() >= burst.size());
  std::ranges::fill(outcomes.first(burst.size()), Outcome::metered);
  bool plain = true;
  for_each_ahead(burst, [&](std::size_t i) {
    const auto& packet = burst[i];
    if (straight::is_plain(packet) && straight::decode(packet, out[i])) [[likely]]
      return;
    outcomes[i] = packet.notes == 0 ? decode_by_the_chain(packet, out[i]) : decode(packet, out[i]);
    plain &= outcomes[i] == Outcome::metered && (packet.notes | out[i].notes) == 0 && out[i].fragment == Fragment::none;
  });
  return plain;
}

Bytes ip_packet(const Packet& packet) noexcept {
  IpPacket found;
  walk_link(packet.link, Frame{packet.captured_bytes(), packet.wire}, found);
  return found.octets;
}

}  // namespace weir::decode
