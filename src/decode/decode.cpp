// SPDX-License-Identifier: BSD-3-Clause
#include "decode/decode.hpp"

#include "base/assert.hpp"
#include "decode/frame.hpp"
#include "decode/link.hpp"

namespace weir::decode {
namespace {

inline Outcome decode_one(const Packet& packet, Headers& out) noexcept {
  if (packet.link == Link::unsupported) return Outcome::link_unsupported;
  if (!packet.selected) return Outcome::filtered;
  out = Headers{};
  return decode_link(packet.link, Frame{packet.captured_bytes(), packet.wire}, out);
}

}  // namespace

Outcome decode(Link link, Bytes captured, std::uint64_t wire, Headers& out) noexcept {
  out = Headers{};
  return decode_link(link, Frame{captured, wire}, out);
}

Outcome decode(const Packet& packet, Headers& out) noexcept { return decode_one(packet, out); }

void decode_burst(Burst burst, std::span<Headers> out, std::span<Outcome> outcomes) noexcept {
  WEIR_ASSERT(out.size() >= burst.size());
  WEIR_ASSERT(outcomes.size() >= burst.size());
  for (std::size_t i = 0; i < burst.size(); ++i) outcomes[i] = decode_one(burst[i], out[i]);
}

}  // namespace weir::decode
