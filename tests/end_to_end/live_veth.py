# SPDX-License-Identifier: BSD-3-Clause
"""`weir run` on a live link: what was sent is in the ledger, and the records are those of `weir replay`."""
import contextlib
import functools
import pathlib
import signal
import socket
import tempfile
import time

from support.frames import is_fragment, retimed, whole_ethernet, write_pcap
from support.live import (comparable, missed, need_root, queues, received, replayed, same_flows, splits, wait_for,
                          whoever_came_first)
from support.rig import packet_socket, rig
from support.weir_cli import BIFLOW, ROOT, Skip, all_captures, check, finish, flows

PCAP = "net_pcap0,rx_iface=RX"
PACKET = "net_af_packet0,iface=RX"
XDP = "net_af_xdp0,iface=RX"
UNUSABLE_INPUT = 1
TAP_INTERFACE, TAP_FRAME, TAP_FLOOD, TAP_TRICKLE = "weirtap", bytes(12) + b"\x08\x00" + bytes(46), 5000, 200
TAP = f"net_tap0,iface={TAP_INTERFACE}"
AF_XDP = 44  # Linux's number, which Python learns later
JUMBO, LINK_HEADERS = 9000, 18
ETHERNET_SHORTEST, EACH_MAX = 14, 400
PACKET_FRAME_MAX = 1982  # what a frame of 2048 octets in the kernel's ring holds of the one on the wire
XDP_FRAME_MAX = 1514
WEB = ROOT / "pcaps/web.pcap"
TINY_RING = PACKET + ",framesz=2048,blocksz=65536,framecnt=64"

# Frames on their way at once, of those that the kernel's ring holds.
PCAP_WINDOW, PACKET_WINDOW, XDP_WINDOW = 64, 2000, 256

folder = tempfile.TemporaryDirectory()


@functools.cache
def frames():
    """Of all captures that a link can carry, one after the other; of the long ones their beginnings."""
    need_root()
    return retimed([frame for some in whole_ethernet(all_captures()).values() for frame in some[:EACH_MAX]
                    if ETHERNET_SHORTEST <= len(frame.octets) <= JUMBO + LINK_HEADERS])


def capture(name, some):
    return write_pcap(pathlib.Path(folder.name, name), retimed(some))


def metered_exactly(link, device, some, window, *options, workers=1, form=comparable):
    packets, expected = replayed(capture("sent.pcap", some), *options)
    with link.probe(device, *options, "--workers", workers) as probe:
        link.send_in_step(some, probe, window)
        summary, octets = probe.stop()
    assert received(summary) == packets == len(some), f"{received(summary)} packets received of {packets} sent"
    assert missed(summary) == 0, summary["ports"]
    assert splits(summary) == 0, summary["splits"]
    assert not probe.said("please report"), probe.lines
    same_flows(flows(octets), expected, form)
    return summary, probe.lines


def need_xdp():
    try:
        socket.socket(AF_XDP, socket.SOCK_RAW).close()
    except OSError as why:
        raise Skip(f"this kernel has no AF_XDP: {why.strerror}") from why


for direction, options in (("uniflow", ()), ("biflow", BIFLOW)):
    with check(f"net_pcap on an interface: jumbo frames, fragments, VLANs, {direction}: exactly replay's records"):
        with rig(mtu=JUMBO) as link:
            metered_exactly(link, PCAP, frames(), PCAP_WINDOW, *options)

for direction, options in (("uniflow", ()), ("biflow", BIFLOW)):
    with check(f"net_af_packet, 2 queues, 2 workers, {direction}: exactly replay's records, its limits said"):
        some = [frame for frame in frames() if not is_fragment(frame) and len(frame.octets) <= PACKET_FRAME_MAX]
        with rig(mtu=JUMBO) as link:
            summary, lines = metered_exactly(link, PACKET, some, PACKET_WINDOW, *options, workers=2,
                                             form=whoever_came_first)
            assert len(queues(summary)) == 2 and all(queues(summary)), queues(summary)
            assert any("fragments" in line and str(PACKET_FRAME_MAX) in line for line in lines), lines

with check("net_af_xdp: exactly replay's records"):
    need_xdp()
    some = [frame for frame in frames() if len(frame.octets) <= XDP_FRAME_MAX]
    with rig() as link:
        metered_exactly(link, XDP, some, XDP_WINDOW)


def overload(link, probe, path):
    """The probe stands still while packets come, more than the kernel's ring holds."""
    probe.process.send_signal(signal.SIGSTOP)
    link.send(path, None)
    probe.process.send_signal(signal.SIGCONT)


for name, device, options in (("net_af_packet", TINY_RING, ()),
                              ("net_af_packet, 2 queues", TINY_RING, ("--set", "live.workers=2")),
                              ("net_af_packet without buffers", TINY_RING, ("--set", "live.buffers=40")),
                              ("net_pcap", PCAP, ())):
    with check(f"{name}, overloaded: received + missed is what was sent, to the packet, and said"):
        path = capture("flood.pcap", [frame for frame in frames() if not is_fragment(frame) and
                                      len(frame.octets) <= XDP_FRAME_MAX])
        with rig() as link, link.probe(device, *options) as probe:
            before = link.stats()
            overload(link, probe, path)
            stats = link.stats()
            on_the_way = stats["backlog_drops_machine"] - before["backlog_drops_machine"]
            offered = stats["received"] - on_the_way
            wait_for(lambda: probe.said("missed") or probe.said("kernel_dropped"), "the loss is said")
            summary, _ = probe.stop()
        assert missed(summary) > 0, summary["ports"]
        assert received(summary) + missed(summary) == offered, (received(summary), missed(summary), offered)
        assert summary["ports"][0]["offered"] == offered, summary["ports"]

with check("net_tap, overloaded and without buffers: received + missed is what was sent, each loss by its name"):
    need_root()
    with rig() as link, link.probe(TAP, "--set", "live.mtu=1500", "--set", "live.descriptors=64", "--set",
                                   "live.buffers=100") as probe:
        link.at_receiver("ip", "link", "set", TAP_INTERFACE, "up")
        with packet_socket(link.receiver_namespace, TAP_INTERFACE) as wire:
            probe.process.send_signal(signal.SIGSTOP)
            for _ in range(TAP_FLOOD):
                wire.send(TAP_FRAME)
            probe.process.send_signal(signal.SIGCONT)
            for _ in range(TAP_TRICKLE):  # without buffers the driver stops until a packet wakes it
                wire.send(TAP_FRAME)
                time.sleep(0.01)
        summary, _ = probe.stop()
    lost = summary["ports"][0]["lost"]
    assert received(summary) + missed(summary) == TAP_FLOOD + TAP_TRICKLE, (received(summary), lost)
    assert lost["kernel_dropped"] > TAP_FLOOD / 2 and lost["no_buffer"] > 10, lost
    assert probe.said("kernel_dropped") and probe.said("no_buffer"), probe.lines

def down_and_up(at_end, interface, probe):
    begin = len(probe.lines)
    for state in ("down", "up"):
        at_end("ip", "link", "set", interface, state)
        said = f"the link is {state}"
        wait_for(lambda: any(said in line for line in probe.lines[begin:]), said)


for device in (PACKET, PCAP):
    kind = device.partition("0,")[0]
    with check(f"{kind}: each end goes down and up, then the interface is deleted: said, nothing lost, the end"):
        packets, expected = replayed([WEB] * 3)
        with rig() as link, link.probe(device) as probe:
            link.send(WEB)
            probe.wait_until_received(packets // 3)
            for turn, (at_end, interface) in enumerate([(link.at_sender, link.sender),
                                                        (link.at_receiver, link.receiver)], 2):
                down_and_up(at_end, interface, probe)
                link.send(WEB)
                probe.wait_until_received(turn * packets // 3)
            link.at_sender("ip", "link", "delete", link.sender)
            probe.wait_until_said("no port is left")
            summary, octets = probe.stop(expected=UNUSABLE_INPUT)
        assert received(summary) == packets and missed(summary) == 0, summary["ports"]
        assert summary["ports"][0]["link"] == "gone", summary["ports"]
        same_flows(flows(octets), expected)
folder.cleanup()
finish()
