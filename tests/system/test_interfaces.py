# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Interfaces by pattern, and all: those that are there, those that come, and those that go."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess

import pytest

import packets
from rig import resident_bytes
from netns import BINARY, PATIENCE, Probe, attached, sh, wait_for
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


# --- names ------------------------------------------------------------------------------------

LONG = "a-name-that-is-longer-than-fifteen-bytes"


@pytest.mark.parametrize("name", ["other0", LONG])
def test_by_another_of_its_names(net, name):
    """Records bear its own; by two of its names it is one, and no pattern makes it two."""
    net.host.ip("link", "property", "add", "dev", "veth0", "altname", name)
    with watching(net, name, "veth0", name[:3] + "*", interfaces=1) as probe:
        assert logged_on(net, probe, net.peer, "10.99.0.1") == "veth0"
        assert ended(probe) == 0
    assert sum("attached" in line for line in probe.stderr) == 1


def test_another_name_comes_and_goes(net):
    with watching(net, "alt*", interfaces=0) as probe:
        probe.error_line("no interface matches yet")
        net.host.ip("link", "property", "add", "dev", "veth0", "altname", "alternative-to-veth0")
        probe.error_line("veth0: attached: ")
        net.host.ip("link", "property", "del", "dev", "veth0", "altname", "alternative-to-veth0")
        probe.error_line("veth0: no name of it matches any more: not watched any more$")
        assert ended(probe) == 0
    assert attached(net.host, "veth0") == []


def test_another_name_goes_to_another_interface(net2):
    net2.host.ip("link", "property", "add", "dev", "veth0", "altname", LONG)
    with watching(net2, LONG, interfaces=1) as probe:
        net2.host.ip("link", "property", "del", "dev", "veth0", "altname", LONG)
        probe.error_line(f"veth0: is not called {LONG} any more: waiting for one of that name to come$")
        net2.host.ip("link", "property", "add", "dev", "veth1", "altname", LONG)
        probe.error_line("veth1: attached: ")
        assert logged_on(net2, probe, net2.peers[1], "10.99.1.1") == "veth1"
        assert ended(probe) == 0
    assert attached(net2.host, "veth0") == []


def test_two_swap_their_names(net2):
    """Named is the name: banners of whichever interface has it now."""
    with watching(net2, "veth0", interfaces=1) as probe:
        net2.host.ip("link", "set", "veth0", "name", "away0")
        probe.error_line("veth0: is called away0 now: waiting")
        net2.host.ip("link", "set", "veth1", "name", "veth0")
        probe.error_line("veth0: attached: ")
        assert logged_on(net2, probe, net2.peers[1], "10.99.1.1") == "veth0"
        with Server(net2.host, "10.99.0.1") as server:
            listen_to(net2.peers[0], server)		# not seen on away0
        assert ended(probe) == 0
    assert len(probe.stdout) == 1 and attached(net2.host, "away0") == []


@contextlib.contextmanager
def terminal():
    """Both ends of one, which is gone afterwards."""
    ends = pty.openpty()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


# --- many -------------------------------------------------------------------------------------

def pairs(ns, count):
    """Many veths, a0 to b0, a1 to b1, and so on."""
    sh("ip", "-n", ns.name, "-batch", "-", input="\n".join(
        f"link add a{n} group 7 type veth peer name b{n}" for n in range(count)))


def descriptors(probe, of=""):
    """How many descriptors the probe holds: all, or those of one kind."""
    directory = f"/proc/{probe.process.pid}/fd"
    return sum(of in os.readlink(f"{directory}/{name}") for name in os.listdir(directory))


def metric(path, name):
    with open(path) as file:
        return int(re.search(rf"^bannerprobe_{name}\{{.*\}} (\d+)$", file.read(), re.M)[1])


def test_six_hundred(net, tmp_path):
    """All are watched, with the descriptors that a process commonly has, the named one first."""
    pairs(net.host, 300)
    with watching(net, "--metrics", str(tmp_path / "m"), "[ab]*", "veth0", interfaces=601,
                  before=("prlimit", "--nofile=1024:1024")) as probe:
        wait_for("the metrics", lambda: os.path.exists(tmp_path / "m"))
        assert next(iter(probe.hooks)) == "veth0" and metric(tmp_path / "m", "interfaces_not_watched") == 0
        assert probe.hooks["veth0"] == ("tcx", "tcx")
        assert probe.hooks["b299"] == ("clsact", "clsact") and descriptors(probe) < 200
        assert resident_bytes(probe.process.pid) < 6 << 20		# of all processes
        assert resident_bytes(probe.guard(), "Pss_Anon") < 700 << 10		# no copy of what loading needed
        assert logged_on(net, probe, net.peer, "10.99.0.1") == "veth0"
        assert ended(probe) == 0
    for iface in "veth0", "a0", "b299", "a150":
        assert attached(net.host, iface) == []


def test_where_others_use_tcx(net):
    """Their programs come before clsact's: with them tcx is used, however many there are."""
    pairs(net.host, 20)
    with watching(net, "b19", interfaces=1), \
            watching(net, *(f"{end}{n}" for n in range(20) for end in "ab"), interfaces=40) as probe:
        assert probe.hooks["b19"] == ("tcx", "tcx") and probe.hooks["b18"] == ("clsact", "clsact")
        assert ended(probe) == 0


def test_a_stop_lets_go_of_many_together(net, tmp_path):
    """Qdiscs go with their filters; where somebody added a filter, it stays."""
    pairs(net.host, 20)
    trace = tmp_path / "trace"
    with watching(net, "[ab]*", interfaces=40, env={"BANNERPROBE_TC": "clsact"},
                  before=("strace", "-D", "-e", "trace=sendto", "-o", trace)) as probe:
        net.host.tc("filter", "add", "dev", "a7", "ingress", "prio", "9", "bpf", "bytecode", "1,6 0 0 0")
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    for n in range(20):
        assert len(attached(net.host, f"a{n}")) == (2 if n == 7 else 0)		# the qdisc, and its filter
        assert attached(net.host, f"b{n}") == []
    wait_for("the tracer to end", lambda: "+++" in trace.read_text())
    calls = trace.read_text()
    assert calls.count("RTM_DELQDISC") == 39
    at_the_stop = calls[:calls.index("RTM_DELQDISC")].count("RTM_GETTFILTER")
    assert calls.count("RTM_GETTFILTER") < at_the_stop + 40


# The probe waits before it asks the kernel to remove its first qdisc, until the test has done something.
FIRST_REMOVAL_WAITS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static int asks = -1, answers = -1, removals;

static void __attribute__((constructor)) begin(void)
{
	asks = open(getenv("ASKS"), O_RDWR | O_CLOEXEC);
	answers = open(getenv("ANSWERS"), O_RDWR | O_CLOEXEC);
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t len)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		dlsym(RTLD_NEXT, "sendto");
	const struct nlmsghdr *header = bytes;
	char word = 0;

	if (size >= sizeof(*header) && header->nlmsg_type == RTM_DELQDISC && !removals++ &&
	    (write(asks, &word, 1) != 1 || read(answers, &word, 1) != 1))
		_exit(99);
	return next(fd, bytes, size, flags, to, len);
}
"""


@contextlib.contextmanager
def at_the_first_removal(tmp_path):
    """The environment for that, and a function: called once the probe has been told to stop, it calls another one."""
    source, library = tmp_path / "wait.c", tmp_path / "wait.so"
    source.write_text(FIRST_REMOVAL_WAITS)
    sh("gcc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl")
    paths = {name: str(tmp_path / name) for name in ("ASKS", "ANSWERS")}
    for path in paths.values():
        os.mkfifo(path)
    asks, answers = (os.open(path, os.O_RDWR) for path in paths.values())

    def meanwhile(do):
        assert select.select([asks], [], [], PATIENCE)[0] and os.read(asks, 1)
        do()
        os.write(answers, b"x")

    try:
        yield {**paths, "LD_PRELOAD": str(library), "BANNERPROBE_TC": "clsact"}, meanwhile
    finally:
        os.close(asks)
        os.close(answers)


@pytest.mark.parametrize("hook, ifaces", [("tc", ["a0", "b0"]), ("xdp", ["a0"])], ids=["both ways", "one way"])
def test_a_filter_that_comes_while_qdiscs_go(net, tmp_path, hook, ifaces):
    """The kernel removes a qdisc with whatever filters it has. All are listed before one is removed: what comes
    after that stays, but for one at the very moment of the request. That is said."""
    pairs(net.host, 1)
    for iface in "a0", "b0":
        net.host.ip("link", "set", iface, "up")

    def add():
        for iface in ifaces:
            net.host.tc("filter", "add", "dev", iface, "ingress", "prio", "9", "bpf", "bytecode", "1,6 0 0 0")

    with at_the_first_removal(tmp_path) as (env, meanwhile), \
            watching(net, "--hook", hook, *ifaces, interfaces=len(ifaces), env=env) as probe:
        probe.send(signal.SIGTERM)
        meanwhile(add)
        assert probe.ended() == 0
    [line] = [line for line in probe.stderr if "removed with the clsact qdisc" in line]
    lost = line.split(": ")[1]
    assert attached(net.host, lost) == []
    for iface in set(ifaces) - {lost}:
        assert len(attached(net.host, iface)) == 2		# the qdisc, and its filter


def test_where_others_filter_first(net):
    """A filter of another kind with priority 1 comes before clsact's, and may end the packet's way: likewise."""
    pairs(net.host, 20)
    net.host.ip("link", "set", "b19", "up")
    net.host.ip("link", "set", "a19", "up")
    net.host.tc("qdisc", "add", "dev", "b19", "clsact")
    net.host.tc("filter", "add", "dev", "b19", "ingress", "pref", "1", "u32", "match", "u32", "0", "0",
                "action", "mirred", "egress", "redirect", "dev", "a18")
    before = attached(net.host, "b19")
    with watching(net, *(f"{end}{n}" for n in range(20) for end in "ab"), interfaces=40) as probe:
        assert probe.hooks["b19"] == ("tcx", "clsact") and probe.hooks["b18"] == ("clsact", "clsact")
        assert ended(probe) == 0
    assert attached(net.host, "b19") == before
    assert not any("priority 1" in line for line in probe.stderr)


def test_progress_is_told(net):
    """On a terminal, while many are attached to."""
    pairs(net.host, 50)
    with terminal() as (ours, theirs):
        process = subprocess.Popen(net.host.argv(BINARY, "-o", "/dev/null", "--all"), stderr=theirs)
        try:
            text = b""
            while b"attaching: 60 of 102 interfaces" not in text:
                assert select.select([ours], [], [], PATIENCE)[0], text
                text += os.read(ours, 4096)
            told = [int(number) for number in re.findall(rb"attaching: (\d+) of 102 interfaces", text)]
            assert told == sorted(set(told)) and len(told) > 1
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_a_stop_while_many_are_attached_to(net):
    """It is heeded between two of them."""
    pairs(net.host, 200)
    names = [f"{end}{n}" for n in range(200) for end in "ab"]
    process = subprocess.Popen(net.host.argv(BINARY, "-o", "/dev/null", *names),
                               stderr=subprocess.PIPE, text=True)
    wait_for("the first one", lambda: attached(net.host, "a0"))
    process.terminate()
    _, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert messages.count(": attached: ") < 400
    assert attached(net.host, "a0") == []


def test_those_that_there_is_no_room_for(net, tmp_path):
    """They are counted and reported, tried again when others go, and the log can be reopened."""
    pairs(net.host, 20)
    log = tmp_path / "log"
    with Probe(net.host, "-f", "json", "-o", str(log), "--hook", "xdp-generic", "veth0", "a*", "b*",
               interfaces=10, before=("prlimit", "--nofile=100:100")) as probe:
        left = int(re.search(r"(\d+) interfaces are not watched: the limit of open files",
                             probe.error_line("interfaces are not watched"))[1])
        assert len([line for line in probe.stderr if ": attached: " in line]) == 41 - left
        held = descriptors(probe)
        assert held < 80		# the rest is for what else has to be opened
        for n in range(20):
            if attached(net.host, f"a{n}"):
                net.host.ip("link", "del", f"a{n}")		# and with it its b
                break
        probe.error_line(": attached: ")
        fewer = int(re.search(r"(\d+) interfaces are not watched",
                              probe.error_line("interfaces are not watched"))[1])
        assert fewer < left and descriptors(probe) <= held
        log.unlink()
        probe.send(signal.SIGHUP)
        wait_for("the new log", log.exists)
        pairs_left = [n for n in range(20) if net.host.run("ip", "link", "show", f"a{n}").returncode == 0]
        for n in pairs_left[:-1]:
            net.host.ip("link", "del", f"a{n}")
        probe.error_line("all interfaces are watched")
        assert ended(probe) == 0


def test_thousands_come_and_go(net):
    """None of them leaves a descriptor or a byte behind."""
    def rss():
        with open(f"/proc/{probe.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])

    def rounds(count):
        for _ in range(count):
            pairs(net.host, 100)
            net.host.ip("link", "del", "group", "7")
        net.host.ip("link", "add", "last", "type", "veth", "peer", "name", "other")		# not watched
        probe.error_line("last: attached")
        net.host.ip("link", "del", "last")
        probe.error_line("last: the interface was deleted")

    with watching(net, "veth0", "[abl]*", interfaces=1) as probe:
        rounds(4)
        links, others, bytes_before = descriptors(probe, "bpf_link"), descriptors(probe), rss()
        rounds(8)
        assert descriptors(probe, "bpf_link") == links
        # The first filter of clsact, which is needed where many hold tcx at once, claims its program.
        assert descriptors(probe) <= others + 1
        assert rss() <= bytes_before + 300
        assert logged_on(net, probe, net.peer, "10.99.0.1") == "veth0"
        assert ended(probe) == 0


def test_packets_never_fall(net2):
    """What has passed those that are gone counts on."""
    def packets_told():
        probe.send(signal.SIGUSR1)
        return int(probe.error_line(r"^packets +\d+").split()[1])

    with watching(net2, "veth*", interfaces=2) as probe:
        with Server(net2.host, "10.99.1.1") as server:
            for _ in range(15):
                listen_to(net2.peers[1], server)
        while packets_told() < 100:
            pass
        net2.host.ip("link", "del", "veth1")
        probe.error_line("veth1: the interface was deleted")
        assert packets_told() >= 100 and packets_told() >= 100
        assert ended(probe) == 0
