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
//             vlan is the outermost tag's identifier, even where that is 0 (a priority tag); tags of customers' frames
//               in a backbone or pseudowire count, those inside of tunnels do not
//             tags are 0x8100, 0x88a8, 0x9100 and 0x9200; a type up to 1500 is a length, and LLC follows: SNAP of an
//               EtherType or a bridged frame, IP's own access point, an NLPID
//             PPPoE is version 1, type 1, code 0, or not_ip; its own length is not looked at, nor is LLC's
//             below labels four bits of 4 or 6 are IP (RFC 4928); else an Ethernet frame where an EtherType that leads
//               on stands at its place, without a control word or behind one whose first four bits are 0; else not_ip
//             802.1ah, Cisco metadata and NSH are stepped over; metadata other than version 1, NSH other than version 0
//               and OAM are not_ip
//             IEEE 802.11 data that is encrypted, several frames in one, or the later part of a fragment is not_ip; the
//               check sequence that radiotap or PPI announce is none of the frame
//             PPP and PPP_HDLC: FF 03 is PPP, 0F 00 and 8F 00 Cisco's framing, all else PPP with both fields compressed
//             frame relay: addresses of 2 to 4 octets; a control field other than 03 is Cisco's EtherType
//             cooked captures: a protocol below 0x0600 is not_ip, but 4 is LLC; devices of frame relay and radiotap are
//               read as those links are, netlink is not_ip
//             frames inside of frames more than eight deep are not_ip
//   tunnels   outer: the outermost IP packet is metered; what is in it is a protocol by number
//             inner: the innermost that can be read, up to eight tunnels deep; what cannot be read inside of a packet
//               (cut off, damaged, encrypted, not IP, control messages) is that packet's payload
//             a ninth tunnel is not entered: nested_too_deep is noted, as of frames in frames inside of a tunnel
//             fragments are not entered, the first one neither: all of a packet are one flow
//             UDP: the destination port says which (1701, 2152, 3544, 4341, 4789, 4790, 6081, 8472); L2TP and Teredo
//               are known by their source port, too
//             L2TPv3: behind the session 0, 4, 8 or 12 octets of cookie and sublayer, whichever is the first behind
//               which PPP, HDLC or Ethernet with IP of the announced version stand (or Ethernet with a tag)
//             GRE: version 0, and version 1 as PPTP has it; ERSPAN types I to III; VXLAN without a valid identifier,
//               Geneve control packets and GTP messages other than user data are not entered
//             AH is stepped over, over IPv4, too: the protocol metered is what is behind it, if that can be read.
//               IP right behind AH is a tunnel of its own kind; ESP is not entered
//             notes are the metered packet's own; an inner IP length beyond the packet around is beyond the frame
//   needed    octets come before values: the IP header's first 20 (IPv4) or 40 octets must be there before anything in
//               it is judged
//             IPv4 options may be missing where no ports are wanted; where they are, they must be there whole
//             the last IPv6 extension header, too, may end early where no ports are wanted: its first octet names the
//               protocol; those before it must be there whole, and a Fragment header always
//             AH is walked in IPv6 only (but see tunnels); hop-by-hop options are walked anywhere in the chain
//             no ports or ICMP type and code: any protocol but TCP, UDP, UDP-Lite, SCTP, DCCP, ICMP over IPv4 and
//               ICMPv6 over IPv6; later fragments, whose protocol is the one that the (fragment) header states
//   lengths   a needed octet that the capture cut off (captured < wire) makes a packet truncated, even if it lies
//               behind the IP length, too; otherwise what is needed and missing is malformed
//             IPv4 header longer than the IP length: malformed_ip_length; if that is 0, malformed_ip_header
//             IPv4 total length 0: octets, and the bound on ports, reach to the end of the frame on the wire
//             IPv6 payload length 0: 40 octets, unless a Hop-by-Hop header right behind the IP header has a jumbo
//               option; that is honoured whatever it says (RFC 2675 §3 wants more than 65,535)
//             a wire length below what was captured is taken as what was captured
//   fragments a packet with more fragments to come or an offset is one; an IPv6 Fragment header with neither is none
//             (RFC 6946); of several Fragment headers the last that makes one counts
//   Details   link and labels: what is met before the outermost IP header; MAC addresses: of the first frame that has
//               any
//             payload begins behind the header of TCP, UDP, UDP-Lite, SCTP, DCCP or ICMP (8 octets); TCP with a data
//               offset below five words, or cut before it, has none
//             spi: of the outermost AH or ESP that is met
//   TCP flags octets 12 and 13 of the header, where they are captured and within the IP length; else 0

/// `out` is what the headers said if the packet is metered; otherwise it holds nothing to rely on.
Outcome decode(Link link, Bytes captured, std::uint64_t wire, Headers& out) noexcept;

/// not_selected, link_unsupported and filtered included. Notes of the capture stage stay in the packet.
Outcome decode(const Packet& packet, Headers& out) noexcept;
/// The same, slower but where the packet does not go the straight road.
Outcome decode_by_the_chain(const Packet& packet, Headers& out) noexcept;

/// The outermost IP packet, from its header to the end of what was captured; empty where there is none. Its header says
/// the version that the link announces, and nothing else is judged.
Bytes ip_packet(const Packet& packet) noexcept;

/// Each packet of the burst into the same place of the other two, which are at least as long. No tunnel is entered.
/// True: every packet is metered, nothing is noted of it, and it is no fragment. False says nothing.
bool decode_burst(Burst burst, std::span<Headers> out, std::span<Outcome> outcomes) noexcept;

/// Which IP packet is metered: the outermost, or the innermost that can be read.
enum class Tunnels : std::uint8_t { outer, inner };

/// The same in full. `details` may be empty; otherwise they, too, are at least as long as the burst, and hold something
/// for each packet that is metered.
void decode_burst(Burst burst, Tunnels tunnels, std::span<Headers> out, std::span<Details> details,
                  std::span<Outcome> outcomes) noexcept;

}  // namespace weir::decode
