# SPDX-License-Identifier: BSD-3-Clause
"""`weir run` as people start and stop it: what is wrong is one line that names it and the way out; signals end it."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile

from support.live import HEAP, PATIENCE, Probe, need_root, probe, received, replayed, same_flows
from support.weir_cli import ROOT, WEIR, check, finish, flows, weir

WEB, DNS, LINKS = (ROOT / "pcaps" / name for name in ("web.pcap", "dns.pcap", "links.pcapng"))
UNUSABLE, USAGE, LOST = 1, 2, 4
FILE = f"net_pcap0,rx_pcap={WEB}"
SMALL = ("--set", "flow.capacity=65536")
FORCED_END = 4


def refused(name, status, words, *arguments, **how):
    """With a line that has these words, and nothing on standard output."""
    with check(f"refused, and said why: {name}"):
        done = weir("run", *HEAP, "--set", "live.control=", *arguments, statuses=(status,), seconds=PATIENCE, **how)
        said = done.stderr.decode(errors="replace")
        last = said.strip().splitlines()[-1]
        assert last.startswith("weir: ") and all(word in last for word in words), said
        assert not done.stdout, done.stdout


refused("no port", USAGE, ["live.ports", "weir ports"])
refused("a device that is none", USAGE, ["eth_nowhere0", "live.ports"], "eth_nowhere0")
refused("a word that is no device", USAGE, ["nonsense", "PCI address"], "nonsense")
refused("an interface of the kernel's", USAGE, ["lo", "net_af_packet0,iface=lo"], "lo")
refused("an interface that is not there", USAGE, ["net_af_packet0", "nowhere7"], "net_af_packet0,iface=nowhere7")
refused("a driver that DPDK has not", USAGE, ["net_nonsense0"], "net_nonsense0")
refused("an argument that the driver has not", USAGE, ["net_pcap0"], "net_pcap0,nonsense=1")
refused("a PCI device that is not there", USAGE, ["0000:7f:1f.7"], "0000:7f:1f.7")
refused("a capture that is not there", UNUSABLE, ["/nowhere.pcap"], "net_pcap0,rx_pcap=/nowhere.pcap")
refused("a capture of another link", UNUSABLE, [LINKS.name, "weir replay"], f"net_pcap0,rx_pcap={LINKS}")
refused("one name twice", USAGE, ["net_pcap0 is there twice"], FILE, f"net_pcap0,rx_pcap={DNS}")
refused("a CPU that is not there", USAGE, ["live.worker_cpus", "99"], FILE, "--set", "live.worker_cpus=99")
refused("CPUs that are no numbers", USAGE, ["live.worker_cpus", "some"], FILE, "--set", "live.worker_cpus=some")
refused("too many workers", USAGE, ["live.workers", "64"], FILE, "--workers", "65")
refused("a setting that is none", USAGE, ["live.nonsense"], FILE, "--set", "live.nonsense=1")
refused("a value out of its range", USAGE, ["live.mtu", "16000"], FILE, "--set", "live.mtu=99999")
refused("a filter with a mistake", USAGE, ["tcpp", "pcap-filter(7)"], FILE, "--filter", "tcpp")
refused("an argument that EAL has not", USAGE, ["live.eal"], FILE, "--set", "live.eal=--nonsense")
refused("a word that EAL would ignore", USAGE, ["live.eal", "x y"], FILE, "--set", "live.eal=x y")
refused("an EAL option that is weir's to give", USAGE, ["live.eal", "--lcores", "live.worker_cpus"], FILE,
        "--set", "live.eal=['--lcores=0@0']")
refused("brackets that are no list", USAGE, ["live.eal", "not a list"], FILE, "--set", "live.eal=[--log-level")
refused("a capability that there is not", USAGE, ["live.capabilities", "net_rwa", "net_raw"], FILE,
        "--set", "live.user=nobody", "--set", "live.capabilities=net_rwa")
if all(path.read_text() == "0\n" for path in pathlib.Path("/sys/kernel/mm/hugepages").glob("*/free_hugepages")):
    refused("huge pages that are not there", USAGE, ["huge pages of 2 MiB", "echo ", "nr_hugepages"], FILE,
            "--set", "live.memory=hugepages")
refused("a file that cannot be written", USAGE, ["/nowhere/flows.ipfix"], FILE, "--out", "/nowhere/flows.ipfix")
refused("a collector of an unknown kind", USAGE, ["carrier://pigeon"], FILE, "--to", "carrier://pigeon")
refused("a settings file that is not there", USAGE, ["/nowhere.yaml"], FILE, "--config", "/nowhere.yaml")
refused("more flows than memory", USAGE, ["flow.capacity"], FILE, "--set", "flow.capacity=268435456") \
    if os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 64 << 30 else None

with check("a list of --set is read as in the file: DPDK hears it"), \
        probe(FILE, *SMALL, "--set", "live.eal=['--log-level', 'lib.eal:debug']") as running:
    assert running.said("EAL: "), running.lines
    running.stop()

with check("weir ctl stats says what the summary says, and what each worker does"), \
        probe(FILE, *SMALL, "--workers", "2", "--set", "flow.hash_key=7") as running:
    running.wait_until_received(replayed(WEB)[0])
    said = weir("ctl", "stats", "--socket", running.control).stdout.decode()
    summary, _ = running.stop()
    assert said.startswith("as of now: ") and "{" not in said, said
    packets, octets = (f"{summary['received'][unit]:,}" for unit in ("packets", "octets"))
    for words in (f"received {packets} = metered {packets}", f"received {octets} = ", " by 2 workers", " in the table",
                  "worker 0", "worker 1", "records in ", f"metered {packets}: "):
        assert words in said, f"'{words}' is not in {said}"
    assert running.said("flow.hash_key is for replay"), running.lines

with check("a summary that cannot be written is said, and is no success"), \
        tempfile.TemporaryDirectory() as folder, open("/dev/full", "wb") as full:
    done = subprocess.run([WEIR, "replay", WEB, "--out", pathlib.Path(folder, "flows")], stdout=full,
                          stderr=subprocess.PIPE, timeout=PATIENCE)
    assert done.returncode == UNUSABLE and b"standard output cannot be written: No space" in done.stderr, done

with check("a reload that is refused changes nothing, names the limit, and the supervisor hears that it was refused"), \
        tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
    settings = pathlib.Path(folder, "weir.yaml")
    settings.write_text("flow.timeout_active: 60\n")
    supervisor.bind(str(pathlib.Path(folder, "notify")))
    supervisor.settimeout(PATIENCE)
    os.environ["NOTIFY_SOCKET"] = supervisor.getsockname()
    try:
        with probe(FILE, *SMALL, "--config", settings, settings=HEAP) as running:
            settings.write_text("flow.timeout_active: 7200\n")
            running.process.send_signal(signal.SIGHUP)
            heard = ""
            while "STATUS=reload" not in heard:
                heard = supervisor.recv(4096).decode()
            assert heard.startswith("READY=1\n") and "reload refused: " in heard and "4260 s" in heard, heard
            settings.write_text("flow.timeout_active: 30\n")
            running.process.send_signal(signal.SIGHUP)
            heard = ""
            while "STATUS=reload" not in heard:
                heard = supervisor.recv(4096).decode()
            assert "STATUS=reloaded\n" in heard, heard
            running.stop()
    finally:
        del os.environ["NOTIFY_SOCKET"]

with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    if os.geteuid() == 0:
        refused("a folder that live.user may not write", USAGE, ["nobody", f"{folder}/.", "chown nobody"], FILE,
                "--out", f"{folder}/flows.ipfix", "--set", "live.user=nobody")
        with check("and nothing is left in it"):
            assert not os.listdir(folder), os.listdir(folder)

with check("a probe whose records go nowhere says so, and what to set"):
    said = weir("run", "eth_nowhere0", *HEAP, "--set", "live.control=", statuses=(USAGE,)).stderr.decode()
    assert "records go nowhere" in said and "--to" in said and "--out" in said, said
    said = weir("run", "eth_nowhere0", *HEAP, "--set", "live.control=", "--out", "/dev/null", statuses=(USAGE,))
    said = said.stderr.decode()
    assert "records go nowhere" not in said, said

with check("live.user names its files, in a folder like /tmp, too"), tempfile.TemporaryDirectory() as folder:
    need_root()
    os.chmod(folder, 0o1777)
    out = pathlib.Path(folder, "flows.ipfix")
    settings = ("--set", "live.control=", "--set", "live.user=nobody")
    with subprocess.Popen([*Probe.command(), FILE, *HEAP, *SMALL, *settings, "--out", out], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as running:
        for line in running.stderr:
            if "metering " in line:
                break
        running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=PATIENCE)[1]
    assert running.returncode == 0 and len(flows(out.read_bytes())) > 0, said
    assert out.stat().st_uid != 0 and os.listdir(folder) == [out.name], os.listdir(folder)

with check("collectors without a route, or without a name, keep no probe from starting: their records wait"):
    need_root()
    absent = ("udp://192.0.2.1:4739", "tcp://collector.invalid:4739")
    to = [word for url in absent for word in ("--to", url)]
    with probe(FILE, *SMALL, *to, under=("unshare", "-n")) as running:
        for url in absent:
            running.wait_until_said(f"{url}: ")
        running.process.send_signal(signal.SIGTERM)
        summary = json.loads(running.process.stdout.read())
        assert running.process.wait(PATIENCE) == LOST and summary["ledger"] == "closed", running.lines
    assert running.said("no way there: Network is unreachable; records wait for it"), running.lines

with check("two probes side by side both meter"), contextlib.ExitStack() as both:
    probes = [both.enter_context(probe(f"net_pcap0,rx_pcap={path}", *SMALL)) for path in (WEB, DNS)]
    for running, path in zip(probes, (WEB, DNS)):
        summary, octets = running.stop()
        packets, expected = replayed(path)
        assert received(summary) == packets, summary
        same_flows(flows(octets), expected)

with check("a second probe with the first one's control socket is refused, and the first goes on"), \
        probe(FILE, *SMALL) as first:
    done = weir("run", FILE, *HEAP, *SMALL, "--set", f"live.control={first.control}", statuses=(UNUSABLE, USAGE))
    assert str(first.control) in done.stderr.decode(), done.stderr
    assert first.received() > 0
    first.stop()

with check("a second probe with the first one's file is refused, or leaves it whole"), probe(FILE, *SMALL) as first:
    done = subprocess.Popen([*Probe.command(), FILE, *HEAP, *SMALL, "--set", "live.control=", "--out",
                             first.out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in done.stderr:
            if "metering " in line:
                break
        done.send_signal(signal.SIGTERM)
        done.communicate(timeout=PATIENCE)
    finally:
        done.kill()
        done.wait()
    summary, octets = first.stop()
    assert sum(flow["packetDeltaCount"] for flow in flows(octets)) == summary["metered"]["packets"], \
        f"the file of the first is not its own; the second exited {done.returncode}"

for stop_signal in (signal.SIGINT, signal.SIGTERM):
    with check(f"{stop_signal.name} ends all flows (forced end), exports them, closes the ledger: status 0"):
        with probe(FILE, *SMALL) as running:
            summary, octets = running.stop(stop_signal)
        assert {flow["flowEndReason"] for flow in flows(octets)} == {FORCED_END}, summary["end_reasons"]
        same_flows(flows(octets), replayed(WEB)[1])

with check("a signal before the probe meters ends it in order, too"):
    running = Probe(FILE, *SMALL)
    try:
        running.wait_until_said("node ")
        running.process.send_signal(signal.SIGTERM)
        summary = json.loads(running.process.stdout.read())
        assert running.process.wait(PATIENCE) == 0 and summary["ledger"] == "closed", running.lines
    finally:
        running.end()

with check("a second SIGINT ends a probe that is busy ending, at once, by that signal"):
    with probe(FILE, *SMALL, "--to", "tcp://192.0.2.1:4739") as running:
        running.process.send_signal(signal.SIGSTOP)
        running.process.send_signal(signal.SIGINT)
        running.process.send_signal(signal.SIGCONT)
        running.process.send_signal(signal.SIGINT)
        status = running.process.wait(PATIENCE)
    assert status in (0, 4, -signal.SIGINT), f"status {status}: {running.lines}"

with check("records on standard output, the summary on standard error"):
    with tempfile.TemporaryDirectory() as folder:
        control = pathlib.Path(folder, "control")
        with subprocess.Popen([*Probe.command(), FILE, *HEAP, *SMALL, "--set", f"live.control={control}", "--out", "-"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            lines = []
            for line in running.stderr:
                lines.append(line)
                if b"metering " in line:
                    break
            running.send_signal(signal.SIGTERM)
            octets, rest = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0 and b"ledger: closed" in rest, rest
    assert len(flows(octets)) > 0 and b"ledger" not in octets
finish()
