# SPDX-License-Identifier: BSD-3-Clause
"""A probe without traffic leaves its cores to others, and is there at once when packets come."""
import os
import pathlib
import time

from support.frames import frames_of
from support.live import missed, need_root, received
from support.rig import rig
from support.weir_cli import ROOT, check, finish, flows

# Of one core, by worker, exporter and control together. A probe that polls without a pause takes all of it; what two
# thousand wakings a second take is up to the machine, and 0.05 to 0.1 on virtual ones.
SECONDS, SHARE_MAX = 3.0, 0.3
WEB = ROOT / "pcaps/web.pcap"


def cpu_seconds(pid):
    """User and system, of all threads: fields 14 and 15 of /proc/PID/stat."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share_of_a_core(pid):
    before, begin = cpu_seconds(pid), time.monotonic()
    time.sleep(SECONDS)
    return (cpu_seconds(pid) - before) / (time.monotonic() - begin)


for device in ("net_af_packet0,iface=RX", "net_pcap0,rx_iface=RX"):
    with check(f"{device.partition('0,')[0]}: an idle probe does not burn a core; packets after a silence are all met"):
        need_root()
        frames = frames_of(WEB)
        with rig() as link, link.probe(device, "--set", "flow.capacity=65536") as probe:
            share = share_of_a_core(probe.process.pid)
            print(f"{device.partition('0,')[0]}, idle: {share:.1%} of a core")
            link.send_in_step(frames, probe, len(frames))
            again = share_of_a_core(probe.process.pid)
            print(f"{device.partition('0,')[0]}, idle again: {again:.1%} of a core")
            summary, octets = probe.stop()
        assert received(summary) == len(frames) and missed(summary) == 0, summary["ports"]
        assert sum(flow["packetDeltaCount"] for flow in flows(octets)) == summary["metered"]["packets"]
        assert max(share, again) < SHARE_MAX, f"{share:.0%} of a core before packets, {again:.0%} after"
finish()
