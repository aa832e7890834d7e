# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the probe sees from where it stands: the README's table of positions.

Server, client and a router's two interfaces, lo and tun devices are in test_live.py.
"""

import contextlib
import json
import os

import pytest

from netns import BINARY, Namespace, Network, Probe
from servers import Server, ask, connect, listen_to
from ways import shown, start, told

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)


def logged(probe, count):
    """So many records, awaited, and no other."""
    records = [json.loads(probe.line()) for _ in range(count)]
    assert probe.stop() == records
    return records


# --- a router ---------------------------------------------------------------------------------

@pytest.mark.parametrize("way", ["auto", "xdp-generic", "xdp-native"])
def test_router_on_one_of_its_interfaces(net2, way):
    """Both ends speak and listen through it; one interface shows all of that."""
    near, far = net2.peers
    with Server(near, "10.99.0.2") as ours, Server(far, "10.99.1.2") as theirs, \
            Server(far, "10.99.1.2", None) as mute, start(net2.host, way) as probe:
        arriving, leaving = listen_to(far, ours), listen_to(near, theirs)
        ask(near, mute)
        records = logged(probe, 2)
    assert told(records) == shown(arriving, leaving)
    assert {r["server"]: r["dir"] for r in records} == {"10.99.0.2": "in", "10.99.1.2": "out"}


# --- a mirror port ----------------------------------------------------------------------------

@contextlib.contextmanager
def monitor_of(switch):
    """A host without an address, behind a switch's port span0."""
    with Namespace("monitor") as monitor:
        switch.ip("link", "add", "span0", "type", "veth", "peer", "name", "mon0",
                  "netns", monitor.name)
        switch.ip("link", "set", "span0", "up")
        monitor.ip("link", "set", "mon0", "up")
        yield monitor


def copy(switch, port, directions):
    """What passes a port leaves by span0, too."""
    switch.tc("qdisc", "add", "dev", port, "clsact")
    for direction in directions:
        switch.tc("filter", "add", "dev", port, direction, "protocol", "all",
                  "u32", "match", "u32", "0", "0",
                  "action", "mirred", "egress", "mirror", "dev", "span0")


BOTH = ["ingress", "egress"]
COPIED = {		# directions by port; whether each record has a SYN, if there is a record
    "both directions": ({"veth0": BOTH}, [True]),
    "both ports": ({"veth0": BOTH, "veth1": BOTH}, [True]),		# each packet twice
    "from the server": ({"veth0": ["egress"]}, [False]),
    "from the client": ({"veth0": ["ingress"]}, []),
}


@pytest.mark.parametrize("copied, way", [
    *((what, "auto") for what in COPIED),
    ("both directions", "xdp-generic"), ("both directions", "xdp-native")])
def test_mirror_port(net2, copied, way):
    """All is received, for others' addresses; whether the device filters those is not its affair."""
    client, far = net2.peers
    ports, syns = COPIED[copied]
    with monitor_of(net2.host) as monitor, Server(far, "10.99.1.2") as greeter, \
            Server(far, "10.99.1.2", None) as mute, start(monitor, way, "mon0") as probe:
        for port, directions in ports.items():
            copy(net2.host, port, directions)
        ask(client, mute)
        talk = listen_to(client, greeter)
        [link] = json.loads(monitor.ip("-d", "-j", "link", "show", "dev", "mon0"))
        records = logged(probe, len(syns))
    assert told(records) == shown(*[talk] * len(syns))
    assert [("S" in r["history"], r["dir"], r["iface"]) for r in records] == \
        [(syn, "in", "mon0") for syn in syns]
    assert link["promiscuity"] == 0


# --- a host of containers ---------------------------------------------------------------------

NAT = """table ip nat {{
  chain out {{ type nat hook postrouting priority 100; oifname "eth0" ip saddr 10.88.0.0/24 masquerade; }}
  chain in {{ type nat hook prerouting priority -100; iifname "eth0" tcp dport 22 dnat to {}; }}
}}"""
FIRST, SECOND, HOST, OUTSIDE = "10.88.0.2", "10.88.0.3", "10.99.0.1", "10.99.0.2"


class ContainerHost(Network):
    """Two containers on a bridge; a way out by masquerading; port 22 of eth0 is the second one's."""

    def __init__(self):
        super().__init__(name="eth")

    def __enter__(self):
        super().__enter__()
        try:
            self.host.ip("link", "add", "br0", "type", "bridge")
            self.host.ip("addr", "add", "10.88.0.1/24", "dev", "br0")
            self.host.ip("link", "set", "br0", "up")
            self.containers = [self._container(i, address) for i, address in enumerate((FIRST, SECOND))]
        except BaseException:
            self.__exit__()
            raise
        return self

    def _container(self, i, address):
        inside = self.stack.enter_context(Namespace(f"container{i}"))
        self.host.ip("link", "add", f"veth{i}", "type", "veth", "peer", "name", "eth0",
                     "netns", inside.name)
        self.host.ip("link", "set", f"veth{i}", "master", "br0", "up")
        inside.ip("addr", "add", f"{address}/24", "dev", "eth0")
        inside.ip("link", "set", "eth0", "up")
        inside.ip("route", "add", "default", "via", "10.88.0.1")
        return inside

    def translate(self, server):
        done = self.host.run("nft", "-f", "-", input=NAT.format(f"{server.address}:{server.port}"))
        assert done.returncode == 0, done.stderr


@pytest.fixture
def site():
    with ContainerHost() as network:
        yield network


# What each place shows of three connections: from the first container to the second, from the
# first to the outside, and from the outside to the second's published port.
BETWEEN, OUTBOUND, PUBLISHED = (FIRST, SECOND), (FIRST, OUTSIDE), (OUTSIDE, SECOND)
OUTBOUND_ETH0, PUBLISHED_ETH0 = (HOST, OUTSIDE), (OUTSIDE, HOST)		# with the host's address
PLACES = {
    "veth0": {(*BETWEEN, "veth0", "out"), (*OUTBOUND, "veth0", "out")},
    "veth*": {(*BETWEEN, "veth1", "in"), (*OUTBOUND, "veth0", "out"), (*PUBLISHED, "veth1", "in")},
    "br0": {(*OUTBOUND, "br0", "out"), (*PUBLISHED, "br0", "in")},
    "br0 promiscuous": {(*BETWEEN, "br0", "in"), (*OUTBOUND, "br0", "out"), (*PUBLISHED, "br0", "in")},
    "eth0": {(*OUTBOUND_ETH0, "eth0", "in"), (*PUBLISHED_ETH0, "eth0", "out")},
    "veth* br0": {(*BETWEEN, "veth1", "in"), (*OUTBOUND, "br0", "out"), (*PUBLISHED, "veth1", "in")},
    "veth* br0 eth0": {
        (*BETWEEN, "veth1", "in"), (*OUTBOUND, "br0", "out"), (*PUBLISHED, "veth1", "in"),
        (*OUTBOUND_ETH0, "eth0", "in"), (*PUBLISHED_ETH0, "eth0", "out")},
}


def seen(site, probe, count):
    """Which side said what, to which side, and where it was seen."""
    first, second = site.containers
    with Server(second, SECOND) as inside, Server(site.peer, OUTSIDE) as outside:
        site.translate(inside)
        listen_to(first, inside), listen_to(first, outside)
        with connect(site.peer, HOST, 22) as client:
            assert client.recv(100) == b"220 hello 2\r\n"
        return {(r["client"], r["server"], r["iface"], r["dir"]) for r in logged(probe, count)}


@pytest.mark.parametrize("place, way", [
    *((place, "auto") for place in PLACES),
    *((place, "xdp-generic") for place in PLACES if "veth* br0" not in place),
    ("veth*", "xdp-native"), ("eth0", "xdp-native")])
def test_host_of_containers(site, place, way):
    """A banner is logged once for each pair of addresses that it has: before and behind NAT."""
    names, expected = place.removesuffix(" promiscuous").split(), PLACES[place]
    if "promiscuous" in place:
        site.host.ip("link", "set", "br0", "promisc", "on")
    count = len(names) + ("veth*" in names)
    with start(site.host, way, *names, interfaces=count) as probe:
        assert seen(site, probe, len(expected)) == expected


def test_xdp_on_a_bridge_leaves_its_ports_to_tc(site):
    """The kernel takes no XDP program on a device with an upper device that has one."""
    expected = PLACES["veth* br0"]
    with Probe(site.host, "-f", "json", "--hook", "xdp", "br0", "veth*", interfaces=3) as probe:
        assert {iface: receive for iface, (receive, _) in probe.hooks.items()} == \
            {"br0": "generic XDP", "veth0": "tcx", "veth1": "tcx"}
        assert seen(site, probe, len(expected)) == expected


def test_bridge_has_no_native_xdp(site):
    done = site.host.run(BINARY, "--hook", "xdp-native", "br0")
    assert done.returncode == 3 and "br0" in done.stderr


# --- a tunnel ---------------------------------------------------------------------------------

def overlay(ns, i, local, remote):
    """One end of a network of containers' own, carried by UDP."""
    ns.ip("link", "add", "vxlan0", "type", "vxlan", "id", "7", "dstport", "4789",
          "local", local, "remote", remote)
    ns.ip("addr", "add", f"10.97.0.{i}/24", "dev", "vxlan0")
    ns.ip("link", "set", "vxlan0", "up")


@pytest.mark.parametrize("way", ["auto", "xdp-generic"])
@pytest.mark.parametrize("watched, seen_on", [
    (["veth0"], []), (["vxlan0"], ["vxlan0"]), (["veth0", "vxlan0"], ["vxlan0"])],
    ids=["underneath", "its own end", "both"])
def test_tunnel(net, way, watched, seen_on):
    """What it carries is seen where it ends, and not on the way."""
    overlay(net.host, 1, "10.99.0.1", "10.99.0.2")
    overlay(net.peer, 2, "10.99.0.2", "10.99.0.1")
    with Server(net.peer, "10.97.0.2") as server, \
            start(net.host, way, *watched, interfaces=len(watched)) as probe:
        listen_to(net.host, server)
        records = logged(probe, len(seen_on))
    assert [r["iface"] for r in records] == seen_on
