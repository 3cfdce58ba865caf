# SPDX-License-Identifier: BSD-3-Clause
"""Templates of the settings on the wire: weir dump, ipfixDump, tshark and python3-ipfix read what the settings named,
and learn from weir's own records (RFC 5610) what no registry has."""
import io
import pathlib
import re
import subprocess
import tempfile

import ipfix.ie
import ipfix.reader

from support.weir_cli import BIFLOW, ROOT, check, finish, records, weir

WEB = ROOT / "pcaps" / "web.pcap"
OWN = ("--set", "export.enterprise_number=4711", "--set", "export.elements=myVlan(4712/5)<unsigned32> = vlanId")


def replayed(*arguments):
    """Octets of the file that weir writes of WEB."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "flows.ipfix")
        weir("replay", WEB, *arguments, "--out", path)
        return path.read_bytes()


def template(text):
    return ("--set", f"export.templates={text}")


def with_file(octets, command):
    with tempfile.NamedTemporaryFile(suffix=".ipfix") as file:
        file.write(octets)
        file.flush()
        done = subprocess.run([*command, file.name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def named(some, name):
    return [record[name] for record in some if name in record]


with check("fields are those of the text, in its order, with its lengths"):
    octets = replayed(*template("all = packetDeltaCount[2] protocolIdentifier sourceIPv4Address sourceIPv6Address"))
    ipfix.ie.use_iana_default()
    ipfix.ie.use_5103_default()
    reader = ipfix.reader.from_stream(io.BytesIO(octets))
    read = [record for record in reader.namedict_iterator() if "protocolIdentifier" in record]
    assert read and all(list(record) == ["packetDeltaCount", "protocolIdentifier", "sourceIPv4Address"]
                        for record in read), read[:1]

with check("python3-ipfix reads the profile python-ipfix with its own lists alone"):
    ipfix.ie.clear_infomodel()
    ipfix.ie.use_iana_default()
    ipfix.ie.use_5103_default()
    octets = replayed(*template("python-ipfix"), *BIFLOW)
    read = [record for record in ipfix.reader.from_stream(io.BytesIO(octets)).namedict_iterator()
            if "octetDeltaCount" in record]
    assert read
    unknown = {name for record in read for name in record if name.startswith("_ipfix")}
    assert not unknown, unknown

OWN_TEMPLATE = template("default latePacketDeltaCount ipEcnSeen myVlan initialTCPFlags")
with check("weir dump learns the names of elements under numbers that it has not heard of"):
    read = records(replayed(*OWN, *OWN_TEMPLATE))
    assert named(read, "latePacketDeltaCount") and named(read, "myVlan"), read[-1]
    assert named(read, "myVlan") == named(read, "vlanId")
    assert not [name for record in read for name in record if "/" in name], read[-1]

with check("without type information they are numbers"):
    read = records(replayed(*OWN, *OWN_TEMPLATE, "--set", "export.type_information=off"))
    assert named(read, "4711/1") and named(read, "4712/5"), read[-1]

for settings in ((), ("--set", "export.message_octets=512"), BIFLOW):
    with check(f"ipfixDump knows their names from the first record on {' '.join(settings[1:])}".rstrip()):
        octets = replayed(*OWN, *OWN_TEMPLATE, *settings)
        text = with_file(octets, ["ipfixDump", "--rfc5610", "-d", "-i"])
        assert "_alien" not in text, text[-2000:]
        for name in ("latePacketDeltaCount", "myVlan"):
            shown = [int(value) for value in re.findall(rf" {name} : (\d+)$", text, re.MULTILINE)]
            assert shown == named(records(octets), name), shown

with check("tshark finds nothing malformed in type information and common properties"):
    octets = replayed(*OWN, *OWN_TEMPLATE, "--set", "export.common_properties=on")
    text = with_file(octets, ["tshark", "-V", "-r"])
    assert "Malformed" not in text and "Expert Info (Error" not in text
    assert "myVlan" in text and "latePacketDeltaCount" in text, text[-2000:]

with check("common properties are told once, and records carry their number instead"):
    plain, common = replayed(), replayed("--set", "export.common_properties=on")
    sets = {record["commonPropertiesId"]: record for record in records(common)
            if "commonPropertiesId" in record and "egressInterface" in record}
    assert sets
    assert sorted(record["ipVersion"] for record in sets.values()) == [4, 6], sets
    flows = [record for record in records(common) if "octetDeltaCount" in record]
    rejoined = sorted((sets[flow["commonPropertiesId"]]["ipVersion"], flow["octetDeltaCount"]) for flow in flows)
    assert rejoined == sorted((flow["ipVersion"], flow["octetDeltaCount"]) for flow in records(plain)
                              if "octetDeltaCount" in flow)
    assert not any("egressInterface" in flow for flow in flows)

with check("a template that no message of 512 octets can hold is refused with the sum, others are split over messages"):
    done = weir("replay", WEB, "--out", "-", "--set", "export.message_octets=512", *template("full"), statuses=(2,))
    assert b"of template 256 (full" in done.stderr, done.stderr
    some = [item for protocol in range(1, 21) for item in template(f"{protocol} = default")]
    octets = replayed("--set", "export.message_octets=512", *some)
    lengths, at = [], 0
    while at < len(octets):
        lengths.append(int.from_bytes(octets[at + 2:at + 4], "big"))
        at += lengths[-1]
    assert max(lengths) <= 512 and len(lengths) > 5, lengths
    assert len(named(records(octets), "octetDeltaCount")) == len(named(records(replayed()), "octetDeltaCount"))
finish()
