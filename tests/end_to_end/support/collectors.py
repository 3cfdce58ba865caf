# SPDX-License-Identifier: BSD-3-Clause
"""What every test with somebody else's collector needs: flows to send, a place to send them to, and how to compare."""
import contextlib
import functools
import ipaddress
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter

from support.reckoning import milliseconds
from support.weir_cli import BIFLOW, ROOT, flows, weir

CAPTURES = [ROOT / "pcaps" / name for name in
            ("web.pcap", "dns.pcap", "icmp.pcap", "fragments.pcap", "ipv6_extensions.pcap", "vlan.pcap")]
DIRECTIONS = {"uniflow": (), "biflow": BIFLOW}
LOOPBACK = "127.0.0.1"
PATIENCE = 30.0  # seconds until a collector that is not ready has failed

# Our word for a value: IPFIX's. `flow()` adds source, destination and icmp, whose elements depend on the IP version.
WORDS = {"protocol": "protocolIdentifier", "source_port": "sourceTransportPort",
         "destination_port": "destinationTransportPort", "packets": "packetDeltaCount", "octets": "octetDeltaCount",
         "start": "flowStartMilliseconds", "end": "flowEndMilliseconds", "flags": "tcpControlBits",
         "tos": "ipClassOfService", "vlan": "vlanId", "in": "ingressInterface", "out": "egressInterface",
         "ttl_least": "minimumTTL", "ttl_most": "maximumTTL", "reason": "flowEndReason", "version": "ipVersion"}
REVERSED = ("packets", "octets", "start", "end", "flags", "tos", "in", "ttl_least", "ttl_most")


def flow(record):
    """A record by element names → by our words; `reverse_…` only if it has a reverse direction."""
    version = 4 if "sourceIPv4Address" in record else 6
    words = {word: record[element] for word, element in WORDS.items()}
    words |= {end: str(ipaddress.ip_address(str(record[f"{end}IPv{version}Address"])))
              for end in ("source", "destination")}
    words["icmp"] = record[f"icmpTypeCodeIPv{version}"]
    if "reversePacketDeltaCount" in record:
        words |= {f"reverse_{word}": record["reverse" + WORDS[word][0].upper() + WORDS[word][1:]] for word in REVERSED}
    return {word: milliseconds(value) if word.endswith(("start", "end")) else value for word, value in words.items()}


@functools.cache
def ipfix_file(direction):
    """→ (octets of the file that weir writes of CAPTURES, its flows as weir dump reads them)."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "flows.ipfix")
        weir("replay", *CAPTURES, *DIRECTIONS[direction], "--out", path)
        octets = path.read_bytes()
    return octets, [flow(record) for record in flows(octets)]


def same(read, expected, words=None):
    """Every flow was read, with the same values for `words` (all that either side has, by default)."""
    def counted(some):
        return Counter(tuple((word, one.get(word)) for word in words or sorted(one)) for one in some)

    assert expected, "weir exported no flows"
    missing, extra = counted(expected) - counted(read), counted(read) - counted(expected)
    assert not missing and not extra, "\n  ".join(
        [f"{len(missing)} of {len(expected)} not read, {len(extra)} read that are not there"] +
        [f"weir has {dict(values)}" for values in list(missing)[:3]] +
        [f"they have {dict(values)}" for values in list(extra)[:3]])


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def udp_socket_on(port):
    """The kernel's line about it: (octets waiting, datagrams dropped), or None if nobody listens."""
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rpartition(":")[2], 16) == port:
                return int(words[4].partition(":")[2], 16), int(words[-1])
    return None


def wait_until(what, ready):
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def collector(command, port, says="", **options):
    """Runs a collector until the body is done, has it take what it was sent, then ends it as Ctrl-C would. It is ready
    when it listens and has said `says`."""
    with tempfile.NamedTemporaryFile("r", errors="replace") as log:
        process = subprocess.Popen(command, stdout=log.fileno(), stderr=subprocess.STDOUT, **options)
        try:
            def ready():
                said = pathlib.Path(log.name).read_text(errors="replace")
                assert process.poll() is None, f"{command[0]} ended: {said[-2000:]}"
                return udp_socket_on(port) and says in said

            wait_until(f"{command[0]} is ready on {port}", ready)
            yield
            wait_until(f"{command[0]} takes what it was sent", lambda: udp_socket_on(port)[0] == 0)
            assert udp_socket_on(port)[1] == 0, "the collector's socket dropped datagrams"
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def send(direction, port):
    """Has weir send the flows of CAPTURES to a collector on loopback."""
    weir("replay", *CAPTURES, *DIRECTIONS[direction], "--to", f"udp://{LOOPBACK}:{port}", "--set",
         "export.udp.rate=1000")
