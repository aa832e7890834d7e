# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bannerprobe --owner: whose a service is in its records, with real servers in cgroups and namespaces."""

import contextlib
import json
import os
import pwd
import re
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from netns import BINARY, PATIENCE, Namespace, Network, Probe, wait_for
from owner_rig import PORT, ROOT, Cgroup, Server, hidden, in_mounts, needs_cgroups, needs_chosen_pids, with_pid
from test_privileges import NEEDED, capabilities, status, with_capabilities

if os.geteuid():
    pytest.skip("needs root: it makes cgroups and network namespaces", allow_module_level=True)

CAP_NET_ADMIN, CAP_BPF = 12, 39
FIELDS = ("unit", "container", "pod", "pod_name", "cgroup", "uid", "pid", "process")
ID = "3f2a91c0b7de" + "0123456789abcdef" * 3 + "0123"
A_SECOND = 1.05		# until the same thing is looked up again
INVENTORY = os.path.join(os.path.dirname(BINARY), "bannerprobe-inventory")


class Bare:
    """A namespace that is entered without `ip netns exec`, which hides the cgroups."""

    def __init__(self, ns, *before):
        self.ns, self.before = ns, before

    def argv(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.ns.name}", *self.before, *command]


def probe(net, *args, before=(), **options):
    return Probe(Bare(net.host, *before), "--owner", "-f", "json", *args, "veth0", **options)


def connect(ns, address="10.99.0.1", port=PORT):
    with ns.entered():
        return socket.create_connection((address, port), PATIENCE)


def greeted(ns, *args):
    with connect(ns, *args) as client:
        while client.recv(100):
            pass


def record(running, ns, *args):
    """What the probe says of one connection."""
    greeted(ns, *args)
    return json.loads(running.line())


def owner(one):
    return {name: one[name] for name in FIELDS if name in one}


def known(running, ns, *args, never=(), **expected):
    """
    The first record that says all of this. What is new is looked up once a second at most: until
    then it may be absent, but it is never another's.
    """
    def says():
        one = owner(record(running, ns, *args))
        for name, value in never:
            assert one.get(name) != value, one
        return one if {name: one.get(name) for name in expected} == expected else None
    return wait_for(f"a record with {expected}", says)


def told(one, **expected):
    """It says exactly this; or nothing, where the machine is too busy for an answer in time."""
    assert owner(one) in ({}, expected), one


@pytest.fixture
def net():
    with Network() as network:
        yield network


# --- who answers ------------------------------------------------------------------------------

@needs_cgroups
def test_unit(net):
    with Cgroup("web.service") as web, Server(net.host, web) as server, probe(net) as running:
        server.listen()
        server.say("greet()")
        found = known(running, net.peer, unit="web.service", pid=server.pid)
        assert found == {"unit": "web.service", "cgroup": web.path, "uid": 0, "pid": server.pid,
                         "process": "python3"}
        # Again, from what is remembered.
        told(record(running, net.peer), **found)


@needs_cgroups
def test_ipv6(net):
    with Cgroup("web.service") as web, Server(net.host, web) as server, probe(net) as running:
        server.listen("::", v6only=1)
        server.say("greet()")
        known(running, net.peer, "fd99::1", unit="web.service", pid=server.pid)


@needs_cgroups
def test_text(net):
    with Cgroup("web.service") as web, Cgroup(f"docker-{ID}.scope") as docker:
        with Server(net.host, web) as server, Server(net.host, docker) as contained:
            server.listen()
            contained.listen(port=PORT + 1)
            contained.say("name(b'a] [b\\x1b')")
            for one in server, contained:
                one.say("greet()")
            with Probe(Bare(net.host), "--owner", "veth0") as running:
                for port, ending in ((PORT, r" \[web\.service\] 220 hello\\x0d\\x0a$"),
                                     (PORT + 1, r" \[docker:3f2a91c0b7de a\\x5d\\x20\\x5bb\\x1b\] 220 hello")):
                    def says():
                        greeted(net.peer, "10.99.0.1", port)
                        return re.search(ending, running.line())
                    wait_for(ending, says)


@needs_cgroups
def test_user(net):
    """One that gave up its privileges before it listened."""
    with Cgroup("web.service") as web, Server(net.host, web) as server, probe(net) as running:
        server.say("os.setuid(33)")
        server.listen()
        server.say("greet()")
        known(running, net.peer, unit="web.service", uid=33, pid=server.pid)


@needs_cgroups
def test_restart(net):
    """The new process, or none: never the one that went."""
    with Cgroup("web.service") as web, probe(net) as running:
        before = ()
        for _ in range(3):
            with Server(net.host, web) as server:
                server.listen()
                server.say("greet()")
                known(running, net.peer, never=before, pid=server.pid)
                before = [("pid", server.pid)]


@needs_cgroups
def test_listener_goes(net):
    """The connection stays its unit's; which process spoke is not known any more."""
    with Cgroup("web.service") as web, Server(net.host, web) as server, probe(net) as running:
        server.listen()
        server.say("greet()")
        known(running, net.peer, pid=server.pid)
        server.say("stop()")
        server.listen()
        with connect(net.peer) as client:
            server.say("accept()")
            server.say("close()")
            server.say("speak()")
            assert client.recv(100)
        told(json.loads(running.line()), unit="web.service", cgroup=web.path, uid=0)


@needs_cgroups
def test_another_took_the_port(net):
    """A connection of the first one, which speaks when the port is another's."""
    with Cgroup("old.service") as old, Cgroup("new.service") as new, probe(net) as running:
        with Server(net.host, old) as first, Server(net.host, new) as second:
            first.listen()
            with connect(net.peer) as client:
                first.say("accept()")
                first.say("close()")
                second.listen()
                first.say("speak()")
                assert client.recv(100)
            told(json.loads(running.line()), unit="old.service", cgroup=old.path, uid=0)
            second.say("greet()")
            known(running, net.peer, unit="new.service", pid=second.pid)


def speaks_unread(running, place, ns, *address, **expected):
    """
    A server in this place speaks and ends; its number. The reader is stopped before it has read the
    record.
    """
    with Server(*place) as server:
        server.listen()
        server.say("greet()")
        known(running, ns, *address, pid=server.pid, **expected)
        os.kill(running.reader(), signal.SIGSTOP)
        greeted(ns, *address)
        return server.pid


@needs_cgroups
def test_process_is_younger_than_its_record(net):
    """The record is read when another process of the same unit has the port: that one did not say it."""
    with Cgroup("web.service") as web, probe(net) as running:
        spoke = speaks_unread(running, (net.host, web), net.peer)
        with Server(net.host, web) as second:
            second.listen()
            second.say("greet()")
            time.sleep(A_SECOND)		# so that it is looked up
            os.kill(running.reader(), signal.SIGCONT)
            told(json.loads(running.line()), unit="web.service", cgroup=web.path, uid=0)
            known(running, net.peer, never=[("pid", spoke)], pid=second.pid)


@needs_cgroups
@needs_chosen_pids
def test_number_is_used_again(net):
    """The process that has the number by now is not the one that spoke: neither number nor name is told."""
    with Cgroup("web.service") as web, probe(net) as running:
        spoke = speaks_unread(running, (net.host, web), net.peer)
        with Server(net.host, web, with_pid(spoke)) as second:
            assert second.say("os.getpid()") == str(spoke)
            second.say("name(b'second')")
            second.listen()
            second.say("greet()")
            time.sleep(A_SECOND)		# so that it is looked up
            os.kill(running.reader(), signal.SIGCONT)
            told(json.loads(running.line()), unit="web.service", cgroup=web.path, uid=0)
            known(running, net.peer, pid=spoke, process="second")


@needs_cgroups
def test_another_listens_behind_a_veth(net):
    """The record is read when another unit has the port there, and the kernel has no socket to tell: nothing is."""
    with Cgroup("old.service") as old, Cgroup("new.service") as new, probe(net) as running:
        speaks_unread(running, (net.peer, old), net.host, "10.99.0.2", unit="old.service")
        with Server(net.peer, new) as second:
            second.listen()
            second.say("greet()")
            time.sleep(A_SECOND)		# so that it is looked up
            os.kill(running.reader(), signal.SIGCONT)
            assert owner(json.loads(running.line())) == {}
            known(running, net.host, "10.99.0.2", unit="new.service", pid=second.pid)


@needs_cgroups
@pytest.mark.parametrize("ends", [False, True])
def test_another_has_just_begun_to_listen_behind_a_veth(net, ends):
    """It took the port a moment ago, while everything that is looked up once a second was just looked up."""
    with Cgroup(f"docker-{ID}.scope") as old, Cgroup(f"docker-{ID[::-1]}.scope") as new, probe(net) as running, \
            contextlib.ExitStack() as life, Server(net.peer, new) as second:
        first = life.enter_context(Server(net.peer, old)).listen()
        first.say("greet()")
        known(running, net.host, "10.99.0.2", pid=first.pid)
        for _ in range(3):
            assert owner(record(running, net.host, "10.99.0.2")).get("pid") in (first.pid, None)
        if ends:
            life.close()
        else:
            first.say("stop()")
        second.listen()
        second.say("greet()")
        known(running, net.host, "10.99.0.2", pid=second.pid, container=f"docker:{ID[::-1][:12]}",
              never=[("pid", first.pid), ("container", "docker:3f2a91c0b7de")])


@needs_cgroups
def test_reuseport(net):
    """Which of a group took the connection, the kernel says: its unit is always right."""
    with Cgroup("one.service") as one, Cgroup("two.service") as two, probe(net) as running:
        with Server(net.host, one) as first, Server(net.host, two) as second:
            for server in first, second:
                server.listen(reuseport=True)
                server.say("greet()")
            right = {one.path: first.pid, two.path: second.pid}
            left = set(right)

            def both():
                found = owner(record(running, net.peer))
                assert found.get("cgroup") in (None, *right), found
                assert found.get("pid") in (None, right.get(found.get("cgroup"))), found
                if "pid" in found:
                    left.discard(found["cgroup"])
                return not left
            wait_for("both of them", both)


@needs_cgroups
def test_reuseport_is_joined(net):
    """By a process of the same unit: from then on the first one's connection may be the other's."""
    with Cgroup("web.service") as web, Server(net.host, web) as first, Server(net.host, web) as second:
        with probe(net) as running:
            first.listen(reuseport=True)
            first.say("greet()")
            known(running, net.peer, unit="web.service", pid=first.pid)
            second.listen(reuseport=True)
            second.say("greet()")
            for _ in range(10):
                assert "pid" not in owner(record(running, net.peer))


@needs_cgroups
def test_the_first_record(net):
    """The unit of what listened before the start is known without a look at all cgroups, which takes long."""
    with Cgroup("web.service") as web, Server(net.host, web) as server:
        server.listen()
        server.say("greet()")
        os.chmod(f"{ROOT}/{web.top}", 0o700)		# so that there is nothing to see later
        with probe(net) as running:
            known(running, net.peer, unit="web.service", pid=server.pid)


@needs_cgroups
def test_worker(net):
    """A forked worker accepts: the process is the one that it descends from."""
    with Cgroup("web.service") as web, Server(net.host, web) as server, probe(net) as running:
        server.listen()
        server.say("work()")
        server.say("work()")
        known(running, net.peer, unit="web.service", pid=server.pid, process="python3")


@needs_cgroups
def test_socket_is_passed(net, tmp_path):
    """As by a manager that listens and hands the socket to a service."""
    path = str(tmp_path / "way")
    with Cgroup("from.service") as cgroup, Server(net.host) as taker, probe(net) as running:
        taker.say(f"wait({path!r})")
        with Server(net.host, cgroup) as giver:
            giver.listen()
            giver.say(f"give({path!r})")
            taker.say("take()")
            gone = giver.pid
        taker.say("greet()")
        known(running, net.peer, never=[("pid", gone)], unit="from.service", pid=taker.pid)


def test_client_of_another(net):
    """A server in a network beyond: nothing here tells whose it is."""
    with Namespace("far") as far:
        net.peer.ip("link", "add", "on", "type", "veth", "peer", "name", "off", "netns", far.name)
        for ns, link, address in (net.peer, "on", "198.51.100.1/24"), (far, "off", "198.51.100.2/24"):
            ns.ip("addr", "add", address, "dev", link)
            ns.ip("link", "set", link, "up")
        net.peer.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        far.ip("route", "add", "default", "via", "198.51.100.1")
        net.host.ip("route", "add", "198.51.100.0/24", "via", "10.99.0.2")
        with Server(far) as server, Server(net.peer) as near, probe(net) as running:
            for one in server, near:
                one.listen()
                one.say("greet()")
            known(running, net.host, "10.99.0.2", pid=near.pid)
            assert owner(record(running, net.host, "198.51.100.2")) == {}


@needs_cgroups
def test_containers():
    """Three of one kind behind their veths, and the host's own server."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(Network(3))
        ids = [ID[::-1], ID, "f" * 64]
        servers = []
        for ns, one in zip(net.peers, ids):
            cgroup = stack.enter_context(Cgroup(f"docker-{one}.scope"))
            servers.append(stack.enter_context(Server(ns, cgroup)).listen())
        own = stack.enter_context(Server(net.host)).listen()
        for server in *servers, own:
            server.say("greet()")
        running = stack.enter_context(Probe(Bare(net.host), "--owner", "-f", "json", "veth0", "veth1", "veth2",
                                            interfaces=3))
        for i, one in enumerate(ids):
            found = known(running, net.host, f"10.99.{i}.2", pid=servers[i].pid)
            assert found["container"] == f"docker:{one[:12]}" and "unit" not in found
            known(running, net.peers[i], f"10.99.{i}.1", pid=own.pid)


def nat(ns, rule):
    """A rule of nftables before routing; the test is skipped where there is none."""
    done = ns.run("nft", "-f", "-", input="table ip t {\n chain p {\n type nat hook prerouting priority -100\n"
                                          f" {rule}\n }}\n}}\n")
    if done.returncode:
        pytest.skip(f"no NAT by nft here: {done.stderr}")


@needs_cgroups
def test_redirected(net):
    """The packet says port 80, where another listens; the socket that sent it is 8080's."""
    with Cgroup("web.service") as web, Cgroup("proxy.service") as proxy:
        with Server(net.host, web) as server, Server(net.host, proxy) as other:
            for one, port in (server, 8080), (other, 80):
                one.listen(port=port)
                one.say("greet()")
            nat(net.host, "tcp dport 80 redirect to :8080")
            with probe(net) as running:
                known(running, net.peer, "10.99.0.1", 80, never=[("pid", other.pid)], unit="web.service",
                      pid=server.pid)


@needs_cgroups
def test_published_port():
    """A container's port that the host forwards, and a proxy that listens there, too: it is not the proxy's."""
    with Network(2) as net, Cgroup("proxy.service") as proxy, Cgroup(f"docker-{ID}.scope") as docker:
        with Server(net.host, proxy) as other, Server(net.peers[1], docker) as server:
            other.listen(port=8080)
            server.listen()
            for one in other, server:
                one.say("greet()")
            nat(net.host, f"iifname veth0 tcp dport 8080 dnat to 10.99.1.2:{PORT}")
            net.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
            with probe(net, "--events", "all") as running:
                greeted(net.peers[0], "10.99.0.1", 8080)
                lines = [json.loads(running.line()) for _ in range(2)]
                assert [(one["event"], owner(one)) for one in lines] == [("open", {}), ("banner", {})]
            with Probe(Bare(net.host), "--owner", "-f", "json", "veth1") as running:
                known(running, net.peers[0], "10.99.0.1", 8080, container="docker:3f2a91c0b7de", pid=server.pid)


@needs_cgroups
def test_what_clients_say(net):
    """A request that leaves for a container is its; one that arrives may be another's, by NAT."""
    with Cgroup(f"docker-{ID}.scope") as docker, Server(net.peer, docker) as server, Server(net.host) as own:
        for one in server, own:
            one.listen()
            one.say("greet()")
        with probe(net, "--events", "open") as running:
            known(running, net.host, "10.99.0.2", container="docker:3f2a91c0b7de", pid=server.pid)
            assert owner(record(running, net.peer)) == {}


# --- what does not change ---------------------------------------------------------------------

@needs_cgroups
@pytest.mark.parametrize("format", ["json", "text", "zeek"])
def test_nothing_else_differs(net, format):
    with Cgroup("web.service") as web, Server(net.host, web) as server:
        server.listen()
        server.say("greet()")
        with Probe(Bare(net.host), "-f", format, "veth0") as plain:
            with Probe(Bare(net.host), "--owner", "-f", format, "veth0") as owned:
                def lines():
                    greeted(net.peer)
                    return [next(line for line in iter(one.line, None) if not line.startswith("#"))
                            for one in (plain, owned)]
                wait_for("an owner", lambda: format == "zeek" or "web.service" in lines()[1])
                one, other = lines()
    stamp = r"[0-9]+\.[0-9]+"	# each reads the clock itself
    other = re.sub(r',"unit".*"process":"python3"', "", other).replace(" [web.service]", "")
    if format == "zeek":
        one, other = (re.sub(r"^\S+\t\S+", "", line) for line in (one, other))
    assert re.sub(r'"(delay_us|rtt_us)":\d+', "", re.sub(stamp, "", one)) == \
        re.sub(r'"(delay_us|rtt_us)":\d+', "", re.sub(stamp, "", other))
    assert "web.service" not in one


@needs_cgroups
def test_metrics_have_no_owner(net, tmp_path):
    """The series are those without --owner, whoever answers: owners are without number."""
    def series(name, *args):
        file = tmp_path / name
        with Probe(Bare(net.host), "-f", "json", "--metrics", file, *args, "veth0") as running:
            if args:
                known(running, net.peer, unit="web.service", pid=server.pid)
                known(running, net.host, "10.99.0.2", container="docker:3f2a91c0b7de", pid=contained.pid)
            running.stop()
        text = file.read_text()
        assert not re.search(r"web\.service|3f2a91c0b7de|python3", text)
        return {line.rpartition(" ")[0] for line in text.splitlines()}

    with Cgroup("web.service") as web, Cgroup(f"docker-{ID}.scope") as docker:
        with Server(net.host, web) as server, Server(net.peer, docker) as contained:
            for one in server, contained:
                one.listen()
                one.say("greet()")
            owned = series("owned", "--owner")
    labels = {label for one in owned for label in re.findall(r"[{,](\w+)=", one)}
    assert labels and not labels & {*FIELDS, "owner", "client_unit", "client_process"}
    assert owned == series("plain")


# --- processes --------------------------------------------------------------------------------

def owner_process(running):
    return running.child("bannerprobe-own")


def test_privileges(net):
    """Only what an iterator and other namespaces need; the reader still has nothing."""
    nobody = pwd.getpwnam("nobody")
    with probe(net) as running:
        mine, reader = status(owner_process(running)), status(running.reader())
        assert mine["Uid"].split() == [str(nobody.pw_uid)] * 4
        for held in "CapEff", "CapPrm":
            assert capabilities(mine, held) == {CAP_NET_ADMIN, CAP_BPF}
            assert capabilities(reader, held) == set()
        for state in mine, reader:
            assert capabilities(state, "CapBnd") == set()
            assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")
        links = os.listdir(f"/proc/{owner_process(running)}/fd")
        targets = [os.readlink(f"/proc/{owner_process(running)}/fd/{n}") for n in links]
        assert not any("perf" in one or "bpf-map" in one for one in targets), targets
    with Probe(net.host, "veth0") as running:
        assert owner_process(running) is None


@needs_cgroups
@pytest.mark.parametrize("before", [
    [], hidden("/proc"), in_mounts("mount -t proc -o hidepid=invisible,subset=pid proc /proc"),
], ids=["proc", "no proc", "own processes"])
def test_three_capabilities_suffice(net, before):
    """
    Not root at all, as the systemd unit starts it: a unit here, and a container behind a veth. Nothing is read
    from /proc for that.
    """
    with Cgroup("web.service") as web, Cgroup(f"docker-{ID}.scope") as docker:
        with Server(net.host, web) as server, Server(net.peer, docker) as contained:
            for one in server, contained:
                one.listen()
                one.say("greet()")
            with probe(net, before=[*before, *with_capabilities(NEEDED.values())]) as running:
                known(running, net.peer, unit="web.service", pid=server.pid)
                known(running, net.host, "10.99.0.2", container="docker:3f2a91c0b7de", pid=contained.pid)


def test_it_dies(net):
    with probe(net) as running:
        os.kill(owner_process(running), signal.SIGKILL)
        began = time.monotonic()
        assert running.ended() == 1 and time.monotonic() - began < 2
        assert any("the process that finds owners has ended early (signal 9)" in line for line in running.stderr)


def test_the_probe_dies(net):
    with probe(net) as running:
        pids = running.processes()
        running.send(signal.SIGKILL)
        running.ended()
        wait_for("the end of all", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))


@pytest.mark.parametrize("behind", [False, True])
def test_a_known_listener_needs_no_question(net, behind):
    """For a second a counter of the kernel's tells that it is the same one: another one has no owner then."""
    ours, theirs, address = (net.peer, net.host, "10.99.0.2") if behind else (net.host, net.peer, "10.99.0.1")

    def answered(*more):
        """The owner of the next connection, while the process is stopped that finds owners."""
        time.sleep(A_SECOND)		# the connection that follows makes it read all again
        wait_for("its owner", lambda: owner(record(running, theirs, address)) == found)
        os.kill(finder, signal.SIGSTOP)
        try:
            for step in more:
                step()
            return owner(record(running, theirs, address))
        finally:
            os.kill(finder, signal.SIGCONT)

    with Server(ours) as server, Server(ours) as other, probe(net) as running:
        finder = owner_process(running)
        server.listen()
        server.say("greet()")
        found = known(running, theirs, address, pid=server.pid, process="python3")
        wait_for("an answer without the process", lambda: answered() == found)
        assert answered(lambda: server.say("stop()"), other.listen, lambda: other.say("greet()")) == {}


def test_a_known_listener_needs_no_system_call(net):
    """Where the kernel counts changes of listeners, the reader has no socket to ask with."""
    def netlink(pid):
        with open(f"/proc/{pid}/net/netlink") as file:
            all_of_them = {f"socket:[{line.split()[-1]}]" for line in file}
        return all_of_them & {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}

    with probe(net) as running:
        assert netlink(owner_process(running)) and not netlink(running.reader())


def test_it_hangs(net):
    """A record waits for its owner, but not long; and a stop not at all."""
    with Server(net.host) as server, probe(net) as running:
        server.listen()
        server.say("greet()")
        known(running, net.peer, pid=server.pid)
        os.kill(owner_process(running), signal.SIGSTOP)
        wait_for("an unknown owner", lambda: owner(record(running, net.peer)) == {})
        for _ in range(2):
            assert owner(record(running, net.peer)) == {}
        os.kill(owner_process(running), signal.SIGCONT)
        known(running, net.peer, pid=server.pid)
        os.kill(owner_process(running), signal.SIGSTOP)
        greeted(net.peer)
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 2


# --- what cannot be known ---------------------------------------------------------------------

def check(net, *before):
    done = subprocess.run(Bare(net.host, *before).argv(BINARY, "--owner", "--check", "veth0"),
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if "--owner" in line]


def test_check(net):
    assert not ROOT or check(net) == []
    line, = check(net, *hidden("/sys/fs/cgroup"))
    assert line.startswith("bannerprobe: --owner: no cgroup v2 hierarchy")
    lines = check(net, *hidden("/sys/kernel/btf"))
    assert "no BPF iterator" in lines[0] and "pid and process are not known" in lines[0]


@pytest.mark.parametrize("folder, absent", [("/sys/fs/cgroup", {"unit", "cgroup"}),
                                            ("/sys/kernel/btf", {"pid", "process"})])
@needs_cgroups
def test_goes_on_without(net, folder, absent):
    with Cgroup("web.service") as web, Server(net.host, web) as server:
        server.listen()
        server.say("greet()")
        with probe(net, before=hidden(folder)) as running:
            found = known(running, net.peer, uid=0)
            assert set(found) == {"unit", "cgroup", "uid", "pid", "process"} - absent


ONLY_V1 = in_mounts("mount -t tmpfs none /sys/fs/cgroup && mkdir /sys/fs/cgroup/systemd && "
                    "mount -t cgroup -o none,name=bannerprobe none /sys/fs/cgroup/systemd")


@needs_cgroups
def test_only_cgroup_v1(net):
    """What cgroup v2 tells is absent, which one line says; all else is as it is."""
    if subprocess.run([*ONLY_V1, "true"], capture_output=True).returncode:
        pytest.skip("this kernel has no cgroup v1")
    with Cgroup("web.service") as web, Server(net.host, web) as server, Server(net.peer, web) as behind:
        for one in server, behind:
            one.listen()
            one.say("greet()")
        with probe(net, before=ONLY_V1) as running:
            for one, *where in (server, net.peer), (behind, net.host, "10.99.0.2"):
                assert known(running, *where, pid=one.pid) == {"uid": 0, "pid": one.pid, "process": "python3"}
            running.stop()
            said = [line for line in running.stderr if "--owner" in line]
        assert len(said) == 1 and said == check(net, *ONLY_V1)
        assert said[0].startswith("bannerprobe: --owner: no cgroup v2 hierarchy")


# --- the inventory ----------------------------------------------------------------------------

def inventory(file, *words):
    return subprocess.run([INVENTORY, file, *words], check=True, capture_output=True, text=True).stdout


@needs_cgroups
def test_inventory(net, tmp_path):
    """A server gives way to a container's: the change is told."""
    file = str(tmp_path / "x.db")
    with Cgroup("web.service") as web, Cgroup(f"docker-{ID}.scope") as docker:
        with probe(net, "--user", "root", "--inventory", file) as running:
            for cgroup, expected in (web, {"unit": "web.service"}), (docker, {"container": "docker:3f2a91c0b7de"}):
                with Server(net.host, cgroup) as server:
                    server.listen()
                    server.say("greet()")
                    known(running, net.peer, pid=server.pid, **expected)
            logged = [one for one in running.stop() if one.get("event") == "change"]
    rows = [json.loads(line) for line in inventory(file, "list", "--json").splitlines()]
    assert [(row.get("unit"), row["container"], row["process"]) for row in rows] == \
        [(None, "docker:3f2a91c0b7de", "python3")]
    changes = [json.loads(line) for line in inventory(file, "changes", "--json").splitlines()]
    for told in changes, logged:
        assert [one["kind"] for one in told] == ["new", "owner"]
        assert told[1]["old"]["owner"] == "web.service python3"
        # Its process is looked for a second after the other's, at the earliest.
        assert told[1]["new"]["owner"] in ("docker:3f2a91c0b7de", "docker:3f2a91c0b7de python3")
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
