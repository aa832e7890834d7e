# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The probe on live interfaces: network namespaces, veth pairs, real sockets, real servers."""

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import struct
import threading
import time

import pytest

import netns
import packets
from netns import BINARY, PATIENCE, Probe, attached, decoded, wait_for
from real_servers import sshd
from servers import Server, ask, connect, listen_to, load
from ways import WAYS, every_way, shown, start, told

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

def mac_address(ns, iface):
    [link] = json.loads(ns.ip("-j", "link", "show", iface))
    return link["address"]


# --- banners ----------------------------------------------------------------------------------

@every_way
@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
def test_both_directions(net, way, family):
    """A server of this host and one elsewhere: both speak, and each that speaks second is silent."""
    here, there = ("10.99.0.1", "10.99.0.2") if family == "IPv4" else ("fd99:0::1", "fd99:0::2")
    with Server(net.host, here) as ours, Server(net.peer, there) as theirs, \
            Server(net.host, here, None) as mute, Server(net.peer, there, None) as mute_there, \
            start(net.host, way) as probe:
        inbound, outbound = listen_to(net.peer, ours), listen_to(net.host, theirs)
        assert ask(net.peer, mute).said and ask(net.host, mute_there).said
        records = probe.stop()
    assert told(records) == shown(inbound, outbound)
    by_server = {r["server"]: r for r in records}
    short = {"fd99:0::1": "fd99::1", "fd99:0::2": "fd99::2"}
    here, there = short.get(here, here), short.get(there, there)
    for server, client, direction in (here, there, "out"), (there, here, "in"):
        r = by_server[server]
        assert (r["client"], r["dir"], r["iface"]) == (client, direction, "veth0")
        assert (r["history"], r["truncated"], "vlan" in r) == ("ShAd", False, False)
        assert 0 <= r["delay_us"] < PATIENCE * 1_000_000
        assert 0 < r["rtt_us"] < PATIENCE * 1_000_000 and r["server_ttl"] == 64
        ours_and_theirs = mac_address(net.host, "veth0"), mac_address(net.peer, "peer0")
        assert (r["server_mac"], r["client_mac"]) == \
            ours_and_theirs[::1 if direction == "out" else -1]


def test_time_is_that_of_the_wall_clock(net):
    with Server(net.host, "10.99.0.1") as server, start(net.host, "auto") as probe:
        before = time.time()
        listen_to(net.peer, server)
        after = time.time()
        [record] = probe.stop()
    assert before - 0.001 <= record["ts"] <= after + 0.001


@every_way
def test_load(net, way):
    """2,000 connections of each kind at full speed: every banner once, and nothing else."""
    with Server(net.host, "10.99.0.1") as greeter, Server(net.host, "10.99.0.1", None) as mute, \
            start(net.host, way) as probe:
        talks = load(net.peer, greeter, mute, 2000)
        records = probe.stop()
    expected = shown(*(t for t in talks if t.server_port == greeter.port))
    assert sum(expected.values()) == 2000
    assert told(records) == expected


def test_load_outbound(net):
    """The same with the clients on the probe's side."""
    with Server(net.peer, "10.99.0.2") as greeter, Server(net.peer, "10.99.0.2", None) as mute, \
            start(net.host, "xdp-generic") as probe:
        talks = load(net.host, greeter, mute, 2000)
        records = probe.stop()
    assert told(records) == shown(*(t for t in talks if t.server_port == greeter.port))


LONG = bytes(range(256)) * 40


@every_way
@pytest.mark.parametrize("mtu", [1500, 9000])
def test_long_banner(net, way, mtu):
    """Offloads make one large packet of it, jumbo frames one that is not linear."""
    net.host.ip("link", "set", "veth0", "mtu", str(mtu))
    net.peer.ip("link", "set", "peer0", "mtu", str(mtu))
    with Server(net.host, "10.99.0.1", lambda n: LONG) as ours, \
            Server(net.peer, "10.99.0.2", lambda n: LONG) as theirs, \
            start(net.host, way, "-l", "4096", "veth0") as probe:
        listen_to(net.peer, ours), listen_to(net.host, theirs)
        records = probe.stop()
    assert sorted(r["dir"] for r in records) == ["in", "out"]
    for r in records:
        banner = decoded(r["banner"])
        assert r["len"] >= 1400
        assert banner == LONG[:min(4096, r["len"])]
        assert r["truncated"] == (r["len"] > 4096)


def test_reader_in_a_pipe_sees_a_banner_at_once(net):
    """Within a tenth of a second of the client itself, each of twenty."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, "auto") as probe:
        for _ in range(20):
            said = listen_to(net.peer, server).said
            there = time.monotonic()
            line = probe.line()
            assert decoded(json.loads(line)["banner"]) == said
            assert line.when - there < 0.1
        assert len(probe.stop()) == 20


def test_connection_older_than_the_probe(net):
    """Its handshake was not seen: nothing is guessed from what its server says now."""
    with net.host.entered(), socket.create_server(("10.99.0.1", 0)) as listener, \
            connect(net.peer, "10.99.0.1", listener.getsockname()[1]) as client:
        server, _ = listener.accept()
        with server, start(net.host, "auto") as probe:
            server.sendall(b"220 late\r\n")
            assert client.recv(100) == b"220 late\r\n"
            assert probe.stop() == []


def test_same_ports_again(net):
    """A four-tuple that was reset is free for the next connection."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, "auto") as probe:
        for _ in range(3):
            with net.peer.entered():
                client = socket.socket()
            with client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.settimeout(PATIENCE)
                client.bind(("10.99.0.2", 4444))
                client.connect((server.address, server.port))
                client.recv(100)
        assert [(r["client_port"], r["banner"]) for r in probe.stop()] == \
            [(4444, rf"220 hello {n}\x0d\x0a") for n in (1, 2, 3)]


BULK = os.urandom(1 << 20) * 16


def receive(connection, size):
    data = bytearray()
    while len(data) < size and (more := connection.recv(1 << 20)):
        data += more
    return bytes(data)


@every_way
def test_traffic_arrives_unchanged(net, way):
    """Both directions at once, through all the offloads there are."""
    with net.host.entered(), socket.create_server(("10.99.0.1", 0)) as listener, \
            start(net.host, way) as probe, \
            connect(net.peer, "10.99.0.1", listener.getsockname()[1]) as client:
        server, _ = listener.accept()
        with server:
            server.settimeout(PATIENCE)
            senders = [threading.Thread(target=s.sendall, args=(BULK,)) for s in (server, client)]
            for thread in senders:
                thread.start()
            assert receive(client, len(BULK)) == BULK
            assert receive(server, len(BULK)) == BULK
            for thread in senders:
                thread.join()
        assert len(probe.stop()) <= 1


# --- real sshd --------------------------------------------------------------------------------

def test_openssh(net, tmp_path):
    with sshd(net.host, tmp_path, "10.99.0.1") as port, start(net.host, "auto") as probe:
        with connect(net.peer, "10.99.0.1", port) as client:
            said = client.recv(256)
            client_port = client.getsockname()[1]
        records = probe.stop()
    assert re.fullmatch(rb"SSH-2\.0-OpenSSH_.*\r\n", said)
    assert told(records) == shown((port, client_port, said))


def test_openssh_in_zeek_format(net, tmp_path):
    with sshd(net.host, tmp_path, "10.99.0.1") as port, \
            Probe(net.host, "-f", "zeek", "veth0") as probe:
        with connect(net.peer, "10.99.0.1", port) as client:
            said = client.recv(256)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    [row] = [line.split("\t") for line in probe.stdout if not line.startswith("#")]
    assert row[2:] == ["10.99.0.1", "2222", "PassiveRecon::SSH_SERVER", "-",
                       said.decode().rstrip(), "-"]
    assert probe.stdout[-1].startswith("#close\t")


# --- VLAN tags --------------------------------------------------------------------------------

def inject(ns, iface, frames, protocol=0):
    """Send frames just as they are."""
    with ns.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((iface, protocol))
        for frame in frames:
            wire.send(frame)


TAGS = [[(0x8100, 42)], [(0x88a8, 7)], [(0x88a8, 7), (0x8100, 42)], [(0x8100, 7), (0x8100, 4094)]]


@every_way
def test_vlan(net, way):
    """For each kind of tags a connection that arrives, and one that leaves."""
    expected = []
    with start(net.host, way) as probe:
        for i, tags in enumerate(TAGS):
            arriving = packets.Connection(("192.0.2.9", 40000 + i), ("192.0.2.10", 25))
            leaving = packets.Connection(("2001:db8::9", 50000 + i), ("2001:db8::10", 25))
            inject(net.peer, "peer0", [packets.ethernet(p, tags) for p in arriving.greeted(b"hi")])
            inject(net.host, "veth0", [packets.ethernet(p, tags) for p in leaving.greeted(b"hi")])
            expected += [(40000 + i, "in", [vlan for _, vlan in tags]),
                         (50000 + i, "out", [vlan for _, vlan in tags])]
        found = [json.loads(probe.line()) for _ in expected]
        assert probe.stop() == found
    assert sorted((r["client_port"], r["dir"], r["vlan"]) for r in found) == sorted(expected)


# --- devices that carry IP without Ethernet ---------------------------------------------------

@contextlib.contextmanager
def tun(ns, name="tun0"):
    """A tunnel device; what is written to the file arrives on it."""
    TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
    with ns.entered(), open("/dev/net/tun", "r+b", buffering=0) as file:
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        ns.ip("addr", "add", "10.98.0.1/24", "dev", name)
        ns.ip("link", "set", name, "up")
        yield file


@pytest.mark.parametrize("way", ["auto", "tc", "clsact", "xdp"])
def test_tunnel(net, way):
    options, env, _ = WAYS[way]
    arriving = packets.Connection(("192.0.2.9", 40001), ("192.0.2.10", 25))
    leaving = packets.Connection(("192.0.2.9", 40002), ("192.0.2.10", 25))
    with tun(net.host) as far_end, Probe(net.host, "-f", "json", *options, "tun0", env=env) as probe:
        for packet in arriving.greeted(b"hello"):
            far_end.write(bytes(packet))
        inject(net.host, "tun0", [bytes(p) for p in leaving.greeted(b"hello")], 0x0800)
        found = [json.loads(probe.line()) for _ in range(2)]
        assert probe.stop() == found
    assert sorted((r["client_port"], r["dir"], r["iface"], r["banner"]) for r in found) == \
        [(40001, "in", "tun0", "hello"), (40002, "out", "tun0", "hello")]


def test_tunnel_has_no_xdp_for_us(net):
    """Generic XDP would run there, but without the Ethernet header that it counts on."""
    with tun(net.host):
        assert "tun0" in complaint(net.host, 3, BINARY, "--hook", "xdp-generic", "tun0")


# --- several interfaces -----------------------------------------------------------------------

@every_way
def test_two_interfaces(net2, way):
    """Each one's own connections, and one that is forwarded from one to the other: once."""
    a, b = net2.peers
    with Server(net2.host, "10.99.0.1") as first, Server(net2.host, "10.99.1.1") as second, \
            Server(b, "10.99.1.2") as behind, Server(b, "fd99:1::2") as behind6, \
            start(net2.host, way, "veth0", "veth1", interfaces=2) as probe:
        talks = [listen_to(a, first), listen_to(b, second)]
        passing = [listen_to(a, behind), listen_to(a, behind6)]
        records = probe.stop()
    assert told(records) == shown(*talks, *passing)
    # Two clients may have the same port: each lives in a namespace of its own.
    iface = {(r["server"], r["client_port"]): r["iface"] for r in records}
    ends = zip(("10.99.0.1", "10.99.1.1"), (talk.client_port for talk in talks))
    assert [iface[end] for end in ends] == ["veth0", "veth1"]


@pytest.mark.parametrize("way", ["auto", "tc", "clsact", "xdp", "xdp-generic"])
def test_loopback_shows_each_packet_twice(net, way):
    options, env, _ = WAYS[way]
    with Server(net.host, "127.0.0.1") as server, Server(net.host, "::1") as server6, \
            Server(net.host, "127.0.0.1", None) as mute, \
            Probe(net.host, "-f", "json", *options, "lo", env=env) as probe:
        talks = [listen_to(net.host, s) for s in (server, server6) * 50]
        ask(net.host, mute)
        assert told(probe.stop()) == shown(*talks)


# --- signals ----------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ends_by_a_signal_with_everything_written(net, number):
    with Server(net.host, "10.99.0.1") as server, start(net.host, "auto") as probe:
        talks = [listen_to(net.peer, server) for _ in range(300)]
        records = probe.stop(number)
    assert told(records) == shown(*talks)


@pytest.mark.parametrize("form", ["json", "zeek", "text"])
def test_hangup_reopens_the_file(net, tmp_path, form):
    log, old = tmp_path / "log", tmp_path / "log.1"
    with Server(net.host, "10.99.0.1", lambda n: b"banner %d\n" % n) as server, \
            Probe(net.host, "-f", form, "-o", log, "veth0") as probe:
        listen_to(net.peer, server)
        wait_for("the first banner", lambda: "banner 1" in log.read_text())
        log.rename(old)
        listen_to(net.peer, server)
        wait_for("the second in the old file", lambda: "banner 2" in old.read_text())
        probe.send(signal.SIGHUP)
        wait_for("a new file", log.exists)
        listen_to(net.peer, server)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert re.findall(r"banner (\d)", old.read_text()) == ["1", "2"]
    assert re.findall(r"banner (\d)", log.read_text()) == ["3"]
    assert probe.stdout == []
    if form == "zeek":
        for file in old, log:
            lines = file.read_text().splitlines()
            assert lines[0] == r"#separator \x09" and lines[-1].startswith("#close")
            assert sum(line.startswith("#fields") for line in lines) == 1


def test_hangup_without_a_file(net):
    """There is nothing to reopen; it goes on."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, "auto") as probe:
        probe.send(signal.SIGHUP)
        talk = listen_to(net.peer, server)
        assert told([json.loads(probe.line())]) == shown(talk)
        assert len(probe.stop()) == 1


def test_hangup_while_the_reader_is_slow(net):
    """The pipe is full when the signal comes: what waits to be written is written later."""
    reader, writer = os.pipe()
    lines = []
    with Server(net.host, "10.99.0.1", lambda n: b"x" * 200) as server, open(reader) as pipe, \
            Probe(net.host, "-f", "json", "veth0", stdout=writer) as probe:
        os.close(writer)
        for _ in range(500):
            listen_to(net.peer, server)
        probe.send(signal.SIGHUP)
        thread = threading.Thread(target=lambda: [lines.append(line) for line in pipe])
        thread.start()
        wait_for("all records", lambda: len(lines) >= 500 or probe.process.poll(), 5)
        probe.send(signal.SIGTERM)
        code = probe.ended()
        thread.join()
    assert (code, len(lines)) == (0, 500), probe.stderr


# --- what it leaves behind --------------------------------------------------------------------

@every_way
def test_nothing_stays_attached(net, way):
    with start(net.host, way) as probe:
        assert attached(net.host, "veth0")
        probe.stop()
    assert attached(net.host, "veth0") == []


@every_way
def test_nothing_stays_attached_after_sigkill(net, way):
    """The kernel takes links away with their owner; filters of old are cleared by the next start,
    where the guard cannot do it any more."""
    with start(net.host, way) as probe:
        assert ("clsact" in way) == bool(probe.guard())
        if guard := probe.guard():
            probe.send(signal.SIGSTOP)		# or it would end when the guard does
            os.kill(guard, signal.SIGKILL)
        probe.send(signal.SIGKILL)
        assert probe.ended() == -signal.SIGKILL
    if "clsact" in way:
        assert attached(net.host, "veth0")
        with start(net.host, way) as probe:
            filters = [what for what in attached(net.host, "veth0") if "filter" in what]
            assert len(filters) == (1 if "xdp" in way else 2)
            probe.stop()
    wait_for("the kernel to detach", lambda: attached(net.host, "veth0") == [])


@pytest.mark.parametrize("way", ["tc", "clsact"])
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("pref", ["1", "49152"])
def test_filters_of_others_are_left_alone(net, trivial, way, end, pref):
    net.host.tc("qdisc", "add", "dev", "veth0", "clsact")
    for hook in "ingress", "egress":
        net.host.tc("filter", "add", "dev", "veth0", hook, "pref", pref, "bpf", "da",
                    "obj", trivial, "sec", "tc")
    before = attached(net.host, "veth0")
    assert len(before) == 3
    with Server(net.host, "10.99.0.1") as server, start(net.host, way) as probe:
        assert set(before) < set(attached(net.host, "veth0"))
        talk = listen_to(net.peer, server)
        probe.send(end)
        probe.ended()
    assert end == signal.SIGKILL or told(map(json.loads, probe.stdout)) == shown(talk)
    if way == "clsact" and end == signal.SIGKILL:
        with start(net.host, way) as probe:		# clears its own leftovers, not these
            assert len(attached(net.host, "veth0")) == len(before) + 2
            probe.stop()
    wait_for("the old state", lambda: attached(net.host, "veth0") == before)


def test_an_empty_clsact_of_others_is_left_alone(net):
    net.host.tc("qdisc", "add", "dev", "veth0", "clsact")
    with start(net.host, "clsact") as probe:
        probe.stop()
    assert attached(net.host, "veth0") == ["qdisc clsact"]


def test_two_probes_on_one_interface(net):
    """By clsact neither takes the other's filters away when it goes."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, "clsact") as first:
        with start(net.host, "clsact") as second:
            talks = [listen_to(net.peer, server)]
            assert told(second.stop()) == shown(*talks)
        talks.append(listen_to(net.peer, server))
        assert told(first.stop()) == shown(*talks)
    assert attached(net.host, "veth0") == []


@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
@pytest.mark.parametrize("way", ["xdp", "auto"])
def test_a_busy_xdp_slot_is_shared_by_tc(net, trivial, mode, way):
    net.host.ip("link", "set", "dev", "veth0", mode, "obj", trivial, "sec", "xdp")
    before = attached(net.host, "veth0")
    with Server(net.host, "10.99.0.1") as server, Server(net.peer, "10.99.0.2") as there, \
            Probe(net.host, "-f", "json", "--hook", way, "veth0") as probe:
        assert probe.hooks == {"veth0": ("tcx", "tcx")}
        talks = listen_to(net.peer, server), listen_to(net.host, there)
        assert told(probe.stop()) == shown(*talks)
    if way == "xdp":		# it was asked for and was not to be had
        assert any("veth0" in line and "XDP" in line and ": attached: " not in line
                   for line in probe.stderr), probe.stderr
    assert attached(net.host, "veth0") == before


def complaint(ns, code, *args, env=None):
    """The one line with which it must give up."""
    done = ns.run(*args, env={**os.environ, **(env or {})})
    assert (done.returncode, done.stdout) == (code, ""), done
    [line] = done.stderr.splitlines()
    assert line.startswith("bannerprobe: ")
    return line


@pytest.mark.parametrize("way", ["xdp-native", "xdp-generic"])
def test_a_busy_xdp_slot_that_was_insisted_on(net, trivial, way):
    net.host.ip("link", "set", "dev", "veth0", "xdpdrv", "obj", trivial, "sec", "xdp")
    before = attached(net.host, "veth0")
    assert "veth0" in complaint(net.host, 3, BINARY, "--hook", way, "veth0")
    assert attached(net.host, "veth0") == before


def test_native_xdp_that_the_device_has_not(net):
    assert "lo" in complaint(net.host, 3, BINARY, "--hook", "xdp-native", "lo")


# --- what goes wrong --------------------------------------------------------------------------

def test_no_such_interface(net):
    assert "none0" in complaint(net.host, 3, BINARY, "none0")


def test_no_such_interface_among_others(net):
    """All or nothing: what was attached before is detached."""
    done = net.host.run(BINARY, "veth0", "none0")
    assert done.returncode == 3 and "none0" in done.stderr
    assert attached(net.host, "veth0") == []


def test_no_privilege(net):
    line = complaint(net.host, 3, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                     "--bounding-set=-all", BINARY, "veth0")
    assert "root" in line or "CAP_" in line or "privilege" in line


# --- options ----------------------------------------------------------------------------------

@every_way
def test_check_attaches_nothing(net, way):
    options, env, hooks = WAYS[way]
    done = net.host.run(BINARY, "--check", *options, "veth0", env={**os.environ, **env})
    assert done.returncode == 0, done
    assert "veth0" in done.stdout + done.stderr
    assert "veth0: would attach: receive {}, transmit {}\n".format(*hooks) in done.stderr
    assert attached(net.host, "veth0") == []


def test_check_fails_where_a_start_would(net):
    assert "none0" in complaint(net.host, 3, BINARY, "--check", "none0")


WRONG = [[], ["--nonsense", "veth0"], ["-f", "xml", "veth0"], ["--hook", "sometimes", "veth0"],
         ["-l", "0", "veth0"], ["-l", "4097", "veth0"], ["-l", "x", "veth0"], ["-l", "-1", "veth0"],
         ["-l", "99999999999999999999", "veth0"], ["-l", "", "veth0"], ["-l", "12x", "veth0"],
         ["--max-flows", "0", "veth0"], ["--max-flows", "many", "veth0"], ["--stats=x", "veth0"],
         ["-r"], ["--check"], ["-o"], ["--metrics=", "veth0"]]


@pytest.mark.parametrize("args", WRONG, ids=" ".join)
def test_wrong_usage(net, args):
    done = net.host.run(BINARY, *args)
    assert (done.returncode, done.stdout) == (2, ""), done
    [line] = done.stderr.splitlines()
    assert re.match(r"(\S*/)?bannerprobe: \S", line)


@pytest.mark.parametrize("option", ["-h", "--help", "-V", "--version"])
def test_help_and_version(option):
    done = packets.probe(option)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (b"libbpf" if "V" in option or "v" in option else b"--max-flows") in done.stdout


def test_stats_at_the_end(net):
    with Server(net.host, "10.99.0.1") as server, Server(net.host, "10.99.0.1", None) as mute, \
            start(net.host, "auto", "--stats", "veth0") as probe:
        talks = [listen_to(net.peer, server) for _ in range(3)]
        for _ in range(2):
            ask(net.peer, mute)
        assert told(probe.stop()) == shown(*talks)
    count = packets.counters("\n".join(probe.stderr).encode())
    assert (count["connections"], count["banners"], count["client_first"]) == (5, 3, 2)
    assert count.get("lost_ring", 0) == count.get("lost_table", 0) == 0


def test_stats_by_interface(net2):
    """Of each what passed it and what came of that; of all how many packets."""
    with Server(net2.host, "0.0.0.0") as server, Server(net2.host, "0.0.0.0", None) as mute, \
            start(net2.host, "auto", "--stats", "veth0", "veth1", interfaces=2) as probe:
        for i, count in (0, 2), (1, 1):
            for _ in range(count):
                listen_to(net2.peers[i], server, f"10.99.{i}.1")
        ask(net2.peers[0], mute, "10.99.0.1")
        probe.stop()
    told = dict(re.findall(r"^bannerprobe: (veth\d): (\d+ packets in, .*)$", "\n".join(probe.stderr), re.M))
    for name, connections, banners in ("veth0", 3, 2), ("veth1", 1, 1):
        found = re.fullmatch(rf"(\d+) packets in, (\d+) out, {connections} connections, {banners} banners, "
                             "0 segments ignored, 0 packets not read, 0 lost", told[name])
        assert found and all(3 * connections < int(n) < 200 for n in found.groups()), told
    packets_of_all = packets.counters("\n".join(probe.stderr).encode())["packets"]
    assert packets_of_all >= sum(int(n) for line in told.values()
                                 for n in re.findall(r"(\d+) (?:packets in|out)", line))


def test_an_interface_cannot_order_the_terminal(net):
    """What it is called may be an escape sequence, or another line."""
    netns.sh("ip", "-n", net.host.name, "link", "add", "a\x1b[31m\xff", "type", "veth")
    with Probe(net.host, "a*", interfaces=0) as probe:
        assert r"a\x1b[31m\xc3\xbf: attached: " in probe.error_line("attached")
        probe.stop()
    assert all(" " <= letter <= "~" for line in probe.stderr for letter in line)


def test_stats_every_second(net):
    with start(net.host, "auto", "--stats=1", "veth0") as probe:
        lines = [probe.error_line(r": [-\d]+ [:\d]+ packets \d+ ") for _ in range(3)]
        probe.stop()
    stamps = [re.search(r"\d\d:\d\d:\d\d", line)[0] for line in lines]
    assert len(set(stamps)) > 1


def test_a_small_table_still_serves(net):
    """Far more connections than it holds, one after another: each is done before it is evicted."""
    with Server(net.host, "10.99.0.1") as server, \
            start(net.host, "auto", "--max-flows", "1024", "veth0") as probe:
        talks = [listen_to(net.peer, server) for _ in range(2000)]
        assert told(probe.stop()) == shown(*talks)


def test_a_flood_of_syns_hides_no_banner(net):
    """Many times the table's size: the connections of the moment are still there."""
    def flood(n):
        inject(net.peer, "peer0", [packets.ethernet(syn) for syn in syns[n::10]])
    syns = [packets.Connection(("10.0.%d.%d" % divmod(i, 250), 1024 + i), ("10.99.0.1", 9)).syn()
            for i in range(2500)]
    with Server(net.host, "10.99.0.1") as server, \
            start(net.host, "auto", "--max-flows", "512", "--stats", "veth0") as probe:
        talks = []
        for n in range(10):
            flood(n)
            talks.append(listen_to(net.peer, server))
        assert told(probe.stop()) == shown(*talks)
    count = packets.counters("\n".join(probe.stderr).encode())
    assert count["connections"] == 2510 and count["evicted"] > 0
    assert count["connections"] == sum(count[outcome] for outcome in OUTCOMES)


# Every connection comes to exactly one of these.
OUTCOMES = ["banners", "client_first", "client_first_syn", "client_first_by_ack",
            "client_first_by_seq", "server_data_unseen", "synack_unseen", "no_data", "reset",
            "no_server", "evicted", "open"]


def test_a_reader_that_goes_away_ends_it(net):
    """As with `| head -1`: what cannot be written any more is not watched any longer, and nothing
    has failed."""
    reader, writer = os.pipe()
    with Server(net.host, "10.99.0.1") as server, \
            Probe(net.host, "-f", "json", "veth0", stdout=writer) as probe:
        os.close(writer)
        os.close(reader)
        listen_to(net.peer, server)
        assert probe.ended() in (0, -signal.SIGPIPE)
    assert len(probe.stderr) == 1
    assert attached(net.host, "veth0") == []
