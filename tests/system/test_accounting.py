# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Each banner is logged or counted as lost, also when it cannot be written."""

import contextlib
import fcntl
import json
import multiprocessing
import os
import re
import signal
import subprocess
import termios
import types
from concurrent.futures import ProcessPoolExecutor

import pytest

import packets
from netns import BINARY, Probe, attached, sh, wait_for
from servers import Server, listen_often

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

LONG = bytes(range(256)) * 16		# a record of it in json is some 12 KiB


@contextlib.contextmanager
def watching(net, *args, banner=lambda n: b"%06d " % n + LONG, **kwargs):
    """A server that speaks at length, and the probe."""
    with Server(net.host, "10.99.0.1", banner) as server, \
            Probe(net.host, "-f", "json", "-l", "4096", "--stats", *args, "veth0", **kwargs) as probe:
        yield server, probe


def stopped(probe, number=signal.SIGTERM):
    """End it; its exit code, and its counters, that must add up."""
    probe.send(number)
    return accounted(probe)


def accounted(probe, reader_left=False):
    code = probe.ended()
    count = packets.counters("\n".join(probe.stderr).encode())
    lost = count["lost_ring"] + count["lost_output"]
    assert count["banners"] == count["logged"] + lost
    # That a reader has seen enough is no loss to tell of.
    told = lost and not reader_left
    assert code == (4 if told else 0), probe.stderr
    assert bool(told) == any(re.match(r"bannerprobe: \d+ \w+ lost: ", line) for line in probe.stderr)
    return count


def greeted(net, server, count):
    """So many connections, and their clients' ports."""
    return [talk.client_port for talk in listen_often(net.peer, server, count)]


def ports(text):
    """The clients' ports of records, each of which must be whole."""
    return [json.loads(line)["client_port"] for line in text.splitlines()]


def test_full_ring(net):
    """A reader that is stopped: what the ring buffer had room for is logged, the rest is counted."""
    with watching(net) as (server, probe):
        os.kill(probe.reader(), signal.SIGSTOP)
        talks = greeted(net, server, 600)
        os.kill(probe.reader(), signal.SIGCONT)
        count = stopped(probe)
    assert count["banners"] == 600 and count["lost_ring"] > 0 == count["lost_output"]
    logged = ports("\n".join(probe.stdout))
    assert len(logged) == len(set(logged)) == count["logged"] and set(logged) < set(talks)


def test_full_disk_from_the_start(net):
    with watching(net, "-o", "/dev/full") as (server, probe):
        greeted(net, server, 20)
        count = stopped(probe)
    assert (count["banners"], count["logged"], count["lost_output"]) == (20, 0, 20)
    assert any("No space left" in line for line in probe.stderr)


@pytest.fixture
def disk(tmp_path):
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder))
    yield folder
    sh("umount", str(folder))


def fill(disk, leave):
    """A file on it that leaves so many bytes."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    (disk / "filler").write_bytes(b"x" * (free - leave))


def lost_output(probe):
    """The counter lost_output, which SIGUSR1 prints."""
    probe.send(signal.SIGUSR1)
    return int(probe.error_line("^lost_output ").split()[1])


def await_full(probe, records):
    """The disk is full, and each of so many records is written or lost, but for the one that broke off."""
    def written_or_lost():
        probe.send(signal.SIGUSR1)
        return sum(int(probe.error_line(f"^{name} ").split()[1]) for name in ("logged", "lost_output"))
    probe.error_line("records are being lost")
    wait_for("the last record", lambda: written_or_lost() >= records - 1)


def test_full_disk_with_room_later(net, disk):
    """Lines stay whole, the line that broke off is completed, and logging goes on; losses never fall."""
    log = disk / "log"
    with watching(net, "-o", log) as (server, probe):
        fill(disk, 32768)
        talks = greeted(net, server, 10)
        await_full(probe, 10)
        before = lost_output(probe)
        (disk / "filler").unlink()
        # The record of the first wakes it up; the second comes when it writes again.
        talks += greeted(net, server, 1)
        probe.error_line("writing again")
        assert 0 < before <= lost_output(probe)
        talks += greeted(net, server, 1)
        count = stopped(probe)
    logged = ports(log.read_text())
    assert count["lost_output"] > 0 and len(logged) == count["logged"]
    assert set(logged) < set(talks) and logged[-1] == talks[-1]


def test_full_disk_and_a_new_file(net, disk, tmp_path):
    """The rest of a line that broke off does not begin the next file."""
    log = disk / "log"
    with watching(net, "-o", log) as (server, probe):
        fill(disk, 32768)
        greeted(net, server, 10)
        await_full(probe, 10)
        old = log.rename(disk / "log.1").read_text()
        # Room, but not for what would be written to the old file first.
        sh("mount", "-o", "remount,size=512k", str(disk))
        fill(disk, 32768)
        probe.send(signal.SIGHUP)
        wait_for("the new file", lambda: written_at(probe, log) is not None)
        last = greeted(net, server, 1)
        count = stopped(probe)
    whole = ports((disk / "log.1").read_text().rpartition("\n")[0])
    assert ports(log.read_text())[-1:] == last, old[-100:]
    assert len(whole) + len(ports(log.read_text())) == count["logged"]


def written_at(probe, path):
    """The offset of the probe's descriptor of a file: 0 until something is written through it."""
    folder = f"/proc/{probe.reader()}"
    for number in os.listdir(f"{folder}/fd"):
        with contextlib.suppress(FileNotFoundError):
            if os.path.samefile(f"{folder}/fd/{number}", path):
                with open(f"{folder}/fdinfo/{number}") as file:
                    return int(re.search(r"^pos:\s+(\d+)", file.read(), re.M)[1])
    return None


def test_full_disk_and_the_same_file(net, disk):
    """A line that broke off is completed also when its file is opened again under its name."""
    log = disk / "log"
    with watching(net, "-o", log) as (server, probe):
        fill(disk, 32768)
        talks = greeted(net, server, 10)
        await_full(probe, 10)
        broken = os.stat(log).st_size
        probe.send(signal.SIGHUP)
        wait_for("the file to be opened again", lambda: written_at(probe, log) == 0)
        (disk / "filler").unlink()
        talks += greeted(net, server, 1)
        wait_for("the rest of the line", lambda: os.stat(log).st_size > broken)
        talks += greeted(net, server, 1)
        count = stopped(probe)
    logged = ports(log.read_text())
    assert count["lost_output"] > 0 and len(logged) == count["logged"]
    assert logged[-1] == talks[-1]


def test_full_disk_and_an_emptied_file(net, disk):
    """If the beginning of a line is gone, its end does not begin the file."""
    log = disk / "log"
    with watching(net, "-o", log) as (server, probe):
        fill(disk, 32768)
        greeted(net, server, 10)
        await_full(probe, 10)
        before = len(log.read_text().splitlines()) - 1
        os.truncate(log, 0)
        last = greeted(net, server, 1)
        count = stopped(probe)
    logged = ports(log.read_text())
    assert logged[-1:] == last and count["logged"] == before + len(logged)


def test_room_between_the_counters_and_the_end(net, disk):
    """What was counted as lost is not written after all."""
    log = disk / "log"
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with open(reader) as errors, Server(net.host, "10.99.0.1", lambda n: b"%06d " % n + LONG) as server, \
            subprocess.Popen(net.host.argv(BINARY, "-f", "json", "-l", "4096", "-o", log, "--stats",
                                           "--stats-format=json", "veth0"),
                             stdin=subprocess.DEVNULL, stderr=writer) as probe:
        os.close(writer)
        assert "attached" in errors.readline()
        fill(disk, 32768)
        greeted(net, server, 10)
        assert "records are being lost" in errors.readline()
        probe.terminate()
        # The pipe has no room for what it says next: it waits for a moment.
        wait_for("the counters", lambda: fionread(errors))
        (disk / "filler").unlink()
        count = json.loads(errors.readline())
        errors.read()
        assert probe.wait() == 4
    text = log.read_text()
    assert not text.endswith("\n") and len(ports(text.rpartition("\n")[0])) == count["logged"] > 0
    assert count["banners"] == count["logged"] + count["lost_output"]


def fionread(pipe):
    """Bytes that it holds."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), "little")


def test_reader_that_goes(net):
    """As with `| head -1`: it ends, and detaches from the interface."""
    reader, writer = os.pipe()
    with open(reader) as pipe, watching(net, stdout=writer) as (server, probe):
        os.close(writer)
        talks = greeted(net, server, 3)
        assert ports(pipe.readline()) == talks[:1]
        pipe.close()
        with contextlib.suppress(OSError):
            while probe.process.poll() is None:
                greeted(net, server, 1)
        count = accounted(probe, reader_left=True)
        assert attached(net.host, "veth0") == []
    assert count["lost_output"] > 0


def test_slow_reader(net):
    """It reads one line for three that come: the pipe fills, then the ring, and all is accounted for."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with open(reader) as pipe, watching(net, stdout=writer) as (server, probe):
        os.close(writer)
        text = ""
        for _ in range(200):
            greeted(net, server, 3)
            text += pipe.readline()
        probe.send(signal.SIGTERM)
        text += pipe.read()
        count = accounted(probe)
    assert count["banners"] == 600 and count["lost_ring"] > 0 == count["lost_output"]
    assert len(ports(text)) == count["logged"]


def test_a_thousand_hangups_under_load(net, tmp_path):
    """Each time the file has been renamed: no line is lost, broken, or written twice."""
    log = tmp_path / "log"
    with watching(net, "-o", log, banner=lambda n: b"220 ready\r\n") as (server, probe), \
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as clients:
        there = types.SimpleNamespace(address=server.address, port=server.port)
        talks = clients.submit(listen_often, net.peer, there, 3000)
        for n in range(1000):
            while not log.exists():
                os.sched_yield()
            log.rename(tmp_path / f"log.{n:04}")
            probe.send(signal.SIGHUP)
        talks = [talk.client_port for talk in talks.result()]
        count = stopped(probe)
    logged = [port for path in tmp_path.glob("log*") for port in ports(path.read_text())]
    assert sorted(logged) == sorted(talks) and count["logged"] == 3000
