# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Interfaces by pattern, and all: those that are there, those that come, and those that go."""

import json
import os
import signal

import pytest

import packets
from netns import Probe, attached, wait_for
from servers import Server, listen_to

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)


def watching(net, *args, interfaces, **kwargs):
    return Probe(net.host, "-f", "json", *args, interfaces=interfaces, **kwargs)


def logged_on(net, probe, peer, address):
    """The interface of one banner."""
    with Server(net.host, address) as server:
        listen_to(peer, server)
        return json.loads(probe.line())["iface"]


def ended(probe):
    probe.send(signal.SIGTERM)
    return probe.ended()


def test_those_that_match(net2):
    with watching(net2, "veth*", interfaces=2) as probe:
        assert set(probe.hooks) == {"veth0", "veth1"}
        assert logged_on(net2, probe, net2.peers[1], "10.99.1.1") == "veth1"
        assert ended(probe) == 0
    assert not any("lo:" in line for line in probe.stderr)


def test_named_and_matching_is_once(net2):
    with watching(net2, "veth0", "veth*", "veth[01]", "veth0", interfaces=2) as probe:
        assert logged_on(net2, probe, net2.peers[0], "10.99.0.1") == "veth0"
        assert ended(probe) == 0
    assert sum("attached" in line for line in probe.stderr) == 2 and len(probe.stdout) == 1


@pytest.mark.parametrize("hook", ["auto", "xdp-generic"])
def test_one_comes_and_goes(net, hook):
    """It is attached to when it is there, and let go of without a word among the records."""
    with watching(net, "--hook", hook, "new*", interfaces=0) as probe:
        probe.error_line("no interface matches yet")
        for _ in range(2):
            net.host.ip("link", "add", "new0", "type", "veth", "peer", "name", "far0",
                        "netns", net.peer.name)
            probe.error_line("new0: attached: ")
            for ns, iface, address in (net.host, "new0", "10.98.0.1"), (net.peer, "far0", "10.98.0.2"):
                ns.ip("address", "add", f"{address}/24", "dev", iface)
                ns.ip("link", "set", iface, "up")
            assert logged_on(net, probe, net.peer, "10.98.0.1") == "new0"
            net.host.ip("link", "del", "new0")
            probe.error_line("new0: the interface was deleted")
        assert ended(probe) == 0
    assert len(probe.stdout) == 2


def test_one_gets_a_name_that_matches(net):
    net.host.ip("link", "add", "plain", "type", "veth", "peer", "name", "far")
    with watching(net, "wanted*", interfaces=0) as probe:
        probe.error_line("no interface matches yet")
        net.host.ip("link", "set", "plain", "name", "wanted1")
        probe.error_line("wanted1: attached: ")
        net.host.ip("link", "set", "wanted1", "name", "other")
        probe.error_line("wanted1: is called other now")
        assert ended(probe) == 0
    assert attached(net.host, "other") == []


def test_all(net2):
    with watching(net2, "--all", interfaces=3) as probe:
        assert set(probe.hooks) == {"lo", "veth0", "veth1"}
        net2.host.ip("tuntap", "add", "tun9", "mode", "tun")		# no Ethernet: other programs
        probe.error_line("tun9: attached: ")
        assert logged_on(net2, probe, net2.peers[0], "10.99.0.1") == "veth0"
        assert ended(probe) == 0
    for iface in "lo", "veth0", "veth1", "tun9":
        wait_for("nothing on " + iface, lambda: attached(net2.host, iface) == [])


def test_one_that_cannot_be_attached_to_stops_nobody(net2, trivial):
    """veth0's XDP slot is taken, and that hook was insisted on: veth1 is watched."""
    net2.host.ip("link", "set", "dev", "veth0", "xdpgeneric", "obj", str(trivial), "sec", "xdp")
    with watching(net2, "--hook", "xdp-generic", "veth*", interfaces=1) as probe:
        assert set(probe.hooks) == {"veth1"}
        assert logged_on(net2, probe, net2.peers[1], "10.99.1.1") == "veth1"
        assert ended(probe) == 0


def test_all_is_for_interfaces():
    done = packets.probe("--all", "-r", "capture")
    assert done.returncode == 2 and b"--all" in done.stderr
