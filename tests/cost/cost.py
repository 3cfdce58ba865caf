#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Instructions that small fixed pieces of work take, beside those that instructions.tsv records.

    tests/cost/cost.py [PROGRAM]             fails where one takes over 5 % more; says where one takes over 5 % less
    tests/cost/cost.py [PROGRAM] --record    writes the record anew: in the commit that says why

callgrind counts them, so neither the machine nor its load matters, only what PROGRAM (build/tests/cost/workloads) was
made with: compiler, flags, C library, and the valgrind that shows it a processor. Where those are not the record's,
nothing is judged, and that is said.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/end_to_end"))
from support.weir_cli import Skip, check, finish  # noqa: E402

RECORD = ROOT / "tests/cost/instructions.tsv"
TOLERATED = 0.05
HEADER = "# Written by tests/cost/cost.py --record: instructions of each piece of work, for so many packets or records."


def made_with(program):
    """What its instructions depend on, as text; the work is done, too, and checked."""
    done = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{done.stdout.splitlines()[0]}, {valgrind}"


def measure(program):
    """→ {workload: (units, instructions)}."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/counts", program],
            capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
        counts = {}
        for path in pathlib.Path(folder).iterdir():
            text = path.read_text()
            trigger = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.MULTILINE)
            if trigger:
                counts[trigger[1]] = int(re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)[1])
    work = (line.split("\t") for line in done.stdout.splitlines()[1:])
    return {name: (int(units), counts[name]) for name, units in work}


def recorded():
    """→ (what the program was made with, {workload: (units, instructions)})."""
    if not RECORD.exists():
        return None, {}
    (_, made), _, *rows = (line.split("\t") for line in RECORD.read_text().splitlines() if not line.startswith("#"))
    return made, {name: (int(units), int(count)) for name, units, count in rows}


def record(made, found):
    lines = [HEADER, f"made with\t{made}", "workload\tunits\tinstructions",
             *(f"{name}\t{units}\t{count}" for name, (units, count) in found.items())]
    RECORD.write_text("\n".join(lines) + "\n")


def judge(name, found, before):
    assert before, f"{name} is not in {RECORD.name}: tests/cost/cost.py --record"
    assert before[0] == found[0], f"{name} does another amount of work than was recorded: tests/cost/cost.py --record"
    change = found[1] / before[1] - 1
    said = f"{found[1]} instructions, recorded {before[1]}: {change:+.1%}"
    assert change <= TOLERATED, f"{said}; find the reason, or record it (cost.py --record) in a commit that explains it"
    if change < -TOLERATED:
        print(f"note: {name}: {said}; record it (cost.py --record), so that it stays so")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("program", nargs="?", type=pathlib.Path, default=ROOT / "build/tests/cost/workloads")
    arguments.add_argument("--record", action="store_true", help="write the record anew")
    given = arguments.parse_args()
    if not shutil.which("valgrind") or not given.program.exists():
        with check("cost in instructions"):
            raise Skip(f"it takes valgrind, a Debian package, and {given.program}, which is built where valgrind is")
        finish()
    made, (made_before, before) = made_with(given.program), recorded()
    if before and made != made_before and not given.record:
        with check("cost in instructions"):
            raise Skip(f"NOT JUDGED: {RECORD.name} was recorded with {made_before}; this is {made}")
        finish()
    found = measure(given.program)
    if given.record:
        record(made, found)
        before = found
    for name, counts in found.items():
        with check(f"cost of {name}: {counts[1] / counts[0]:.1f} instructions each"):
            judge(name, counts, before.get(name))
    with check("every recorded cost is still measured"):
        assert not before.keys() - found.keys(), f"gone: {before.keys() - found.keys()}"
    finish()


if __name__ == "__main__":
    main()
