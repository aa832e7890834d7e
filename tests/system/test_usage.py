# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is said of a wrong start, of a check, and of the counters: what needs root of the command line."""

import json
import os
import re
import signal
import subprocess

import pytest

import netns
import packets
from command_line import SERVERS, UNWRITABLE, check_line, check_no_log_is_left, check_unwritable_log, run
from netns import BINARY, PATIENCE
from servers import Server, listen_to

if os.geteuid():
    pytest.skip("needs root: it attaches to interfaces", allow_module_level=True)


def test_services_without_a_file():
    """As in a container: said, and what helps."""
    done = subprocess.run(["unshare", "-m", "sh", "-c",
                           'mount -t tmpfs none /etc && exec "$@"', "sh", BINARY, "--port", "ssh",
                           "-r", SERVERS], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    check_line(done.stderr.rstrip("\n"), ["--port ssh", "/etc/services", "number"])


def test_a_reader_that_has_enough(tmp_path):
    """-r FILE | head -1: silent, and no failure."""
    talks = [packets.Connection(client=("10.1.%d.%d" % divmod(i, 250), 4000)) for i in range(2000)]
    frames = [packets.ethernet(p) for talk in talks for p in talk.greeted(b"x" * 200)]
    (tmp_path / "big").write_bytes(packets.pcap(frames))
    with subprocess.Popen([BINARY, "-r", tmp_path / "big"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as reader:
        assert b"xxx" in reader.stdout.readline()
        reader.stdout.close()
        assert reader.stderr.read() == b""
        assert reader.wait(PATIENCE) in (0, -signal.SIGPIPE)


# --- a log ------------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [
    ["nosuch0"], ["--check", "lo"], ["--check", "-f", "zeek", "lo"], ["--hook", "xdp-native", "lo"],
    ["--metrics", "{folder}/no/such", "lo"], ["--user", "nosuchuser", "lo"]], ids=" ".join)
def test_no_log_is_left(tmp_path, args):
    check_no_log_is_left(tmp_path, [word.format(folder=tmp_path) for word in args])


@pytest.mark.parametrize("args", [["--check", "lo"], ["lo"]], ids=" ".join)
@pytest.mark.parametrize("name", UNWRITABLE)
def test_a_log_that_cannot_be_written(tmp_path, args, name):
    check_unwritable_log(tmp_path, args, name)


@pytest.mark.parametrize("name", ["no/such/directory", ".", "there"])
@pytest.mark.parametrize("more", [[], ["--check"]], ids=["start", "check"])
def test_metrics_that_cannot_be_written(tmp_path, name, more):
    """Said at the start, and nothing is attached."""
    if name == "there":
        os.mkfifo(tmp_path / name)
    code, out, lines = run("--metrics", name, *more, "lo", cwd=tmp_path)
    assert (code, out, len(lines)) == (1, "", 1), lines
    check_line(lines[0], [f"--metrics {name}"])
    assert set(os.listdir(tmp_path)) == ({name} if name == "there" else set())


def test_a_user_that_there_is_not():
    code, _, lines = run("--user", "nosuchuser", "lo")
    assert (code, len(lines)) == (2, 1)
    check_line(lines[0], ["--user nosuchuser", "/etc/passwd"])


@pytest.mark.parametrize("limit", [12, 20, 30, 40, 50])
def test_too_few_descriptors(limit):
    """Whatever lacks one: that is said, and not that the kernel is too old."""
    done = subprocess.run(["prlimit", f"--nofile={limit}", BINARY, "lo"], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert done.returncode == 3
    assert re.fullmatch("bannerprobe: .*: too many open files.*\n", done.stderr, re.IGNORECASE)


# --- interfaces -------------------------------------------------------------------------------

def test_interface_by_an_option(net):
    with netns.Probe(net.host, "-i", "veth0", "--interface=lo", interfaces=2) as probe:
        assert set(probe.hooks) == {"veth0", "lo"}
        assert probe.stop() == []


def test_patterns_without_a_match_are_named(net):
    with netns.Probe(net.host, "veth*", "ppp*", "wg?", "veth0") as probe:
        assert probe.stop() == []
    told = [line for line in probe.stderr if "matches" in line]
    assert [line.split(":")[1].strip() for line in told] == ["ppp*", "wg?"]


@pytest.mark.parametrize("hook", ["auto", "xdp", "xdp-native", "xdp-generic", "tc"])
@pytest.mark.parametrize("interface", ["lo", "veth0", "tun0", "none0"])
def test_check_says_what_a_start_says(net, hook, interface):
    """And leaves nothing. "would attach" is the one difference."""
    net.host.ip("tuntap", "add", "tun0", "mode", "tun")
    checked = net.host.run(BINARY, "--check", "--hook", hook, interface)
    if interface != "none0":
        assert netns.attached(net.host, interface) == []
    started = subprocess.Popen(net.host.argv(BINARY, "--hook", hook, interface), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with started:
        said = ""
        for line in started.stderr:
            said += line
            if ": attached: " in line:
                started.terminate()
        started.wait(PATIENCE)
    assert checked.stderr.replace("would attach", "attached") == said
    assert (checked.returncode, checked.stdout) == (started.returncode, "")


@pytest.mark.parametrize("more", [["veth0"], ["--check", "veth0"], ["-r", SERVERS]], ids=lambda more: more[0])
def test_a_span_that_is_none(net, tmp_path, more):
    """Said by the program that keeps the inventory; it is wrong usage all the same."""
    os.chmod(tmp_path, 0o777)
    done = net.host.run(BINARY, "--inventory", "x.db", "--gone", "soon", *more, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch("bannerprobe[^ ]*: --gone: soon .*7d.*\n", done.stderr)
    assert os.listdir(tmp_path) == [] and netns.attached(net.host, "veth0") == []


@pytest.mark.parametrize("name, good", [
    ("no/such/x.db", False), ("text", False), ("fifo", False), (".", False), ("/dev/null", False),
    ("new/x.db", True), ("x.db", True), ("old.db", True)])
def test_check_of_an_inventory(net, tmp_path, name, good):
    """It is tried as a start would, by the same user, and none is made."""
    (tmp_path / "text").write_text("no inventory\n" * 99)
    os.mkfifo(tmp_path / "fifo")
    assert run("--inventory", "old.db", "-o", "none", "-r", SERVERS, cwd=tmp_path)[0] == 0
    before = sorted(os.listdir(tmp_path))
    args = [BINARY, "--user", "root", "--inventory", name, "veth0"]
    checked = net.host.run(*args, "--check", cwd=tmp_path)
    assert sorted(os.listdir(tmp_path)) == before and netns.attached(net.host, "veth0") == []
    with subprocess.Popen(net.host.argv(*args), cwd=tmp_path, text=True, stderr=subprocess.PIPE) as started:
        said = started.stderr.readline()
        started.terminate()
        said += started.stderr.read()
    assert checked.stderr.replace("would attach", "attached") == said
    assert checked.returncode == (0 if good else 1) and ("attached" in said) == good


def test_an_owner_has_no_place_in_zeek_s_format(net):
    with netns.Probe(net.host, "-f", "zeek", "--owner", "veth0") as probe:
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    [line] = [line for line in probe.stderr if "zeek" in line]
    check_line(line, ["--owner", "zeek", "-f text or -f json"])


@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
@pytest.mark.parametrize("hook", ["xdp", "xdp-native", "xdp-generic"])
def test_check_where_another_program_is(net, trivial, mode, hook):
    net.host.ip("link", "set", "dev", "veth0", mode, "obj", trivial, "sec", "xdp")
    before = netns.attached(net.host, "veth0")
    checked = net.host.run(BINARY, "--check", "--hook", hook, "veth0")
    assert netns.attached(net.host, "veth0") == before
    assert "another XDP program" in checked.stderr
    assert checked.returncode == (0 if hook == "xdp" else 3)


def test_check_attaches_no_native_xdp(net):
    """It would reset the link of some devices: bpf(2) is not asked to."""
    done = net.host.run("strace", "-f", "-e", "trace=bpf", "-o", "/dev/stdout", BINARY, "--check",
                        "--hook", "xdp-native", "veth0")
    links = re.findall(r"BPF_LINK_CREATE, .*attach_type=(\w+)", done.stdout)
    assert "receive native XDP" in done.stderr
    assert links and not [kind for kind in links if "XDP" in kind], done.stdout


def test_check_leaves_no_clsact(net):
    done = net.host.run(BINARY, "--check", "veth0", env={**os.environ, "BANNERPROBE_TC": "clsact"})
    assert "veth0: would attach: receive clsact, transmit clsact" in done.stderr
    assert netns.attached(net.host, "veth0") == []


@pytest.mark.parametrize("value, note", [("tcx", True), ("CLSACT", True), ("clsact", False), ("", False)])
def test_a_way_of_tc_that_there_is_not(net, value, note):
    done = net.host.run(BINARY, "--check", "veth0", env={**os.environ, "BANNERPROBE_TC": value})
    notes = done.stderr.splitlines()[:-1]
    assert done.returncode == 0 and len(notes) == note
    for line in notes:
        check_line(line, [f"BANNERPROBE_TC={value}", "clsact"])


# --- counters ---------------------------------------------------------------------------------

LINE = re.compile(r"bannerprobe: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d packets (\d+) \(\+(\d+)\)(.*): (.*)")


def test_counters_in_an_interval(net):
    """One line: the time, what has changed, a verdict; `packets` is the total and never falls."""
    with Server(net.peer, "10.99.0.2") as server, \
            netns.Probe(net.host, "-f", "json", "--stats=1", "veth0") as probe:
        listen_to(net.host, server)
        found = LINE.fullmatch(probe.error_line(r"logged 1 \(\+1\)"))
        assert found[4] == "nothing lost"
        # A line may come between the packet and its record.
        [first] = [LINE.fullmatch(line) for line in probe.stderr if "banners 1 (+1)" in line]
        assert int(first[1]) >= int(first[2]) > 0 and ", connections 1 (+1)" in first[3]
        later = LINE.fullmatch(probe.error_line(r"packets \d+"))
        assert int(later[1]) >= int(found[1]) and "banners" not in later[3]
        before = len(probe.stderr)
        probe.send(signal.SIGUSR1)
        probe.error_line("^lost_output +0 ")
        assert any(re.match("banners +1 ", line) for line in probe.stderr[before:])
        probe.stop()
    assert probe.stderr[-1] == "bannerprobe: nothing lost"
    assert sum(line.startswith("banners ") for line in probe.stderr) == 2


def test_counters_when_asked_without_an_option(net):
    with netns.Probe(net.host, "veth0") as probe:
        probe.send(signal.SIGUSR1)
        probe.error_line("^packets +")
        probe.stop()
    assert sum(line.startswith("packets ") for line in probe.stderr) == 1


def test_counters_tell_of_losses(net):
    """A full disk, from one line to the next."""
    with Server(net.peer, "10.99.0.2") as server, \
            netns.Probe(net.host, "-o", "/dev/full", "--stats=1", "veth0") as probe:
        listen_to(net.host, server)
        assert "LOST: lost_output 1 (+1)" in probe.error_line(r"packets \d+ .*LOST")
        assert "nothing lost this time, before: lost_output 1 (+0)" in \
            probe.error_line(r"packets \d+ .*before")


def test_counters_as_json(net):
    """One object a line, with one of each interface; what it is called is escaped."""
    netns.sh("ip", "-n", net.host.name, "link", "add", b'a\\"\x1b\xff', "type", "veth")
    with Server(net.peer, "10.99.0.2") as server, \
            netns.Probe(net.host, "--stats=1", "--stats-format=json", "veth0", "a*", interfaces=0) as probe:
        probe.error_line("attached")
        probe.error_line("attached")
        listen_to(net.host, server)
        interval = json.loads(probe.error_line('"interval"'))
        while not interval["new"].get("banners"):	# the interface's own count may come before
            interval = json.loads(probe.error_line('"interval"'))
        probe.send(signal.SIGUSR1)
        asked = json.loads(probe.error_line('"signal"'))
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    end = json.loads(probe.stderr[-1])
    assert [one["why"] for one in (interval, asked, end)] == ["interval", "signal", "end"]
    assert interval["new"]["banners"] == 1 and end["logged"] == 1 and end["lost"] == 0
    by_name = {one["iface"]: one for one in end["interfaces"]}
    assert set(by_name) == {"veth0", r'a\\"\x1b\xff'}
    assert by_name["veth0"]["banners"] == 1 and by_name["veth0"]["packets_in"] > 0
    assert end["packets"] >= interval["packets"] > 0
