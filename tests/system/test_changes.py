# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Changes of the inventory as records of the log, what the log has, and what is counted of it."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from netns import BINARY, PATIENCE, wait_for
from packets import Connection, ethernet, pcap
from servers import Server, listen_often, listen_to
from test_keeping import INVENTORY, LIVE, SECONDS, changes_of, events_of, folder, keeping, probe, rows

assert folder	# a fixture, which pytest finds by its name

OLD, NEW = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", b"SSH-2.0-OpenSSH_9.6p1 Debian-2\r\n"
DAY = 86400 * 10**9


def talks(*said, port=22, days=0, first=0):
    """Frames of a connection for each, a minute or so many days apart, and their times."""
    frames, times = [], []
    for n, banner in enumerate(said, first):
        talk = Connection((f"192.0.2.{1 + n % 200}", 40000 + n), ("198.51.100.1", port))
        packets = talk.greeted(banner) + [talk.s("FA", 1 + len(banner)), talk.c("FA")]
        frames += map(ethernet, packets)
        times += [n * (days * DAY or 60 * 10**9) + i * 10**6 for i in range(len(packets))]
    return pcap(frames, times=times)


def read(capture, folder, *words, code=0):
    path = os.path.join(folder, "x.db")
    done = probe("--inventory", path, *words, "-r", "-", input=capture)
    assert done.returncode == code, done
    return done


# --- records ----------------------------------------------------------------------------------

def side(said):
    return {"banner": said.decode().replace("\r\n", "\\x0d\\x0a"), "service": "ssh", "product": "OpenSSH"}


def test_json(folder):
    """What is new, and what it became: both sides, with what they are."""
    new, version = changes_of(read(talks(OLD, OLD, NEW), folder, "-f", "json").stdout)
    versions = [change.pop("version") for change in (new["new"], version["old"], version["new"])]
    assert [text[:5] for text in versions] == ["9.2p1", "9.2p1", "9.6p1"]
    assert new == {"ts": new["ts"], "event": "change", "kind": "new", "server": "198.51.100.1",
                   "server_port": 22, "new": side(OLD)}
    assert (version["kind"], version["old"], version["new"]) == ("version", side(OLD), side(NEW))
    assert version["ts"] - new["ts"] == pytest.approx(120)


def test_text(folder):
    log = read(talks(OLD, OLD, NEW), folder, "-f", "text", "--log", "changes").stdout.decode().splitlines()
    assert [re.sub(r"^[-\d]+ [:\d]+\.\d{6} |( Debian-2\S*)", "", line) for line in log] == [
        "change new 198.51.100.1:22 OpenSSH 9.2p1",
        "change version 198.51.100.1:22 OpenSSH 9.2p1 -> OpenSSH 9.6p1"]


def test_zeek_has_none(folder):
    log = read(talks(OLD, NEW), folder, "-f", "zeek").stdout.decode()
    assert [line.split("\t")[6] for line in log.splitlines() if line[0] != "#"] == \
        [said.decode().rstrip() for said in (OLD, NEW)]


@pytest.mark.parametrize("words, events, changes", [([], 3, 2), (["--log", "all"], 3, 2), (["--log", "changes"], 0, 2)])
def test_what_is_logged(folder, words, events, changes):
    log = read(talks(OLD, OLD, NEW), folder, "-f", "json", *words).stdout
    assert (len(events_of([json.loads(line) for line in log.splitlines()])), len(changes_of(log))) == (events, changes)


def test_none_in_no_log(folder):
    done = read(talks(OLD, NEW), folder, "-o", "none")
    assert (done.stdout, done.stderr) == (b"", b"")
    assert rows(os.path.join(folder, "x.db"), "SELECT kind FROM change") == [("new",), ("version",)]


def test_a_service_that_returned(folder):
    [_, back] = changes_of(read(talks(OLD, OLD, days=3), folder, "-f", "json", "--gone", "2d").stdout)
    assert back["kind"] == "returned" and back["new"]["product"] == "OpenSSH"


@pytest.mark.parametrize("words, kinds", [([], []), (["--new-at-once"], ["new"])])
def test_new_at_once(folder, words, kinds):
    """Nothing identifies it, on a port that may be a client's."""
    log = read(talks(b"something\r\n", port=40000), folder, "-f", "json", *words).stdout
    assert [change["kind"] for change in changes_of(log)] == kinds


def test_import_skips_them(folder):
    """The log of a probe with an inventory makes the same inventory."""
    log, other = os.path.join(folder, "log.json"), os.path.join(folder, "y.db")
    read(talks(OLD, OLD, NEW), folder, "-f", "json", "-o", log)
    done = subprocess.run([INVENTORY, other, "import", log], capture_output=True, text=True, timeout=PATIENCE)
    assert "3 records" in done.stderr and "2 other lines, 0 broken lines" in done.stderr, done
    assert rows(other) == rows(os.path.join(folder, "x.db"))


HOSTILE = [b'220 \x1b]0;owned\x07 "},{"event":"change" \\x41 \xff\xfe\x00 <b>\r\n',
           b"220 a\r\n{\"ts\":1,\"event\":\"change\"}\r\n", b"SSH-2.0-\x1b[2J\x9b\r\n", b"\\" * 2048, b'"' * 2048,
           b"\x00" * 2048, b"\xff" * 1460, "220 caf\u00e9 \u202e\r\n".encode()]


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_comes_unescaped(folder, form):
    """A line is a line, and plain ASCII, whatever a server says."""
    for n, said in enumerate(HOSTILE):
        for port, capture in (1000 + n, talks(said, port=1000 + n)), (2000 + n, talks(OLD, said, port=2000 + n)):
            log = read(capture, folder, "-f", form, "--log", "changes").stdout
            assert 1 <= log.count(b"\n") <= port // 1000 and re.fullmatch(rb"[ -~\n]*\n", log), log
            if form == "json":
                [json.loads(line) for line in log.splitlines()]


@pytest.mark.parametrize("words, told", [
    (["--log", "changes"], "--log: there is no inventory: --inventory FILE keeps one"),
    (["--new-at-once"], "--new-at-once: there is no inventory"), (["--gone", "7d"], "--gone: there is no inventory"),
    (["--inventory", "x.db", "--gone", "5x"], "--gone: 5x is no span like"),
    (["--inventory", "x.db", "--log", "some"], "--log some: what is logged is all or changes"),
    (["--inventory", "x.db", "--log", "changes", "-f", "zeek"], "zeek has no record of a change")])
def test_wrong_usage(folder, words, told):
    done = probe(*words, "-r", "-", input=b"", cwd=folder)
    assert done.returncode == 2 and told in done.stderr.decode(), done
    assert os.listdir(folder) == []


# --- many -------------------------------------------------------------------------------------

def many(count):
    """Each a new service."""
    return pcap([ethernet(packet) for n in range(count) for packet in
                 Connection(("192.0.2.1", 1024 + n % 60000), (f"10.{n // 50000}.{n // 250 % 200}.{n % 250}", 22))
                 .greeted(OLD + b"x" * 1300 + b"\r\n")])


def test_captures_lose_none(folder):
    """However many there are, and however slow the log is read."""
    count, path = 3000, os.path.join(folder, "capture")
    with open(path, "wb") as file:
        file.write(many(count))
    with subprocess.Popen([BINARY, "--inventory", os.path.join(folder, "x.db"), "-f", "json", "--log", "changes",
                           "-l", "2048", "-r", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(1)	# its reader takes nothing
        log, complaints = process.communicate(timeout=4 * PATIENCE)
    assert (process.returncode, complaints) == (0, b"")
    assert len({change["server"] for change in changes_of(log)}) == log.count(b"\n") == count


# --- live -------------------------------------------------------------------------------------

def metrics(path):
    """Empty where none are written yet."""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        return dict(re.findall(r"^bannerprobe_(\w+(?:\{[^}]*\})?) (\d+)$", re.sub(
            r'probe="[^"]*",?', "", file.read()).replace("{}", ""), re.MULTILINE))


@LIVE
def test_live(net, folder):
    """Within a moment of what changed, and counted in the metrics."""
    path, said = os.path.join(folder, "metrics"), [OLD]
    with Server(net.host, "10.99.0.1", lambda n: said[0], 22) as server, \
            keeping(net, os.path.join(folder, "x.db"), "-f", "json", "--log", "changes", "--gather=20",
                    "--metrics", path) as probe_:
        listen_to(net.peer, server)
        new = json.loads(probe_.line(2))
        said[0] = NEW
        listen_to(net.peer, server)
        version = json.loads(probe_.line(2))
        wait_for("the count", lambda: metrics(path).get("services") == "1" and
                 metrics(path).get("ftp_data_total") == "0" and
                 metrics(path)['changes_total{kind="version"}'] == "1", PATIENCE)
        assert probe_.stop() == [new, version]
    assert (new["kind"], version["kind"]) == ("new", "version")
    assert version["old"]["version"].startswith("9.2p1") and version["new"]["version"].startswith("9.6p1")
    counted = metrics(path)
    assert {kind: counted['changes_total{kind="%s"}' % kind] for kind in ("new", "banner", "version", "product",
            "returned")} == {"new": "1", "banner": "0", "version": "1", "product": "0", "returned": "0"}


@LIVE
def test_the_rate_is_the_log_s(net, folder):
    """The inventory counts each connection, and its changes are logged beyond the rate."""
    count, most, path = 1000, 5, os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1", lambda n: OLD, 22) as first, Server(net.host, "10.99.0.1", lambda n: NEW, 23) \
            as other, keeping(net, path, "-f", "json", "--gather=20", "--stats", "--max-rate", str(most)) as probe_:
        listen_often(net.peer, first, count)
        listen_to(net.peer, other)
        wait_for("the last one", lambda: os.path.exists(path) and rows(path, "SELECT * FROM service WHERE port = 23"))
        log = probe_.stop()
    logged = events_of(log)
    counted = int(re.search(r"^over_the_rate +(\d+)", "\n".join(probe_.stderr), re.MULTILINE)[1])
    assert counted and len(logged) + counted == count + 1
    assert rows(path, "SELECT sum(connections) FROM service") == [(count + 1,)]
    assert sorted(record["server_port"] for record in log if record.get("event") == "change") == [22, 23]


@LIVE
def test_a_reader_that_stops_does_not_stop_the_keeper(net, folder):
    """What was sent before is written meanwhile; changes are logged when it goes on."""
    path, said = os.path.join(folder, "x.db"), [OLD]
    with Server(net.host, "10.99.0.1", lambda n: said[0], 22) as server, \
            keeping(net, path, "-f", "json", "--log", "changes", "--gather=20") as probe_:
        reader = probe_.child("bannerprobe-rd")
        listen_to(net.peer, server)
        probe_.line()	# before the transaction
        os.kill(reader, signal.SIGSTOP)
        wait_for("a transaction", lambda: os.path.exists(path) and rows(path, "SELECT * FROM change"))
        os.kill(reader, signal.SIGCONT)
        said[0] = NEW
        listen_to(net.peer, server)
        assert json.loads(probe_.line())["kind"] == "version"
        probe_.stop()


@LIVE
def test_a_log_that_nobody_reads(net, folder):
    """The inventory goes on; what did not get into the log is counted; the stop is in time."""
    path, count = os.path.join(folder, "x.db"), 1500
    unread, log = os.pipe()
    with Server(net.host, "10.99.0.1", lambda n: b"220 %01000d\r\n" % n) as server, \
            keeping(net, path, "-f", "json", "--gather=20", "--stats", stdout=log) as probe_:
        for _ in range(5):
            listen_often(net.peer, server, count // 5)
        wait_for("all of them", lambda: os.path.exists(path) and
                 rows(path, "SELECT sum(connections) FROM service") == [(count,)])
        begin = time.monotonic()
        probe_.send(signal.SIGTERM)
        assert probe_.ended() == 4
        assert time.monotonic() - begin < SECONDS
    os.close(log)
    os.close(unread)
    counted = {name: int(value)
               for name, value in re.findall(r"^(\w+) +(\d+)  ", "\n".join(probe_.stderr), re.MULTILINE)}
    changes = len(rows(path, "SELECT * FROM change"))
    assert counted["logged"] + counted["lost_output"] + counted["lost_changes"] == count + changes
    assert counted["lost_output"] > 0 == counted["lost_inventory"]


# --- greetings that are not whole ---------------------------------------------------------------

SECOND = 10**9


def slowly(*parts):
    """A greeting in parts, each (seconds since the first one, bytes); the client says nothing."""
    talk, at, frames, times = Connection(server=("198.51.100.1", 21)), 1, [], []
    for i, packet in enumerate(talk.opening()):
        frames.append(ethernet(packet))
        times.append(i)
    for seconds, said in parts:
        frames.append(ethernet(talk.s("PA", at, data=said)))
        times.append(SECOND + int(seconds * SECOND))
        at += len(said)
    # Another connection much later, for the packets' times are the clock.
    frames += [ethernet(packet) for packet in Connection(client=("5.6.7.9", 1)).opening()]
    times += [1000 * SECOND + i for i in range(3)]
    return pcap(frames, times=times)


def said_at_last(folder):
    return rows(os.path.join(folder, "x.db"), "SELECT latest_raw, whole FROM banner ORDER BY id")


@pytest.mark.parametrize("first", [b"220-hello\r\n", b"220 hel", b"220-", b"\xff\xfd\x18\xff\xfb\x01", b"login",
                                   b"+OK\r\n. ", b"\xff\xfd\x18hello"])
@pytest.mark.parametrize("seconds, together", [(29, True), (31, False)])
def test_what_is_unfinished_is_waited_for(folder, first, seconds, together):
    """Half a minute, from one segment to the next."""
    rest = b"220 the end\r\n"
    [record] = events_of(read(slowly((0, first), (seconds, rest)), folder, "-f", "json").stdout)
    assert record["len"] == len(first + rest if together else first)
    assert said_at_last(folder)[0][0] == (first + rest if together else first)


@pytest.mark.parametrize("first", [b"220 hello\r\n", b"220-a\r\n220 b\r\n", b"SSH-2.0-x\r\n",
                                   b"\x05\x00\x00\x00\x0abinary",
                                   b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n<html>"])
def test_what_is_whole_is_not(folder, first):
    [record] = events_of(read(slowly((0, first), (2, b"more\r\n")), folder, "-f", "json").stdout)
    assert record["len"] == len(first)


def test_the_user_says_how_long(folder):
    said = slowly((0, b"220-a\r\n"), (2, b"220 b\r\n"))
    [record] = events_of(read(said, folder, "-f", "json", "--gather=500").stdout)
    assert record["len"] == len(b"220-a\r\n")


def test_the_key_exchange_is_none_of_the_form(folder):
    kexinit = b"\x00\x00\x04\x1c\x0a\x14" + bytes(range(200))
    read(slowly((0, b"hello there\r\nSSH-2.0-OpenSSH_9.2p1\r\n"), (0.1, kexinit)), folder, "-o", "none")
    assert rows(os.path.join(folder, "x.db"), "SELECT stable, whole, version FROM banner") == [
        ("hello there\\x0d\\x0aSSH-2.0-OpenSSH_9.2p1\\x0d\\x0a", 1, "9.2p1")]


def test_telnet_s_text_follows_its_negotiation(folder):
    """A client that negotiates has not spoken: the greeting goes on until it does."""
    options, login = b"\xff\xfd\x18\xff\xfd\x20", b"\r\nrouter-7 login: "
    answer = b"\xff\xfb\x18\xff\xfa\x18\x00vt100\xff\xf0"
    talk = Connection(server=("198.51.100.1", 23))
    packets = talk.greeted(options) + [
        talk.c("PA", ack=1 + len(options), data=answer),
        talk.s("PA", 1 + len(options), ack=1 + len(answer), data=login),
        talk.c("PA", 1 + len(answer), ack=1 + len(options + login), data=b"root\r\n"),
        talk.s("PA", 1 + len(options + login), ack=7 + len(answer), data=b"Password: ")]
    read(pcap(list(map(ethernet, packets))), folder, "-o", "none")
    [(stable,)] = rows(os.path.join(folder, "x.db"), "SELECT stable FROM banner")
    assert stable == "\\xff\\xfd\\x18\\{options}\\x0d\\x0arouter-7 login: "


# --- clients ------------------------------------------------------------------------------------

def asked(path, *words, code=0):
    done = subprocess.run([INVENTORY, path, "clients", *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, done
    return done


def requests(*said):
    return pcap([ethernet(packet) for n, text in enumerate(said) for talk in
                 [Connection(("192.0.2.1", 1000 + n), ("198.51.100.1", 80))]
                 for packet in (*talk.opening(), talk.c("PA", data=text))])


def test_clients_that_speak_first(folder):
    """Only where they are asked for; in the log only by --events."""
    path, capture = os.path.join(folder, "x.db"), requests(b"GET /1\r\n\r\n", b"GET /\x1b[2J\"\\\r\n\r\n")
    done = read(capture, folder, "-f", "json")
    assert done.stdout == b"" and asked(path, code=1).stderr.count("\n") == 1
    done = read(capture, folder, "-f", "json", "--inventory-clients")
    assert done.stdout == b"" and b"passwords" in done.stderr
    [client] = [json.loads(line) for line in asked(path, "--json").stdout.splitlines()]
    assert (client["client"], client["server_port"], client["connections"]) == ("192.0.2.1", 80, 2)
    assert client["request"] == 'GET /\\x1b[2J"\\\\\\x0d\\x0a\\x0d\\x0a'
    heads, row = asked(path).stdout.splitlines()
    assert heads.split() == ["CLIENT", "PORT", "SEEN", "TIMES", "REQUEST"]
    assert re.fullmatch(r"192\.0\.2\.1 +80  [-0-9]+ [0-9:]+ +2  GET /\\x1b[ -~]*", row)
    read(capture, folder, "-f", "json", "--inventory-clients")
    assert rows(path, "SELECT connections FROM client") == [(4,)]


def requests_of(count):
    """A capture in which so many clients, each with an address of its own, speak first."""
    [syn, synack, ack, said] = [ethernet(packet) for packet in
                                (*Connection().opening(), Connection().c("PA", data=b"hello"))]
    frames = []
    for n in range(count):
        address = bytes([10, 0, n >> 8, n & 255])
        frames += [frame[:at] + address + frame[at + 4:]
                   for frame, at in ((syn, 26), (synack, 30), (ack, 26), (said, 26))]
    return pcap(frames)


def test_many_clients(folder):
    """Each is kept."""
    path = os.path.join(folder, "x.db")
    done = probe("--inventory", path, "--inventory-clients", "-o", "none", "-r", "-", input=requests_of(5000))
    assert done.returncode == 0 and rows(path, "SELECT count(*), sum(connections) FROM client") == [(5000, 5000)]


def test_more_clients_than_there_is_room_for(folder):
    """While another process writes: the reason is reported as it begins, the number at the end."""
    path = os.path.join(folder, "x.db")
    keep = "--inventory", path, "--inventory-clients", "-o", "none", "--stats", "-r", "-"
    assert probe(*keep, input=pcap([])).returncode == 0		# makes the file
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with subprocess.Popen([BINARY, *keep], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(requests_of(26000))
            process.stdin.close()
            told = []
            while not re.search(rb"loses requests of more clients than there is room for", b"".join(told[-1:])):
                told.append(process.stderr.readline())
                assert told[-1], told
            other.execute("ROLLBACK")
            rest = process.stderr.read().decode()
    assert process.returncode == 4
    lost = int(re.search(r"lost: (\d+) requests of more clients", rest)[1])
    assert re.search(rf"lost_inventory +{lost} ", rest)
    assert rows(path, "SELECT count(*) FROM client") == [(26000 - lost,)]


# --- behind a PROXY header ----------------------------------------------------------------------

@pytest.mark.parametrize("header, taken", [
    (b"PROXY TCP4 203.0.113.9 198.51.100.1 5000 25\r\n", True),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12), True), (b"EHLO a.example\r\n", False)])
def test_a_greeting_behind_a_proxy_header(folder, header, taken):
    """It is one, whatever --events says; nothing of it is in the log."""
    talk = Connection(server=("198.51.100.1", 25))
    packets = [*talk.opening(), talk.c("PA", data=header),
               talk.s("PA", ack=1 + len(header), data=b"welcome, who are you?\r\n")]
    done = read(pcap(list(map(ethernet, packets))), folder, "-f", "json")
    assert events_of([json.loads(line) for line in done.stdout.splitlines()]) == []
    assert rows(os.path.join(folder, "x.db"), "SELECT port FROM service") == [(25,)] * taken
