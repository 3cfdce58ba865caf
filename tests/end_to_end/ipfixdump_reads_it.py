# SPDX-License-Identifier: BSD-3-Clause
"""ipfixDump (libfixbuf) reads from weir's files what weir dump does, and finds no message out of sequence."""
import re
import subprocess
import tempfile

from support.collectors import DIRECTIONS, flow, ipfix_file, same
from support.weir_cli import check, finish

VALUE = re.compile(r"^\s+\((?:\d+/)?\d+\)\s+(\w+) : (.*)$")


def value(name, text):
    if name.endswith("Milliseconds"):
        return text.strip().replace(" ", "T")
    return int(text, 0) if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", text) else text


def data_records(text):
    for block in re.split(r"^--- (?:data|options).* record .*$", text, flags=re.MULTILINE)[1:]:
        yield {match[1]: value(*match.groups()) for match in map(VALUE.match, block.splitlines()) if match}


for direction in DIRECTIONS:
    with check(f"ipfixDump reads {direction} files"):
        octets, expected = ipfix_file(direction)
        with tempfile.NamedTemporaryFile() as file:
            file.write(octets)
            file.flush()
            done = subprocess.run(["ipfixDump", "-d", "-i", file.name], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
        same([flow(record) for record in data_records(done.stdout) if "flowStartMilliseconds" in record], expected)
finish()
