# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--gather: greetings that come in several segments, whole and in order."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

import netns
from netns import PATIENCE, decoded, wait_for
from packets import Connection, counters, ethernet, pcap, parsed, probe
from servers import connect
from ways import every_way, start

MS = 1_000_000	# ns


# --- captures ---------------------------------------------------------------------------------

T = Connection()
OPENING = T.opening()
ONE, TWO, THREE = b"220-one\r\n", b"220-two\r\n", b"220 three\r\n"
FIRST, SECOND = T.s("PA", 1, data=ONE), T.s("PA", 10, data=TWO)
THIRD = T.s("PA", 19, data=THREE)
LATER = 2000	# ms: more than the quiet time


def run(*steps, args=("--gather",)):
    """The records of a handshake and these packets, or (milliseconds, packet); and the counters."""
    at, times, frames = 0, [], []
    for step in [*OPENING, *steps]:
        at, packet = (step[0], step[1]) if isinstance(step, tuple) else (at + 1, step)
        times.append(at * MS)
        frames.append(ethernet(packet))
    done = probe("-f", "json", "--stats", *args, "-r", "-", input=pcap(frames, times=times))
    assert done.returncode == 0, done
    return parsed(done.stdout), counters(done.stderr)


def greeting(*steps, args=("--gather",)):
    """What was logged of them: the one banner, its len, in how many segments."""
    [record], counted = run(*steps, args=args)
    assert (counted["banners"], counted["logged"]) == (1, 1)
    assert record["truncated"] == (record["len"] > len(decoded(record["banner"])))
    return decoded(record["banner"]), record["len"], record["segments"]


ALL = (ONE + TWO + THREE, 29, 3)


@pytest.mark.parametrize("name, steps, expected", [
    ("in order", [FIRST, SECOND, THIRD], ALL),
    ("with acknowledgements between",
     [FIRST, T.c("A", 1, 10), SECOND, T.c("A", 1, 19), THIRD], ALL),
    ("the second first", [SECOND, FIRST, THIRD], ALL),
    ("backwards", [THIRD, SECOND, FIRST], ALL),
    ("each twice", [FIRST, FIRST, SECOND, SECOND, FIRST, THIRD, THIRD], ALL),
    ("sent again in larger segments", [FIRST, T.s("PA", 1, data=ONE + TWO), THIRD], ALL),
    ("segments that overlap",
     [FIRST, T.s("PA", 5, data=ONE[4:] + TWO[:3]), T.s("PA", 10, data=TWO + THREE)], ALL),
    ("what came first counts", [FIRST, T.s("PA", 1, data=b"XXXXXXXXX" + TWO), THIRD], ALL),
    ("one segment", [FIRST], (ONE, 9, 1)),
    ("a keep-alive of the server", [FIRST, T.s("A", 9, data=b"\n"), SECOND, THIRD], ALL),
])
def test_whole_and_in_order(name, steps, expected):
    assert greeting(*steps) == expected


@pytest.mark.parametrize("name, end", [
    ("the client's first data", T.c("PA", 1, 19, data=b"USER x\r\n")),
    ("the client's FIN", T.c("FA", 1, 19)),
    ("the client's RST", T.c("R", 1)),
    ("the server's RST", T.s("R", 19)),
    ("client data that was missed, by the server's acknowledgement", T.s("A", 19, 9)),
    ("client data that was missed, by the client's number", T.c("A", 9, 19)),
])
def test_nothing_after_the_end(name, end):
    """Whatever comes then, even if it is late and was said before: whichever is first."""
    assert greeting(FIRST, SECOND, end, THIRD) == (ONE + TWO, 18, 2)


@pytest.mark.parametrize("name, forged", [
    ("server data with a wrong acknowledgement", T.s("PA", 19, 70000, data=b"no")),
    ("server data without one", T.s("P", 19, data=b"no")),
    ("server data far beyond", T.s("PA", 5_000_000, 70000, data=b"no")),
    ("an acknowledgement far beyond", T.s("A", 5_000_000, 9)),
    ("client data outside the window", T.c("PA", 70000, 19, data=b"no")),
    ("a client's FIN outside the window", T.c("FA", 70000, 19)),
    ("a client's RST", T.c("R", 70000)),
    ("a server's RST", T.s("R", 5_000_000)),
    ("a SYN", T.c("S", 70000)),
    ("a SYN-ACK", T.s("SA", 70000, 70000)),
])
def test_who_guesses_numbers_changes_nothing(name, forged):
    assert greeting(FIRST, SECOND, forged, THIRD) == ALL


def test_the_servers_fin_ends_it():
    """At its place: what is before that and late still belongs to it."""
    bye = T.s("FPA", 19, data=THREE)
    assert greeting(FIRST, SECOND, bye) == ALL
    assert greeting(FIRST, bye, SECOND) == ALL
    assert greeting(FIRST, T.s("FA", 10), SECOND) == (ONE, 9, 1)


def test_an_answer_is_no_greeting():
    assert greeting(FIRST, T.c("PA", 1, 10, data=b"EHLO x\r\n"), T.s("PA", 10, 9, data=b"250 x")) \
        == (ONE, 9, 1)


def test_after_the_clients_fin():
    """Case 19: a client that says nothing receives all."""
    fin = T.c("FA", 1, 1)
    assert greeting(fin, *(T.s("PA", seq, 2, data=data) for seq, data in
                           [(1, ONE), (10, TWO), (19, THREE)])) == ALL


def test_a_quiet_time_ends_it():
    assert greeting(FIRST, SECOND, (LATER, THIRD)) == (ONE + TWO, 18, 2)
    assert greeting(FIRST, SECOND, (LATER, THIRD), args=["--gather=3000"]) == ALL
    # Since the last of it: many pauses, none too long.
    drops = [(10 + 900 * i, T.s("PA", 1 + i, data=b"x")) for i in range(5)]
    assert greeting(*drops) == (b"xxxxx", 5, 5)


def test_the_time_is_the_first_segments():
    [record], _ = run(SECOND, FIRST, THIRD)
    assert (record["ts"], record["delay_us"]) == ("1700000000.128456", 3000)


def test_the_length_ends_it():
    long = ["--gather", "-l", "12"]
    assert greeting(FIRST, SECOND, THIRD, args=long) == (ONE + TWO[:3], 18, 2)
    assert greeting(SECOND, FIRST, args=long) == (ONE + TWO[:3], 18, 2)
    assert greeting(FIRST, args=long) == (ONE, 9, 1)
    assert greeting(T.s("PA", 1, data=bytes(5000)), args=["--gather", "-l", "4096"]) == \
        (bytes(4096), 5000, 1)


def test_a_segment_that_is_missing():
    """Bytes behind the gap are not shown, but the length says that there were more."""
    assert greeting(FIRST, THIRD) == (ONE, 29, 1)


def test_without_the_first_there_is_none():
    records, counted = run(SECOND, THIRD)
    assert (records, counted["server_data_unseen"]) == ([], 1)
    records, counted = run(SECOND, T.c("PA", 1, 1, data=b"GET"), FIRST)
    assert (records, counted["banners"]) == ([], 0)


def test_captured_in_part():
    """A snap length cuts the middle out: what can be shown is what is before."""
    frames = [ethernet(p) for p in [*OPENING, FIRST, SECOND]]
    frames[3] = frames[3], len(frames[3]) - 4
    done = probe("-f", "json", "--gather", "-r", "-", input=pcap(frames))
    [record] = parsed(done.stdout)
    assert (record["banner"], record["len"], record["truncated"]) == ("220-o", 18, True)


def test_without_the_option_the_first_chunk():
    [record], _ = run(FIRST, SECOND, THIRD, args=())
    assert decoded(record["banner"]) == ONE and "segments" not in record


@pytest.mark.parametrize("form", ["text", "zeek"])
def test_the_other_formats(form):
    frames = [ethernet(p) for p in [*OPENING, FIRST, SECOND, THIRD]]
    done = probe("-f", form, "--gather", "-r", "-", input=pcap(frames))
    assert rb"220-one\x0d\x0a220-two\x0d\x0a220 three\x0d\x0a" in done.stdout


def test_too_many_at_once():
    """Of 5,000 unfinished ones the oldest are logged as they are, and counted; none is lost."""
    talks = [Connection(client=("10.1.%d.%d" % divmod(i, 250), 4000)) for i in range(5000)]
    for i, talk in enumerate(talks):
        talk.data = b"220-%d\r\n" % i
    frames = [bytes(p) for talk in talks for p in [*talk.opening(), talk.s("PA", data=talk.data)]]
    frames += [bytes(talk.s("PA", 1 + len(talk.data), data=b"220 end\r\n")) for talk in talks]
    done = probe("-f", "json", "--gather=60000", "--stats", "-r", "-",
                 input=pcap(frames, 101, times=[i * 1000 for i in range(len(frames))]))
    whole = {decoded(r["banner"]) for r in parsed(done.stdout) if r["segments"] == 2}
    cut = {decoded(r["banner"]) for r in parsed(done.stdout) if r["segments"] == 1}
    assert len(whole) + len(cut) == 5000 and len(cut) == 5000 - 4096
    assert {b[:b.index(b"\n") + 1] for b in whole | cut} == {talk.data for talk in talks}
    assert counters(done.stderr)["crowded_out"] == len(cut)
    assert b"%d greetings logged before their end" % len(cut) in done.stderr


def test_too_many_at_once_to_take_a_late_beginning():
    """A part that comes before the first is not kept where there is no room: counted."""
    talks = [Connection(client=("10.1.%d.%d" % divmod(i, 250), 4000)) for i in range(4096)]
    frames = [bytes(p) for talk in talks for p in [*talk.opening(), talk.s("PA", data=ONE)]]
    frames += map(bytes, [*OPENING, SECOND, FIRST])
    done = probe("-f", "json", "--gather=60000", "--stats", "-r", "-",
                 input=pcap(frames, 101, times=[i * 1000 for i in range(len(frames))]))
    assert [decoded(r["banner"]) for r in parsed(done.stdout)] == [ONE] * 4097
    assert [counters(done.stderr)[name] for name in ("crowded_out", "crowded_part")] == [1, 1]
    assert b"1 segments of greetings left out" in done.stderr


@pytest.mark.parametrize("bad", ["0", "60001", "x", "-1"])
def test_wrong_usage(bad):
    done = probe(f"--gather={bad}", "-r", "-", input=b"")
    assert done.returncode == 2 and b"quiet time" in done.stderr


# --- live -------------------------------------------------------------------------------------

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces")


class Slow:
    """A server that says hello in pieces, each when the client has acknowledged the one before."""

    def __init__(self, ns, pieces):
        with ns.entered():
            self.listener = socket.create_server(("10.99.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pieces = pieces
        self.client = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        self.client, _ = self.listener.accept()
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in self.pieces:
            self.client.sendall(piece)


def hear(client, size):
    said = b""
    while len(said) < size:
        said += client.recv(65536)
    return said


@needs_root
@every_way
def test_a_byte_at_a_time(net, way):
    """Logged whole when the client speaks, at once and not after the quiet time."""
    text = b"220 one byte after the other\r\n"
    server = Slow(net.host, [bytes([b]) for b in text])
    with start(net.host, way, "--gather=60000", "veth0") as watcher:
        with connect(net.peer, "10.99.0.1", server.port) as client:
            assert hear(client, len(text)) == text
            client.sendall(b"EHLO x\r\n")
            record = json.loads(watcher.line())
        assert watcher.stop() == [record]
    assert decoded(record["banner"]) == text
    assert record["len"] == len(text) and 1 < record["segments"] <= len(text)


TWO_LINES = b"220-a\r\n220 b\r\n"


@contextlib.contextmanager
def two_lines_heard(net, option):
    """The probe and the client, which has received both lines and sent nothing yet."""
    server = Slow(net.host, [b"220-a\r\n", b"220 b\r\n"])
    with start(net.host, "auto", option, "veth0") as watcher, \
            connect(net.peer, "10.99.0.1", server.port) as client:
        assert hear(client, 14) == TWO_LINES
        yield watcher, client


@needs_root
def test_quiet_in_the_kernel_too(net):
    """Nobody speaks any more: logged all the same."""
    with two_lines_heard(net, "--gather=100") as (watcher, client):
        record = json.loads(watcher.line())
        assert decoded(record["banner"]) == TWO_LINES
        client.sendall(b"QUIT\r\n")
        assert len(watcher.stop()) == 1


@needs_root
def test_the_end_of_the_probe_loses_none(net):
    with two_lines_heard(net, "--gather=60000") as (watcher, _):
        [record] = watcher.stop()
    assert decoded(record["banner"]) == TWO_LINES


@pytest.fixture(scope="module")
def pure_ftpd(unpacked):
    """Pure-FTPd, unpacked beside the build: to install it would remove another FTP server."""
    folder = unpacked("pure-ftpd", "libsodium23")
    libraries = [path for path, _, _ in os.walk(folder) if path.endswith("-linux-gnu")]
    return [f"{folder}/usr/sbin/pure-ftpd", ":".join(libraries)]


def is_listening(ns, port):
    return re.search(rf":{port}\b", netns.sh(*ns.argv("ss", "-Hltn")))


@needs_root
def test_pure_ftpd(net, pure_ftpd):
    """Its five lines, which it sends in as many segments: as the client has heard them."""
    binary, libraries = pure_ftpd
    server = subprocess.Popen(net.host.argv(binary, "-S", "10.99.0.1,2121", "-H"),
                              env={**os.environ, "LD_LIBRARY_PATH": libraries})
    try:
        wait_for("Pure-FTPd", lambda: is_listening(net.host, 2121))
        with start(net.host, "auto", "--gather", "-l", "1024", "veth0") as watcher:
            with connect(net.peer, "10.99.0.1", 2121) as client:
                said = b""
                while not re.search(rb"^220 .*\n", said, re.MULTILINE):
                    said += client.recv(65536)
                client.sendall(b"QUIT\r\n")
                record = json.loads(watcher.line())
    finally:
        server.terminate()
        server.wait(PATIENCE)
    assert decoded(record["banner"]) == said and said.count(b"\n") >= 4
    assert not record["truncated"]
