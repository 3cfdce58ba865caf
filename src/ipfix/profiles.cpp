// SPDX-License-Identifier: BSD-3-Clause
#include "ipfix/profiles.hpp"

#include <algorithm>

namespace weir::ipfix {
namespace {

#define TIMES "flowStartMilliseconds flowEndMilliseconds "
#define COUNTS "octetDeltaCount packetDeltaCount "
#define ADDRESSES "sourceIPv4Address sourceIPv6Address destinationIPv4Address destinationIPv6Address "
#define PORTS "sourceTransportPort destinationTransportPort "
#define INTERFACES "ingressInterface egressInterface "
#define ICMP "icmpTypeCodeIPv4 icmpTypeCodeIPv6 "
#define MACS "sourceMacAddress destinationMacAddress "
#define DEFAULT                                                                                                  \
  TIMES COUNTS ADDRESSES PORTS INTERFACES "vlanId tcpControlBits " ICMP                                          \
                                          "protocolIdentifier ipClassOfService ipVersion minimumTTL maximumTTL " \
                                          "flowEndReason "
#define REVERSE_COUNTS "reverseOctetDeltaCount reversePacketDeltaCount "
#define REVERSE                                                             \
  "reverseFlowStartMilliseconds reverseFlowEndMilliseconds " REVERSE_COUNTS \
  "reverseIngressInterface reverseTcpControlBits reverseIpClassOfService reverseMinimumTTL reverseMaximumTTL "
#define MPLS                                                                                       \
  "mplsTopLabelStackSection mplsLabelStackSection2 mplsLabelStackSection3 mplsLabelStackSection4 " \
  "mplsLabelStackSection5 mplsLabelStackSection6 mplsLabelStackSection7 mplsLabelStackSection8 "   \
  "mplsLabelStackSection9 mplsLabelStackSection10 "

constexpr Profile all[] = {
    {"default", "what a record carries where export.templates is empty; IANA's elements only, all of fixed length",
     DEFAULT},
    {"biflow", "default, and the reverse of what each direction has of its own (RFC 5103)", DEFAULT REVERSE},
    {"minimal", "who with whom, how much and when", TIMES COUNTS ADDRESSES PORTS "protocolIdentifier"},
    {"full", "everything but payload; of the other direction what biflow has",
     "flowStartSeconds flowEndSeconds " TIMES
     "flowStartMicroseconds flowEndMicroseconds flowStartNanoseconds flowEndNanoseconds flowDurationMilliseconds "
     "flowDurationMicroseconds " COUNTS
     "octetTotalCount packetTotalCount octetDeltaSumOfSquares octetTotalSumOfSquares layer2OctetDeltaCount "
     "layer2OctetTotalCount layer2OctetDeltaSumOfSquares layer2OctetTotalSumOfSquares layer2FrameDeltaCount "
     "layer2FrameTotalCount multicastPacketDeltaCount multicastOctetDeltaCount droppedPacketDeltaCount "
     "droppedOctetDeltaCount droppedPacketTotalCount droppedOctetTotalCount latePacketDeltaCount dataByteCount "
     "nonEmptyPacketCount smallPacketCount largePacketCount firstNonEmptyPacketSize maxPacketSize " ADDRESSES
     "sourceIPv4Prefix destinationIPv4Prefix sourceIPv6Prefix destinationIPv6Prefix sourceIPv4PrefixLength "
     "destinationIPv4PrefixLength sourceIPv6PrefixLength destinationIPv6PrefixLength " PORTS
     "udpSourcePort udpDestinationPort tcpSourcePort tcpDestinationPort protocolIdentifier nextHeaderIPv6 " ICMP
     "icmpTypeIPv4 icmpCodeIPv4 icmpTypeIPv6 icmpCodeIPv6 igmpType tcpControlBits initialTCPFlags unionTCPFlags "
     "tcpSynTotalCount tcpFinTotalCount tcpRstTotalCount tcpPshTotalCount tcpAckTotalCount tcpUrgTotalCount "
     "tcpUrgentCount tcpSequenceNumber tcpAcknowledgementNumber tcpWindowSize tcpWindowSizeMinimum "
     "tcpWindowSizeMaximum tcpWindowScale tcpUrgentPointer tcpHeaderLength tcpMss tcpMssRev tcpSynSize tcpOptions "
     "udpMessageLength ipVersion ipClassOfService ipDiffServCodePoint ipPrecedence ipEcnSeen ipTTL minimumTTL "
     "maximumTTL ipTotalLength minimumIpTotalLength maximumIpTotalLength totalLengthIPv4 payloadLengthIPv6 "
     "ipPayloadLength ipHeaderLength ipv4IHL ipv4Options ipv6ExtensionHeaders flowLabelIPv6 fragmentFlags "
     "fragmentOffset fragmentIdentification isMulticast " MACS
     "vlanId dot1qVlanId dot1qPriority dot1qDEI dot1qCustomerVlanId dot1qCustomerPriority dot1qCustomerDEI "
     "ethernetType ethernetTotalLength minimumLayer2TotalLength maximumLayer2TotalLength " MPLS
     "mplsLabelStackDepth mplsLabelStackLength mplsTopLabelTTL mplsTopLabelExp " INTERFACES
     "interfaceName flowEndReason flowDirection biflowDirection flowId observationDomainId observationPointId "
     "tunnelTechnology tunnelDepth tunnelIdentifier virtualNetworkIdentifier layer2SegmentId yafLayer2SegmentId "
     "greKey gtpuTEid gtpuFlags gtpuMsgType gtpuSequenceNum gtpuQFI gtpuPduType IPSecSPI l2tpTunnelId l2tpSessionId "
     "erspanSessionId outerIpVersion outerSourceIPv4Address outerDestinationIPv4Address outerSourceIPv6Address "
     "outerDestinationIPv6Address outerSourceTransportPort outerDestinationTransportPort outerProtocolIdentifier "
     "outerIpClassOfService outerIpTTL outerOctetDeltaCount handshakeRoundTripTimeMicroseconds "
     "reverseFlowDeltaMilliseconds reverseFlowDeltaMicroseconds reverseFlowDeltaNanoseconds " REVERSE},

    // One for each collector, without what it is known to leave out.
    {"nfdump", "nfcapd of nfdump 1.7",
     TIMES COUNTS ADDRESSES PORTS INTERFACES "vlanId tcpControlBits " ICMP
                                             "protocolIdentifier ipClassOfService minimumTTL maximumTTL fragmentFlags "
                                             "flowDirection flowEndReason " MACS MPLS REVERSE_COUNTS},
    {"pmacct", "nfacctd",
     TIMES COUNTS ADDRESSES PORTS INTERFACES
     "vlanId tcpControlBits protocolIdentifier ipClassOfService ipVersion flowDirection " MACS
     "mplsTopLabelStackSection"},
    {"goflow2", "goflow2 with the mapping that it is built with",
     TIMES COUNTS ADDRESSES PORTS INTERFACES "vlanId tcpControlBits " ICMP
                                             "protocolIdentifier ipClassOfService ipVersion minimumTTL flowLabelIPv6 "
                                             "fragmentIdentification fragmentOffset " MACS},
    {"akvorado", "Akvorado's inlet, with the columns that are off by default",
     TIMES COUNTS ADDRESSES PORTS INTERFACES
     "vlanId tcpControlBits " ICMP
     "protocolIdentifier ipClassOfService minimumTTL flowLabelIPv6 fragmentIdentification fragmentOffset "
     "flowDirection " MACS MPLS},
    {"logstash", "Logstash's netflow codec; IANA's elements only", DEFAULT MACS "flowDirection ethernetType ipTTL"},
    {"silk", "SiLK and other readers of libfixbuf; CERT's elements beside IANA's",
     TIMES COUNTS ADDRESSES PORTS INTERFACES
     "vlanId protocolIdentifier " ICMP
     "tcpControlBits initialTCPFlags unionTCPFlags ipClassOfService flowEndReason reverseFlowDeltaMilliseconds "
     "reverseOctetDeltaCount reversePacketDeltaCount reverseInitialTCPFlags reverseUnionTCPFlags reverseVlanId"},
    {"ipfixcol2", "IPFIXcol2; CESNET's elements beside IANA's",
     DEFAULT MACS "ipTTL fragmentFlags tcpWindowSize tcpOptions tcpMss tcpMssRev tcpSynSize " REVERSE},
    {"python-ipfix", "python-ipfix with its own lists of elements (2013)", DEFAULT MACS REVERSE},
};
#undef TIMES
#undef COUNTS
#undef ADDRESSES
#undef PORTS
#undef INTERFACES
#undef ICMP
#undef MACS
#undef DEFAULT
#undef REVERSE_COUNTS
#undef REVERSE
#undef MPLS

}  // namespace

std::span<const Profile> profiles() noexcept { return all; }

const Profile* find_profile(std::string_view name) noexcept {
  const auto* at = std::ranges::find(all, name, &Profile::name);
  return at == std::end(all) ? nullptr : at;
}

}  // namespace weir::ipfix
