# SPDX-License-Identifier: BSD-3-Clause
"""tshark reads the same values as weir dump does, from weir's files and from what it sends over UDP."""
import ipaddress
import pathlib
import re
import socket
import struct
import tempfile
import xml.etree.ElementTree as xml

from support import tshark
from support.collectors import DIRECTIONS, LOOPBACK, free_port, ipfix_file, same, send
from support.weir_cli import check, finish

IPFIX_PORT = 4739
LINKTYPE_RAW = 101
NAMES = {"cflow.srcaddr": "source", "cflow.srcaddrv6": "source", "cflow.dstaddr": "destination",
         "cflow.dstaddrv6": "destination", "cflow.protocol": "protocol", "cflow.srcport": "source_port",
         "cflow.dstport": "destination_port", "cflow.packets": "packets", "cflow.octets": "octets",
         "cflow.abstimestart": "start", "cflow.abstimeend": "end", "cflow.tcpflags": "flags", "cflow.tos": "tos",
         "cflow.vlanid": "vlan", "cflow.inputint": "in",
         "cflow.outputint": "out", "cflow.ttl_min": "ttl_least", "cflow.ttl_max": "ttl_most",
         "cflow.flow_end_reason": "reason", "cflow.ip_version": "version", "cflow.icmp_type_code_ipv4": "icmp",
         "cflow.icmp_ipv6_type": "type", "cflow.icmp_ipv6_code": "code"}


def value(word, octets):
    if word in ("source", "destination"):
        return str(ipaddress.ip_address(octets))
    return int.from_bytes(octets, "big")


def flows_in(capture):
    """From the octets of the fields that tshark found, in the flows that it found."""
    root = xml.fromstring(tshark.run("-r", str(capture), "-T", "pdml"))
    for one in root.iter("field"):
        if re.fullmatch(r"Flow \d+", one.get("show", "")):
            words = {}
            for field in one.iter("field"):
                word = NAMES.get(field.get("name"))
                if word is None:
                    continue
                word = f"reverse_{word}" if word in words else word
                words[word] = value(word, bytes.fromhex(field.get("value")))
            if "type" in words:
                words["icmp"] = words.pop("type") * 256 + words.pop("code")
            if "packets" in words:
                yield words


def datagrams_sent(direction):
    """What weir sends over UDP, as a capture."""
    port, received = free_port(), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox:
        inbox.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        inbox.bind((LOOPBACK, port))
        send(direction, port)
        inbox.setblocking(False)
        while True:
            try:
                received.append(inbox.recv(65536))
            except BlockingIOError:
                break
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW) + b"".join(map(packet, received))


def packet(message):
    udp = struct.pack("!HHHH", 40000, IPFIX_PORT, 8 + len(message), 0) + message
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4)) + udp
    return struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip


def read(octets):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "flows")
        path.write_bytes(octets)
        return list(flows_in(path))


for direction in DIRECTIONS:
    with check(f"tshark reads {direction} files"):
        octets, expected = ipfix_file(direction)
        same(read(octets), expected)
    with check(f"tshark reads {direction} datagrams"):
        same(read(datagrams_sent(direction)), ipfix_file(direction)[1])
finish()
