# SPDX-License-Identifier: BSD-3-Clause
"""Templates made at random of all elements that weir has, over many captures: tshark finds the same templates and
records as weir dump does, and in each field of each record the same value; and it is the value that the same flow has
in a template of all elements."""
import calendar
import ipaddress
import json
import os
import random
import re
import shlex
import tempfile
import time
import xml.etree.ElementTree as xml
from collections import defaultdict

from support import tshark
from support.weir_cli import BIFLOW, all_captures, check, dump, each, finish, replay, weir

ROUNDS, FIELDS_MAX, CAPTURES_MAX, CAPTURE_OCTETS_MAX = 40, 50, 8, 300_000
SEED = int(os.environ.get("SEED", 1))
REDUCED = {"unsigned16": 2, "unsigned32": 4, "unsigned64": 8}
ONLY_BIFLOW = ("biflowDirection", "reverseFlowDelta", "handshake", "tcpMssRev")
# tshark reads these in their whole length, whatever the template says.
TSHARK_REDUCES_NOT = re.compile("flowDuration|icmpTypeCodeIPv6|Port$", re.IGNORECASE)
# A record ends before such a sum outgrows its field. In fewer octets than these there would be other records.
SUMS = {"Squares": 8, "Count": 3}
OF_ONE_VERSION = {"ipv4": re.compile(r"(?!outer|reverseOuter).*ipv4|.*igmp", re.IGNORECASE),
                  "ipv6": re.compile(r"(?!outer|reverseOuter).*ipv6", re.IGNORECASE)}
# Some of these, in this order; the last one is for every flow.
SELECTORS = ("ipv4 tcp", "tcp", "ipv6 udp", "udp", "icmp icmpv6", "ipv4 2 47", "ipv6 50", "all")
ELEMENTS = [json.loads(line) for line in weir("elements", "--json").stdout.splitlines()]
TYPES = {element["name"]: element["type"] for element in ELEMENTS}
REVERSED = {"reverse" + name[0].upper() + name[1:]: TYPES[name] for name in
            (element["name"] for element in ELEMENTS if element["reverse"])}
OPTIONS_FIRST, VARIABLE = 512, 0xFFFF
# How tshark shows numbers; but for some it shows octets.
NUMBER, AS_OCTETS = re.compile(r"\d+|0x[0-9a-f]+"), re.compile("enterprise|unknown|option_map")
# Nanoseconds that two readers of one NTP time may be apart.
STEPS = {"dateTimeSeconds": 0, "dateTimeMilliseconds": 0, "dateTimeNanoseconds": 1, "dateTimeMicroseconds": 1000}


def fields_of(chance, version, biflow):
    """Their texts, packetDeltaCount among them: something that each flow has."""
    other = OF_ONE_VERSION.get({"ipv4": "ipv6", "ipv6": "ipv4"}.get(version), re.compile("$^"))
    fitting = [name for name in (TYPES | REVERSED if biflow else TYPES) if not other.match(name)
               and (biflow or not name.startswith(ONLY_BIFLOW)) and name != "packetDeltaCount"]
    fields = chance.sample(fitting, chance.randint(1, FIELDS_MAX)) + ["packetDeltaCount"]
    chance.shuffle(fields)
    for name in fields:
        octets = REDUCED.get(type_of(name))
        reduced = octets and not TSHARK_REDUCES_NOT.search(name) and chance.random() < 0.3
        least = next((least for pattern, least in SUMS.items() if re.search(pattern, name)), 1)
        yield f"{name}[{chance.randint(min(least, octets), octets)}]" if reduced else name


def type_of(name):
    return TYPES.get(name) or REVERSED.get(name, "unsigned64")


def settings(chance):
    """→ (how flows are metered, how they are told)."""
    biflow = chance.random() < 0.5
    metered = ["--set", "flow.payload_octets=16", "--set", f"decode.tunnels={chance.choice(('outer', 'inner'))}",
               *(BIFLOW if biflow else ())]
    told = ["--set", f"export.message_octets={chance.choice((1400, 9000, 65535))}",
            "--set", f"export.common_properties={chance.choice(('off', 'on'))}"]
    for selector in [one for one in SELECTORS[:-1] if chance.random() < 0.3] + [SELECTORS[-1]]:
        fields = fields_of(chance, selector.split()[0], biflow)
        told += ["--set", f"export.templates={selector} = {' '.join(fields)}"]
    return metered, told


def by_weir(octets):
    """→ (fields by template, each (name, enterprise, id, octets); values of the records by template)."""
    templates, records = {}, defaultdict(list)
    for line in dump(octets, "--templates").splitlines():
        number = int(re.search(r" template (\d+):", line)[1])
        templates[number] = [(name, int(pen), int(element), VARIABLE if length == "variable" else int(length))
                             for name, pen, element, length in re.findall(r"([\w/-]+)\((\d+)/(\d+)\)\[(\w+)\]", line)]
    for line in map(json.loads, dump(octets, "--json").splitlines()):
        if "@template" in line:
            records[line["@template"]].append([item for item in line.items() if not item[0].startswith("@")])
    return templates, records


def by_tshark(octets):
    """→ (fields by template, each (enterprise, id, octets); parts of the records by template)."""
    with tempfile.NamedTemporaryFile(suffix=".ipfix") as file:
        file.write(octets)
        file.flush()
        root = xml.fromstring(tshark.run("-o", "cflow.max_template_fields:0", "-r", file.name, "-T", "pdml"))
    wrong = [one.get("showname") for one in root.iter() if one.get("name") in ("_ws.malformed", "_ws.expert")]
    assert not wrong, wrong[:3]
    templates, records = {}, defaultdict(list)
    for one in root.iter("field"):
        if template := re.match(r"(?:Options )?Template \(Id = (\d+)", one.get("show")):
            fields = [{part.get("name"): part for part in field} for field in one]
            templates[int(template[1])] = [specifier(field) for field in fields
                                           if "cflow.template_field_length" in field]
        elif data := re.match(r"Set \d+ \[id=(\d+)\] \(\d+ flows\)", one.get("show")):
            records[int(data[1])] += [parts(flow) for flow in one if flow.get("show").startswith("Flow ")]
    return templates, records


def specifier(field):
    shown = {name: int(part.get("show")) for name, part in field.items() if name.startswith("cflow.template_")}
    number = next(value for name, value in shown.items() if "field_type" in name)
    return shown.get("cflow.template_ipfix_field_pen", 0), number, shown["cflow.template_field_length"]


def parts(flow):
    """What tshark finds in a record: (octets, what it shows) in the order in which they lie there, and the times. Those
    it shows in pairs, with the wrong octets and places; but their values are right."""
    found, times = [], []
    for one in flow.iter("field"):
        if match := re.match("cflow.abstime(start|end)", one.get("name")):
            times.append((match[1], nanoseconds(one.get("show"), "%b %d, %Y %H:%M:%S UTC")))
    for one in flow:
        if one.get("value") and "cflow.abstime" not in one.get("name"):
            octets = bytes.fromhex(one.get("unmaskedvalue") or one.get("value"))
            found.append((int(one.get("pos")), octets, "" if AS_OCTETS.search(one.get("name")) else one.get("show")))
    return [part[1:] for part in sorted(found)], times


def nanoseconds(text, form):
    """Since 1970."""
    part = re.search(r"\.(\d+)", text)
    seconds = calendar.timegm(time.strptime(text.replace(part[0], "") if part else text, form))
    return seconds * 10**9 + int(part[1].ljust(9, "0") if part else 0)


def value_of(kind, octets):
    """As weir dump prints it."""
    number = int.from_bytes(octets, "big")
    if kind == "boolean":
        return {1: True, 2: False}.get(number, number)
    if kind in ("ipv4Address", "ipv6Address"):
        return str(ipaddress.ip_address(octets))
    if kind == "macAddress":
        return octets.hex(":")
    if kind == "string":
        return octets.decode()
    return "0x" + octets.hex() if kind == "octetArray" else number


def no_time(name, value, times):
    """Takes the nearest off `times`; without one that is the same, says which there are."""
    end, ours = "start" if "Start" in name else "end", nanoseconds(value, "%Y-%m-%dT%H:%M:%SZ")
    apart, nearest = min(((abs(one[1] - ours), one) for one in times if one[0] == end), default=(None, None))
    if apart is None or apart > STEPS[type_of(name)]:
        return str(times)
    times.remove(nearest)


def no_value(kind, length, value, found):
    """Takes what lies in the field off `found`; where it is not the same, says what it is."""
    octets, shown = b"", ""
    while found and (length == VARIABLE and not octets and value not in ("", "0x") or
                     length != VARIABLE and len(octets) < length):
        more, shown = found.pop(0)
        octets += more
    if value != value_of(kind, octets):
        return octets.hex() or "nothing"
    whole = kind.startswith("unsigned") and len(more) == length and NUMBER.fullmatch(shown)
    return shown if whole and int(shown, 0) != value else None


def compare_record(fields, dumped, found, times):
    fields = [(name, type_of(name), length, value)
              for (name, _, _, length), value in zip(fields, dumped, strict=True)]
    for name, kind, length, value in fields:
        other = None if kind in STEPS else no_value(kind, length, value, found)
        assert not other, f"{name}[{length}] is {value}, tshark has {other}"
    for kind in STEPS:  # the most exact first, so that each finds its own
        for name, _, _, value in (field for field in fields if field[1] == kind):
            other = no_time(name, value, times)
            assert not other, f"{name} is {value}, tshark has {other}"
    assert not found and not times, f"tshark has {found} and {times} besides"


def compare(octets, wanted):
    templates, records = by_weir(octets)
    their_templates, their_records = by_tshark(octets)
    assert {number: [field[1:] for field in fields] for number, fields in templates.items()} == their_templates
    assert {number: len(some) for number, some in records.items()} == {
        number: len(some) for number, some in their_records.items()}
    announced = [field for fields in templates.values() for field in fields]
    missing = wanted - {field[0] for field in announced} - {f"{field[0]}[{field[3]}]" for field in announced}
    assert not missing, f"not announced: {missing}"
    for number in filter(lambda number: number < OPTIONS_FIRST, records):
        for dumped, found in zip(records[number], their_records[number]):
            compare_record(templates[number], [value for _, value in dumped], *found)


def compare_values(octets, whole):
    """With those that records of all elements in their whole length have."""
    templates = by_weir(octets)[0]
    read, expected = ([line for line in map(json.loads, dump(some, "--json").splitlines())
                       if line.get("@template", OPTIONS_FIRST) < OPTIONS_FIRST] for some in (octets, whole))
    assert len(read) == len(expected) > 0, f"{len(read)} records, not {len(expected)}"
    for ours, theirs in zip(read, expected):
        for name, _, _, length in templates[ours["@template"]]:
            value, expected_value = ours[name], theirs.get(name, ours[name])
            if type_of(name) in REDUCED:
                expected_value = min(expected_value, 256**length - 1)
            assert value == expected_value, f"{name}[{length}] is {value}, in a whole record {expected_value}"


def checks(seed):
    chance = random.Random(seed)
    metered, told = settings(chance)
    captures = chance.sample(CAPTURES, CAPTURES_MAX)
    texts = [option.split(" = ")[1] for option in told if " = " in option]
    with check(f"seed {seed}: {len(texts)} templates of random elements"):
        try:
            octets = replay(captures, *metered, *told)[1]
            compare(octets, set(" ".join(texts).split()))
            compare_values(octets, replay(captures, *metered, "--set", "export.templates=full payload")[1])
        except AssertionError as wrong:
            command = shlex.join(["replay", *map(str, captures), *metered, *told])
            raise AssertionError(f"{wrong}\n  weir {command}") from None


CAPTURES = [capture for capture in all_captures() if capture.stat().st_size < CAPTURE_OCTETS_MAX]
each(range(SEED, SEED + ROUNDS), checks)
finish()
