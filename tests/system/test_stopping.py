# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The stop is over in two seconds, whatever others do or leave undone, and nothing is left."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess

import pytest

import netns
import packets
from netns import BINARY, PATIENCE, Probe, attached, children_of, is_watched, wait_for
from packets import Connection, ethernet, pcap
from servers import Server, listen_to, speaking
from ways import CLSACT, start

LIVE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")
SECONDS = 2 * PATIENCE / 20	# of the promise; an emulated machine needs more


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


def stopped(process, number=signal.SIGTERM):
    """The exit code; no process that it has started is left."""
    others = children_of(process.pid)
    process.send_signal(number)
    try:
        code = process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        for pid in filter(alive, others):
            os.kill(pid, signal.SIGKILL)
        process.wait(PATIENCE)
        pytest.fail("it did not end in time")
    wait_for("the end of the others", lambda: not any(map(alive, others)))
    return code


@contextlib.contextmanager
def running(argv, **kwargs):
    """A process that does not outlive the test, with its pipes closed at the end."""
    with subprocess.Popen(argv, **kwargs) as process:
        try:
            yield process
        finally:
            process.kill()


# --- readers that have stopped ------------------------------------------------------------------

@LIVE
def test_a_stop_while_the_programs_are_loaded(net):
    with running(net.host.argv(BINARY, "veth0"), stderr=subprocess.PIPE) as process:
        wait_for("its maps", lambda: netns.held_by(process.pid)["map"])
        assert stopped(process) in (0, -signal.SIGTERM)
    assert attached(net.host, "veth0") == []


def open_if_read(fifo):
    """Opens it for writing if another process has opened it for reading; else None."""
    with contextlib.suppress(OSError):
        return open(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK), "w")


@LIVE
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_during_the_start(net, tmp_path, number):
    """It waits until the start is over: what rotates logs does not know when that is."""
    nets = tmp_path / "nets"
    os.mkfifo(nets)
    argv = net.host.argv(BINARY, "--net", f"@{nets}", "-o", tmp_path / "log", "veth0")
    with running(argv, stderr=subprocess.PIPE, text=True) as process:
        with wait_for("it to open its nets", lambda: open_if_read(nets)) as writer:
            process.send_signal(number)
            writer.write("10.99.0.0/16\n")
        assert "attached" in process.stderr.readline()
        if number == signal.SIGUSR1:
            # A packet of the kernel's own may have passed, such as IPv6's.
            assert re.search(r": \d+ packets in, \d+ out, 0 connections, 0 banners, .* 0 lost$",
                             process.stderr.readline())
        assert stopped(process) == 0


@contextlib.contextmanager
def pipe_of_one_page():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with open(reader, "rb") as read_end, open(writer, "wb") as write_end:
        yield read_end, write_end


def is_full(pipe):
    return not select.select([], [pipe], [], 0)[1]


@LIVE
@pytest.mark.parametrize("with_messages", [False, True], ids=["records", "messages, too"])
def test_stopped_reader_while_banners_come(net, with_messages):
    """What it did not take is counted as lost; with `2>&1` no message can be seen."""
    with Server(net.host, "10.99.0.1") as server, pipe_of_one_page() as (reader, writer):
        argv = net.host.argv(BINARY, "-f", "json", "--stats", "veth0")
        with running(argv, stdout=writer,
                     stderr=writer if with_messages else subprocess.PIPE) as process:
            wait_for("its start", lambda: is_watched(net.host, "veth0"))
            with speaking(net, server):
                wait_for("the pipe to fill", lambda: server.served > 2000 and is_full(writer))
                code = stopped(process)
            assert attached(net.host, "veth0") == []
            if not with_messages:
                count = packets.counters(process.stderr.read())
                assert count["lost_output"] > 0
                assert count["banners"] == \
                    count["logged"] + count["lost_output"] + count["lost_ring"]
    assert code == 4


@LIVE
def test_stopped_terminal(net):
    """A terminal with a stopped window: there is room for less than is written."""
    master, slave = pty.openpty()
    with Server(net.host, "10.99.0.1") as server, open(master, "rb"):
        with running(net.host.argv(BINARY, "veth0"), stdin=slave, stdout=slave,
                     stderr=slave) as process:
            os.close(slave)
            wait_for("its start", lambda: is_watched(net.host, "veth0"))
            with speaking(net, server):
                wait_for("records", lambda: server.served > 2000)
                code = stopped(process)
    assert code == 4 and attached(net.host, "veth0") == []


@contextlib.contextmanager
def on_a_terminal(argv, **kwargs):
    """A process on a terminal of its own, and that terminal's other end."""
    other_end, terminal = pty.openpty()
    with running(argv, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, **kwargs) as process:
        os.close(terminal)
        yield process, open(other_end, "rb", buffering=0)


@LIVE
@pytest.mark.parametrize("hangs_up", [True, False], ids=["SIGHUP", "at the next record"])
def test_a_terminal_that_is_closed(net, hangs_up):
    """Its reader is gone, as by `| head -1`: nothing goes on out of sight."""
    with Server(net.host, "10.99.0.1") as server, \
            on_a_terminal(net.host.argv(BINARY, "veth0")) as (process, other_end):
        wait_for("its start", lambda: is_watched(net.host, "veth0"))
        other_end.close()
        if hangs_up:
            process.send_signal(signal.SIGHUP)
        else:
            listen_to(net.peer, server)
        assert process.wait(PATIENCE) == 0
    assert attached(net.host, "veth0") == []


def capture_of(count):
    talks = (Connection(("10.0.0.1", 1024 + i)).greeted(b"hello") for i in range(count))
    return pcap([ethernet(packet) for talk in talks for packet in talk])


def test_a_capture_into_a_stopped_reader(tmp_path):
    (tmp_path / "file.pcap").write_bytes(capture_of(200))
    with pipe_of_one_page() as (reader, writer):
        with running([BINARY, "-f", "json", "-r", tmp_path / "file.pcap"], stdout=writer,
                     stderr=subprocess.PIPE) as process:
            wait_for("the pipe to fill", lambda: is_full(writer))
            assert stopped(process) == 4
            said = process.stderr.read()
    assert b"standard output: its reader takes none: " in said and b"records lost" in said


def test_a_capture_into_a_closed_terminal(tmp_path):
    (tmp_path / "file.pcap").write_bytes(capture_of(200))
    with on_a_terminal([BINARY, "-r", tmp_path / "file.pcap"]) as (process, other_end):
        other_end.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("live", [pytest.param(True, marks=LIVE), False])
def test_a_parent_that_ignores_the_end_of_children(request, live, tmp_path):
    """That is inherited; the exit codes of the other processes are known all the same."""
    (tmp_path / "file.pcap").write_bytes(capture_of(1))
    (tmp_path / "text").write_text("no inventory\n" * 99)
    argv = [BINARY, "-o", "none", "-r", tmp_path / "file.pcap", "--inventory"]
    if live:
        argv = request.getfixturevalue("net").host.argv(BINARY, "--user", "root", "-o", "none", "veth0",
                                                        "--inventory")
    for name, code in ("text", 1), ("x.db", 0):
        with running([*argv, name], cwd=tmp_path, stderr=subprocess.PIPE,
                     preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)) as process:
            if live and not code:
                assert b"attached" in process.stderr.readline()
                process.terminate()
            assert process.wait(PATIENCE) == code
            assert len(process.stderr.read().splitlines()) == code


@LIVE
def test_a_manager_that_has_stopped(net, tmp_path):
    """systemd takes no word of it."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        manager.bind(path)
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"x", path)
        with Probe(net.host, "veth0", env={"NOTIFY_SOCKET": path}) as probe:
            assert stopped(probe.process) == 0
    assert attached(net.host, "veth0") == []


@pytest.mark.parametrize("live", [pytest.param(True, marks=LIVE), False])
def test_a_reader_that_has_seen_enough(request, live, tmp_path):
    """As `head -1`: nothing is wrong, and nothing is said."""
    (tmp_path / "file.pcap").write_bytes(capture_of(2000))
    argv = [BINARY, "-f", "json", "-r", tmp_path / "file.pcap"]
    reader, writer = os.pipe()
    if live:
        net = request.getfixturevalue("net")
        with Server(net.host, "10.99.0.1") as server, \
                Probe(net.host, "-f", "json", "veth0", stdout=writer) as probe:
            os.close(writer)
            os.close(reader)
            listen_to(net.peer, server)
            code, said = probe.ended(), probe.stderr[1:]
    else:
        with open(reader, "rb") as pipe, running(argv, stdout=writer,
                                                 stderr=subprocess.PIPE) as process:
            os.close(writer)
            assert b"hello" in pipe.readline()
            pipe.close()
            said = process.stderr.read().splitlines()
            code = process.wait(PATIENCE)
    assert (code, said) == (0, [])


# --- a lock that any user may hold --------------------------------------------------------------

@contextlib.contextmanager
def locked(ns):
    with open(f"/run/netns/{ns.name}") as namespace:
        fcntl.flock(namespace, fcntl.LOCK_EX)
        yield


@LIVE
def test_a_stop_while_another_holds_the_lock(net2):
    with start(net2.host, "clsact", "veth0", "veth1", interfaces=2) as probe, locked(net2.host):
        assert stopped(probe.process) == 0
        probe.ended()
    assert attached(net2.host, "veth0") == attached(net2.host, "veth1") == []
    assert sum("holds the lock" in line for line in probe.stderr) == 1


@LIVE
def test_a_start_while_another_holds_the_lock(net):
    """What a killed one has left is left, too: nobody knows what others do meanwhile."""
    with start(net.host, "clsact") as killed:
        killed.send(signal.SIGSTOP)		# or it would end when the guard does
        os.kill(killed.guard(), signal.SIGKILL)
        killed.send(signal.SIGKILL)
        killed.ended()
    left = attached(net.host, "veth0")
    assert len(left) == 3
    with Server(net.host, "10.99.0.1") as server:
        with locked(net.host), start(net.host, "clsact") as probe:
            listen_to(net.peer, server)
            assert "hello" in probe.line()
            assert set(left) < set(attached(net.host, "veth0"))
            assert stopped(probe.process) == 0
        assert attached(net.host, "veth0") == left
    with start(net.host, "clsact") as probe:
        assert stopped(probe.process) == 0
    assert attached(net.host, "veth0") == []


# --- a quiet pipe ---------------------------------------------------------------------------------

@contextlib.contextmanager
def reading(*args, frames=()):
    """A capture that comes by a pipe and goes no further."""
    with running([BINARY, *map(str, args), "-r", "-"], stdin=subprocess.PIPE,
                 stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(pcap(frames))
        process.stdin.flush()
        yield process


def read_until(pipe, pattern):
    """Wait until it is found in what comes."""
    text = b""
    while not re.search(pattern, text):
        assert select.select([pipe], [], [], PATIENCE)[0], f"nothing more came; before: {text}"
        text += os.read(pipe.fileno(), 4096)


GREETED = [ethernet(packet) for packet in Connection().greeted(b"hello")]


def test_a_quiet_pipe_is_stopped():
    with reading("-f", "json", frames=GREETED) as process:
        read_until(process.stdout, b"hello")
        assert stopped(process) == 0
        assert process.stderr.read() == b""


def test_hangup_on_a_quiet_pipe(tmp_path):
    log, old = tmp_path / "log", tmp_path / "old"
    with reading("-f", "json", "-o", log, frames=GREETED) as process:
        wait_for("the record", lambda: log.exists() and log.read_text())
        log.rename(old)
        process.send_signal(signal.SIGHUP)
        wait_for("a new file", log.exists)
        assert stopped(process) == 0
    assert "hello" in old.read_text() and log.read_text() == ""


def test_statistics_of_a_quiet_pipe():
    with reading("--stats=1", frames=GREETED) as process:
        for new in b"4", b"0":
            read_until(process.stderr, rb" packets 4 \(\+%b\).*\n" % new)
        assert stopped(process) == 0


def test_a_greeting_on_a_quiet_pipe():
    """It is over when nothing more has come for a while, packet or not."""
    with reading("-f", "json", "--gather=100", frames=GREETED) as process:
        read_until(process.stdout, b"hello")
        assert stopped(process) == 0


def test_a_pipe_by_name_that_nobody_has_opened(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with running([BINARY, "-r", tmp_path / "fifo"], stderr=subprocess.PIPE) as process:
        wait_for("its start", lambda: b"Seccomp:\t2" in
                 open(f"/proc/{process.pid}/status", "rb").read())
        assert stopped(process) == 0
        assert process.stderr.read() == b""


# --- descriptors that are closed ------------------------------------------------------------------

def closed(which, *args):
    """Run with these descriptors closed: "0<&- 2>&-"."""
    return subprocess.run(["sh", "-c", f'exec "$@" {which}', "-", BINARY, *map(str, args)],
                          capture_output=True, timeout=PATIENCE)


@pytest.mark.parametrize("which", ["2>&-", "0<&- 2>&-", "0<&- 1>&- 2>&-"])
def test_messages_do_not_go_into_the_log(tmp_path, which):
    log, capture = tmp_path / "log", tmp_path / "file.pcap"
    capture.write_bytes(capture_of(1))
    log.touch()
    done = closed(which, "-f", "json", "-o", log, "-r", capture, tmp_path / "none")
    assert done.returncode == 1
    [record] = log.read_text().splitlines()
    assert json.loads(record)["banner"] == "hello"


def test_records_have_nowhere_to_go(tmp_path):
    (tmp_path / "file.pcap").write_bytes(capture_of(1))
    done = closed(">&-", "-r", tmp_path / "file.pcap")
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert line == "bannerprobe: standard output is closed: -o FILE writes the records to a file"


def test_standard_input_is_closed():
    done = closed("<&-", "-r", "-")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
