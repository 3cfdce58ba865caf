#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What style asks for and a program can see: formatting, who includes whom, sizes, licence lines, words not used."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/end_to_end"))
from support.weir_cli import check, finish  # noqa: E402

STAGES = ("capture", "decode", "flow", "ipfix", "transport")
LINES_WATCHED, LINES_MAX, COLUMNS_MAX, README_LINES_MAX = 400, 600, 120, 20
TABLES = {".inc"}  # long by nature
# What the data path does without, and how it looks in a source.
UNWANTED = {"using namespace": r"^\s*using namespace\b", "iostreams": r"#include <(iostream|fstream)>",
            "shared_ptr": r"\bshared_ptr\b", "RTTI": r"\b(dynamic_cast|typeid)\b",
            "packed structs": r"__attribute__\(\(packed|#pragma pack"}


def sources(*folders):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*")
                  if path.suffix in (".hpp", ".cpp", ".inc", ".h"))


def scripts():
    return sorted([*ROOT.glob("*.sh"), *(ROOT / "tests").rglob("*.sh"), *(ROOT / "tests").rglob("*.py"),
                   *(ROOT / "pcaps").glob("*.py"), *(ROOT / "bench").rglob("*.sh"), *(ROOT / "bench").rglob("*.py")])


CODE = sources("include", "src", "tests", "bench")


def name(path):
    return str(path.relative_to(ROOT))


def none(wrong):
    wrong = list(wrong)
    assert not wrong, "\n  ".join(["", *wrong])


def included(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


def wrong_includes(stage):
    """A stage includes the joints (with <>), base and its own folder, never another stage."""
    allowed = {stage, "base"}
    return [f"{name(path)} includes {what}" for path in sources(f"src/{stage}") for what in included(path)
            if what.split("/")[0] not in allowed]


with check("formatting"):
    formatted = [str(path) for path in CODE if path.suffix != ".inc"]
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *formatted], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]

for stage in ("base", *STAGES):
    with check(f"{stage} includes no other stage"):
        none(wrong_includes(stage))

with check("joints include joints alone"):
    none(f"{name(path)} includes {what}" for path in sources("include") for what in included(path))

with check("every source folder has a short README"):
    folders = [ROOT / "src" / folder for folder in ("app", "base", *STAGES)]
    none([f"{name(folder)}: no README.md" for folder in folders if not (folder / "README.md").exists()] +
         [f"{name(readme)}: over {README_LINES_MAX} lines" for folder in folders for readme in folder.glob("README.md")
          if len(readme.read_text().splitlines()) > README_LINES_MAX])

with check("every source names its licence"):
    none(name(path) for path in [*CODE, *scripts()]
         if not any("SPDX-License-Identifier: BSD-3-Clause" in line for line in path.read_text().splitlines()[:2]))

with check(f"no file beyond {LINES_MAX} lines"):
    sizes = {name(path): len(path.read_text().splitlines())
             for path in [*CODE, *scripts()] if path.suffix not in TABLES}
    for path, lines in sizes.items():
        if lines > LINES_WATCHED:
            print(f"note: {path} has {lines} lines")
    none(f"{path}: {lines} lines" for path, lines in sizes.items() if lines > LINES_MAX)

with check(f"no line beyond {COLUMNS_MAX} columns"):
    none(f"{name(path)}:{number}" for path in [*CODE, *scripts()] if path.suffix not in TABLES
         for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > COLUMNS_MAX)

with check("no file is called utils, common, helpers, manager or impl"):
    none(name(path) for path in [*CODE, *scripts()] if re.search(r"util|common|helper|manager|impl\b", path.stem))

for what, pattern in UNWANTED.items():
    with check(f"no {what}"):
        none(name(path) for path in sources("include", "src") if re.search(pattern, path.read_text(), re.MULTILINE))

finish()
