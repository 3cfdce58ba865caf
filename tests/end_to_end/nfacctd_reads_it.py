# SPDX-License-Identifier: BSD-3-Clause
"""nfacctd (pmacct) collects from weir over UDP the same values that weir dump reads.

It knows no biflows, and takes tcpControlBits only where they have one octet (1.7.7), too few for the ECN bits: flags
are not compared.
"""
import json
import pathlib
import socket
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
plugins: print[flows]
aggregate[flows]: {words}
print_output[flows]: json
print_output_file[flows]: {file}
print_output_file_append[flows]: true
print_refresh_time[flows]: 3600
"""
PLUGIN_READY = "JSON: setting object handlers"
AGGREGATE = ("src_host, dst_host, src_port, dst_port, proto, tos, vlan, in_iface, out_iface, "
             "timestamp_start, timestamp_end")
NAMES = {"source_port": "port_src", "destination_port": "port_dst", "packets": "packets",
         "octets": "bytes", "tos": "tos", "vlan": "vlan", "in": "iface_in", "out": "iface_out"}


def protocol_number(name):
    return int(name) if name.isdigit() else socket.getprotobyname(name)


def flow(record):
    return {word: int(record[name]) for word, name in NAMES.items()} | {
        "source": record["ip_src"], "destination": record["ip_dst"], "protocol": protocol_number(record["ip_proto"]),
        "start": milliseconds(record["timestamp_start"]), "end": milliseconds(record["timestamp_end"])}


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def collected(expected):
    with tempfile.TemporaryDirectory() as folder:
        file, configuration, port = pathlib.Path(folder, "flows"), pathlib.Path(folder, "configuration"), free_port()
        configuration.write_text(CONFIGURATION.format(address=LOOPBACK, port=port, words=AGGREGATE, file=file))
        with collector(["nfacctd", "-f", str(configuration)], port, says=PLUGIN_READY):
            send("uniflow", port)
        wait_until(f"nfacctd has written {expected} flows", lambda: len(lines(file)) >= expected)
        return [flow(json.loads(line)) for line in lines(file)]


with check("nfacctd collects and prints what weir sends"):
    expected = ipfix_file("uniflow")[1]
    read = collected(len(expected))
    same(read, expected, sorted(read[0]))
finish()
