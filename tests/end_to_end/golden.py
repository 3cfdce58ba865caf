# SPDX-License-Identifier: BSD-3-Clause
"""`weir dump` prints of each of our captures exactly what tests/golden holds.

`golden.py --write` writes it anew: read it against the capture's text before you commit it.
"""
import difflib
import sys

from support.weir_cli import BIFLOW, ROOT, check, dump, finish, own_captures, replay

GOLDEN = ROOT / "tests/golden"
# Of tunnels entered: what is inside, in which network, and what is around it.
INNER_KEY = ("sourceIPv4Address", "destinationIPv4Address", "sourceIPv6Address", "destinationIPv6Address",
             "sourceTransportPort", "destinationTransportPort", "protocolIdentifier", "virtualNetworkIdentifier")
INNER = ("--set", "decode.tunnels=inner", *(word for name in INNER_KEY for word in ("--set", f"flow.key={name}")),
         "--set", "export.templates=all = minimal tunnelTechnology tunnelDepth tunnelIdentifier "
         "virtualNetworkIdentifier greKey gtpuTEid gtpuFlags gtpuQFI gtpuPduType outerSourceIPv4Address "
         "outerDestinationIPv4Address outerSourceIPv6Address outerDestinationIPv6Address outerSourceTransportPort "
         "outerDestinationTransportPort outerProtocolIdentifier outerIpClassOfService outerIpTTL outerOctetDeltaCount")
AS_BIFLOW = {"web", "dns", "icmp", "timeouts", "port_reuse", "fragments"}


def cases():
    for capture in own_captures():
        yield capture, GOLDEN / f"{capture.stem}.txt", ()
        if capture.stem in AS_BIFLOW:
            yield capture, GOLDEN / f"{capture.stem}_biflow.txt", BIFLOW
        if capture.stem == "tunnels":
            yield capture, GOLDEN / "tunnels_inner.txt", INNER


for capture, golden, options in cases():
    with check(f"{golden.name} is what weir dump prints"):
        printed = dump(replay(capture, *options)[1])
        if sys.argv[1:] == ["--write"]:
            golden.write_text(printed)
        expected = golden.read_text() if golden.exists() else ""
        assert printed == expected, "\n" + "\n".join(
            difflib.unified_diff(expected.splitlines(), printed.splitlines(), "golden", "now", lineterm="", n=0))
finish()
