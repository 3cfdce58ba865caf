#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""NAME.txt → NAME.pcap or NAME.pcapng, octet for octet the same every time.

make.py           writes the captures beside their texts
make.py --check   writes nothing; names each capture that is not what its text makes
"""
import datetime
import pathlib
import struct
import sys
from decimal import Decimal

import packet_text

HERE = pathlib.Path(__file__).resolve().parent
LINKS = {"null": 0, "ethernet": 1, "raw": 101, "loop": 108, "sll": 113, "bluetooth": 187, "ipv4": 228, "ipv6": 229,
         "sll2": 276}
BYTE_ORDERS = {"little": "<", "big": ">"}


def nanoseconds(seconds):
    return int(Decimal(seconds).scaleb(9))


class Pcap:
    """`pcap LINK us|ns little|big SNAP`"""

    suffix = ".pcap"

    def __init__(self, link, resolution, order, snap):
        self.order, self.tick, self.snap = BYTE_ORDERS[order], 1000 if resolution == "us" else 1, int(snap)
        magic = 0xA1B2C3D4 if resolution == "us" else 0xA1B23C4D
        self.octets = struct.pack(self.order + "IHHiIII", magic, 2, 4, 0, 0, self.snap, LINKS[link])

    def packet(self, at, _interface, octets, wire):
        octets = octets[:self.snap]
        seconds, rest = divmod(at, 10**9)
        self.octets += struct.pack(self.order + "IIII", seconds, rest // self.tick, len(octets), wire) + octets


class Pcapng:
    """`pcapng`, then `section little|big`, then `interface NAME LINK RESOLUTION SNAP`: 10^-9, 2^-20 …"""

    suffix = ".pcapng"

    def __init__(self):
        self.octets, self.interfaces = b"", {}

    def block(self, kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack(self.order + "I", 12 + len(body))
        self.octets += struct.pack(self.order + "I", kind) + size + body + size

    def option(self, code, value):
        return struct.pack(self.order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    def section(self, order):
        self.order, self.interfaces = BYTE_ORDERS[order], {}
        self.block(0x0A0D0D0A, struct.pack(self.order + "IHHq", 0x1A2B3C4D, 1, 0, -1))

    def interface(self, name, link, resolution, snap):
        base, power = (int(part) for part in resolution.split("^-"))
        self.interfaces[name] = (len(self.interfaces), base**power, int(snap))
        options = self.option(2, name.encode()) + self.option(9, bytes([power | (0x80 if base == 2 else 0)]))
        self.block(1, struct.pack(self.order + "HHI", LINKS[link], 0, int(snap)) + options + self.option(0, b""))

    def packet(self, at, interface, octets, wire):
        number, ticks_a_second, snap = self.interfaces[interface]
        octets = octets[:snap or None]
        if at is None:  # a Simple Packet Block has no stamp and belongs to interface 0
            assert number == 0
            return self.block(3, struct.pack(self.order + "I", wire) + octets)
        ticks = at * ticks_a_second // 10**9
        return self.block(6, struct.pack(self.order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(octets),
                                         wire) + octets)


def capture(text):
    """The whole of a text → a Pcap or a Pcapng."""
    made, start = None, 0
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "start":
            start = nanoseconds(int(datetime.datetime.fromisoformat(words[1] + "+00:00").timestamp()))
        elif words[0] == "pcap":
            made = Pcap(*words[1:])
        elif words[0] == "pcapng":
            made = Pcapng()
        elif words[0] in ("section", "interface"):
            getattr(made, words[0])(*words[1:])
        else:
            at = None if words[0] == "-" else start + nanoseconds(words[0])
            rest = line.split(None, 1)[1]
            interface = None
            if words[1] == "on":
                interface, rest = rest.split(None, 2)[1:]
            made.packet(at, interface, *packet_text.frame(rest))
    return made


def main(arguments):
    stale = 0
    for text in sorted(HERE.glob("*.txt")):
        made = capture(text.read_text())
        path = text.with_suffix(made.suffix)
        if arguments != ["--check"]:
            path.write_bytes(made.octets)
        elif not path.exists() or path.read_bytes() != made.octets:
            print(f"{path.name} is not what {text.name} makes: run pcaps/make.py")
            stale += 1
    return stale > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
