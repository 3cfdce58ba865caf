// SPDX-License-Identifier: BSD-3-Clause
// Bytes → Headers. Pure: no state, no clock; the same octets always give the same answer.
#pragma once

#include <cstdint>
#include <span>
#include <weir/bytes.hpp>
#include <weir/details.hpp>
#include <weir/headers.hpp>
#include <weir/outcome.hpp>
#include <weir/packet.hpp>

namespace weir::decode {

// What two engineers would decide differently, and what is decided here. Each line has a test.
//
//   left out  not_selected goes before everything: sampling counts each packet of the Observation Point, read or not
//   link      link_unsupported goes before filtered: what is not read cannot be filtered
//             raw, and IP below MPLS: versions other than 4 and 6 are not_ip, for nothing announced IP;
//               everywhere else (EtherType, PPP, address family, IPV4, IPV6) they are malformed_ip_version
//             raw, and IP below MPLS: no octet left for the version is malformed_ip_header (or truncated)
//             vlan is the outermost tag's identifier, even where that is 0 (a priority tag)
//             tags after labels or PPPoE, LLC/SNAP, 0x9100: not_ip, as is PPPoE other than version 1, type 1, code 0
//             PPPoE's own length is not looked at
//   tunnels   the outermost IP packet is metered; what is in it is a protocol by number
//   needed    octets come before values: the IP header's first 20 (IPv4) or 40 octets must be there before anything in
//               it is judged
//             IPv4 options may be missing where no ports are wanted; where they are, they must be there whole
//             the last IPv6 extension header, too, may end early where no ports are wanted: its first octet names the
//               protocol (of a Fragment header the first four are needed); those before it must be there whole
//             AH is walked in IPv6 only; hop-by-hop options are walked anywhere in the chain
//             no ports or ICMP type and code: any protocol but TCP, UDP, UDP-Lite, SCTP, DCCP, ICMP over IPv4 and
//               ICMPv6 over IPv6; later fragments, whose protocol is the one that the (fragment) header states
//   lengths   a needed octet that the capture cut off (captured < wire) makes a packet truncated, even if it lies
//               behind the IP length, too; otherwise what is needed and missing is malformed
//             IPv4 header longer than the IP length: malformed_ip_length; if that is 0, malformed_ip_header
//             IPv4 total length 0: octets, and the bound on ports, reach to the end of the frame on the wire
//             IPv6 payload length 0: 40 octets, unless a Hop-by-Hop header right behind the IP header has a jumbo
//               option; that is honoured whatever it says (RFC 2675 §3 wants more than 65,535)
//             a wire length below what was captured is taken as what was captured
//   TCP flags octets 12 and 13 of the header, where they are captured and within the IP length; else 0

/// `out` is what the headers said if the packet is metered; otherwise it holds nothing to rely on.
Outcome decode(Link link, Bytes captured, std::uint64_t wire, Headers& out) noexcept;

/// not_selected, link_unsupported and filtered included. Notes of the capture stage stay in the packet.
Outcome decode(const Packet& packet, Headers& out) noexcept;

/// The outermost IP packet, from its header to the end of what was captured; empty where there is none. Its header says
/// the version that the link announces, and nothing else is judged.
Bytes ip_packet(const Packet& packet) noexcept;

/// Each packet of the burst into the same place of the other two, which are at least as long. No tunnel is entered.
void decode_burst(Burst burst, std::span<Headers> out, std::span<Outcome> outcomes) noexcept;

/// Which IP packet is metered: the outermost, or the innermost that can be read.
enum class Tunnels : std::uint8_t { outer, inner };

/// The same in full. `details` may be empty; otherwise they, too, are at least as long as the burst, and hold something
/// for each packet that is metered.
void decode_burst(Burst burst, Tunnels tunnels, std::span<Headers> out, std::span<Details> details,
                  std::span<Outcome> outcomes) noexcept;

}  // namespace weir::decode
