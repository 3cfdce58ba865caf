# SPDX-License-Identifier: BSD-3-Clause
"""Runs weir for the end-to-end tests, and tells how each check went: one line each, `ok`, `FAILED` or `skipped`."""
import concurrent.futures
import contextlib
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[3]
WEIR = str(pathlib.Path(os.environ.get("WEIR", ROOT / "build/src/app/weir")).resolve())
MAKE_CAPTURE = pathlib.Path(WEIR).parents[2] / "bench/make_capture"
SHARED = pathlib.Path(os.environ["WEIR_SHARED"]) if os.environ.get("WEIR_SHARED") else None
WORKERS = (1, 2, 3, 8)
# Timeouts out of the way: every key is one record.
ENDLESS = ("--set", "flow.timeout_idle=315360000", "--set", "flow.timeout_active=315360000", "--set",
           "flow.tcp_close=off")
BIFLOW = ("--set", "flow.direction=biflow")
REVERSE = "reverse"

_failed = 0


class Skip(Exception):
    """Raised in a check that cannot run here; says why."""


def tell(line):
    """As one piece: several checks may run at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def check(name):
    """The body passes, fails (any exception) or is skipped; the others go on."""
    global _failed
    try:
        yield
        tell(f"ok {name}")
    except Skip as why:
        tell(f"skipped {name}: {why}")
    except Exception as why:  # the test's own mistakes count as failures, too
        _failed += 1
        tell(f"FAILED {name}: {why}")
        if not isinstance(why, AssertionError):
            traceback.print_exc()


def each(items, function):
    """function(item) for each, as many at once as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(function, items))


def finish():
    sys.exit(1 if _failed else 0)


def captures_in(folder):
    return sorted(path for path in folder.iterdir() if path.suffix in (".pcap", ".pcapng"))


def own_captures():
    return captures_in(ROOT / "pcaps")


def shared_captures():
    return captures_in(SHARED / "pcaps") if SHARED else []


def all_captures():
    """Ours, and those of WEIR_SHARED, whose absence is said aloud."""
    if not SHARED:
        with check("captures of WEIR_SHARED"):
            raise Skip("WEIR_SHARED is not set")
    return own_captures() + shared_captures()


def weir(*arguments, stdin=None, statuses=(0,), seconds=300):
    """Runs weir to its end. A status not among `statuses` fails the check."""
    assert os.access(WEIR, os.X_OK), f"no {WEIR}: ./run.sh builds it; WEIR names another"
    done = subprocess.run([WEIR, *map(str, arguments)], input=stdin, capture_output=True, timeout=seconds)
    errors = done.stderr.decode(errors="replace")
    assert done.returncode in statuses, f"weir {arguments[0]} exited {done.returncode}: {errors.strip()[-2000:]}"
    return done


def replay(captures, *options, statuses=(0, 3)):
    """→ (what --json says, the IPFIX file's octets). 3 is a damaged capture, which some of the shared ones are."""
    captures = [captures] if isinstance(captures, (str, pathlib.Path)) else captures
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "flows.ipfix")
        done = weir("replay", *captures, *options, "--out", out, "--json", statuses=statuses)
        return json.loads(done.stdout), out.read_bytes()


def dump(ipfix, *options):
    """What `weir dump` prints of IPFIX octets."""
    return weir("dump", "-", *options, stdin=ipfix).stdout.decode()


def records(ipfix):
    """All Data Records, those of options too, as dicts by element name; without what is said of their messages (@)."""
    lines = map(json.loads, dump(ipfix, "--json").splitlines())
    return [{name: value for name, value in line.items() if not name.startswith("@")} for line in lines]


def flows(ipfix):
    """The flow records alone."""
    return [record for record in records(ipfix) if "flowStartMilliseconds" in record and "packetDeltaCount" in record]


def same_records(captures, *options):
    """Any number of workers makes the same of them, and the ledger closes. → packets received."""
    expected = None
    for workers in WORKERS:
        summary, ipfix = replay(captures, *options, "--workers", workers)
        ledger_closes(summary)
        now = summary["received"], summary["outcomes"], sorted(map(repr, flows(ipfix)))
        expected = expected or now
        assert now[:2] == expected[:2], f"{workers} workers: {now[:2]}, else {expected[:2]}"
        assert now[2] == expected[2], f"{workers} workers: other records than {WORKERS[0]} makes"
    return expected[0]["packets"]


def ledger_closes(summary):
    """Line 1 from `--json`'s terms alone. (Line 2 is weir's own check: status 5.)"""
    for unit in ("packets", "octets"):
        became = summary["metered"][unit] + sum(outcome[unit] for outcome in summary["outcomes"].values())
        assert summary["received"][unit] == became, f"received {summary['received'][unit]} {unit}, accounted {became}"


def plain(path):
    """A capture's octets, gzip undone."""
    octets = path.read_bytes()
    return gzip.decompress(octets) if octets[:2] == b"\x1f\x8b" else octets
