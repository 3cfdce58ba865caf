// SPDX-License-Identifier: BSD-3-Clause
#include "flow/elements.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <weir/outcome.hpp>
#include <weir/record.hpp>

#include "base/hash.hpp"

namespace weir::flow {
namespace {

using trait::details, trait::only_4, trait::only_6, trait::biflow, trait::whole, trait::hidden, trait::time,
    trait::counter, trait::bits;
using enum DataType;
using Row = ElementSource;
using Value = Row::Value;

constexpr Row column(std::string_view name, DataType type, How how, std::uint8_t stored, Value value,
                     std::string_view zero, unsigned traits = 0) {
  return {.name = name,
          .type = type,
          .how = how,
          .stored = stored,
          .traits = static_cast<std::uint16_t>(traits),
          .zero = zero,
          .value = value};
}
/// A column that Details feed.
constexpr Row detail(std::string_view name, DataType type, How how, std::uint8_t stored, Value value,
                     std::string_view zero, unsigned traits = 0) {
  return column(name, type, how, stored, value, zero, traits | details);
}
constexpr Row octets(std::string_view name, DataType type, std::uint8_t stored, Row::Octets value,
                     std::string_view zero, std::string_view pair, unsigned traits = 0) {
  return {.name = name,
          .type = type,
          .how = How::first_octets,
          .stored = stored,
          .traits = static_cast<std::uint16_t>(traits | details),
          .zero = zero,
          .octets = value,
          .pair = pair};
}
constexpr Row paired(Row row, std::string_view pair) {
  row.pair = pair;
  return row;
}
constexpr Row shape(std::string_view name, DataType type, How how, std::uint8_t stored, std::size_t place,
                    std::string_view zero, unsigned traits = 0, Value value = nullptr) {
  return {.name = name,
          .type = type,
          .how = how,
          .stored = stored,
          .traits = static_cast<std::uint16_t>(traits),
          .zero = zero,
          .value = value,
          .place = static_cast<std::uint8_t>(place)};
}
constexpr Row derived(std::string_view name, DataType type, std::uint8_t stored, Row::Make make, std::string_view zero,
                      unsigned traits = 0, std::string_view one = {}, std::string_view other = {}) {
  return {.name = name,
          .type = type,
          .how = How::derived,
          .stored = stored,
          .traits = static_cast<std::uint16_t>(traits),
          .zero = zero,
          .make = make,
          .one = one,
          .other = other};
}
constexpr Row constant(std::string_view name, DataType type, Row::Constant value, std::string_view zero,
                       unsigned traits = whole) {
  return {.name = name,
          .type = type,
          .how = How::constant,
          .traits = static_cast<std::uint16_t>(traits),
          .zero = zero,
          .constant = value};
}
constexpr Row refused(std::string_view name, std::string_view why) {
  return {.name = name, .how = How::refused, .zero = why};
}

constexpr Word largest = std::numeric_limits<Word>::max(), largest_32 = std::numeric_limits<std::uint32_t>::max();

/// A square that does not fit is the largest number.
constexpr Word squared(Word value) noexcept { return value >> 32 ? largest : value * value; }

constexpr Word flag(const Sight& s, std::uint16_t bit) noexcept { return (s.headers.tcp_flags & bit) != 0; }
constexpr std::uint16_t psh = 0x08, ack = 0x10, urg = 0x20;

/// IEEE 802.1Q §9.6.
constexpr Word vlan_id(std::uint16_t tci) noexcept { return tci & 0xfffu; }
constexpr Word priority(std::uint16_t tci) noexcept { return tci >> 13; }
/// Drop eligible; what has no tag is not. RFC 7011 §6.1.5: true is 1, false is 2.
constexpr Word eligible(std::uint16_t tci) noexcept { return tci & 0x1000u ? 1 : 2; }

/// RFC 3032 §2.1: label, TC and bottom of stack are the upper 24 bits of an entry.
template <std::size_t N>
Word mpls_section(const Sight& s) noexcept {
  return s.details.mpls_entries[N - 1] >> 8;
}

bool is_multicast(const Headers& h) noexcept {
  const auto first = std::to_integer<unsigned>(h.destination()[0]);
  return h.version == IpVersion::v4 ? first >> 4 == 0xe : first == 0xff;
}
/// RFC 5477 §8.3, isMulticast: bit 0 IPv4, bit 3 the T flag, bits 4 to 7 the scope of IPv6, counted from the uppermost.
Word multicast_octet(const Ending& e) noexcept {
  const auto* destination = e.record + e.address_octets;
  const auto first = std::to_integer<unsigned>(destination[0]);
  if (e.address_octets == 4) return first >> 4 == 0xe ? 0x80 : 0;
  return first == 0xff ? std::to_integer<Word>(destination[1]) & 0x1f : 0;
}

Word stamp_ns(const Sight& s) noexcept {
  return nanoseconds_since_epoch(s.packet.stamp == no_stamp ? s.packet.clock : s.packet.stamp);
}

/// RFC 7011 §6.1.9, §6.1.10: seconds since 1900 and a fraction of 32 bits. Rounded up, so that who cuts the fraction to
/// whole units gets back what went in; of microseconds the 11 lower bits are zero.
constexpr Word ntp(Word ns, Word unused) noexcept {
  constexpr Word seconds_1900_to_1970 = 2'208'988'800, second = 1'000'000'000;
  const Word fraction = (((ns % second) << 32) + second - 1) / second;
  return ((ns / second + seconds_1900_to_1970) & largest_32) << 32 | ((fraction + unused) & ~unused);
}
constexpr Word ntp_microseconds(Word ns) noexcept { return ntp(ns / 1000 * 1000, 0x7ff); }
constexpr Word ntp_nanoseconds(Word ns) noexcept { return ntp(ns, 0); }
static_assert(ntp_nanoseconds(1) == (2'208'988'800ull << 32 | 5));
static_assert(ntp_microseconds(1'000) == (2'208'988'800ull << 32 | 6144) && (6144ull * 1'000'000 >> 32) == 1);
static_assert((ntp_microseconds(999'999'999) & largest_32) == 0xffff'f000);

constexpr Word up_to_32(Word value) noexcept { return std::min(value, largest_32); }
Word start_ms(const Ending& e) noexcept { return e.counts.start_word & low_48; }
Word end_ms(const Ending& e) noexcept { return e.counts.end_word & low_44; }

/// Between two moments of a biflow, each 0 where nothing came; an answer in the same nanosecond took none.
constexpr Word answer_ns(const Ending& e) noexcept { return e.one && e.other > e.one ? e.other - e.one : 0; }

template <std::uint8_t Protocol>
Word source_port_of(const Ending& e) noexcept {
  return e.protocol == Protocol ? e.source_port : 0;
}
template <std::uint8_t Protocol>
Word destination_port_of(const Ending& e) noexcept {
  return e.protocol == Protocol ? e.destination_port : 0;
}

/// Of one key no two starts give the same number.
Word flow_id(const Ending& e) noexcept {
  Word state = e.flow ^ e.one;
  return next_word(state);
}

bool is_icmp(const Headers& h) noexcept {
  return h.protocol == (h.version == IpVersion::v4 ? protocol::icmp : protocol::icmpv6);
}
Word icmp_of(const Sight& s) noexcept { return is_icmp(s.headers) ? s.headers.destination_port : 0; }

/// IANA 351: the uppermost octet tells VXLAN (1) from NVGRE (2).
Word segment(const Details& d) noexcept {
  const bool vxlan = d.tunnel == Tunnel::vxlan || d.tunnel == Tunnel::vxlan_gpe;
  return d.vni ? Word{d.vni} | (vxlan ? Word{1} << 56 : 0) : 0;
}

template <std::size_t Octets>
constexpr std::array<std::byte, Octets> none{};
const std::byte* outer(const Sight& s, std::uint8_t version, const std::array<std::byte, 16>& address) noexcept {
  return s.details.outer_version == version ? address.data() : none<16>.data();
}

constexpr std::size_t type_code_at = offsetof(RecordEnd, icmp_type_code);

#define VALUE(expression) [](const Sight& s) noexcept -> Word { return expression; }
#define OCTETS(expression) [](const Sight& s) noexcept -> const std::byte* { return expression; }
#define MADE(expression) [](const Ending& e) noexcept -> Word { return expression; }
#define SETTLED(expression) [](const Settled& s) noexcept -> std::uint64_t { return expression; }

constexpr std::string_view never = "never", no_packets = "no packet in this direction", no_key = "not part of the key";

constexpr auto table = std::to_array<Row>({
    // What every record has.
    shape("octetDeltaCount", unsigned64, How::direction, 6, Direction::octets_at, no_packets, counter),
    shape("packetDeltaCount", unsigned64, How::direction, 6, Direction::packets_at, no_packets, counter),
    shape("layer2FrameDeltaCount", unsigned64, How::direction, 6, Direction::packets_at, no_packets, counter),
    shape("flowStartMilliseconds", date_time_milliseconds, How::direction, 6, Direction::start_at, never),
    shape("flowEndMilliseconds", date_time_milliseconds, How::direction, 6, Direction::end_at, never),
    shape("tcpControlBits", unsigned16, How::direction, 2, Direction::flags_at, "not TCP, or flags not captured", bits),
    shape("minimumTTL", unsigned8, How::direction, 1, Direction::ttl_minimum_at, no_packets),
    shape("maximumTTL", unsigned8, How::direction, 1, Direction::ttl_maximum_at, no_packets),
    shape("ingressInterface", unsigned32, How::direction, 2, Direction::interface_at, no_packets, 0,
          VALUE(s.interface)),
    shape("observationPointId", unsigned64, How::direction, 2, Direction::interface_at, no_packets),
    shape("ipClassOfService", unsigned8, How::number, 1, 7, "no class"),
    shape("sourceIPv4Address", ipv4_address, How::address, 4, 0, no_key, only_4 | whole),
    shape("destinationIPv4Address", ipv4_address, How::address, 4, 1, no_key, only_4 | whole),
    shape("sourceIPv6Address", ipv6_address, How::address, 16, 0, no_key, only_6 | whole),
    shape("destinationIPv6Address", ipv6_address, How::address, 16, 1, no_key, only_6 | whole),
    shape("sourceIPv4Prefix", ipv4_address, How::address, 4, 0, no_key, only_4 | whole),
    shape("destinationIPv4Prefix", ipv4_address, How::address, 4, 1, no_key, only_4 | whole),
    shape("sourceIPv6Prefix", ipv6_address, How::address, 16, 0, no_key, only_6 | whole),
    shape("destinationIPv6Prefix", ipv6_address, How::address, 16, 1, no_key, only_6 | whole),
    shape("sourceTransportPort", unsigned16, How::number, 2, 0,
          "no ports, a later fragment without its first, or not part of the key", whole),
    shape("destinationTransportPort", unsigned16, How::number, 2, 2,
          "no ports, a later fragment without its first, or not part of the key", whole),
    shape("vlanId", unsigned16, How::number, 2, 4, "no VLAN tag", 0, VALUE(s.headers.vlan)),
    shape("protocolIdentifier", unsigned8, How::number, 1, 6, "hop-by-hop options alone", whole,
          VALUE(s.headers.protocol)),
    shape("icmpTypeCodeIPv4", unsigned16, How::end, 2, type_code_at, "not ICMP", only_4 | whole, icmp_of),
    shape("icmpTypeCodeIPv6", unsigned16, How::end, 2, type_code_at, "not ICMPv6", only_6 | whole, icmp_of),
    shape("icmpTypeIPv4", unsigned8, How::end, 1, type_code_at + 1, "not ICMP", only_4 | whole, VALUE(icmp_of(s) >> 8)),
    shape("icmpCodeIPv4", unsigned8, How::end, 1, type_code_at, "not ICMP", only_4 | whole, VALUE(icmp_of(s) & 0xff)),
    shape("icmpTypeIPv6", unsigned8, How::end, 1, type_code_at + 1, "not ICMPv6", only_6 | whole,
          VALUE(icmp_of(s) >> 8)),
    shape("icmpCodeIPv6", unsigned8, How::end, 1, type_code_at, "not ICMPv6", only_6 | whole, VALUE(icmp_of(s) & 0xff)),
    shape("flowEndReason", unsigned8, How::end, 1, offsetof(RecordEnd, reason), "a flow that still lives", whole),

    // The same for all records of a family.
    constant("egressInterface", unsigned32, SETTLED(s.options.egress_interface), "export.egress_interface is not set"),
    constant("ipVersion", unsigned8, SETTLED(s.version), never),
    constant("sourceIPv4PrefixLength", unsigned8, SETTLED(s.source_bits), no_key, whole | only_4),
    constant("destinationIPv4PrefixLength", unsigned8, SETTLED(s.destination_bits), no_key, whole | only_4),
    constant("sourceIPv6PrefixLength", unsigned8, SETTLED(s.source_bits), no_key, whole | only_6),
    constant("destinationIPv6PrefixLength", unsigned8, SETTLED(s.destination_bits), no_key, whole | only_6),
    constant("observationDomainId", unsigned32, SETTLED(s.options.domain), "export.domain is 0"),
    constant("flowDirection", unsigned8, SETTLED((static_cast<void>(s), 0)), "always: a tap sees ingress flows"),
    constant("biflowDirection", unsigned8, SETTLED((static_cast<void>(s), 1)),
             "never: the first packet's sender is the source", whole | biflow),
    constant("droppedOctetDeltaCount", unsigned64, SETTLED((static_cast<void>(s), 0)),
             "always: what is metered was not dropped", 0),
    constant("droppedPacketDeltaCount", unsigned64, SETTLED((static_cast<void>(s), 0)),
             "always: what is metered was not dropped", 0),
    constant("droppedOctetTotalCount", unsigned64, SETTLED((static_cast<void>(s), 0)),
             "always: what is metered was not dropped", 0),
    constant("droppedPacketTotalCount", unsigned64, SETTLED((static_cast<void>(s), 0)),
             "always: what is metered was not dropped", 0),

    // Counts.
    column("octetTotalCount", unsigned64, How::total, 8, VALUE(s.headers.octets), no_packets, counter),
    column("packetTotalCount", unsigned64, How::total, 8, VALUE((static_cast<void>(s), 1)), no_packets, counter),
    column("octetDeltaSumOfSquares", unsigned64, How::sum, 8, VALUE(squared(s.headers.octets)), no_packets, counter),
    column("octetTotalSumOfSquares", unsigned64, How::total, 8, VALUE(squared(s.headers.octets)), no_packets, counter),
    column("layer2OctetDeltaCount", unsigned64, How::sum, 8, VALUE(s.packet.wire), no_packets, counter),
    column("layer2OctetTotalCount", unsigned64, How::total, 8, VALUE(s.packet.wire), no_packets, counter),
    column("layer2FrameTotalCount", unsigned64, How::total, 8, VALUE((static_cast<void>(s), 1)), no_packets, counter),
    column("layer2OctetDeltaSumOfSquares", unsigned64, How::sum, 8, VALUE(squared(s.packet.wire)), no_packets, counter),
    column("layer2OctetTotalSumOfSquares", unsigned64, How::total, 8, VALUE(squared(s.packet.wire)), no_packets,
           counter),
    column("multicastPacketDeltaCount", unsigned64, How::sum, 8, VALUE(is_multicast(s.headers)), "not multicast",
           counter),
    column("multicastOctetDeltaCount", unsigned64, How::sum, 8, VALUE(is_multicast(s.headers) ? s.headers.octets : 0),
           "not multicast", counter),
    column("latePacketDeltaCount", unsigned64, How::sum, 8, VALUE((s.packet.notes & note_bit(Note::late)) != 0),
           "all came in order", counter),
    column("tcpSynTotalCount", unsigned64, How::total, 8, VALUE(flag(s, tcp_flag::syn)), "no such packet", counter),
    column("tcpFinTotalCount", unsigned64, How::total, 8, VALUE(flag(s, tcp_flag::fin)), "no such packet", counter),
    column("tcpRstTotalCount", unsigned64, How::total, 8, VALUE(flag(s, tcp_flag::rst)), "no such packet", counter),
    column("tcpPshTotalCount", unsigned64, How::total, 8, VALUE(flag(s, psh)), "no such packet", counter),
    column("tcpAckTotalCount", unsigned64, How::total, 8, VALUE(flag(s, ack)), "no such packet", counter),
    column("tcpUrgTotalCount", unsigned64, How::total, 8, VALUE(flag(s, urg)), "no such packet", counter),
    column("tcpUrgentCount", unsigned32, How::sum, 4, VALUE(flag(s, urg)), "no such packet", counter),
    detail("nonEmptyPacketCount", unsigned32, How::sum, 4, VALUE(s.details.payload_octets > 0), "no payload", counter),
    detail("smallPacketCount", unsigned32, How::sum, 4,
           VALUE(s.details.payload_octets > 0 && s.details.payload_octets < 60), "no payload of 1 to 59 octets",
           counter),
    detail("largePacketCount", unsigned32, How::sum, 4, VALUE(s.details.payload_octets >= 220),
           "no payload of 220 octets or more", counter),
    detail("dataByteCount", unsigned64, How::sum, 8, VALUE(s.details.payload_octets), "no payload", counter),

    // Lengths.
    column("minimumIpTotalLength", unsigned64, How::minimum, 8, VALUE(s.headers.octets), no_packets),
    column("maximumIpTotalLength", unsigned64, How::maximum, 8, VALUE(s.headers.octets), no_packets),
    column("minimumLayer2TotalLength", unsigned64, How::minimum, 8, VALUE(s.packet.wire), no_packets),
    column("maximumLayer2TotalLength", unsigned64, How::maximum, 8, VALUE(s.packet.wire), no_packets),
    column("ipTotalLength", unsigned64, How::first, 8, VALUE(s.headers.octets), no_packets),
    column("totalLengthIPv4", unsigned16, How::first, 2, VALUE(s.headers.octets), no_packets, only_4),
    column("payloadLengthIPv6", unsigned16, How::first, 2,
           VALUE(s.headers.octets - 40 <= 0xffff ? s.headers.octets - 40 : 0), "no payload, or a jumbogram", only_6),
    detail("ipPayloadLength", unsigned32, How::first, 4, VALUE(s.headers.octets - s.details.ip_header_octets),
           "no payload"),
    detail("ipHeaderLength", unsigned8, How::first, 1, VALUE(s.details.ip_header_octets), no_packets),
    detail("ipv4IHL", unsigned8, How::first, 1, VALUE(s.details.ip_header_octets / 4u), no_packets, only_4),
    column("ethernetTotalLength", unsigned16, How::first, 2, VALUE(s.packet.wire), no_packets),
    detail("maxPacketSize", unsigned16, How::maximum, 2, VALUE(std::min<Word>(s.details.payload_octets, 0xffff)),
           "no payload"),
    detail("firstNonEmptyPacketSize", unsigned16, How::first_set, 2,
           VALUE(std::min<Word>(s.details.payload_octets, 0xffff)), "no payload"),

    // IP headers.
    column("ipTTL", unsigned8, How::first, 1, VALUE(s.headers.ttl), "no hops left"),
    column("ipDiffServCodePoint", unsigned8, How::first, 1, VALUE(s.headers.tos >> 2u), "no class"),
    column("ipPrecedence", unsigned8, How::first, 1, VALUE(s.headers.tos >> 5u), "no precedence"),
    column("ipEcnSeen", unsigned8, How::united, 1, VALUE(1u << (s.headers.tos & 3u)), no_packets),
    derived("isMulticast", unsigned8, 1, multicast_octet, "not multicast", whole),
    detail("nextHeaderIPv6", unsigned8, How::first, 1, VALUE(s.details.next_header), "hop-by-hop options", only_6),
    detail("flowLabelIPv6", unsigned32, How::first, 4, VALUE(s.details.flow_label), "no label", only_6),
    detail("ipv4Options", unsigned32, How::united, 4, VALUE(s.details.ipv4_options), "no options", only_4),
    detail("ipv6ExtensionHeaders", unsigned32, How::united, 4, VALUE(s.details.ipv6_extensions), "no extension headers",
           only_6),
    detail("fragmentIdentification", unsigned32, How::first, 4, VALUE(s.details.identification), "none, or number 0"),
    detail("fragmentOffset", unsigned16, How::first, 2, VALUE(s.details.fragment_offset), "not a later fragment"),
    detail("fragmentFlags", unsigned8, How::first, 1, VALUE(s.details.fragment_flags), "no flags"),
    detail("igmpType", unsigned8, How::first, 1, VALUE(s.details.igmp_type), "not IGMP", only_4),
    detail("IPSecSPI", unsigned32, How::first, 4, VALUE(s.details.spi), "neither AH nor ESP"),

    // TCP and UDP.
    column("initialTCPFlags", unsigned16, How::first, 2, VALUE(s.headers.tcp_flags), "not TCP, or flags not captured"),
    column("unionTCPFlags", unsigned16, How::united_later, 2, VALUE(s.headers.tcp_flags),
           "not TCP, or one packet alone"),
    detail("tcpSequenceNumber", unsigned32, How::first, 4, VALUE(s.details.tcp_sequence), "not TCP, or number 0"),
    detail("tcpAcknowledgementNumber", unsigned32, How::first, 4, VALUE(s.details.tcp_acknowledgement),
           "not TCP, or number 0"),
    detail("tcpWindowSize", unsigned16, How::first, 2, VALUE(s.details.tcp_window), "not TCP, or a closed window"),
    detail("tcpWindowSizeMinimum", unsigned16, How::minimum, 2, VALUE(s.details.tcp_window),
           "not TCP, or a closed window"),
    detail("tcpWindowSizeMaximum", unsigned16, How::maximum, 2, VALUE(s.details.tcp_window),
           "not TCP, or a closed window"),
    detail("tcpWindowScale", unsigned16, How::first, 2, VALUE(s.details.tcp_window_scale),
           "no such option in the first packet"),
    detail("tcpUrgentPointer", unsigned16, How::first, 2, VALUE(s.details.tcp_urgent), "not TCP, or nothing urgent"),
    detail("tcpHeaderLength", unsigned8, How::first, 1, VALUE(s.details.tcp_header_octets), "not TCP"),
    detail("tcpOptions", unsigned64, How::united, 8, VALUE(s.details.tcp_options), "no options"),
    detail("tcpMss", unsigned32, How::first_set, 4, VALUE(s.details.tcp_mss), "no such option seen"),
    {.name = "tcpMssRev", .type = unsigned32, .zero = "no such option seen", .reverse_of = "tcpMss"},
    column("tcpSynSize", unsigned16, How::first_set, 2, VALUE(flag(s, tcp_flag::syn) ? s.headers.octets : 0),
           "no SYN seen"),
    detail("udpMessageLength", unsigned16, How::first, 2, VALUE(s.details.udp_octets), "not UDP"),
    derived("udpSourcePort", unsigned16, 2, source_port_of<protocol::udp>, "not UDP", whole),
    derived("udpDestinationPort", unsigned16, 2, destination_port_of<protocol::udp>, "not UDP", whole),
    derived("tcpSourcePort", unsigned16, 2, source_port_of<protocol::tcp>, "not TCP", whole),
    derived("tcpDestinationPort", unsigned16, 2, destination_port_of<protocol::tcp>, "not TCP", whole),
    {.name = "payload", .type = octet_array, .how = How::payload, .traits = details, .zero = "no payload: empty"},

    // Link layer.
    octets("sourceMacAddress", mac_address, 6, OCTETS(s.details.source_mac.data()), "the link has none",
           "destinationMacAddress"),
    octets("destinationMacAddress", mac_address, 6, OCTETS(s.details.destination_mac.data()), "the link has none",
           "sourceMacAddress"),
    detail("dot1qVlanId", unsigned16, How::first, 2, VALUE(vlan_id(s.details.vlan_tci)), "no VLAN tag"),
    detail("dot1qPriority", unsigned8, How::first, 1, VALUE(priority(s.details.vlan_tci)),
           "no VLAN tag, or priority 0"),
    detail("dot1qDEI", boolean, How::first, 1, VALUE(eligible(s.details.vlan_tci)), never),
    detail("dot1qCustomerVlanId", unsigned16, How::first, 2, VALUE(vlan_id(s.details.inner_vlan_tci)),
           "no second VLAN tag"),
    detail("dot1qCustomerPriority", unsigned8, How::first, 1, VALUE(priority(s.details.inner_vlan_tci)),
           "no second VLAN tag, or priority 0"),
    detail("dot1qCustomerDEI", boolean, How::first, 1, VALUE(eligible(s.details.inner_vlan_tci)), never),
    detail("ethernetType", unsigned16, How::first, 2, VALUE(s.details.ethertype), "the link has none"),
    detail("mplsTopLabelStackSection", octet_array, How::first, 3, mpls_section<1>, "no MPLS label"),
    detail("mplsLabelStackSection2", octet_array, How::first, 3, mpls_section<2>, "fewer labels"),
    detail("mplsLabelStackSection3", octet_array, How::first, 3, mpls_section<3>, "fewer labels"),
    detail("mplsLabelStackSection4", octet_array, How::first, 3, mpls_section<4>, "fewer labels"),
    detail("mplsLabelStackSection5", octet_array, How::first, 3, mpls_section<5>, "fewer labels"),
    detail("mplsLabelStackSection6", octet_array, How::first, 3, mpls_section<6>, "fewer labels"),
    detail("mplsLabelStackSection7", octet_array, How::first, 3, mpls_section<7>, "fewer labels"),
    detail("mplsLabelStackSection8", octet_array, How::first, 3, mpls_section<8>, "fewer labels"),
    detail("mplsLabelStackSection9", octet_array, How::first, 3, mpls_section<9>, "fewer labels"),
    detail("mplsLabelStackSection10", octet_array, How::first, 3, mpls_section<10>, "fewer labels"),
    detail("mplsLabelStackDepth", unsigned32, How::first, 1, VALUE(s.details.mpls_depth), "no MPLS label"),
    detail("mplsLabelStackLength", unsigned32, How::first, 2, VALUE(4u * s.details.mpls_depth), "no MPLS label"),
    detail("mplsTopLabelTTL", unsigned8, How::first, 1, VALUE(s.details.mpls_entries[0] & 0xff),
           "no MPLS label, or no hops left"),
    detail("mplsTopLabelExp", unsigned8, How::first, 1, VALUE(s.details.mpls_entries[0] >> 9 & 7),
           "no MPLS label, or class 0"),

    // Tunnels.
    {.name = "tunnelTechnology",
     .type = string,
     .how = How::tunnel_text,
     .zero = "not in a tunnel: empty",
     .one = "(tunnel)"},
    detail("tunnelDepth", unsigned8, How::first, 1, VALUE(s.details.tunnel_depth), "not in a tunnel"),
    detail("tunnelIdentifier", unsigned64, How::first, 8, VALUE(s.details.tunnel_id),
           "not in a tunnel, or it has no identifier"),
    detail("layer2SegmentId", unsigned64, How::first, 8, VALUE(segment(s.details)), "no network identifier"),
    detail("yafLayer2SegmentId", unsigned32, How::first, 4, VALUE(s.details.vni), "no network identifier"),
    detail("virtualNetworkIdentifier", unsigned32, How::first, 4, VALUE(s.details.vni), "no network identifier"),
    detail("greKey", unsigned32, How::first, 4, VALUE(s.details.gre_key), "no GRE, or no key"),
    detail("gtpuTEid", unsigned32, How::first, 4, VALUE(s.details.teid), "no GTP-U"),
    detail("gtpuFlags", unsigned8, How::first, 1, VALUE(s.details.gtp_flags), "no GTP-U"),
    detail("gtpuMsgType", unsigned8, How::first, 1, VALUE(s.details.gtp_message), "no GTP-U"),
    detail("gtpuSequenceNum", unsigned16, How::first, 2, VALUE(s.details.gtp_sequence), "no GTP-U, or no number"),
    detail("gtpuQFI", unsigned8, How::first, 1, VALUE(s.details.gtp_qfi), "no PDU session"),
    detail("gtpuPduType", unsigned8, How::first, 1, VALUE(s.details.gtp_pdu), "no PDU session, or downlink"),
    detail("l2tpTunnelId", unsigned16, How::first, 2, VALUE(s.details.l2tp_tunnel), "no L2TP"),
    detail("l2tpSessionId", unsigned32, How::first, 4, VALUE(s.details.l2tp_session), "no L2TP"),
    detail("erspanSessionId", unsigned16, How::first, 2, VALUE(s.details.erspan_session), "no ERSPAN"),
    detail("outerIpVersion", unsigned8, How::first, 1, VALUE(s.details.outer_version), "not in a tunnel"),
    octets("outerSourceIPv4Address", ipv4_address, 4, OCTETS(outer(s, 4, s.details.outer_source)),
           "not in a tunnel over IPv4", "outerDestinationIPv4Address"),
    octets("outerDestinationIPv4Address", ipv4_address, 4, OCTETS(outer(s, 4, s.details.outer_destination)),
           "not in a tunnel over IPv4", "outerSourceIPv4Address"),
    octets("outerSourceIPv6Address", ipv6_address, 16, OCTETS(outer(s, 6, s.details.outer_source)),
           "not in a tunnel over IPv6", "outerDestinationIPv6Address"),
    octets("outerDestinationIPv6Address", ipv6_address, 16, OCTETS(outer(s, 6, s.details.outer_destination)),
           "not in a tunnel over IPv6", "outerSourceIPv6Address"),
    paired(detail("outerSourceTransportPort", unsigned16, How::first, 2, VALUE(s.details.outer_source_port),
                  "not in a tunnel over UDP"),
           "outerDestinationTransportPort"),
    paired(detail("outerDestinationTransportPort", unsigned16, How::first, 2, VALUE(s.details.outer_destination_port),
                  "not in a tunnel over UDP"),
           "outerSourceTransportPort"),
    detail("outerProtocolIdentifier", unsigned8, How::first, 1, VALUE(s.details.outer_protocol), "not in a tunnel"),
    detail("outerIpClassOfService", unsigned8, How::first, 1, VALUE(s.details.outer_tos),
           "not in a tunnel, or no class"),
    detail("outerIpTTL", unsigned8, How::first, 1, VALUE(s.details.outer_ttl), "not in a tunnel"),
    detail("outerOctetDeltaCount", unsigned64, How::sum, 8, VALUE(s.details.outer_octets), "not in a tunnel", counter),

    // Times.
    column("(start)", unsigned64, How::minimum, 8, stamp_ns, {}, hidden | time),
    column("(end)", unsigned64, How::maximum, 8, stamp_ns, {}, hidden | time),
    column("(first)", unsigned64, How::first, 8, VALUE(s.clock()), {}, hidden),
    detail("(tunnel)", unsigned64, How::first, 1, VALUE(static_cast<Word>(s.details.tunnel)), {}, hidden),
    column("(handshake)", unsigned64, How::handshake, 16, nullptr, {}, hidden | whole),
    derived("flowStartSeconds", date_time_seconds, 4, MADE(start_ms(e) / 1000 & largest_32), never),
    derived("flowEndSeconds", date_time_seconds, 4, MADE(end_ms(e) / 1000 & largest_32), never),
    derived("flowStartMicroseconds", date_time_microseconds, 8, MADE(ntp_microseconds(e.one)), never, 0, "(start)"),
    derived("flowEndMicroseconds", date_time_microseconds, 8, MADE(ntp_microseconds(e.one)), never, 0, "(end)"),
    derived("flowStartNanoseconds", date_time_nanoseconds, 8, MADE(ntp_nanoseconds(e.one)), never, 0, "(start)"),
    derived("flowEndNanoseconds", date_time_nanoseconds, 8, MADE(ntp_nanoseconds(e.one)), never, 0, "(end)"),
    derived("flowDurationMilliseconds", unsigned32, 4, MADE(up_to_32(end_ms(e) - start_ms(e))),
            "one packet, or all at once"),
    derived("flowDurationMicroseconds", unsigned32, 4, MADE(up_to_32((e.other - e.one) / 1000)),
            "one packet, or all at once", 0, "(start)", "(end)"),
    derived("reverseFlowDeltaMilliseconds", unsigned32, 4, MADE(up_to_32(answer_ns(e) / 1'000'000)), "no answer yet",
            biflow | whole, "(first)", "(first)"),
    derived("reverseFlowDeltaMicroseconds", unsigned64, 8, MADE(answer_ns(e) / 1000), "no answer yet", biflow | whole,
            "(first)", "(first)"),
    derived("reverseFlowDeltaNanoseconds", unsigned64, 8, MADE(answer_ns(e)), "no answer yet", biflow | whole,
            "(first)", "(first)"),
    derived("handshakeRoundTripTimeMicroseconds", unsigned32, 4, MADE(up_to_32((e.one + 999) / 1000)),
            "no whole handshake seen", biflow | whole, "(handshake)"),
    derived("flowId", unsigned64, 8, flow_id, never, whole, "(first)"),
    {.name = "interfaceName", .type = string, .how = How::interface_name, .zero = "never: without a name its number"},

    // What a probe beside the wire cannot tell.
    refused("flowStartDeltaMicroseconds", "it counts back from the Export Time, which no record knows"),
    refused("flowEndDeltaMicroseconds", "it counts back from the Export Time, which no record knows"),
    refused("flowStartSysUpTime", "it needs the time of a reboot; take flowStartMilliseconds"),
    refused("flowEndSysUpTime", "it needs the time of a reboot; take flowEndMilliseconds"),
    refused("ipNextHopIPv4Address", "a probe beside the wire does not route"),
    refused("ipNextHopIPv6Address", "a probe beside the wire does not route"),
    refused("bgpSourceAsNumber", "a probe beside the wire has no routes"),
    refused("bgpDestinationAsNumber", "a probe beside the wire has no routes"),
    refused("postMCastPacketDeltaCount", "a probe beside the wire does not replicate; take multicastPacketDeltaCount"),
    refused("postMCastOctetDeltaCount", "a probe beside the wire does not replicate; take multicastOctetDeltaCount"),
});
#undef VALUE
#undef OCTETS
#undef MADE
#undef SETTLED

/// The first letter apart: that of a name behind "reverse" is a capital.
using Name = std::pair<char, std::string_view>;

constexpr Name name_of(std::string_view text) noexcept {
  return text.empty() ? Name{} : Name{text.front(), text.substr(1)};
}

constexpr auto by_name = [] {
  std::array<const Row*, table.size()> rows{};
  std::ranges::transform(table, rows.begin(), [](const Row& row) { return &row; });
  std::ranges::sort(rows, {}, [](const Row* row) { return name_of(row->name); });
  return rows;
}();
static_assert(std::ranges::adjacent_find(by_name, {}, &Row::name) == by_name.end(), "a name means one thing");

const Row* exactly(Name name) noexcept {
  const auto* at = std::ranges::lower_bound(by_name, name, {}, [](const Row* row) { return name_of(row->name); });
  return at != by_name.end() && name_of((*at)->name) == name ? *at : nullptr;
}

}  // namespace

std::span<const ElementSource> element_sources() noexcept { return table; }

FoundSource find_source(std::string_view name) noexcept {
  if (const auto* found = exactly(name_of(name)))
    return found->reverse_of.empty() ? FoundSource{found, false}
                                     : FoundSource{exactly(name_of(found->reverse_of)), true};
  constexpr std::string_view prefix = "reverse";
  if (!name.starts_with(prefix) || name.size() == prefix.size()) return {};
  const auto [capital, rest] = name_of(name.substr(prefix.size()));
  if (capital >= 'a' && capital <= 'z') return {};
  const auto* found = exactly({capital, rest});
  if (!found && capital >= 'A' && capital <= 'Z') found = exactly({static_cast<char>(capital - 'A' + 'a'), rest});
  return {found, found != nullptr};
}

}  // namespace weir::flow
