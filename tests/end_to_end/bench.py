# SPDX-License-Identifier: BSD-3-Clause
"""`weir bench`: what it promises to programs, whether its books balance, and a plot that is well-formed. No speeds."""
import json
import pathlib
import tempfile
import xml.etree.ElementTree

from support.weir_cli import check, finish, weir

SMALL = ("--packets", "20000", "--rounds", "2", "--json")
STAGES = {"receive", "decode", "look_up", "account", "expire", "hand_over"}
USAGE, UNUSABLE = 2, 1
SVG = "{http://www.w3.org/2000/svg}"


def bench(*arguments):
    return json.loads(weir("bench", *SMALL, *arguments).stdout)


def figure(of):
    assert of["least"] <= of["median"] <= of["most"], of
    return of["median"]


def books_balance(result):
    """Packets and octets, from the terms alone."""
    assert (result["ledger"], result["records"], result["wrong"]) == ("closed", "right", ""), result
    out = sum(result[where]["packets"] for where in ("exported", "in_table", "not_handed_over"))
    assert result["metered"] == out, f"{result['metered']} packets metered, {out} accounted for"


for name, arguments in {
        "uniform": ("--flows", "1000"),
        "zipf, IMIX, IPv6, biflows": ("--flows", "5000", "--distribution", "zipf", "--sizes", "imix", "--ipv6", "0.3",
                                      "--answered", "0.8", "--biflow"),
        "long frames of IPv6": ("--flows", "300", "--sizes", "1518", "--ipv6", "1"),
        "a table too small": ("--flows", "9000", "--capacity", "4000"),
        "a new flow in ten packets": ("--flows", "4000", "--new", "0.1"),
        "new flows by the second": ("--flows", "4000", "--new-per-second", "5000", "--rate", "1e5", "--set",
                                    "flow.timeout_idle=1"),
        "a flood": ("--flows", "4000", "--flood"),
        "a key of its own": ("--flows", "1000", "--set", "flow.key=[sourceIPv4Address, destinationIPv4Address]"),
        "payload in records": ("--flows", "1000", "--set", "flow.payload_octets=16"),
        "two workers": ("--flows", "1000", "--workers", "2")}.items():
    with check(f"bench: {name}: stages, figures, and the ledger closes"):
        found = bench(*arguments)
        for result in found["results"]:
            books_balance(result)
            assert set(result["stages"]) == STAGES, result["stages"]
            whole = figure(result["ns"])
            parts = sum(figure(stage["ns"]) for stage in result["stages"].values())
            assert 0 < whole and whole / 2 < parts < 3 * whole, f"{whole} ns in all, {parts} by stage"
            assert figure(result["packets_per_second"]) > 0
            assert figure(result["memory"]["update_ns"]) > 0 and figure(result["memory"]["ratio"]) > 0
            counted = [stage["cycles"] is not None for stage in result["stages"].values()]
            assert all(counted) or (not any(counted) and found["events_trouble"]), found["events_trouble"]
        assert [result["workers"] for result in found["results"]] == ([1, 2] if "workers" in name else [1])

with check("bench: flows come and go at the rate that was asked for, and the table stays as full"):
    result = bench("--flows", "4000", "--new", "0.1")["results"][0]
    assert abs(result["ended"]["idle_timeout"] / result["packets"] - 0.1) < 0.02, result["ended"]
    assert abs(result["live"] - 4000) < 800, result["live"]
    assert figure(result["encode_ns_per_record"]) > 0
with check("bench: so many flows a second begin, and wait beside those that are alive"):
    result = bench("--flows", "4000", "--new-per-second", "1000", "--rate", "10000", "--set",
                   "flow.timeout_idle=2")["results"][0]
    assert abs(result["ended"]["idle_timeout"] / result["packets"] - 0.1) < 0.02, result["ended"]
    assert abs(result["live"] - 6000) < 1200, result["live"]
with check("bench: in a flood every packet evicts a flow, and is exported or counted"):
    result = bench("--flows", "4000", "--flood")["results"][0]
    assert result["ended"]["lack_of_resources"] > 0.99 * result["packets"], result["ended"]
    assert result["exported"]["records"] > 0
with check("bench: no flow of a steady stream ends"):
    result = bench("--flows", "1000")["results"][0]
    assert not any(result["ended"].values()) and result["live"] == 1000, result
with check("bench: links and the cores that they take"):
    found = bench("--flows", "1000")
    by_link = {(link["gigabits_per_second"], link["frames"]): link for link in found["links"]}
    assert len(by_link) == 18
    assert round(by_link[10, "64"]["packets_per_second"]) == 14_880_952
    assert round(by_link[100, "1518"]["packets_per_second"]) == 8_127_438
    ns = found["results"][0]["ns"]["median"]
    assert abs(by_link[100, "64"]["cores"] - by_link[100, "64"]["packets_per_second"] * ns / 1e9) < 1e-6
with check("bench: a person is told the same"):
    said = weir("bench", "--packets", "20000", "--rounds", "1", "--flows", "1000").stdout.decode()
    for words in ("ns a packet", "hand over", "ledger      closed", "400 Gbit/s", "records are right"):
        assert words in said, said

with tempfile.TemporaryDirectory() as folder:
    with check("bench: a sweep gives a table, and a plot of it"):
        plot = pathlib.Path(folder, "sweep.svg")
        found = bench("--sweep", plot, "--sweep-to", "16384")
        assert [result["flows"] for result in found["results"]] == [1024, 4096, 16384], found["results"]
        for result in found["results"]:
            books_balance(result)
        root = xml.etree.ElementTree.parse(plot).getroot()
        assert root.tag == SVG + "svg", root.tag
        texts = " ".join(text.text for text in root.iter(SVG + "text"))
        for words in ("flows", "ns a packet", "memory's bound", "1 k", "16 k"):
            assert words in texts, texts
        lines = [line.get("points").split() for line in root.iter(SVG + "polyline")]
        assert [len(line) for line in lines] == [3, 3, 3], lines
    with check("bench: a plot that cannot be written is known before anything is measured"):
        weir("bench", "--sweep", pathlib.Path(folder, "no", "such.svg"), statuses=(UNUSABLE,), seconds=20)

for arguments, words in {
        ("--flows", "0"): "--flows",
        ("--flows", "many"): "--flows",
        ("--distribution", "pareto"): "--distribution",
        ("--sizes", "65"): "--sizes",
        ("--ipv6", "1.5"): "--ipv6",
        ("--rounds", "0"): "--rounds",
        ("--workers", "65"): "--workers",
        ("--flows", "3", "--workers", "4"): "--flows 3",
        ("--flood", "--new", "0.5"): "--flood and --new",
        ("--flood", "--answered", "0.5"): "--flood and --answered",
        ("--new", "0.1", "--new-per-second", "1000"): "--new and --new-per-second",
        ("--new-per-second", "1000", "--rate", "10"): "--rate",
        ("--new-per-second", "1000", "--rate", "1e12"): "packets would go by",
        ("--sweep", ""): "--sweep",
        ("--sweep", "/tmp/x.svg", "--workers", "2"): "--sweep",
        ("--set", "flow.no_such=1"): "flow.no_such",
        ("--flows", "67108864", "--packets", "67108864", "--workers", "64"): "of memory",
        ("capture.pcap",): "capture.pcap"}.items():
    with check("refused: weir bench " + " ".join(arguments)):
        done = weir("bench", *arguments, statuses=(USAGE,), seconds=20)
        assert words in done.stderr.decode(), done.stderr.decode()

finish()
