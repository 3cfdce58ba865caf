# SPDX-License-Identifier: BSD-3-Clause
"""At the highest rate that the machine offers, flows churning: memory stays flat, no buffer is lost, the ledger closes.
WEIR_SOAK is how many seconds; the figures are printed."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from support.weir_cli import MAKE_CAPTURE, WEIR, check, finish

SECONDS = float(os.environ.get("WEIR_SOAK", 60))
WARM = 8.0  # seconds until every place in the table has been used
PACKETS, FLOWS = 60_000, 20_000
SANITIZED = "WEIR_SANITIZED" in os.environ  # slower, and what was freed stays resident for a while
SLACK = (1 << 30) if SANITIZED else (4 << 20)  # octets by which resident memory may differ from what it was
ACTIVE, CHURN = ("2", 2) if SANITIZED else ("0.25", 10)  # seconds until a flow is reported; reports of each at least


def resident(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS")


def wait_for(process, errors, text):
    deadline = time.monotonic() + 60
    while text not in errors.read_text():
        assert process.poll() is None and time.monotonic() < deadline, errors.read_text()
        time.sleep(0.1)


def soak(workers):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))  # takes what its buffer holds; the kernel drops the rest
        capture, errors = pathlib.Path(folder, "traffic.pcap"), pathlib.Path(folder, "errors")
        subprocess.run([MAKE_CAPTURE, capture, "--packets", str(PACKETS), "--flows", str(FLOWS)], check=True,
                       stdout=subprocess.DEVNULL)
        with errors.open("w") as lines:
            process = subprocess.Popen(
                [WEIR, "run", f"net_pcap0,rx_pcap={capture},infinite_rx=1", "--workers", str(workers), "--json",
                 "--to", f"udp://127.0.0.1:{collector.getsockname()[1]}", "--set", f"live.control={folder}/weir.sock",
                 "--set", "live.memory=heap", "--set", "live.mtu=1500", "--set", "live.buffers=81919",
                 "--set", "live.eal=--no-telemetry", "--set", "flow.capacity=65536", "--set", "flow.tcp_close=off",
                 "--set", f"flow.timeout_active={ACTIVE}"],
                stdout=subprocess.PIPE, stderr=lines, text=True)
            try:
                wait_for(process, errors, "metering ")
                time.sleep(WARM)
                start, before = time.monotonic(), resident(process)
                most = least = before
                while (elapsed := time.monotonic() - start) < SECONDS:
                    time.sleep(min(2.0, SECONDS - elapsed))
                    now = resident(process)
                    most, least = max(most, now), min(least, now)
                process.send_signal(signal.SIGTERM)
                summary = json.loads(process.communicate(timeout=120)[0])
            finally:
                process.kill()
        said = errors.read_text()
        packets, seconds = summary["received"]["packets"], summary["seconds"]
        print(f"   {workers} worker: {packets:,} packets in {seconds:.0f} s, {packets / seconds / 1e6:.2f} M/s; "
              f"{summary['records'] / seconds / 1e3:.0f} k records/s; resident {before >> 20} MiB, "
              f"{(most - least) >> 10} KiB apart at most")
        assert process.returncode == 0, (process.returncode, summary["destinations"], said)
        assert summary["ledger"] == "closed", summary
        assert "did not come back" not in said, said
        assert summary["records"] > CHURN * FLOWS, "flows did not churn"
        assert most - least <= SLACK, f"resident memory moved by {most - least} octets"


with check(f"{SECONDS:.0f} s at the highest rate leave memory flat and the ledger closed"):
    soak(1)
finish()
