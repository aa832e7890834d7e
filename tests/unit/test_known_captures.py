# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Captures with records that are known, byte for byte, in each format (`make check`).

`python3 tests/unit/test_known_captures.py --write` writes what the program says now into known/: read
the difference before it is committed. links.pcapng is by tests/tools/link_types.py.
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import netns
from rows import in_rows, rows

KNOWN = HERE / "known"
CAPTURES = {"servers": HERE.parent / "captures/servers.pcap", "links": KNOWN / "links.pcapng"}
# Of each file in known/: the capture, and what is asked.
ASKED = {
    "servers.txt": ("servers", "-f", "text", "--stats"),
    "servers.jsonl": ("servers", "-f", "json"),
    "servers.zeek": ("servers", "-f", "zeek"),
    "servers-gathered.jsonl": ("servers", "-f", "json", "--gather=1000"),
    "servers-short.jsonl": ("servers", "-f", "json", "-l", "8", "--port", "21,25", "--max-flows", "64"),
    "servers-need.jsonl": ("servers", "-f", "json", "--need", "handshake"),
    "links.jsonl": ("links", "-f", "json"),
    "links.txt": ("links", "-f", "text", "--stats"),
    "links.zeek": ("links", "-f", "zeek", "--not-net", "2001:db8::/32"),
}


def run(asked, name, data=None):
    """Its records, then what it said; without what is of today."""
    done = subprocess.run([netns.BINARY, *asked, "-r", name], input=data, timeout=netns.PATIENCE,
                          capture_output=True, cwd=netns.ROOT, env={**os.environ, "TZ": "UTC"})
    assert done.returncode == 0, done
    return re.sub(rb"(?m)^(#(?:open|close)\t).*", rb"\1", done.stdout) + done.stderr


def said_of(name):
    capture, *asked = ASKED[name]
    return run(asked, os.path.relpath(CAPTURES[capture], netns.ROOT))


@in_rows
class KnownCaptures(unittest.TestCase):
    maxDiff = None

    @rows([(name,) for name in ASKED])
    def test_records(self, name):
        expected = (KNOWN / name).read_bytes()
        assert expected
        self.assertEqual(said_of(name).decode().splitlines(), expected.decode().splitlines())

    @rows([(capture, packed) for capture in CAPTURES for packed in (False, True)])
    def test_standard_input(self, capture, packed):
        """A pipe, compressed or not, gives the same records, but for the file's name."""
        data = CAPTURES[capture].read_bytes()
        expected = (KNOWN / f"{capture}.txt").read_bytes()
        assert run(["-f", "text", "--stats"], "-", gzip.compress(data) if packed else data) == expected


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for file in ASKED:
            (KNOWN / file).write_bytes(said_of(file))
    else:
        unittest.main()
