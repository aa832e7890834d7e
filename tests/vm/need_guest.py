# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--need on devices that not every kernel has: VRFs, bonds. tests/vm/devices boots one that does."""

import pytest

from device_kinds import bonded
from servers import Server, listen_to
from test_need import door, every, few, forged_greeting, only, sysctl, watching


@pytest.mark.parametrize("names", [["veth0"], ["vrf0"], ["vrf0", "veth0"]], ids="+".join)
@every
def test_vrf(net, names, need, hook):
    """Its addresses are this host's, in a table of its own. The VRF's device by itself shows neither
    what comes in nor what leaves: its links do."""
    seen = names != ["vrf0"]
    net.host.ip("link", "add", "vrf0", "type", "vrf", "table", "10")
    net.host.ip("link", "set", "vrf0", "up")
    net.host.ip("link", "set", "veth0", "master", "vrf0")
    sysctl(net.host, "ipv4/tcp_l3mdev_accept", 1)
    # No socket outside of the VRF may be bound to its address.
    with Server(net.host, "0.0.0.0") as server, \
            watching(net.host, *names, need=need, hook=hook) as probe:
        talk = listen_to(net.peer, server, "10.99.0.1")
        if need != "none":
            forged_greeting(door(net.peer, net.host, "veth0"), "10.99.0.1")
        _, counted = only(probe, *[talk] * seen)
    assert need == "none" or not seen or counted["unsolicited"] >= 1


@pytest.mark.parametrize("mode", ["active-backup", "balance-rr"])
@pytest.mark.parametrize("names", [["bond0"], ["veth0", "veth1"], ["bond0", "veth0", "veth1"]],
                         ids=["bond", "its links", "all"])
@few
def test_bond(net, names, mode, need, hook):
    """Packets take either link, by turns or by one at a time."""
    bonded(net, mode)
    host, peer = net.host, net.peer
    with Server(host, "10.99.0.1") as ours, Server(peer, "10.99.0.2") as theirs, \
            watching(host, *names, need=need, hook=hook) as probe:
        own = listen_to(peer, ours), listen_to(host, theirs)
        forged_greeting(door(peer, host, "bond0"), "10.99.0.1")
        _, counted = only(probe, *own)
    assert counted["unsolicited"] >= 1
