# SPDX-License-Identifier: BSD-3-Clause
"""Starts `weir run`, ends it, and compares its records with those of `weir replay`."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter

from support.weir_cli import ENDLESS, WEIR, Skip, flows, ledger_closes, replay

PATIENCE = 20.0  # seconds until something that does not happen has failed
HEAP = ("--set", "live.memory=heap")
OF_FIRST_PACKET = ("ipClassOfService", "reverseIpClassOfService")
ECHO_REPLIES = {"icmpTypeCodeIPv4": (0, 8 << 8), "icmpTypeCodeIPv6": (129 << 8, 128 << 8)}
# A link has other times than the capture, and other interfaces.
NOT_COMPARED = ("flowEndReason", "ingressInterface", "reverseIngressInterface")


class Probe:
    """A `weir run` that is there. Its lines are kept; what it exports goes into a file of its own."""

    def __init__(self, *arguments, under=(), settings=(*HEAP, *ENDLESS)):
        self.folder = tempfile.TemporaryDirectory()
        self.out = pathlib.Path(self.folder.name, "flows.ipfix")
        self.control = pathlib.Path(self.folder.name, "control")
        command = [*under, *self.command(), *arguments, *settings, "--set", f"live.control={self.control}", "--json",
                   "--out", self.out]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.lines, self.said_more = [], threading.Condition()
        self.reader = threading.Thread(target=self.read_errors, daemon=True)
        self.reader.start()

    @staticmethod
    def command():
        return [WEIR, "run"]

    def read_errors(self):
        for line in self.process.stderr:
            with self.said_more:
                self.lines.append(line.rstrip("\n"))
                self.said_more.notify_all()
        with self.said_more:
            self.said_more.notify_all()

    def said(self, text):
        return any(text in line for line in self.lines)

    def wait_until_said(self, text):
        with self.said_more:
            there = self.said_more.wait_for(lambda: self.said(text) or not self.reader.is_alive(), PATIENCE)
        assert there and self.said(text), f"weir has not said '{text}': {self.lines[-20:]}"

    def received(self):
        """Until now, by all ports."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE)
            asking.connect(str(self.control))
            asking.sendall(b'{"command":"stats"}\n')
            asking.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: asking.recv(65536), b""))
        return json.loads(answer)["received"]["packets"]

    def wait_until_received(self, packets):
        """More than that are for the summary to show."""
        wait_for(lambda: self.received() >= packets, lambda: f"{packets} packets received, only {self.received()}")

    def stop(self, stop_signal=signal.SIGTERM, expected=0):
        """→ (the summary, the IPFIX file's octets). The status must be as expected, the ledger closed."""
        self.process.send_signal(stop_signal)
        summary = self.process.stdout.read()
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        assert status == expected, f"weir run exited {status}: {self.lines[-20:]}"
        summary = json.loads(summary)
        assert summary["ledger"] == "closed", summary
        ledger_closes(summary)
        return summary, self.out.read_bytes()

    def end(self):
        """However the test went: nothing of it is left."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()


@contextlib.contextmanager
def probe(*arguments, **how):
    """A probe that meters; it ends with the block."""
    running = Probe(*arguments, **how)
    try:
        running.wait_until_said("metering ")
        yield running
    finally:
        running.end()


def meter(*arguments, **how):
    """Files end: all their packets are received before a probe that is told to stop does.
    → (the summary, its flows, its lines)."""
    with probe(*arguments, **how) as running:
        summary, octets = running.stop()
    return summary, flows(octets), running.lines


def missed(summary):
    """By all ports, for any reason."""
    return sum(port["missed"] for port in summary["ports"])


def received(summary):
    return summary["received"]["packets"]


def queues(summary, port=0):
    """Packets that each queue of a port got."""
    return [queue["received"] for queue in summary["ports"][port]["queues"]]


def splits(summary):
    """Flows that two workers metered; of one worker nobody asks."""
    return summary.get("splits", {"split": 0})["split"]


def comparable(record):
    return tuple(sorted((name, str(value)) for name, value in record.items()
                        if name not in NOT_COMPARED and "Milliseconds" not in name))


def turned(record):
    """The same biflow begun by the other side. What only the first packet's direction has (addresses, ports) swaps,
    too."""
    if "reversePacketDeltaCount" not in record:
        return record
    made = {}
    for name, value in record.items():
        if name.startswith("reverse"):
            made[name[7].lower() + name[8:]] = value
        elif "reverse" + name[0].upper() + name[1:] in record:
            made["reverse" + name[0].upper() + name[1:]] = value
        elif name.startswith("source"):
            made["destination" + name[6:]] = value
        elif name.startswith("destination"):
            made["source" + name[11:]] = value
        else:
            made[name] = value
    return made


def either_way(record):
    """One of a record's two ways round, always the same."""
    return min(comparable(record), comparable(turned(record)))


def whoever_came_first(record):
    """Queues are read side by side: which packet of a flow comes first, and gives it its ToS and its direction, is
    open, and an echo's record has the type of its first packet."""
    record = {name: value for name, value in record.items() if name not in OF_FIRST_PACKET}
    for name, (reply, request) in ECHO_REPLIES.items():
        if "reversePacketDeltaCount" in record and record.get(name) == reply:
            record[name] = request
    return either_way(record)


def same_flows(live, replayed, form=comparable):
    """As multisets, in a form that leaves out what may differ."""
    live, replayed = Counter(map(form, live)), Counter(map(form, replayed))
    missing, extra = replayed - live, live - replayed
    assert live == replayed, (f"{missing.total()} of {replayed.total()} records are missing, {extra.total()} are not "
                              f"those of replay: {list(missing)[:2]} / {list(extra)[:2]}")


def replayed(captures, *options):
    """→ (packets, flows) of `weir replay`, timeouts out of the way."""
    summary, octets = replay(captures, *ENDLESS, *options)
    return received(summary), flows(octets)


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"still not: {what() if callable(what) else what}"
        time.sleep(0.002)


