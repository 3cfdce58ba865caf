// SPDX-License-Identifier: BSD-3-Clause
// Any octets on any link are judged as the slow twin judges them, twice the same, whatever the Headers held before, and
// the IP packet is found where the twin finds it. In full, with tunnels entered or not, Details agree as well.
// Input: one octet of link type, two of octets on the wire that were not captured, then the packet.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "decode/decode.hpp"
#include "support/slow_decode.hpp"

namespace {

namespace decode = weir::decode;
namespace test = weir::test;
using weir::Cursor, weir::Details, weir::Headers, weir::Link, weir::load_be, weir::Outcome, weir::Packet;

void expect(const std::string& got, const std::string& wanted) {
  if (got == wanted) return;
  std::fprintf(stderr, "decode said:     %s\nits slow twin:   %s\n", got.c_str(), wanted.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Cursor input{std::as_bytes(std::span{data, size})};
  const auto* about = input.take(3);
  if (!about) return 0;
  const auto link = static_cast<Link>(load_be<std::uint8_t>(about) % (static_cast<unsigned>(Link::unsupported) + 1));
  const auto captured = input.rest();
  const auto wire = captured.size() + load_be<std::uint16_t>(about + 1);
  const test::SlowDecoder twin{link, captured, wire};
  const auto wanted = test::text_of(twin.outcome, twin.headers);

  Headers headers;
  const auto outcome = decode::decode(link, captured, wire, headers);
  expect(test::text_of(outcome, headers), wanted);

  const Packet packet{.bytes = captured.data(),
                      .captured = static_cast<std::uint32_t>(captured.size()),
                      .wire = static_cast<std::uint32_t>(wire),
                      .link = link};
  const auto ip = decode::ip_packet(packet);
  const auto found = [&](bool any, std::uint64_t at) { return any ? "IP at " + std::to_string(at) : "no IP"; };
  expect(found(!ip.empty(), captured.size() - ip.size()), found(twin.ip_at.has_value(), twin.ip_at.value_or(0)));

  Headers stale;
  stale.addresses.fill(std::byte{0xa5});
  stale.octets = stale.vlan = stale.tcp_flags = stale.notes = 0x5555;
  Outcome again{};
  decode::decode_burst({&packet, 1}, {&stale, 1}, {&again, 1});
  expect(test::text_of(again, stale), wanted);

  const test::SlowDecoder inner_twin{link, captured, wire, true};
  for (const auto tunnels : {decode::Tunnels::outer, decode::Tunnels::inner}) {
    const auto& known = tunnels == decode::Tunnels::outer ? twin : inner_twin;
    Details details;
    details.has = details.vlan_tags = details.tunnel_depth = 0x55;
    decode::decode_burst({&packet, 1}, tunnels, {&stale, 1}, {&details, 1}, {&again, 1});
    expect(test::text_of(again, stale), test::text_of(known.outcome, known.headers));
    if (again == Outcome::metered && details != known.details)
      expect(test::text_of(details), test::text_of(known.details));
    decode::decode_burst({&packet, 1}, tunnels, {&stale, 1}, {}, {&again, 1});
    expect(test::text_of(again, stale), test::text_of(known.outcome, known.headers));
  }
  return 0;
}
