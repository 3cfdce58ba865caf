# SPDX-License-Identifier: BSD-3-Clause
"""Sampling (RFC 5475): the packets that weir selects are those that Python picks, the ledger has the others, and the
options records (RFC 5476) say what was done."""
import io
import pathlib
import random
import struct
import tempfile
from collections import Counter

import ipfix.ie
import ipfix.reader

from support.weir_cli import (ENDLESS, ROOT, WORKERS, check, dump, finish, flows, ledger_closes, records, replay,
                              weir)

PACKETS, USAGE = 20_000, 2
ETHERNET = 14
WORD = 0xFFFFFFFF
MODULUS = 1 << 32


def settings(**given):
    return [word for name, value in given.items() for word in ("--set", f"sampling.{name}={value}")]


def frame(chance, number):
    """UDP, over IPv4 or IPv6; every tenth is ARP."""
    payload = chance.randbytes(chance.randrange(60))
    udp = struct.pack("!HHHH", 1024 + chance.randrange(20), 53, 8 + len(payload), 0) + payload
    if number % 10 == 9:
        return bytes(12) + b"\x08\x06" + bytes(28)
    if chance.random() < 0.5:
        return bytes(12) + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + bytes(15) + b"\1" + bytes(
            15) + b"\2" + udp
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), chance.randrange(65536), 0, 64, 17, 0, b"\n\0\0\1",
                     b"\n\0\0\2")
    return bytes(12) + b"\x08\0" + ip + udp + bytes(max(0, 18 - len(udp)))


def capture(frames):
    """Each frame with the millisecond at which it came: what is left out leaves the others' times alone."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(
        struct.pack("<IIII", 1_700_000_000 + at // 1000, at % 1000 * 1000, len(octets), len(octets)) + octets
        for at, octets in frames)


def metered(octets, *options):
    """→ (summary, flows as a multiset) of a capture's octets."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "capture.pcap")
        path.write_bytes(octets)
        summary, messages = replay(path, *ENDLESS, *options)
    ledger_closes(summary)
    return summary, Counter(map(str, flows(messages))), messages


def bob(key, initialiser):
    """RFC 5475 appendix A.2, once more."""
    a = b = 0x9E3779B9
    c = initialiser
    octets = len(key)
    while True:
        last = len(key) < 12
        if last:  # the ninth octet of the last block is the length's
            key, c = key[:8].ljust(8, b"\0") + b"\0" + key[8:].ljust(3, b"\0"), c + octets
        words = struct.unpack("<III", key[:12])
        a, b, c = (a + words[0]) & WORD, (b + words[1]) & WORD, (c + words[2]) & WORD
        for first, second, third in ((13, 8, 13), (12, 16, 5), (3, 10, 15)):
            a = (a - b - c) & WORD ^ c >> first
            b = (b - c - a) & WORD ^ a << second & WORD
            c = (c - a - b) & WORD ^ b >> third
        if last:
            return c
        key = key[12:]


def hashed(octets, offset, size):
    """What goes into the hash, or None for a frame that has no IP."""
    kind, ip = octets[12:14], octets[ETHERNET:]
    if kind == b"\x08\0":
        payload = ip[20:int.from_bytes(ip[2:4], "big")]
        return ip[4:8] + ip[12:20] + payload[offset:offset + size]
    if kind == b"\x86\xdd":
        return ip[4:7] + ip[8:40] + ip[40:][offset:offset + size]
    return None


chance = random.Random(1)
frames = [(number, frame(chance, number)) for number in range(PACKETS)]
whole = capture(frames)


def same_as_thinned(chosen, **given):
    """Sampling the whole gives what metering the chosen gives; the others are not_selected. Returns the messages."""
    summary, got, messages = metered(whole, *settings(**given))
    _, wanted, _ = metered(capture(chosen))
    assert got == wanted, f"{sum(got.values())} records, not {sum(wanted.values())}"
    left_out = summary["outcomes"]["not_selected"]["packets"]
    assert left_out == PACKETS - len(chosen), f"{left_out} are not selected, not {PACKETS - len(chosen)}"
    return messages


with check("1 in 10 by position meters what a capture thinned by Python has"):
    same_as_thinned(frames[::10], method="systematic", interval=1, space=9)
with check("3 in a row of 7 by position"):
    same_as_thinned([one for one in frames if one[0] % 7 < 3], method="systematic", interval=3, space=4)
with check("by hash, what a capture thinned by BOB in Python has, without what is not IP"):
    same_as_thinned([one for one in frames
                     if (key := hashed(one[1], 2, 20)) is not None and bob(key, 7) <= MODULUS // 3 - 1],
                    method="hash", hash_one_in=3, hash_initialiser=7, hash_payload_offset=2, hash_payload_octets=20)
with check("by hash the same packets are selected further on, with fewer hops, another class and checksum"):
    def elsewhere(octets):
        changed = bytearray(octets)
        if octets[12:14] == b"\x08\0":
            changed[ETHERNET + 1], changed[ETHERNET + 8], changed[ETHERNET + 10] = 0xB8, 3, 0xAA
        return bytes(changed)

    def without_hops(octets):
        return Counter((record["flowStartMilliseconds"], record["sourceTransportPort"], record["packetDeltaCount"],
                        record["octetDeltaCount"]) for record in flows(octets))

    here, there = (metered(capture(some), *settings(method="hash", hash_one_in=3))[2]
                   for some in (frames, [(at, elsewhere(octets)) for at, octets in frames]))
    assert without_hops(here) == without_hops(there)
with check("at random exactly 3 of every 25, other ones by another seed, the same by the same"):
    given = settings(method="random", size=3, population=25)
    summary, got, messages = metered(whole, *given)
    assert summary["outcomes"]["not_selected"]["packets"] == PACKETS * 22 // 25
    assert metered(whole, *given)[2] == messages
    assert metered(whole, *given, *settings(seed=9))[1] != got

for method in ("systematic", "random", "hash"):
    with check(f"{method}: the same records with any number of workers, and the ledger closes"):
        given = settings(method=method, space=2, population=3, hash_one_in=3)
        seen = []
        for workers in WORKERS:
            summary, got, messages = metered(whole, *given, "--workers", workers)
            assert 0 < summary["outcomes"]["not_selected"]["packets"] < PACKETS
            seen.append((summary["outcomes"], got))
        assert all(one == seen[0] for one in seen), "records or outcomes differ"
        assert metered(whole, *given, "--workers", workers)[2] == messages, "octets differ from run to run"

with check("sampling comes before the filter"):
    summary, _, _ = metered(whole, *settings(method="systematic", space=9), "--filter", "ip6")
    outcomes = summary["outcomes"]
    assert outcomes["not_selected"]["packets"] == PACKETS * 9 // 10, outcomes
    assert outcomes["filtered"]["packets"] + summary["metered"]["packets"] == PACKETS // 10, outcomes

SELECTORS = {
    "systematic": (dict(interval=2, space=3),
                   {"selectorAlgorithm": 1, "samplingPacketInterval": 2, "samplingPacketSpace": 3}),
    "random": (dict(size=2, population=5), {"selectorAlgorithm": 3, "samplingSize": 2, "samplingPopulation": 5}),
    "hash": (dict(hash_one_in=4), {"selectorAlgorithm": 6, "hashIPPayloadOffset": 0, "hashIPPayloadSize": 16,
                                   "hashOutputRangeMin": 0, "hashOutputRangeMax": WORD, "hashSelectedRangeMin": 0,
                                   "hashSelectedRangeMax": MODULUS // 4 - 1, "hashDigestOutput": False}),
}


def option_records(all_records, element):
    return [record for record in all_records if element in record]


def tells_of(all_records, selector, summary):
    (told,) = option_records(all_records, "selectorAlgorithm")
    assert {name: told[name] for name in told if name != "selectorId"} == selector, told
    (sequence,) = [record for record in option_records(all_records, "selectionSequenceId") if "selectorId" in record]
    assert sequence == {"selectionSequenceId": 1, "ingressInterface": 0, "selectorId": told["selectorId"]}, sequence
    counts = option_records(all_records, "selectorIdTotalPktsObserved")[-1]
    left_out = summary["outcomes"]["not_selected"]["packets"]
    assert counts == {"selectionSequenceId": 1, "selectorIdTotalPktsObserved": PACKETS,
                      "selectorIdTotalPktsSelected": PACKETS - left_out}, counts


ipfix.ie.use_iana_default()
for specification in ("minimumTTL(52)<unsigned8>[1]", "maximumTTL(53)<unsigned8>[1]",
                      "icmpTypeCodeIPv6(139)<unsigned16>[2]"):
    ipfix.ie.for_spec(specification)
for method, (given, selector) in SELECTORS.items():
    summary, _, messages = metered(whole, *settings(method=method, **given))
    with check(f"{method}: weir dump reads selector, sequence and counts"):
        tells_of(records(messages), selector, summary)
    with check(f"{method}: python3-ipfix reads selector, sequence and counts"):
        read = ipfix.reader.from_stream(io.BytesIO(messages)).namedict_iterator()
        tells_of(list(read), selector, summary)
with check("without sampling no template speaks of it but the selector of every packet"):
    _, _, messages = metered(whole)
    assert len(dump(messages, "--templates").splitlines()) == 8
    (told,) = option_records(records(messages), "selectorAlgorithm")
    assert told == {"selectorId": 1, "selectorAlgorithm": 1, "samplingPacketInterval": 1, "samplingPacketSpace": 0}

for given, word in ((dict(size=6, population=5), "sampling.population"), (dict(interval=0), "sampling.interval"),
                    (dict(hash_one_in=0), "sampling.hash_one_in"), (dict(method="often"), "sampling.method")):
    with check(f"refused: {given}"):
        done = weir("replay", ROOT / "pcaps/web.pcap", *settings(**given), statuses=(USAGE,))
        assert word in done.stderr.decode(), done.stderr.decode()
finish()
