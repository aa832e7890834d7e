# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every kind of device between a host and its peer: how it is made, and what lies beneath it.

Each function that makes one calls it `dev0` at the host. Where the peer has one, too, it is called
so there. The addresses of a connection by it are HERE and THERE.
"""

import collections
import contextlib
import fcntl
import glob
import json
import os
import struct
import threading

from forgery import mac_address
from netns import Network, sh, wait_for

HERE, THERE = "10.77.0.1", "10.77.0.2"


def sides(net):
    """Of either end: namespace, device, its address by that, the address for dev0, the other's; the host first."""
    yield net.host, "veth0", "10.99.0.1", HERE, THERE
    yield net.peer, "peer0", "10.99.0.2", THERE, HERE


def up(ns, device, address):
    ns.ip("addr", "add", f"{address}/24", "dev", device)
    ns.ip("link", "set", device, "up")


def on_both(*words):
    """dev0 on the link, at either end."""
    def make(net):
        for ns, port, _, here, _ in sides(net):
            ns.ip("link", "add", "link", port, "name", "dev0", "type", *words)
            up(ns, "dev0", here)
    return make


def on_ours(*words):
    """dev0 on the link, at the host's end; the peer has the address of its link."""
    def make(net):
        (ns, port, _, here, _), (peer, its, _, there, _) = sides(net)
        ns.ip("link", "add", "link", port, "name", "dev0", "type", *words)
        up(ns, "dev0", here)
        up(peer, its, there)
    return make


def routed_ipvlan(net):
    """In mode L3 it takes the answers to ARP for its address, and drops them: the peer is told the way to it by the
    host's own address, and the host where the peer is."""
    on_ours("ipvlan", "mode", "l3")(net)
    (ns, port, gateway, here, there), (peer, its, *_) = sides(net)
    ns.ip("neigh", "replace", there, "lladdr", mac_address(peer, its), "dev", port)
    peer.ip("route", "add", here, "via", gateway, "dev", its, "src", there)


def two_tags(net):
    for ns, port, _, here, _ in sides(net):
        for below, name, protocol, tag in (port, "tag0", "802.1ad", "7"), ("tag0", "dev0", "802.1Q", "8"):
            ns.ip("link", "add", "link", below, "name", name, "type", "vlan", "protocol", protocol, "id", tag)
            ns.ip("link", "set", name, "up")
        up(ns, "dev0", here)


def bridge(net):
    (ns, port, _, here, _), (peer, its, _, there, _) = sides(net)
    ns.ip("link", "add", "dev0", "type", "bridge")
    ns.ip("link", "set", port, "master", "dev0")
    up(ns, "dev0", here)
    up(peer, its, there)


def of_vrfs(ns):
    """Sockets of no VRF accept what comes by one."""
    with ns.entered(), open("/proc/sys/net/ipv4/tcp_l3mdev_accept", "w") as file:
        file.write("1")


def vrf(net):
    (ns, port, _, here, _), (peer, its, _, there, _) = sides(net)
    ns.ip("link", "add", "dev0", "type", "vrf", "table", "10")
    ns.ip("link", "set", "dev0", "up")
    ns.ip("link", "set", port, "master", "dev0")
    up(ns, port, here)
    up(peer, its, there)
    of_vrfs(ns)


def dummy(net):
    """What this host says to its address goes by lo; what leaves by dev0 is dropped."""
    net.host.ip("link", "add", "dev0", "type", "dummy")
    up(net.host, "dev0", HERE)


def netkit(mode):
    def make(net):
        net.host.ip("link", "add", "dev0", "type", "netkit", "mode", mode,
                    "peer", "name", "dev0", "netns", net.peer.name)
        for ns, _, _, here, _ in sides(net):
            up(ns, "dev0", here)
    return make


def veth(net):
    for ns, port, _, here, _ in sides(net):
        ns.ip("link", "set", port, "down")
        ns.ip("link", "set", port, "name", "dev0")
        up(ns, "dev0", here)


def wireguard(net):
    private = [sh("wg", "genkey") for _ in range(2)]
    public = [sh("wg", "pubkey", input=key).strip() for key in private]
    for n, (ns, _, _, here, there) in enumerate(sides(net)):
        ns.ip("link", "add", "dev0", "type", "wireguard")
        done = ns.run("wg", "set", "dev0", "listen-port", "51820", "private-key", "/dev/stdin",
                      "peer", public[1 - n], "allowed-ips", there, "endpoint", f"10.99.0.{2 - n}:51820",
                      input=private[n])
        assert done.returncode == 0, done.stderr
        up(ns, "dev0", here)


# --- bonds --------------------------------------------------------------------------------------------

def enslaved(ns, links, bond, *options):
    ns.ip("link", "add", bond, "type", "bond", "miimon", "100", *options)
    for link in links:
        ns.ip("addr", "flush", "dev", link)
        ns.ip("link", "set", link, "down")
        ns.ip("link", "set", link, "master", bond)


def second_link(net):
    net.host.ip("link", "add", "veth1", "type", "veth", "peer", "name", "peer1", "netns", net.peer.name)


def bonded(net, mode):
    """Two links to one peer: bond0 of the host, a bridge there."""
    second_link(net)
    enslaved(net.host, ["veth0", "veth1"], "bond0", "mode", mode)
    net.peer.ip("link", "add", "br0", "type", "bridge")
    net.peer.ip("addr", "flush", "dev", "peer0")
    for iface in "peer0", "peer1":
        net.peer.ip("link", "set", iface, "up", "master", "br0")
    Network.configure(net.host, "bond0", 0, 1)
    Network.configure(net.peer, "br0", 0, 2)


def bond(mode):
    def make(net):
        bonded(net, mode)
        net.host.ip("link", "set", "bond0", "down")
        net.host.ip("link", "set", "bond0", "name", "dev0")
        up(net.host, "dev0", HERE)
        net.peer.ip("addr", "add", f"{THERE}/24", "dev", "br0")
    return make


def ports_at_work(ns):
    """Of an 802.3ad bond: how many of its links carry traffic."""
    [link] = json.loads(ns.ip("-j", "-d", "link", "show", "dev0"))
    return link["linkinfo"]["info_data"].get("ad_info", {}).get("num_ports", 0)


def aggregated(net):
    """Both ends speak LACP."""
    second_link(net)
    for ns, links, address in (net.host, ["veth0", "veth1"], HERE), (net.peer, ["peer0", "peer1"], THERE):
        enslaved(ns, links, "dev0", "mode", "802.3ad", "lacp_rate", "fast", "xmit_hash_policy", "layer3+4")
        up(ns, "dev0", address)
    for ns in net.host, net.peer:
        wait_for("both links to be aggregated", lambda: ports_at_work(ns) == 2)


# --- tun and tap --------------------------------------------------------------------------------------

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454ca, 1, 2, 0x1000


def carry(source, target):
    """What leaves by one comes in by the other, until a device goes."""
    with contextlib.suppress(OSError):
        while True:
            os.write(target, os.read(source, 65536))


def by_a_process(kind):
    """dev0 of either end, and a process between them, as a VPN or a virtual machine has one."""
    def make(net):
        ends = []
        for ns, _, _, here, _ in sides(net):
            with ns.entered():
                ends.append(os.open("/dev/net/tun", os.O_RDWR))
                fcntl.ioctl(ends[-1], TUNSETIFF, struct.pack("16sH22x", b"dev0", kind | IFF_NO_PI))
            up(ns, "dev0", here)
        for pair in ends, ends[::-1]:
            threading.Thread(target=carry, args=pair, daemon=True).start()
    return make


# --- what QEMU has for network cards ------------------------------------------------------------------

def cards():
    """The interfaces of this namespace that are hardware, by their drivers."""
    found = collections.defaultdict(list)
    for path in glob.glob("/sys/class/net/*/device/driver"):
        found[os.path.basename(os.path.realpath(path))].append(path.split("/")[4])
    return found


def card(driver):
    """One of that driver, and a virtio_net for the peer: guest.py puts all on one hub."""
    def make(net):
        has = lambda: cards()[driver] and cards()["virtio_net"][driver == "virtio_net":]
        wait_for(f"the cards that the test before had: {driver}", has)
        ours = cards()[driver][0]
        its = next(name for name in cards()["virtio_net"] if name != ours)
        for (ns, _, _, here, _), name in zip(sides(net), (ours, its)):
            sh("ip", "link", "set", name, "netns", ns.name, "name", "dev0")
            up(ns, "dev0", here)
        wait_for("a carrier", lambda: all(
            "LOWER_UP" in ns.ip("link", "show", "dev0") for ns in (net.host, net.peer)))
    return make
