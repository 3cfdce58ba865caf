# SPDX-License-Identifier: BSD-3-Clause
"""`weir run` on the other virtual devices of DPDK's: a tap, shared memory (memif) and virtio, whose other end is a
process of DPDK's own (dpdk-testpmd), and several ports at once. A few packets each, and the ledger closes."""
import contextlib
import pathlib
import shutil
import subprocess
import tempfile

from support.frames import frames_of, retimed, whole_ethernet, write_pcap
from support.live import PATIENCE, meter, need_root, probe, received, replayed, same_flows, wait_for
from support.rig import rig
from support.weir_cli import ROOT, Skip, check, finish, flows

TESTPMD = "dpdk-testpmd"
WEB, ICMP = (ROOT / "pcaps" / name for name in ("web.pcap", "icmp.pcap"))  # no flow is in both
SMALL = ("--set", "flow.capacity=65536")
TAP = "weirtap"


@contextlib.contextmanager
def testpmd(device, capture):
    """A sender that is connected, and reads no packet before send()."""
    if not shutil.which(TESTPMD):
        raise Skip(f"there is no {TESTPMD}")
    need_root()
    command = [TESTPMD, "--no-pci", "--no-huge", "-m", "256", "--no-shconf", "--no-telemetry", "-l", "0,1",
               f"--vdev=net_pcap0,rx_pcap={capture}", f"--vdev={device}", "--", "--interactive",
               "--no-flush-rx", "--total-num-mbufs=4096"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    try:
        yield running
        with contextlib.suppress(subprocess.TimeoutExpired, ValueError):
            running.communicate("quit\n", timeout=PATIENCE)
    finally:
        running.kill()
        running.wait()


def tell(running, line):
    running.stdin.write(line + "\n")
    running.stdin.flush()


def metered_from(peer, device, connected):
    """`device` is weir's end; `connected` says when the peer may send."""
    packets, expected = replayed(WEB)
    with tempfile.TemporaryDirectory() as folder:
        socket = pathlib.Path(folder, "socket")
        with peer(socket, device(socket)) as (running, sender):
            connected(running)
            tell(sender, "start")
            running.wait_until_received(packets)
            summary, octets = running.stop()
    assert received(summary) == packets, summary["ports"]
    same_flows(flows(octets), expected)


@contextlib.contextmanager
def weir_first(socket, device):
    with probe(device, *SMALL) as running, \
            testpmd(f"net_memif0,role=client,socket={socket},socket-abstract=no", WEB) as sender:
        yield running, sender


@contextlib.contextmanager
def peer_first(socket, device):
    with testpmd(f"net_vhost0,iface={socket},queues=1", WEB) as sender:
        wait_for(socket.exists, "the peer listens")
        with probe(device, *SMALL) as running:
            yield running, sender


with check("net_memif: what another process sends through shared memory, and its link"):
    metered_from(weir_first, lambda socket: f"net_memif0,role=server,socket={socket},socket-abstract=no",
                 lambda running: running.wait_until_said("the link is up"))

with check("net_virtio_user: what another process sends through vhost"):
    metered_from(peer_first, lambda socket: f"net_virtio_user0,path={socket},queues=1,queue_size=1024",
                 lambda running: None)

with check("net_tap: what the kernel sends into it"), tempfile.TemporaryDirectory() as folder:
    need_root()
    if not pathlib.Path("/dev/net/tun").exists():
        raise Skip("this kernel has no tap")
    frames = [frame for some in whole_ethernet([WEB]).values() for frame in some]
    capture = write_pcap(pathlib.Path(folder, "sent.pcap"), retimed(frames))
    packets, expected = replayed(capture)
    with rig() as link, link.probe(f"net_tap0,iface={TAP}", *SMALL) as running:
        link.at_receiver("sysctl", "-qw", f"net.ipv6.conf.{TAP}.disable_ipv6=1")
        link.at_receiver("ip", "link", "set", TAP, "up")
        link.at_receiver("tcpreplay", "-q", "-i", TAP, "--pps=2000", capture)
        running.wait_until_received(packets)
        summary, octets = running.stop()
    assert received(summary) == packets == len(frames), summary["ports"]
    same_flows(flows(octets), expected)

with check("two ports of two kinds at once: each record names its port, one ledger"), rig() as link, \
        tempfile.TemporaryDirectory() as folder:
    icmp, web = (write_pcap(pathlib.Path(folder, path.name), retimed(whole_ethernet([path])[path]))
                 for path in (ICMP, WEB))
    (icmp_packets, icmp_flows), (web_packets, web_flows) = replayed(icmp), replayed(web)
    with link.probe("net_af_packet0,iface=RX", f"net_pcap1,rx_pcap={web}", *SMALL, "--workers", "2") as running:
        link.send(icmp, 2000)
        running.wait_until_received(icmp_packets + web_packets)
        summary, octets = running.stop()
    assert [sum(queue["received"] for queue in port["queues"]) for port in summary["ports"]] == \
        [icmp_packets, web_packets], summary["ports"]
    for number, expected in ((1, icmp_flows), (2, web_flows)):
        same_flows([flow for flow in flows(octets) if flow["ingressInterface"] == number], expected)
finish()
