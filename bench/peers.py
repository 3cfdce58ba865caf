#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packets per CPU-second of `weir replay` beside other meters, on the same captures, in alternating runs.

    bench/peers.py WEIR CAPTURE... [--runs 5] [--limit 300]

Those that are installed: softflowd, nfpcapd and pmacctd, which Debian has, yaf and ipfixprobe, which it has not.
Every meter has room for all flows (nfpcapd and pmacctd take it as they go) and its timeouts out of the way.
softflowd, ipfixprobe and weir make biflows and send IPFIX to a loopback socket that is bound and never read, so that
the kernel drops what does not fit; yaf and weir make biflows, nfpcapd, pmacctd and weir uniflows, and write a file
(pmacctd: text). CPU time is user + system of all threads and processes, peak memory the largest resident set of a
process, both as the kernel accounts for them. The machine may be noisy: every round runs all meters once, and ratios
are taken within a round. A figure counts only if weir's ledger is closed and the meter reports as many packets as weir
did, in every round; else its row has that number and no figure.
"""
import argparse
import csv
import ctypes
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
WEIR_UDP, WEIR_FILE, WEIR_BIFLOW_FILE = "weir, biflows to UDP", "weir, uniflows to a file", "weir, biflows to a file"


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


def pmacctd(_given, capture, folder):
    """A pipe between its two processes that is large enough to lose nothing; it writes its table at the end."""
    settings = {"daemonize": "false", "pcap_savefile": os.path.abspath(capture), "plugins": "print[out]",
                "aggregate[out]": "src_host, dst_host, src_port, dst_port, proto, vlan", "print_output[out]": "csv",
                "print_output_file[out]": f"{folder}/flows.csv", "print_refresh_time[out]": HOUR,
                "print_cache_entries[out]": "65537", "plugin_pipe_size": "268435456", "plugin_buffer_size": "65536",
                "pcap_savefile_delay": "10"}
    with open(f"{folder}/pmacctd.conf", "w", encoding="utf-8") as conf:
        conf.writelines(f"{name}: {value}\n" for name, value in settings.items())
    return ["pmacctd", "-f", conf.name]


def yaf(_given, capture, folder):
    return ["yaf", "--in", capture, "--out", f"{folder}/flows.ipfix", "--idle-timeout", HOUR, "--active-timeout", HOUR,
            "--max-flows", FLOWS, "--log", "stderr", "--verbose"]


def ipfixprobe(given, capture, _folder):
    host, port = given.collector.split(":")
    return ["ipfixprobe", "-i", f"pcap;file={capture}", "-s", f"cache;size=22;active={HOUR};inactive={HOUR}",
            "-o", f"ipfix;host={host};port={port};udp"]


def sum_of(pattern, printed):
    found = re.findall(pattern, printed)
    return sum(map(int, found)) if found else None


def weir_books(printed, _folder):
    books = json.loads(printed)
    return books["received"]["packets"] if books["ledger"] == "closed" else None, books["records"]


def softflowd_books(printed, _folder):
    return sum_of(r"Packets processed: (\d+)", printed), sum_of(r"Flows exported: (\d+)", printed)


def nfpcapd_books(printed, _folder):
    return sum_of(r"Flows: \d+, Packets: (\d+)", printed), sum_of(r"Flows: (\d+), Packets:", printed)


def pmacctd_books(_printed, folder):
    if not os.path.exists(f"{folder}/flows.csv"):  # its reader did not wait until its writer was ready
        return None, None
    with open(f"{folder}/flows.csv", newline="", encoding="utf-8") as table:
        packets = [int(row["PACKETS"]) for row in csv.DictReader(table)]
    return sum(packets), len(packets)


def yaf_books(printed, _folder):
    return sum_of(r"Processed (\d+) packets into \d+ flows", printed), sum_of(r"packets into (\d+) flows", printed)


def ipfixprobe_books(printed, _folder):
    """Of the table of its outputs: biflows, then packets."""
    output = re.search(r"Output stats:\s*\n[^\n]*\n\s*\d+\s+(\d+)\s+(\d+)", printed)
    return (int(output[2]), int(output[1])) if output else (None, None)


# name: (its command, how to read (packets, records) in what it printed or wrote, which row of weir does the same)
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
    "pmacctd": (pmacctd, pmacctd_books, WEIR_FILE),
    WEIR_BIFLOW_FILE: (
        lambda given, capture, folder: weir_like(given, capture, "biflow", "--out", f"{folder}/flows.ipfix"),
        weir_books, None),
    "yaf": (yaf, yaf_books, WEIR_BIFLOW_FILE),
    "ipfixprobe": (ipfixprobe, ipfixprobe_books, WEIR_UDP),
}


def adopt_orphans():
    """Processes whose parent ends before them become ours, so that their CPU time is known, too."""
    set_child_subreaper = 36  # of <linux/prctl.h>
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def orphans():
    """What the kernel accounts of those that outlived the meter, once they have ended."""
    while True:
        try:
            yield os.wait4(-1, 0)[2]
        except ChildProcessError:
            return


def cpu_and_memory(command, limit):
    """Seconds of CPU, peak resident octets, and what one run prints. One that outlives the limit ends it all."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        timer = threading.Timer(limit, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        usages = [usage, *orphans()]
        late = not timer.is_alive()
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()
    if late or child.returncode != 0:
        why = f"killed after {limit} s (--limit)" if late else f"ended with status {child.returncode}"
        sys.exit(f"{' '.join(command)}: {why}\n{printed[-1000:]}")
    return (sum(each.ru_utime + each.ru_stime for each in usages), max(each.ru_maxrss for each in usages) * 1024,
            printed)


def one_round(given, capture, names):
    """name → (seconds of CPU, peak octets, packets, records)."""
    found = {}
    for name in names:
        command, books, _ = METERS[name]
        with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
            seconds, peak, printed = cpu_and_memory(command(given, capture, folder), given.limit)
            found[name] = (seconds, peak, *books(printed, folder))
    of_weir = {packets for name, (_, _, packets, _) in found.items() if name.startswith("weir")}
    if len(of_weir) != 1 or None in of_weir:
        sys.exit(f"{capture}: weir's runs do not account for the same packets: {found}")
    return found


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def rows(capture, rounds):
    (packets_of_all,) = {each[WEIR_UDP][2] for each in rounds}
    for name in METERS.keys() & rounds[0].keys():
        same = METERS[name][2]
        other = [each[name][2] for each in rounds if each[name][2] != packets_of_all]
        if other:
            yield name, f"| {os.path.basename(capture)} | {name} | | not all packets | | | {other[0]} | |"
            continue
        ratio = spread([each[name][0] / each[same][0] for each in rounds]) if same else ""
        _, _, packets, records = rounds[0][name]
        seconds = statistics.median(each[name][0] for each in rounds)
        speed = spread([packets / each[name][0] / 1e6 for each in rounds])
        peak = max(each[name][1] for each in rounds) / 1e6
        yield name, (f"| {os.path.basename(capture)} | {name} | {seconds:.2f} | {speed} | {ratio} | {peak:.0f} | "
                     f"{packets} | {records} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("weir", help="the program, a release build")
    arguments.add_argument("captures", nargs="+")
    arguments.add_argument("--runs", type=int, default=5, help="rounds; each runs every meter once")
    arguments.add_argument("--limit", type=float, default=300, help="seconds after which a meter is killed")
    arguments.add_argument("--scratch", help="folder for what the meters write, removed after each run")
    given = arguments.parse_args()
    adopt_orphans()
    names = [name for name in METERS if name.startswith("weir") or shutil.which(name)]
    for name in sorted(METERS.keys() - set(names)):
        print(f"{name} is not installed: left out")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as never_read:
        never_read.bind(("127.0.0.1", 0))
        given.collector = "127.0.0.1:{}".format(never_read.getsockname()[1])
        print("| capture | meter | CPU s | M packets per CPU-second: median (least–most) | weir ÷ meter | peak MB | "
              "packets | records |\n|---|---|---|---|---|---|---|---|")
        for capture in given.captures:
            # Each round begins with another meter, so that none always follows the same one.
            turns = [names[i % len(names):] + names[:i % len(names)] for i in range(given.runs)]
            lines = dict(rows(capture, [one_round(given, capture, turn) for turn in turns]))
            print(*(lines[name] for name in names), sep="\n", flush=True)


if __name__ == "__main__":
    main()
