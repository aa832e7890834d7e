# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Captures that become shorter or longer while they are read, mapped or not."""

import contextlib
import fcntl
import gzip
import os
import signal
import struct
import subprocess
import termios
import time

import pytest

from netns import BINARY, PATIENCE, children_of
from packets import Connection, ethernet, parsed, pcap, pcapng, probe

CONNECTIONS = 1300
FILLER = bytes(4000)		# what a server sends after its banner
PIPE = 4096
WINDOW = 4 << 20		# bytes of a file that are mapped at a time
LINE = b"the file became shorter while it was read"


def frames_of(first, count, more=b""):
    """
    Connections whose banners do not end with a zero, and data behind each. They differ from one
    another in two bytes of the client's address and in a number.
    """
    talk = Connection(("10.98.255.254", 40000), ("192.0.2.1", 25))
    banner = b"220 the banner of number 00000" + more + b"\r\n"
    frames = [ethernet(packet) for packet in (*talk.greeted(banner), talk.s("A", 1 + len(banner), data=FILLER))]
    for i in range(first, first + count):
        client = struct.pack(">BBH", 10, 98, i)
        for frame in frames:
            yield frame.replace(b"\x0a\x62\xff\xfe", client).replace(b"number 00000", b"number %05d" % i)


FRAMES = list(frames_of(0, CONNECTIONS))
WHOLE = {"pcap": pcap(FRAMES), "pcapng": pcapng(FRAMES)}


@contextlib.contextmanager
def blocked(*args, **kwargs):
    """A run that has to wait, after 256 KiB of records, until somebody reads them: in mid-file."""
    ours, its = os.pipe()
    fcntl.fcntl(its, fcntl.F_SETPIPE_SZ, PIPE)
    with subprocess.Popen([BINARY, "-f", "json", *map(str, args)], stdin=subprocess.DEVNULL, stdout=its,
                          stderr=subprocess.PIPE, **kwargs) as run, open(ours, "rb") as output:
        os.close(its)
        end = time.monotonic() + PATIENCE
        while struct.unpack("i", fcntl.ioctl(ours, termios.FIONREAD, b"    "))[0] < PIPE:
            assert time.monotonic() < end and run.poll() is None
            time.sleep(0.001)
        try:
            yield run, output
        finally:
            run.kill()


def end_of(run, output):
    """Records and messages of a run that is not held up any more."""
    found = parsed(output.read())
    told = run.stderr.read()
    return run.wait(PATIENCE), found, told


def mapped(run, path):
    """Bytes of the file that the process has mapped."""
    return mapped_by(run.pid, path)


def mapped_by(pid, path):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        areas = [line.split()[0].split("-") for line in maps if line.rstrip().endswith(str(path))]
    return sum(int(end, 16) - int(begin, 16) for begin, end in areas)


def check_told(told, path):
    [line] = told.splitlines()
    assert line.startswith(b"bannerprobe: %s: " % str(path).encode()) and line.endswith(LINE), told


def begin_of(number, kind):
    """Where the packet or block begins that has this banner."""
    found = WHOLE[kind].index(b"220 the banner of number %05d\r\n" % number)
    return found - 54 - (16 if kind == "pcap" else 28)


def cuts(kind):
    """Bytes of the file that are left, by what it is cut in. Some 400 records are being written."""
    at = begin_of(800, kind)
    page = (at | 4095) + 1
    return {"before a packet": at, "in its header": at + 3, "behind its header": at + (16 if kind == "pcap" else 28),
            "in the headers of IP": at + 60, "in a banner": at + 100, "a byte before its end": at + 99,
            "in data": at + 2000, "at a page": page, "behind a page": page + 1, "before a page": page - 1,
            "in a later window": len(WHOLE[kind]) - 5000, "of a byte": len(WHOLE[kind]) - 1}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("name", cuts("pcap"))
def test_shorter_ahead(tmp_path, kind, name):
    """All that is left is read, and nothing is made up: as of a file of that size."""
    path = tmp_path / "it.pcap"
    path.write_bytes(WHOLE[kind])
    with blocked("-r", path) as (run, output):
        assert mapped(run, path)
        os.truncate(path, cuts(kind)[name])
        code, found, told = end_of(run, output)
    check_told(told, path)
    assert code == 1
    assert found == parsed(probe("-f", "json", "-r", path).stdout)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("left", (0, 24, 5000, 1_000_000))
def test_shorter_behind(tmp_path, kind, left):
    """What was read before is kept."""
    path = tmp_path / "it.pcap"
    path.write_bytes(WHOLE[kind])
    whole = parsed(probe("-f", "json", "-r", path).stdout)
    assert len(whole) == CONNECTIONS
    with blocked("-r", path) as (run, output):
        os.truncate(path, left)
        code, found, told = end_of(run, output)
    check_told(told, path)
    assert code == 1
    assert 200 < len(found) < 900 and found == whole[:len(found)]


def test_others_after_it(tmp_path):
    """The next file is read; --stats tells of both."""
    paths = [tmp_path / name for name in ("1.pcap", "2.pcap")]
    paths[0].write_bytes(WHOLE["pcap"])
    paths[1].write_bytes(pcap(FRAMES[:4]))
    with blocked("-r", *paths) as (run, output):
        os.truncate(paths[0], begin_of(700, "pcap"))
        code, found, told = end_of(run, output)
    check_told(told, paths[0])
    assert code == 1 and found[-1]["iface"] == str(paths[1])
    assert [r["iface"] for r in found].count(str(paths[0])) == 700


def test_longer(tmp_path):
    """Of a file that is still being written, the new end counts."""
    path = tmp_path / "it.pcap"
    path.write_bytes(WHOLE["pcap"])
    with blocked("-r", path) as (run, output):
        assert mapped(run, path)
        with open(path, "ab") as file:
            file.write(pcap(frames_of(CONNECTIONS, 1000))[24:])
        code, found, told = end_of(run, output)
    assert (code, told) == (0, b"")
    assert [int(r["banner"].split()[-1].removesuffix("\\x0d\\x0a")) for r in found] == list(range(CONNECTIONS + 1000))


def test_a_window_at_a_time(tmp_path):
    path = tmp_path / "it.pcap"
    path.write_bytes(WHOLE["pcap"])
    with blocked("-r", path) as (run, output):
        assert 0 < mapped(run, path) <= WINDOW
        code, found, _ = end_of(run, output)
    assert (code, len(found)) == (0, CONNECTIONS)


@pytest.mark.parametrize("way", ("gzip", "standard input", "a FIFO"))
def test_not_mapped(tmp_path, way):
    """What cannot be mapped, or need not be, is read."""
    path, kwargs = tmp_path / "it.pcap", {}
    path.write_bytes(WHOLE["pcap"])
    args, others = [path], []
    if way == "gzip":
        path.write_bytes(gzip.compress(WHOLE["pcap"], 1))
    elif way == "standard input":
        args = ["-"]
    else:
        os.mkfifo(tmp_path / "fifo")
        args = [tmp_path / "fifo"]
        others = [subprocess.Popen(["cp", path, args[0]])]
    with open(path, "rb") as file:
        if way == "standard input":
            kwargs = {"stdin": file}
        done = subprocess.run(["strace", "-f", "-o", tmp_path / "calls", "-e", "trace=mmap",
                               BINARY, "-f", "json", "-r", *args], capture_output=True, timeout=PATIENCE, **kwargs)
    for one in others:
        assert one.wait(PATIENCE) == 0
    assert done.returncode == 0 and len(parsed(done.stdout)) == CONNECTIONS
    assert "MAP_SHARED" not in (tmp_path / "calls").read_text()


def test_mapping_is_refused(tmp_path):
    """Then all of the file is read as if it were a pipe."""
    path = tmp_path / "it.pcap"
    path.write_bytes(WHOLE["pcap"])
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=mmap",
                           "-e", "inject=mmap:error=ENODEV:when=60+", BINARY, "-f", "json", "-r", path],
                          capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == probe("-f", "json", "-r", path).stdout


def is_sleeping(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


def wait_until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_by_several_processes(tmp_path):
    """-j: the process that reads the file survives, and the line is said once."""
    paths = [tmp_path / name for name in ("1.pcap", "2.pcap")]
    paths[0].write_bytes(pcap(FRAMES[:5]))
    paths[1].write_bytes(pcap(list(frames_of(0, 3000, b"x" * 1400))))
    with subprocess.Popen([BINARY, "-f", "json", "-l", "1400", "-j", "2", "-r", *map(str, paths)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        try:
            wait_until(lambda: len(children_of(run.pid)) == 2)
            os.kill(run.pid, signal.SIGSTOP)	# so the pipes from the others become full
            wait_until(lambda: any(mapped_by(pid, paths[1]) for pid in children_of(run.pid)))
            reader = next(pid for pid in children_of(run.pid) if mapped_by(pid, paths[1]))
            wait_until(lambda: is_sleeping(reader))
            os.truncate(paths[1], 1_000_000)
            os.kill(run.pid, signal.SIGCONT)
            output, told = run.communicate(timeout=PATIENCE)
        finally:
            run.kill()
    check_told(told, paths[1])
    assert run.returncode == 1 and parsed(output)[0]["iface"] == str(paths[0])
