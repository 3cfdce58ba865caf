# SPDX-License-Identifier: BSD-3-Clause
"""Frames of capture files, in plain Python: enough to pick captures, to split them and to join them."""
import struct
from dataclasses import dataclass, replace

ETHERNET = 1
MICROSECONDS = 10**6


@dataclass(frozen=True)
class Frame:
    link: int
    stamp: int  # nanoseconds
    octets: bytes
    wire: int

    @property
    def is_whole(self):
        return len(self.octets) == self.wire


def frames_of(path):
    octets = path.read_bytes()
    return pcapng_frames(octets) if octets[:4] == b"\x0a\x0d\x0d\x0a" else pcap_frames(octets)


def pcap_frames(octets):
    order = "<" if octets[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    nanoseconds = octets[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    link, = struct.unpack_from(order + "I", octets, 20)
    frames, at = [], 24
    while at + 16 <= len(octets):
        seconds, fraction, captured, wire = struct.unpack_from(order + "4I", octets, at)
        stamp = seconds * 10**9 + fraction * (1 if nanoseconds else 1000)
        frames.append(Frame(link & 0xffff, stamp, octets[at + 16:at + 16 + captured], wire))
        at += 16 + captured
    return frames


def pcapng_frames(octets):
    """Enhanced and simple packet blocks; others hold no packets that a test needs."""
    frames, interfaces, at, order = [], [], 0, "<"
    while at + 12 <= len(octets):
        if octets[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order, interfaces = "<" if octets[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">", []
        kind, length = struct.unpack_from(order + "2I", octets, at)
        if kind == 1:
            interfaces.append((struct.unpack_from(order + "H", octets, at + 8)[0],
                               resolution(octets[at + 16:at + length - 4], order)))
        elif kind == 6:
            number, high, low, captured, wire = struct.unpack_from(order + "5I", octets, at + 8)
            link, per_second = interfaces[number]
            stamp = (high << 32 | low) * 10**9 // per_second
            frames.append(Frame(link, stamp, octets[at + 28:at + 28 + captured], wire))
        elif kind == 3:
            wire, = struct.unpack_from(order + "I", octets, at + 8)
            frames.append(Frame(interfaces[0][0], 0, octets[at + 12:at + 12 + wire], wire))
        at += max(length, 12)
    return frames


def resolution(options, order):
    """Units a second: the option if_tsresol, else microseconds."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "2H", options, at)
        if code == 9:
            value = options[at + 4]
            return 2 ** (value & 0x7f) if value & 0x80 else 10 ** value
        at += 4 + (length + 3) // 4 * 4
    return MICROSECONDS


PCAP_BEGIN = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, ETHERNET)


def pcap_record(frame):
    """In microseconds."""
    return struct.pack("<4I", frame.stamp // 10**9, frame.stamp % 10**9 // 1000, len(frame.octets),
                       frame.wire) + frame.octets


def write_pcap(path, frames):
    path.write_bytes(PCAP_BEGIN + b"".join(map(pcap_record, frames)))
    return path


def retimed(frames):
    """In the order of the file, a tenth of a millisecond apart: the packet clock is the same whoever comes first."""
    start = 1_700_000_000 * 10**9
    return [replace(frame, stamp=start + number * 100_000) for number, frame in enumerate(frames)]


def whole_ethernet(captures):
    """→ {capture: its frames} of those that a network of Ethernet could send again: no frame was cut."""
    read = {path: frames_of(path) for path in captures}
    return {path: frames for path, frames in read.items()
            if frames and all(frame.link == ETHERNET and frame.is_whole for frame in frames)}


def is_fragment(frame):
    """An IPv4 or IPv6 fragment, behind any VLAN tags."""
    at = 12
    while frame.octets[at:at + 2] in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
        at += 4
    kind, ip = frame.octets[at:at + 2], frame.octets[at + 2:]
    if kind == b"\x08\x00" and len(ip) >= 20:
        return int.from_bytes(ip[6:8], "big") & 0x3fff != 0
    return kind == b"\x86\xdd" and len(ip) >= 40 and has_fragment_header(ip)


def has_fragment_header(ip):
    chained = {0: 1, 43: 1, 60: 1}
    kind, at = ip[6], 40
    while kind in chained and at + 2 <= len(ip):
        kind, at = ip[at], at + 8 * (ip[at + 1] + 1)
    return kind == 44
