// SPDX-License-Identifier: BSD-3-Clause
// decode → flow: what else the headers of one packet said, beside Headers. Only filled where a template or a key asks
// for something of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <weir/headers.hpp>

namespace weir {

/// What a packet was wrapped in. The text is what tunnelTechnology (IANA 289) carries.
#define WEIR_TUNNELS(X)     \
  X(none, "")               \
  X(gre, "GRE")             \
  X(pptp, "PPTP")           \
  X(erspan_1, "ERSPAN-I")   \
  X(erspan_2, "ERSPAN-II")  \
  X(erspan_3, "ERSPAN-III") \
  X(ip_in_ip, "IP-in-IP")   \
  X(l2tp_v2, "L2TPv2")      \
  X(l2tp_v3, "L2TPv3")      \
  X(vxlan, "VXLAN")         \
  X(vxlan_gpe, "VXLAN-GPE") \
  X(geneve, "GENEVE")       \
  X(gtp_u, "GTP-U")         \
  X(lisp, "LISP")           \
  X(teredo, "TEREDO")       \
  X(nsh, "NSH")             \
  X(ah, "AH")               \
  X(esp, "ESP")

#define X(name, text) name,
enum class Tunnel : std::uint8_t { WEIR_TUNNELS(X) };
#undef X

/// Numbers are in host order, addresses in network order. What a packet has not is 0; `has` tells which groups are
/// there. Of the metered IP packet unless a group says otherwise; with tunnels entered that is the inner one.
struct Details {
  /// Bits of `has`.
  static constexpr std::uint16_t macs = 1, vlan_outer = 2, vlan_inner = 4, mpls = 8, tcp = 16, tunnelled = 32,
                                 ipsec = 64, fragmented = 128, igmp = 256, gtp_session = 512, outer_ports = 1024;

  // Link layer: of the outermost frame.
  std::array<std::byte, 6> source_mac{}, destination_mac{};
  std::uint16_t has = 0;
  std::uint16_t ethertype = 0;       ///< what stands behind the VLAN tags; 0x0800 and 0x86dd where no link says it
  std::uint16_t vlan_tci = 0;        ///< outermost tag: priority 3 bits, DEI 1, identifier 12 (IEEE 802.1Q §9.6)
  std::uint16_t inner_vlan_tci = 0;  ///< the tag behind it
  std::uint8_t vlan_tags = 0;        ///< tags met, 255 at most
  std::uint8_t mpls_depth = 0;       ///< labels met, 255 at most
  std::uint16_t link_octets = 0;     ///< from the frame's first octet to the outermost IP header
  std::array<std::uint32_t, 10>
      mpls_entries{};  ///< topmost first: label 20 bits, TC 3, bottom 1, TTL 8 (RFC 3032 §2.1)

  // IP.
  std::uint32_t identification = 0;   ///< IPv4 16 bits; IPv6 32 bits of a Fragment header (RFC 8200 §4.5)
  std::uint32_t flow_label = 0;       ///< 20 bits
  std::uint32_t ipv4_options = 0;     ///< bits of ipv4Options (IANA 208)
  std::uint32_t ipv6_extensions = 0;  ///< bits of ipv6ExtensionHeaders (IANA 64)
  std::uint16_t fragment_offset = 0;  ///< in units of 8 octets (IANA fragmentOffset 88)
  std::uint8_t fragment_flags = 0;    ///< as IANA fragmentFlags (197): DF 0x40, MF 0x20
  std::uint8_t ip_header_octets = 0;  ///< IPv4 20 to 60, IPv6 40
  std::uint8_t next_header = 0;       ///< the IP header's own, before extension headers (IANA nextHeaderIPv6 193)
  std::uint8_t igmp_type = 0;

  // Transport.
  std::uint8_t tcp_header_octets = 0, tcp_window_scale = 0;
  std::uint32_t tcp_sequence = 0, tcp_acknowledgement = 0;
  std::uint64_t tcp_options = 0;  ///< bits of tcpOptions (IANA 209): kind n is bit n, kinds beyond 63 none
  std::uint16_t tcp_window = 0, tcp_urgent = 0, tcp_mss = 0;  ///< MSS 0: no such option
  std::uint16_t udp_octets = 0;                               ///< UDP's own length field
  std::uint32_t spi = 0;                                      ///< of AH or ESP, the outermost met

  // Payload behind the transport header (behind the IP headers where there is none), within the IP length.
  std::uint64_t payload_octets = 0;  ///< as the IP length claims
  std::uint32_t payload_at = 0;      ///< from the packet's first octet; only meaningful with payload_captured
  std::uint32_t payload_captured = 0;

  // Tunnels: of the outermost IP packet where an inner one is metered.
  std::array<std::byte, 16> outer_source{}, outer_destination{};
  std::uint64_t outer_octets = 0;                ///< outer packet, as Headers::octets
  std::uint64_t tunnel_id = 0;                   ///< innermost tunnel's: VNI, TEID, GRE or ERSPAN key, session; 0: none
  std::uint32_t gre_key = 0, vni = 0, teid = 0;  ///< the innermost of each kind
  std::uint32_t l2tp_session = 0;
  std::uint16_t l2tp_tunnel = 0, erspan_session = 0;
  std::uint16_t outer_source_port = 0, outer_destination_port = 0;
  std::uint8_t outer_version = 0;  ///< 4 or 6; 0: not in a tunnel
  std::uint8_t outer_protocol = 0, outer_tos = 0, outer_ttl = 0;
  std::uint8_t tunnel_depth = 0;  ///< tunnels entered
  Tunnel tunnel = Tunnel::none;   ///< the innermost one
  std::uint8_t gtp_message = 0, gtp_flags = 0, gtp_qfi = 0, gtp_pdu = 0;
  std::uint32_t gtp_sequence = 0;
};

}  // namespace weir
