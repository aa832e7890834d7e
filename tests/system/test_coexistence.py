# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The probe beside what others have on an interface, starting and stopping in any order.

Whatever the order: the other's program stays as it is while the probe comes and goes, no connection
is disturbed, and each that passes a running probe has its record. What this machine lacks is
skipped; tests/vm/coexistence boots a Debian that has all of it.
"""

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess

import pytest

from netns import PATIENCE, Probe, attached, sh, wait_for
from servers import Server, listen_to
from ways import WAYS, shown, start, told

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

# Set in the guest, which has all of it: then nothing is skipped.
EVERYTHING = "EVERYTHING" in os.environ
IFACE, WATCHED = "veth0", "watched"


def kernel_has(option):
    """As its configuration says, built in or a module."""
    for path in f"/boot/config-{os.uname().release}", "/proc/config.gz":
        if os.path.exists(path):
            with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
                return re.search(f"^CONFIG_{option}=[ym]$", file.read(), re.M) is not None
    return False


def inside(ns, *command, **kwargs):
    """A command of the namespace that sees the machine's /sys: programs for XDP keep files below it."""
    return sh("nsenter", f"--net=/run/netns/{ns.name}", *command, **kwargs)


def bare(entry):
    """A filter, rule or qdisc, without what it counts."""
    if isinstance(entry, dict):
        return {key: bare(value) for key, value in entry.items() if key not in (
            "stats", "bytes", "packets", "drops", "overlimits", "requeues", "backlog", "qlen", "installed",
            "last_used", "first_used", "used_hw_stats", "metainfo", "expires")}
    return [bare(each) for each in entry] if isinstance(entry, list) else entry


# --- the others ---------------------------------------------------------------------------------------

class Other:
    """Something of another program's on the host's interface."""
    takes_xdp = False
    programs, options = [], []		# what it needs of the machine, and of the kernel

    @classmethod
    def lacks(cls):
        """What keeps it from being tried here."""
        return [] if EVERYTHING else [each for each in cls.programs if not shutil.which(each)] + \
            [each for each in cls.options if not kernel_has(each)] + \
            ["/sys/fs/bpf"] * (cls.takes_xdp and not os.path.ismount("/sys/fs/bpf"))

    def __init__(self, net, folder, trivial):
        self.net, self.ns, self.folder, self.trivial = net, net.host, folder, trivial

    def begin(self):
        self.start()
        self.there = self.look()
        assert self.there, "nothing of it is there"

    def end(self):
        self.check()
        self.stop()
        assert not self.look(), self.look()

    def check(self):
        """It is as it was when it started."""
        assert self.look() == self.there


class XdpLoader(Other):
    """xdp-loader's dispatcher, which calls its programs one after the other: two.

    A kernel that may not load the dispatcher takes one, without it.
    """
    takes_xdp = True
    programs = ["xdp-loader"]
    mode = "native"

    def start(self):
        load = "xdp-loader", "load", "--mode", self.mode, "--section", "xdp", IFACE, self.trivial
        inside(self.ns, *load)
        if EVERYTHING or any("xdp_dispatcher" in line for line in self.look()):
            inside(self.ns, *load)

    def stop(self):
        inside(self.ns, "xdp-loader", "unload", "--all", IFACE)

    def look(self):
        status = inside(self.ns, "xdp-loader", "status", IFACE).splitlines()
        return [line for line in status if "xdp_dispatcher" in line or "pass_xdp" in line] + \
            [what for what in attached(self.ns, IFACE) if "xdp" in what]


class XdpLoaderGeneric(XdpLoader):
    mode = "skb"


class XdpFilter(Other):
    """xdp-filter, a firewall: it lets all but one port pass."""
    takes_xdp = True
    programs = ["xdp-filter"]

    def start(self):
        inside(self.ns, "xdp-filter", "load", "--mode", "skb", IFACE)
        inside(self.ns, "xdp-filter", "port", "--proto", "tcp", "--mode", "dst", "9")

    def stop(self):
        inside(self.ns, "xdp-filter", "unload", IFACE)

    def look(self):
        found = [what for what in attached(self.ns, IFACE) if "xdp" in what]
        return found and found + re.findall(r"^ *9 .*dst.*", inside(self.ns, "xdp-filter", "status"), re.M)


class Filters(Other):
    """tc filters with actions in both directions."""
    options = ["NET_CLS_FLOWER", "NET_CLS_MATCHALL", "NET_ACT_SKBEDIT", "NET_ACT_POLICE", "NET_ACT_CSUM",
               "NET_ACT_GACT"]
    FILTERS = {
        "ingress": "flower ip_proto tcp action skbedit mark 7 pipe action police rate 1gbit burst 1m conform-exceed ok",
        "egress": "matchall action skbedit priority 3 pipe action csum ip4h tcp pipe action gact ok"}

    def __init__(self, *args):
        super().__init__(*args)
        self.made_qdisc = False

    def start(self):
        # As scripts do: the qdisc may be there.
        self.made_qdisc = self.ns.run("tc", "qdisc", "add", "dev", IFACE, "clsact").returncode == 0
        for hook, words in self.FILTERS.items():
            self.ns.tc("filter", "add", "dev", IFACE, hook, "pref", "10", "protocol", "ip", *words.split())

    def stop(self):
        for hook in self.FILTERS:
            self.ns.tc("filter", "del", "dev", IFACE, hook, "pref", "10")
        if self.made_qdisc and not self.others_filters():
            self.ns.tc("qdisc", "del", "dev", IFACE, "clsact")

    def others_filters(self):
        return any("filter" in what for what in attached(self.ns, IFACE))

    def filters(self, hook, *options):
        if "clsact" not in self.ns.tc("qdisc", "show", "dev", IFACE):
            return []
        return [each for each in json.loads(self.ns.tc(*options, "-j", "filter", "show", "dev", IFACE, hook))
                if each["pref"] == 10]

    def look(self):
        return [bare(each) for hook in self.FILTERS for each in self.filters(hook)]


class Flowtable(Other):
    """nftables' flowtable: from their second packet on, connections pass by the routing."""
    programs, options = ["nft"], ["NF_FLOW_TABLE_INET"]
    RULES = """table inet fast {
        flowtable shortcut { hook ingress priority 0; devices = { veth0, veth1 }; }
        chain forward { type filter hook forward priority 0; ip protocol tcp flow add @shortcut; }
    }"""

    def start(self):
        done = self.ns.run("nft", "-f", "-", input=self.RULES)
        assert done.returncode == 0, done.stderr

    def stop(self):
        assert self.ns.run("nft", "delete", "table", "inet", "fast").returncode == 0

    def look(self):
        listed = json.loads(self.ns.run("nft", "-j", "list", "ruleset").stdout)["nftables"]
        return [bare(each) for each in listed if "metainfo" not in each]


class Queueing(Other):
    """A queueing discipline at the root."""
    options, words = ["NET_SCH_FQ"], ["fq"]

    def start(self):
        self.ns.tc("qdisc", "replace", "dev", IFACE, "root", *self.words)

    def stop(self):
        self.ns.tc("qdisc", "del", "dev", IFACE, "root")

    def look(self):
        return [bare(each) for each in json.loads(self.ns.tc("-j", "qdisc", "show", "dev", IFACE))
                if each["kind"] == self.words[0]]


class Cake(Queueing):
    options, words = ["NET_SCH_CAKE"], ["cake", "bandwidth", "1gbit"]


class Suricata(Other):
    """It listens by AF_PACKET, and logs the connections that it has seen."""
    programs = ["suricata"]
    CONFIGURATION = f"""%YAML 1.1
---
default-log-dir: .
unix-command: {{ enabled: no }}
logging: {{ outputs: [ file: {{ enabled: yes, level: info, filename: suricata.log }} ] }}
outputs: [ eve-log: {{ enabled: yes, filetype: regular, filename: eve.json, types: [ flow ] }} ]
af-packet: [ {{ interface: {IFACE}, threads: 1, cluster-id: 7, cluster-type: cluster_flow }} ]
flow: {{ memcap: 16mb, hash-size: 1024, prealloc: 100 }}
stream: {{ memcap: 16mb }}
"""
    started = None

    def start(self):
        self.folder.mkdir(exist_ok=True)
        for name in "eve.json", "suricata.log":
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "suricata.yaml").write_text(self.CONFIGURATION)
        self.started = subprocess.Popen(
            self.ns.argv("suricata", "-c", "suricata.yaml", "-S", "/dev/null", "-l", ".", "--af-packet"),
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Suricata", lambda: "Engine started" in self.said() or self.started.poll() is not None, 4 * PATIENCE)

    def said(self):
        path = self.folder / "suricata.log"
        return path.read_text() if path.exists() else ""

    def stop(self):
        self.started.send_signal(signal.SIGINT)
        assert self.started.wait(4 * PATIENCE) == 0, self.said()[-2000:]
        self.started = None
        with open(self.folder / "eve.json") as file:
            kinds = {json.loads(line)["event_type"] for line in file}
        assert "flow" in kinds, kinds		# it saw the connections

    def look(self):
        return self.started is not None and self.started.poll() is None


class SecondProbe(Other):
    """Another bannerprobe, which has its records."""
    probe, way = None, "tc"

    def start(self):
        self.probe, self.talks = start(self.ns, self.way, IFACE), []

    def stop(self):
        assert told(self.probe.stop()) == shown(*self.talks)
        self.probe = None

    def look(self):
        return self.probe and self.probe.hooks


class SecondProbeByClsact(SecondProbe):
    way = "clsact"


OTHERS = {each.__name__: each for each in (XdpLoader, XdpLoaderGeneric, XdpFilter, Filters, Flowtable, Queueing, Cake,
                                           Suricata, SecondProbe, SecondProbeByClsact)}


# --- the stage ----------------------------------------------------------------------------------------

class Stage:
    """A router between two peers, with servers at it and behind it; the probe and others on veth0."""

    def __init__(self, net, inner, outer):
        self.net, self.servers = net, (inner, outer)
        self.probe, self.is_watched, self.talks, self.others = None, False, [], []

    def talk(self):
        """A connection to the router, and one through it. All see them, and are as they were."""
        talks = [listen_to(self.net.peer, server) for server in self.servers]
        for each in self.others:
            each.check()
            if isinstance(each, SecondProbe):
                each.talks += talks
        if self.is_watched:
            self.talks += talks

    def begin(self, other):
        other.begin()
        self.others.append(other)

    def end(self, other):
        self.others.remove(other)
        other.end()

    def watch(self, way):
        self.probe, self.is_watched, self.talks = begin_probe(self.net.host, way), True, []

    def unwatch(self):
        assert told(self.probe.stop()) == shown(*self.talks)
        self.probe, self.is_watched = None, False

    def name_the_interface(self):
        """Now it has the name that the probe waits for, which attaches."""
        self.before = set(attached(self.net.host, IFACE))
        self.net.host.ip("link", "property", "add", "dev", IFACE, "altname", WATCHED)
        self.probe.error_line(f"{IFACE}: attached: ")
        self.ours = {what for what in attached(self.net.host, IFACE) if "qdisc" not in what} - self.before
        self.is_watched = True

    def unname_the_interface(self):
        self.net.host.ip("link", "property", "del", "dev", IFACE, "altname", WATCHED)
        self.probe.error_line(f"{IFACE}: .*not watched any more")
        wait_for("the probe to leave", lambda: not self.ours & set(attached(self.net.host, IFACE)))
        self.is_watched = False


def begin_probe(ns, way):
    """By XDP where the slot is free; else, as ways.start() has it."""
    if way == "xdp" and any("xdp" in what for what in attached(ns, IFACE)):
        return start(ns, "tc", "--hook", "xdp", IFACE)
    return start(ns, way, IFACE)


@pytest.fixture
def stage(net2):
    with Server(net2.host, "10.99.0.1") as inner, Server(net2.peers[1], "10.99.1.2") as outer:
        stage = Stage(net2, inner, outer)
        yield stage
        if stage.probe:
            stage.probe.__exit__()
        for other in stage.others:
            if isinstance(other, SecondProbe):
                other.probe.__exit__()
            if isinstance(other, Suricata):
                other.started.kill()
                other.started.wait(PATIENCE)


# What either does, so that each starts before the other and after it, and ends so, too.
STEPS = "other probe -probe probe -other other -other other -probe -other".split()


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("way", ["tc", "clsact", "xdp"])
def test_one(stage, tmp_path, trivial, name, way):
    """In every order."""
    host = stage.net.host
    if lacks := OTHERS[name].lacks():
        pytest.skip(f"no {lacks}")
    other = OTHERS[name](stage.net, tmp_path, trivial)
    before = attached(host, IFACE)
    for step in STEPS:
        taken = other.takes_xdp and stage.probe and "XDP" in stage.probe.hooks[IFACE][0]
        if step == "other" and taken:
            # Linux has one slot for XDP: it refuses the second, and the probe goes on.
            with pytest.raises(AssertionError, match="(?i)busy|exist"):
                other.start()
            assert not other.look()
        elif step == "other":
            stage.begin(other)
        elif step == "-other" and other in stage.others:
            stage.end(other)
        elif step == "probe":
            stage.watch(way)
        elif step == "-probe":
            stage.unwatch()
        stage.talk()
    # tc's qdisc stays where the one that had made it went before the other's filters.
    assert attached(host, IFACE) in (before, ["qdisc clsact"] if (name, way) == ("Filters", "clsact") else [])


def in_any_order(stage, order, others, watch, unwatch):
    """They come, and go."""
    for each in order.sample([*others, None], len(others) + 1):
        print("begins:", type(each).__name__)
        stage.begin(each) if each else watch()
        stage.talk()
    for each in order.sample([*others, None], len(others) + 1):
        print("ends:", type(each).__name__)
        stage.end(each) if each else unwatch()
        stage.talk()
    assert attached(stage.net.host, IFACE) in ([], ["qdisc clsact"])


def some_of_each(order):
    """Of those that exclude each other, one."""
    return [order.choice(["XdpLoader", "XdpLoaderGeneric", "XdpFilter"]), "Filters", "Flowtable",
            order.choice(["Queueing", "Cake"])]


def made(stage, folder, trivial, names):
    return [OTHERS[name](stage.net, folder / name, trivial) for name in names if not OTHERS[name].lacks()]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("way", ["tc", "clsact"])
def test_all_at_once(stage, tmp_path, trivial, way, seed):
    order = random.Random(f"{way} {seed}")
    others = made(stage, tmp_path, trivial, [*some_of_each(order), "Suricata", "SecondProbe", "SecondProbeByClsact"])
    in_any_order(stage, order, others, lambda: stage.watch(way), stage.unwatch)


ORDERS = 4


@pytest.mark.parametrize("way", ["tc", "clsact"])
def test_many_orders(stage, tmp_path, trivial, way):
    """The probe runs all the time, attaches and detaches: it takes long to start under emulation."""
    order = random.Random(way)
    options, env, _ = WAYS[way]
    stage.probe = Probe(stage.net.host, "-f", "json", *options, WATCHED + "*", env=env, interfaces=0)
    stage.probe.error_line("no interface matches yet")
    for _ in range(ORDERS):
        in_any_order(stage, order, made(stage, tmp_path, trivial, some_of_each(order)),
                     stage.name_the_interface, stage.unname_the_interface)
    assert len(stage.talks) >= ORDERS and told(stage.probe.stop()) == shown(*stage.talks)
    stage.probe = None
