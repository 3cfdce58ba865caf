# SPDX-License-Identifier: BSD-3-Clause
"""More flows than one step of the end hands out: any number of workers makes the same records of them, whatever the
key, and the same octets each time, although how many steps find nothing left depends on who was quick."""
import os
import pathlib
import subprocess
import tempfile

from support.weir_cli import BIFLOW, MAKE_CAPTURE, WORKERS, check, finish, replay, same_records

PACKETS, FLOWS, ROUNDS = (20_000, 10_000, 1) if os.environ.get("WEIR_SANITIZED") else (60_000, 20_000, 6)
WAYS = {"uniflows": (), "biflows": BIFLOW,
        "a key of ports": ("--set", "flow.key=[sourceTransportPort, protocolIdentifier]"),
        "biflows, few at a time": (*BIFLOW, "--set", "flow.capacity=1024"),
        "details": ("--set", "export.templates=full payload", "--set", "flow.payload_octets=16")}


def same_octets(capture, *options):
    for workers in WORKERS:
        made = {replay(capture, *options, "--workers", workers)[1] for _ in range(ROUNDS)}
        assert len(made) == 1, f"{workers} workers: {len(made)} outputs of {ROUNDS} runs"


with tempfile.TemporaryDirectory() as folder:
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
