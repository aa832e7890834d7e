# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What was kept stays, whatever becomes of the inventory's file, its disk and its keeper."""

import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from netns import BINARY, PATIENCE, children_of, wait_for
from packets import Connection, ethernet, pcap
from servers import Server, listen_to, speaking
from test_changes import NEW, OLD, talks
from test_keeping import (CAPTURES, INVENTORY, KEEPER, LIVE, NOBODY, connections, counts_of, failed, folder, inventory,
                          keeping, probe, rows)

assert folder	# a fixture, which pytest finds by its name

KILLS = int(os.environ.get("KEEPER_KILLS", 10))	# of those that need no interface
LIVE_KILLS = int(os.environ.get("LIVE_KILLS", 3))
# A transaction a second, which includes the time that it takes: `make test-kills`. Where other
# tests run beside it, a process may wait for its turn.
WRITTEN_SECONDS = max(1 if "KEEPER_KILLS" in os.environ else 2, PATIENCE / 60)


def filled(folder):
    path = os.path.join(folder, "x.db")
    assert probe("--inventory", path, "-o", "none", "-r", os.path.join(CAPTURES[0], "servers.pcap")).returncode == 0
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


# --- at the start: one line, exit 1, and the file as it was ---------------------------------------

def test_a_newer_version(folder):
    path = filled(folder)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = content(path)
    line = failed("--inventory", path)
    assert path in line and "newer bannerprobe" in line
    assert content(path) == before


def test_another_database(folder):
    path = os.path.join(folder, "x.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE shopping (what)")
    before = content(path)
    assert f"--inventory {path}: it is no inventory" in failed("--inventory", path)
    assert content(path) == before


@pytest.mark.parametrize("what", ["a directory", "a fifo"])
def test_what_is_no_file(folder, what):
    path = os.path.join(folder, "x.db")
    (os.mkdir if what == "a directory" else os.mkfifo)(path)
    assert path in failed("--inventory", path)


def test_corrupt_pages(folder):
    """Nothing crashes, whichever it is, and what is not damaged stays."""
    path, rng = filled(folder), random.Random(3)
    whole = content(path)
    for _ in range(20):
        page = bytearray(whole)
        at = rng.randrange(100, len(page) - 64)
        page[at:at + 64] = rng.randbytes(64)
        with open(path, "wb") as file:
            file.write(page)
        for end in "-wal", "-shm":
            with contextlib.suppress(FileNotFoundError):
                os.remove(path + end)
        done = probe("--inventory", path, "-o", "none", "-r", os.path.join(CAPTURES[0], "servers.pcap"))
        assert done.returncode in (0, 1, 4) and done.stderr.count(b"\n") <= 3, done
        assert done.returncode == 0 or b"x.db: it is " in done.stderr, done


# --- while it is kept ------------------------------------------------------------------------------

@LIVE
def test_a_locked_file_is_waited_for(net, folder):
    """Another process writes for seconds: nothing is lost, and the log goes on."""
    path = os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1", lambda n: OLD, 22) as server, keeping(
            net, path, "-f", "json", "--gather=20") as probe_:
        listen_to(net.peer, server)
        wait_for("a transaction", lambda: connections(path) == 1)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                listen_to(net.peer, server)
                time.sleep(1)	# transactions are tried meanwhile
            assert connections(path) == 1
            db.execute("ROLLBACK")
        wait_for("the rest", lambda: connections(path) == 4)
        assert len([record for record in probe_.stop() if "client" in record]) == 4
        assert not [line for line in probe_.stderr if "lost" in line]


@LIVE
def test_a_full_disk(net, folder):
    """One line; the log goes on, what was kept stays, and the rest follows once there is room."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k,mode=777", "none", folder], check=True)
    try:
        path, filler = os.path.join(folder, "x.db"), os.path.join(folder, "filler")
        with Server(net.host, "10.99.0.1", lambda n: b"220 %01000d x%d\r\n" % (n, n % 3), 22) as server, \
                keeping(net, path, "-f", "json", "--gather=20") as probe_:
            listen_to(net.peer, server)
            wait_for("a transaction", lambda: connections(path) == 1)
            with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass
            served = 1
            while not [line for line in probe_.stderr if "full" in line]:
                listen_to(net.peer, server)
                served += 1
                time.sleep(0.2)
                while not probe_.err.empty():
                    probe_.stderr.append(probe_.err.get())
                assert served < 20 * PATIENCE
            os.remove(filler)
            wait_for("the rest", lambda: connections(path) == served)
            assert len([record for record in probe_.stop() if "client" in record]) == served
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    finally:
        subprocess.run(["umount", folder], check=True)

@LIVE
def test_a_file_that_goes_is_reported(net, folder):
    """Once: what comes is not in the file that the name leads to."""
    path = os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1", lambda n: OLD, 22) as server, keeping(net, path, "-o", "none") as probe_:
        listen_to(net.peer, server)
        wait_for("a transaction", lambda: connections(path) == 1)
        for end in "-wal", "-shm", "":
            os.rename(path + end, path + ".old" + end)
        for _ in range(2):
            listen_to(net.peer, server)
        wait_for("the rest", lambda: connections(path + ".old") == 3)
        probe_.stop()
    told = [text for text in probe_.stderr if "x.db" in text]
    assert len(told) == 1 and "it was removed or replaced, and what comes is written to the" in told[0], told

@LIVE
def test_nobody_reads_the_messages(net, folder):
    """What the keeper would say is dropped, and the inventory is kept on."""
    path = os.path.join(folder, "x.db")
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    filler = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY | os.O_NONBLOCK)	# its flag is no other's
    with Server(net.host, "10.99.0.1", lambda n: OLD, 22) as server, contextlib.ExitStack() as stack:
        process = subprocess.Popen(net.host.argv(BINARY, "--inventory", path, "-o", "none", "veth0"), stderr=writing)
        stack.callback(process.kill)
        said = b""
        while b": attached: " not in said:
            said += os.read(reading, 4096)
        listen_to(net.peer, server)
        wait_for("a transaction", lambda: connections(path) == 1)
        with contextlib.suppress(BlockingIOError):
            while os.write(filler, b"x" * 4096):
                pass
        for end in "-wal", "-shm", "":		# which it would report
            os.rename(path + end, path + ".old" + end)
        for n in range(3):
            listen_to(net.peer, server)
            wait_for("it to be kept", lambda n=n: connections(path + ".old") == n + 2)
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0
    for descriptor in reading, writing, filler:
        os.close(descriptor)


def logged_before(path, offset, when):
    """Records of banners behind the offset that were logged before, and where the log ends."""
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read().splitlines()
        records = [json.loads(line) for line in lines if line.endswith(b"}")]
        return sum("client" in record and record["ts"] < when for record in records), file.tell()


def frames_of(client, time_, frames):
    """A connection's packets as records of a pcap, of that client now."""
    records = []
    for n, frame in enumerate(frames):
        at = 26 if n != 1 and n != 3 else 30	# the client's address: of who sends, or of who receives
        frame = frame[:at] + client + frame[at + 4:]
        records.append(struct.pack("<IIII", int(time_), int(time_ % 1 * 1e6), len(frame), len(frame)) + frame)
    return b"".join(records)


@contextlib.contextmanager
def capturing(pipe):
    """Some thousand connections a second, as tcpdump would write them; yields how many there are so far."""
    over, written = threading.Event(), [0]
    greetings = [[ethernet(packet) for packet in Connection().greeted(b"220 host%d.example ESMTP\r\n" % n)]
                 for n in range(5)]

    def capture():
        with contextlib.suppress(BrokenPipeError):
            pipe.write(pcap([]))
            while not over.wait(0.02):
                for _ in range(40):
                    pipe.write(frames_of(struct.pack(">I", 0x0a000000 + written[0]), time.time(),
                                         greetings[written[0] % 5]))
                    written[0] += 1
                pipe.flush()
    thread = threading.Thread(target=capture)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join(PATIENCE)
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


# A disk that takes its time for what has to stay.
SLOW_DISK = """
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>
static int slowly(long number, int fd) { poll(0, 0, 200); return syscall(number, fd); }
int fsync(int fd) { return slowly(SYS_fsync, fd); }
int fdatasync(int fd) { return slowly(SYS_fdatasync, fd); }
"""


@pytest.fixture
def disk(request):
    """The environment of a process that writes to such a disk, or to another one. Every user finds it."""
    if request.param == "fast":
        yield os.environ
        return
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        source, library = os.path.join(place, "slow.c"), os.path.join(place, "slow.so")
        with open(source, "w") as file:
            file.write(SLOW_DISK)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
        yield {**os.environ, "LD_PRELOAD": library}


@LIVE
@pytest.mark.parametrize("disk", ["slow"], indirect=True)
def test_a_slow_disk_loses_nothing_in_the_kernel(net, folder, disk):
    """
    The reader goes on, whatever its keeper waits for. The ring buffer has room for what comes in two
    seconds, so that a busy host loses nothing either; the disk is slow for much longer.
    """
    path = os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1", lambda n: b"220 %d\r\n" % (n % 3)) as server, \
            keeping(net, path, "-o", "none", "--gather=20", "--stats", env=disk) as probe_:
        with open(f"/proc/{probe_.child(KEEPER)}/maps") as maps:
            assert disk["LD_PRELOAD"] in maps.read()
        with speaking(net, server, 40, 0.05):
            for count in 1, 1500, 3000:		# some transactions
                wait_for("a transaction", lambda count=count: os.path.exists(path) and connections(path) >= count,
                         120)
        probe_.send(signal.SIGTERM)
        assert probe_.ended() in (0, 4)		# 4: some were lost for the inventory, on a machine that is busy
    counted = counts_of(probe_)
    assert counted["lost_ring"] == counted["lost_part"] == 0
    assert connections(path) + counted["lost_inventory"] == counted["banners"] >= 3000
    assert rows(path, "SELECT count(*) FROM service") == [(1,)]


@pytest.mark.parametrize("disk", ["fast", "slow"], indirect=True)
def test_killed_at_any_moment(folder, disk):
    """The probe or its keeper: the file is sound, the last second is missing at most, no service is there twice."""
    path, log, rng = os.path.join(folder, "x.db"), os.path.join(folder, "log.json"), random.Random(7)
    surely, most, end = 0, 0, 0
    for n in range(KILLS):
        probe_ = subprocess.Popen([BINARY, "--inventory", path, "-f", "json", "-o", log, "--gather=20", "-r", "-"],
                                  stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=disk)
        with probe_, capturing(probe_.stdin) as written:
            [keeper] = wait_for("its keeper", lambda: children_of(probe_.pid))
            time.sleep(rng.random() * 4)
            killed = time.time()
            os.kill(rng.choice([keeper, probe_.pid]), signal.SIGKILL)
            probe_.wait(PATIENCE)
            wait_for("its end", lambda: not os.path.exists(f"/proc/{keeper}"))
        most += written[0]
        more, end = logged_before(log, end, killed - WRITTEN_SECONDS)
        surely += more
        if more or os.path.exists(path) and os.path.getsize(path):
            assert rows(path, "PRAGMA integrity_check") == [("ok",)]
            is_made = rows(path, "SELECT name FROM sqlite_schema WHERE name = 'service'")
            assert surely <= (connections(path) if is_made else 0) <= most, n
    assert surely and len(rows(path, "SELECT server, port FROM service")) == 1
    assert inventory(path, "check") == "ok\n"


@LIVE
def test_killed_at_any_moment_under_load(net, folder):
    """The probe or its keeper: the file is sound, the last second is missing at most, no service is there twice."""
    path, log, rng = os.path.join(folder, "x.db"), os.path.join(folder, "log.json"), random.Random(7)
    surely, end = 0, 0
    with Server(net.host, "10.99.0.1", lambda n: b"220 host%d.example ESMTP\r\n" % (n % 5)) as server, \
            speaking(net, server, 20, 0.05):
        for n in range(LIVE_KILLS):
            with keeping(net, path, "-f", "json", "-o", log, "--gather=20") as probe_:
                keeper = probe_.child(KEEPER)
                if n:
                    time.sleep(rng.random() * 4)
                else:	# some must have been written
                    wait_for("old records", lambda: logged_before(log, 0, time.time() - WRITTEN_SECONDS)[0])
                killed = time.time()
                os.kill(rng.choice([keeper, probe_.process.pid]), signal.SIGKILL)
                probe_.process.wait(PATIENCE)
                wait_for("its end", lambda: not os.path.exists(f"/proc/{keeper}"))
            more, end = logged_before(log, end, killed - WRITTEN_SECONDS)
            surely += more
            assert rows(path, "PRAGMA integrity_check") == [("ok",)] if os.path.exists(path) else not more
            assert surely <= connections(path) <= server.served, n
    assert surely and len(rows(path, "SELECT server, port FROM service")) == 1
    assert inventory(path, "check") == "ok\n"


def test_a_log_that_is_cut_in_half(folder):
    """By a kill, or by a copy that was not finished: the rest of it is imported."""
    log, path = os.path.join(folder, "log.json"), os.path.join(folder, "x.db")
    done = probe("--inventory", os.path.join(folder, "y.db"), "-f", "json", "-r", "-", input=talks(OLD, OLD, NEW))
    lines = done.stdout.splitlines(keepends=True)
    with open(log, "wb") as file:
        file.writelines([lines[0][:40], b"\n", *lines[1:], lines[0][:40]])
    told = subprocess.run([INVENTORY, path, "import", log], capture_output=True, text=True, timeout=PATIENCE)
    assert told.returncode == 0 and "2 broken lines" in told.stderr, told
    assert connections(path) == 2
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
