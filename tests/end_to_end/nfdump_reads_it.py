# SPDX-License-Identifier: BSD-3-Clause
"""nfcapd collects from weir over UDP, and nfdump prints the same values that weir dump does.

It knows no biflows, and keeps icmpTypeCode in the place of the destination port of all that is not TCP or UDP (1.7.1):
those are not compared.
"""
import json
import os
import subprocess
import tempfile

from support.collectors import LOOPBACK, collector, free_port, ipfix_file, same, send
from support.reckoning import milliseconds
from support.weir_cli import check, finish

BUFFER = "8388608"
UTC = os.environ | {"TZ": "UTC"}
NAMES = {"protocol": "proto", "source_port": "src_port", "destination_port": "dst_port", "packets": "in_packets",
         "octets": "in_bytes", "tos": "src_tos", "in": "input_snmp", "out": "output_snmp"}


def flow(record):
    words = {word: record.get(name, 0) for word, name in NAMES.items()}
    words |= {"source": record.get("src4_addr") or record["src6_addr"],
              "destination": record.get("dst4_addr") or record["dst6_addr"],
              "start": milliseconds(record["first"]), "end": milliseconds(record["last"])}
    words["flags"] = sum(bit for bit, letter in zip((1, 2, 4, 8, 16, 32, 64, 128), "FSRPAUEC")
                         if letter in record.get("tcp_flags", ""))
    words["icmp"] = record.get("icmp_type", 0) * 256 + record.get("icmp_code", 0)
    return words


def as_nfcapd_keeps(flow):
    return flow if flow["protocol"] in (6, 17) else flow | {"destination_port": 0}


def collected():
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with collector(["nfcapd", "-4", "-b", LOOPBACK, "-p", str(port), "-w", folder, "-B", BUFFER], port, env=UTC):
            send("uniflow", port)
        done = subprocess.run(["nfdump", "-R", folder, "-o", "json"], capture_output=True, text=True, env=UTC)
    return [flow(record) for record in json.loads(done.stdout)]


with check("nfcapd collects and nfdump prints what weir sends"):
    read = collected()
    same(read, list(map(as_nfcapd_keeps, ipfix_file("uniflow")[1])), sorted(read[0]))
finish()
