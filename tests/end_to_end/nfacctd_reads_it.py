# SPDX-License-Identifier: BSD-3-Clause
"""nfacctd (pmacct) collects from weir over UDP the same values that weir dump reads. It knows no biflows."""
import json
import pathlib
import tempfile

from support.collectors import LOOPBACK, collector, free_port, ipfix_file, same, send, wait_until
from support.reckoning import milliseconds
from support.weir_cli import check, finish

CONFIGURATION = """
daemonize: false
nfacctd_ip: {address}
nfacctd_port: {port}
nfacctd_time_new: true
timestamps_utc: true
timestamps_rfc3339: true
num_protos: true
plugins: print[flows]
aggregate[flows]: {words}
print_output[flows]: json
print_output_file[flows]: {file}
print_output_file_append[flows]: true
print_refresh_time[flows]: 1
"""
AGGREGATE = ("src_host, dst_host, src_port, dst_port, proto, tos, tcpflags, vlan, in_iface, out_iface, "
             "timestamp_start, timestamp_end")
NAMES = {"source_port": "port_src", "destination_port": "port_dst", "protocol": "ip_proto", "packets": "packets",
         "octets": "bytes", "tos": "tos", "vlan": "vlan", "flags": "tcp_flags", "in": "iface_in", "out": "iface_out"}


def flow(record):
    return {word: int(record[name]) for word, name in NAMES.items()} | {
        "source": record["ip_src"], "destination": record["ip_dst"],
        "start": milliseconds(record["timestamp_start"]), "end": milliseconds(record["timestamp_end"])}


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def collected(expected):
    with tempfile.TemporaryDirectory() as folder:
        file, configuration, port = pathlib.Path(folder, "flows"), pathlib.Path(folder, "configuration"), free_port()
        configuration.write_text(CONFIGURATION.format(address=LOOPBACK, port=port, words=AGGREGATE, file=file))
        with collector(["nfacctd", "-f", str(configuration)], port):
            send("uniflow", port)
            wait_until(f"nfacctd writes {expected} flows", lambda: len(lines(file)) >= expected)
        return [flow(json.loads(line)) for line in lines(file)]


with check("nfacctd collects and prints what weir sends"):
    expected = ipfix_file("uniflow")[1]
    read = collected(len(expected))
    same(read, expected, sorted(read[0]))
finish()
