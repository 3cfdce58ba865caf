# SPDX-License-Identifier: BSD-3-Clause
"""Flow by flow, packets, octets, times, flags, TTLs, ToS and interface agree with what tshark's fields add up to.

Where the two read a capture differently, differences.tsv says flow by flow how and why. What is not there fails, and
what is there and does not differ any more fails, too.
"""
import csv
import pathlib

from support import reckoning, tshark
from support.weir_cli import BIFLOW, ENDLESS, SHARED, all_captures, check, each, finish, flows, replay

TABLE = pathlib.Path(__file__).with_name("differences.tsv")
DIRECTIONS = {"uniflow": (), "biflow": BIFLOW}


def known_differences():
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = {}
    for row in rows:
        assert row["why"], f"{TABLE.name}: {row['capture']}: no reason given"
        known.setdefault((row["capture"], row["direction"]), {})[row["flow"]] = row["difference"]
    return known


def agrees(capture, seen, direction, known):
    expected = reckoning.reckon(seen, direction == "biflow")
    got = reckoning.exported(flows(replay(capture, *ENDLESS, *DIRECTIONS[direction])[1]))
    if any(packet.interface is None for packet in seen):
        reckoning.forget_interfaces(expected, got)
    found = reckoning.differences(expected, got)
    new = [f"{flow}: {what}" for flow, what in sorted(found.items()) if known.get(flow) != what]
    gone = [f"{flow}: {what} (differs no more)" for flow, what in known.items() if flow not in found]
    assert not new and not gone, "\n  ".join(["", *new, *gone])


def checks(capture):
    seen = tshark.packets(capture)
    for direction in DIRECTIONS:
        with check(f"{capture.name}, {direction}: agrees with tshark"):
            agrees(capture, seen, direction, known.pop((capture.name, direction), {}))


known = known_differences()
each(all_captures(), checks)
if SHARED:
    with check("differences.tsv names captures that exist"):
        assert not known, sorted(known)
finish()
