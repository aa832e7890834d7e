# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The process that opens files again: what it may do, how it ends, and what it cannot be led to."""

import contextlib
import os
import pwd
import signal
import subprocess

import pytest

import netns
from netns import BINARY, PATIENCE, Probe, attached, wait_for
from servers import Server, listen_to
from test_privileges import NEEDED, capabilities, status, with_capabilities
from test_stopping import alive, stopped

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)

CAP_DAC_OVERRIDE, CAP_FOWNER = 1, 3
OLD_FILE = "going on with the old file"
USER = pwd.getpwnam("nobody")


@contextlib.contextmanager
def watching(net, *args, **kwargs):
    """The probe, the pid of its file helper, and a function that makes a banner."""
    with Server(net.host, "10.99.0.1") as server, \
            Probe(net.host, "-f", "json", *args, "veth0", **kwargs) as probe:
        helper = probe.child("bannerprobe-log")
        try:
            yield probe, helper, lambda: listen_to(net.peer, server)
        finally:
            if alive(helper):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(helper, signal.SIGCONT)


def as_user(*command):
    netns.sh("setpriv", "--reuid", str(USER.pw_uid), "--regid", str(USER.pw_gid), "--clear-groups",
             *map(str, command))


@pytest.fixture
def theirs(tmp_path):
    """A directory that an unprivileged user owns."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and str(folder) != "/":
            folder.chmod(folder.stat().st_mode | 0o011)
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    return folder


@pytest.fixture
def secret(tmp_path):
    """A file that only root may write."""
    file = tmp_path / "secret"
    file.write_text("secret\n")
    file.chmod(0o600)
    yield file
    assert file.read_text() == "secret\n"


# --- what it may do -------------------------------------------------------------------------------

def test_what_it_may_do(net, tmp_path):
    with watching(net, "-o", tmp_path / "log") as (probe, helper, _):
        state = status(helper)
        # It closes the log that it has handed over.
        wait_for("a socket, a pipe, and a directory", lambda: len(os.listdir(f"/proc/{helper}/fd")) == 3)
    assert state["Name"] == "bannerprobe-log"
    for held in "CapEff", "CapPrm":
        assert capabilities(state, held) == {CAP_DAC_OVERRIDE, CAP_FOWNER}
    for gained in "CapInh", "CapAmb", "CapBnd":
        assert capabilities(state, gained) == set()
    assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")


def test_what_it_may_do_without_root(net, theirs):
    with watching(net, "--metrics", theirs / "m", before=with_capabilities(NEEDED.values())) as \
            (probe, helper, _):
        assert capabilities(status(helper), "CapPrm") == set()
        wait_for("the metrics", (theirs / "m").exists)


# --- how it ends ----------------------------------------------------------------------------------

def test_it_dies_with_the_program_whatever_it_does(net, tmp_path):
    with watching(net, "-o", tmp_path / "log") as (probe, helper, _):
        os.kill(helper, signal.SIGSTOP)
        probe.send(signal.SIGKILL)
        probe.ended()
        wait_for("the end of the other", lambda: not alive(helper), PATIENCE / 4)


def test_it_does_not_answer(net, tmp_path):
    """The program goes on, has the new file as soon as it can, and is stopped in time."""
    log, old = tmp_path / "log", tmp_path / "old"
    with watching(net, "-o", log) as (probe, helper, greet):
        os.kill(helper, signal.SIGSTOP)
        log.rename(old)
        for _ in range(2):
            probe.send(signal.SIGHUP)
            probe.error_line(OLD_FILE)
        greet()
        wait_for("the record in the old file", lambda: "hello 1" in old.read_text())
        os.kill(helper, signal.SIGCONT)
        wait_for("its late answer", log.exists)
        greet()
        wait_for("the record in the new file", lambda: "hello 2" in log.read_text())
        log.unlink()
        probe.send(signal.SIGHUP)
        wait_for("a newer file", log.exists)
        os.kill(helper, signal.SIGSTOP)
        assert stopped(probe.process) == 0


# --- where it is led ------------------------------------------------------------------------------

def test_a_pipe_that_nobody_reads(net, tmp_path):
    """In the log's place at a SIGHUP; and at the start."""
    log, old = tmp_path / "log", tmp_path / "old"
    with watching(net, "-o", log) as (probe, _, greet):
        log.rename(old)
        os.mkfifo(log)
        probe.send(signal.SIGHUP)
        probe.error_line(f"log: nobody reads from it: {OLD_FILE}$")
        greet()
        wait_for("the record in the old file", lambda: "hello" in old.read_text())
        assert stopped(probe.process) == 0
    done = net.host.run(BINARY, "-o", log, "veth0")
    assert (done.returncode, done.stderr) == \
        (1, f"bannerprobe: -o {log}: nobody reads from it: start its reader first\n")


def test_a_directory_that_was_removed(net, tmp_path):
    """Another one of its name is not the one of the start: the message says what helps."""
    log = tmp_path / "logs" / "log"
    log.parent.mkdir()
    with watching(net, "-o", log) as (probe, _, _):
        log.unlink()
        log.parent.rmdir()
        log.parent.mkdir()
        probe.send(signal.SIGHUP)
        probe.error_line(f"log: its directory was removed, a new start would use another: {OLD_FILE}$")
        assert stopped(probe.process) == 0


@pytest.mark.parametrize("link", ["symbolic", "hard"])
def test_a_planted_link(net, theirs, secret, link):
    """By the directory's owner, to a file that only root may write: nothing is appended to it."""
    log, old = theirs / "log", theirs / "old"
    with watching(net, "-o", log) as (probe, _, greet):
        as_user("mv", log, old)
        if link == "symbolic":
            as_user("ln", "-s", secret, log)
        else:
            log.hardlink_to(secret)	# as where fs.protected_hardlinks is 0
        probe.send(signal.SIGHUP)
        probe.error_line(OLD_FILE)
        greet()
        wait_for("the record in the old file", lambda: "hello" in old.read_text())
        assert stopped(probe.process) == 0


def test_a_planted_directory(net, theirs, secret):
    """The log's directory is the one of the start, even if its path leads elsewhere by now."""
    folder, moved = theirs / "logs", theirs / "moved"
    as_user("mkdir", folder)
    with watching(net, "-o", folder / secret.name) as (probe, _, greet):
        as_user("mv", folder, moved)
        as_user("ln", "-s", secret.parent, folder)
        (moved / secret.name).unlink()
        probe.send(signal.SIGHUP)
        wait_for("a new file in the old directory", (moved / secret.name).exists)
        assert stopped(probe.process) == 0


def test_a_link_at_the_start_is_followed(net, tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real / "log")
    with watching(net, "-o", link) as (probe, _, greet):
        (real / "log").rename(real / "old")
        probe.send(signal.SIGHUP)
        wait_for("a new file where the link leads", (real / "log").exists)
        greet()
        wait_for("the record in it", lambda: "hello" in (real / "log").read_text())
        assert stopped(probe.process) == 0
    assert link.is_symlink()


# --- metrics --------------------------------------------------------------------------------------

def test_metrics_stay_in_their_directory(net, theirs):
    """A link at the start is followed; what its path leads to later is not."""
    real, link, other = theirs / "real", theirs / "m.prom", theirs / "other"
    for folder in real, other:
        folder.mkdir()
    (real / "m.prom").write_text("")
    link.symlink_to(real / "m.prom")
    with watching(net, "--metrics", link) as (probe, _, _greet):
        wait_for("the first metrics", lambda: (real / "m.prom").read_text())
        real.rename(theirs / "moved")
        real.symlink_to(other)
        (theirs / "moved" / "m.prom").unlink()
        assert stopped(probe.process) == 0
    assert os.listdir(theirs / "moved") == ["m.prom"] and os.listdir(other) == []
    assert link.is_symlink()


def test_what_a_killed_one_left_is_removed(net, tmp_path):
    """The next start removes files with its own naming that no process writes any more."""
    log, file = tmp_path / "log", tmp_path / "m.prom"
    names = ["m.prom.1.new", "m.prom.x.new", "m.prom.2.new.x", "other.3.new", "m.prom.new"]
    for name in names:
        (tmp_path / name).write_text("")
    with watching(net, "-o", log, "--metrics", file) as (killed, helper, _):
        wait_for("the metrics", file.exists)
        os.kill(helper, signal.SIGSTOP)
        (tmp_path / f"m.prom.{helper}.new").write_text("as of one that is killed while it writes")
        killed.send(signal.SIGKILL)
        killed.ended()
        wait_for("the end of the other", lambda: not alive(helper))
    with watching(net, "--metrics", file) as (probe, _, _greet):
        assert stopped(probe.process) == 0
    assert sorted(os.listdir(tmp_path)) == sorted([*names[1:], "log", "m.prom"])


NO_FDOPEN = """
#include <errno.h>
#include <stdio.h>
FILE *fdopen(int fd, const char *mode) { (void)fd; (void)mode; errno = ENOMEM; return NULL; }
"""


def test_metrics_without_memory(net, tmp_path):
    """Neither a descriptor is left nor a file."""
    (tmp_path / "no.c").write_text(NO_FDOPEN)
    netns.sh("cc", "-shared", "-fPIC", "-o", str(tmp_path / "no.so"), str(tmp_path / "no.c"))
    folder = tmp_path / "metrics"
    folder.mkdir()
    with watching(net, "--metrics", folder / "m.prom",
                  env={"LD_PRELOAD": str(tmp_path / "no.so")}) as (probe, _, _greet):
        probe.error_line("Cannot allocate memory")
        held = [os.readlink(f"/proc/{probe.reader()}/fd/{fd}")
                for fd in os.listdir(f"/proc/{probe.reader()}/fd")]
        assert not [path for path in held if str(folder) in path and "m.prom" in path]
        assert stopped(probe.process) == 0
    assert os.listdir(folder) == []


# --- confined, or not at all ------------------------------------------------------------------------

@pytest.mark.parametrize("call", ["seccomp", "capset"])
@pytest.mark.parametrize("args", [[], ["--metrics", "m.prom"]], ids=["the program", "its helper"])
def test_it_cannot_be_confined(net, tmp_path, call, args):
    """Then the program does not go on, unless --unconfined is given."""
    strace = ["timeout", str(PATIENCE / 2), "strace", "-f", "-o", "trace",
              "-e", f"inject={call}:error=EINVAL"]
    done = net.host.run(*strace, BINARY, *args, "veth0", cwd=tmp_path)
    assert done.returncode == 3
    assert "--unconfined" in done.stderr.splitlines()[-1]
    assert attached(net.host, "veth0") == []


@pytest.mark.parametrize("call", ["seccomp", "capset"])
def test_it_goes_on_unconfined(net, tmp_path, call):
    strace = ["strace", "-D", "-f", "-o", tmp_path / "trace", "-e", f"inject={call}:error=EINVAL"]
    with Server(net.host, "10.99.0.1") as server, \
            Probe(net.host, "--unconfined", "--user", "root", "veth0", before=strace) as probe:
        listen_to(net.peer, server)
        assert "hello" in probe.line()
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0


def test_captures_are_not_read_unconfined(tmp_path):
    done = subprocess.run(["strace", "-o", tmp_path / "trace", "-e", "inject=seccomp:error=EINVAL",
                           BINARY, "-r", "/dev/null"], capture_output=True, timeout=PATIENCE)
    assert done.returncode == 3 and b"--unconfined" in done.stderr


def test_root_with_three_capabilities(net, tmp_path):
    """As in a container: it cannot become another, says so, and does its work."""
    wanted = ",".join(f"+{name}" for name in NEEDED.values())
    before = ["setpriv", "--inh-caps", f"-all,{wanted}", "--bounding-set", f"-all,{wanted}"]
    tmp_path.chmod(0o755)
    with watching(net, "-o", tmp_path / "log", before=before) as (probe, helper, greet):
        [line] = [line for line in probe.stderr if "CAP_SETUID" in line] or \
            [probe.error_line("CAP_SETUID")]
        assert line.startswith("bannerprobe: nobody: ")
        greet()
        wait_for("the record", lambda: "hello" in (tmp_path / "log").read_text())
        state = status(probe.process.pid)
        assert capabilities(status(helper), "CapPrm") == set()
        assert stopped(probe.process) == 0
    assert state["Uid"].split() == ["0"] * 4
    assert capabilities(state, "CapPrm") == {12, 39}
