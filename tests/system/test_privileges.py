# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the probe may still do once it is attached, and what it needs to get there."""

import os
import pwd
import signal
import subprocess

import pytest

from netns import BINARY, PATIENCE, Probe, wait_for
from servers import Server, listen_to

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

CAP_NET_ADMIN, CAP_PERFMON, CAP_BPF = 12, 38, 39
NEEDED = {"CAP_BPF": "bpf", "CAP_NET_ADMIN": "net_admin", "CAP_PERFMON": "perfmon"}
NOBODY = pwd.getpwnam("nobody")


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def capabilities(state, name):
    mask = int(state[name], 16)
    return {n for n in range(64) if mask >> n & 1}


def logs_a_banner(net, probe):
    with Server(net.host, "10.99.0.1") as server:
        listen_to(net.peer, server)
        return "220 hello" in probe.line()


@pytest.mark.parametrize("args, user", [([], "nobody"), (["--user", "daemon"], "daemon"),
                                        (["--user", "root"], "root")])
def test_what_is_given_up(net, args, user):
    """Its user and its privileges, and that it still does its work."""
    expected = pwd.getpwnam(user)
    with Probe(net.host, *args, "veth0") as probe:
        assert logs_a_banner(net, probe)
        state = status(probe.process.pid)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert state["Uid"].split() == [str(expected.pw_uid)] * 4
    assert state["Gid"].split() == [str(expected.pw_gid)] * 4
    for held in "CapEff", "CapPrm":
        assert capabilities(state, held) == {CAP_NET_ADMIN, CAP_BPF}
    for gained in "CapInh", "CapAmb", "CapBnd":
        assert capabilities(state, gained) == set()
    assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")


def test_reading_captures_is_confined(tmp_path):
    """Hostile bytes, too: a capture that comes slowly, so that its reader can be looked at."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([BINARY, "-r", fifo], stderr=subprocess.DEVNULL) as reader:
        with open(fifo, "wb"):		# opened, so it is past its start
            state = status(reader.pid)
        reader.wait(PATIENCE)
    assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")


def with_capabilities(names):
    """A command's beginning: as nobody, with these capabilities and no other."""
    wanted = ",".join(f"+{name}" for name in names)
    return ["setpriv", "--reuid", str(NOBODY.pw_uid), "--regid", str(NOBODY.pw_gid), "--clear-groups",
            "--inh-caps", f"-all,{wanted}", "--ambient-caps", f"-all,{wanted}",
            "--bounding-set", f"-all,{wanted}"]


def test_three_capabilities_suffice(net):
    """Started without root: the user does not change."""
    with Probe(net.host, "veth0", before=with_capabilities(NEEDED.values())) as probe:
        assert logs_a_banner(net, probe)
        state = status(probe.process.pid)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert state["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert capabilities(state, "CapPrm") == {CAP_NET_ADMIN, CAP_BPF}


@pytest.mark.parametrize("missing", NEEDED)
def test_says_which_capability_is_missing(net, missing):
    names = [name for capability, name in NEEDED.items() if capability != missing]
    done = net.host.run(*with_capabilities(names), BINARY, "veth0")
    assert done.returncode == 3
    assert missing in done.stderr and not any(n in done.stderr for n in NEEDED if n != missing)
    assert len(done.stderr.splitlines()) == 1


def test_unknown_user(net):
    done = net.host.run(BINARY, "--user", "no-such-user", "veth0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bannerprobe: --user no-such-user: no such user in /etc/passwd\n"


def test_only_root_becomes_another(net):
    done = net.host.run(*with_capabilities(NEEDED.values()), BINARY, "--user", "daemon", "veth0")
    assert done.returncode == 2 and "only root" in done.stderr


def test_the_file_is_reopened_where_only_root_may(net, tmp_path):
    """By a process that does nothing else, and that ends with the probe, even with a killed one."""
    log = tmp_path / "log"
    tmp_path.chmod(0o700)
    with Probe(net.host, "-o", log, "veth0") as probe:
        opener = probe.child("bannerprobe-log")
        log.rename(tmp_path / "old")
        os.kill(int(opener), signal.SIGHUP)		# as `pkill -HUP bannerprobe` does
        probe.send(signal.SIGHUP)
        wait_for("a new file", log.exists)
        probe.send(signal.SIGKILL)
        probe.process.wait(PATIENCE)
        wait_for("the end of the other", lambda: not os.path.exists(f"/proc/{opener}"))
