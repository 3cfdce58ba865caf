# SPDX-License-Identifier: BSD-3-Clause
"""On a NIC bound to vfio-pci, in a small VM: RSS brings both directions of each flow to one of two workers, and the
records are those of `weir replay`."""
import json
import pathlib
import re
import shlex
import subprocess
import tempfile

from support.frames import ETHERNET, Frame, frames_of, retimed, write_pcap
from support.live import comparable, missed, need_root, queues, received, replayed, same_flows, splits
from support.rig import tool_of_shared
from support.weir_cli import BIFLOW, ENDLESS, ROOT, WEIR, Skip, check, finish, flows, ledger_closes

SETUP_SECONDS, RUN_SECONDS = 300, 300
VM_FAILED, TIMED_OUT = 125, 124
FLOWS = 200
PACKETS_PER_SECOND = 3000
BESIDE = ("web.pcap", "dns.pcap", "icmp.pcap", "fragments.pcap", "ipv6_extensions.pcap", "vlan.pcap")
# What the VM runs: a probe, until all is fed and taken.
COMMANDS = """
basename "$(readlink /sys/bus/pci/devices/$NICVM_PCI/driver)" > /share/driver.txt
{weir} run "$NICVM_PCI" {settings} --json --out /share/flows.ipfix > /share/summary.json 2> /share/errors.txt & probe=$!
until grep -q 'metering ' /share/errors.txt || ! kill -0 $probe; do sleep 0.2; done
cat /share/errors.txt; echo READY
until [ -e /share/feed.done ] || ! kill -0 $probe; do sleep 0.2; done
sleep 1
kill -TERM $probe; wait $probe; status=$?
exit $status
"""


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


def traffic(path):
    """Conversations side by side, packet by packet in turn, and captures with what else there is."""
    conversations = [list(conversation(number)) for number in range(FLOWS)]
    frames = [some[turn] for turn in range(4) for some in conversations]
    for name in BESIDE:
        frames += frames_of(ROOT / "pcaps" / name)
    return write_pcap(path, retimed(frames))


def in_the_vm(tool, share, capture, *settings):
    """→ what the probe said. Skips where the VM cannot be had."""
    words = shlex.join([*ENDLESS, "--set", "live.control=/run/weir-control", "--set", "flow.capacity=65536", *settings])
    command = COMMANDS.format(weir=shlex.quote(WEIR), settings=words)
    done = subprocess.run([tool, "run", "--nic", "virtio", "--queues", "2", "--share", share, "--feed", capture,
                           "--feed-args", f"--pps={PACKETS_PER_SECOND}", "--timeout", str(RUN_SECONDS), "--", command],
                          capture_output=True, text=True, errors="replace", timeout=RUN_SECONDS + 60)
    if done.returncode == VM_FAILED:
        raise Skip(f"the VM fails here: {done.stderr.strip()[-300:]}")
    errors = pathlib.Path(share, "errors.txt").read_text(errors="replace")
    assert done.returncode == 0, f"status {done.returncode}: {errors}\n{done.stdout[-2000:]}\n{done.stderr[-1000:]}"
    return errors


def set_up(tool):
    done = subprocess.run([tool, "setup"], capture_output=True, text=True, timeout=SETUP_SECONDS)
    if done.returncode != 0:
        raise Skip(f"the VM cannot be had: {done.stderr.strip()[-300:]}")


def fed(share):
    """Packets that reached the NIC: none fell out of the queue before it."""
    log = pathlib.Path(share, "feed.log").read_text()
    sent = int(re.search(r"Actual: (\d+) packets", log).group(1))
    transmitted = re.search(r"TX:.*\n\s*\d+\s+(\d+)\s+(\d+)\s+(\d+)", log)
    assert transmitted and int(transmitted.group(1)) == sent and int(transmitted.group(3)) == 0, log
    return sent


with check("a NIC bound to vfio-pci, 2 queues with RSS, 2 workers: replay's records, both directions of each flow met"):
    need_root()
    tool = tool_of_shared("nic-vm/nic-vm")
    set_up(tool)
    with tempfile.TemporaryDirectory() as share:
        capture = traffic(pathlib.Path(share, "traffic.pcap"))
        packets, expected = replayed(capture, *BIFLOW)
        said = in_the_vm(tool, share, capture, *BIFLOW, "--set", "live.workers=2", "--set", "live.worker_cpus=0,1")
        summary = json.loads(pathlib.Path(share, "summary.json").read_text())
        got = flows(pathlib.Path(share, "flows.ipfix").read_bytes())
        driver = pathlib.Path(share, "driver.txt").read_text().strip()
        assert fed(share) == packets
    assert "RSS spreads packets over 2 workers" in said, said
    assert summary["ledger"] == "closed", summary
    ledger_closes(summary)
    assert received(summary) == packets, f"{received(summary)} of {packets} packets were received: {summary['ports']}"
    assert missed(summary) == 0, summary["ports"]
    assert len(queues(summary)) == 2 and min(queues(summary)) > packets // 5, queues(summary)
    assert splits(summary) == 0, summary["splits"]
    assert sum("reversePacketDeltaCount" in flow for flow in got) >= FLOWS, "directions have not met"
    same_flows(got, expected, comparable)
    assert driver == "vfio-pci" and summary["ports"][0]["driver"] == "net_virtio", (driver, summary["ports"])
finish()
