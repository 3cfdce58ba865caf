# SPDX-License-Identifier: BSD-3-Clause
"""python3-ipfix reads from weir's files the same values that weir dump does."""
import io

import ipfix.ie
import ipfix.reader

from support.collectors import DIRECTIONS, flow, ipfix_file, same
from support.weir_cli import check, finish

ipfix.ie.use_iana_default()
ipfix.ie.use_5103_default()
# Elements younger than the library's list.
for specification in ("minimumTTL(52)<unsigned8>[1]", "maximumTTL(53)<unsigned8>[1]",
                      "icmpTypeCodeIPv6(139)<unsigned16>[2]"):
    ipfix.ie.for_spec(specification)


def as_text(record):
    return {name: value.isoformat() if name.endswith("Milliseconds") else value for name, value in record.items()}


for direction in DIRECTIONS:
    with check(f"python3-ipfix reads {direction} files"):
        octets, expected = ipfix_file(direction)
        read = ipfix.reader.from_stream(io.BytesIO(octets)).namedict_iterator()
        same([flow(as_text(record)) for record in read if "flowStartMilliseconds" in record], expected)
finish()
