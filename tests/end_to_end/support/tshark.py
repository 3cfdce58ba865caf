# SPDX-License-Identifier: BSD-3-Clause
"""What tshark's fields say of each packet of a capture: the outermost IP header alone, nothing reassembled."""
import ipaddress
import subprocess
from dataclasses import dataclass

FIELDS = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.section_number", "frame.interface_id",
          "frame.protocols", "vlan.id", "ieee8021ad.id", "ieee8021ad.svid", "ip.src", "ip.dst", "ip.proto", "ip.len",
          "ip.id", "ip.flags.mf", "ip.frag_offset", "ip.ttl", "ip.dsfield", "ipv6.src", "ipv6.dst", "ipv6.nxt",
          "ipv6.plen", "ipv6.opt.jumbo", "ipv6.hlim", "ipv6.tclass", "ipv6.hopopts.nxt", "ipv6.routing.nxt",
          "ipv6.dstopts.nxt", "ipv6.fraghdr.nxt", "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "ipv6.fraghdr.ident",
          "ah.next_header", "tcp.srcport", "tcp.dstport", "tcp.flags", "udp.srcport", "udp.dstport", "sctp.srcport",
          "sctp.dstport", "dccp.srcport", "dccp.dstport", "icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code")
AS_IT_LIES = ("ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
              "tcp.relative_sequence_numbers:FALSE", "tcp.analyze_sequence_numbers:FALSE")
# What may stand before IP for weir to read it. tshark looks further.
READ_BEFORE_IP = {"eth", "ethertype", "vlan", "ieee8021ad", "mpls", "pppoes", "ppp", "null", "raw", "sll", "loop",
                  "llc", "wlan", "wlan_radio", "radiotap", "ppi", "pcap_pktdata", "chdlc", "fr", "ieee8021ah", "nsh",
                  "cmd", "pwethheuristic", "pwethcw", "pwethnocw"}
ICMP, TCP, UDP, DCCP, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 58, 132, 136
PORTS_IN = {TCP: "tcp", UDP: "udp", UDPLITE: "udp", SCTP: "sctp", DCCP: "dccp"}
TYPE_IN = {(4, ICMP): "icmp", (6, ICMPV6): "icmpv6"}
NEXT_IN = {0: "ipv6.hopopts.nxt", 43: "ipv6.routing.nxt", 44: "ipv6.fraghdr.nxt", 51: "ah.next_header",
           60: "ipv6.dstopts.nxt"}
FRAGMENT = 44
STAMP_LATEST = 7_258_118_400 * 10**9  # 2200-01-01; a stamp beyond it is none


@dataclass
class Seen:
    """One packet. `ip` is None where tshark finds no IP that weir reads, `ends` where it finds no ports or type."""

    number: int
    stamp: int | None  # nanoseconds
    wire: int
    captured: int
    interface: int | None  # None behind a pcapng's first section, where tshark begins anew
    ip: int | None = None
    source: str = ""
    destination: str = ""
    protocol: int = 0
    octets: int = 0
    vlan: int = 0
    ttl: int = 0
    tos: int = 0
    flags: int = 0
    ends: tuple | None = None  # (source port, destination port), or (type, code)
    is_icmp: bool = False
    fragment: str = ""  # "first", "later", or of a whole packet nothing
    identification: int = 0


def run(*arguments):
    done = subprocess.run(["tshark", "-n", *arguments], capture_output=True, text=True, timeout=300)
    return done.stdout


def rows(capture, fields):
    """A dict of texts for each packet; '|' stands between the occurrences of a field."""
    preferences = [word for setting in AS_IT_LIES for word in ("-o", setting)]
    lines = run("-r", str(capture), *preferences, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|",
                *[word for name in fields for word in ("-e", name)]).splitlines()
    return [dict(zip(fields, line.split("\t"))) for line in lines]


def packets(capture):
    return [packet(position, values) for position, values in enumerate(rows(capture, FIELDS), 1)]


def packet(position, values):
    seconds, _, fraction = values["frame.time_epoch"].partition(".")
    stamp = int(seconds) * 10**9 + int(fraction.ljust(9, "0")) if seconds else None
    seen = Seen(position, stamp if stamp is not None and 0 <= stamp <= STAMP_LATEST else None, int(values["frame.len"]),
                int(values["frame.cap_len"]),
                int(values["frame.interface_id"] or 0) if values["frame.section_number"] in ("", "1") else None)
    layers = values["frame.protocols"].split(":")
    version = next((layer for layer in layers if layer in ("ip", "ipv6")), None)
    if version is None:
        return seen
    before = layers[:layers.index(version)]
    if not READ_BEFORE_IP.issuperset(before):
        return seen
    left = {name: value.split("|") if value else [] for name, value in values.items()}
    seen.vlan = outermost_vlan(before, left)
    (read_ipv4 if version == "ip" else read_ipv6)(seen, left)
    return seen


def outermost_vlan(before, left):
    """The first tag's. An 802.1ad tag in another one is shown as one header, with an S-VID."""
    tag = next((layer for layer in before if layer in ("vlan", "ieee8021ad")), None)
    ids = left["vlan.id"] if tag == "vlan" else left["ieee8021ad.id"] + left["ieee8021ad.svid"]
    return number(ids[0]) if tag else 0


def number(text):
    return int(text, 0)


def read_ipv4(seen, left):
    if not (left["ip.src"] and left["ip.dst"]):
        return
    seen.ip, seen.source, seen.destination = 4, left["ip.src"][0], left["ip.dst"][0]
    seen.protocol, seen.octets = number(left["ip.proto"][0]), number(left["ip.len"][0])
    seen.ttl, seen.tos = number(left["ip.ttl"][0]), number(left["ip.dsfield"][0])
    read_fragment(seen, left["ip.frag_offset"][0], left["ip.flags.mf"][0], left["ip.id"])
    read_transport(seen, left)


def read_ipv6(seen, left):
    if not (left["ipv6.src"] and left["ipv6.dst"]):
        return
    seen.ip = 6
    seen.source, seen.destination = (str(ipaddress.ip_address(left[name][0])) for name in ("ipv6.src", "ipv6.dst"))
    jumbo = left["ipv6.opt.jumbo"]
    seen.octets = 40 + number(jumbo[0] if jumbo else left["ipv6.plen"][0])
    seen.ttl, seen.tos = number(left["ipv6.hlim"][0]), number(left["ipv6.tclass"][0])
    seen.protocol = number(left["ipv6.nxt"][0])
    while seen.protocol in NEXT_IN and seen.fragment != "later":
        if seen.protocol == FRAGMENT and left["ipv6.fraghdr.offset"]:
            read_fragment(seen, left["ipv6.fraghdr.offset"][0], left["ipv6.fraghdr.more"][0],
                          left["ipv6.fraghdr.ident"])
        if not left[NEXT_IN[seen.protocol]]:
            return  # an extension header that is not there: no ends
        seen.protocol = number(left[NEXT_IN[seen.protocol]].pop(0))
    read_transport(seen, left)


def read_fragment(seen, offset, more, identification):
    more = more in ("1", "True")
    seen.fragment = "later" if number(offset) != 0 else "first" if more else ""
    seen.identification = number(identification[0]) if identification else 0


def read_transport(seen, left):
    seen.is_icmp = (seen.ip, seen.protocol) in TYPE_IN
    if seen.fragment == "later":
        seen.ends = (0, 0)
    elif seen.is_icmp:
        seen.ends = pair(left, TYPE_IN[seen.ip, seen.protocol], "type", "code")
    elif seen.protocol in PORTS_IN:
        seen.ends = pair(left, PORTS_IN[seen.protocol], "srcport", "dstport")
        if seen.protocol == TCP and left["tcp.flags"]:
            seen.flags = number(left["tcp.flags"][0])
    else:
        seen.ends = (0, 0)


def pair(left, protocol, first, second):
    values = [left[f"{protocol}.{word}"] for word in (first, second)]
    return tuple(number(value[0]) for value in values) if all(values) else None
