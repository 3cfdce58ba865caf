# SPDX-License-Identifier: BSD-3-Clause
"""More flows than one step of the end hands out: any number of workers makes the same records of them, whatever the
key, and the same octets each time, although how many steps find nothing left depends on who was quick."""
import os
import pathlib
import resource
import struct
import subprocess
import tempfile

from support.frames import ETHERNET, Frame, write_pcap
from support.weir_cli import BIFLOW, MAKE_CAPTURE, WEIR, WORKERS, check, finish, flows, replay, same_records

PACKETS, FLOWS, ROUNDS = (20_000, 10_000, 1) if os.environ.get("WEIR_SANITIZED") else (60_000, 20_000, 6)
WAYS = {"uniflows": (), "biflows": BIFLOW,
        "a key of ports": ("--set", "flow.key=[sourceTransportPort, protocolIdentifier]"),
        "biflows, few at a time": (*BIFLOW, "--set", "flow.capacity=1024"),
        "details": ("--set", "export.templates=full payload", "--set", "flow.payload_octets=16")}


def same_octets(capture, *options):
    for workers in WORKERS:
        made = {replay(capture, *options, "--workers", workers)[1] for _ in range(ROUNDS)}
        assert len(made) == 1, f"{workers} workers: {len(made)} outputs of {ROUNDS} runs"


def all_idle_at_once(path):
    """50,000 flows of each family, and the last 2000 of them again an hour later: one slice ends as many as it may."""
    def frame(number, second):
        udp = struct.pack(">4H", 1, 2, 8, 0)
        four, six = struct.pack(">2B3H2BH", 0x45, 0, 28, 0, 0, 64, 17, 0), struct.pack(">IH2B", 6 << 28, 8, 17, 64)
        ip = four + struct.pack(">2I", number, 1) if number % 2 else six + struct.pack(">4Q", 1, number, 1, 1)
        octets = bytes(12) + (b"\x08\x00" if number % 2 else b"\x86\xdd") + ip + udp
        return Frame(ETHERNET, second * 10**9, octets, len(octets))
    return write_pcap(path, [frame(n, 1000) for n in range(100_000)] + [frame(n, 4600) for n in range(98_000, 100_000)])


with tempfile.TemporaryDirectory() as folder:
    with check("all that may end at once"):
        idle = all_idle_at_once(pathlib.Path(folder, "idle.pcap"))
        alike = "--set", "export.templates=flowStartMilliseconds protocolIdentifier packetDeltaCount"
        same_records(idle, *alike)
        count = len(flows(replay(idle, *alike)[1]))
        assert count == 102_000, f"{count} records"
    if not os.environ.get("WEIR_SANITIZED"):  # its build takes more address space than there is
        with check("no memory for what the workers asked for may end"):
            command = [WEIR, "replay", idle, "--out", "/dev/null", "--workers", "8"]
            refused = subprocess.run(command, stderr=subprocess.PIPE,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
            said = refused.stderr.decode()
            assert refused.returncode == 2 and "--workers 8: there is no memory for what" in said, said
    traffic = pathlib.Path(folder, "traffic.pcap")
    subprocess.run([MAKE_CAPTURE, traffic, "--packets", str(PACKETS), "--flows", str(FLOWS)], check=True,
                   stdout=subprocess.DEVNULL)
    for way, options in WAYS.items():
        if "flow.capacity=1024" not in options:  # who goes when a table is full depends on how many tables there are
            with check(f"{way}: same records with any number of workers"):
                same_records(traffic, *options)
        with check(f"{way}: same octets each time"):
            same_octets(traffic, *options, "--set", "export.statistics=0")
finish()
