# SPDX-License-Identifier: BSD-3-Clause
"""`weir run`s on a NIC bound to vfio-pci in a small VM, one after the other, each fed while it runs."""
import array
import fcntl
import json
import os
import pathlib
import re
import shlex
import subprocess
import termios
import threading
import time

from support.frames import PCAP_BEGIN, pcap_record
from support.live import wait_for
from support.rig import tool_of_shared
from support.weir_cli import ENDLESS, WEIR, Skip, flows, ledger_closes

SETUP_SECONDS, RUN_SECONDS = 300, 300
VM_FAILED = 125
FRAMES_AT_ONCE, PAUSE = 30, 0.01  # what the VM takes without a loss
CONTROL = "/run/weir-control"
# One program in the VM: a probe, until it has received all that it was fed.
PROGRAM = """
basename "$(readlink /sys/bus/pci/devices/$NICVM_PCI/driver)" > /share/driver.txt
{weir} run "$NICVM_PCI" {settings} --json --out /share/{name}.ipfix > /share/{name}.json 2> /share/{name}.txt & probe=$!
until grep -q 'metering ' /share/{name}.txt || ! kill -0 $probe; do sleep 0.2; done
touch /share/{name}.ready; echo READY
until [ -e /share/{name}.fed ] || ! kill -0 $probe; do sleep 0.2; done
for turn in $(seq 20); do
  {weir} ctl stats --json --socket {control} | tr -d ' \\n' |
    grep -q '"received":{{"packets":'$(cat /share/{name}.fed), && break
  sleep 0.2
done
kill -TERM $probe; wait $probe || exit
"""


class Program:
    """Settings of a probe; `feed(said)` generates its frames, and may look at what the probe has said until then."""

    def __init__(self, name, feed, *settings):
        self.name, self.feed = name, feed
        self.settings = [*ENDLESS, "--set", f"live.control={CONTROL}", "--set", "flow.capacity=65536", *settings]
        self.sent = []

    def command(self):
        return PROGRAM.format(weir=shlex.quote(WEIR), settings=shlex.join(self.settings), name=self.name,
                              control=CONTROL)

    def take_results(self, share):
        self.said = (share / f"{self.name}.txt").read_text(errors="replace")
        self.summary = json.loads((share / f"{self.name}.json").read_text())
        self.flows = flows((share / f"{self.name}.ipfix").read_bytes())
        assert self.summary["ledger"] == "closed", self.summary
        ledger_closes(self.summary)


def set_up():
    """→ the tool."""
    tool = tool_of_shared("nic-vm/nic-vm")
    done = subprocess.run([tool, "setup"], capture_output=True, text=True, timeout=SETUP_SECONDS)
    if done.returncode != 0:
        raise Skip(f"the VM cannot be had: {done.stderr.strip()[-300:]}")
    return tool


def run(tool, share, queues, programs):
    """All in one VM. → the driver of its NIC. Skips where the VM cannot be had."""
    share = pathlib.Path(share)
    os.mkfifo(share / "feed")
    threading.Thread(target=feed, args=(share, programs), daemon=True).start()
    command = "\n".join(program.command() for program in programs)
    done = subprocess.run([tool, "run", "--nic", "virtio", "--queues", str(queues), "--share", share, "--feed",
                           share / "feed", "--feed-args", "--topspeed", "--timeout", str(RUN_SECONDS), "--", command],
                          capture_output=True, text=True, errors="replace", timeout=RUN_SECONDS + 60)
    if done.returncode == VM_FAILED:
        raise Skip(f"the VM fails here: {done.stderr.strip()[-300:]}")
    said = [path.read_text(errors="replace") for path in share.glob("*.txt")]
    assert done.returncode == 0, f"status {done.returncode}: {said}\n{done.stdout[-2000:]}\n{done.stderr[-1000:]}"
    for program in programs:
        program.take_results(share)
    assert fed(share) == sum(len(program.sent) for program in programs)
    return (share / "driver.txt").read_text().strip()


def feed(share, programs):
    """Through a pipe, which the VM's tool takes for a capture."""
    with open(share / "feed", "wb", buffering=0) as pipe:
        pipe.write(PCAP_BEGIN)
        for program in programs:
            while not (share / f"{program.name}.ready").exists():
                time.sleep(0.1)
            for frame in program.feed((share / f"{program.name}.txt").read_text):
                pipe.write(pcap_record(frame))
                program.sent.append(frame)
                if len(program.sent) % FRAMES_AT_ONCE == 0:
                    time.sleep(PAUSE)
            wait_for(lambda: octets_in(pipe) == 0, "all is sent")
            (share / "sent").write_text(str(len(program.sent)))
            (share / "sent").rename(share / f"{program.name}.fed")


def octets_in(pipe):
    octets = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, octets)
    return octets[0]


def fed(share):
    """Packets that reached the NIC: none fell out of the queue before it."""
    log = (share / "feed.log").read_text()
    sent = int(re.search(r"Actual: (\d+) packets", log).group(1))
    transmitted = re.search(r"TX:.*\n\s*\d+\s+(\d+)\s+(\d+)\s+(\d+)", log)
    assert transmitted and int(transmitted.group(1)) == sent and int(transmitted.group(3)) == 0, log
    return sent
