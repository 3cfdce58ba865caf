# SPDX-License-Identifier: BSD-3-Clause
"""On a NIC bound to vfio-pci, in a small VM: RSS brings both directions of each flow to one of two workers, and the
records are those of `weir replay`; live.rebalance moves a part of it, and the flows that this splits are counted."""
import contextlib
import pathlib
import re
import tempfile
import time

from support import nic_vm
from support.frames import ETHERNET, Frame, frames_of, retimed, write_pcap
from support.live import NOT_COMPARED, comparable, missed, need_root, queues, received, replayed, same_flows, splits
from support.weir_cli import BIFLOW, ROOT, check, finish

FLOWS = 200
BESIDE = ("web.pcap", "dns.pcap", "icmp.pcap", "fragments.pcap", "ipv6_extensions.pcap", "vlan.pcap")
TWO_WORKERS = ("--set", "live.workers=2", "--set", "live.worker_cpus=0,1")
KEY = 0x6d5a6d5a6d5a  # the beginning of the one that both directions of a flow hash alike with
# Of the redirection table, whose even entries are queue 0's.
ENTRIES, HEAVY, FLOWS_OF_ENTRY = 128, (0, 2, 4, 6, 8, 10), 10
MOVES, PATIENCE = 2, 60.0
SINK = bytes([10, 2, 0, 1])

def checksum(octets):
    words = sum(int.from_bytes(octets[at:at + 2], "big") for at in range(0, len(octets), 2))
    while words >> 16:
        words = (words & 0xffff) + (words >> 16)
    return ~words & 0xffff


def conversation(number):
    """Four packets, two each way: TCP or UDP, IPv4 or IPv6. The NIC looks at no checksum but IPv4's."""
    version, protocol = (4, 6)[number % 2], (6, 17)[number // 2 % 2]
    ends = (number.to_bytes(2, "big"), (number % 7).to_bytes(2, "big"))
    if version == 4:
        ends = tuple(bytes([10, side]) + end for side, end in enumerate(ends))
    else:
        ends = tuple(bytes.fromhex("20010db8") + bytes(9) + bytes([side]) + end for side, end in enumerate(ends))
    ports = ((20_000 + number).to_bytes(2, "big"), (80).to_bytes(2, "big"))
    for way in (0, 1, 0, 1):
        yield frame(version, protocol, ends[way], ends[1 - way], ports[way], ports[1 - way])


def frame(version, protocol, source, destination, source_port, destination_port):
    transport = source_port + destination_port
    transport += (bytes(8) + bytes([0x50, 0x10]) + bytes(6)) if protocol == 6 else bytes([0, 28]) + bytes(22)
    if version == 4:
        head = bytes([0x45, 0]) + (20 + len(transport)).to_bytes(2, "big") + bytes(4) + bytes([64, protocol])
        addresses = source + destination
        ip = head + checksum(head + addresses).to_bytes(2, "big") + addresses
    else:
        ip = bytes([0x60, 0, 0, 0]) + len(transport).to_bytes(2, "big") + bytes([protocol, 64]) + source + destination
    ethernet = bytes.fromhex("525400000001" "020000000001") + (b"\x08\x00" if version == 4 else b"\x86\xdd")
    octets = (ethernet + ip + transport).ljust(60, b"\0")
    return Frame(ETHERNET, 0, octets, len(octets))


def traffic():
    """Conversations side by side, packet by packet in turn, and captures with what else there is."""
    conversations = [list(conversation(number)) for number in range(FLOWS)]
    frames = [some[turn] for turn in range(4) for some in conversations]
    for name in BESIDE:
        frames += frames_of(ROOT / "pcaps" / name)
    return retimed(frames)


def rss_entry(addresses):
    """Where a packet with these leads: Toeplitz. As the key is the same 16 bits again and again, what counts is the
    exclusive or of all 16-bit words."""
    folded = 0
    for at in range(0, len(addresses), 2):
        folded ^= int.from_bytes(addresses[at:at + 2], "big")
    value = 0
    for bit in range(16):
        if folded >> (15 - bit) & 1:
            value ^= KEY >> (16 - bit) & 0xffffffff
    return value % ENTRIES


def lopsided():
    """→ {source address: entry}: flows for a few entries, all of one queue."""
    sources = [bytes([10, 1]) + number.to_bytes(2, "big") for number in range(1, 1 << 13)]
    by_entry = {entry: [source for source in sources if rss_entry(source + SINK) == entry] for entry in HEAVY}
    return {source: entry for entry, some in by_entry.items() for source in some[:FLOWS_OF_ENTRY]}


def lopsided_traffic(said):
    """Round and round, until entries have moved, and once more."""
    frames = [frame(4, 17, source, SINK, b"\x10\x00", b"\x00\x50") for source in lopsided()]
    end = time.monotonic() + PATIENCE
    while len(moves(said())) < MOVES and time.monotonic() < end:
        yield from frames
    yield from frames


def moves(said):
    return re.findall(r"entry (\d+) of the redirection table moved from worker (\d+) to (\d+)", said)


def sums(records):
    """→ {key: [records, packets, octets]}."""
    found = {}
    for record in records:
        key = tuple(sorted((name, str(value)) for name, value in record.items() if name not in NOT_COMPARED and
                           "Milliseconds" not in name and "DeltaCount" not in name))
        of_key = found.setdefault(key, [0, 0, 0])
        for place, more in enumerate((1, record["packetDeltaCount"], record["octetDeltaCount"])):
            of_key[place] += more
    return found


def all_received(program, folder, *options):
    """→ replay's records of what was sent."""
    packets, expected = replayed(write_pcap(pathlib.Path(folder, "sent.pcap"), retimed(program.sent)), *options)
    summary = program.summary
    assert received(summary) == packets == len(program.sent), (received(summary), packets, summary["ports"])
    assert missed(summary) == 0, summary["ports"]
    assert summary["ports"][0]["driver"] == "net_virtio" and len(queues(summary)) == 2, summary["ports"]
    assert "RSS spreads packets over 2 workers" in program.said, program.said
    return expected


exact = nic_vm.Program("exact", lambda said: traffic(), *BIFLOW, *TWO_WORKERS)
rebalanced = nic_vm.Program("rebalanced", lopsided_traffic, *TWO_WORKERS, "--set", "live.rebalance=0.3")
with contextlib.ExitStack() as stack:
    share = stack.enter_context(tempfile.TemporaryDirectory())
    ran = []
    with check("two programs run in a VM, on a NIC bound to vfio-pci with 2 queues and RSS"):
        need_root()
        driver = nic_vm.run(nic_vm.set_up(), share, 2, [exact, rebalanced])
        assert driver == "vfio-pci", driver
        ran = [exact, rebalanced]
    if ran:
        with check("RSS, 2 workers: replay's records, both directions of each flow met"):
            expected = all_received(exact, share, *BIFLOW)
            summary = exact.summary
            assert min(queues(summary)) > len(exact.sent) // 5, queues(summary)
            assert splits(summary) == 0, summary["splits"]
            assert sum("reversePacketDeltaCount" in flow for flow in exact.flows) >= FLOWS, "directions have not met"
            same_flows(exact.flows, expected, comparable)
        with check("live.rebalance moves entries off the busy queue: replay's sums, the flows that it splits counted"):
            expected, got = sums(all_received(rebalanced, share)), sums(rebalanced.flows)
            assert {key: counts for key, (_, *counts) in got.items()} == \
                {key: counts for key, (_, *counts) in expected.items()}
            moved = [int(entry) for entry, _, _ in moves(rebalanced.said)]
            assert len(moved) >= MOVES and all(queues(rebalanced.summary)), rebalanced.said
            entry_of = {".".join(map(str, source)): entry for source, entry in lopsided().items()}
            split = [entry_of[dict(key)["sourceIPv4Address"]] for key, (number, *_) in got.items() if number > 1]
            assert splits(rebalanced.summary) == len(split), (rebalanced.summary["splits"], split)
            assert set(split) <= set(moved) and split.count(moved[1]) == FLOWS_OF_ENTRY, (moved, split)
finish()
