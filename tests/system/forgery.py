# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Where a forger and honest connections meet: networks with a long wire, the forger, the honest.

The forger knows addresses and ports and sees no packet; the true numbers are read only for the
strongest forgery of a kind. Its packets have wrong TCP checksums unless a test asks for good
ones: the stacks behind the probe drop them, so that only the probe can be misled, and what a
client has received is what the log must hold.
"""

import collections
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess

from netns import PATIENCE, ROOT, Namespace, Network, Probe, decoded
from packets import counters
from servers import Talk
from ways import shown

BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
ONE_WAY_MS = 15
SWEEP = 65538			# segments 65,535 apart that cover the sequence space
FREE_PORTS = itertools.cycle(range(20000, 30000))	# the kernel gives none of these
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21	# linux/tcp.h
TCP_REPAIR_OFF_NO_WP, TCP_RECV_QUEUE, TCP_SEND_QUEUE = -1, 1, 2


# Of a run that was asked for more than banners: what one side of a connection said, or that it is open.
Said = collections.namedtuple("Said", "server_port client_port event said")
WORDS = {"c": b"EHLO honest\r\n", "s": b"220 honest\r\n"}
# The events of a connection by the sides that spoke, in their order.
ORDERS = {"": {}, "cs": {"c": "request", "s": "response"}, "sc": {"s": "banner", "c": "reply"}}


class Wired(Network):
    """A host, and at the far end of a long wire each of its peers.

    A wire is a namespace: `near` is its interface beside the host, `far` that beside the peer.
    """

    def __enter__(self):
        self.wires = []
        return super().__enter__()

    def join(self, i, peer):
        wire = self.stack.enter_context(Namespace(f"wire{i}"))
        for ns, iface, end in (self.host, f"veth{i}", "near"), (peer, "peer0", "far"):
            ns.ip("link", "add", iface, "type", "veth", "peer", "name", end, "netns", wire.name)
            wire.ip("link", "set", end, "addrgenmode", "none", "up")
        self.configure(self.host, f"veth{i}", i, 1)
        self.configure(peer, "peer0", i, 2)
        peer.ip("route", "add", "default", "via", f"10.99.{i}.1")
        peer.ip("-6", "route", "add", "default", "via", f"fd99:{i}::1")
        self.stack.enter_context(running(wire, "wire", "near", "far", ONE_WAY_MS))
        self.wires.append(wire)


@contextlib.contextmanager
def running(ns, program, *args):
    """A program of the build, once it has printed that it is running."""
    process = subprocess.Popen(ns.argv(f"{BUILD}/{program}", *map(str, args)), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() in ("ready\n", "sending\n"), f"{program} {args}"
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)
        process.stdout.close()


class Site(contextlib.ExitStack):
    """Client, server, and the host with the probe: one of them, or between them.

    `doors`: where forged packets of the client, and of the server, enter: namespace, interface and
    the Ethernet address that they are sent to.
    """
    servers_address, clients_address = {4: "10.99.0.2", 6: "fd99:0::2"}, {4: "10.99.0.1", 6: "fd99:0::1"}
    links = 1

    def __enter__(self):
        try:
            self.net = self.enter_context(Wired(self.links))
            self.host = self.net.host
            self.settle()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def watched(self):
        return [f"veth{i}" for i in range(self.links)]

    def near(self, i=0, address=None):
        """Where what comes by link i enters."""
        return self.net.wires[i], "near", address or mac_address(self.host, f"veth{i}")


class AtClient(Site):
    def settle(self):
        self.client, self.server = self.host, self.net.peer
        self.doors = {"c": self.near(), "s": self.near()}


class AtServer(Site):
    servers_address, clients_address = Site.clients_address, Site.servers_address

    def settle(self):
        self.client, self.server = self.net.peer, self.host
        self.doors = {"c": self.near(), "s": self.near()}


class AtRouter(Site):
    links = 2
    servers_address, clients_address = {4: "10.99.1.2", 6: "fd99:1::2"}, {4: "10.99.0.2", 6: "fd99:0::2"}

    def settle(self):
        self.client, self.server = self.net.peers
        self.doors = {"c": self.near(), "s": self.near(1)}


class AtBridge(Site):
    links = 2
    servers_address, clients_address = {4: "10.99.0.3", 6: "fd99:0::3"}, {4: "10.99.0.2", 6: "fd99:0::2"}

    def settle(self):
        self.client, self.server = self.net.peers
        self.host.ip("link", "add", "br0", "type", "bridge")
        for iface in self.watched:
            self.host.ip("addr", "flush", "dev", iface)
            self.host.ip("link", "set", iface, "master", "br0")
        self.host.ip("link", "set", "br0", "up")
        self.server.ip("addr", "flush", "dev", "peer0")
        Network.configure(self.server, "peer0", 0, 3)
        self.doors = {"c": self.near(0, mac_address(self.server, "peer0")),
                      "s": self.near(1, mac_address(self.client, "peer0"))}


POSITIONS = {"server": AtServer, "client": AtClient, "router": AtRouter, "bridge": AtBridge}
HOOKS = {"tc": "tcx", "xdp-generic": "generic XDP"}


def mac_address(ns, iface):
    [link] = json.loads(ns.ip("-j", "link", "show", iface))
    return link["address"]


# --- the probe ------------------------------------------------------------------------------------

@contextlib.contextmanager
def watching(site, hook, *args):
    """The probe, on all interfaces of its host."""
    with Probe(site.host, "-f", "json", "--stats", "--hook", hook, *args, *site.watched,
               interfaces=len(site.watched)) as probe:
        assert {receive for receive, _ in probe.hooks.values()} == {HOOKS[hook]}
        yield probe


def ended(probe):
    """The probe's records and counters, at its end."""
    records = probe.stop()
    return records, counters("\n".join(probe.stderr).encode())


def told(records):
    """What records say, in the form of what sockets saw: a Talk's or a Said's fields."""
    assert not any(r.get("crossed") for r in records)
    return collections.Counter(
        (r["server_port"], r["client_port"], *([r["event"]] if "event" in r else []),
         decoded(r.get("banner", ""))) for r in records)


def all_logged(probe, talks, forged=0, kinds=None):
    """Each banner or event that the hosts know of is logged, and nothing else; what is counted.

    `kinds`: by client port, what was done to that connection.
    """
    records, counted = ended(probe)
    assert forged <= counted["packets"], "forged packets were lost before the probe: no attack"
    logged, received = told(records), shown(*talks)
    wrong = []
    for what, some in ("hidden", received - logged), ("invented", logged - received):
        by_kind = collections.Counter()
        for (_, port, *_), n in some.items():
            by_kind[(kinds or {}).get(port, "of no connection")] += n
        wrong += [f"{n} {what}: {kind}" for kind, n in by_kind.items()]
    print(f"{forged} forged packets, {len(talks)} banners or events:", "; ".join(wrong) or "none hidden, none invented")
    assert not wrong, f"of {len(talks)}: " + "; ".join(wrong)
    return counted


# --- the forger -----------------------------------------------------------------------------------

def forge_at(door, client, server, steps, *options):
    """The forger, to its end, at a namespace's interface towards an Ethernet address; ends are
    addresses with ports. How many packets it sent."""
    ns, iface, mac = door
    done = ns.run(f"{BUILD}/forge", *map(str, [*options, iface, mac, *client, *server, *steps]))
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def forge(site, side, client_port, server_port, steps, *options, family=4):
    """The same on a site."""
    return forge_at(site.doors[side], (site.clients_address[family], client_port),
                    (site.servers_address[family], server_port), steps, *options)


@contextlib.contextmanager
def forging(site, side, client_port, server_port, steps, *options, family=4):
    """The forger at work, until the block ends; then the list that is given holds what it sent."""
    ns, iface, mac = site.doors[side]
    sent = []
    with running(ns, "forge", "-n", 10**9, *options, iface, mac,
                 site.clients_address[family], client_port,
                 site.servers_address[family], server_port, *steps) as process:
        yield sent
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        sent.append(int(out.split()[-1]))


# --- the honest -----------------------------------------------------------------------------------

def ports_for(count):
    """So many client ports in a row, that no other test uses meanwhile."""
    while True:
        ports = list(itertools.islice(FREE_PORTS, count))
        if ports[-1] - ports[0] == count - 1:
            return ports


@contextlib.contextmanager
def dialling(site, server_port, ports, family=4):
    """Clients that connect from these ports, all at once."""
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    with contextlib.ExitStack() as stack:
        with site.client.entered():
            clients = [stack.enter_context(socket.socket(kind)) for _ in ports]
        for client, port in zip(clients, ports):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((site.clients_address[family], port))
            client.setblocking(False)
            client.connect_ex((site.servers_address[family], server_port))
            client.settimeout(PATIENCE)
        yield clients


def converse_all(site, server, ports, first=None, family=4):
    """What the clients from these ports and a server, which answers or greets them, say to each other.

    `first`: the side that speaks first, where all events are logged; None: the banners only.
    """
    with dialling(site, server.port, ports, family) as clients:
        if first == "c":
            for client in clients:
                client.sendall(WORDS["c"])
        heard = {port: client.recv(65536) for port, client in zip(ports, clients)}
        if first is None:
            return [Talk(server.port, port, said) for port, said in heard.items()]
        if first == "s":
            for client in clients:
                client.sendall(WORDS["c"])
                assert not client.recv(65536)	# it has closed
    order = ORDERS["cs" if first == "c" else "sc"]
    return [Said(server.port, port, event, said) for port in ports for event, said in
            (("open", b""), (order["c"], WORDS["c"]), (order["s"], heard[port]))]


class Held(contextlib.ExitStack):
    """Open connections whose sides wait for an order to speak: pairs of sockets by port.

    `withheld`: the clients' acknowledgements of the handshake are lost until they are released; there are
    no pairs until then.
    """

    def __init__(self, site, count, family=4, withheld=False):
        super().__init__()
        self.site, self.family, self.ports, self.withheld = site, family, ports_for(count), withheld

    def __enter__(self):
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def _open(self):
        kind = socket.AF_INET if self.family == 4 else socket.AF_INET6
        with self.site.server.entered():
            self.listener = self.enter_context(socket.create_server(
                (self.site.servers_address[self.family], 0), family=kind, backlog=len(self.ports)))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        if self.withheld:
            self._nft("table inet held { chain out { type filter hook output priority 0;"
                      f" tcp dport {self.port} tcp flags & (fin|syn|rst|psh|ack) == ack drop; }}\n}}")
        sockets = self.enter_context(dialling(self.site, self.port, self.ports, self.family))
        self.clients = dict(zip(self.ports, sockets))
        if self.withheld:
            for client in sockets:
                assert select.select([], [client], [], PATIENCE)[1], "no SYN-ACK came"
        else:
            self._accept()

    def _nft(self, rules):
        done = self.site.client.run("nft", "-f", "-", input=rules)
        assert done.returncode == 0, done.stderr

    def _accept(self):
        accepted = {}
        for _ in self.ports:
            server, (_, port, *_) = self.listener.accept()
            server.settimeout(PATIENCE)
            accepted[port] = self.enter_context(server)
        self.pairs = {port: (client, accepted[port]) for port, client in self.clients.items()}

    def release(self):
        """The servers' next SYN-ACKs are acknowledged, and these acknowledgements arrive."""
        if self.withheld:
            self._nft("delete table inet held")
            self._accept()
            self.withheld = False

    def speak(self, side, text):
        """Each client, or each server, says so, and its other end hears it: what each has heard."""
        heard = {}
        for client, server in self.pairs.values():
            (client if side == "c" else server).sendall(text)
        for port, (client, server) in self.pairs.items():
            heard[port] = (server if side == "c" else client).recv(65536)
        assert set(heard.values()) == {text}
        return heard

    def say(self, text):
        """Each server says so: the banners."""
        return [Talk(self.port, port, said) for port, said in self.speak("s", text).items()]

    def answer(self, text=b"QUIT\r\n"):
        """Each client says so."""
        self.speak("c", text)

    def true_numbers(self, port):
        """The forger's options for the initial numbers of a connection, as if nobody had spoken yet."""
        client, server = (next_seq(self.clients[port], queue) - 1 for queue in (TCP_SEND_QUEUE, TCP_RECV_QUEUE))
        return ["-c", client % 2**32, "-s", server % 2**32]


def next_seq(sock, queue):
    """The number of the next byte that a socket will send, or receive."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        return sock.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) % 2**32
    finally:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP)
