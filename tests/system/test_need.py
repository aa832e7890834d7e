# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What this host is said to have sent counts only if it was seen leaving: --need, and where that
must not cost a banner: NAT, containers, answers that leave elsewhere, bridges, macvlan, VRFs,
bonds, loopback. Each forged greeting is one SYN-ACK with data, that nobody asked for.
"""

import contextlib
import os
import socket
import threading

import pytest

import forgery
from forgery import forge_at, mac_address, ports_for
from netns import BINARY, PATIENCE, Namespace, Network, Probe, wait_for
from servers import Server, connect, listen_to
from test_positions import (HOST, OUTSIDE, SECOND, BETWEEN, OUTBOUND, OUTBOUND_ETH0,
                            PUBLISHED, PUBLISHED_ETH0, ContainerHost)
from ways import shown, told

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

GREETING, SECRET = ["s:SA:9"], "FORGED"
STRANGER = ("192.0.2.25", 25)
HOOKS = ["tc", "xdp-generic"]
every_hook = pytest.mark.parametrize("hook", HOOKS)
# The default is tried as such, by no option.
NEEDS = {"own": [], "syn": ["--need", "syn"], "handshake": ["--need", "handshake"],
         "none": ["--need", "none"]}
every = pytest.mark.parametrize("need, hook", [
    ("own", "tc"), ("own", "xdp-generic"), ("syn", "tc"), ("handshake", "xdp-generic"), ("none", "tc")])
few = pytest.mark.parametrize("need, hook", [
    ("own", "tc"), ("own", "xdp-generic"), ("handshake", "tc")])


@contextlib.contextmanager
def watching(ns, *names, need="own", hook="tc"):
    """The probe. XDP on a device and on that below it cannot be: there it falls back to tc."""
    if hook == "xdp-generic" and not {"br0", "mv0", "bond0", "vrf0"}.isdisjoint(names[:-1]):
        hook = "xdp"
    with Probe(ns, "-f", "json", "--stats", "--hook", hook, *NEEDS[need], *names,
               interfaces=len(names)) as probe:
        yield probe


def only(probe, *talks):
    """These are logged, and nothing else. Records, and what is counted."""
    records, counted = forgery.ended(probe)
    assert told(records) == shown(*talks)
    return records, counted


def door(peer, host, iface, own="peer0"):
    """Where a peer's forged packets come in at a host."""
    return peer, own, mac_address(host, iface)


def forged_greeting(way_in, address):
    return forge_at(way_in, (address, *ports_for(1)), STRANGER, GREETING)


def sysctl(ns, name, value):
    with ns.entered(), open(f"/proc/sys/net/{name}", "w") as file:
        file.write(str(value))


# --- the option -----------------------------------------------------------------------------------

@every
def test_own_connections(net, need, hook):
    """Both directions, as client and as server: nothing that is honest is lost by any of them."""
    with Server(net.host, "10.99.0.1") as ours, Server(net.peer, "fd99:0::2") as theirs, \
            watching(net.host, "veth0", need=need, hook=hook) as probe:
        only(probe, listen_to(net.peer, ours), listen_to(net.host, theirs))


def test_own_is_the_default(net):
    with Probe(net.host, "-f", "json", "--stats", "--need", "own", "veth0") as probe:
        forged_greeting(door(net.peer, net.host, "veth0"), "10.99.0.1")
        assert only(probe)[1]["unsolicited"] == 1


def test_need_is_one_of_four(net):
    done = net.host.run(BINARY, "--need", "synack", "veth0")
    assert done.returncode == 2 and "handshake" in done.stderr and done.stderr.count("\n") == 1


# A greeting, a conversation that the client does not answer, a whole one; each from a port of its own.
FORGED = {40001: GREETING, 40002: ["c:S", "s:SA", "s:PA:9"], 40003: ["c:S", "s:SA", "c:A", "s:PA:9"]}


def forge_all(way_in, client, server):
    for port, steps in FORGED.items():
        forge_at(way_in, (client, port), server, steps)


def ports_of(records):
    """Which of them were logged."""
    assert all(SECRET in r["banner"] for r in records)
    return sorted(r["client_port"] for r in records)


@pytest.mark.parametrize("need, logged, reasons", [
    ("own", [40001, 40002, 40003], {}),
    ("syn", [40002, 40003], {"syn_unseen": 1}),
    ("handshake", [40003], {"syn_unseen": 1, "handshake_unseen": 1}),
    ("none", [40001, 40002, 40003], {})])
@every_hook
def test_forwarded(net2, hook, need, logged, reasons):
    """Where no end is this host: what is asked for is all there is."""
    with watching(net2.host, "veth0", need=need, hook=hook) as probe:
        forge_all(door(net2.peer, net2.host, "veth0"), "10.99.1.2", STRANGER)
        records, counted = forgery.ended(probe)
    assert ports_of(records) == logged
    assert {name: counted[name] for name in reasons} == reasons


@pytest.mark.parametrize("need, hook", [("own", "xdp-generic"), *((need, "tc") for need in NEEDS)])
def test_to_this_host_or_of_it(net, hook, need):
    """It is the client, or the server, by what comes in. Without rule 4 all of it is believed."""
    way_in = door(net.peer, net.host, "veth0")
    with watching(net.host, "veth0", need=need, hook=hook) as probe:
        forge_all(way_in, "10.99.0.1", STRANGER)
        forge_all(way_in, "10.99.0.2", ("10.99.0.1", 25))
        records, counted = forgery.ended(probe)
    assert ports_of(records) == ([] if need != "none" else sorted([*FORGED, *FORGED]))
    if need != "none":
        assert counted["unsolicited"] == len(FORGED) and counted["not_seen_leaving"] >= len(FORGED)


@pytest.mark.parametrize("need, times", [("own", 1), ("syn", 0), ("handshake", 0), ("none", 1)])
def test_mirror_of_the_servers_side(net, need, times):
    """Neither end is the monitor; the SYN was not seen."""
    with mirror(net.peer, "ingress") as monitor, Server(net.host, "10.99.0.1") as server, \
            watching(monitor, "mon0", need=need) as probe:
        talk = listen_to(net.peer, server)
        _, counted = only(probe, *[talk] * times)
    assert times or counted["syn_unseen"] == 1


# --- a mirror of this host's own traffic ----------------------------------------------------------

@contextlib.contextmanager
def mirror(ns, *directions, at=None):
    """What passes peer0 in these directions, on an interface mon0 of another host, or of `at`."""
    with contextlib.ExitStack() as stack:
        monitor = at or stack.enter_context(Namespace("monitor"))
        ns.ip("link", "add", "span0", "type", "veth", "peer", "name", "mon0", "netns", monitor.name)
        ns.ip("link", "set", "span0", "up")
        monitor.ip("link", "set", "mon0", "up")
        ns.tc("qdisc", "add", "dev", "peer0", "clsact")
        for direction in directions:
            ns.tc("filter", "add", "dev", "peer0", direction, "protocol", "all", "u32", "match",
                  "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "span0")
        yield monitor


@pytest.mark.parametrize("need, names, times", [
    ("own", ["mon0"], 0), ("none", ["mon0"], 1),
    ("own", ["mon0", "veth0"], 1), ("none", ["mon0", "veth0"], 1)],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value))
def test_mirror_of_own_traffic(net, need, names, times):
    """Its real interface has to be watched, too."""
    with mirror(net.peer, "ingress", "egress", at=net.host), \
            Server(net.host, "10.99.0.1") as ours, Server(net.peer, "10.99.0.2") as theirs, \
            watching(net.host, *names, need=need) as probe:
        talks = listen_to(net.peer, ours), listen_to(net.host, theirs)
        only(probe, *talks * times)


# --- NAT and containers ---------------------------------------------------------------------------

@pytest.fixture
def containers():
    with ContainerHost() as network:
        yield network


CONTAINERS = {
    "eth0": {(*OUTBOUND_ETH0, "eth0", "in"), (*PUBLISHED_ETH0, "eth0", "out")},
    "br0 veth0 veth1 eth0": {
        (*BETWEEN, "veth1", "in"), (*OUTBOUND, "br0", "out"), (*PUBLISHED, "veth1", "in"),
        (*OUTBOUND_ETH0, "eth0", "in"), (*PUBLISHED_ETH0, "eth0", "out")},
}


@pytest.mark.parametrize("names", CONTAINERS)
@few
def test_masquerading_and_published_ports(containers, names, need, hook):
    """nftables' NAT: what leaves eth0 has the host's address, and leaves."""
    first, second = containers.containers
    with Server(second, SECOND) as inside, Server(containers.peer, OUTSIDE) as outside:
        containers.translate(inside)
        with watching(containers.host, *names.split(), need=need, hook=hook) as probe:
            listen_to(first, inside), listen_to(first, outside)
            with connect(containers.peer, HOST, 22) as client:
                assert client.recv(100) == b"220 hello 2\r\n"
            forged_greeting(door(containers.peer, containers.host, "eth0"), HOST)
            records, counted = forgery.ended(probe)
    assert counted["unsolicited"] == 1
    assert {(r["client"], r["server"], r["iface"], r["dir"]) for r in records} == CONTAINERS[names]
    assert len(records) == len(CONTAINERS[names])


@contextlib.contextmanager
def relay(ns, address, inside):
    """As docker's userland proxy: for one connection that it accepts it makes another; its port."""
    with ns.entered():
        listener = socket.create_server((address, 0))

    def serve():
        with contextlib.suppress(OSError):		# a test that failed before has closed it
            client, _ = listener.accept()
            pass_on(client)

    def pass_on(client):
        with client, connect(ns, inside.address, inside.port) as server:
            client.sendall(server.recv(65536))
            client.recv(65536)
    thread = threading.Thread(target=serve, daemon=True)
    listener.settimeout(PATIENCE)
    thread.start()
    with listener:
        yield listener.getsockname()[1]
        thread.join(PATIENCE)


@few
def test_userland_proxy(containers, need, hook):
    """Two connections, each with an end that is this host: both greet."""
    host, inner = containers.host, containers.containers[1]
    with Server(inner, SECOND) as inside, relay(host, HOST, inside) as port, \
            watching(host, "br0", "eth0", "veth0", "veth1", need=need, hook=hook) as probe:
        with connect(containers.peer, HOST, port) as client:
            assert client.recv(65536) == b"220 hello 1\r\n"
        records, _ = forgery.ended(probe)
    assert sorted((r["client"], r["server"], r["dir"]) for r in records) == \
        [("10.88.0.1", SECOND, records[0]["dir"]), (OUTSIDE, HOST, "out")]


# --- answers that leave elsewhere -----------------------------------------------------------------

VIP, FAR = "10.96.0.7", "10.97.0.9"


class Triangle(Network):
    """What the far host sends comes in by veth0, from a balancer; what is sent to it leaves by
    veth1. The host has the address VIP, the far one FAR."""

    def __init__(self):
        super().__init__(2)

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.push(super().__enter__())
            balancer, far = self.peers
            balancer.ip("link", "add", "far0", "type", "veth", "peer", "name", "balancer0",
                        "netns", far.name)
            self.configure(balancer, "far0", 5, 1)
            self.configure(far, "balancer0", 5, 2)
            for ns in self.host, *self.peers:
                sysctl(ns, "ipv4/ip_forward", 1)
                sysctl(ns, "ipv4/conf/all/rp_filter", 0)
            self.host.ip("addr", "add", f"{VIP}/32", "dev", "lo")
            far.ip("addr", "add", f"{FAR}/32", "dev", "lo")
            self.host.ip("route", "add", FAR, "via", "10.99.1.2", "src", VIP)
            far.ip("route", "add", VIP, "via", "10.99.5.1", "src", FAR)
            balancer.ip("route", "add", VIP, "via", "10.99.0.1")
            undo.pop_all()
        return self


@pytest.fixture
def triangle():
    with Triangle() as network:
        yield network


BOTH, IN, OUT = ["veth0", "veth1"], ["veth0"], ["veth1"]


@pytest.mark.parametrize("names", [BOTH, IN, OUT], ids=["both", "in", "out"])
@every
def test_answers_that_leave_elsewhere(triangle, names, need, hook):
    """The host as server (direct server return): the SYN-ACK suffices where it leaves, unless --need
    asks for more. The host as client: what leaves by an interface that is not watched was not seen
    leaving, which needs --need none."""
    host, far = triangle.host, triangle.peers[1]
    with Server(host, VIP) as ours, Server(far, FAR) as theirs, \
            watching(host, *names, need=need, hook=hook) as probe:
        served, greeted = listen_to(far, ours), listen_to(host, theirs)
        logged = [served, greeted] if names == BOTH else \
            [greeted] * (need == "none") if names == IN else [served] * (need in ("own", "none"))
        _, counted = only(probe, *logged)
    if names == IN and need != "none":
        assert counted["unsolicited"] >= 1
    if names == OUT and not logged:
        assert counted["syn_unseen"] == 1


# --- a bridge with an address of its own ----------------------------------------------------------

@pytest.fixture
def bridge(net2):
    """The host's address is br0's; its ports lead to the peers."""
    host, (_, second) = net2.host, net2.peers
    host.ip("link", "add", "br0", "type", "bridge")
    for iface in "veth0", "veth1":
        host.ip("addr", "flush", "dev", iface)
        host.ip("link", "set", iface, "master", "br0")
    second.ip("addr", "flush", "dev", "peer0")
    Network.configure(host, "br0", 0, 1)
    Network.configure(second, "peer0", 0, 3)
    return net2


@pytest.mark.parametrize("names, forwarded", [
    (["br0"], False), (["veth0", "veth1"], True), (["br0", "veth0", "veth1"], True)],
    ids=["bridge", "ports", "all"])
@few
def test_bridge(bridge, names, forwarded, need, hook):
    host, (first, second) = bridge.host, bridge.peers
    with Server(host, "10.99.0.1") as ours, Server(second, "10.99.0.3") as theirs, \
            watching(host, *names, need=need, hook=hook) as probe:
        through = listen_to(first, theirs)
        own = listen_to(first, ours), listen_to(host, theirs)
        forged_greeting(door(first, host, "br0"), "10.99.0.1")
        _, counted = only(probe, *own, *[through] * forwarded)
    assert counted["unsolicited"] >= 1


# --- macvlan --------------------------------------------------------------------------------------

@pytest.fixture
def macvlan(net):
    """On veth0: mv0 of the host, 10.99.0.5, and eth0 of a container, 10.99.0.6."""
    sysctl(net.host, "ipv4/conf/all/arp_ignore", 1)		# each answers for its own address
    with Namespace("container") as net.container:
        for ns, iface, address in (net.host, "mv0", "10.99.0.5"), (net.container, "eth0", "10.99.0.6"):
            net.host.ip("link", "add", "mv", "link", "veth0", "type", "macvlan", "mode", "bridge")
            net.host.ip("link", "set", "mv", "netns", ns.name, "name", iface)
            ns.ip("addr", "add", f"{address}/{32 if ns is net.host else 24}", "dev", iface)
            ns.ip("link", "set", iface, "up")
        net.host.ip("route", "add", "10.99.0.2", "dev", "mv0", "src", "10.99.0.5")
        yield net


@pytest.mark.parametrize("names, container", [
    (["veth0"], True), (["mv0"], False), (["mv0", "veth0"], True)], ids=["below", "its own", "both"])
@few
def test_macvlan(macvlan, names, container, need, hook):
    host, peer = macvlan.host, macvlan.peer
    with Server(host, "10.99.0.5") as ours, Server(peer, "10.99.0.2") as theirs, \
            watching(host, *names, need=need, hook=hook) as probe:
        own = listen_to(peer, ours), listen_to(host, theirs)
        others = listen_to(macvlan.container, theirs)
        forged_greeting(door(peer, host, "mv0"), "10.99.0.5")
        _, counted = only(probe, *own, *[others] * container)
    assert counted["unsolicited"] >= 1


# --- loopback, and addresses that no interface has ------------------------------------------------

@every
def test_loopback(net, need, hook):
    """What comes in there is what left."""
    with Server(net.host, "127.0.0.1") as one, Server(net.host, "10.99.0.1") as two, \
            Server(net.host, "::1") as three, \
            watching(net.host, "lo", need=need, hook=hook) as probe:
        records, _ = only(probe, *(listen_to(net.host, server) for server in (one, two, three)))
    assert {r["history"] for r in records} == {"ShAd"}


@every
def test_whole_prefix_that_is_local(net, need, hook):
    """AnyIP: each of its addresses is this host's."""
    net.host.ip("route", "add", "local", "198.51.100.0/24", "dev", "lo")
    net.peer.ip("route", "add", "198.51.100.0/24", "via", "10.99.0.1")
    with Server(net.host, "198.51.100.7") as server, \
            watching(net.host, "veth0", need=need, hook=hook) as probe:
        talk = listen_to(net.peer, server)
        if need != "none":
            forged_greeting(door(net.peer, net.host, "veth0"), "198.51.100.9")
        _, counted = only(probe, talk)
    assert need == "none" or counted["unsolicited"] == 1


def test_address_that_comes_later(net):
    """It is an own one as soon as the probe has taken note; before, it is another host's."""
    with Server(net.host, "10.99.0.1") as server, watching(net.host, "veth0") as probe:
        def is_own():
            """Whether a greeting for it leaves no line before that of an honest connection."""
            forged_greeting(door(net.peer, net.host, "veth0"), "10.99.0.77")
            listen_to(net.peer, server)
            if SECRET not in probe.line():
                return True
            probe.line()
        assert not is_own()
        net.host.ip("addr", "add", "10.99.0.77/24", "dev", "veth0")
        wait_for("the address to be an own one", is_own)
        assert forgery.ended(probe)[1]["unsolicited"] == 1


def test_table_that_only_a_mark_reaches(net2):
    """Transparent proxies make each address local for marked packets: others are forwarded."""
    near, far = net2.peers
    net2.host.ip("rule", "add", "fwmark", "1", "lookup", "100")
    net2.host.ip("route", "add", "local", "default", "dev", "lo", "table", "100")
    with Server(far, "10.99.1.2") as server, watching(net2.host, "veth0") as probe:
        only(probe, listen_to(near, server))
