# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Tunnels on interfaces: as a mirror sends them, and through a tunnel's device."""

import itertools
import os
import random
import socket
import struct

import pytest

from netns import decoded
from packets import Connection
from servers import Server, listen_to
from tunnels import KINDS, frame, gre, vxlan
from ways import every_way, start

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

BANNER = b"220 inside\r\n"


def talks():
    """A connection for each kind of tunnel, in it: name, connection, frames."""
    for n, (name, (wrap, _)) in enumerate(KINDS.items()):
        one = Connection(client=(f"5.6.{n}.8", 5678))
        yield name, one, [wrap(bytes(packet)) for packet in one.greeted(BANNER)]


def mirror(net, frames):
    """Sends frames from the peer, as a switch's mirror port does."""
    with net.peer.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
        port.bind(("peer0", 0))
        for one in frames:
            port.send(one.ljust(60, b"\0"))


@every_way
def test_mirror_port(net, way):
    """Every kind, by hooks as by the capture reader."""
    sent = list(talks())
    with start(net.host, way, "--decap", "veth0") as probe:
        for _, _, frames in sent:
            mirror(net, frames)
        records = probe.stop()
    found = {r["client"]: r for r in records}
    for name, one, _ in sent:
        record = found[one.client[0]]
        assert (decoded(record["banner"]), record["history"]) == (BANNER, "ShAd"), name
        assert record["tunnel"] == KINDS[name][1], name
    assert len(records) == len(sent)


@every_way
def test_nothing_is_opened_unless_asked_for(net, way):
    sent = [packet for _, _, frames in talks() for packet in frames]
    with start(net.host, way, "veth0") as probe:
        mirror(net, sent)
        assert probe.stop() == []


def test_only_what_is_asked_for(net):
    with start(net.host, "tc", "--decap=erspan,mpls", "veth0") as probe:
        for _, _, frames in talks():
            mirror(net, frames)
        kinds = {r["tunnel"][0]["type"] for r in probe.stop()}
    assert kinds == {"erspan", "mpls"}


SOL_PACKET, PACKET_VNET_HDR = 263, 15


def mirror_in_parts(net, linear, frames):
    """The same, but only so many bytes are in the packet's linear part, as a driver leaves them with GRO."""
    with net.peer.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
        port.bind(("peer0", 0))
        port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        for one in frames:	# long ones: the kernel puts short ones into the linear part as a whole
            port.send(struct.pack("=BBHHHH", 0, 0, linear, 0, 0, 0) + one.ljust(4300, b"\0"))


@pytest.mark.parametrize("way", ["tc", "xdp-generic"])
@pytest.mark.parametrize("kind", ["vxlan", "geneve", "gre", "erspan II", "ipip", "mpls", "pppoe"])
def test_headers_beyond_the_linear_part(net, kind, way):
    """Wherever the linear part ends, and with no other kind opened."""
    for ns, device in (net.host, "veth0"), (net.peer, "peer0"):
        ns.ip("link", "set", device, "mtu", "9000")
    wrap, layers = KINDS[kind]
    with start(net.host, way, f"--decap={kind.split()[0]}", "veth0") as probe:
        for linear in range(14, 130):
            one = Connection(client=("5.6.7.8", 1000 + linear))
            mirror_in_parts(net, linear, [wrap(bytes(packet)) for packet in one.greeted(BANNER)])
        records = probe.stop()
    assert [r["client_port"] - 1000 for r in records] == list(range(14, 130))
    assert all((decoded(r["banner"]), r["tunnel"]) == (BANNER, layers) for r in records)


def test_peers(net):
    frames = [frame(vxlan(frame(bytes(p)))) for p in Connection().greeted(BANNER)]
    with start(net.host, "xdp-generic", "--decap=vxlan", "--decap-from=203.0.113.0/24", "veth0") as probe:
        mirror(net, frames)
        assert probe.stop() == []
    with start(net.host, "xdp-generic", "--decap=vxlan", "--decap-from=203.0.113.0/24",
               "--decap-from=192.0.2.1", "veth0") as probe:
        mirror(net, frames)
        assert len(probe.stop()) == 1


@pytest.mark.parametrize("key, history", [("yes", "hd"), ("no", "ShAd")])
def test_directions_under_two_numbers(net, key, history):
    """As from a mirror with a session for each direction."""
    talk = Connection().greeted(BANNER)
    frames = [frame(vxlan(frame(bytes(p)), 1 if p.dst == "1.2.3.4" else 2)) for p in talk]
    with start(net.host, "tc", "--decap=vxlan", f"--decap-key={key}", "veth0") as probe:
        mirror(net, frames)
        [record] = probe.stop()
    assert (record["history"], record["tunnel"][0]["id"]) == (history, 2)


def test_own_addresses_inside(net):
    """A tunnel's inside is not this host's, though it has its addresses."""
    one = Connection(client=("10.99.0.1", 5678), server=("10.99.0.2", 25))
    other = Connection(client=("10.99.0.2", 5678), server=("10.99.0.1", 25))
    with start(net.host, "auto", "--decap", "veth0") as probe:
        for talk in one, other:
            mirror(net, [frame(gre(bytes(p))) for p in talk.greeted(BANNER)])
        assert len(probe.stop()) == 2


def flood(count):
    """SYNs in VXLAN, each of another host and under another number; it is random, and the same each time."""
    some = random.Random(1)
    [syn, *_] = Connection().opening()
    start = frame(vxlan(frame(bytes(syn))))
    client, number = len(start) - len(bytes(syn)) + 12, len(start) - len(bytes(syn)) - 14 - 4
    for _ in range(count):
        packet = bytearray(start)
        packet[client:client + 4] = some.randbytes(4)
        packet[number:number + 3] = some.randbytes(3)
        yield bytes(packet)


@pytest.mark.parametrize("way", ["tc", "xdp-generic"])
def test_flood_under_all_numbers(net, way):
    """Two hundred SYNs come between the packets of each honest connection, which is in the same tunnel."""
    honest, between = 50, 200
    syns = flood(honest * 4 * between)
    with start(net.host, way, "--decap", "--stats", "veth0") as probe:
        for n in range(honest):
            one = Connection(client=("5.6.7.8", 1024 + n))
            for packet in one.greeted(BANNER):
                mirror(net, [*itertools.islice(syns, between), frame(vxlan(frame(bytes(packet))))])
        records = probe.stop()
    assert sorted(r["client_port"] for r in records) == list(range(1024, 1024 + honest))


LONG = bytes(range(256)) * 40


def vxlan_devices(net, v6=False):
    """A VXLAN between host and peer: 10.77.0.1 and .2 inside."""
    ends = ("fd99:0::1", "fd99:0::2") if v6 else ("10.99.0.1", "10.99.0.2")
    for ns, device, here, there, inner in ((net.host, "veth0", *ends, "10.77.0.1"),
                                           (net.peer, "peer0", *ends[::-1], "10.77.0.2")):
        ns.ip("link", "add", "vx", "type", "vxlan", "id", "77", "local", here, "remote", there,
              "dstport", "4789", "dev", device)
        ns.ip("addr", "add", f"{inner}/24", "dev", "vx")
        ns.ip("link", "set", "vx", "up")


@pytest.mark.parametrize("v6", [False, True], ids=["IPv4", "IPv6"])
@every_way
def test_outer_device(net, way, v6):
    vxlan_devices(net, v6)
    with Server(net.host, "10.77.0.1") as ours, Server(net.peer, "10.77.0.2", lambda n: LONG) as theirs, \
            start(net.host, way, "--decap", "-l", "4096", "veth0") as probe:
        listen_to(net.peer, ours), listen_to(net.host, theirs)
        records = {r["dir"]: r for r in probe.stop()}
    assert sorted(records) == ["in", "out"]
    for r in records.values():
        assert (r["tunnel"][0]["type"], r["tunnel"][0]["id"]) == ("vxlan", 77)
        assert r["history"] in ("ShAd", "Shd")
    assert decoded(records["in"]["banner"]) == LONG[:min(4096, records["in"]["len"])]


@pytest.mark.parametrize("way", ["auto", "tc", "clsact", "xdp-generic"])
def test_outer_and_inner_device(net, way):
    """Both at once: one record of each connection."""
    vxlan_devices(net)
    with Server(net.host, "10.77.0.1") as ours, Server(net.peer, "10.77.0.2") as theirs, \
            start(net.host, way, "--decap", "veth0", "vx", interfaces=2) as probe:
        for _ in range(10):
            listen_to(net.peer, ours), listen_to(net.host, theirs)
        records = probe.stop()
    assert len(records) == 20
    assert len({(r["client_port"], r["server_port"]) for r in records}) == 20


def test_inner_device(net):
    vxlan_devices(net)
    with Server(net.host, "10.77.0.1") as ours, start(net.host, "auto", "vx") as probe:
        listen_to(net.peer, ours)
        [record] = probe.stop()
    assert "tunnel" not in record
