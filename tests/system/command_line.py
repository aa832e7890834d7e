# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bannerprobe as a command: run to its end, and what it says."""

import os
import re
import subprocess

from netns import BINARY, PATIENCE, ROOT

SERVERS = os.path.join(ROOT, "tests", "captures", "servers.pcap")
UNWRITABLE = ["no/such/directory", ".", "new/"]


def run(*args, **kwargs):
    """The program, run to its end: code, standard output, and the lines on standard error."""
    done = subprocess.run([BINARY, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=PATIENCE, **kwargs)
    return done.returncode, done.stdout.decode(), done.stderr.decode().splitlines()


def check_line(line, parts):
    assert re.match("bannerprobe: [ -~]+$", line), line
    assert not [part for part in parts if part not in line], line


def check_no_log_is_left(folder, args):
    """By a start that fails, or is tried; and nothing is written into an existing file."""
    (folder / "there").write_text("as it was\n")
    for name in "log", "there":
        code, out, lines = run(*args, "-o", folder / name)
        assert (out, len(lines), bool(code)) == ("", 1, "--check" not in args), (code, out, lines)
    assert os.listdir(folder) == ["there"]
    assert (folder / "there").read_text() == "as it was\n"


def check_unwritable_log(folder, args, name):
    code, out, lines = run("-o", name, *args, cwd=folder)
    assert (code, out, len(lines)) == (1, "", 1), lines
    check_line(lines[0], [f"-o {name}"])
    assert os.listdir(folder) == []
