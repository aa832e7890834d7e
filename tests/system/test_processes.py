# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The processes of a live run: what each may do, that none outlives another, and which waits for which."""

import contextlib
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time

import pytest

import packets
from netns import BINARY, PATIENCE, Probe, attached, child_of, children_of, sh, wait_for
from servers import Server, connect, listen_to
from test_privileges import CAP_BPF, CAP_NET_ADMIN, capabilities, status
from test_stopping import SECONDS, alive, running, stopped
from ways import CLSACT

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

CAP_DAC_OVERRIDE, CAP_FOWNER = 1, 3
CAPABILITIES = {"bannerprobe": {CAP_NET_ADMIN, CAP_BPF}, "bannerprobe-rd": set(),
                "bannerprobe-log": {CAP_DAC_OVERRIDE, CAP_FOWNER},
                "bannerprobe-tc": {CAP_NET_ADMIN, CAP_BPF}}
LIMITS = {"Max core file size": "0", "Max processes": "0", "Max open files": "64", "Max locked memory": "0"}


def all_of_it(net, tmp_path, *args, env=CLSACT):
    """The probe with every process that there may be."""
    return Probe(net.host, "-f", "json", "-o", tmp_path / "log", "--metrics", tmp_path / "m", *args,
                 "veth0", env=env)


def by_name(probe):
    """The pids of all processes."""
    first, *others = probe.processes()
    return {"bannerprobe": first, **{status(pid)["Name"]: pid for pid in others}}


def open_files(pid):
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]


def limits(pid):
    with open(f"/proc/{pid}/limits") as file:
        return {line[:26].strip(): line[26:].split()[:2] for line in file}


def log_has(tmp_path, count, seconds=PATIENCE):
    """The log's records, once there are so many."""
    log = tmp_path / "log"
    wait_for(f"{count} records", lambda: len(log.read_text().splitlines()) >= count, seconds)
    return [json.loads(line) for line in log.read_text().splitlines()]


# --- what each may do -----------------------------------------------------------------------------

def test_capabilities_and_system_calls(net, tmp_path):
    with all_of_it(net, tmp_path) as probe:
        states = {name: status(pid) for name, pid in by_name(probe).items()}
        assert set(states) == set(CAPABILITIES)
        for name, state in states.items():
            for held in "CapEff", "CapPrm":
                assert capabilities(state, held) == CAPABILITIES[name], name
            for gained in "CapInh", "CapAmb", "CapBnd":
                assert capabilities(state, gained) == set(), name
            assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2"), name
        assert stopped(probe.process) == 0


@pytest.mark.parametrize("user", ["nobody", "daemon", "root"])
def test_the_reader(net, tmp_path, user):
    """It is the user that was asked for, has no capability, and holds nothing of BPF and netlink."""
    with all_of_it(net, tmp_path, "--user", user) as probe, Server(net.host, "10.99.0.1") as server:
        reader = probe.reader()
        state, files = status(reader), open_files(reader)
        listen_to(net.peer, server)
        assert log_has(tmp_path, 1)[0]["iface"] == "veth0"
        assert stopped(probe.process) == 0
    assert state["Uid"].split() == [str(pwd.getpwnam(user).pw_uid)] * 4
    assert state["Groups"].strip() == ""
    assert capabilities(state, "CapEff") == capabilities(state, "CapBnd") == set()
    assert not [path for path in files if "bpf" in path or "timerfd" in path or path == str(tmp_path)]


def test_limits_of_the_reader(net, tmp_path):
    with all_of_it(net, tmp_path) as probe:
        found = limits(probe.reader())
        assert stopped(probe.process) == 0
    assert {name: found[name][1] for name in LIMITS} == LIMITS


def test_signals_are_for_the_attacher(net, tmp_path):
    """As `pkill bannerprobe` sends them to all."""
    with all_of_it(net, tmp_path) as probe, Server(net.host, "10.99.0.1") as server:
        for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT:
            for pid in probe.reader(), probe.child("bannerprobe-log"):
                os.kill(pid, number)
        listen_to(net.peer, server)
        log_has(tmp_path, 1)
        assert len(probe.processes()) == 4
        assert stopped(probe.process) == 0


def child_named(pid, name):
    with contextlib.suppress(OSError):	# strace's own first child is gone soon
        return child_of(pid, name)


@pytest.mark.parametrize("env", [{}, CLSACT], ids=["reader", "guard"])
def test_a_signal_to_one_that_has_just_begun(net, env):
    """As to a whole process group, by timeout(1): each is the first process's to handle."""
    argv = net.host.argv("strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=set_robust_list",
                         "-e", "inject=set_robust_list:delay_enter=500000", BINARY, "veth0")
    with running(argv, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}) as process:
        first = wait_for("the first process", lambda: child_named(process.pid, "bannerprobe"))
        count = 2 if env else 1
        others = wait_for("the others", lambda: sorted(found) if len(found := children_of(first)) == count else None)
        os.kill(others[-1], signal.SIGTERM)
        assert "attached" in process.stderr.readline()
        os.kill(first, signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


# --- how they end ---------------------------------------------------------------------------------

@pytest.mark.parametrize("env", [{}, CLSACT], ids=["tcx", "clsact"])
@pytest.mark.parametrize("victim", CAPABILITIES)
def test_one_is_killed(net, tmp_path, env, victim):
    """Then all are gone in time, and nothing stays attached."""
    if victim == "bannerprobe-tc" and env != CLSACT:
        pytest.skip("there is none with tcx")
    with all_of_it(net, tmp_path, env=env) as probe, Server(net.host, "10.99.0.1") as server:
        listen_to(net.peer, server)
        log_has(tmp_path, 1)
        processes = by_name(probe)
        os.kill(processes[victim], signal.SIGKILL)
        since = time.monotonic()
        code = probe.ended()
        wait_for("the end of all", lambda: not any(map(alive, processes.values())))
        wait_for("nothing attached", lambda: attached(net.host, "veth0") == [])
        assert time.monotonic() - since < SECONDS
    assert code == (-signal.SIGKILL if victim == "bannerprobe" else 1), probe.stderr
    if victim != "bannerprobe":
        assert [line for line in probe.stderr if re.search("process that .* (ended|killed by signal 9)", line)]


def test_the_attacher_is_killed_while_the_others_hang(net, tmp_path):
    """They cannot see that it has gone; the kernel ends them."""
    with all_of_it(net, tmp_path) as probe:
        processes = by_name(probe)
        for name in "bannerprobe-rd", "bannerprobe-log":
            os.kill(processes[name], signal.SIGSTOP)
        probe.send(signal.SIGKILL)
        probe.ended()
        wait_for("the end of all", lambda: not any(map(alive, processes.values())), SECONDS)


def test_the_guard_hangs(net, tmp_path):
    """A process that is stopped cannot end by itself: nothing stays of it either."""
    with all_of_it(net, tmp_path) as probe:
        os.kill(probe.guard(), signal.SIGSTOP)
        assert stopped(probe.process) == 0
    assert attached(net.host, "veth0") == []


@pytest.mark.parametrize("with_helper", [False, True], ids=["the reader", "and the file helper"])
def test_the_reader_hangs(net, tmp_path, with_helper):
    """As on a disk that does not answer: the hooks go all the same, and so does the probe."""
    with all_of_it(net, tmp_path) as probe, Server(net.host, "10.99.0.1") as server:
        listen_to(net.peer, server)
        log_has(tmp_path, 1)
        os.kill(probe.reader(), signal.SIGSTOP)
        if with_helper:
            os.kill(probe.child("bannerprobe-log"), signal.SIGSTOP)
        listen_to(net.peer, server)
        code = stopped(probe.process)
        probe.ended()
    assert code == 4 and attached(net.host, "veth0") == []
    assert any("not ended in time" in line for line in probe.stderr)
    assert len(log_has(tmp_path, 1)) == 1


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, that can be made to hang; yields its directory."""
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    sh("mkfs.ext4", "-q", str(image))
    if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True).returncode:
        pytest.skip("no loop device can be had")
    yield folder
    subprocess.run(["fsfreeze", "-u", folder], capture_output=True)
    sh("umount", str(folder))


def state_of(pid):
    """D: it waits, and not even SIGKILL ends that."""
    return status(pid)["State"][0] if alive(pid) else None


def test_a_disk_that_hangs(net, disk):
    """The process that writes to it cannot be ended: the others are, and the hooks are gone."""
    with Server(net.host, "10.99.0.1") as server, \
            Probe(net.host, "-f", "json", "-o", disk / "log", "veth0") as probe:
        listen_to(net.peer, server)
        log_has(disk, 1)
        reader, others = probe.reader(), [pid for pid in probe.processes() if pid != probe.reader()]
        sh("fsfreeze", "-f", str(disk))
        listen_to(net.peer, server)
        wait_for("the reader to hang", lambda: state_of(reader) == "D")
        since = time.monotonic()
        probe.send(signal.SIGTERM)
        assert probe.process.wait(SECONDS) == 4
        assert time.monotonic() - since < SECONDS
        assert attached(net.host, "veth0") == [] and not any(map(alive, others))
        assert state_of(reader) == "D"
        sh("fsfreeze", "-u", str(disk))
        wait_for("its end", lambda: not alive(reader))


def test_the_attacher_does_not_wait_for_the_reader(net2, tmp_path):
    """While that hangs, interfaces come and go, and a signal for it is not lost."""
    with Server(net2.host, "0.0.0.0") as server, \
            Probe(net2.host, "-f", "json", "-o", tmp_path / "log", "veth0", "new*") as probe:
        os.kill(probe.reader(), signal.SIGSTOP)
        for _ in range(3000):		# more than a socket has room for
            probe.send(signal.SIGHUP)
        net2.host.ip("link", "add", "new0", "type", "veth")
        probe.error_line("new0: attached: ")
        net2.host.ip("link", "del", "new0")
        probe.error_line("new0: the interface was deleted")
        (tmp_path / "log").rename(tmp_path / "old")
        probe.send(signal.SIGHUP)
        os.kill(probe.reader(), signal.SIGCONT)
        wait_for("the new log", (tmp_path / "log").exists)
        listen_to(net2.peers[0], server, "10.99.0.1")
        log_has(tmp_path, 1)
        assert stopped(probe.process) == 0


# --- names of interfaces --------------------------------------------------------------------------

def greeted(net, server, address):
    """A connection's client port."""
    return listen_to(net.peer, server, address).client_port


def test_names_are_those_of_the_moment(net, tmp_path):
    """Events wait in the ring while their interface is renamed, deleted, and another has its index."""
    [link] = json.loads(net.host.ip("-j", "link", "show", "veth0"))
    expected = {}
    with Server(net.host, "0.0.0.0") as server, \
            Probe(net.host, "-f", "json", "-o", tmp_path / "log", "--stats", "veth*", "wan*") as probe:
        os.kill(probe.reader(), signal.SIGSTOP)
        expected[greeted(net, server, "10.99.0.1")] = "veth0"
        net.host.ip("link", "set", "veth0", "name", "wan0")
        probe.error_line("veth0: is called wan0 now")
        expected[greeted(net, server, "10.99.0.1")] = "wan0"
        net.host.ip("link", "set", "wan0", "name", "wan1")
        probe.error_line("wan0: is called wan1 now")
        expected[greeted(net, server, "10.99.0.1")] = "wan1"
        net.host.ip("link", "del", "wan1")
        probe.error_line("wan1: the interface was deleted")
        net.host.ip("link", "add", "wan2", "index", str(link["ifindex"]), "type", "veth",
                    "peer", "name", "peer0", "netns", net.peer.name)
        net.configure(net.host, "wan2", 0, 1)
        net.configure(net.peer, "peer0", 0, 2)
        probe.error_line("wan2: attached: ")
        expected[greeted(net, server, "10.99.0.1")] = "wan2"
        os.kill(probe.reader(), signal.SIGCONT)
        found = {record["client_port"]: record["iface"] for record in log_has(tmp_path, len(expected))}
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert found == expected
    [line] = [line for line in probe.stderr if re.search(r"wan2: \d+ packets in", line)]
    assert ", 1 banners, " in line
    assert packets.counters("\n".join(probe.stderr).encode())["logged"] == len(expected)


def test_greetings_of_an_interface_that_goes(net, tmp_path):
    """They are logged then, and not when they have been quiet for a minute."""
    with net.host.entered(), socket.create_server(("10.99.0.1", 0)) as listener, \
            Probe(net.host, "-f", "json", "-o", tmp_path / "log", "--gather=60000", "veth0") as probe, \
            connect(net.peer, "10.99.0.1", listener.getsockname()[1]) as client:
        server, _ = listener.accept()
        with server:
            server.sendall(b"220 hello")
            assert client.recv(100) == b"220 hello"
            port = client.getsockname()[1]
            net.host.ip("link", "del", "veth0")
            probe.error_line("veth0: the interface was deleted")
            [record] = log_has(tmp_path, 1, PATIENCE / 4)
        assert stopped(probe.process) == 0
    assert (record["client_port"], record["iface"], record["segments"]) == (port, "veth0", 1)
