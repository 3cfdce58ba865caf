# SPDX-License-Identifier: BSD-3-Clause
"""What the command line takes and refuses: inputs of every kind, several destinations, a line for each mistake."""
import gzip
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from support.weir_cli import ROOT, WEIR, check, finish, flows, ledger_closes, replay, weir

WEB = ROOT / "pcaps/web.pcap"
DNS = ROOT / "pcaps/dns.pcap"
WEB_PACKETS, WEB_FLOWS = 17, 8
PCAP_HEADER = 24
USAGE, LOST = 2, 4


def half_way(octets):
    """Where a packet in the middle begins."""
    at = PCAP_HEADER
    while at < len(octets) // 2:
        at += 16 + struct.unpack_from("<I", octets, at + 8)[0]
    return at


for arguments, words in {
        ("replay",): (),
        ("replay", WEB, "--workers", "0"): ("workers",),
        ("replay", WEB, "--set", "flow.timeout_idle=never"): ("flow.timeout_idle",),
        ("replay", WEB, "--set", "flow.timeout_idle=315360001"): ("flow.timeout_idle", "315360000"),
        ("replay", WEB, "--set", "flow.no_such=1"): ("flow.no_such",),
        ("replay", WEB, "--out", ""): ("--out",),
        ("replay", WEB, "--to", ""): ("--to",),
        ("replay", WEB, "--to", "udp://"): ("udp://",),
        ("replay", WEB, "--to", "http://localhost"): ("http://localhost",),
        ("replay", WEB, "--filter", "tcp port nothing at all"): ("filter",),
        ("replay", WEB, "--config", "/no/such/weir.yaml"): ("/no/such/weir.yaml",),
        ("replay", WEB, "--no-such-option"): ("--no-such-option",),
        ("no-such-command",): ()}.items():
    with check("refused: weir " + " ".join(getattr(word, "name", word) for word in arguments)):
        done = weir(*arguments, statuses=(USAGE,))
        for word in words:
            assert word in done.stderr.decode(), done.stderr.decode()

with check("records that a full disk does not take are lost, and said to be"):
    done = weir("replay", WEB, "--out", "/dev/full", statuses=(LOST,))
    assert b"/dev/full" in done.stderr, done.stderr
with check("standard input is a capture, too"):
    piped = weir("replay", "-", "--out", "-", stdin=WEB.read_bytes())
    assert piped.stdout == replay(WEB)[1], "other bytes than from the file"
with check("standard output goes into weir dump"):
    piped = weir("replay", WEB, "--out", "-")
    assert len(flows(piped.stdout)) == WEB_FLOWS
with check("a filter's packets are an outcome"):
    summary, ipfix = replay(WEB, "--filter", "udp port 53")
    ledger_closes(summary)
    assert summary["outcomes"]["filtered"]["packets"] == WEB_PACKETS - 4, summary["outcomes"]
    assert len(flows(ipfix)) == 4
with check("conf/weir.yaml says the defaults"):
    assert replay(WEB, "--config", ROOT / "conf/weir.yaml")[1] == replay(WEB)[1]
with tempfile.TemporaryDirectory() as folder:
    with check("a gzip'd capture is the same as a plain one"):
        packed = pathlib.Path(folder, "web.pcap.gz")
        packed.write_bytes(gzip.compress(WEB.read_bytes()))
        assert replay(packed)[1] == replay(WEB)[1]
        piped = weir("replay", "-", "--out", "-", stdin=packed.read_bytes())
        assert piped.stdout == replay(WEB)[1], "on standard input"
    with check("several files are one stream"):
        octets = WEB.read_bytes()
        at = half_way(octets)
        halves = [pathlib.Path(folder, name) for name in ("first.pcap", "second.pcap")]
        halves[0].write_bytes(octets[:at])
        halves[1].write_bytes(octets[:PCAP_HEADER] + octets[at:])
        assert replay(halves)[1] == replay(WEB)[1], "two halves are not the whole"
    with check("several destinations each get everything"):
        paths = [pathlib.Path(folder, name) for name in ("one.ipfix", "two.ipfix")]
        weir("replay", WEB, DNS, "--out", paths[0], "--out", paths[1])
        assert paths[0].read_bytes() == paths[1].read_bytes() == replay([WEB, DNS])[1]
    with check("a file in the making has a temporary name"):
        out = pathlib.Path(folder, "whole.ipfix")
        weir("replay", WEB, "--out", out)
        assert [path.name for path in out.parent.iterdir() if "whole" in path.name] == ["whole.ipfix"]
    with check("a capture is never overwritten by its own flows"):
        capture, link = pathlib.Path(folder, "capture.pcap"), pathlib.Path(folder, "link.pcap")
        shutil.copy(WEB, capture)
        link.symlink_to(capture)
        assert b"overwritten" in weir("replay", DNS, capture, "--out", link, statuses=(USAGE,)).stderr
        with capture.open("rb") as stdin:
            done = subprocess.run([WEIR, "replay", "-", "--out", capture], stdin=stdin, stderr=subprocess.PIPE,
                                  check=False)
        assert done.returncode == USAGE and b"overwritten" in done.stderr, done.stderr
        assert capture.read_bytes() == WEB.read_bytes()
    with check("one file under two names is refused"):
        out = pathlib.Path(folder, "twice.ipfix")
        done = weir("replay", WEB, "--out", out, "--out", f"{folder}/./twice.ipfix", statuses=(USAGE,))
        assert b"twice" in done.stderr and not out.exists(), done.stderr
with tempfile.TemporaryDirectory() as folder:
    with check("an interrupted wait for a pipe's reader leaves nothing behind"):
        os.mkfifo(f"{folder}/pipe")
        waiting = subprocess.Popen([WEIR, "replay", WEB, "--out", f"{folder}/whole.ipfix", "--out", f"{folder}/pipe"],
                                   stderr=subprocess.PIPE)
        while waiting.poll() is None and len(os.listdir(folder)) == 1:  # until the first file is in the making
            time.sleep(0.01)
        waiting.send_signal(signal.SIGINT)
        _, stderr = waiting.communicate(timeout=60)
        assert waiting.returncode == 0 and b"interrupted" in stderr, (waiting.returncode, stderr)
        assert os.listdir(folder) == ["pipe"], os.listdir(folder)
finish()
