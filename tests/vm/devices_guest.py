# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Each kind of device, watched by itself, beneath, and both; the rows of docs/devices.md.

tests/vm/devices boots a kernel that has them all.
"""

import collections
import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import threading

import pytest

from device_kinds import (HERE, IFF_TAP, IFF_TUN, THERE, aggregated, bond, bridge, by_a_process, card, dummy, netkit,
                          of_vrfs, on_both, on_ours, routed_ipvlan, two_tags, up, veth, vrf, wireguard)
from netns import PATIENCE, ROOT, Namespace, Network, Probe, attached, bpf, programs_on, sh, wait_for
from servers import Server, listen_to
from ways import shown, told

DOCUMENT = pathlib.Path(ROOT, "docs/devices.md")
KERNEL = tuple(int(number) for number in os.uname().release.split("-")[0].split(".")[:2])


# --- connections: to the host's server and to the peer's, or one of these -----------------------------

@contextlib.contextmanager
def both_ways(net):
    with Server(net.host, HERE) as ours, Server(net.peer, THERE) as theirs:
        yield lambda: [listen_to(net.peer, ours), listen_to(net.host, theirs)]


@contextlib.contextmanager
def to_the_host(net):
    """No socket outside of a VRF may be bound to its address."""
    with Server(net.host, "0.0.0.0") as ours:
        yield lambda: [listen_to(net.peer, ours, HERE)]


@contextlib.contextmanager
def of_the_host_with_itself(net):
    with Server(net.host, HERE) as ours:
        yield lambda: [listen_to(net.host, ours)]


Kind = collections.namedtuple("Kind", "make below talk since", defaults=(["veth0"], both_ways, (0, 0)))
ALONE = []
KINDS = {
    "veth": Kind(veth, ALONE),
    "VLAN": Kind(on_both("vlan", "id", "7")),
    "VLAN in a VLAN (QinQ)": Kind(two_tags, ["tag0", "veth0"]),
    "bond, active-backup": Kind(bond("active-backup"), ["veth0", "veth1"]),
    "bond, balance-rr": Kind(bond("balance-rr"), ["veth0", "veth1"]),
    "bond, 802.3ad": Kind(aggregated, ["veth0", "veth1"]),
    "bridge": Kind(bridge),
    "macvlan": Kind(on_ours("macvlan", "mode", "bridge")),
    "ipvlan, L2": Kind(on_ours("ipvlan", "mode", "l2")),
    "ipvlan, L3": Kind(routed_ipvlan),
    "ipvlan, L3S": Kind(on_ours("ipvlan", "mode", "l3s")),
    "tun": Kind(by_a_process(IFF_TUN), ALONE),
    "tap": Kind(by_a_process(IFF_TAP), ALONE),
    "WireGuard": Kind(wireguard),
    "VRF": Kind(vrf, ["veth0"], to_the_host),
    "dummy": Kind(dummy, ["lo"], of_the_host_with_itself),
    "netkit, L2": Kind(netkit("l2"), ALONE, since=(6, 7)),
    "netkit, L3": Kind(netkit("l3"), ALONE, since=(6, 7)),
    "virtio_net": Kind(card("virtio_net"), ALONE),
}


# --- nothing harmed -----------------------------------------------------------------------------------

class Steady:
    """A connection over which something is said all the time; it must not break, nor stand still."""

    def __init__(self, client, server, address, listen=None):
        with server.entered():
            self.listener = socket.create_server((listen or address, 0))
        with client.entered():
            self.client = socket.socket()
        self.client.settimeout(PATIENCE)
        self.client.connect((address, self.listener.getsockname()[1]))
        self.server, _ = self.listener.accept()
        self.server.settimeout(PATIENCE)
        self.rounds, self.over, self.error = 0, threading.Event(), None
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.over.wait(0.2):		# an emulated machine has other things to do
                for one, other in (self.client, self.server), (self.server, self.client):
                    one.sendall(bytes(1000))
                    left = 1000
                    while left:
                        left -= len(other.recv(left))
                self.rounds += 1
        except OSError as error:
            self.error = error

    def goes_on(self):
        before = self.rounds
        wait_for("the connection to go on", lambda: self.rounds > before + 2 or self.error)
        assert not self.error, self.error

    def __enter__(self):
        self.thread.start()
        self.goes_on()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(PATIENCE)
        for each in self.client, self.server, self.listener:
            each.close()


def steady(net, kind):
    client = net.host if kind.talk is of_the_host_with_itself else net.peer
    return Steady(client, net.host, HERE, "0.0.0.0" if kind.talk is to_the_host else None)


KEPT = ["ifname", "flags", "mtu", "operstate", "master", "link_type", "address", "promiscuity", "allmulti",
        "num_tx_queues", "num_rx_queues", "gso_max_size", "gro_max_size"]


def state(ns, names):
    """Of each device, all that a probe may not change; `attached` may differ while it runs."""
    found = {}
    for name in names:
        [link] = json.loads(ns.ip("-d", "-j", "link", "show", "dev", name))
        found[name] = {key: link.get(key) for key in KEPT}
        found[name]["features"] = ns.run("ethtool", "-k", name).stdout.splitlines()
        found[name]["went up and down"] = ns.run("cat", f"/sys/class/net/{name}/carrier_changes").stdout
        found[name]["qdiscs"] = [qdisc for qdisc in json.loads(ns.tc("-j", "qdisc", "show", "dev", name))
                                 if qdisc["kind"] != "clsact"]
    return found, {name: attached(ns, name) for name in names}


def changes(before, after):
    """What differs, to be read."""
    return {f"{name}: {key}": [was, after[name][key]] if key != "features" else
            [line for line in after[name][key] if line not in was]
            for name in before for key, was in before[name].items() if after[name][key] != was}


# --- the laboratory -----------------------------------------------------------------------------------

# Under emulation a probe takes half a minute to start, so these run all the time: one by each option
# of --hook. Each watches what has a name that begins with its own.
HOOKS = ["auto", "xdp"]
MARK = "10.76.0.1"
CARD_NUMBERS = itertools.count()


class Laboratory(Network):
    """A host with the probes, and for each device that is tried a new peer."""

    def __enter__(self):
        with self.stack:
            self.host = self.stack.enter_context(Namespace("host"))
            self.far = self.stack.enter_context(Namespace("far"))
            self.host.ip("link", "add", "mark0", "type", "veth", "peer", "name", "far0", "netns", self.far.name)
            up(self.host, "mark0", MARK)
            up(self.far, "far0", "10.76.0.2")
            self.mark = self.stack.enter_context(Server(self.host, MARK))
            self.probes = {hook: self.stack.enter_context(
                Probe(self.host, "-f", "json", "--hook", hook, "mark0", f"{hook}-*")) for hook in HOOKS}
            self.stack = self.stack.pop_all()
        return self

    def logged(self, hook):
        """The records since the time before; that of a connection by mark0 is the last of them."""
        port, records = listen_to(self.far, self.mark).client_port, []
        while (record := json.loads(self.probes[hook].line()))["client_port"] != port:
            records += [record] * (record["iface"] != "mark0")		# another probe's mark
        return records

    @contextlib.contextmanager
    def watching(self, hook, devices):
        """One of the probes, on these devices; its hooks."""
        probe, hooks = self.probes[hook], {}
        for device in devices:
            self.host.ip("link", "property", "add", "dev", device, "altname", f"{hook}-{device}")
        while len(hooks) < len(devices):
            line = re.fullmatch(r"bannerprobe: (\S+): attached: receive (.+), transmit (.+)",
                                probe.error_line(": attached: "))
            hooks[line[1]] = line[2], line[3]
        yield hooks
        for device in devices:
            self.host.ip("link", "property", "del", "dev", device, "altname", f"{hook}-{device}")

    def left_alone(self, programs):
        """Once no probe is left there, the devices have these."""
        for device, those in programs.items():
            wait_for(f"the probe to leave {device}", lambda: attached(self.host, device) == those)

    @contextlib.contextmanager
    def peered(self, make=lambda net: None):
        """A link of the host to a peer, and what is made of it; all is undone."""
        before = self.links_of_the_host()
        with Namespace("peer") as self.peer:
            self.join(0, self.peer)
            try:
                make(self)
                yield
            finally:
                for each in self.links_of_the_host() - before:
                    if self.host.run("test", "-e", f"/sys/class/net/{each}/device").returncode == 0:
                        self.host.ip("link", "set", each, "netns", "1", "name", f"card{next(CARD_NUMBERS)}")
                    else:
                        self.host.run("ip", "link", "del", each)		# it may have gone with another
        wait_for("the peer's link to go", lambda: self.links_of_the_host() == before)

    def links_of_the_host(self):
        return {link["ifname"] for link in json.loads(self.host.ip("-j", "link", "show"))}

    def stage(self, hook, devices, talk, look=lambda: None):
        """Connections before a probe: its hooks, and which connections it logged."""
        with self.watching(hook, devices) as hooks:
            talks = talk()
            look()
            return hooks, which(self.logged(hook), talks)


@pytest.fixture(scope="module")
def laboratory():
    with Laboratory() as host:
        yield host


def which(records, talks):
    """How many of the connections have a record; none has two, or a wrong one."""
    assert not told(records) - shown(*talks), records
    return "all" if told(records) == shown(*talks) else "none" if not records else \
        "of its own servers" if told(records) == shown(talks[0]) else pytest.fail(str(records))


# --- the table ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", KINDS)
def test_kind(laboratory, name):
    """The hooks, one record of each banner, and nothing harmed, as docs/devices.md has it."""
    kind, host = KINDS[name], laboratory.host
    if KERNEL < kind.since:
        pytest.skip(f"Linux {KERNEL} has no {name}")
    both = ["dev0", *kind.below]
    with laboratory.peered(kind.make), steady(laboratory, kind) as traffic, kind.talk(laboratory) as talk:
        before, programs = state(host, both)

        def undisturbed():
            assert not changes(before, state(host, both)[0])
            traffic.goes_on()
        below = laboratory.stage("auto", kind.below, talk)[1] if kind.below else "-"
        at_once = laboratory.stage("auto", both, talk, undisturbed)[1] if kind.below else "-"
        hooks, own = laboratory.stage("auto", ["dev0"], talk, undisturbed if not kind.below else traffic.goes_on)
        laboratory.left_alone(programs)
        by_xdp, own_by_xdp = laboratory.stage("xdp", ["dev0"], talk, traffic.goes_on)
        all_by_xdp, at_once_by_xdp = laboratory.stage("xdp", both, talk, traffic.goes_on)
        laboratory.left_alone(programs)
        traffic.goes_on()
        after, _ = state(host, both)
    row = " | ".join([name, *(hook.replace("clsact", "tcx") for hook in (*hooks["dev0"], by_xdp["dev0"][0])),
                      own, below, at_once])
    print(f"| {row} |", f"by XDP on both: {all_by_xdp}", f"it changed: {changes(before, after)}", sep="\n")
    assert own_by_xdp == own and at_once_by_xdp == (at_once if kind.below else own)
    assert f"| {row} |" in DOCUMENT.read_text()


# --- beside another's program -------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
@pytest.mark.parametrize("make", [veth, card("virtio_net")], ids=["veth", "virtio_net"])
def test_xdp_of_another(laboratory, trivial, make, mode):
    """It stays, and the probe shares the device by tc."""
    host = laboratory.host
    with laboratory.peered(make), both_ways(laboratory) as talk:
        host.ip("link", "set", "dev", "dev0", mode, "obj", trivial, "sec", "xdp")
        try:
            before = state(host, ["dev0"])
            for hook in HOOKS:
                hooks, logged = laboratory.stage(hook, ["dev0"], talk)
                assert hooks["dev0"][0] in ("tcx", "clsact") and logged == "all"
                laboratory.left_alone(before[1])
                assert state(host, ["dev0"]) == before
        finally:
            host.ip("link", "set", "dev", "dev0", mode, "off")  # a card outlives its namespace


BPF_OBJ_GET, BPF_LINK_CREATE, BPF_NETKIT_PRIMARY = 7, 28, 54


def attach_to_netkit(ns, iface, trivial):
    """A descriptor of the link, with which the program goes."""
    pins = "/sys/fs/bpf/trivial"
    sh("bpftool", "prog", "loadall", trivial, pins)
    path = ctypes.create_string_buffer(f"{pins}/pass_tc".encode())
    attr = ctypes.create_string_buffer(64)
    struct.pack_into("=Q", attr, 0, ctypes.addressof(path))
    program = bpf(BPF_OBJ_GET, attr)
    shutil.rmtree(pins)
    with ns.entered():
        attr = ctypes.create_string_buffer(64)
        struct.pack_into("=IIII", attr, 0, program, socket.if_nametoindex(iface), BPF_NETKIT_PRIMARY, 0)
        link = bpf(BPF_LINK_CREATE, attr)
    os.close(program)
    return link


@pytest.mark.skipif(KERNEL < (6, 7), reason="no netkit")
@pytest.mark.parametrize("mode", ["l2", "l3"])
def test_netkit_with_a_program_of_its_own(laboratory, trivial, mode):
    """As Cilium has one on each end: it stays, and each banner is logged."""
    host = laboratory.host
    with laboratory.peered(netkit(mode)), both_ways(laboratory) as talk:
        link = attach_to_netkit(host, "dev0", trivial)
        before = programs_on(host, "dev0", BPF_NETKIT_PRIMARY)
        assert len(before) == 1
        for hook in HOOKS:
            assert laboratory.stage(hook, ["dev0"], talk)[1] == "all"
            assert programs_on(host, "dev0", BPF_NETKIT_PRIMARY) == before
        os.close(link)


# --- what changes while they are watched --------------------------------------------------------------

@pytest.mark.parametrize("hook", HOOKS)
def test_another_link_of_a_bond_takes_over(laboratory, hook):
    """The records go on, one each."""
    host = laboratory.host
    with laboratory.peered(bond("active-backup")), both_ways(laboratory) as talk, \
            laboratory.watching(hook, ["dev0", "veth0", "veth1"]):
        talks = talk()
        for gone, other in ("veth0", "veth1"), ("veth1", "veth0"):
            host.ip("link", "set", other, "up")
            host.ip("link", "set", gone, "down")
            wait_for(f"{other} to take over", lambda: f"Currently Active Slave: {other}" in
                     host.run("cat", "/proc/net/bonding/dev0").stdout)
            talks += talk()
        assert which(laboratory.logged(hook), talks) == "all"


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("master", ["bond mode active-backup miimon 100", "bridge", "vrf table 10"])
def test_a_link_gets_a_master(laboratory, master, hook):
    """The probe on the link stands in nobody's way, and sees what comes by it later."""
    host, kind = laboratory.host, master.split()
    with laboratory.peered(), laboratory.watching(hook, ["veth0"]):
        host.ip("link", "add", "dev0", "type", *kind)
        if kind[0] == "bond":
            host.ip("link", "set", "veth0", "down")
        host.ip("link", "set", "veth0", "master", "dev0")
        up(host, "veth0" if kind[0] == "vrf" else "dev0", HERE)
        for each in "veth0", "dev0":
            host.ip("link", "set", each, "up")
        up(laboratory.peer, "peer0", THERE)
        of_vrfs(host)
        with to_the_host(laboratory) as talk:
            talks = talk()
        assert which(laboratory.logged(hook), talks) == "all"


@pytest.mark.skipif("EVERYTHING" not in os.environ, reason="it suspends the machine's devices")
def test_suspend(laboratory):
    """All devices are suspended, and resumed some seconds later; the hooks stay."""
    with laboratory.peered(card("virtio_net")), both_ways(laboratory) as talk, laboratory.watching("auto", ["dev0"]):
        talks = talk()
        pathlib.Path("/sys/power/pm_test").write_text("devices")
        pathlib.Path("/sys/power/state").write_text("freeze")
        wait_for("a carrier", lambda: "LOWER_UP" in laboratory.host.ip("link", "show", "dev0"))
        talks += talk()
        assert which(laboratory.logged("auto"), talks) == "all"
