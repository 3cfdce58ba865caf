# SPDX-License-Identifier: BSD-3-Clause
"""Every capture replays without complaint, gives the same records with 1, 2, 3 and 8 workers and the same bytes twice,
and its ledger closes over as many packets as capinfos counts."""
import subprocess

from support.weir_cli import BIFLOW, all_captures, check, each, finish, replay, same_records


def packets_in(capture):
    """None where capinfos cannot read the file to its end."""
    done = subprocess.run(["capinfos", "-Mcr", "-T", str(capture)], capture_output=True, text=True)
    return int(done.stdout.split("\t")[-1]) if done.returncode == 0 else None


def checks(capture):
    with check(f"{capture.name}: same records with any number of workers"):
        received = same_records(capture)
        counted = packets_in(capture)
        assert counted in (None, received), f"received {received} packets, capinfos counts {counted}"
    with check(f"{capture.name}: same records with any number of workers, biflow"):
        same_records(capture, *BIFLOW)
    with check(f"{capture.name}: same records with any number of workers, details and payload in them"):
        same_records(capture, "--set", "export.templates=full payload", "--set", "flow.payload_octets=32")
    with check(f"{capture.name}: same bytes twice"):
        assert replay(capture, "--workers", 3)[1] == replay(capture, "--workers", 3)[1], "bytes differ"


each(all_captures(), checks)
finish()
