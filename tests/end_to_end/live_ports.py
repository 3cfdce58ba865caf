# SPDX-License-Identifier: BSD-3-Clause
"""`weir ports`: what it says of links and NICs is so, and what is not there hides nothing that is."""
import json
import pathlib
import tempfile

from support.live import wait_for
from support.rig import rig
from support.weir_cli import ROOT, WEIR, check, finish, weir

UNUSABLE = 1
BEHIND_AN_INTERFACE = ("net_af_packet0,iface=RX", "net_pcap0,rx_iface=RX")


def listed(link, device, *form):
    return link.at_receiver(WEIR, "ports", device.replace("RX", link.receiver), *form)


def kernel_says(link, state):
    """Soon after the other end was changed, not at once."""
    return ("state UP" in link.at_receiver("ip", "link", "show", link.receiver)) == (state == "up")


for device in BEHIND_AN_INTERFACE:
    kind = device.partition("0,")[0]
    with check(f"{kind}: its link and speed are the kernel's, before anything is started"), rig() as link:
        claimed = int(link.at_receiver("ethtool", link.receiver).partition("Speed: ")[2].partition("Mb/s")[0])
        for state in ("up", "down"):
            link.at_sender("ip", "link", "set", link.sender, state)
            wait_for(lambda: kernel_says(link, state), f"the kernel says {state}")
            port, = json.loads(listed(link, device, "--json"))["ports"]
            assert (port["link"], port["bits_per_second"]) == (state, claimed * 1_000_000), (port, claimed)
            assert f"link        {state}, " in listed(link, device), state

with check("a link that nobody can know of is said to be not started, without a speed"):
    port, = json.loads(weir("ports", "net_null0", "--json").stdout)["ports"]
    assert (port["link"], port["bits_per_second"]) == ("not started", 0), port
    assert "  link        not started\n" in weir("ports", "net_null0").stdout.decode()

with check("a device that is not there is named, and those that are there are listed"), \
        tempfile.TemporaryDirectory() as folder:
    settings = pathlib.Path(folder, "weir.yaml")
    settings.write_text("live: {ports: ['net_af_packet0,iface=nowhere7', net_null0, net_nonsense0]}\n")
    done = weir("ports", "--config", settings, "--json", statuses=(UNUSABLE,))
    found = json.loads(done.stdout)
    assert [port["name"] for port in found["ports"]] == ["net_null0"], found
    assert [absent["device"].partition(",")[0] for absent in found["absent"]] == ["net_af_packet0", "net_nonsense0"]
    assert "nowhere7" in found["absent"][0]["why"] and b"nowhere7" in done.stderr, done.stderr

with check("the sample settings that name no interface of this machine do not hide its NICs"):
    done = weir("ports", "--config", ROOT / "conf/no-nic.yaml", statuses=(0, UNUSABLE))
    plain = weir("ports")
    for line in plain.stdout.decode().splitlines():
        assert line in done.stdout.decode() or line.startswith("no port is bound"), (line, done)

with check("programs are told of the kernel's NICs what people are told"):
    lines = weir("ports").stdout.decode()
    for nic in json.loads(weir("ports", "--json").stdout)["kernel"]:
        assert nic["address"] in lines and all(line in lines for line in nic["commands"] + nic["warnings"]), nic
        for interface in nic["interfaces"]:
            assert f"{interface['name']} {interface['state']}" in lines, interface
        assert nic["commands"] or nic["warnings"], nic
finish()
