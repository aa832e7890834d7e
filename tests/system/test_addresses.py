# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""This host's own addresses, as the kernel's trie of nets holds them: routes of type local."""

import ipaddress
import json
import os
import random
import signal
import struct
import subprocess

import pytest

import netns
from netns import Namespace, Probe, held_by, wait_for

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

MARK_LOCAL = 4


@pytest.fixture
def host():
    with Namespace("host") as ns:
        yield ns


def batch(ns, *lines):
    """Many commands of ip, by one process."""
    done = subprocess.run(["ip", "-n", ns.name, "-batch", "-"], input="\n".join(lines), text=True,
                          capture_output=True, timeout=netns.PATIENCE)
    assert done.returncode == 0, done.stderr


def map_of(probe):
    """The id of its trie."""
    return next(n for n in held_by(probe.process.pid)["map"]
                if netns.bpftool("map", "show", "id", str(n))["name"] == "nets")


def nets_in(trie):
    """The networks that are in SET_LOCAL."""
    found = {}
    for entry in netns.bpftool("map", "dump", "id", str(trie)):
        key = bytes(int(byte, 16) for byte in entry["key"])
        length, family = struct.unpack_from("=II", key)
        address = key[8:12] if family == 4 else key[8:24]
        if isinstance(entry["value"], list):		# else it has gone meanwhile
            found[str(ipaddress.ip_network((address, length - 32)))] = int(entry["value"][0], 16)
    return found


def own(trie):
    return {net for net, marks in nets_in(trie).items() if marks & MARK_LOCAL}


def local_routes(ns, table="local"):
    found = set()
    for family in "-4", "-6":
        done = ns.run("ip", family, "-j", "route", "show", "table", table, "type", "local")
        for route in json.loads(done.stdout or "[]"):
            net = "::/0" if (family, route["dst"]) == ("-6", "default") else route["dst"]
            found.add(str(ipaddress.ip_network(net)))
    return found


def test_at_start_and_as_they_come_and_go(host):
    """Always, not for --local only; one that two interfaces have stays until both are gone."""
    host.ip("link", "add", "dummy0", "type", "veth", "peer", "name", "far0")
    host.ip("address", "add", "192.0.2.1/24", "dev", "dummy0")
    with Probe(host, "-f", "json", "lo") as probe:
        trie = map_of(probe)
        as_routed = lambda: own(trie) == local_routes(host)
        assert as_routed() and {"127.0.0.0/8", "::1/128", "192.0.2.1/32"} <= own(trie)
        for command in ["address add 192.0.2.2/24 dev dummy0", "address add 192.0.2.1/32 dev lo",
                        "-6 address add 2001:db8::1/64 dev dummy0 nodad",
                        "link set dummy0 up", "link set far0 up",
                        "route add local 10.0.0.0/8 dev dummy0",
                        "-6 route add local 2001:db8:1::/48 dev lo",
                        "route add local 10.0.0.0/8 dev lo metric 5",
                        "route add local 10.1.0.0/16 dev lo src 192.0.2.2",
                        "route replace local 10.0.0.0/8 dev lo metric 5 src 192.0.2.1",
                        "address del 192.0.2.2/24 dev dummy0", "link set dummy0 down",
                        "link set dummy0 up", "address del 192.0.2.1/32 dev lo",
                        "link del dummy0", "route del local 10.0.0.0/8 dev lo metric 5"]:
            host.ip(*command.split())
            wait_for(command, as_routed)
        host.ip("route", "add", "local", "198.51.100.0/24", "dev", "lo", "table", "77")
        host.ip("route", "add", "local", "198.51.100.1", "dev", "lo")
        wait_for("another table's are none", lambda: "198.51.100.1/32" in own(trie))
        assert "198.51.100.0/24" not in own(trie)
        probe.stop()


@pytest.mark.parametrize("before, after, gone", [
    (["route add local 10.3.0.0/16 dev dummy0"], "link del dummy0", "10.3.0.0/16"),
    (["link set far0 up", "link set dummy0 up", "nexthop add id 5 dev dummy0",
      "route add local 10.1.0.0/16 nhid 5"],
     "nexthop del id 5", "10.1.0.0/16"),
    (["link set dummy0 up", "-6 address add 2001:db8::1/64 dev dummy0 nodad"],
     "link set dummy0 down", "2001:db8::1/128")])
def test_what_goes_without_a_word(host, before, after, gone):
    """Routes that the kernel takes away, and sends no message of."""
    host.run("sysctl", "-qw", "net.ipv6.route.skip_notify_on_dev_down=1")
    host.ip("link", "add", "dummy0", "type", "veth", "peer", "name", "far0")
    with Probe(host, "-f", "json", "lo") as probe:
        trie = map_of(probe)
        for command in before:
            host.ip(*command.split())
        wait_for("it", lambda: gone in own(trie))
        host.ip(*after.split())
        wait_for("its end", lambda: gone not in own(trie))
        assert own(trie) == local_routes(host)
        probe.stop()


def test_of_the_nets_that_are_given(host):
    """Each is in the sets of all networks around it, in whatever order they come and go."""
    NET, NOT = 1, 2
    with Probe(host, "-f", "json", "--net", "10.0.0.0/8", "--not-net", "10.1.0.0/16",
               "--net", "192.0.2.1", "lo") as probe:
        trie = map_of(probe)
        host.ip("route", "add", "local", "10.1.2.3", "dev", "lo")
        host.ip("route", "add", "local", "10.1.0.0/17", "dev", "lo")
        host.ip("route", "add", "local", "192.0.0.0/16", "dev", "lo")
        both = {"127.0.0.0/8": MARK_LOCAL, "127.0.0.1/32": MARK_LOCAL, "::1/128": MARK_LOCAL,
                "10.0.0.0/8": NET, "10.1.0.0/16": NET | NOT}
        wait_for("all", lambda: nets_in(trie) == {
            **both, "10.1.2.3/32": NET | NOT | MARK_LOCAL, "10.1.0.0/17": NET | NOT | MARK_LOCAL,
            "192.0.0.0/16": MARK_LOCAL, "192.0.2.1/32": NET | MARK_LOCAL})
        for net in "10.1.2.3", "10.1.0.0/17", "192.0.0.0/16":
            host.ip("route", "del", "local", net, "dev", "lo")
        wait_for("the rest", lambda: nets_in(trie) == {**both, "192.0.2.1/32": NET})
        probe.stop()


def test_at_random(host):
    """In whatever order they come and go, and where the kernel reports less."""
    rng = random.Random(7)
    host.run("sysctl", "-qw", "net.ipv6.route.skip_notify_on_dev_down=1")
    links = [f"link{i}" for i in range(4)]
    batch(host, *(f"link add {link} type veth peer name far{link}" for link in links),
          *(f"link set {link} up" for link in links))
    with Probe(host, "-f", "json", "lo") as probe:
        trie = map_of(probe)
        for _ in range(5):
            lines = []
            for _ in range(300):
                octet, link = rng.randrange(40), rng.choice([*links, "lo"])
                lines.append(rng.choice([
                    f"address {rng.choice(['add', 'del'])} 10.9.0.{octet}/{rng.choice([24, 32])} dev {link}",
                    f"address {rng.choice(['add', 'del'])} fd09::{octet:x}/64 dev {link}",
                    f"route {rng.choice(['add', 'del', 'append', 'replace'])} local 10.{octet}.0.0/16 dev {link}",
                    f"link set {rng.choice(links)} {rng.choice(['up', 'down'])}"]))
            subprocess.run(["ip", "-n", host.name, "-force", "-batch", "-"], input="\n".join(lines),
                           text=True, capture_output=True, timeout=netns.PATIENCE)
            wait_for("the same", lambda: own(trie) == local_routes(host))
        probe.stop()


def cpu_seconds(probe):
    with open(f"/proc/{probe.process.pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_hundred_thousand(host):
    """There is room for them, and one that comes is looked at alone."""
    batch(host, *(f"route add local 10.{n >> 16}.{n >> 8 & 255}.{n & 255} dev lo"
                  for n in range(100000)))
    with Probe(host, "-f", "json", "--local", "lo") as probe:
        trie = map_of(probe)
        assert len(own(trie)) == len(local_routes(host)) >= 100000
        before = cpu_seconds(probe)
        batch(host, *(f"route add local 11.0.{n >> 8}.{n & 255} dev lo" for n in range(2000)))
        key = struct.pack("=II4s12x", 64, 4, bytes([11, 0, 1999 >> 8, 1999 & 255])).hex(" ").split()
        wait_for("the last", lambda: subprocess.run(
            ["bpftool", "map", "lookup", "id", str(trie), "key", "hex", *key],
            capture_output=True, timeout=netns.PATIENCE).returncode == 0)
        assert cpu_seconds(probe) - before < 1		# a dump for each would be minutes
        probe.send(signal.SIGSTOP)		# more messages than its socket has room for
        batch(host, *(f"route del local 10.{n >> 16}.{n >> 8 & 255}.{n & 255} dev lo"
                      for n in range(60000)))
        probe.send(signal.SIGCONT)
        wait_for("a new look", lambda: own(trie) == local_routes(host))
        probe.stop()
