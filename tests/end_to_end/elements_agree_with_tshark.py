# SPDX-License-Identifier: BSD-3-Clause
"""Element by element, packet by packet: with timeouts of 0 each packet is a record, whose elements are compared with
tshark's fields. The outermost IP packet, and with tunnels entered the innermost that both read."""
import ipaddress
from collections import Counter

from support import tshark
from support.weir_cli import all_captures, check, each, finish, records, replay

EACH_PACKET = ("--set", "flow.timeout_idle=0", "--set", "flow.timeout_active=0", "--set", "flow.fragments=separate")
# What tshark may find between an outer and an inner IP header for weir to find that, too.
READ_BETWEEN = {"gre", "erspan", "eth", "ethertype", "vlan", "ieee8021ad", "mpls", "ppp", "llc", "vxlan", "vxlan_gpe",
                "geneve", "gtp", "lisp-data", "teredo", "l2tp", "nsh", "udp", "ip", "ipv6", "pwethheuristic", "pwethcw",
                "pwethnocw", "ipv6.hopopts", "ipv6.dstopts", "ipv6.routing"}
# Behind a control word, which tshark takes for the front of a frame.
READ_BY_WEIR_ALONE = {"mpls.pcap", "legacy-tpid-18_mpls_pw_outer_legacy_vlan_ipv4_tcp_cw.pcap"}


def plain(text):
    return int(text, 0)


def flags(text):
    """Of three bits, as tshark shows them → IANA's fragmentFlags (197)."""
    return plain(text) << 5


# By element: tshark's layer, its field, and how the field's text becomes the element's value.
OF_IP = {
    4: {"ipTTL": ("ip.ttl", plain), "ipClassOfService": ("ip.dsfield", plain), "ipHeaderLength": ("ip.hdr_len", plain),
        "fragmentIdentification": ("ip.id", plain), "fragmentFlags": ("ip.flags", flags),
        "fragmentOffset": ("ip.frag_offset", plain), "totalLengthIPv4": ("ip.len", plain)},
    6: {"ipTTL": ("ipv6.hlim", plain), "ipClassOfService": ("ipv6.tclass", plain),
        "flowLabelIPv6": ("ipv6.flow", plain), "nextHeaderIPv6": ("ipv6.nxt", plain),
        "payloadLengthIPv6": ("ipv6.plen", plain)},
}
OF_TRANSPORT = {
    "tcp": {"sourceTransportPort": ("tcp.srcport", plain), "destinationTransportPort": ("tcp.dstport", plain),
            "tcpSequenceNumber": ("tcp.seq_raw", plain), "tcpAcknowledgementNumber": ("tcp.ack_raw", plain),
            "tcpWindowSize": ("tcp.window_size_value", plain), "tcpUrgentPointer": ("tcp.urgent_pointer", plain),
            "tcpControlBits": ("tcp.flags", plain), "tcpHeaderLength": ("tcp.hdr_len", plain)},
    "udp": {"sourceTransportPort": ("udp.srcport", plain), "destinationTransportPort": ("udp.dstport", plain),
            "udpMessageLength": ("udp.length", plain)},
    "icmp": {"icmpTypeIPv4": ("icmp.type", plain), "icmpCodeIPv4": ("icmp.code", plain)},
    "icmpv6": {"icmpTypeIPv6": ("icmpv6.type", plain), "icmpCodeIPv6": ("icmpv6.code", plain)},
    "igmp": {"igmpType": ("igmp.type", plain)},
}
# Of the outermost frame, where it begins with Ethernet.
OF_ETHERNET = {"sourceMacAddress": ("eth.src", str), "destinationMacAddress": ("eth.dst", str)}
OF_TAGS = {"vlanId": ("vlan.id", plain), "dot1qPriority": ("vlan.priority", plain), "dot1qDEI": ("vlan.dei", plain)}
OF_LABELS = {"mplsTopLabelTTL": ("mpls.ttl", plain), "mplsTopLabelExp": ("mpls.exp", plain)}
OF_TUNNELS = {"vxlan": {"tunnelIdentifier": ("vxlan.vni", plain)},
              "geneve": {"tunnelIdentifier": ("geneve.vni", plain)}, "gtp": {"tunnelIdentifier": ("gtp.teid", plain)}}
KEY = ("sourceIPv4Address", "destinationIPv4Address", "sourceIPv6Address", "destinationIPv6Address")
ADDRESSES = {4: ("ip.src", "ip.dst"), 6: ("ipv6.src", "ipv6.dst")}

GROUPS = [*OF_IP.values(), *OF_TRANSPORT.values(), OF_ETHERNET, OF_TAGS, OF_LABELS, *OF_TUNNELS.values()]
ELEMENTS = sorted({element for group in GROUPS for element in group})
FIELDS = ["frame.protocols", *(name for pair in ADDRESSES.values() for name in pair),
          *sorted({field for group in GROUPS for field, _ in group.values()})]


def seen(rows, inner):
    """Of each packet that weir might meter: (source, destination), and its elements by name."""
    for values in rows:
        layers = values["frame.protocols"].split(":")
        at = innermost(layers) if inner else outermost(layers)
        if at is None:
            continue
        version = 4 if layers[at] == "ip" else 6
        occurrence = layers[:at].count(layers[at])
        both = [values[name].split("|") for name in ADDRESSES[version]]
        if not all(len(addresses) > occurrence and addresses[occurrence] for addresses in both):
            continue
        found = {}
        take(found, OF_IP[version], values, occurrence)
        transport = next((layer for layer in layers[at + 1:] if not layer.startswith("ipv6.")), "")
        take(found, OF_TRANSPORT.get(transport, {}), values, layers[:at].count(transport))
        first = outermost(layers)
        if layers[0] == "eth":
            take(found, OF_ETHERNET, values, 0)
        tag = next((layer for layer in layers[:first] if layer in ("vlan", "ieee8021ad")), "")
        take(found, OF_TAGS if tag == "vlan" else {}, values, 0)
        take(found, OF_LABELS if "mpls" in layers[:first] else {}, values, 0)
        for tunnel in reversed(layers[first:at]):
            if tunnel in OF_TUNNELS:
                take(found, OF_TUNNELS[tunnel], values, layers[:at].count(tunnel) - 1)
                break
        yield tuple(str(ipaddress.ip_address(addresses[occurrence])) for addresses in both), found


def take(found, group, values, occurrence):
    for element, (field, form) in group.items():
        texts = values[field].split("|") if values[field] else []
        if len(texts) > occurrence:
            found[element] = form(texts[occurrence])


def outermost(layers):
    at = next((i for i, layer in enumerate(layers) if layer in ("ip", "ipv6")), None)
    return at if at is not None and tshark.READ_BEFORE_IP.issuperset(layers[:at]) else None


def innermost(layers):
    at = outermost(layers)
    if at is None:
        return None
    for i in range(at + 1, len(layers)):
        if layers[i] not in READ_BETWEEN:
            break
        if layers[i] in ("ip", "ipv6"):
            at = i
    return at


def metered(capture, tunnels):
    wanted = " ".join(["octetDeltaCount", *KEY, *ELEMENTS])
    made = replay(capture, *EACH_PACKET, "--set", f"decode.tunnels={tunnels}", "--set",
                  f"export.templates=all = {wanted}")[1]
    for record in records(made):
        if "octetDeltaCount" not in record:
            continue
        version = 4 if "sourceIPv4Address" in record else 6
        yield tuple(str(ipaddress.ip_address(record[name])) for name in KEY if f"IPv{version}" in name), record


def checks(capture):
    rows = tshark.rows(capture, FIELDS)
    for tunnels in ("outer", "inner"):
        with check(f"{capture.name}, {tunnels}: each element is what tshark reads"):
            compare(capture, rows, tunnels)


def compare(capture, rows, tunnels):
    theirs = {element: Counter() for element in ELEMENTS}
    packets = Counter()
    for ends, found in seen(rows, tunnels == "inner"):
        packets[ends] += 1
        for element in ELEMENTS:
            theirs[element][ends, found.get(element)] += 1
    wrong = []
    for ends, record in metered(capture, tunnels):
        if packets[ends] == 0:
            wrong += [] if capture.name in READ_BY_WEIR_ALONE else [f"{ends}: weir alone"]
            continue
        packets[ends] -= 1
        for element in ELEMENTS:
            if element not in record:
                continue
            for value in (record[element], None):  # None: tshark has no such field in a packet between these two
                if theirs[element][ends, value] > 0:
                    theirs[element][ends, value] -= 1
                    break
            else:
                wrong.append(f"{ends}: {element} {record[element]}")
    assert not wrong, f"{len(wrong)} differ: " + "; ".join(wrong[:6])


each(all_captures(), checks)
finish()
