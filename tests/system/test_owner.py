# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The owner of a port, with real processes in cgroups and network namespaces that are made here."""

import contextlib
import os
import socket
import time

import pytest

import netns
from netns import Namespace, Network, children_of, wait_for
from owner_rig import NOTHING, PORT, ROOT, Cgroup, Owner, Server, has, hidden, in_mounts, index_of, needs_cgroups, \
    needs_chosen_pids, own_cgroup, with_pid

if os.geteuid():
    pytest.skip("needs root: it makes cgroups and network namespaces", allow_module_level=True)

NO_PROCESSES, NO_HANDLES, NO_WATCH = 1, 8, 16		# enum owner_flags
NOBODY = 65534
ID = "3f2a91c0b7de" + "0123456789abcdef" * 3 + "0123"
UID = "7e44ee88-1e65-4a16-8cdf-9a90c819180e"
A_SECOND = 1.05		# until the same thing is looked up again


@pytest.fixture
def host():
    with Namespace("host") as ns:
        yield ns


# --- this network namespace -------------------------------------------------------------------

@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_HANDLES])
def test_unit(host, flags):
    with Cgroup("web.service") as web, Server(host, web) as server, Owner(host, flags) as owner:
        assert owner.listener() == NOTHING
        server.listen()
        for question in owner.listener, lambda: owner.listener(index_of(host, "lo")):
            has(question(), unit="web.service", container=None, cgroup=web.path,
                process="python3", pid=server.pid, uid=0)
        # Of a connection the kernel's word counts: here another user accepted it.
        has(owner.socket(web.id, 33), unit="web.service", process="python3", pid=server.pid, uid=33)
        assert owner.listener(port=PORT + 1) == NOTHING
        assert owner.listener(address="192.0.2.1") == NOTHING		# not an address of this host


@needs_cgroups
def test_new_cgroup_is_found_by_a_walk(host):
    """One that was made after the first walk, and one that went."""
    with Owner(host, NO_HANDLES) as owner:
        with Cgroup("first.service") as first:
            has(owner.socket(first.id), unit="first.service", cgroup=first.path, pid=0)
        with Cgroup("second.service") as second:
            found = wait_for("the next walk", lambda: (a := owner.socket(second.id))["cgroup"] and a)
            has(found, unit="second.service", cgroup=second.path)
        with Cgroup("third.service") as third:
            number = third.id
        time.sleep(A_SECOND)
        has(owner.socket(number), known=True, cgroup=None, unit=None, uid=0)


@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_HANDLES])
def test_hostile_names(host, flags):
    """Any byte but NUL, / and newline may be in a cgroup's name, and any in a comm."""
    with Cgroup("x\x1b[31m\\ (deleted)") as cgroup, Server(host, cgroup) as server:
        server.listen()
        server.say("name(b'\\x1b]0;\\xff\"\\\\\\n')")
        with Owner(host, flags) as owner:
            has(owner.listener(), unit=None, cgroup=cgroup.path, process="\x1b]0;\xff\"\\\n",
                pid=server.pid)


@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_WATCH])
def test_listener_goes_and_another_comes(host, flags):
    with Cgroup("old.service") as old, Cgroup("new.service") as new, Owner(host, flags) as owner:
        with Server(host, old) as server:
            server.listen()
            has(owner.listener(), unit="old.service", pid=server.pid)
            # At once, without a new look at all of them.
            server.say("close()")
            assert owner.listener() == NOTHING
        has(owner.socket(old.id), unit="old.service", process=None, pid=0)
        time.sleep(A_SECOND)
        with Server(host, new) as server:
            server.listen()
            has(owner.listener(), unit="new.service", pid=server.pid)
            has(owner.socket(old.id), unit="old.service", process=None, pid=0)
            has(owner.socket(new.id), unit="new.service", process="python3", pid=server.pid)


@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_WATCH])
def test_port_changes_hands(host, flags):
    """Between two looks at all listeners, by which each of them had it once."""
    with Cgroup("old.service") as old, Cgroup("new.service") as new, Owner(host, flags) as owner:
        with Server(host, old) as first, Server(host, new) as second:
            first.listen()
            has(owner.listener(), unit="old.service", pid=first.pid)
            first.say("close()")
            second.listen()
            assert owner.listener()["unit"] in (None, "new.service")


@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_WATCH])
def test_reuseport(host, flags):
    with Cgroup("one.service") as one, Cgroup("two.service") as two, Owner(host, flags) as owner:
        with Server(host, one) as first, Server(host, one) as second:
            first.listen(reuseport=True)
            second.listen(reuseport=True)
            has(owner.listener(), unit="one.service", process="python3", pid=0, uid=0)
            with Server(host, two) as other:
                other.listen(reuseport=True)
                time.sleep(A_SECOND)
                assert owner.listener() == NOTHING
                # The connection's cgroup decides between them.
                has(owner.socket(two.id), unit="two.service", process="python3", pid=other.pid)
                has(owner.socket(one.id), unit="one.service", process="python3", pid=0)


@needs_cgroups
def test_reuseport_is_joined(host):
    """At once, and also where a second member came since the last look at all of them: never the first's pid."""
    with Cgroup("web.service") as web, Owner(host) as owner:
        with Server(host, web) as first, Server(host, web) as second:
            first.listen(reuseport=True)
            has(owner.listener(), unit="web.service", pid=first.pid)
            second.listen(reuseport=True)
            assert owner.listener()["pid"] == 0
            time.sleep(A_SECOND)
            has(owner.listener(), unit="web.service", process="python3", pid=0)
            second.say("close()")
            assert owner.listener()["pid"] in (0, first.pid)
            time.sleep(A_SECOND)
            has(owner.listener(), pid=first.pid)


@needs_cgroups
def test_looked_around(host):
    """What was there at the start is known without another look at all cgroups, which are closed by then."""
    with Cgroup("web.service") as web, Server(host, web) as server, Owner(host) as owner:
        server.listen()
        assert owner.ask("around") == {}
        os.chmod(f"{ROOT}/{web.top}", 0o700)
        owner.say(f"drop {NOBODY}")
        has(owner.listener(), unit="web.service", cgroup=web.path, pid=server.pid)


def test_workers(host):
    """A listening socket that was inherited is of the one that it was inherited from."""
    with Server(host) as server, Owner(host) as owner:
        server.listen()
        for _ in range(3):
            server.say("fork()")
        has(owner.listener(), process="python3", pid=server.pid)
        other = server.say("fork(b'other')")
        wait_for("its name", lambda: open(f"/proc/{other}/comm").read() == "other\n")
        time.sleep(A_SECOND)
        has(owner.listener(), process=None, pid=0, uid=0)


def test_worker_remains(host):
    """The workers of a server that went are several processes of one name, one is the process."""
    with Server(host) as server, Owner(host) as owner:
        server.listen()
        child = int(server.say("fork()"))
        server.say("close()")
        has(owner.listener(), process="python3", pid=child)


@needs_cgroups
def test_socket_is_passed(host, tmp_path):
    path = str(tmp_path / "way")
    with Cgroup("from.service") as cgroup, Server(host) as taker, Owner(host) as owner:
        taker.say(f"wait({path!r})")
        with Server(host, cgroup) as giver:
            giver.say("name(b'giver')")
            giver.listen()
            giver.say(f"give({path!r})")
            taker.say("take()")
            has(owner.listener(), unit="from.service", process=None, pid=0)
        time.sleep(A_SECOND)
        # The socket's cgroup stays where it was made; the cgroup itself may go.
        has(owner.listener(), process="python3", pid=taker.pid)


@pytest.mark.parametrize("flags", [0, NO_WATCH])
def test_socket_is_lent(host, tmp_path, flags):
    """Two have it, some seconds later at most nobody is named; one of them gives it up, a second later the other is."""
    path = str(tmp_path / "way")
    with Server(host) as taker, Server(host) as giver, Owner(host, flags) as owner:
        taker.say(f"wait({path!r})")
        giver.listen()
        has(owner.listener(), pid=giver.pid)
        giver.say(f"give({path!r})")
        taker.say("take()")
        wait_for("two processes", lambda: owner.listener()["pid"] != giver.pid)
        has(owner.listener(), process="python3", pid=0)
        giver.say("close()")
        time.sleep(A_SECOND)
        has(owner.listener(), process="python3", pid=taker.pid)


def test_socket_is_handed_over(host, tmp_path):
    """By a process that lives on without it."""
    path = str(tmp_path / "way")
    with Server(host) as taker, Server(host) as giver, Owner(host) as owner:
        taker.say(f"wait({path!r})")
        giver.listen()
        has(owner.listener(), pid=giver.pid)
        time.sleep(A_SECOND)
        has(owner.listener(), pid=giver.pid)
        giver.say(f"give({path!r})")
        taker.say("take()")
        giver.say("close()")
        time.sleep(A_SECOND)
        has(owner.listener(), process="python3", pid=taker.pid)


@needs_chosen_pids
@pytest.mark.parametrize("flags", [0, NO_WATCH])
def test_number_is_used_again(host, tmp_path, flags):
    """By a process that has nothing to do with the socket, whose process is another a second later."""
    path = str(tmp_path / "way")
    with Server(host) as taker, Owner(host, flags) as owner:
        taker.say(f"wait({path!r})")
        with Server(host) as giver:
            giver.listen()
            has(owner.listener(), pid=giver.pid)
            giver.say(f"give({path!r})")
            taker.say("take()")
        with Server(host, before=with_pid(giver.pid)) as other:
            assert other.say("os.getpid()") == str(giver.pid)
            time.sleep(A_SECOND)
            has(owner.listener(), process="python3", pid=taker.pid)


def test_worker_has_another_name(host):
    """Where its parent is known for long: a child that inherits the socket is seen a second later."""
    with Server(host) as server, Owner(host) as owner:
        server.listen()
        has(owner.listener(), pid=server.pid)
        time.sleep(A_SECOND)
        has(owner.listener(), pid=server.pid)
        other = server.say("fork(b'other')")
        wait_for("its name", lambda: open(f"/proc/{other}/comm").read() == "other\n")
        time.sleep(A_SECOND)
        has(owner.listener(), process=None, pid=0)


@needs_cgroups
@pytest.mark.parametrize("unit", ["init.scope", "ssh.socket"])
def test_socket_activation(host, unit):
    """Process 1 made the socket, and a service has it; in a PID namespace, numbered as there."""
    with Cgroup(unit) as manager, Cgroup("ssh.service") as service:
        before = ["unshare", "--fork", "--pid", "--mount-proc"]
        inside = ["nsenter", "--pid", "--mount", "--target"]
        with Server(host, before=before) as first:
            first.listen()
            outside = children_of(first.pid)[0]
            with open(f"{ROOT}{manager.path}/cgroup.procs", "w") as file:
                file.write(str(outside))
            first.say("close()")
            first.listen()
            with Owner(host, before=[*inside, str(outside)]) as owner:
                has(owner.listener(), unit=unit, process="python3", pid=1)
                child = int(first.say("fork(b'sshd')"))
                [sshd] = children_of(outside)
                wait_for("its name", lambda: open(f"/proc/{sshd}/comm").read() == "sshd\n")
                with open(f"{ROOT}{service.path}/cgroup.procs", "w") as file:
                    file.write(str(sshd))
                time.sleep(A_SECOND)
                has(owner.listener(), unit="ssh.service", cgroup=service.path, process="sshd", pid=child)


def test_ipv6_wildcard(host):
    with Server(host) as server, Owner(host) as owner:
        server.listen("::", v6only=0)
        for address in "127.0.0.1", "::1":
            has(owner.listener(address=address), process="python3", pid=server.pid)
        server.say("close()")
        server.listen("::", v6only=1)
        time.sleep(A_SECOND)
        has(owner.listener(address="::1"), pid=server.pid)
        assert owner.listener() == NOTHING


def test_exact_address(host):
    with Server(host) as wild, Server(host) as exact, Server(host) as mapped, Owner(host) as owner:
        wild.listen(reuseport=True)
        exact.listen("127.0.0.2", reuseport=True)
        mapped.listen("::ffff:127.0.0.3", reuseport=True)
        for address, server in ("127.0.0.1", wild), ("127.0.0.2", exact), ("127.0.0.3", mapped):
            has(owner.listener(address=address), pid=server.pid)


def test_bound_to_a_device(host):
    with Server(host) as wild, Server(host) as bound, Owner(host) as owner:
        wild.listen("0.0.0.0", reuseport=True)
        bound.listen("0.0.0.0", reuseport=True, device="lo")
        has(owner.listener(index_of(host, "lo")), pid=bound.pid)


def test_mptcp(host):
    with Server(host) as server, Owner(host) as owner:
        try:
            with host.entered():
                socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262).close()
        except OSError:
            pytest.skip("no MPTCP in this kernel")
        server.listen(protocol=262)
        has(owner.listener(), process="python3", pid=server.pid, uid=0)


# --- other network namespaces -----------------------------------------------------------------

@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_PROCESSES])
def test_behind_a_veth(flags):
    """Three containers of one port and one kind, and the host's own server."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(Network(3))
        ids = [ID[::-1], ID, "f" * 64]
        cgroups = [stack.enter_context(Cgroup(f"docker-{one}.scope")) for one in ids]
        servers = [stack.enter_context(Server(ns, cgroup)).listen()
                   for ns, cgroup in zip(net.peers, cgroups)]
        own = stack.enter_context(Server(net.host)).listen()
        owner = stack.enter_context(Owner(net.host, flags))
        for i, one in enumerate(ids):
            answer = owner.listener(index_of(net.host, f"veth{i}"), f"10.99.{i}.2")
            has(answer, unit=None, container=f"docker:{one[:12]}", cgroup=cgroups[i].path, uid=0)
            if not flags:
                has(answer, process="python3", pid=servers[i].pid)
            # Another's address: a container may be a router, and only forward.
            other = owner.listener(index_of(net.host, f"veth{i}"), f"10.99.{(i + 1) % 3}.2")
            assert other == NOTHING
        has(owner.listener(address="10.99.0.1"), container=None, cgroup=own_cgroup(),
            pid=0 if flags else own.pid)
        assert owner.listener(9999, "10.99.0.2") == NOTHING


@needs_cgroups
@pytest.mark.parametrize("flags", [0, NO_PROCESSES])
def test_on_a_bridge(flags):
    """Three containers on one bridge, seen on the bridge: the address decides between them."""
    with contextlib.ExitStack() as stack:
        host, *peers = [stack.enter_context(Namespace(role)) for role in ("host", "a", "b", "c")]
        host.ip("link", "add", "br0", "type", "bridge")
        Network.configure(host, "br0", 0, 1)
        ids = [ID[::-1], ID, "f" * 64]
        for i, peer in enumerate(peers):
            host.ip("link", "add", f"port{i}", "master", "br0", "type", "veth",
                    "peer", "name", "peer0", "netns", peer.name)
            host.ip("link", "set", f"port{i}", "up")
            Network.configure(peer, "peer0", 0, 2 + i)
        cgroups = [stack.enter_context(Cgroup(f"docker-{one}.scope")) for one in ids]
        for peer, cgroup in zip(peers, cgroups):
            stack.enter_context(Server(peer, cgroup)).listen()
        stack.enter_context(Server(host)).listen()
        owner = stack.enter_context(Owner(host, flags))
        for i, one in enumerate(ids):
            has(owner.listener(index_of(host, "br0"), f"10.99.0.{2 + i}"),
                container=f"docker:{one[:12]}", cgroup=cgroups[i].path)
        assert owner.listener(index_of(host, "br0"), "10.99.0.1") == NOTHING
        # Two have the same address: the answer is none.
        peers[2].ip("addr", "add", "10.99.0.2/32", "dev", "lo")
        time.sleep(A_SECOND)
        assert owner.listener(index_of(host, "br0"), "10.99.0.2") == NOTHING


def test_no_far_end(host):
    """An interface that leads to a network, or to other interfaces, leads to no listener."""
    host.ip("link", "add", "br0", "type", "bridge")
    host.ip("addr", "add", "192.0.2.1/24", "dev", "br0")
    host.ip("link", "set", "br0", "up")
    with Server(host) as server, Owner(host) as owner:
        server.listen()
        assert owner.listener(index_of(host, "br0"), "192.0.2.1") == NOTHING
        has(owner.listener(0, "192.0.2.1"), pid=server.pid)


def test_both_ends_here(host):
    host.ip("link", "add", "a0", "type", "veth", "peer", "name", "b0")
    for iface in "a0", "b0":
        host.ip("link", "set", iface, "up")
    host.ip("addr", "add", "192.0.2.1/24", "dev", "b0")
    with Server(host) as server, Owner(host) as owner:
        server.listen()
        has(owner.listener(index_of(host, "a0"), "192.0.2.1"), pid=server.pid)


@needs_cgroups
def test_container_restarts():
    """By a user without privileges; the kernel gives the number of the old namespace to the new one."""
    with Namespace("host") as host, Owner(host) as owner:
        owner.say(f"drop {NOBODY}")
        for one in ID, ID[::-1]:
            with Namespace("peer") as peer, Cgroup(f"libpod-{one}.scope") as cgroup:
                host.ip("link", "add", "veth0", "type", "veth", "peer", "name", "peer0",
                        "netns", peer.name)
                Network.configure(host, "veth0", 0, 1)
                Network.configure(peer, "peer0", 0, 2)
                with Server(peer, cgroup) as server:
                    server.listen()
                    answer = owner.listener(index_of(host, "veth0"), "10.99.0.2")
                    has(answer, container=f"podman:{one[:12]}", process="python3", pid=server.pid)
                host.ip("link", "del", "veth0")
            time.sleep(A_SECOND)


@pytest.mark.parametrize("flags", [0, NO_PROCESSES])
def test_nothing_keeps_a_namespace(host, flags):
    """Its interface would stay on the host for ever: a namespace that lives by a process goes with it."""
    server = Server(before=["unshare", "--net", "--"])
    with server:
        server.listen()
        host.ip("link", "add", "veth0", "type", "veth", "peer", "name", "peer0", "netns", str(server.pid))
        netns.sh("nsenter", f"--net=/proc/{server.pid}/ns/net", "ip", "addr", "add", "10.99.0.2/24", "dev", "peer0")
        owner = Owner(host, flags)
        has(owner.listener(index_of(host, "veth0"), "10.99.0.2"), uid=0)
    with owner:
        assert owner.ask("tick") == {}
        wait_for("the end of veth0", lambda: "veth0" not in host.ip("-o", "link"))


def test_deleted_name_is_let_go():
    """The socket in a namespace that `ip netns del` took away. (Another's mount may keep that longer.)"""
    with Network() as net, Owner(net.host, NO_PROCESSES) as owner:
        sockets = lambda: sum(os.readlink(f"/proc/{owner.pid}/fd/{fd}").startswith("socket:")
                              for fd in os.listdir(f"/proc/{owner.pid}/fd"))
        with Server(net.peer) as server:
            server.listen()
            has(owner.listener(index_of(net.host, "veth0"), "10.99.0.2"), uid=0)
        owner.ask("tick")
        before = sockets()
        netns.sh("ip", "netns", "del", net.peer.name)
        owner.ask("tick")
        assert sockets() == before - 1


# --- what is missing --------------------------------------------------------------------------

@needs_cgroups
def test_without_privileges(host):
    """All that the probe keeps is CAP_BPF and CAP_NET_ADMIN; what begins later is known, too."""
    with Owner(host) as owner, Cgroup("late.service") as late, Server(host, late) as server:
        assert all(value is None for key, value in owner.reasons().items() if key != "pod_names")
        owner.say(f"drop {NOBODY}")
        server.listen()
        has(owner.listener(), unit="late.service", process="python3", pid=server.pid, uid=0)


def test_without_cgroups(host):
    with Server(host) as server, Owner(host, before=hidden("/sys/fs/cgroup")) as owner:
        server.listen()
        has(owner.listener(), known=True, unit=None, cgroup=None, process="python3", pid=server.pid)
        assert "no cgroup v2" in owner.reasons()["cgroups"]


@needs_cgroups
def test_without_proc(host):
    with Cgroup("web.service") as web, Server(host, web) as server:
        server.listen()
        with Owner(host, before=hidden("/proc")) as owner:
            has(owner.listener(), unit="web.service", process="python3", pid=server.pid)
            assert owner.reasons()["cgroups"] is None


@needs_cgroups
def test_cgroup_namespace():
    """A part of the hierarchy only: the reason says so, and what is outside is absent."""
    with Cgroup("part.service") as part, Cgroup("other.service") as other:
        command = (f"echo $$ >{ROOT}{part.path}/cgroup.procs && exec unshare --cgroup --mount sh -c '"
                   "umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"' - \"$@\"")
        with Owner(before=["sh", "-c", command, "-"]) as owner:
            assert "a part" in owner.reasons()["cgroups"]
            has(owner.socket(other.id), known=True, cgroup=None, unit=None)


def test_without_the_iterator(host):
    with Server(host) as server, Owner(host, NO_PROCESSES) as owner:
        server.listen()
        has(owner.listener(), cgroup=own_cgroup(), process=None, pid=0, uid=0)
        assert "pid and process" in owner.reasons()["processes"]


def test_iterator_is_refused(host):
    """As on a kernel that has none: the reason is one line."""
    before = ["setpriv", "--bounding-set", "-bpf,-perfmon,-sys_admin",
              "--inh-caps", "-bpf,-perfmon,-sys_admin"]
    with Owner(host, before=before) as owner:
        reason = owner.reasons()["processes"]
        assert reason.startswith("no BPF iterator of open files (") and "CAP_BPF" in reason


# --- pods -------------------------------------------------------------------------------------

@needs_cgroups
def test_pod_name(host, tmp_path):
    os.mkdir(tmp_path / f"default_web-0_{UID}")
    logs = in_mounts(f"mount -t tmpfs none /var/log && mkdir /var/log/pods && mount --bind {tmp_path} /var/log/pods")
    slices = f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope"
    with Cgroup(slices) as pod, Cgroup(f"user@1000.service/{slices}") as forged:
        with Owner(host, before=logs) as owner:
            assert owner.reasons()["pod_names"] is None
            has(owner.socket(pod.id), container=f"containerd:{ID[:12]}", pod=UID,
                pod_name="default/web-0", unit=None, claimed=False)
            has(owner.socket(forged.id), container=f"containerd:{ID[:12]}", pod=UID,
                pod_name=None, unit="user@1000.service", claimed=True)


# --- what it asks -----------------------------------------------------------------------------

ANSWERS = 20000


@needs_cgroups
def test_known_listener():
    """Until a second has passed, only the first answer has the kernel list sockets, processes or cgroups."""
    with Network() as net, Cgroup("web.service") as web:
        with Server(net.host, web) as server, Server(net.peer, web) as behind:
            server.listen()
            behind.listen()
            for question in ("listener 0 127.0.0.1 %d" % PORT,
                             "listener %d 10.99.0.2 %d" % (index_of(net.host, "veth0"), PORT),
                             "socket %d 0 127.0.0.1 %d" % (web.id, PORT)):
                with Owner(net.host) as owner:
                    first = owner.ask(f"count 1 {question}")
                    assert first["known"] == 1 and first["lists"], (question, first)
                    then = owner.ask(f"count {ANSWERS} {question}")
                    assert then["known"] == ANSWERS and not then["lists"], (question, then)
                    assert then["single"] <= ANSWERS, (question, then)


def test_unknown_listeners():
    """However many are asked for: lists are read in the first second, and again in the next."""
    with Network() as net, Owner(net.host) as owner:
        begun, lists = time.monotonic(), 0
        for where in "0 127.0.0.1", f"{index_of(net.host, 'veth0')} 10.99.0.2":
            for _ in range(2):
                asked = owner.ask(f"ports {ANSWERS} {where}")
                assert asked["known"] == 0
                lists += asked["lists"]
            time.sleep(A_SECOND)
            again = owner.ask(f"ports 1 {where}")
            assert again["lists"]
            lists += again["lists"]
        # Of sockets, of processes' files, of addresses; as a second passes, and for what is not known.
        assert lists <= 3 * 2 * (1 + time.monotonic() - begun), lists
