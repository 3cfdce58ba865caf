# SPDX-License-Identifier: BSD-3-Clause
"""Datagrams cut into fragments that come in any order, some of them lost, some twice: weir's records have the packets
and octets that their maker knows of, and those that tshark's fields add up to, with any number of workers."""
import collections
import ipaddress
import pathlib
import random
import struct
import tempfile

from support import reckoning, tshark
from support.frames import ETHERNET, Frame, write_pcap
from support.weir_cli import BIFLOW, ENDLESS, WORKERS, check, finish, flows, ledger_closes, replay

SEPARATE = ("--set", "flow.fragments=separate")
START = 1_700_000_000 * 10**9
MILLISECOND = 10**6
UDP = 17


def ipv4(source, destination, identification, offset, more, payload):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification & 0xffff,
                       (0x2000 if more else 0) | offset // 8, 64, UDP, 0, source.packed, destination.packed) + payload


def ipv6(source, destination, identification, offset, more, payload):
    header = struct.pack(">IHBB16s16s", 6 << 28, 8 + len(payload), 44, 64, source.packed, destination.packed)
    return header + struct.pack(">BBHI", UDP, 0, offset | more, identification) + payload


def ethernet(packet, vlan):
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return bytes(12) + (struct.pack(">HH", 0x8100, vlan) if vlan else b"") + kind + packet


class Datagram:
    """A UDP datagram of one of a few flows, in two to six fragments."""

    def __init__(self, rng, identification):
        six = rng.random() < 0.4
        net = "2001:db8::" if six else "10.0.0."
        self.ends = tuple(ipaddress.ip_address(net + str(rng.randint(1, 3))) for _ in range(2))
        self.ports, self.vlan = (rng.choice((1000, 2000)), rng.choice((53, 2049))), rng.choice((0, 0, 0, 7))
        octets = struct.pack(">4H", *self.ports, 0, 0) + bytes(rng.randrange(8, 400))
        cuts = sorted({0, *(8 * rng.randint(1, len(octets) // 8) for _ in range(rng.randint(1, 5)))})
        pieces = [(at, octets[at:end]) for at, end in zip(cuts, cuts[1:] + [len(octets)]) if octets[at:end]]
        self.fragments = [(ipv6 if six else ipv4)(*self.ends, identification, at, at + len(piece) < len(octets), piece)
                          for at, piece in pieces]


def frames_of(rng, datagrams, identification_of, apart, jitter):
    """→ (frames in order of time, packets and octets by flow). Ports of what has no first fragment are 0."""
    sent, known = [], collections.Counter()
    for number in range(datagrams):
        datagram = Datagram(rng, identification_of(number))
        kept = [packet for packet in datagram.fragments if rng.random() < 0.95]
        whole = datagram.fragments[:1] == kept[:1] or len(datagram.fragments) == 1
        for packet in kept + [packet for packet in kept if rng.random() < 0.05]:
            at = START + number * apart + rng.randrange(jitter)
            sent.append(Frame(ETHERNET, at // 1000 * 1000, ethernet(packet, datagram.vlan), 0))
            flow = *map(str, datagram.ends), datagram.vlan, datagram.ports if whole else (0, 0)
            known[flow] += 1
            known[flow, "octets"] += len(packet)
    sent.sort(key=lambda frame: frame.stamp)
    return [Frame(f.link, f.stamp, f.octets, len(f.octets)) for f in sent], known


def metered(records):
    sums = collections.Counter()
    for (source, destination, _, vlan, _, ports), sides in ((key[0], sides) for key, sides in records.items()):
        sums[source, destination, vlan, ports] += sides[0].packets
        sums[(source, destination, vlan, ports), "octets"] += sides[0].octets
    return sums


def agrees_with_tshark(capture):
    seen = tshark.packets(capture)
    for options in ((), BIFLOW):
        found = reckoning.differences(reckoning.reckon(seen, bool(options)),
                                      reckoning.exported(flows(replay(capture, *ENDLESS, *options)[1])))
        assert not found, found


def same_with_any_number_of_workers(capture):
    for options in ((), BIFLOW, ENDLESS):
        made = set()
        for workers in WORKERS:
            summary, ipfix = replay(capture, *options, "--workers", workers)
            ledger_closes(summary)
            made.add((str(summary["notes"]), str(summary["fragments"]), str(sorted(map(repr, flows(ipfix))))))
        assert len(made) == 1, "other records, or other notes, with another number of workers"


with tempfile.TemporaryDirectory() as folder:
    rng = random.Random(8200)
    orderly, known = frames_of(rng, 1500, lambda number: number + 1, apart=2 * MILLISECOND, jitter=300 * MILLISECOND)
    once = write_pcap(pathlib.Path(folder) / "once.pcap", orderly)
    with check("fragments in any order within a second are counted as their maker knows"):
        summary, ipfix = replay(once, *ENDLESS)
        assert metered(reckoning.exported(flows(ipfix))) == known
        ports_0 = sum(count for flow, count in known.items() if flow[-1] == (0, 0))
        assert summary["notes"]["fragment_without_first"] == ports_0 > 0, (summary["notes"], ports_0)
        assert summary["fragments"]["joined"] == summary["notes"]["fragment_later"] - ports_0
        assert summary["fragments"]["waiting"]["packets"] == 0
    with check("fragments are a flow of their own where they are not tracked"):
        summary, ipfix = replay(once, *ENDLESS, *SEPARATE)
        ports_0 = sum(count for flow, count in metered(reckoning.exported(flows(ipfix))).items() if flow[-1] == (0, 0))
        assert ports_0 == summary["notes"]["fragment_later"] > 1000, (ports_0, summary["notes"])
        assert summary["fragments"]["joined"] == summary["notes"]["fragment_without_first"] == 0

    reused, _ = frames_of(rng, 3000, lambda number: rng.randrange(12), apart=30 * MILLISECOND,
                          jitter=2500 * MILLISECOND)
    again = write_pcap(pathlib.Path(folder) / "again.pcap", reused)
    for name, capture in (("once", once), ("used again and again", again)):
        with check(f"identifications {name}: records agree with tshark"):
            agrees_with_tshark(capture)
        with check(f"identifications {name}: same records with any number of workers"):
            same_with_any_number_of_workers(capture)
finish()
