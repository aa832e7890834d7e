# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the probe leaves behind when it is killed at any moment, and how it shares an interface."""

import contextlib
import fcntl
import glob
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest

import netns
from netns import BINARY, PATIENCE, Network, Probe, attached, wait_for
from servers import Server, listen_to
from ways import CLSACT, WAYS, shown, start, told

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)


# --- killed at any moment ---------------------------------------------------------------------

LANES = 2			# hosts on which probes are killed at the same time
KILLS, KILLS_CLSACT = 100, 30	# of all lanes together
# How long the moments are from which one is drawn; that of attaching is measured.
RUNNING_SECONDS, DETACHING_SECONDS = 0.03, 0.004
MOMENTS = ["attaching"] * 4 + ["running", "detaching"]

# What one process is asked for, and how often "xdp" and filters of tc are then on an interface.
TCX = [["--hook", "xdp", "veth0", "veth1"], ["--hook", "xdp-generic", "veth0"],
       *[["--hook", "tc", "veth0", "veth1"]] * 2]
CLSACT_WAYS = {("--hook", "tc"): (0, 2), ("--hook", "xdp"): (1, 1)}


def occupy(ns, iface, trivial):
    """Another program's life on an interface: XDP, and tc filters where the probe's would be."""
    ns.ip("link", "set", "dev", iface, "xdpgeneric", "obj", trivial, "sec", "xdp")
    ns.tc("qdisc", "add", "dev", iface, "clsact")
    for hook in "ingress", "egress":
        ns.tc("filter", "add", "dev", iface, hook, "pref", "1", "handle", "1", "bpf", "da",
              "obj", trivial, "sec", "tc")


def ours(ns, iface, others):
    """What is attached besides the earlier programs, which must all be there, unchanged."""
    now = attached(ns, iface)
    assert set(others) <= set(now), (others, now)
    return [what for what in now if what not in others]


class Lane:
    """A host with an interface of its own and one that another program uses, and traffic."""

    def __init__(self, stack, trivial, seed):
        self.random = random.Random(seed)
        net = stack.enter_context(Network(2))
        self.host = net.host
        occupy(self.host, "veth1", trivial)
        self.others = {iface: attached(self.host, iface) for iface in ("veth0", "veth1")}
        assert self.others["veth0"] == [] and len(self.others["veth1"]) == 4
        began = time.monotonic()
        with Probe(self.host, "veth0", "veth1", interfaces=2) as probe:
            self.start_seconds = time.monotonic() - began
            probe.stop()
        server = stack.enter_context(Server(self.host, "10.99.0.1"))
        self.over = threading.Event()
        client = threading.Thread(target=self._talk, args=(net.peer, server))
        client.start()
        stack.callback(client.join, PATIENCE)
        stack.callback(self.over.set)

    def _talk(self, peer, server):
        while not self.over.wait(0.01):
            listen_to(peer, server)

    def kill(self, moment, args, env, check=lambda: None):
        """One run of the probe, from its start to a given moment; `check` is called when it runs."""
        if moment == "attaching":
            process = subprocess.Popen(self.host.argv(BINARY, *args), env={**os.environ, **env},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(self.random.uniform(0, self.start_seconds))
            process.kill()
            process.wait(PATIENCE)
            return
        with Probe(self.host, *args, env=env, stdout=subprocess.DEVNULL,
                   interfaces=sum(arg.startswith("veth") for arg in args)) as probe:
            check()
            if moment == "running":
                time.sleep(self.random.uniform(0, RUNNING_SECONDS))
            else:
                probe.send(signal.SIGTERM)
                time.sleep(self.random.uniform(0, DETACHING_SECONDS))
            probe.send(signal.SIGKILL)
            probe.ended()

    def processes(self):
        return netns.sh("ip", "netns", "pids", self.host.name).split()

    def left(self):
        return {iface: left for iface, others in self.others.items()
                if (left := ours(self.host, iface, others))}

    def kill_by_tcx(self, count):
        for i in range(count):
            moment, args = self.random.choice(MOMENTS), self.random.choice(TCX)
            self.kill(moment, ["-o", "/dev/null", *args], {})
            assert not self.left(), (moment, args, self.left())
        wait_for("the processes that open logs to end", lambda: not self.processes())

    def kill_by_clsact(self, count):
        """Each start clears what the one before has left, and nothing else."""
        for i in range(count):
            moment, (hook, numbers) = (self.random.choice(MOMENTS),
                                       self.random.choice([*CLSACT_WAYS.items()]))
            self.kill(moment, [*hook, "veth0", "veth1"], CLSACT, lambda: self.complete(*numbers))
            self.left()
        with Probe(self.host, "-f", "json", "veth0", "veth1", env=CLSACT, interfaces=2) as probe:
            self.complete(0, 2)
            probe.stop()
        assert not self.left(), self.left()

    def complete(self, xdp, filters):
        """Exactly what was just attached is there; another has the XDP slot of veth1."""
        for iface, wanted in ("veth0", (xdp, filters)), ("veth1", (0, 2)):
            found = ours(self.host, iface, self.others[iface])
            assert wanted == tuple(sum(kind in what for what in found)
                                   for kind in ("xdp ", "filter")), (iface, found)


def all_lanes(trivial, work, count):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    wrong = []

    def run(lane):
        try:
            work(lane, count // LANES)
        except BaseException as error:
            wrong.append(error)

    with contextlib.ExitStack() as stack:
        lanes = [Lane(stack, trivial, seed + i) for i in range(LANES)]
        threads = [threading.Thread(target=run, args=(lane,)) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for error in wrong:
        raise error


def orphans():
    """Programs and maps of the probe that no process holds any more."""
    held = {"prog": set(), "map": set()}
    for path in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(PermissionError):		# another container's: not the probe
            for kind, ids in netns.held_by(os.path.basename(path)).items():
                held[kind] |= ids
    programs = [one for one in netns.bpftool("prog", "show")
                if one.get("name", "").startswith("bannerprobe_") and one["id"] not in held["prog"]]
    maps = [one for one in netns.bpftool("map", "show")
            if one.get("name", "").startswith("bannerpr") and one["id"] not in held["map"]]
    return {f"{one['name']} {one['id']}" for one in programs + maps}


def test_killed_at_any_moment(trivial):
    """With tcx nothing is left from then on, and neither are the programs once RCU allows it."""
    before = orphans()
    all_lanes(trivial, Lane.kill_by_tcx, KILLS)
    wait_for("the kernel to free all programs and maps", lambda: orphans() <= before)


def test_killed_at_any_moment_before_tcx(trivial):
    """On kernels before 6.6 filters stay; the next start removes them, and no others."""
    before = orphans()
    all_lanes(trivial, Lane.kill_by_clsact, KILLS_CLSACT)
    wait_for("the kernel to free all programs and maps", lambda: orphans() <= before)


CHANGES = re.compile("RTM_(NEWQDISC|NEWTFILTER|DELTFILTER|DELQDISC)")


def live(ns, folder, *tracing):
    """One life by clsact under strace, without the process that clears up after a SIGKILL; the
    changes that it asked the kernel for, and its code."""
    trace = folder / "trace"
    process = subprocess.Popen(		# -D: the tracer is a grandchild, so this is the probe's pid
        ns.argv("strace", "-D", "-o", trace, "-e", "trace=sendto,pidfd_open",
                "-e", "inject=pidfd_open:error=ENOSYS:when=2", *tracing,		# for the reader, not the guard
                BINARY, "--hook", "tc", "veth0"),
        env={**os.environ, **CLSACT}, stderr=subprocess.PIPE, text=True)
    with process, process.stderr:
        for line in process.stderr:
            if ": attached: " in line:
                process.terminate()
    wait_for("the tracer to end", lambda: "+++" in trace.read_text())
    sends = [line for line in trace.read_text().splitlines() if "sendto(" in line]
    return [i for i, line in enumerate(sends, 1) if CHANGES.search(line)], process.returncode


def test_killed_between_any_two_steps(net, tmp_path):
    """Whatever tc has of it then shows its owner: an empty qdisc would not."""
    changes, code = live(net.host, tmp_path)
    assert code == 0 and len(changes) >= 3 and attached(net.host, "veth0") == []
    for after in changes[:-1]:
        _, code = live(net.host, tmp_path, "-e", f"inject=sendto:signal=SIGKILL:when={after + 1}")
        assert code == -signal.SIGKILL
        assert any("bannerprobe_" in what for what in attached(net.host, "veth0"))
        net.host.tc("qdisc", "del", "dev", "veth0", "clsact")


# --- beside others ----------------------------------------------------------------------------

# The ways of the first and of the second, and which of them is killed.
PAIRS = [("tc", "tc", 0), ("tc", "clsact", 1), ("clsact", "tc", 0), ("xdp", "clsact", 0),
         ("clsact", "clsact", 0), ("clsact", "clsact", 1)]


@pytest.mark.parametrize("first_way, second_way, victim", PAIRS)
def test_one_of_two_probes_is_killed(net, first_way, second_way, victim):
    """The other goes on logging, and when it has ended, and the killed one's traces are cleared,
    nothing is left."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, first_way) as first, \
            start(net.host, second_way) as second:
        pair = [first, second]
        killed, other = pair.pop(victim), pair.pop()
        talks = [listen_to(net.peer, server)]
        killed.send(signal.SIGKILL)
        killed.ended()
        talks.append(listen_to(net.peer, server))
        if "clsact" == (first_way, second_way)[victim]:
            with start(net.host, "clsact") as third:
                talks.append(listen_to(net.peer, server))
                assert told(third.stop()) == shown(talks[-1])
        assert told(other.stop()) == shown(*talks)
    assert attached(net.host, "veth0") == []


@pytest.mark.parametrize("first_to_end", [0, 1], ids=["the first", "the second"])
def test_the_last_of_two_probes_takes_the_qdisc_along(net, first_to_end):
    """Whichever of them made it; and none that another has made."""
    net.host.ip("link", "add", "other0", "type", "veth", "peer", "name", "other1")
    net.host.tc("qdisc", "add", "dev", "other0", "clsact")
    with start(net.host, "clsact", "veth0", "other0", interfaces=2) as first, \
            start(net.host, "clsact", "veth0", "other0", interfaces=2) as second:
        pair = [first, second]
        pair.pop(first_to_end).stop()
        with start(net.host, "clsact", "veth0", "other0", interfaces=2) as third:
            pair.pop().stop()
            third.stop()
    assert attached(net.host, "veth0") == []
    assert attached(net.host, "other0") == ["qdisc clsact"]


def test_probes_take_turns(net, tmp_path):
    """What one finds on a qdisc is still so when it acts on it: at the start and, confined, at the
    end."""
    trace = tmp_path / "trace"
    strace = ["strace", "-D", "-o", trace, "-e", "trace=flock,sendto"]
    with open(f"/run/netns/{net.host.name}") as namespace, \
            start(net.host, "clsact", before=strace) as probe:
        fcntl.flock(namespace, fcntl.LOCK_EX)
        probe.send(signal.SIGTERM)
        wait_for("the probe to wait for its turn", lambda: trace.read_text().count("EAGAIN") > 1)
        fcntl.flock(namespace, fcntl.LOCK_UN)
        assert probe.ended() == 0
    assert attached(net.host, "veth0") == []
    assert not any("holds the lock" in line for line in probe.stderr)
    _, *waiting, going_on = re.split(r"flock\(.*LOCK_NB\) += -1 EAGAIN.*\n", trace.read_text())
    assert not any(map(CHANGES.search, waiting)) and "RTM_DEL" in going_on


def test_a_guard_clears_up_after_a_kill(net):
    """What the kernel would leave to the next start, by clsact; others' filters stay."""
    net.host.tc("qdisc", "add", "dev", "veth0", "clsact")
    net.host.tc("filter", "add", "dev", "veth0", "ingress", "pref", "9", "u32", "match", "u32",
                "0", "0")
    before = attached(net.host, "veth0")
    for number in signal.SIGKILL, signal.SIGSEGV:
        with start(net.host, "clsact") as probe:
            assert len(attached(net.host, "veth0")) == len(before) + 2
            probe.send(number)
            probe.ended()
        wait_for("the guard", lambda: attached(net.host, "veth0") == before)
    wait_for("its end", lambda: not netns.sh("ip", "netns", "pids", net.host.name).split())


def test_a_guard_outlives_the_watchdog(net):
    """systemd sends SIGABRT to all processes of a unit."""
    with start(net.host, "clsact") as probe:
        for pid in [probe.guard(), probe.process.pid, probe.reader()]:
            os.kill(pid, signal.SIGABRT)
        assert probe.ended() == -signal.SIGABRT
    wait_for("the guard", lambda: attached(net.host, "veth0") == [])


def xdp_links(ns, iface):
    """The ids of the links by which programs are on its XDP hook."""
    ids = [int(what.split()[1]) for what in attached(ns, iface) if what.startswith("xdp ")]
    return {link["id"] for link in netns.bpftool("link", "show") if link.get("prog_id") in ids}


FLUSHES = ["qdisc del dev veth0 clsact", "filter del dev veth0 egress", "filter del dev veth0 ingress"]


@pytest.mark.parametrize("flush", FLUSHES)
@pytest.mark.parametrize("way", ["tc", "clsact", "xdp and clsact"])
def test_another_program_removes_all_filters(net, way, flush):
    """As many scripts do. A filter is there again soon; a tcx link cannot be removed so. XDP stays
    attached all the while: attaching it disturbs a device."""
    lost = "clsact" in WAYS[way][2] and not (way == "xdp and clsact" and "ingress" in flush)
    with Server(net.host, "10.99.0.1") as ours_, Server(net.peer, "10.99.0.2") as theirs, \
            start(net.host, way) as probe:
        before, links = attached(net.host, "veth0"), xdp_links(net.host, "veth0")
        net.host.run("tc", *flush.split())
        if lost:
            probe.error_line("veth0: another program has removed a tc filter")
            probe.error_line("veth0: attached: ")
        assert len(attached(net.host, "veth0")) == len(before)
        assert xdp_links(net.host, "veth0") == links and len(links) == ("xdp" in way)
        talks = listen_to(net.peer, ours_), listen_to(net.host, theirs)
        assert told(probe.stop()) == shown(*talks)
    # With the last filter goes the sign that the probe made the qdisc.
    last = way == "xdp and clsact" and "egress" in flush
    assert attached(net.host, "veth0") == ["qdisc clsact"] * last


def test_another_program_makes_its_qdisc_anew(net):
    """The probe leaves it the time for that, and then shares the qdisc, which stays."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, "clsact") as probe:
        for word in "del", "add":
            net.host.tc("qdisc", word, "dev", "veth0", "clsact")
        net.host.tc("filter", "add", "dev", "veth0", "ingress", "pref", "9", "u32", "match", "u32", "0", "0")
        before = attached(net.host, "veth0")
        probe.error_line("veth0: attached: ")
        talk = listen_to(net.peer, server)
        assert told(probe.stop()) == shown(talk)
    assert attached(net.host, "veth0") == before


@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
def test_another_xdp_program_comes_later(net, trivial, mode):
    """By tc the probe does not stand in its way, and both see what comes in."""
    with Server(net.peer, "10.99.0.2") as server, start(net.host, "auto") as probe:
        net.host.ip("link", "set", "dev", "veth0", mode, "obj", trivial, "sec", "xdp")
        talk = listen_to(net.host, server)
        net.host.ip("link", "set", "dev", "veth0", mode, "off")
        assert told(probe.stop()) == shown(talk, )


def test_another_xdp_program_finds_the_slot_taken(net, trivial):
    """The kernel has one: it refuses the other, and the probe goes on."""
    theirs = ["link", "set", "dev", "veth0", "xdpdrv", "obj", trivial, "sec", "xdp"]
    with Server(net.peer, "10.99.0.2") as server, start(net.host, "xdp") as probe:
        assert net.host.run("ip", *theirs).returncode != 0
        talk = listen_to(net.host, server)
        assert told(probe.stop()) == shown(talk)
    net.host.ip(*theirs)


# What stands at the place that the probe would take: priority 1, handle 1.
NEIGHBOURS = {
    "bpf": ["handle", "1", "bpf", "da", "obj", "{trivial}", "sec", "tc"],
    "u32": ["u32", "match", "u32", "0", "0"],
    "u32 for IPv6": ["protocol", "ipv6", "u32", "match", "u32", "0", "0"],
}


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
@pytest.mark.parametrize("way", ["tc", "clsact"])
def test_a_filter_stands_where_the_probe_would(net, trivial, neighbour, way):
    """It stays, and both directions are logged."""
    net.host.tc("qdisc", "add", "dev", "veth0", "clsact")
    for hook in "ingress", "egress":
        net.host.tc("filter", "add", "dev", "veth0", hook, "pref", "1",
                    *(word.format(trivial=trivial) for word in NEIGHBOURS[neighbour]))
    before = attached(net.host, "veth0")
    assert sum("filter" in what for what in before) >= 2
    with Server(net.host, "10.99.0.1") as ours_, Server(net.peer, "10.99.0.2") as theirs, \
            start(net.host, way) as probe:
        assert len(ours(net.host, "veth0", before)) == 2
        talks = listen_to(net.peer, ours_), listen_to(net.host, theirs)
        assert told(probe.stop()) == shown(*talks)
    assert attached(net.host, "veth0") == before
    second = way == "clsact" and neighbour != "bpf"
    assert [line.split(": ")[2] for line in probe.stderr if "has priority 1" in line] == \
        ["tc ingress", "tc egress"] * second


# --- interfaces that change -------------------------------------------------------------------

@pytest.mark.parametrize("way", ["tc", "clsact", "xdp"])
def test_an_interface_goes_down_is_renamed_and_comes_up(net, way):
    """An interface was named: when it is renamed, an interface of the name is waited for."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, way) as probe:
        talks = [listen_to(net.peer, server)]
        net.host.ip("link", "set", "veth0", "down")
        net.host.ip("link", "set", "veth0", "up")
        talks.append(listen_to(net.peer, server))
        names = [json.loads(probe.line())["iface"] for _ in talks]
        net.host.ip("link", "set", "veth0", "down")
        net.host.ip("link", "set", "veth0", "name", "wan")
        net.host.ip("link", "set", "wan", "up")
        probe.error_line("veth0: is called wan now: waiting for one of that name to come")
        assert attached(net.host, "wan") == []
        listen_to(net.peer, server)
        net.host.ip("link", "set", "wan", "name", "veth0")
        probe.error_line("veth0: attached: ")
        talks.append(listen_to(net.peer, server))
        records = probe.stop()
    assert told(records) == shown(*talks)
    assert names + [record["iface"] for record in records[2:]] == ["veth0"] * 3
    assert attached(net.host, "veth0") == []


def delete_and_make(net):
    net.host.ip("link", "del", "veth0")
    yield
    net.join(0, net.peer)


def move_away_and_back(net):
    """It keeps its number."""
    net.host.ip("link", "set", "veth0", "netns", net.peers[1].name)
    yield
    net.peers[1].ip("link", "set", "veth0", "netns", net.host.name)
    net.configure(net.host, "veth0", 0, 1)


def swap_names(net):
    """Another interface comes back under the name of the one that went."""
    net.host.ip("link", "del", "veth0")
    net.host.ip("link", "add", "new0", "type", "veth", "peer", "name", "peer0",
                "netns", net.peer.name)
    yield
    net.host.ip("link", "set", "new0", "name", "veth0")
    net.configure(net.host, "veth0", 0, 1)
    net.configure(net.peer, "peer0", 0, 2)


@pytest.mark.parametrize("way, change", [
    ("tc", delete_and_make), ("clsact", delete_and_make), ("xdp", delete_and_make),
    ("tc", move_away_and_back), ("clsact", move_away_and_back), ("xdp", swap_names)])
def test_an_interface_goes_and_comes_back(net2, way, change):
    """Its banners are logged again, those of the others all the while, and no restart is needed."""
    with Server(net2.host, "10.99.0.1") as server, Server(net2.host, "10.99.1.1") as other, \
            start(net2.host, way, "veth0", "veth1", interfaces=2) as probe:
        talks = [listen_to(net2.peer, server)]
        steps = change(net2)
        next(steps)
        probe.error_line("veth0: the interface was deleted")
        talks.append(listen_to(net2.peers[1], other))
        next(steps, None)
        probe.error_line("veth0: attached: ")
        talks.append(listen_to(net2.peer, server))
        records = probe.stop()
    assert told(records) == shown(*talks)
    assert [record["iface"] for record in records] == ["veth0", "veth1", "veth0"]
    assert attached(net2.host, "veth0") == attached(net2.host, "veth1") == []


def test_all_interfaces_go_and_come_back(net):
    """It waits for them, and ends well."""
    with Server(net.host, "10.99.0.1") as server, start(net.host, "auto") as probe:
        for _ in range(2):
            net.host.ip("link", "del", "veth0")
            probe.error_line("veth0: the interface was deleted")
            net.join(0, net.peer)
            probe.error_line("veth0: attached: ")
        talk = listen_to(net.peer, server)
        net.host.ip("link", "del", "veth0")
        probe.error_line("veth0: the interface was deleted")
        assert told(probe.stop()) == shown(talk)


def test_changes_that_were_missed(net2):
    """The kernel forgets some where there are too many: then it is asked how things are."""
    with Server(net2.host, "10.99.0.1") as server, \
            start(net2.host, "auto", "veth0", "veth1", interfaces=2) as probe:
        probe.send(signal.SIGSTOP)
        net2.host.ip("link", "set", "veth1", "down")
        many = "".join(f"link set dev veth1 mtu {1400 + n % 2}\n" for n in range(2000))
        netns.sh("ip", "-n", net2.host.name, "-batch", "-", input=many)
        net2.host.ip("link", "del", "veth0")
        net2.host.ip("link", "set", "veth1", "name", "wan")
        net2.join(0, net2.peer)
        probe.send(signal.SIGCONT)
        probe.error_line("veth0: attached: ")
        talk = listen_to(net2.peer, server)
        assert told(probe.stop()) == shown(talk)
    assert any("veth1: is called wan now" in line for line in probe.stderr)


def test_an_interface_comes_back_and_cannot_be_watched(net, trivial):
    """With nothing else to watch it does not sit there deaf."""
    with start(net.host, "xdp-native") as probe:
        net.host.ip("link", "del", "veth0")
        probe.error_line("veth0: the interface was deleted")
        # Made with a program in the slot: it is there before the name is.
        net.host.ip("link", "add", "new0", "type", "veth", "peer", "name", "new1")
        net.host.ip("link", "set", "dev", "new0", "xdpdrv", "obj", trivial, "sec", "xdp")
        before = attached(net.host, "new0")
        net.host.ip("link", "set", "new0", "name", "veth0")
        assert probe.ended() == 1
    assert any("another XDP program" in line for line in probe.stderr), probe.stderr
    assert attached(net.host, "veth0") == before
