#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packets per CPU-second of `weir replay` beside softflowd and nfpcapd, on the same captures, in alternating runs.

    bench/peers.py WEIR CAPTURE... [--runs 5] [--limit 300]

Every meter has room for all flows (nfpcapd takes it as it goes) and its timeouts out of the way. softflowd and weir
make biflows and send IPFIX to a loopback socket that is bound and never read, so that the kernel drops what does not
fit; nfpcapd and weir make uniflows and write a file. CPU time is user + system of all threads, peak memory the resident
set, both as the kernel accounts for them. The machine may be noisy: every round runs all meters once, and ratios are
taken within a round. A figure counts only if all meters of a capture report the same number of packets, and if weir's
ledger is closed.
"""
import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

HOUR, FLOWS = "3600", "4194304"
WEIR_UDP, WEIR_FILE = "weir, biflows to UDP", "weir, uniflows to a file"


def weir(given, capture, *words):
    return [given.weir, "replay", capture, "--json", *words]


def weir_like(given, capture, direction, *words):
    settings = {"flow.direction": direction, "flow.timeout_idle": HOUR, "flow.timeout_active": HOUR,
                "flow.tcp_close": "off", "flow.capacity": FLOWS}
    return weir(given, capture, *words, *(word for item in settings.items() for word in ("--set", "=".join(item))))


def softflowd(given, capture, _folder):
    """Without a control socket (-c none): reading a file, 1.1.0 looks at it by chance, and then waits for ever."""
    timeouts = ("tcp", "tcp.rst", "tcp.fin", "udp", "icmp", "general", "maxlife")
    return ["softflowd", "-r", capture, "-n", given.collector, "-v", "10", "-b", "-m", FLOWS, "-d", "-c", "none",
            *(word for name in timeouts for word in ("-t", f"{name}={HOUR}"))]


def sum_of(pattern, printed):
    found = re.findall(pattern, printed)
    return sum(map(int, found)) if found else None


def weir_books(printed):
    books = json.loads(printed)
    return books["received"]["packets"] if books["ledger"] == "closed" else None, books["records"]


def softflowd_books(printed):
    return sum_of(r"Packets processed: (\d+)", printed), sum_of(r"Flows exported: (\d+)", printed)


def nfpcapd_books(printed):
    return sum_of(r"Flows: \d+, Packets: (\d+)", printed), sum_of(r"Flows: (\d+), Packets:", printed)


# name: (its command, how to read (packets, records) in what it prints, which row of weir does the same)
METERS = {
    "weir, default settings": (
        lambda given, capture, folder: weir(given, capture, "--out", f"{folder}/flows.ipfix"), weir_books, None),
    WEIR_UDP: (
        lambda given, capture, _: weir_like(given, capture, "biflow", "--to", f"udp://{given.collector}"),
        weir_books, None),
    "softflowd": (softflowd, softflowd_books, WEIR_UDP),
    WEIR_FILE: (
        lambda given, capture, folder: weir_like(given, capture, "uniflow", "--out", f"{folder}/flows.ipfix"),
        weir_books, None),
    "nfpcapd": (
        lambda given, capture, folder:
        ["nfpcapd", "-r", capture, "-w", folder, "-e", f"{HOUR},{HOUR}"], nfpcapd_books, WEIR_FILE),
}


def cpu_and_memory(command, limit):
    """Seconds of CPU, peak resident octets, and what one run prints. One that outlives the limit ends it all."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        timer = threading.Timer(limit, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        late = not timer.is_alive()
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()
    if late or child.returncode != 0:
        why = f"killed after {limit} s (--limit)" if late else f"ended with status {child.returncode}"
        sys.exit(f"{' '.join(command)}: {why}\n{printed[-1000:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, printed


def one_round(given, capture, names):
    """name → (packets per CPU-second in millions, peak octets, records), after a look at the books of all."""
    found, packets = {}, {}
    for name in names:
        command, books, _ = METERS[name]
        with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
            seconds, peak, printed = cpu_and_memory(command(given, capture, folder), given.limit)
        packets[name], records = books(printed)
        found[name] = (packets[name] / seconds / 1e6 if packets[name] else 0, peak, records)
    if len(set(packets.values())) != 1 or None in packets.values():
        sys.exit(f"{capture}: the meters do not account for the same packets: {packets}")
    return found


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def rows(capture, rounds):
    for name in METERS.keys() & rounds[0].keys():
        same = METERS[name][2]
        ratio = spread([each[same][0] / each[name][0] for each in rounds]) if same else ""
        peak = max(each[name][1] for each in rounds) / 1e6
        speed = spread([each[name][0] for each in rounds])
        yield name, (f"| {os.path.basename(capture)} | {name} | {speed} | {ratio} | {peak:.0f} | "
                     f"{rounds[0][name][2]} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("weir", help="the program, a release build")
    arguments.add_argument("captures", nargs="+")
    arguments.add_argument("--runs", type=int, default=5, help="rounds; each runs every meter once")
    arguments.add_argument("--limit", type=float, default=300, help="seconds after which a meter is killed")
    arguments.add_argument("--scratch", help="folder for what the meters write, removed after each run")
    given = arguments.parse_args()
    names = [name for name in METERS if name.startswith("weir") or shutil.which(name)]
    for name in METERS.keys() - set(names):
        print(f"{name} is not installed: left out")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as never_read:
        never_read.bind(("127.0.0.1", 0))
        given.collector = "127.0.0.1:{}".format(never_read.getsockname()[1])
        print("| capture | meter | M packets per CPU-second: median (least–most) | weir ÷ meter | peak MB | records |\n"
              "|---|---|---|---|---|---|")
        for capture in given.captures:
            # Each round begins with another meter, so that none always follows the same one.
            turns = [names[i % len(names):] + names[:i % len(names)] for i in range(given.runs)]
            lines = dict(rows(capture, [one_round(given, capture, turn) for turn in turns]))
            print(*(lines[name] for name in names), sep="\n", flush=True)


if __name__ == "__main__":
    main()
