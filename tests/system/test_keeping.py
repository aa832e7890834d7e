# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--inventory: what the probe sees becomes an inventory, and what becomes of its keeper."""

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import pytest

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

import netns
from netns import BINARY, PATIENCE, ROOT, Probe, children_of, wait_for
from packets import Connection, ethernet, pcap
from servers import Server, ask, connect, listen_to, speaking

INVENTORY = os.environ.get("BANNERPROBE_INVENTORY", os.path.join(ROOT, "bannerprobe-inventory"))
KEEPER = "bannerprobe-inv"
CAPTURES = [os.path.join(ROOT, "tests", "captures"), os.path.join(ROOT, "..", "shared", "captures")]
LIVE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")
NOBODY = pwd.getpwnam("nobody")
SECONDS = 2 * PATIENCE / 20	# of the promise; an emulated machine needs more


@pytest.fixture
def folder():
    """One that every user finds."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield path


def give_away(folder):
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)


def inventory(*words, code=0):
    done = subprocess.run([INVENTORY, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == code, done
    return done.stdout


def probe(*words, **kwargs):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, timeout=PATIENCE, **kwargs)


def rows(path, sql="SELECT * FROM service JOIN banner ON banner.service_id = service.id ORDER BY banner.id"):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


@pytest.mark.parametrize("name", ["list", "check", "report", "keep", "help", "a b", "x?y#%.db"])
def test_any_name_of_an_inventory(folder, name):
    """Those of bannerprobe-inventory's commands, too."""
    done = probe("--inventory", name, "-o", "none", "-r", os.path.join(CAPTURES[0], "servers.pcap"), cwd=folder)
    assert done.returncode == 0 and not done.stderr and rows(os.path.join(folder, name))


def forms(path):
    return {port: form for port, form in rows(
        path, "SELECT port, latest_raw FROM service JOIN banner ON banner.id = service.banner_id")}


def connections(path):
    """0 where nothing was written."""
    return os.path.exists(path) and sum(count for count, in rows(path, "SELECT connections FROM service"))


def events_of(log):
    """The records of a log that are no changes."""
    records = [json.loads(line) for line in log.splitlines()] if isinstance(log, bytes) else log
    return [record for record in records if record.get("event") != "change"]


def changes_of(log):
    records = [json.loads(line) for line in log.splitlines()]
    return [record for record in records if record.get("event") == "change"]


# --- captures ---------------------------------------------------------------------------------

@pytest.mark.parametrize("captures", CAPTURES, ids=["own", "shared"])
def test_captures_are_kept_as_their_log_is_imported(folder, captures):
    if not os.path.exists(captures):
        pytest.skip(f"{captures} is not here")
    kept, imported, log = (os.path.join(folder, name) for name in ("kept.db", "imported.db", "log.json"))
    done = probe("--inventory", kept, "--events", "banner,response", "-f", "json", "-o", log, "-r", captures)
    assert done.returncode == 0, done
    inventory(imported, "import", log)
    assert inventory(imported, "diff", kept) == ""
    assert rows(kept) and rows(kept) == rows(imported)
    changes = "SELECT * FROM change ORDER BY id"
    assert rows(kept, changes) == rows(imported, changes)


def test_tunnels_tell_services_apart(folder):
    """As by their log: the same address and port in two networks, and outside of them."""
    def talk(n):
        return [ethernet(packet) for packet in Connection(("192.0.2.%d" % n, 4000)).greeted(b"220 a.example\r\n")]
    outer = Ether() / IP(src="203.0.113.1", dst="203.0.113.2") / UDP(sport=5000, dport=4789)
    frames = talk(1) + [bytes(outer / VXLAN(vni=vni) / Raw(frame)) for vni in (42, 7) for frame in talk(vni)]
    kept, imported, log, capture = (os.path.join(folder, name) for name in ("a.db", "b.db", "log", "capture"))
    with open(capture, "wb") as file:
        file.write(pcap(frames))
    done = probe("--inventory", kept, "--events", "banner,response", "-f", "json", "-o", log, "-r",
                 capture)
    assert done.returncode == 0, done
    inventory(imported, "import", log)
    assert rows(kept) == rows(imported) and len(rows(kept)) == 3


def test_what_is_left_out_as_data_of_ftp_is_counted(folder):
    """By the probe's statistics as by an import."""
    kept, imported = os.path.join(folder, "a.db"), os.path.join(folder, "b.db")
    log = os.path.join(folder, "log")
    done = probe("--inventory", kept, "-f", "json", "-o", log, "--stats", "-r", CAPTURES[0])
    assert done.returncode == 0 and re.search(rb"^ftp_data +1  FTP data ", done.stderr, re.MULTILINE), done
    told = subprocess.run([INVENTORY, imported, "import", log], capture_output=True, text=True, timeout=PATIENCE)
    assert " 1 FTP data connections" in told.stderr


def test_captures_need_no_privilege_and_no_log(folder):
    words = [BINARY, "--inventory", "x.db", "-o", "none", "-r", os.path.join(CAPTURES[0], "servers.pcap")]
    if not os.geteuid():
        shutil.copy(BINARY, folder)
        shutil.copy(INVENTORY, folder)
        shutil.copy(words[-1], folder)
        give_away(folder)
        words = ["setpriv", "--reuid=nobody", "--clear-groups", "./bannerprobe", *words[1:-1], "servers.pcap"]
    done = subprocess.run(words, cwd=folder, capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert sorted(forms(os.path.join(folder, "x.db"))) == [21, 22, 25, 110, 143]


def conversation(client, server, port=22, n=1):
    """The client speaks first, then the server."""
    talk = Connection((f"192.0.2.{n}", 40000), ("198.51.100.1", port))
    return [ethernet(packet) for packet in (*talk.opening(), talk.c("PA", data=client),
                                            talk.s("PA", ack=1 + len(client), data=server))]


RESPONSES = {22: b"SSH-2.0-OpenSSH_9.2p1\r\n", 873: b"@RSYNCD: 31.0 sha512\n",
             179: b"\xff" * 16 + b"\0\x1d\x01\x04\xfd\xe8\0\xb4\xc0\0\2\1\0",
             6667: b":irc.example.org NOTICE * :*** Looking up your hostname\r\n", 25: b"220 a.example ESMTP\r\n"}
ANSWERS = {80: b"HTTP/1.0 200 OK\r\nServer: nginx/1.22.1\r\n\r\n", 6379: b"+OK\r\n"}


@pytest.mark.parametrize("events", [None, "banner", "banner,response"])
def test_responses(folder, events):
    """Those of protocols in which both sides speak; all by --events; in the log only what was asked for."""
    said = {**RESPONSES, **ANSWERS}
    frames = [frame for n, (port, answer) in enumerate(said.items(), 1)
              for frame in conversation(b"hello\r\n", answer, port, n)]
    path = os.path.join(folder, "x.db")
    done = probe("--inventory", path, *(["--events", events] if events else []), "-f", "json", "-r", "-",
                 input=pcap(frames))
    assert done.returncode == 0, done
    every = events == "banner,response"
    assert forms(path) == (said if every else RESPONSES)
    logged = [record["server_port"] for record in events_of(done.stdout)]
    assert sorted(logged) == (sorted(said) if every else [])


def test_greetings_are_gathered_up_to_2048_bytes(folder):
    parts = [b"220-" + b"x" * 1000 + b"\r\n", b"220-" + b"y" * 1000 + b"\r\n", b"220 " + b"z" * 1000 + b"\r\n"]
    talk = Connection()
    frames, at = [*talk.opening()], 1
    for part in parts:
        frames.append(talk.s("PA", at, data=part))
        at += len(part)
    path = os.path.join(folder, "x.db")
    done = probe("--inventory", path, "-o", "none", "-r", "-", input=pcap([ethernet(f) for f in frames]))
    assert done.returncode == 0, done
    [form] = forms(path).values()
    assert form == b"".join(parts)[:2048]


# --- what is wrong ----------------------------------------------------------------------------

def failed(*words, code=1, **kwargs):
    """What is said of it: one line."""
    done = probe(*words, "-o", "none", "-r", os.path.join(CAPTURES[0], "servers.pcap"), **kwargs)
    [line] = done.stderr.decode().splitlines()
    assert done.returncode == code, done
    return line


def test_what_is_no_inventory_is_refused(folder):
    path = os.path.join(folder, "x.db")
    with open(path, "w") as file:
        file.write("a shopping list, and no more\n" * 100)
    os.chmod(path, 0o666)
    assert path in failed("--inventory", path)
    with open(path) as file:
        assert file.read() == "a shopping list, and no more\n" * 100


def test_without_the_other_program(folder):
    shutil.copy(BINARY, folder)
    done = subprocess.run([os.path.join(folder, "bannerprobe"), "--inventory", "x.db", "-o", "none", "-r",
                           os.path.join(CAPTURES[0], "servers.pcap")], cwd=folder, env={"PATH": "/nonexistent"},
                          capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "bannerprobe-inventory is neither beside this program nor on PATH: install it" in done.stderr


@pytest.mark.parametrize("place", ["sbin", "bin", "elsewhere"])
def test_where_the_other_program_is(folder, place):
    """Beside, as installed, or on PATH."""
    for name in "sbin", "bin", "elsewhere":
        os.mkdir(os.path.join(folder, name))
    shutil.copy(BINARY, os.path.join(folder, "sbin"))
    shutil.copy(INVENTORY, os.path.join(folder, place))
    path = os.path.join(folder, "x.db")
    done = subprocess.run([os.path.join(folder, "sbin", "bannerprobe"), "--inventory", path, "-o", "none", "-r",
                           os.path.join(CAPTURES[0], "servers.pcap")], capture_output=True, text=True,
                          env={"PATH": "/nonexistent::" + os.path.join(folder, "elsewhere")}, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(forms(path)) == 5


def test_a_span_that_is_none(folder):
    """The keeper reads it; it is wrong usage all the same."""
    assert "--gone: nonsense is no span" in failed("--gone", "nonsense", "--inventory", os.path.join(folder, "x.db"),
                                                   code=2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write there")
def test_a_folder_that_may_not_be_written(folder):
    os.chmod(folder, 0o555)
    assert "let that user own it, or name another file" in failed("--inventory", os.path.join(folder, "x.db"))


@LIVE
def test_a_folder_that_the_user_may_not_write(net, folder):
    """One line with what helps; nothing is attached, and nothing made."""
    done = subprocess.run(net.host.argv(BINARY, "--inventory", os.path.join(folder, "x.db"), "-o", "none", "veth0"),
                          capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
    assert f"nobody cannot write to {folder}" in done.stderr
    assert "let that user own it, or name another file" in done.stderr
    assert os.listdir(folder) == []


# --- live -------------------------------------------------------------------------------------

def keeping(net, path, *words, **kwargs):
    if os.path.exists(os.path.dirname(path)):
        give_away(os.path.dirname(path))
    return Probe(net.host, "--inventory", path, *words, "veth0", **kwargs)


def counts_of(probe_):
    """What --stats told of a probe that has ended."""
    return {name: int(count) for line in probe_.stderr
            for name, count in re.findall(r"^(\w+) +(\d+)  ", line)}


@LIVE
def test_live(net, folder):
    """Python's servers and a client that is faster than SSH's; the folder is made, and the user's."""
    path = os.path.join(folder, "made", "x.db")
    with Server(net.host, "10.99.0.1", lambda n: b"220 mail.example ESMTP Exim 4.96\r\n", 25) as mail, \
            Server(net.host, "10.99.0.1", lambda n: RESPONSES[22], 22) as ssh, \
            Server(net.host, "10.99.0.1", None, 80) as web, keeping(net, path, "-f", "json") as probe_:
        for server in mail, ssh:
            listen_to(net.peer, server)
        ask(net.peer, web)
        wait_for("a transaction", lambda: os.path.exists(path) and len(forms(path)) == 2)
        assert [record["server_port"] for record in events_of(probe_.stop())] == [25, 22]
    made = os.stat(os.path.dirname(path))
    assert (made.st_uid, made.st_gid) == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert os.stat(path).st_uid == NOBODY.pw_uid
    assert set(forms(path)) == {22, 25}
    listed = inventory(path)
    assert "10.99.0.1:22" in listed and "OpenSSH 9.2p1" in listed and "Exim" in listed


@LIVE
def test_forgotten_while_the_probe_runs(net, folder):
    """What is met again is new, at once, and nothing is lost."""
    path = os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1", lambda n: RESPONSES[22], 22) as ssh, \
            keeping(net, path, "-o", "none") as probe_:
        listen_to(net.peer, ssh)
        wait_for("a transaction", lambda: os.path.exists(path) and forms(path))
        give_away(folder)
        inventory(path, "forget", "10.99.0.1:22")
        assert not forms(path)
        listen_to(net.peer, ssh)
        wait_for("the next one", lambda: forms(path))
        probe_.stop()
    assert connections(path) == 1 and "new" in inventory(path, "changes")


@LIVE
def test_real_sshd(net, folder):
    """OpenSSH's client speaks at once: whoever is first, the server is known."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not sshd:
        pytest.skip("there is no sshd")
    key = os.path.join(folder, "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    os.makedirs("/run/sshd", exist_ok=True)
    path = os.path.join(folder, "x.db")
    server = subprocess.Popen(net.host.argv(sshd, "-D", "-e", "-p", "22", "-h", key, "-f", "/dev/null"),
                              stderr=subprocess.PIPE)
    try:
        while b"listening on" not in server.stderr.readline():
            pass
        with keeping(net, path, "-o", "none") as probe_:
            for _ in range(3):
                subprocess.run(net.peer.argv("ssh-keyscan", "-t", "ed25519", "10.99.0.1"), capture_output=True,
                               timeout=PATIENCE, check=True)
            with connect(net.peer, "10.99.0.1", 22) as client:
                client.recv(100)
            probe_.stop()
    finally:
        server.kill()
        server.wait(PATIENCE)
        server.stderr.close()
    [[port, changes]] = rows(path, "SELECT port, (SELECT count(*) FROM change) FROM service")
    assert (port, changes) == (22, 1)
    assert "OpenSSH" in inventory(path)


@LIVE
def test_the_keeper_has_no_power(net, folder):
    """No capability, no way to any; another user; nothing open but what it needs."""
    with keeping(net, os.path.join(folder, "x.db"), "-o", "none") as probe_:
        keeper = probe_.child(KEEPER)
        with open(f"/proc/{keeper}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert {status[name] for name in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert status["Uid"].split() == [str(NOBODY.pw_uid)] * 4
        opened = {os.readlink(f"/proc/{keeper}/fd/{fd}") for fd in os.listdir(f"/proc/{keeper}/fd")}
        assert not [name for name in opened if "bpf" in name or "anon_inode" in name], opened
        with open(f"/proc/{probe_.process.pid}/maps") as file:
            assert not re.search("sqlite|pcre|expat", file.read())
        probe_.stop()


@LIVE
def test_the_keeper_is_killed(net, folder):
    """The run ends, and says why."""
    with keeping(net, os.path.join(folder, "x.db"), "-o", "none") as probe_:
        os.kill(probe_.child(KEEPER), signal.SIGKILL)
        assert probe_.ended() == 1
        assert re.search(r"x\.db: its process was killed by signal 9: 0 events lost", probe_.stderr[-1])
    assert netns.attached(net.host, "veth0") == netns.attached(net.host, "lo")


@LIVE
def test_the_probe_is_killed(net, folder):
    """Its keeper ends with it."""
    with keeping(net, os.path.join(folder, "x.db"), "-o", "none") as probe_:
        keeper = probe_.child(KEEPER)
        probe_.process.kill()
        wait_for("its end", lambda: not os.path.exists(f"/proc/{keeper}"))
    assert rows(os.path.join(folder, "x.db"), "PRAGMA integrity_check") == [("ok",)]


@LIVE
def test_the_stop_writes_the_rest(net, folder):
    """In two seconds, in the middle of a load; every record of the log is in the inventory, too."""
    path = os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1") as server, keeping(net, path, "-f", "json", "--gather=20") as probe_:
        with speaking(net, server):
            for _ in range(1000):
                probe_.line()
            begin = time.monotonic()
            logged = len(events_of(probe_.stop()))
            assert time.monotonic() - begin < SECONDS
    assert connections(path) == logged
    assert not [line for line in probe_.stderr if "lost" in line]


@LIVE
@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "stays"])
def test_a_keeper_that_does_not_go_on(net, folder, goes_on):
    """As by a slow disk: nothing is lost in the kernel; what is not written is counted; the stop is in time."""
    path = os.path.join(folder, "x.db")
    with Server(net.host, "10.99.0.1", lambda n: b"220 %02000d\r\n" % n) as server, \
            keeping(net, path, "-o", "none", "--gather=20", "--stats") as probe_:
        keeper = probe_.child(KEEPER)
        os.kill(keeper, signal.SIGSTOP)
        # Slowly, so that on a busy machine, too, the ring buffers have room until they are read.
        with speaking(net, server, 20, 0.02):
            probe_.error_line(r"x\.db: it is not written as fast as events come: some are being lost", 120)
            if goes_on:
                os.kill(keeper, signal.SIGCONT)
                probe_.error_line(r"x\.db: it is written again, \d+ events lost")
        begin = time.monotonic()
        probe_.send(signal.SIGTERM)
        code = probe_.ended()
        assert time.monotonic() - begin < SECONDS
    counted = counts_of(probe_)
    assert code == 4
    assert counted["lost_ring"] == counted["lost_part"] == 0
    assert counted["lost_inventory"] > 0
    late = re.search(r"x\.db: not written in time: (\d+) events lost", "\n".join(probe_.stderr))
    assert (late is None) == goes_on
    assert connections(path) + counted["lost_inventory"] + int(late[1] if late else 0) == counted["banners"]


def test_captures_wait_for_a_keeper(folder):
    """Nothing is lost, however slow it is."""
    count = 2000	# three times what there is room for
    talks = [Connection((f"10.1.{i // 250}.{i % 250}", 4000)) for i in range(count)]
    frames = [ethernet(packet) for talk in talks for packet in talk.greeted(b"220 " + b"x" * 4000)]
    path, capture = os.path.join(folder, "x.db"), os.path.join(folder, "big")
    with open(capture, "wb") as file:
        file.write(pcap(frames))
    with subprocess.Popen([BINARY, "--inventory", path, "-o", "none", "-l", "4096", "-r", capture],
                          stderr=subprocess.PIPE) as process:
        [keeper] = wait_for("its keeper", lambda: children_of(process.pid))
        os.kill(keeper, signal.SIGSTOP)
        time.sleep(0.5)	# it is to come to the end of what there is room for
        assert process.poll() is None
        os.kill(keeper, signal.SIGCONT)
        assert (process.wait(4 * PATIENCE), process.stderr.read()) == (0, b"")
    assert connections(path) == count
