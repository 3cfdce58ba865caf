# SPDX-License-Identifier: BSD-3-Clause
"""A live link between two network namespaces, made by a tool beside the captures; taken down at the block's end."""
import contextlib
import ctypes
import shutil
import socket
import subprocess
import threading

from support.live import PATIENCE, probe
from support.weir_cli import SHARED, Skip

CLONE_NEWNET = 0x40000000
NEEDED = ("ip", "ethtool", "tcpreplay")


class Rig:
    def __init__(self, tool, name):
        self.tool, self.name = tool, name
        self.receiver, self.sender = f"{name}r", f"{name}t"
        self.receiver_namespace, self.sender_namespace = f"{name}-rx", f"{name}-tx"

    def run(self, *words):
        done = subprocess.run([self.tool, *map(str, words)], capture_output=True, text=True, timeout=4 * PATIENCE)
        assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}"
        return done.stdout

    def probe(self, *arguments, **how):
        """A `weir run` at the receiving end. RX in an argument stands for the interface."""
        words = [str(argument).replace("RX", self.receiver) for argument in arguments]
        return probe(*words, under=(self.tool, "rx", self.name, "--"), **how)

    def send_in_step(self, frames, running, window):
        """Never more than `window` frames on their way: exact however long this machine stands still, where a pace is
        so only while nothing else runs."""
        with packet_socket(self.sender_namespace, self.sender) as wire:
            for begin in range(0, len(frames), window):
                some = frames[begin:begin + window]
                for frame in some:
                    wire.send(frame.octets)
                running.wait_until_received(begin + len(some))

    def send(self, capture, packets_per_second=20_000, *more):
        """Returns once all is sent; None: as fast as it goes."""
        pace = f"--pps={packets_per_second}" if packets_per_second else "--topspeed"
        self.run("replay", self.name, capture, pace, *more)

    def at_sender(self, *command):
        return self.run("tx", self.name, "--", *command)

    def at_receiver(self, *command):
        return self.run("rx", self.name, "--", *command)

    def stats(self):
        """Packets: sent, received, and what the kernel dropped between the two ends."""
        return {name: int(count) for name, count in (word.split("=") for word in self.run("stats", self.name).split())}


@contextlib.contextmanager
def rig(queues=1, mtu=1500):
    tool = tool_of_shared("veth-rig.sh")
    for program in NEEDED:
        if not shutil.which(program):
            raise Skip(f"there is no {program}")
    made = subprocess.run([tool, "up", "-q", str(queues), "-m", str(mtu)], capture_output=True, text=True, timeout=60)
    if made.returncode != 0:
        raise Skip(f"no link can be made here: {made.stderr.strip()}")
    name = made.stdout.strip()
    try:
        yield Rig(tool, name)
    finally:
        subprocess.run([tool, "down", name], timeout=60, check=False)


@contextlib.contextmanager
def packet_socket(namespace, interface):
    """A raw socket on an interface elsewhere: a thread enters the namespace, opens it and ends."""
    opened = []

    def open_there():
        with open(f"/run/netns/{namespace}", "rb") as there:
            assert ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET) == 0, ctypes.get_errno()
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind((interface, 0))
        opened.append(wire)

    thread = threading.Thread(target=open_there)
    thread.start()
    thread.join()
    assert opened, f"no raw socket on {interface}"
    with opened[0] as wire:
        yield wire


def tool_of_shared(name):
    if not SHARED:
        raise Skip("WEIR_SHARED is not set")
    tool = SHARED / "tools" / name
    if not tool.exists():
        raise Skip(f"there is no {tool}")
    return str(tool)
