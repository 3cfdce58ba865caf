# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C in the middle of a replay ends the flows (forced end), exports them, closes the ledger and says so."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time

from support.weir_cli import ROOT, WEIR, check, finish, flows, ledger_closes

TIMEOUTS = ROOT / "pcaps/timeouts.pcap"
FORCED_END = 4
PATIENCE = 30


def waits_for_input(process):
    """It has read what there is, and sleeps in read(2) on the pipe."""
    return pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def interrupt(workers, out):
    command = [WEIR, "replay", "-", "--json", "--workers", str(workers), "--out", str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(TIMEOUTS.read_bytes())
        process.stdin.flush()
        end = time.monotonic() + PATIENCE
        while not waits_for_input(process) or time.monotonic() < end - PATIENCE + 0.5:
            assert time.monotonic() < end and process.poll() is None, "does not wait for more"
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        summary = json.loads(process.stdout.read())
        said = process.stderr.read().decode()
        return process.wait(PATIENCE), summary, said


for workers in (1, 3):
    with check(f"Ctrl-C ends, exports and says so, {workers} workers"), tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "flows.ipfix")
        status, summary, said = interrupt(workers, out)
        assert status == 0, f"status {status}: {said}"
        assert "interrupted" in said.lower(), said
        ledger_closes(summary)
        records = flows(out.read_bytes())
        assert sum(record["packetDeltaCount"] for record in records) == summary["metered"]["packets"]
        assert FORCED_END in {record["flowEndReason"] for record in records}, records
finish()
