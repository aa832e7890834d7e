# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every kind of tunnel by its real device, with a real server at either end.

Watched beneath the tunnel, on its own device, and on both: one record of each connection.
tests/vm/tunnels boots a kernel that has all of them.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct

import pytest

from device_kinds import bonded
from forgery import mac_address
from netns import Probe, _sysctl, sh
from servers import Server, listen_to
from ways import shown, told

ENDS = {4: ("10.99.0.1", "10.99.0.2"), 6: ("fd99:0::1", "fd99:0::2")}
INNER = {4: ("10.77.0.1", "10.77.0.2"), 6: ("fd77::1", "fd77::2")}


def sides(net, family=4, inner=4):
    """Of either end: namespace, device, outer addresses, inner addresses; its own first."""
    for n, (ns, device) in enumerate(((net.host, "veth0"), (net.peer, "peer0"))):
        turn = slice(None, None, -1) if n else slice(None)
        yield ns, device, ENDS[family][turn], INNER[inner][turn]


def up(ns, device, here, there):
    """The tunnel's device gets its address, and the way to the other end's."""
    ns.ip("link", "set", device, "up")
    ns.ip("addr", "add", here, "peer", there, "dev", device, *["nodad"] * (":" in here))


def device(kind, family=4, inner=4, ports=None):
    """Makes `tun`, a device of a kind; `ports`: on these devices, beneath the tunnel."""
    def make(net):
        for ns, port, (here, there), ends in sides(net, family, inner):
            port = ports[ns is net.peer] if ports else port
            words = kind.format(here=here, there=there, port=port).split()
            ns.ip("link", "add", "tun", "type", *words)
            up(ns, "tun", *ends)
    return make


def gpe(net):
    """Linux opens VXLAN-GPE only where routes say what is to go into it."""
    for ns, _, (_, there), (inner, other) in sides(net):
        ns.ip("link", "add", "tun", "type", "vxlan", "dstport", "4790", "gpe", "external")
        ns.ip("link", "set", "tun", "up")
        ns.ip("addr", "add", f"{inner}/32", "dev", "tun")
        ns.ip("route", "add", f"{other}/32", "encap", "ip", "id", "42", "dst", there, "dev", "tun")


def labels(ns, via, here, there, *encap):
    """What goes to the other end's address goes by a label, and what comes by one is taken for what it is."""
    with ns.entered():
        _sysctl("net/mpls/platform_labels", 1000)
        _sysctl(f"net/mpls/conf/{via}/input", 1)
    ns.ip("addr", "add", f"{here}/32", "dev", "lo")
    ns.ip("-f", "mpls", "route", "add", "100", "dev", "lo")
    ns.ip("route", "add", f"{there}/32", "encap", "mpls", "100", *encap, "src", here)


def mpls(net):
    sh("modprobe", "-a", "mpls_router", "mpls_iptunnel")
    for ns, port, (_, there), ends in sides(net):
        labels(ns, port, *ends, "via", "inet", there)


def mpls_in_gre(net):
    sh("modprobe", "-a", "mpls_router", "mpls_iptunnel", "mpls_gso")
    for ns, _, (here, there), ends in sides(net):
        ns.ip("link", "add", "gre1", "type", "gre", "local", here, "remote", there)
        up(ns, "gre1", "10.66.0." + here[-1], "10.66.0." + there[-1])
        labels(ns, "gre1", *ends, "dev", "gre1")


# --- PPPoE, without the discovery and the negotiation that come before --------------------------------

AF_PPPOX, SESSION = 24, 5
PPPIOCGCHAN, PPPIOCATTCHAN, PPPIOCCONNECT, PPPIOCNEWUNIT = 0x80047437, 0x40047438, 0x4004743a, 0xc004743e
_libc = ctypes.CDLL(None, use_errno=True)


def number(descriptor, request, value=0):
    return struct.unpack("i", fcntl.ioctl(descriptor, request, struct.pack("i", value)))[0]


def pppoe_session(ns, port, mac):
    """A session with the host of that address; its descriptors, with which the device goes."""
    with ns.entered():
        session = socket.socket(AF_PPPOX, socket.SOCK_STREAM, 0)
        address = struct.pack("=HI", AF_PPPOX, 0) + struct.pack(">H", SESSION) + \
            bytes.fromhex(mac.replace(":", "")) + port.encode().ljust(16, b"\0")
        assert not _libc.connect(session.fileno(), address, len(address)), os.strerror(ctypes.get_errno())
        channel, unit = (os.open("/dev/ppp", os.O_RDWR) for _ in range(2))
        number(channel, PPPIOCATTCHAN, number(session, PPPIOCGCHAN))
        name = f"ppp{(n := number(unit, PPPIOCNEWUNIT, -1))}"
        number(channel, PPPIOCCONNECT, n)
    ns.ip("link", "set", name, "name", "tun")
    return session, channel, unit


HELD = []		# of each session, until the process ends


def pppoe(net):
    sh("modprobe", "-a", "ppp_generic", "pppoe")
    for ns, port, _, ends in sides(net):
        there = (net.host, "veth0") if ns is net.peer else (net.peer, "peer0")
        HELD.append(pppoe_session(ns, port, mac_address(*there)))
        up(ns, "tun", *ends)


# --- what lies beneath --------------------------------------------------------------------------------

def tagged(*kinds):
    """VLANs, one in the other; `tun` is the innermost."""
    def make(net):
        for ns, port, _, ends in sides(net):
            for n, (protocol, tag) in enumerate(kinds):
                name = "tun" if n + 1 == len(kinds) else f"tag{n}"
                ns.ip("link", "add", "link", port, "name", name, "type", "vlan", "protocol", protocol, "id", str(tag))
                ns.ip("link", "set", name, "up")
                port = name
            up(ns, "tun", *ends)
    return make


def over_a_vlan(net):
    for ns, port, (here, _), _ in sides(net):
        ns.ip("link", "add", "link", port, "name", "tag0", "type", "vlan", "id", "7")
        ns.ip("addr", "flush", "dev", port)
        ns.ip("addr", "add", f"{here}/24", "dev", "tag0")
        ns.ip("link", "set", "tag0", "up")
    device(VXLAN, ports=("tag0", "tag0"))(net)


def over_a_bond(net):
    bonded(net, "active-backup")
    device(VXLAN, ports=("bond0", "br0"))(net)


def in_geneve(net):
    """As behind a gateway load balancer of AWS: VXLAN in Geneve."""
    for ns, _, (here, there), _ in sides(net):
        ns.ip("link", "add", "geneve1", "type", "geneve", "id", "0", "remote", there)
        ns.ip("link", "set", "geneve1", "up")
        ns.ip("addr", "add", f"10.66.0.{here[-1]}/24", "dev", "geneve1")
        ns.ip("link", "add", "tun", "type", "vxlan", "id", "42", "dstport", "4789", "local", f"10.66.0.{here[-1]}",
              "remote", f"10.66.0.{there[-1]}")
    for ns, _, _, ends in sides(net):
        up(ns, "tun", *ends)


# --- every kind: how it is made, the family inside, what is reported of it, what is watched ---------------

VXLAN = "vxlan id 42 dstport 4789 local {here} remote {there} dev {port}"
GRE, IN_GRE = "gre local {here} remote {there}", [("gre", 0)]
BY_LO = ["veth0"], ["lo"]		# an MPLS packet has no device of its own: lo shows what comes in

KINDS = {
    "vxlan": (device(VXLAN), 4, [("vxlan", 42)]),
    "vxlan over IPv6": (device(VXLAN, 6), 4, [("vxlan", 42)]),
    "IPv6 in vxlan": (device(VXLAN, 4, 6), 6, [("vxlan", 42)]),
    "vxlan, Linux's port": (device(VXLAN.replace("4789", "8472")), 4, [("vxlan", 42)]),
    "vxlan-gpe": (gpe, 4, [("vxlan", 42)]),
    "geneve": (device("geneve id 42 remote {there}"), 4, [("geneve", 42)]),
    "geneve over IPv6": (device("geneve id 42 remote {there}", 6), 4, [("geneve", 42)]),
    "gre": (device(GRE), 4, IN_GRE),
    "gre, all fields": (device(GRE + " key 99 csum seq"), 4, [("gre", 99)]),
    "gre over IPv6": (device("ip6" + GRE, 6), 4, IN_GRE),
    "gretap": (device(GRE.replace("gre", "gretap", 1) + " key 99"), 4, [("gre", 99)]),
    "gretap over IPv6": (device("ip6" + GRE.replace("gre", "gretap", 1), 6), 4, IN_GRE),
    "erspan I": (device("erspan local {here} remote {there} erspan_ver 0"), 4, [("erspan", 0)]),
    "erspan II": (device("erspan seq key 7 local {here} remote {there} erspan_ver 1 erspan 123"), 4, [("erspan", 7)]),
    "erspan III": (device("erspan seq key 7 local {here} remote {there} erspan_ver 2 erspan_dir ingress"
                          " erspan_hwid 4"), 4, [("erspan", 7)]),
    "erspan II over IPv6": (device("ip6erspan seq key 7 local {here} remote {there} erspan_ver 1 erspan 123", 6), 4,
                            [("erspan", 7)]),
    "IPv4 in IPv4": (device("ipip local {here} remote {there}"), 4, [("ipip", 0)]),
    "IPv6 in IPv4": (device("sit local {here} remote {there}", 4, 6), 6, [("ipip", 0)]),
    "IPv4 in IPv6": (device("ip6tnl mode ipip6 local {here} remote {there}", 6), 4, [("ipip", 0)]),
    "IPv6 in IPv6": (device("ip6tnl mode ip6ip6 local {here} remote {there}", 6, 6), 6, [("ipip", 0)]),
    "IPv4 in IPv6, no options": (device("ip6tnl mode ipip6 encaplimit none local {here} remote {there}", 6), 4,
                                 [("ipip", 0)]),
    "mpls": (mpls, 4, [("mpls", 0)], *BY_LO),
    "mpls in gre": (mpls_in_gre, 4, [("gre", 0), ("mpls", 0)], ["veth0"], ["gre1"]),
    "pppoe": (pppoe, 4, [("pppoe", 0)]),
    "vlan": (tagged(("802.1Q", 7)), 4, []),
    "two tags": (tagged(("802.1ad", 7), ("802.1Q", 8)), 4, []),
    "vxlan over a vlan": (over_a_vlan, 4, [("vxlan", 42)]),
    "vxlan over a bond": (over_a_bond, 4, [("vxlan", 42)], ["bond0"], ["tun"]),
    "vxlan over a bond's links": (over_a_bond, 4, [("vxlan", 42)], ["veth0", "veth1"], ["tun"]),
    "vxlan in geneve": (in_geneve, 4, [("geneve", 0), ("vxlan", 42)]),
}


def layers_of(records):
    return [[(layer["type"], layer["id"]) for layer in record.get("tunnel", [])] for record in records]


@pytest.mark.parametrize("name", KINDS)
def test_kind(net, name):
    """A connection from either end, before three probes at once."""
    make, family, layers, *watched = KINDS[name]
    outer, inner = watched or (["veth0"], ["tun"])
    make(net)
    here, there = INNER[family]
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(Server(net.host, here))
        theirs = stack.enter_context(Server(net.peer, there))
        probes = {what: stack.enter_context(Probe(net.host, "-f", "json", *names,
                                                  interfaces=len(set(names) - {"--decap"})))
                  for what, names in {"outer": ["--decap", *outer], "inner": inner,
                                      "both": ["--decap", *outer, *inner]}.items()}
        talks = listen_to(net.peer, ours), listen_to(net.host, theirs)
        records = {what: probe.stop() for what, probe in probes.items()}
    assert told(records["outer"]) == told(records["both"]) == shown(*talks)
    assert layers_of(records["outer"]) == [layers, layers]
    # MPLS without a device of its own shows one direction there.
    if inner != ["lo"] and "mpls" not in dict(layers):
        assert told(records["inner"]) == shown(*talks) and layers_of(records["inner"]) == [[], []]
