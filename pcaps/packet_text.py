# SPDX-License-Identifier: BSD-3-Clause
"""One line of text → the octets of one frame. README.md describes the language."""
import ipaddress
import shlex
import struct

ETHERTYPES = {"ipv4": 0x0800, "ipv6": 0x86DD, "vlan": 0x8100, "svlan": 0x88A8, "mpls": 0x8847, "pppoe": 0x8864,
              "arp": 0x0806, "eth": 0x6558}
PROTOCOLS = {"hopbyhop": 0, "icmp": 1, "igmp": 2, "ipv4": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41,
             "routing": 43, "fragment": 44, "gre": 47, "ah": 51, "icmpv6": 58, None: 59, "destination": 60, "sctp": 132,
             "udplite": 136}
PPP_PROTOCOLS = {"ipv4": 0x0021, "ipv6": 0x0057}
TCP_FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32, "E": 64, "C": 128, "N": 256}
MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
IP = ("ipv4", "ipv6")


class Layer:
    """A header of the line: its name, `A > B` if there, and `word value` pairs (or words that stand alone)."""

    ALONE = {"more", "df", "big"}
    TEXTUAL = {"flags", "data", "options", "addresses", "hex", "ask", "answer"}

    def __init__(self, name, words):
        self.name, self.ends, self.values = name, None, {}
        if len(words) >= 3 and words[1] == ">":
            self.ends, words = (words[0], words[2]), words[3:]
        while words:
            word = words.pop(0)
            if word in self.ALONE:
                self.values[word] = True
            else:
                value = words.pop(0)
                self.values[word] = value if word in self.TEXTUAL else int(value, 0)

    def __call__(self, word, usual=0):
        return self.values.get(word, usual)

    def ports(self):
        return struct.pack("!HH", *(int(end) for end in self.ends))

    def payload(self, inner):
        """What is inside: other headers, else `data "text"` and `len N` letters after it."""
        data = self("data", "").encode().decode("unicode_escape").encode()
        return inner or data + bytes(97 + i % 26 for i in range(self("len")))

    def addresses(self):
        return b"".join(ipaddress.ip_address(end).packed for end in self.ends)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(octets):
    octets += bytes(len(octets) % 2)
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(octets, at, covered_before=b""):
    return octets[:at] + struct.pack("!H", checksum(covered_before + octets)) + octets[at + 2:]


def eth(layer, inner, kind, _ip):
    source, destination = layer.ends or MACS
    return mac(destination) + mac(source) + struct.pack("!H", layer("type", ETHERTYPES.get(kind, 0))) + inner


def vlan(layer, inner, kind, _ip):
    tag = layer("priority") << 13 | layer("id")
    return struct.pack("!HH", tag, layer("type", ETHERTYPES.get(kind, 0))) + inner


def mpls(layer, inner, kind, _ip):
    return struct.pack("!I", layer("label") << 12 | (kind != "mpls") << 8 | layer("ttl", 64)) + inner


def pppoe(layer, inner, kind, _ip):
    ppp = layer("protocol", PPP_PROTOCOLS.get(kind, 0))
    body = (struct.pack("!H", ppp) if layer("code") == 0 else b"") + inner
    return struct.pack("!BBHH", 0x11, layer("code"), layer("session"), layer("size", len(body))) + body


def sll(layer, inner, kind, _ip):
    return struct.pack("!HHH8sH", 0, 1, 6, mac(MACS[0]), layer("type", ETHERTYPES.get(kind, 0))) + inner


def sll2(layer, inner, kind, _ip):
    return struct.pack("!HHIHBB8s", layer("type", ETHERTYPES.get(kind, 0)), 0, layer("index", 1), 1, 0, 6,
                       mac(MACS[0])) + inner


def null(layer, inner, kind, _ip):
    return struct.pack(">I" if layer("big") else "<I", layer("family", 2 if kind == "ipv4" else 30)) + inner


def loop(layer, inner, kind, _ip):
    return struct.pack(">I", layer("family", 2 if kind == "ipv4" else 24)) + inner


def ipv4(layer, inner, kind, _ip):
    inner = layer.payload(inner)
    options = bytes.fromhex(layer("options", ""))
    header_octets = 20 + len(options)
    fragment = layer("df") << 14 | layer("more") << 13 | layer("offset") // 8
    header = struct.pack("!BBHHHBBH", layer("version", 4) << 4 | layer("words", header_octets // 4), layer("tos"),
                         layer("total", header_octets + len(inner)), layer("id"), fragment, layer("ttl", 64),
                         layer("protocol", PROTOCOLS[kind]), 0)
    return with_checksum(header + layer.addresses() + options, 10) + inner


def ipv6(layer, inner, kind, _ip):
    inner = layer.payload(inner)
    return struct.pack("!IHBB", layer("version", 6) << 28 | layer("class") << 20 | layer("label"),
                       layer("payload", len(inner)), layer("protocol", PROTOCOLS[kind]),
                       layer("ttl", 64)) + layer.addresses() + inner


def options_header(layer, inner, kind, _ip):
    """Hop-by-hop or Destination Options: a jumbo option (RFC 2675) or padding; `units` of 8 octets beyond the first."""
    room = 6 + 8 * layer("units")
    jumbo = layer("jumbo")
    content = struct.pack("!BBI", 0xC2, 4, jumbo) if jumbo else b""
    if len(content) < room:
        content += struct.pack("!BB", 1, room - len(content) - 2).ljust(room - len(content), b"\0")
    return struct.pack("!BB", layer("protocol", PROTOCOLS[kind]), layer("size", layer("units"))) + content + inner


def routing(layer, inner, kind, _ip):
    addresses = b"".join(ipaddress.ip_address(text).packed for text in layer("addresses", "").split(",") if text)
    return struct.pack("!BBBBI", layer("protocol", PROTOCOLS[kind]), len(addresses) // 8, layer("type", 4),
                       layer("left"), 0) + addresses + inner


def fragment(layer, inner, kind, _ip):
    return struct.pack("!BBHI", layer("protocol", PROTOCOLS[kind]), 0, layer("offset") | layer("more"),
                       layer("id")) + layer.payload(inner)


def ah(layer, inner, kind, _ip):
    return struct.pack("!BBHII12s", layer("protocol", PROTOCOLS[kind]), 4, 0, layer("spi", 256), layer("sequence", 1),
                       b"") + inner


def tcp(layer, inner, _kind, ip):
    letters = layer("flags", "A")
    flags = int(letters, 0) if letters.startswith("0x") else sum(TCP_FLAGS[letter] for letter in letters)
    options = bytes.fromhex(layer("options", ""))
    words = layer("words", 5 + len(options) // 4)
    header = layer.ports() + struct.pack("!IIHHHH", layer("seq"), layer("ack"), words << 12 | flags, 65535, 0, 0)
    return transport(header + options + layer.payload(inner), 16, 6, ip)


def udp(layer, inner, _kind, ip):
    body = layer.payload(inner)
    segment = layer.ports() + struct.pack("!HH", layer("size", 8 + len(body)), 0) + body
    return segment if "checksum" in layer.values else transport(segment, 6, 17, ip)


def udplite(layer, inner, _kind, ip):
    return transport(layer.ports() + bytes(4) + layer.payload(inner), 6, 136, ip)


def sctp(layer, inner, _kind, _ip):
    """A common header (its CRC left 0) and one chunk of type INIT around the payload."""
    body = layer.payload(inner)
    return layer.ports() + struct.pack("!IIBBH", 1, 0, 1, 0, 4 + len(body)) + body


def dccp(layer, inner, _kind, ip):
    """A DCCP-Request: generic header with a 48-bit sequence number, then the service code."""
    header = layer.ports() + struct.pack("!BBHBBHII", 5, 0, 0, 1, 0, 0, layer("seq"), 0)
    return transport(header + layer.payload(inner), 6, 33, ip)


def icmp(layer, inner, _kind, _ip):
    return with_checksum(icmp_header(layer) + layer.payload(inner), 2)


def icmpv6(layer, inner, _kind, ip):
    return transport(icmp_header(layer) + layer.payload(inner), 2, 58, ip)


def icmp_header(layer):
    return struct.pack("!BBHHH", layer("type"), layer("code"), 0, layer("id"), layer("seq"))


def igmp(layer, inner, _kind, _ip):
    return with_checksum(struct.pack("!BBH4s", layer("type", 0x16), 0, 0, bytes([239, 1, 2, 3])) + inner, 2)


def dns(layer, _inner, _kind, _ip):
    """A question for `ask NAME` (A; AAAA with `type 28`) and, with `answer ADDRESS`, the same with its answer."""
    labels = [part.encode() for part in layer("ask").split(".")]
    question = b"".join(bytes([len(part)]) + part for part in labels) + struct.pack("!BHH", 0, layer("type", 1), 1)
    if not layer("answer"):
        return struct.pack("!HHHHHH", layer("id"), 0x0100, 1, 0, 0, 0) + question
    address = ipaddress.ip_address(layer("answer")).packed
    return (struct.pack("!HHHHHH", layer("id"), 0x8180, 1, 1, 0, 0) + question +
            struct.pack("!HHHIH", 0xC00C, layer("type", 1), 1, 300, len(address)) + address)


def transport(segment, at, protocol, ip):
    """With its checksum, which covers the addresses of the IP header around it."""
    if ip is None:
        return segment
    sizes = struct.pack("!II", len(segment), protocol) if ip.name == "ipv6" else struct.pack("!HH", protocol,
                                                                                              len(segment) & 0xFFFF)
    return with_checksum(segment, at, ip.addresses() + sizes)


def gre(layer, inner, kind, _ip):
    numbers = [layer(word) for word in ("key", "sequence") if word in layer.values]
    flags = ("key" in layer.values) << 13 | ("sequence" in layer.values) << 12
    return struct.pack(f"!HH{len(numbers)}I", flags, layer("type", ETHERTYPES.get(kind, 0)), *numbers) + inner


def vxlan(layer, inner, _kind, _ip):
    return struct.pack("!II", 0x08000000, layer("vni") << 8) + inner


def geneve(layer, inner, kind, _ip):
    options = bytes.fromhex(layer("options", ""))
    return struct.pack("!BBHI", len(options) // 4, 0, layer("type", ETHERTYPES.get(kind, 0)),
                       layer("vni") << 8) + options + inner


def gtpu(layer, inner, _kind, _ip):
    """With `sequence`, and with `qfi` the container of a PDU session, which goes up unless `down 1`."""
    flags, session = 0x30 | ("sequence" in layer.values) << 1, b""
    if "qfi" in layer.values:
        flags |= 4
        session = struct.pack("!BBBB", 1, 0 if layer("down") else 0x10, layer("qfi"), 0)
    more = struct.pack("!HBB", layer("sequence"), 0, 0x85 if session else 0) + session if flags & 7 else b""
    return struct.pack("!BBHI", flags, layer("kind", 255), len(more) + len(inner), layer("teid")) + more + inner


def raw(layer, _inner, _kind, _ip):
    return bytes.fromhex(layer("hex"))


BUILDERS = {"eth": eth, "vlan": vlan, "svlan": vlan, "mpls": mpls, "pppoe": pppoe, "sll": sll, "sll2": sll2,
            "null": null, "loop": loop, "ipv4": ipv4, "ipv6": ipv6, "hopbyhop": options_header,
            "destination": options_header, "routing": routing, "fragment": fragment, "ah": ah, "tcp": tcp,
            "udp": udp, "udplite": udplite, "sctp": sctp, "dccp": dccp, "dns": dns, "icmp": icmp, "icmpv6": icmpv6,
            "igmp": igmp, "gre": gre, "vxlan": vxlan, "geneve": geneve, "gtpu": gtpu, "raw": raw}
ETHERNET_LEAST = 60


def layers_of(words):
    starts = [i for i, word in enumerate(words) if word in BUILDERS and (i == 0 or words[i - 1] != ">")]
    return [Layer(words[at], words[at + 1:to]) for at, to in zip(starts, starts[1:] + [len(words)])]


def frame(line):
    """→ (captured octets, octets on the wire). `end N`: the frame ends there; `cut N`: no more than that was kept."""
    words = shlex.split(line)
    limits = {"end": None, "cut": None}
    while len(words) >= 2 and words[-2] in limits:
        limits[words[-2]] = int(words[-1])
        words = words[:-2]
    layers = layers_of(words)
    octets, kind = b"", None
    for i in reversed(range(len(layers))):
        ip = next((outer for outer in reversed(layers[:i]) if outer.name in IP), None)
        octets = BUILDERS[layers[i].name](layers[i], octets, kind, ip)
        kind = layers[i].name
    if kind == "eth" and limits["end"] is None:
        octets = octets.ljust(ETHERNET_LEAST, b"\0")
    octets = octets[:limits["end"]]
    return octets[:limits["cut"]], len(octets)
