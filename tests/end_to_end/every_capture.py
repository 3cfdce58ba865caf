# SPDX-License-Identifier: BSD-3-Clause
"""Every capture replays without complaint, gives the same records with 1, 2, 3 and 8 workers and the same bytes twice,
and its ledger closes over as many packets as capinfos counts."""
import subprocess

from support.weir_cli import BIFLOW, WORKERS, all_captures, check, each, finish, flows, ledger_closes, replay


def packets_in(capture):
    """None where capinfos cannot read the file to its end."""
    done = subprocess.run(["capinfos", "-Mcr", "-T", str(capture)], capture_output=True, text=True)
    return int(done.stdout.split("\t")[-1]) if done.returncode == 0 else None


def same_records(capture, *options):
    expected = None
    for workers in WORKERS:
        summary, ipfix = replay(capture, *options, "--workers", workers)
        ledger_closes(summary)
        now = summary["received"], summary["outcomes"], sorted(map(repr, flows(ipfix)))
        expected = expected or now
        assert now[:2] == expected[:2], f"{workers} workers: {now[:2]}, else {expected[:2]}"
        assert now[2] == expected[2], f"{workers} workers: other records than {WORKERS[0]} makes"
    return expected[0]["packets"]


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
