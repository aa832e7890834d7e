# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What each side of real connections says first, and the counts of what was logged."""

import collections
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading

import pytest

from netns import PATIENCE, Probe, _sysctl, decoded, sh, wait_for
from real_servers import sshd
from servers import connect
from ways import WAYS, every_way

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

HERE = "10.99.0.1"
EACH = int(os.environ.get("TEST_CONNECTIONS", 1600)) // 8	# connections of each of eight kinds


def watch(ns, *args, way="auto", form="json"):
    options, env, _ = WAYS[way]
    return Probe(ns, "-f", form, *options, *args, "--stats", "--stats-format=json", "veth0", env=env)


def stats_of(probe):
    """The last line of the statistics."""
    return json.loads([line for line in probe.stderr if line.startswith("{")][-1])


def said(records):
    return {record["event"]: decoded(record.get("banner", "")) for record in records}


# --- OpenSSH --------------------------------------------------------------------------------------

def bytes_waiting(pid, port):
    """What clients have sent to a port of this process's namespace, and nobody has read."""
    with open(f"/proc/{pid}/net/tcp") as file:
        fields = [line.split() for line in file][1:]
    return sum(int(one[4].split(":")[1], 16) for one in fields if one[3] == "01" and one[1].endswith(f":{port:04X}"))


def log_in(ns, port, folder):
    """
    OpenSSH's client, with a login that fails. The server is stopped until the client has spoken: on
    a busy host it may be the faster one.
    """
    server = int((folder / "pid").read_text())
    os.kill(server, signal.SIGSTOP)
    client = subprocess.Popen(ns.argv("ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
                                      "-o", "UserKnownHostsFile=/dev/null", "-p", str(port), f"nobody@{HERE}", "true"),
                              stderr=subprocess.PIPE, text=True)
    try:
        wait_for("the client's identification", lambda: bytes_waiting(server, port))
        os.kill(server, signal.SIGCONT)
        assert "Permission denied" in client.communicate(timeout=PATIENCE)[1]
    finally:
        os.kill(server, signal.SIGCONT)
        client.kill()
        client.wait()


def test_openssh_speaks_second(net, tmp_path):
    """Its client speaks at once: what sshd says is a response."""
    with sshd(net.host, tmp_path, HERE) as port, watch(net.host, "--events=all") as probe:
        log_in(net.peer, port, tmp_path)
        records = probe.stop()
    assert sorted(record["event"] for record in records) == ["open", "request", "response"]
    versions = said(records)
    assert versions["request"].startswith(b"SSH-2.0-OpenSSH_") and versions["response"].startswith(b"SSH-2.0-OpenSSH_")
    assert not any("crossed" in record for record in records)
    assert len({record["community_id"] for record in records}) == 1
    by_event = {record["event"]: record for record in records}
    assert by_event["response"]["history"] == "ShADd" and by_event["response"]["delay_us"] > 0
    assert {record["client"] for record in records} == {"10.99.0.2"}


def test_openssh_in_zeek_format(net, tmp_path):
    with sshd(net.host, tmp_path, HERE) as port, watch(net.host, "--events=all", form="zeek") as probe:
        log_in(net.peer, port, tmp_path)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    rows = [line.split("\t") for line in probe.stdout if not line.startswith("#")]
    kinds = {row[4].removeprefix("PassiveRecon::"): row for row in rows}
    assert len(rows) == 3 and kinds.keys() == {"OPEN_PORT", "SSH_CLIENT", "SSH_SERVER"}
    assert kinds["SSH_CLIENT"][2:4] == ["10.99.0.2", "-"] and kinds["SSH_SERVER"][2:4] == [HERE, "2222"]
    assert kinds["OPEN_PORT"][2:] == [HERE, "2222", "PassiveRecon::OPEN_PORT", "TCP", "tcp/2222", "-"]


def test_an_identification_in_two_segments(net):
    """Written by -f zeek as one, once its line ends, while the connection goes on."""
    with net.host.entered():
        listener = socket.create_server((HERE, 2222))
    with listener, Probe(net.host, "-f", "zeek", "veth0") as probe, connect(net.peer, HERE, 2222) as client:
        server, _ = listener.accept()
        with server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in b"S", b"SH-2.0-OpenSSH_9.", b"2p1\r\n":
                server.sendall(part)
                assert client.recv(64) == part
            while (line := probe.line()).startswith("#"):
                pass
            assert line.split("\t")[4:] == ["PassiveRecon::SSH_SERVER", "-", "SSH-2.0-OpenSSH_9.2p1", "-"]
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert len([line for line in probe.stdout if not line.startswith("#")]) == 1


# --- HTTP -----------------------------------------------------------------------------------------

@contextlib.contextmanager
def web_server(ns, folder):
    with subprocess.Popen(ns.argv(sys.executable, "-m", "http.server", "--bind", HERE, "-d", folder, "8080"),
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for("the web server", lambda: "8080" in sh("ip", "netns", "exec", ns.name, "ss", "-Hltn"))
            yield 8080
        finally:
            server.terminate()


def fetch(ns, port):
    client = http.client.HTTPConnection(HERE, port)
    client.sock = connect(ns, HERE, port)
    client.request("GET", "/", headers={"User-Agent": "test/1"})
    client.getresponse().read()
    client.close()


def test_web_server(net, tmp_path):
    with web_server(net.host, tmp_path) as port, watch(net.host, "--events=banner,request,response") as probe:
        fetch(net.peer, port)
        records = probe.stop()
    assert [record["event"] for record in records] == ["request", "response"]
    assert said(records)["request"].startswith(b"GET / HTTP/1.1\r\n")
    assert said(records)["response"].startswith(b"HTTP/1.0 200 OK\r\nServer: SimpleHTTP/")
    events = stats_of(probe)["events"]
    assert events.keys() == {"request", "response"}
    assert events["request"]["logged"] == events["response"]["logged"] == 1


# --- the books ------------------------------------------------------------------------------------

def hear(peer):
    """All that the other side says, to its end."""
    with contextlib.suppress(ConnectionResetError):
        while peer.recv(4096):
            pass


def greet(peer):
    peer.sendall(b"220 hello\r\n")
    hear(peer)


def answer(peer):
    if peer.recv(4096):
        peer.sendall(b"250 as you say\r\n")


def say_goodbye(peer):
    hear(peer)
    peer.sendall(b"221 bye\r\n")


@contextlib.contextmanager
def serving(ns, serve):
    """One connection after another, each by serve(socket)."""
    with ns.entered():
        listener = socket.create_server((HERE, 0), backlog=4096)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 64)

    def run():
        with contextlib.suppress(OSError):	# closed at the end
            while True:
                peer, _ = listener.accept()
                with peer, contextlib.suppress(ConnectionError):
                    serve(peer)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def listens(ns, port):
    with connect(ns, HERE, port) as client:
        assert client.recv(64)


def replies(ns, port):
    with connect(ns, HERE, port) as client:
        assert client.recv(64)
        client.sendall(b"EHLO a\r\n")
        client.shutdown(socket.SHUT_WR)
        hear(client)


def asks(ns, port):
    with connect(ns, HERE, port) as client:
        client.sendall(b"EHLO a\r\n")
        assert client.recv(64)


def is_silent(ns, port):
    with connect(ns, HERE, port) as client:
        client.shutdown(socket.SHUT_WR)
        hear(client)


def is_refused(ns, port):
    with pytest.raises(ConnectionRefusedError):
        connect(ns, HERE, port)


def resets(ns, port):
    with connect(ns, HERE, port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def asks_fast(ns, port):
    with ns.entered():
        client = socket.socket()
    with client:
        client.settimeout(PATIENCE)
        client.sendto(b"EHLO a\r\n", socket.MSG_FASTOPEN, (HERE, port))
        assert client.recv(64)


CLOSED = 20000	# this port and those behind it: below all that a listener gets by itself


def converse(net, each):
    """`each` connections of each kind; the kinds take turns.

    Each refused one has a port of its own: the client's port is free at once, and may be taken again.
    A SYN on the ports of a refused connection that is refused, too, is no connection of its own.
    """
    with serving(net.host, greet) as greeter, serving(net.host, answer) as answerer, \
            serving(net.host, say_goodbye) as late:
        for n in range(each):
            listens(net.peer, greeter)
            replies(net.peer, greeter)
            asks(net.peer, answerer)
            is_silent(net.peer, answerer)
            is_refused(net.peer, CLOSED + n)
            resets(net.peer, answerer)
            is_silent(net.peer, late)	# which speaks once the client has closed
            asks_fast(net.peer, answerer)


def allow_fast_open(net):
    """Without a cookie: the data of each SYN is taken."""
    for ns in net.host, net.peer:
        with ns.entered():
            _sysctl("net/ipv4/tcp_fastopen", 0x207)


@every_way
def test_the_books_balance(net, way):
    """Of every kind of connection each event is logged once, or its reason is counted."""
    allow_fast_open(net)
    with watch(net.host, "--events=all", way=way) as probe:
        converse(net, EACH)
        records = probe.stop()
    found = collections.Counter(record["event"] for record in records)
    expected = {"banner": 3, "request": 2, "response": 2, "reply": 1, "open": 7}
    assert found == {event: count * EACH for event, count in expected.items()}
    stats = stats_of(probe)
    assert stats["connections"] == 8 * EACH and stats["banners"] == 3 * EACH and stats["lost"] == 0
    assert stats["events"].keys() == expected.keys() - {"banner"}
    for event, fates in stats["events"].items():
        assert sum(fates.values()) == stats["connections"], (event, fates)
        assert fates["logged"] == found[event], (event, fates)
        assert fates["evicted"] == 0, (event, fates)


@pytest.mark.parametrize("way", ["tc", "xdp-generic"])
def test_a_request_in_a_syn_has_the_direction_of_the_syn(net, way):
    """Not that of the SYN-ACK that accepts it, which goes the other way."""
    allow_fast_open(net)
    with serving(net.host, answer) as port, watch(net.host, "--events=all", way=way) as at_server, \
            Probe(net.peer, "-f", "json", "--events=all", *WAYS[way][0], "peer0") as at_client:
        asks_fast(net.peer, port)
        for probe, client, server in (at_server, "in", "out"), (at_client, "out", "in"):
            found = {record["event"]: record["dir"] for record in probe.stop()}
            assert found == {"open": client, "request": client, "response": server}


def test_open_connections_are_in_the_books(net):
    """While they may still say something, too."""
    with serving(net.host, hear) as port, \
            Probe(net.host, "-f", "json", "--events=all", "--stats", "--stats-format=json", "veth0") as probe:
        with connect(net.peer, HERE, port):
            assert json.loads(probe.line())["event"] == "open"
            probe.send(signal.SIGUSR1)
            stats = json.loads(probe.error_line(r"^\{"))
            assert stats["connections"] == 1
            for event in "request", "response", "reply":
                assert stats["events"][event]["open"] == 1 == sum(stats["events"][event].values()), stats["events"]
            assert stats["events"]["open"]["logged"] == 1
        probe.stop()


def test_what_a_full_table_evicts_is_counted(net):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with serving(net.host, hear) as port, watch(net.host, "--max-flows=64", "--events=all") as probe:
        with contextlib.ExitStack() as clients:
            for _ in range(2000):
                clients.enter_context(connect(net.peer, HERE, port))
            probe.send(signal.SIGTERM)
            assert probe.ended() == 0
    stats = stats_of(probe)
    assert stats["connections"] == 2000 and stats["events"]["request"]["evicted"] > 0
    for event, fates in stats["events"].items():
        assert sum(fates.values()) == stats["connections"], (event, fates)


def test_counts_without_events_are_as_before(net):
    with serving(net.host, greet) as port, watch(net.host) as probe:
        listens(net.peer, port)
        [record] = probe.stop()
    assert "event" not in record and "events" not in stats_of(probe)


def test_metrics(net, tmp_path):
    metrics = tmp_path / "metrics.prom"
    with serving(net.host, answer) as port, \
            watch(net.host, "--events=request,response", f"--metrics={metrics}") as probe:
        asks(net.peer, port)
        probe.stop()
    lines = metrics.read_text().splitlines()
    for event in "request", "response":
        assert f'bannerprobe_events_total{{probe="veth0",event="{event}",reason="logged"}} 1' in lines
        assert f'bannerprobe_events_open{{probe="veth0",event="{event}"}} 0' in lines
    assert not any('event="reply"' in line for line in lines)


def test_the_warning_of_passwords_is_said_once(net):
    with watch(net.host, "--events=banner,reply") as probe:
        probe.stop()
    assert len([line for line in probe.stderr if "passwords" in line]) == 1
