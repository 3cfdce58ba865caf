# SPDX-License-Identifier: BSD-3-Clause
"""Packets → flows, slowly: what weir must say of them when timeouts are as far out of the way as they go (ten years of
the packet clock, which some captures leap over) and no close ends a flow."""
import datetime
import ipaddress
from dataclasses import dataclass, replace

from support.tshark import ICMP, Seen

ECHO_REQUESTS = {(4, 0): 8, (6, 129): 128}  # (IP version, reply's type) → request's
TIMEOUT_LONGEST = 315_360_000 * 10**9  # nanoseconds
FRAGMENT_WAIT, FIRST_KNOWN = 10**9, 15 * 10**9  # nanoseconds
COUNTED = ("packets", "octets", "start", "end", "flags", "tos", "ttl_least", "ttl_most", "interface")


@dataclass
class Side:
    """One direction of a flow. Times are milliseconds."""

    packets: int = 0
    octets: int = 0
    start: int = 0
    end: int = 0
    flags: int = 0
    tos: int = 0
    ttl_least: int = 0
    ttl_most: int = 0
    interface: int = 0

    def add(self, seen, stamp):
        at = stamp // 10**6
        first = self.packets == 0
        self.packets += 1
        self.octets += seen.octets
        self.start = at if first else min(self.start, at)
        self.end = at if first else max(self.end, at)
        self.flags |= seen.flags
        self.tos = seen.tos if first else self.tos
        self.ttl_least = seen.ttl if first else min(self.ttl_least, seen.ttl)
        self.ttl_most = seen.ttl if first else max(self.ttl_most, seen.ttl)
        self.interface = (0 if seen.interface is None else seen.interface + 1) if first else self.interface


def key_of(seen):
    return seen.source, seen.destination, seen.protocol, seen.vlan, seen.is_icmp, seen.ends


def biflow_key_of(seen):
    """The same for both directions."""
    if seen.is_icmp:
        kind, code = seen.ends
        ends = frozenset((seen.source, seen.destination))
        return ends, seen.ip, seen.protocol, seen.vlan, (ECHO_REQUESTS.get((seen.ip, kind), kind), code)
    ends = frozenset(((seen.source, seen.ends[0]), (seen.destination, seen.ends[1])))
    return ends, seen.ip, seen.protocol, seen.vlan


@dataclass
class Flow:
    """An open record: its first packet, the clock at its last one, and its two sides."""

    first: Seen
    clock_last: int
    sides: list

    def is_forward(self, seen):
        if seen.source != seen.destination and seen.is_icmp:
            return seen.source == self.first.source
        return (seen.source, seen.ends) == (self.first.source, self.first.ends)


def arrivals(packets):
    """→ (packet, stamp, clock) of each that is metered."""
    clock = 0
    for seen in packets:
        stamp = clock if seen.stamp is None else seen.stamp
        clock = max(clock, stamp)
        if seen.ip is not None and seen.ends is not None:
            yield seen, stamp, clock


def datagram_of(seen):
    """RFC 791 §3.2, RFC 8200 §4.5."""
    return seen.source, seen.destination, seen.vlan, seen.identification, seen.protocol if seen.ip == 4 else None


def put_together(arriving):
    """The same with each later fragment as one of its first one's flow, behind which it waits if need be; where that
    does not come in time, as it is."""
    firsts, held = {}, []

    def completed(later, first):
        return replace(later, ends=first.ends, protocol=first.protocol, is_icmp=first.is_icmp)

    for seen, stamp, clock in arriving:
        while held and held[0][2] + FRAGMENT_WAIT <= clock:
            late, its_stamp, its_clock = held.pop(0)
            yield late, its_stamp, its_clock + FRAGMENT_WAIT
        datagram = datagram_of(seen)
        if seen.fragment == "later":
            first, known_since = firsts.get(datagram, (None, 0))
            if first is None or clock - known_since >= FIRST_KNOWN:
                held.append((seen, stamp, clock))
            else:
                yield completed(seen, first), stamp, clock
            continue
        yield seen, stamp, clock
        if seen.fragment == "first":
            firsts[datagram] = seen, clock
            waiting = [item for item in held if datagram_of(item[0]) == datagram]
            held = [item for item in held if datagram_of(item[0]) != datagram]
            for later, its_stamp, _ in waiting:
                yield completed(later, seen), its_stamp, clock
    last = clock if held else 0
    for late, its_stamp, its_clock in held:
        yield late, its_stamp, min(its_clock + FRAGMENT_WAIT, last)


def reckon(packets, biflow):
    """→ {(key of the first packet, how many records had it before): [forward side, reverse side]}."""
    records, live = {}, {}
    for seen, stamp, clock in put_together(arrivals(packets)):
        key = biflow_key_of(seen) if biflow else key_of(seen)
        if key not in live or clock - live[key].clock_last >= TIMEOUT_LONGEST:
            live[key] = Flow(seen, clock, [Side(), Side()])
            put(records, key_of(seen), live[key].sides)
        live[key].clock_last = clock
        live[key].sides[0 if live[key].is_forward(seen) else 1].add(seen, stamp)
    return records


def put(records, key, sides):
    records[key, sum(other == key for other, _ in records)] = sides


NAMES = {"packets": "packetDeltaCount", "octets": "octetDeltaCount", "start": "flowStartMilliseconds",
         "end": "flowEndMilliseconds", "flags": "tcpControlBits", "tos": "ipClassOfService", "ttl_least": "minimumTTL",
         "ttl_most": "maximumTTL", "interface": "ingressInterface"}


def side_of(record, reverse):
    def name(element):
        return "reverse" + element[0].upper() + element[1:] if reverse else element

    values = {word: record.get(name(element), 0) for word, element in NAMES.items()}
    return Side(**{word: milliseconds(value) if word in ("start", "end") else value for word, value in values.items()})


def milliseconds(value):
    """Since 1970, from a number of them or from a text in UTC."""
    if isinstance(value, int):
        return value
    moment = datetime.datetime.fromisoformat(value.replace("Z", ""))
    moment = moment.replace(tzinfo=datetime.timezone.utc)
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000


def record_key(record):
    version = 4 if "sourceIPv4Address" in record else 6
    source, destination = (str(ipaddress.ip_address(record[f"{end}IPv{version}Address"]))
                           for end in ("source", "destination"))
    protocol = record["protocolIdentifier"]
    is_icmp = protocol == (ICMP if version == 4 else 58)
    ends = (divmod(record[f"icmpTypeCodeIPv{version}"], 256) if is_icmp else
            (record["sourceTransportPort"], record["destinationTransportPort"]))
    return source, destination, protocol, record["vlanId"], is_icmp, ends


def exported(records):
    """Flow records of weir → the same shape as reckon()."""
    flows = {}
    for record in records:
        put(flows, record_key(record), [side_of(record, False), side_of(record, True)])
    return flows


def text(numbered_key):
    (source, destination, protocol, vlan, is_icmp, ends), before = numbered_key
    what = f"type {ends[0]} code {ends[1]}" if is_icmp else f"{ends[0]} > {ends[1]}"
    return (f"{source} > {destination} protocol {protocol} {what}" + (f" vlan {vlan}" if vlan else "") +
            (f", record {before + 1}" if before else ""))


def forget_interfaces(*sets):
    for flows in sets:
        for side in (side for sides in flows.values() for side in sides):
            side.interface = 0


def differences(expected, got):
    """One line a flow that is not the same in both: {flow as text: what differs}."""
    found = {}
    for key in expected.keys() | got.keys():
        if key not in got:
            found[text(key)] = f"tshark alone: {expected[key][0].packets} packets"
        elif key not in expected:
            found[text(key)] = f"weir alone: {got[key][0].packets} packets"
        elif expected[key] != got[key]:
            found[text(key)] = "; ".join(
                f"{way}{word}: tshark {getattr(mine, word)}, weir {getattr(its, word)}"
                for way, mine, its in zip(("", "reverse "), expected[key], got[key])
                for word in COUNTED if getattr(mine, word) != getattr(its, word))
    return found
