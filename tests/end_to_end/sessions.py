# SPDX-License-Identifier: BSD-3-Clause
"""Every collector gets every flow, over UDP and TCP, IPv4 and IPv6; what a dead one did not get is lost by name."""
import json
import socket
import threading

from support.collectors import CAPTURES, ipfix_file, flow, same
from support.weir_cli import check, finish, flows, ledger_closes, weir

LOST = 4
ADDRESSES = {"IPv4": (socket.AF_INET, "127.0.0.1", "127.0.0.1"), "IPv6": (socket.AF_INET6, "::1", "[::1]")}


class Inbox:
    """A collector that keeps what it is sent, as one stream of messages."""

    def __init__(self, family, address, kind):
        self.stream, self.octets = kind == socket.SOCK_STREAM, b""
        self.socket = socket.socket(family, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        if self.stream:
            self.socket.listen()
            self.reader = threading.Thread(target=self.read_stream, daemon=True)
            self.reader.start()

    def read_stream(self):
        connection, _ = self.socket.accept()
        with connection:
            while octets := connection.recv(65536):
                self.octets += octets

    def received(self):
        """After the sender has ended."""
        if self.stream:
            self.reader.join(30)
        else:
            self.socket.setblocking(False)
            while True:
                try:
                    self.octets += self.socket.recv(65536)
                except BlockingIOError:
                    break
        self.socket.close()
        return self.octets


for scheme, kind in (("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)):
    for name, (family, address, in_url) in ADDRESSES.items():
        with check(f"a collector over {scheme} and {name} gets every flow"):
            inbox = Inbox(family, address, kind)
            done = weir("replay", *CAPTURES, "--to", f"{scheme}://{in_url}:{inbox.port}", "--json")
            ledger_closes(json.loads(done.stdout))
            same([flow(record) for record in flows(inbox.received())], ipfix_file("uniflow")[1])

with check("a collector beside a file and another collector: each gets everything"):
    inboxes = [Inbox(*ADDRESSES["IPv4"][:2], kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
    done = weir("replay", *CAPTURES, "--out", "-", "--to", f"udp://127.0.0.1:{inboxes[0].port}", "--to",
                f"tcp://127.0.0.1:{inboxes[1].port}")
    for octets in (done.stdout, *(inbox.received() for inbox in inboxes)):
        same([flow(record) for record in flows(octets)], ipfix_file("uniflow")[1])

with check("a collector that is not there: flows are lost by name, the file has them all, status 4"):
    closed = Inbox(*ADDRESSES["IPv4"][:2], socket.SOCK_DGRAM)
    closed.socket.close()
    done = weir("replay", *CAPTURES, "--out", "/dev/null", "--to", f"tcp://127.0.0.1:{closed.port}", "--set",
                "export.wait_max=0", "--json", statuses=(LOST,))
    summary = json.loads(done.stdout)
    ledger_closes(summary)
    file, collector = summary["destinations"]
    assert file["exported"]["records"] == summary["records"] and not file["lost"], file
    assert sum(cause["records"] for cause in collector["lost"].values()) == summary["records"], collector
    assert str(closed.port) in done.stderr.decode(), done.stderr
finish()
