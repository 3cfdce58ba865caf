# SPDX-License-Identifier: BSD-3-Clause
"""`weir dump` prints of each of our captures exactly what tests/golden holds.

`golden.py --write` writes it anew: read it against the capture's text before you commit it.
"""
import difflib
import sys

from support.weir_cli import BIFLOW, ROOT, check, dump, finish, own_captures, replay

GOLDEN = ROOT / "tests/golden"
AS_BIFLOW = {"web", "dns", "icmp", "timeouts", "port_reuse", "fragments"}


def cases():
    for capture in own_captures():
        yield capture, GOLDEN / f"{capture.stem}.txt", ()
        if capture.stem in AS_BIFLOW:
            yield capture, GOLDEN / f"{capture.stem}_biflow.txt", BIFLOW


for capture, golden, options in cases():
    with check(f"{golden.name} is what weir dump prints"):
        printed = dump(replay(capture, *options)[1])
        if sys.argv[1:] == ["--write"]:
            golden.write_text(printed)
        expected = golden.read_text() if golden.exists() else ""
        assert printed == expected, "\n" + "\n".join(
            difflib.unified_diff(expected.splitlines(), printed.splitlines(), "golden", "now", lineterm="", n=0))
finish()
