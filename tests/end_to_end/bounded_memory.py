# SPDX-License-Identifier: BSD-3-Clause
"""What a replay keeps in memory is set by capacity, not by the file: 2 GB take what 200 MB of as many flows take."""
import os
import pathlib
import subprocess
import tempfile

from support.weir_cli import SHARED, WEIR, Skip, check, finish

FLOWS = 20_000
SMALL_PACKETS, LARGE_PACKETS = 600_000, 6_000_000
SLACK = 24 << 20  # octets by which the two may differ
SPACE = 4 << 30


def generator(folder):
    path = pathlib.Path(folder, "gen")
    subprocess.run(["g++", "-O2", "-std=c++20", "-w", "-o", path, SHARED / "tools/gen.cpp"], check=True)
    return path


def resident(generate, folder, packets, workers):
    """→ (the capture's size, the most that weir had resident in replaying it)."""
    capture = pathlib.Path(folder, "traffic.pcap")
    try:
        subprocess.run([generate, capture, str(packets), str(FLOWS), "imix", "uniform", "30", "1"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        size = capture.stat().st_size
        process = subprocess.Popen([WEIR, "replay", capture, "--out", "/dev/null", "--workers", str(workers), "--json"],
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"status {process.returncode}"
        return size, usage.ru_maxrss << 10
    finally:
        capture.unlink(missing_ok=True)


def bounded(workers):
    if not SHARED:
        raise Skip("WEIR_SHARED is not set: nothing to make traffic with")
    with tempfile.TemporaryDirectory() as folder:
        space = os.statvfs(folder)
        if space.f_bavail * space.f_frsize < SPACE:
            raise Skip(f"less than {SPACE >> 30} GB free in {folder}")
        generate = generator(folder)
        _, small = resident(generate, folder, SMALL_PACKETS, workers)
        size, large = resident(generate, folder, LARGE_PACKETS, workers)
    assert size > 2_000_000_000, f"the large capture has {size} octets only"
    assert large < small + SLACK, f"{small >> 20} MB for the small one, {large >> 20} MB for {size >> 20} MB"


for workers in (1, 3):
    with check(f"2 GB in bounded memory, {workers} workers"):
        bounded(workers)
finish()
