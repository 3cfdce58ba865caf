// SPDX-License-Identifier: BSD-3-Clause
// What each element of a record means, reckoned from the list of its packets and nothing else. It is the specification:
// whatever columns the fast meter keeps, this is what they must come to.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include <weir/outcome.hpp>

#include "support/slow_meter.hpp"

namespace weir::test {

/// What values depend on beside the packets.
struct SlowSettings {
  bool biflow = false;
  std::size_t payload_octets = 0;
  std::uint32_t domain = 1, egress_interface = 0;
  /// Of the addresses in the key, per family; ports, protocol in the key.
  std::map<IpVersion, std::pair<unsigned, unsigned>> prefix{{IpVersion::v4, {32, 32}}, {IpVersion::v6, {128, 128}}};
  bool source_port = true, destination_port = true, protocol = true;
};

/// A number, or octets as they stand on the wire.
struct SlowValue {
  std::uint64_t number = 0;
  std::optional<std::string> octets{};
  bool is_time = false;
};

inline std::string masked(std::span<const std::byte> address, unsigned octets, unsigned bits) {
  std::string out;
  for (unsigned i = 0; i < octets; ++i) {
    unsigned kept = std::to_integer<unsigned>(address[i]);
    for (unsigned bit = 0; bit < 8; ++bit)
      if (8 * i + bit >= bits) kept &= ~(0x80u >> bit);
    out += static_cast<char>(kept);
  }
  return out;
}

inline bool slow_is_icmp(const Headers& h) {
  return (h.version == IpVersion::v4 && h.protocol == protocol::icmp) ||
         (h.version == IpVersion::v6 && h.protocol == protocol::icmpv6);
}

template <std::size_t N>
std::string text_of(const std::array<std::byte, N>& octets, std::size_t size = N) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(octets[i]);
  return out;
}

/// Values of one packet, by the element that takes them from a flow's first packet.
inline const std::map<std::string, std::function<SlowValue(const Arrival&)>>& packet_values() {
  using A = Arrival;
  const auto number = [](auto member) {
    return [member](const A& a) { return SlowValue{static_cast<std::uint64_t>(member(a))}; };
  };
  const auto octets = [](auto member) { return [member](const A& a) { return SlowValue{.octets = member(a)}; }; };
  const auto outer = [](auto member, unsigned version, std::size_t size) {
    return [=](const A& a) {
      return SlowValue{.octets = a.details.outer_version == version ? text_of(a.details.*member, size)
                                                                    : std::string(size, '\0')};
    };
  };
  const auto mpls = [](std::size_t n) {
    return [n](const A& a) {
      const auto entry = a.details.mpls_entries[n - 1];
      std::string out;
      for (const unsigned shift : {24u, 16u, 8u}) out += static_cast<char>(entry >> shift);
      return SlowValue{.octets = out};
    };
  };
  const auto dei = [](auto member) {
    return [=](const A& a) { return SlowValue{(a.details.*member >> 12 & 1) ? 1u : 2u}; };
  };
  static const std::map<std::string, std::function<SlowValue(const A&)>> values{
      {"vlanId", number([](const A& a) { return a.headers.vlan; })},
      {"protocolIdentifier", number([](const A& a) { return a.headers.protocol; })},
      {"ipClassOfService", number([](const A& a) { return a.headers.tos; })},
      {"ingressInterface", number([](const A& a) { return a.interface + 1; })},
      {"observationPointId", number([](const A& a) { return a.interface + 1; })},
      {"interfaceName", octets([](const A& a) { return std::to_string(a.interface + 1); })},
      {"ipTotalLength", number([](const A& a) { return a.headers.octets; })},
      {"totalLengthIPv4", number([](const A& a) { return a.headers.octets; })},
      {"payloadLengthIPv6", number([](const A& a) { return a.headers.octets - 40; })},
      {"ipPayloadLength", number([](const A& a) { return a.headers.octets - a.details.ip_header_octets; })},
      {"ipHeaderLength", number([](const A& a) { return a.details.ip_header_octets; })},
      {"ipv4IHL", number([](const A& a) { return a.details.ip_header_octets / 4; })},
      {"ethernetTotalLength", number([](const A& a) { return a.wire; })},
      {"ipTTL", number([](const A& a) { return a.headers.ttl; })},
      {"ipDiffServCodePoint", number([](const A& a) { return a.headers.tos / 4; })},
      {"ipPrecedence", number([](const A& a) { return a.headers.tos / 32; })},
      {"nextHeaderIPv6", number([](const A& a) { return a.details.next_header; })},
      {"flowLabelIPv6", number([](const A& a) { return a.details.flow_label; })},
      {"fragmentIdentification", number([](const A& a) { return a.details.identification; })},
      {"fragmentOffset", number([](const A& a) { return a.details.fragment_offset; })},
      {"fragmentFlags", number([](const A& a) { return a.details.fragment_flags; })},
      {"igmpType", number([](const A& a) { return a.details.igmp_type; })},
      {"IPSecSPI", number([](const A& a) { return a.details.spi; })},
      {"initialTCPFlags", number([](const A& a) { return a.headers.tcp_flags; })},
      {"tcpSequenceNumber", number([](const A& a) { return a.details.tcp_sequence; })},
      {"tcpAcknowledgementNumber", number([](const A& a) { return a.details.tcp_acknowledgement; })},
      {"tcpWindowSize", number([](const A& a) { return a.details.tcp_window; })},
      {"tcpWindowScale", number([](const A& a) { return a.details.tcp_window_scale; })},
      {"tcpUrgentPointer", number([](const A& a) { return a.details.tcp_urgent; })},
      {"tcpHeaderLength", number([](const A& a) { return a.details.tcp_header_octets; })},
      {"udpMessageLength", number([](const A& a) { return a.details.udp_octets; })},
      {"sourceMacAddress", octets([](const A& a) { return text_of(a.details.source_mac); })},
      {"destinationMacAddress", octets([](const A& a) { return text_of(a.details.destination_mac); })},
      {"dot1qVlanId", number([](const A& a) { return a.details.vlan_tci % 4096; })},
      {"dot1qPriority", number([](const A& a) { return a.details.vlan_tci / 8192; })},
      {"dot1qDEI", dei(&Details::vlan_tci)},
      {"dot1qCustomerVlanId", number([](const A& a) { return a.details.inner_vlan_tci % 4096; })},
      {"dot1qCustomerPriority", number([](const A& a) { return a.details.inner_vlan_tci / 8192; })},
      {"dot1qCustomerDEI", dei(&Details::inner_vlan_tci)},
      {"ethernetType", number([](const A& a) { return a.details.ethertype; })},
      {"mplsTopLabelStackSection", mpls(1)},
      {"mplsLabelStackSection2", mpls(2)},
      {"mplsLabelStackSection3", mpls(3)},
      {"mplsLabelStackSection4", mpls(4)},
      {"mplsLabelStackSection5", mpls(5)},
      {"mplsLabelStackSection6", mpls(6)},
      {"mplsLabelStackSection7", mpls(7)},
      {"mplsLabelStackSection8", mpls(8)},
      {"mplsLabelStackSection9", mpls(9)},
      {"mplsLabelStackSection10", mpls(10)},
      {"mplsLabelStackDepth", number([](const A& a) { return a.details.mpls_depth; })},
      {"mplsLabelStackLength", number([](const A& a) { return a.details.mpls_depth * 4; })},
      {"mplsTopLabelTTL", number([](const A& a) { return a.details.mpls_entries[0] % 256; })},
      {"mplsTopLabelExp", number([](const A& a) { return a.details.mpls_entries[0] / 512 % 8; })},
      {"tunnelTechnology", octets([](const A& a) {
#define X(name, text) std::string{text},
         static const std::vector<std::string> names{WEIR_TUNNELS(X)};
#undef X
         return names[static_cast<std::size_t>(a.details.tunnel)];
       })},
      {"tunnelDepth", number([](const A& a) { return a.details.tunnel_depth; })},
      {"tunnelIdentifier", number([](const A& a) { return a.details.tunnel_id; })},
      {"layer2SegmentId", number([](const A& a) -> std::uint64_t {
         const bool vxlan = a.details.tunnel == Tunnel::vxlan || a.details.tunnel == Tunnel::vxlan_gpe;
         return a.details.vni == 0 ? 0 : a.details.vni + (vxlan ? 0x0100'0000'0000'0000 : 0);
       })},
      {"yafLayer2SegmentId", number([](const A& a) { return a.details.vni; })},
      {"virtualNetworkIdentifier", number([](const A& a) { return a.details.vni; })},
      {"greKey", number([](const A& a) { return a.details.gre_key; })},
      {"gtpuTEid", number([](const A& a) { return a.details.teid; })},
      {"gtpuFlags", number([](const A& a) { return a.details.gtp_flags; })},
      {"gtpuMsgType", number([](const A& a) { return a.details.gtp_message; })},
      {"gtpuSequenceNum", number([](const A& a) { return a.details.gtp_sequence; })},
      {"gtpuQFI", number([](const A& a) { return a.details.gtp_qfi; })},
      {"gtpuPduType", number([](const A& a) { return a.details.gtp_pdu; })},
      {"l2tpTunnelId", number([](const A& a) { return a.details.l2tp_tunnel; })},
      {"l2tpSessionId", number([](const A& a) { return a.details.l2tp_session; })},
      {"erspanSessionId", number([](const A& a) { return a.details.erspan_session; })},
      {"outerIpVersion", number([](const A& a) { return a.details.outer_version; })},
      {"outerSourceIPv4Address", outer(&Details::outer_source, 4, 4)},
      {"outerDestinationIPv4Address", outer(&Details::outer_destination, 4, 4)},
      {"outerSourceIPv6Address", outer(&Details::outer_source, 6, 16)},
      {"outerDestinationIPv6Address", outer(&Details::outer_destination, 6, 16)},
      {"outerSourceTransportPort", number([](const A& a) { return a.details.outer_source_port; })},
      {"outerDestinationTransportPort", number([](const A& a) { return a.details.outer_destination_port; })},
      {"outerProtocolIdentifier", number([](const A& a) { return a.details.outer_protocol; })},
      {"outerIpClassOfService", number([](const A& a) { return a.details.outer_tos; })},
      {"outerIpTTL", number([](const A& a) { return a.details.outer_ttl; })},
  };
  return values;
}

/// Elements of one record.
class SlowElements {
 public:
  SlowElements(const SlowEvidence& evidence, const SlowSettings& settings) : all_{evidence}, settings_{settings} {}

  /// `name` without "reverse".
  SlowValue of(const std::string& name, bool reverse) const {
    const auto record = packets(all_.record_from, reverse), flow = packets(0, reverse),
               totals = packets(all_.totals_from, reverse);
    if (const auto at = packet_values().find(name); at != packet_values().end())
      return at->second(flow.empty() ? Arrival{} : *flow[0]);
    if (const auto value = of_key(name)) return *value;
    if (const auto value = of_times(name, reverse)) return *value;
    if (const auto value = of_sums(name, record)) return {*value};
    if (name.find("Total") != name.npos)
      if (const auto value = of_totals(name, totals)) return {*value};
    return of_extremes(name, record, flow);
  }

  bool has_reverse_packets() const { return !packets(all_.record_from, true).empty(); }
  const Headers& first() const { return all_.flow.at(0).packet.headers; }

 private:
  using Packets = std::vector<const Arrival*>;

  Packets packets(std::size_t from, bool reverse) const {
    Packets out;
    for (std::size_t i = from; i < all_.flow.size(); ++i)
      if (all_.flow[i].reverse == reverse) out.push_back(&all_.flow[i].packet);
    return out;
  }
  template <class Value>
  static std::uint64_t sum(const Packets& packets, Value value) {
    std::uint64_t all = 0;
    for (const auto* packet : packets) all += static_cast<std::uint64_t>(value(*packet));
    return all;
  }
  template <class Value>
  static std::uint64_t least(const Packets& packets, Value value) {
    std::vector<std::uint64_t> all;
    for (const auto* packet : packets) all.push_back(value(*packet));
    return all.empty() ? 0 : *std::min_element(all.begin(), all.end());
  }
  template <class Value>
  static std::uint64_t greatest(const Packets& packets, Value value) {
    std::uint64_t most = 0;
    for (const auto* packet : packets) most = std::max<std::uint64_t>(most, value(*packet));
    return most;
  }
  template <class Value>
  static std::uint64_t bits(const Packets& packets, Value value) {
    std::uint64_t all = 0;
    for (const auto* packet : packets) all |= value(*packet);
    return all;
  }
  static bool multicast(const Headers& h) {
    const auto one = std::to_integer<unsigned>(h.destination()[0]);
    return h.version == IpVersion::v4 ? one >= 224 && one <= 239 : one == 255;
  }

  std::optional<SlowValue> of_key(const std::string& name) const {
    const auto& h = first();
    const unsigned octets = h.version == IpVersion::v4 ? 4 : 16;
    const auto bits = settings_.prefix.at(h.version);
    const bool v4 = name.find("IPv4") != name.npos, v6 = name.find("IPv6") != name.npos;
    const bool source = name.starts_with("source");
    if ((v4 || v6) && (source || name.starts_with("destination"))) {
      const auto kept = source ? bits.first : bits.second;
      if (name.ends_with("Length")) return SlowValue{kept};
      return SlowValue{.octets = masked(source ? h.source() : h.destination(), octets, kept)};
    }
    const bool icmp = slow_is_icmp(h);
    const auto source_port = settings_.source_port && !icmp ? h.source_port : 0u;
    const auto destination_port = settings_.destination_port && !icmp ? h.destination_port : 0u;
    const auto protocol = settings_.protocol ? h.protocol : 0;
    const unsigned type_code = icmp ? h.destination_port : 0;
    if (name == "sourceTransportPort") return SlowValue{source_port};
    if (name == "destinationTransportPort") return SlowValue{destination_port};
    if (name == "udpSourcePort") return SlowValue{protocol == 17 ? source_port : 0};
    if (name == "udpDestinationPort") return SlowValue{protocol == 17 ? destination_port : 0};
    if (name == "tcpSourcePort") return SlowValue{protocol == 6 ? source_port : 0};
    if (name == "tcpDestinationPort") return SlowValue{protocol == 6 ? destination_port : 0};
    if (name.starts_with("icmpTypeCode")) return SlowValue{type_code};
    if (name.starts_with("icmpType")) return SlowValue{type_code / 256};
    if (name.starts_with("icmpCode")) return SlowValue{type_code % 256};
    if (name == "ipVersion") return SlowValue{h.version == IpVersion::v4 ? 4u : 6u};
    if (name == "flowEndReason") return SlowValue{static_cast<std::uint64_t>(all_.reason)};
    if (name == "egressInterface") return SlowValue{settings_.egress_interface};
    if (name == "observationDomainId") return SlowValue{settings_.domain};
    if (name == "biflowDirection") return SlowValue{1};
    if (name == "flowDirection" || name.starts_with("dropped")) return SlowValue{0};
    if (name == "isMulticast") {
      const auto address = masked(h.destination(), octets, bits.second);
      const auto one = static_cast<std::uint8_t>(address[0]);
      if (octets == 4) return SlowValue{one >= 224 && one <= 239 ? 128u : 0u};
      return SlowValue{one == 255 ? static_cast<std::uint8_t>(address[1]) % 32u : 0u};
    }
    return std::nullopt;
  }

  static std::uint64_t ns(const Arrival& a) {
    return static_cast<std::uint64_t>((a.stamp == no_stamp ? a.clock : a.stamp).time_since_epoch().count());
  }

  /// RFC 7011 §6.1.9, §6.1.10, so that who cuts the fraction finds the same unit.
  static SlowValue ntp(std::uint64_t ns, bool microseconds) {
    const std::uint64_t unit = microseconds ? 1000 : 1, units = 1'000'000'000 / unit;
    const std::uint64_t wanted = ns / unit % units;
    std::uint64_t fraction = wanted * 4'294'967'296 / units;
    const std::uint64_t step = microseconds ? 2048 : 1;
    fraction = fraction / step * step;
    while ((fraction * units) >> 32 != wanted) fraction += step;
    return {((ns / 1'000'000'000 + 2'208'988'800) & 0xffff'ffff) << 32 | fraction};
  }

  std::optional<SlowValue> of_times(const std::string& name, bool reverse) const {
    auto packets_of = packets(all_.record_from, reverse);
    if (packets_of.empty()) packets_of = packets(all_.record_from, !reverse);
    const auto start = least(packets_of, ns), end = greatest(packets_of, ns);
    const auto start_ms = start / 1'000'000, end_ms = end / 1'000'000;
    const auto capped = [](std::uint64_t value) { return std::min<std::uint64_t>(value, 0xffff'ffff); };
    if (name == "flowStartSeconds") return SlowValue{start_ms / 1000};
    if (name == "flowEndSeconds") return SlowValue{end_ms / 1000};
    if (name == "flowStartMilliseconds") return SlowValue{start_ms};
    if (name == "flowEndMilliseconds") return SlowValue{end_ms};
    if (name == "flowStartMicroseconds") return ntp(start, true);
    if (name == "flowEndMicroseconds") return ntp(end, true);
    if (name == "flowStartNanoseconds") return ntp(start, false);
    if (name == "flowEndNanoseconds") return ntp(end, false);
    if (name == "flowDurationMilliseconds") return SlowValue{capped(end_ms - start_ms)};
    if (name == "flowDurationMicroseconds") return SlowValue{capped((end - start) / 1000)};
    if (name.starts_with("reverseFlowDelta")) {
      const auto there = packets(0, false), back = packets(0, true);
      const auto clock = [](const Arrival* a) {
        return static_cast<std::uint64_t>(a->clock.time_since_epoch().count());
      };
      const auto delta = back.empty() ? 0 : clock(back[0]) - clock(there[0]);
      if (name.ends_with("Milliseconds")) return SlowValue{capped(delta / 1'000'000)};
      return SlowValue{name.ends_with("Microseconds") ? delta / 1000 : delta};
    }
    if (name == "handshakeRoundTripTimeMicroseconds") return SlowValue{handshake()};
    return std::nullopt;
  }

  /// From the last SYN before the first answer to it, to the first ACK after that.
  std::uint64_t handshake() const {
    const auto flags = [](const Arrival& a) { return a.headers.tcp_flags & 0x12; };
    std::optional<Instant> syn;
    bool answered = false;
    for (const auto& [packet, reverse] : all_.flow) {
      if (!reverse && flags(packet) == 0x02 && !answered) syn = packet.clock;
      else if (reverse && flags(packet) == 0x12 && syn) answered = true;
      else if (!reverse && flags(packet) == 0x10 && answered) {
        const auto ns = std::max<std::int64_t>((packet.clock - *syn).count(), 1);
        return std::min<std::uint64_t>(static_cast<std::uint64_t>((ns + 999) / 1000), 0xffff'ffff);
      }
    }
    return 0;
  }

  static std::optional<std::uint64_t> of_sums(const std::string& name, const Packets& record) {
    const auto square = [](std::uint64_t value) { return value * value; };
    using A = Arrival;
    if (name == "octetDeltaCount") return sum(record, [](const A& a) { return a.headers.octets; });
    if (name == "packetDeltaCount" || name == "layer2FrameDeltaCount") return record.size();
    if (name == "octetDeltaSumOfSquares") return sum(record, [&](const A& a) { return square(a.headers.octets); });
    if (name == "layer2OctetDeltaCount") return sum(record, [](const A& a) { return a.wire; });
    if (name == "layer2OctetDeltaSumOfSquares") return sum(record, [&](const A& a) { return square(a.wire); });
    if (name == "multicastPacketDeltaCount") return sum(record, [](const A& a) { return multicast(a.headers); });
    if (name == "multicastOctetDeltaCount")
      return sum(record, [](const A& a) { return multicast(a.headers) ? a.headers.octets : 0; });
    if (name == "latePacketDeltaCount")
      return sum(record, [](const A& a) { return (a.notes & note_bit(Note::late)) != 0; });
    if (name == "tcpUrgentCount") return sum(record, [](const A& a) { return (a.headers.tcp_flags & 0x20) != 0; });
    if (name == "nonEmptyPacketCount") return sum(record, [](const A& a) { return a.details.payload_octets != 0; });
    if (name == "smallPacketCount")
      return sum(record, [](const A& a) { return a.details.payload_octets != 0 && a.details.payload_octets < 60; });
    if (name == "largePacketCount") return sum(record, [](const A& a) { return a.details.payload_octets >= 220; });
    if (name == "dataByteCount") return sum(record, [](const A& a) { return a.details.payload_octets; });
    if (name == "outerOctetDeltaCount") return sum(record, [](const A& a) { return a.details.outer_octets; });
    return std::nullopt;
  }

  static std::optional<std::uint64_t> of_totals(const std::string& name, const Packets& totals) {
    using A = Arrival;
    if (name == "octetTotalCount") return sum(totals, [](const A& a) { return a.headers.octets; });
    if (name == "packetTotalCount" || name == "layer2FrameTotalCount") return totals.size();
    if (name == "octetTotalSumOfSquares")
      return sum(totals, [](const A& a) { return a.headers.octets * a.headers.octets; });
    if (name == "layer2OctetTotalCount") return sum(totals, [](const A& a) { return a.wire; });
    if (name == "layer2OctetTotalSumOfSquares")
      return sum(totals, [](const A& a) { return std::uint64_t{a.wire} * a.wire; });
    const std::map<std::string, unsigned> flags{{"tcpFinTotalCount", 1},  {"tcpSynTotalCount", 2},
                                                {"tcpRstTotalCount", 4},  {"tcpPshTotalCount", 8},
                                                {"tcpAckTotalCount", 16}, {"tcpUrgTotalCount", 32}};
    if (const auto flag = flags.find(name); flag != flags.end())
      return sum(totals, [&](const A& a) { return (a.headers.tcp_flags & flag->second) != 0; });
    return std::nullopt;
  }

  SlowValue of_extremes(const std::string& name, const Packets& record, const Packets& flow) const {
    using A = Arrival;
    const auto octets = [](const A& a) { return a.headers.octets; };
    const auto wire = [](const A& a) { return std::uint64_t{a.wire}; };
    const auto ttl = [](const A& a) { return std::uint64_t{a.headers.ttl}; };
    const auto window = [](const A& a) { return std::uint64_t{a.details.tcp_window}; };
    const auto flags = [](const A& a) { return std::uint64_t{a.headers.tcp_flags}; };
    const auto first_of = [&](auto value) {
      for (const auto* packet : flow)
        if (const std::uint64_t found = value(*packet)) return found;
      return std::uint64_t{0};
    };
    if (name == "minimumIpTotalLength") return {least(record, octets)};
    if (name == "maximumIpTotalLength") return {greatest(record, octets)};
    if (name == "minimumLayer2TotalLength") return {least(record, wire)};
    if (name == "maximumLayer2TotalLength") return {greatest(record, wire)};
    if (name == "minimumTTL") return {least(record, ttl)};
    if (name == "maximumTTL") return {greatest(record, ttl)};
    if (name == "tcpWindowSizeMinimum") return {least(record, window)};
    if (name == "tcpWindowSizeMaximum") return {greatest(record, window)};
    if (name == "maxPacketSize")
      return {greatest(record, [](const A& a) { return std::min<std::uint64_t>(a.details.payload_octets, 65535); })};
    if (name == "tcpControlBits") return {bits(record, flags)};
    if (name == "unionTCPFlags") {
      auto later = record;
      if (!flow.empty() && !record.empty() && flow[0] == record[0]) later.erase(later.begin());
      return {bits(later, flags)};
    }
    if (name == "ipEcnSeen") return {bits(record, [](const A& a) { return std::uint64_t{1} << a.headers.tos % 4; })};
    if (name == "ipv4Options") return {bits(record, [](const A& a) { return a.details.ipv4_options; })};
    if (name == "ipv6ExtensionHeaders") return {bits(record, [](const A& a) { return a.details.ipv6_extensions; })};
    if (name == "tcpOptions") return {bits(record, [](const A& a) { return a.details.tcp_options; })};
    if (name == "tcpMss") return {first_of([](const A& a) { return a.details.tcp_mss; })};
    if (name == "tcpSynSize")
      return {first_of([](const A& a) { return a.headers.tcp_flags & 2 ? a.headers.octets : 0; })};
    if (name == "firstNonEmptyPacketSize")
      return {first_of([](const A& a) { return std::min<std::uint64_t>(a.details.payload_octets, 65535); })};
    if (name == "payload") {
      std::string all;
      for (const auto* packet : flow)
        for (const auto octet : packet->payload) all += static_cast<char>(octet);
      return {.octets = all.substr(0, settings_.payload_octets)};
    }
    throw std::logic_error{"the slow twin knows no " + name};
  }

  SlowEvidence all_;
  SlowSettings settings_;
};

}  // namespace weir::test
