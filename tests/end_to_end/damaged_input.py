# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with an input is said in one line: file, packet, offset. The rest goes on, and the status tells."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile

from support.weir_cli import ROOT, WEIR, check, finish, flows, ledger_closes, weir

WEB = ROOT / "pcaps/web.pcap"
DNS = ROOT / "pcaps/dns.pcap"
WEB_PACKETS, DNS_PACKETS = 17, 13
PCAP_HEADER, RECORD_HEADER = 24, 16
USELESS, DAMAGED = 1, 3
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def complaint(done, *words):
    """The one line on standard error, which must have all the words."""
    lines = done.stderr.decode().strip().splitlines()
    assert len(lines) == 1, f"not one line: {lines}"
    for word in words:
        assert str(word) in lines[0], f"{word!r} is not in {lines[0]!r}"


def offset_of(octets, packet):
    """Where the record of a packet (counted from 1) begins in a little-endian pcap."""
    at = PCAP_HEADER
    for _ in range(packet - 1):
        at += RECORD_HEADER + struct.unpack_from("<I", octets, at + 8)[0]
    return at


def replay_damaged(folder, name, octets, *words, packets):
    """The damaged file first, a good one after it: both are metered as far as they go."""
    path = pathlib.Path(folder, name)
    path.write_bytes(octets)
    done = weir("replay", path, WEB, "--json", "--out", path.with_suffix(".ipfix"), statuses=(DAMAGED,))
    complaint(done, path, *words)
    summary = json.loads(done.stdout)
    ledger_closes(summary)
    assert summary["received"]["packets"] == packets + WEB_PACKETS, summary["received"]
    assert sum(flow["packetDeltaCount"] for flow in flows(path.with_suffix(".ipfix").read_bytes())) == \
        summary["metered"]["packets"]


with tempfile.TemporaryDirectory() as folder:
    web = WEB.read_bytes()
    at = offset_of(web, 10)
    with check("a file cut in the middle of a packet"):
        replay_damaged(folder, "cut.pcap", web[:at + RECORD_HEADER + 100], "10", at, packets=9)
    with check("a file cut in the middle of a record header"):
        replay_damaged(folder, "cut_header.pcap", web[:at + 5], "10", at, packets=9)
    with check("a record length beyond any snap length"):
        octets = bytearray(web)
        struct.pack_into("<I", octets, at + 8, 0x7FFFFFFF)
        replay_damaged(folder, "length.pcap", bytes(octets), "10", at, packets=9)
    with check("an empty file"):
        path = pathlib.Path(folder, "empty.pcap")
        path.write_bytes(b"")
        complaint(weir("replay", path, statuses=(USELESS,)), path)
    with check("a file that is no capture"):
        complaint(weir("replay", ROOT / "LICENSE", statuses=(USELESS,)), ROOT / "LICENSE")
    with check("a directory"):
        complaint(weir("replay", folder, statuses=(USELESS,)), folder)
    with check("a file that is not there"):
        complaint(weir("replay", f"{folder}/none.pcap", statuses=(USELESS,)), f"{folder}/none.pcap")
    with check("a file without permission"):
        path = pathlib.Path(folder, "secret.pcap")
        path.write_bytes(web)
        path.chmod(0)
        os.chmod(folder, 0o755)
        prefix = NOBODY if os.geteuid() == 0 else ()
        done = subprocess.run([*prefix, WEIR, "replay", path], capture_output=True, timeout=60)
        assert done.returncode == USELESS, done
        complaint(done, path, "ermission")
    with check("files that can be read go on beside one that cannot"):
        out = pathlib.Path(folder, "flows.ipfix")
        done = weir("replay", f"{folder}/none.pcap", WEB, folder, DNS, "--json", "--out", out, statuses=(USELESS,))
        assert json.loads(done.stdout)["metered"]["packets"] == WEB_PACKETS + DNS_PACKETS
        assert sum(flow["packetDeltaCount"] for flow in flows(out.read_bytes())) == WEB_PACKETS + DNS_PACKETS

finish()
