# SPDX-License-Identifier: BSD-3-Clause
"""Collectors that are late, stop, die and come back while packets keep coming; a probe that is killed. Receiving goes
on, the ledger closes, and what is lost is lost by name."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from support.collectors import free_port, wait_until
from support.weir_cli import WEIR, check, dump, finish, ledger_closes

FLOWS, LOST = 5000, 4
STOPPED = 60 if os.environ.get("WEIR_SOAK") else 10  # seconds
SETTINGS = {"live.memory": "heap", "live.buffers": 16384, "live.mtu": 1500, "flow.timeout_active": 1,
            "flow.timeout_idle": 1, "flow.capacity": 16384, "export.tcp.retry_min": 1, "export.flush": 0.1}


def write_capture(path):
    """As many UDP packets, each of a flow of its own."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number in range(FLOWS):
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, 0, 0, 64, 17, 0, struct.pack("!I", 0x0A000000 + number),
                             bytes([10, 9, 9, 9]))
            frame = bytes(12) + b"\x08\x00" + ip + struct.pack("!HHHH", 1000, 53, 26, 0) + bytes(18)
            out.write(struct.pack("<IIII", 1_700_000_000, 0, len(frame), len(frame)) + frame)


class Collector:
    """A process of its own, so that it can be stopped: writes each session it gets into a file."""

    def __init__(self, port, folder):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.process = subprocess.Popen(["/usr/bin/python3", "-c", """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for number in range(1000):
    connection, _ = server.accept()
    with open(f"{sys.argv[2]}/{number}", "wb", buffering=0) as out:
        while octets := connection.recv(65536):
            out.write(octets)
""", str(port), str(self.folder)])

    def octets(self):
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def gets_more(self):
        before = self.octets()
        wait_until("octets at the collector", lambda: self.octets() > before)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def begins_with_templates(self):
        for path in self.folder.iterdir():
            first = path.read_bytes()[:18]
            assert not first or struct.unpack("!HHIIIH", first)[5] in (2, 3), f"a session begins with {first.hex()}"


class Probe:
    def __init__(self, folder, *arguments, **settings):
        self.folder, self.control = folder, folder / "control"
        capture = folder / "load.pcap"
        if not capture.exists():
            write_capture(capture)
        settings = {**SETTINGS, "live.control": self.control, **{n.replace("__", "."): v for n, v in settings.items()}}
        pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        self.errors = open(folder / "errors", "w+")
        self.process = subprocess.Popen([WEIR, "run", f"net_pcap0,rx_pcap={capture},infinite_rx=1", "--workers", "1",
                                         "--json", *arguments, *pairs], stdout=subprocess.PIPE, stderr=self.errors)
        wait_until("a probe that meters", lambda: "metering" in self.said() or self.process.poll() is not None)

    def said(self):
        return pathlib.Path(self.errors.name).read_text()

    def stats(self):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(self.control))
            asking.sendall(b'{"command":"stats"}\n')
            asking.shutdown(socket.SHUT_WR)
            return json.loads(b"".join(iter(lambda: asking.recv(65536), b"")))

    def received(self):
        return self.stats()["received"]["packets"]

    def has_lost_records(self):
        return any(totals["records"] for totals in self.stats()["destinations"][0]["lost"].values())

    def rate(self, seconds):
        before, begun = self.received(), time.monotonic()
        time.sleep(seconds)
        return (self.received() - before) / (time.monotonic() - begun)

    def end(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        summary = json.loads(self.process.communicate(timeout=60)[0])
        assert self.process.returncode == status, (self.process.returncode, summary, self.said())
        ledger_closes(summary)
        return summary["destinations"][0]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def faults(folder):
    port = free_port()
    probe, collectors = Probe(folder, "--to", f"tcp://127.0.0.1:{port}"), []
    try:
        usual = probe.rate(1.0)
        with check("a collector that comes late gets templates first, and all records"):
            collectors.append(Collector(port, folder))
            collectors[0].gets_more()
        with check("a collector that is stopped does not slow receiving"):
            collectors[0].process.send_signal(signal.SIGSTOP)
            during = probe.rate(STOPPED)
            collectors[0].process.send_signal(signal.SIGCONT)
            assert during > usual / 2, f"{during:.0f} packets a second, {usual:.0f} before"
            collectors[0].gets_more()
        with check("a collector that is killed and started again gets templates first"):
            collectors[0].kill()
            during = probe.rate(1.0)
            assert during > usual / 2, f"{during:.0f} packets a second, {usual:.0f} before"
            collectors.append(Collector(port, folder))
            collectors[1].gets_more()
        with check("the ledger closes after all that, and no record is lost"):
            told = probe.end()
            for collector in collectors:
                collector.begins_with_templates()
            assert told["sessions"] >= 2, told
    finally:
        probe.close()
        for collector in collectors:
            if collector.process.poll() is None:
                collector.kill()


def killed(folder):
    rotating = {"export__rotate": 1}
    arguments = ("--out", str(folder / "flows-%H%M%S.ipfix"))
    probe = Probe(folder, *arguments, **rotating)
    try:
        whole = lambda: sorted(folder.glob("flows-*.ipfix"))
        wait_until("two whole files", lambda: len(whole()) >= 2)
        probe.process.send_signal(signal.SIGKILL)
        probe.process.wait()
        for path in whole():
            dump(path.read_bytes(), "--stats")
    finally:
        probe.close()
    probe = Probe(folder, *arguments, **rotating)
    try:
        assert "did not end in order" in probe.said(), probe.said()
        probe.end()
    finally:
        probe.close()


def overflow(folder):
    probe = Probe(folder, "--to", f"tcp://127.0.0.1:{free_port()}", export__backlog_octets=1 << 20)
    try:
        usual = probe.rate(0.5)
        wait_until("records are lost", probe.has_lost_records)
        assert probe.rate(1.0) > usual / 2
        told = probe.end(LOST)
        lost = {cause: totals for cause, totals in told["lost"].items() if totals["records"]}
        assert lost, told
    finally:
        probe.close()


with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    for number, test in enumerate((faults, killed, overflow)):
        (scratch / str(number)).mkdir()
    with check("collectors late, stopped, killed"):
        faults(scratch / "0")
    with check("files that were rotated before a kill are whole, and the next start says what is lost"):
        killed(scratch / "1")
    with check("a collector that never comes costs records by name, and no packets"):
        overflow(scratch / "2")
finish()
