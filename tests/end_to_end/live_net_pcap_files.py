# SPDX-License-Identifier: BSD-3-Clause
"""`weir run` on DPDK's net_pcap reads captures into the records of `weir replay`, from one queue, several, or ports."""
import pathlib
import tempfile

from support.frames import retimed, whole_ethernet, write_pcap
from support.live import (HEAP, comparable, meter, missed, queues, received, replayed, same_flows, splits,
                          whoever_came_first)
from support.weir_cli import BIFLOW, ROOT, SHARED, Skip, all_captures, check, each, finish, weir

UNUSABLE = 1
SMALL_TABLES = ("--set", "flow.capacity=65536")  # they cost less to begin with
WEB, ICMP, VLAN = (ROOT / "pcaps" / name for name in ("web.pcap", "icmp.pcap", "vlan.pcap"))
# libpcap, which net_pcap reads with, stops at an interface whose snapshot length is not that of the first.
NOT_FOR_LIBPCAP = "4in6-GrePackets.pcapng"


def files(number, *paths):
    return f"net_pcap{number}" + "".join(f",rx_pcap={path}" for path in paths)


def exact(record):
    """Stamps are those of the file: all is the same but what the port is called."""
    return tuple(sorted((name, str(value)) for name, value in record.items() if "ngressInterface" not in name))


def one_capture(path):
    with check(f"{path.name} through net_pcap makes replay's records"):
        packets, expected = replayed(path)
        summary, flows, _ = meter(files(0, path), *SMALL_TABLES)
        assert received(summary) == packets, f"{received(summary)} of {packets} packets were received"
        assert missed(summary) == 0, summary["ports"]
        same_flows(flows, expected, exact)


def split(frames, folder, parts, way):
    """Packet by packet in turn, or one piece after the other → files."""
    piece = -(-len(frames) // parts)
    pieces = ([frames[part::parts] for part in range(parts)] if way == "in turn" else
              [frames[part * piece:(part + 1) * piece] for part in range(parts)])
    return [write_pcap(pathlib.Path(folder, f"{part}.pcap"), some) for part, some in enumerate(pieces)]


def several_queues(path, way, queue_count, workers, direction):
    options = BIFLOW if direction == "biflow" else ()
    name = f"{path.name} over {queue_count} queues {way}, {workers} workers, {direction}: the records of one queue"
    with check(name), tempfile.TemporaryDirectory() as folder:
        frames = retimed(whole[path])
        whole_file = write_pcap(pathlib.Path(folder, "whole.pcap"), frames)
        packets, expected = replayed(whole_file, *options)
        summary, flows, lines = meter(files(0, *split(frames, folder, queue_count, way)), *SMALL_TABLES, *options,
                                      "--workers", workers)
        assert received(summary) == packets == len(frames) and missed(summary) == 0, summary
        same_flows(flows, expected, whoever_came_first)
        assert len(queues(summary)) == queue_count and all(queues(summary)), queues(summary)
        assert workers == 1 or any(f"over the {workers} workers in software" in line for line in lines), lines
        assert splits(summary) == 0, summary


def refused(path, *words):
    done = weir("run", files(0, path), *HEAP, "--out", "/dev/null", statuses=(UNUSABLE,), seconds=20)
    said = done.stderr.decode()
    assert len(said.splitlines()) == 1 and all(word in said for word in (path.name, *words)), said


whole = whole_ethernet(path for path in all_captures() if path.name != NOT_FOR_LIBPCAP)
each(whole, one_capture)

largest = sorted(whole, key=lambda path: -len(whole[path]))[:2]
for path in {*largest, WEB, ICMP}:
    for way in ("in turn", "in pieces"):
        for direction in ("uniflow", "biflow"):
            several_queues(path, way, 2, 2, direction)
several_queues(largest[0], "in turn", 3, 3, "biflow")
several_queues(largest[0], "in turn", 5, 2, "uniflow")
several_queues(largest[0], "in turn", 2, 1, "uniflow")
several_queues(largest[0], "in turn", 2, 4, "biflow")

with check("two ports at once make the records of both captures, each with its own ingressInterface"):
    packets, expected = replayed([WEB, VLAN])
    summary, flows, _ = meter(files(0, WEB), files(1, VLAN), *SMALL_TABLES, "--workers", "2")
    assert received(summary) == packets and missed(summary) == 0, summary
    same_flows(flows, expected, comparable)
    for interface, records in enumerate((len(replayed(capture)[1]) for capture in (WEB, VLAN)), 1):
        got = sum(flow["ingressInterface"] == interface for flow in flows)
        assert got == records, f"{got} records of port {interface}, not {records}"

with check("a capture with a second link type is refused, with the way out"):
    refused(ROOT / "pcaps/links.pcapng", "weir replay")
with check("a capture of another link type than Ethernet is refused, with its link type and the way out"):
    if not SHARED:
        raise Skip("WEIR_SHARED is not set")
    refused(SHARED / "pcaps/link-sll2-sll2.pcap", "LINUX_SLL2", "weir replay")
with check("a pcapng capture at which libpcap would stop half-way is refused, with the way out"):
    if not SHARED:
        raise Skip("WEIR_SHARED is not set")
    refused(SHARED / "pcaps" / NOT_FOR_LIBPCAP, "weir replay")
finish()
