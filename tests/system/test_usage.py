# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is said of a wrong command line: one line, what is wrong, what is accepted, what helps."""

import json
import os
import pty
import re
import signal
import subprocess

import pytest

import netns
import packets
from netns import BINARY, PATIENCE, ROOT
from servers import Server, listen_to

SERVERS = os.path.join(ROOT, "tests", "captures", "servers.pcap")
LIVE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it attaches to interfaces")

# Arguments; what the one line must contain, each of them. {capture}, {folder}: a capture that is
# there, and its directory. All of these end with exit code 2.
WRONG = [
    # Nothing, or an option that there is not.
    ([], "IFACE", "--all", "-r FILE", "--help"),
    (["--"], "IFACE", "-r FILE"),
    (["--formt", "json", "lo"], "--formt", "did you mean --format", "--help"),
    (["--ouput", "x", "lo"], "did you mean --output"),
    (["--stast", "lo"], "did you mean --stats"),
    (["--output-file=x", "lo"], "--output-file", "did you mean --output"),
    (["--st", "lo"], "--stats or --stats-format"),
    (["--nonsense", "lo"], "--nonsense", "no such option", "--help"),
    (["-Q", "in", "lo"], "-Q", "no such option", "--help"),
    (["-?"], "-?", "--help"),
    (["-stats", "lo"], "did you mean --stats"),
    (["-port", "22", "lo"], "did you mean --port"),
    (["-version"], "did you mean --version"),
    (["\x1b[31m", "--\x1b]0;x\x07"], r"\x1b"),
    # What users of tcpdump, tshark, Zeek, Suricata and p0f type.
    (["-w", "out.pcap", "lo"], "-w", "-o FILE"),
    (["-i", "lo", "-w", "out.pcap"], "-w", "-o FILE"),
    (["-nn", "-i", "lo"], "-n", "leave it out"),
    (["-ni", "lo"], "-n", "leave it out"),
    (["-s", "0", "-i", "lo"], "-s", "-l N"),
    (["-c", "10", "lo"], "-c", "head -n N"),
    (["-A", "lo"], "-A", "banner"),
    (["-X", "lo"], "-X", "banner"),
    (["-e", "lo"], "-e", "-f json"),
    (["-D"], "-D", "ip link"),
    (["-p", "lo"], "-p", "promiscuous"),
    (["-U", "lo"], "-U", "at once"),
    (["-G", "60", "lo"], "-G", "SIGHUP"),
    (["-C", "10", "lo"], "-C", "SIGHUP"),
    (["-b", "filesize:10", "lo"], "-b", "SIGHUP"),
    (["-Z", "root", "lo"], "-Z", "--user"),
    (["-u", "root", "lo"], "-u", "--user"),
    (["-Y", "tcp", "lo"], "-Y", "--port"),
    (["-F", "file", "lo"], "-F", "--port"),
    (["-T", "fields", "lo"], "-T", "-f", "--check"),
    (["-q", "lo"], "-q", "leave it out"),
    (["--list-interfaces"], "ip link"),
    (["--snapshot-length=0", "lo"], "--snapshot-length:", "-l N"),
    (["--count=3", "lo"], "--count:", "head"),
    (["--json", "lo"], "--json", "-f json"),
    (["--af-packet=lo"], "--af-packet:", "-i IFACE"),
    (["--pcap-file", "x"], "--pcap-file", "-r FILE"),
    (["--daemon", "lo"], "--daemon", "systemd"),
    (["--pidfile", "x", "lo"], "--pidfile", "systemd"),
    (["--dry-run", "lo"], "--dry-run", "--check"),
    (["--usage"], "--usage", "--help"),
    # Values that are missing, or too many.
    (["-o"], "-o", "FILE", "missing"),
    (["lo", "--format"], "--format", "FORMAT", "missing"),
    (["-r"], "-r", "FILE", "missing"),
    (["--all=lo"], "--all", "no value"),
    (["--check=yes", "lo"], "--check", "no value"),
    (["-o", "-f", "json", "lo"], "-o -f", "FILE", "./-f"),
    (["-o=x", "lo"], "-o =x", "did you mean -o x"),
    (["--metrics", "--check", "lo"], "--metrics --check", "./--check"),
    (["--stats", "5", "lo"], "did you mean --stats=5"),
    (["--gather", "500", "lo"], "did you mean --gather=500"),
    # Values that are not accepted.
    (["-f", "csv", "lo"], "-f csv", "text, json or zeek"),
    (["-fcsv", "lo"], "-f csv", "text, json or zeek"),
    (["--format=csv", "lo"], "--format csv", "text, json or zeek"),
    (["-f", "jsno", "lo"], "-f jsno", "text, json or zeek", "did you mean json"),
    (["-f", "JSON", "lo"], "-f JSON", "did you mean json"),
    (["-f", "", "lo"], "-f ''", "text, json or zeek"),
    (["-f", "tcp port 22", "lo"], "-f tcp port 22", "--port"),
    (["--hook", "native", "lo"], "--hook native", "auto, xdp, xdp-native, xdp-generic or tc"),
    (["--hook", "xdp-natve", "lo"], "did you mean xdp-native"),
    (["--stats-format", "csv", "lo"], "--stats-format csv", "text or json"),
    (["-l", "0", "lo"], "-l 0", "from 1 to 4096"),
    (["-l", "5000", "lo"], "-l 5000", "from 1 to 4096"),
    (["-l", "-1", "lo"], "-l -1", "from 1 to 4096"),
    (["-l", "1k", "lo"], "-l 1k", "from 1 to 4096"),
    (["-l", "", "lo"], "-l ''", "from 1 to 4096"),
    (["-l", "/var/log/suricata", "lo"], "-l /var/log/suricata", "from 1 to 4096"),
    (["--length=99999999999999999999", "lo"], "--length 9999", "from 1 to 4096"),
    (["--max-flows", "0", "lo"], "--max-flows 0", "from 1 to 4194304"),
    (["--max-flows", "4194305", "lo"], "--max-flows 4194305", "from 1 to 4194304"),
    (["--stats=0", "lo"], "--stats 0", "from 1 to 86400"),
    (["--stats=5s", "lo"], "--stats 5s", "seconds", "from 1 to 86400"),
    (["--stats=", "lo"], "--stats ''", "from 1 to 86400"),
    (["--gather=0", "lo"], "--gather 0", "milliseconds", "from 1 to 60000"),
    (["--port", "0", "lo"], "--port 0", "from 1 to 65535"),
    (["--port", "65536", "lo"], "--port 65536", "from 1 to 65535"),
    (["--port", "22,99999", "lo"], "--port 99999", "from 1 to 65535"),
    (["--port", "99999999999999999999999", "lo"], "--port 9999", "from 1 to 65535"),
    (["--port", "25-22", "lo"], "--port 25-22", "22-25"),
    (["--port", "22-", "lo"], "--port 22-", "22,smtp,8000-8100"),
    (["--port", "1-2-3", "lo"], "--port 1-2-3", "22,smtp,8000-8100"),
    (["--port", "22,", "lo"], "--port 22,", "22,smtp,8000-8100"),
    (["--port", "", "lo"], "--port ''", "22,smtp,8000-8100"),
    (["--port", "22 25", "lo"], "--port 22 25", "22,smtp,8000-8100"),
    (["--port", "nosuchservice", "lo"], "--port nosuchservice", "/etc/services"),
    (["--port", "tftp", "lo"], "--port tftp", "TCP", "/etc/services"),
    (["--net", "10.0.0.0/33", "lo"], "--net 10.0.0.0/33", "192.0.2.0/24"),
    (["--net", "10.0.0", "lo"], "--net 10.0.0", "192.0.2.0/24"),
    (["--net", "example.org", "lo"], "--net example.org", "192.0.2.0/24"),
    (["--net", "", "lo"], "--net ''", "192.0.2.0/24"),
    (["--not-net", "::/129", "lo"], "--not-net ::/129", "2001:db8::/32"),
    # Names.
    ([""], "''", "interface"),
    (["lo", ""], "''", "interface"),
    (["-i", "", "lo"], "-i ''", "IFACE"),
    (["-r", ""], "-r ''", "FILE"),
    (["-r", "{capture}", ""], "''", "capture"),
    (["-o", "", "lo"], "-o ''", "FILE"),
    (["--metrics=", "lo"], "--metrics ''", "FILE"),
    (["--metrics", "-", "lo"], "--metrics -", "FILE"),
    (["--user", "", "lo"], "--user ''", "NAME"),
    (["{capture}"], "{capture}", "-r {capture}"),
    (["lo", "{capture}"], "{capture}", "-r {capture}"),
    (["-i", "{capture}"], "{capture}", "-r {capture}"),
    (["{folder}"], "{folder}", "-r {folder}"),
    (["/nonexistent/one.pcap"], "/nonexistent/one.pcap", "no such file", "-r FILE"),
    (["-"], "-r -"),
    (["-r", "lo"], "-r lo", "interface", "no file"),
    (["lo", "-r", "{capture}"], "lo", "interface", "no file"),
    (["any"], "any", "--all"),
    (["-i", "any"], "any", "--all"),
    (["lo", "tcp", "port", "22"], "tcp", "--port"),
    (["-i", "lo", "host", "10.0.0.1"], "host", "--net"),
    (["-i", "lo", "tcp and port 22"], "tcp and port 22", "--port"),
    (["lo", "tcp[13] & 2 != 0"], "tcp[13] & 2 != 0", "--port"),
    (["lo,eth0"], "lo,eth0", "spaces"),
    (["lo eth0"], "lo eth0", "quotes"),
    (["/nonexistent/*.pcap"], "/nonexistent/*.pcap", "-r FILE"),
    (["lo:"], "lo:", "did you mean lo?"),
    (["lo@if2"], "lo@if2", "did you mean lo?"),
    (["help"], "help", "did you mean --help"),
    (["version"], "version", "did you mean --version"),
    # What does not go together.
    (["--local", "--remote", "lo"], "--local and --remote"),
    (["-r", "{capture}", "-r", "-", "-r", "-"], "-r -", "once"),
    (["-r", "{capture}", "-o", "{capture}"], "-o {capture}", "another file"),
    (["-o", "x", "--metrics", "x", "lo"], "--metrics x", "-o"),
    *[([*option, "-r", "{capture}"], option[0], "for interfaces", "-r") for option in (
        ["--check"], ["--hook", "tc"], ["--hook", "auto"], ["--local"], ["--remote"], ["--all"],
        ["--metrics", "{folder}/x"], ["--user", "root"], ["--interface", "lo"])],
]


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "one.pcap"
    with open(SERVERS, "rb") as file:
        path.write_bytes(file.read())
    return path


def run(*args, **kwargs):
    """The program, run to its end: code, standard output, and the lines on standard error."""
    done = subprocess.run([BINARY, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=PATIENCE, **kwargs)
    return done.returncode, done.stdout.decode(), done.stderr.decode().splitlines()


def check_line(line, parts):
    assert re.match("bannerprobe: [ -~]+$", line)
    assert not [part for part in parts if part not in line], line


@pytest.mark.parametrize("args, parts", [(args, parts) for args, *parts in WRONG],
                         ids=[repr(" ".join(args)) for args, *_ in WRONG])
def test_wrong_usage(capture, args, parts):
    before = capture.read_bytes()
    known = {"capture": capture, "folder": capture.parent}
    code, out, lines = run(*[word.format(**known) for word in args], cwd=capture.parent)
    assert (code, out, len(lines)) == (2, "", 1), lines
    check_line(lines[0], [part.format(**known) for part in parts])
    assert os.listdir(capture.parent) == [capture.name] and capture.read_bytes() == before


def test_each_option_that_there_is_not_is_explained_without_a_contradiction():
    """None of the words of other tools is an option of this one."""
    with open(os.path.join(ROOT, "user/options/usage.c")) as file:
        foreign = re.findall(r'\t\{ "(--?[\w-]+)",', file.read())
    told = netns.sh(BINARY, "--help")
    assert len(foreign) > 40
    assert not [word for word in foreign if re.search(rf"(?<![\w-]){word}(?![\w-])", told)]


# --- help -------------------------------------------------------------------------------------

def test_help_fits_a_terminal_and_has_groups():
    code, out, lines = run("--help")
    assert (code, lines) == (0, [])
    assert all(len(line) < 80 for line in out.splitlines())
    assert len(re.findall(r"^\w[^:\n]+:$", out, re.M)) >= 6
    for number, meaning in enumerate(["done", "run time", "usage", "attach", "records were lost"]):
        assert re.search(rf"^  {number}  .*{meaning}", out, re.M)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_full_device(option):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BINARY, option], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=PATIENCE)
    assert done.returncode == 1
    check_line(done.stderr.rstrip("\n"), ["standard output", "No space left"])


# --- what is accepted -------------------------------------------------------------------------

PORTS = [("ssh", {22}), ("22,smtp", {22, 25}), ("ftp,imap2,3306-65535", {21, 143, 3306}),
         ("mail", {25}), ("1-21,pop3", {21, 110})]


@pytest.mark.parametrize("ports, expected", PORTS)
def test_services(ports, expected):
    found = packets.records("--port", ports, "-r", SERVERS)
    assert {record["server_port"] for record in found} == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it mounts")
def test_services_without_a_file():
    """As in a container: said, and what helps."""
    done = subprocess.run(["unshare", "-m", "sh", "-c",
                           'mount -t tmpfs none /etc && exec "$@"', "sh", BINARY, "--port", "ssh",
                           "-r", SERVERS], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    check_line(done.stderr.rstrip("\n"), ["--port ssh", "/etc/services", "number"])


def test_no_library_of_the_name_services():
    """The static program could not load them."""
    told = netns.sh("nm", "-D", "--undefined-only", BINARY)
    assert not re.search(r"\b(getservby|getserv|getpwnam|getaddrinfo)", told)


NOTES = [
    (["--net", "10.0.0.1/8"], "--net 10.0.0.1/8", "10.0.0.0/8"),
    (["--not-net", "192.0.2.77/25"], "--not-net 192.0.2.77/25", "192.0.2.0/25"),
    (["--net", "2001:db8::1/33"], "--net 2001:db8::1/33", "2001:db8::/33"),
    (["--net", "1.2.3.4/0"], "0.0.0.0/0"),
    (["-f", "text", "-f", "json"], "-f", "json counts"),
    (["-l", "5", "--length=6"], "--length", "6 counts"),
]


@pytest.mark.parametrize("args, parts", [(args, parts) for args, *parts in NOTES],
                         ids=[" ".join(args) for args, *_ in NOTES])
def test_what_is_accepted_is_said(args, parts):
    code, _, lines = run(*args, "-r", SERVERS)
    assert (code, len(lines)) == (0, 1), lines
    check_line(lines[0], parts)


@pytest.mark.parametrize("args", [
    ["--net", "10.0.0.0/8"], ["--net", "10.1.2.3"], ["--net", "10.1.2.3/32"], ["--net", "::1/128"],
    ["-f", "json", "-f", "json"], ["-o", "-"], ["--form", "json"], ["--port=22", "--port=25"]],
    ids=" ".join)
def test_nothing_has_to_be_said(args, tmp_path):
    code, _, lines = run(*args, "-r", SERVERS, cwd=tmp_path)
    assert (code, lines) == (0, []) and os.listdir(tmp_path) == []


def test_a_wrong_usage_is_one_line_whatever_was_noted_before():
    code, _, lines = run("--net", "10.0.0.1/8", "-f", "text", "-f", "json", "-l", "0", "-r", SERVERS)
    assert (code, len(lines)) == (2, 1)


def test_standard_output_by_its_name():
    """The same as without -o, and no file of that name."""
    assert run("-f", "json", "-o", "-", "-r", SERVERS) == run("-f", "json", "-r", SERVERS)


def test_a_terminal_is_no_capture():
    master, slave = pty.openpty()
    with open(master, "rb"), open(slave, "rb") as terminal:
        done = subprocess.run([BINARY, "-r", "-"], stdin=terminal, capture_output=True, text=True,
                              timeout=PATIENCE)
    assert done.returncode == 2
    check_line(done.stderr.rstrip("\n"), ["-r -", "terminal"])


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


# --- nothing is left behind -------------------------------------------------------------------

@pytest.mark.parametrize("args", [
    ["-r", "/nonexistent/capture"], ["-r", "/dev/null"],
    ["-f", "zeek", "-r", "/nonexistent/capture"],
    pytest.param(["nosuch0"], marks=LIVE), pytest.param(["--check", "lo"], marks=LIVE),
    pytest.param(["--check", "-f", "zeek", "lo"], marks=LIVE),
    pytest.param(["--hook", "xdp-native", "lo"], marks=LIVE),
    pytest.param(["--metrics", "{folder}/no/such", "lo"], marks=LIVE),
    pytest.param(["--user", "nosuchuser", "lo"], marks=LIVE)], ids=" ".join)
def test_no_log_is_left(tmp_path, args):
    """By a start that fails, or is tried; and nothing is written into one that is there."""
    (tmp_path / "there").write_text("as it was\n")
    for name in "log", "there":
        code, out, lines = run(*[word.format(folder=tmp_path) for word in args],
                               "-o", tmp_path / name)
        assert out == "" and len(lines) == 1 and bool(code) == ("--check" not in args)
    assert os.listdir(tmp_path) == ["there"]
    assert (tmp_path / "there").read_text() == "as it was\n"


@pytest.mark.parametrize("args", [["-r", SERVERS], pytest.param(["--check", "lo"], marks=LIVE),
                                  pytest.param(["lo"], marks=LIVE)], ids=" ".join)
@pytest.mark.parametrize("name", ["no/such/directory", ".", "new/"])
def test_a_log_that_cannot_be_written(tmp_path, args, name):
    code, out, lines = run("-o", name, *args, cwd=tmp_path)
    assert (code, out, len(lines)) == (1, "", 1), lines
    check_line(lines[0], [f"-o {name}"])
    assert os.listdir(tmp_path) == []


def test_a_log_without_records_is_made(tmp_path):
    """What was read had no banners: that is a result."""
    empty = tmp_path / "empty"
    empty.write_bytes(packets.pcap([]))
    assert run("-o", tmp_path / "log", "-r", empty) == (0, "", [])
    assert (tmp_path / "log").read_bytes() == b""


@LIVE
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


@LIVE
def test_a_user_that_there_is_not():
    code, _, lines = run("--user", "nosuchuser", "lo")
    assert (code, len(lines)) == (2, 1)
    check_line(lines[0], ["--user nosuchuser", "/etc/passwd"])


# --- interfaces -------------------------------------------------------------------------------

@LIVE
def test_interface_by_an_option(net):
    with netns.Probe(net.host, "-i", "veth0", "--interface=lo", interfaces=2) as probe:
        assert set(probe.hooks) == {"veth0", "lo"}
        assert probe.stop() == []


@LIVE
def test_patterns_without_a_match_are_named(net):
    with netns.Probe(net.host, "veth*", "ppp*", "wg?", "veth0") as probe:
        assert probe.stop() == []
    told = [line for line in probe.stderr if "matches" in line]
    assert [line.split(":")[1].strip() for line in told] == ["ppp*", "wg?"]


@LIVE
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


@LIVE
@pytest.mark.parametrize("mode", ["xdpdrv", "xdpgeneric"])
@pytest.mark.parametrize("hook", ["xdp", "xdp-native", "xdp-generic"])
def test_check_where_another_program_is(net, trivial, mode, hook):
    net.host.ip("link", "set", "dev", "veth0", mode, "obj", trivial, "sec", "xdp")
    before = netns.attached(net.host, "veth0")
    checked = net.host.run(BINARY, "--check", "--hook", hook, "veth0")
    assert netns.attached(net.host, "veth0") == before
    assert "another XDP program" in checked.stderr
    assert checked.returncode == (0 if hook == "xdp" else 3)


@LIVE
def test_check_attaches_no_native_xdp(net):
    """It would reset the link of some devices: bpf(2) is not asked to."""
    done = net.host.run("strace", "-f", "-e", "trace=bpf", "-o", "/dev/stdout", BINARY, "--check",
                        "--hook", "xdp-native", "veth0")
    links = re.findall(r"BPF_LINK_CREATE, .*attach_type=(\w+)", done.stdout)
    assert "receive native XDP" in done.stderr
    assert links and not [kind for kind in links if "XDP" in kind], done.stdout


@LIVE
def test_check_leaves_no_clsact(net):
    done = net.host.run(BINARY, "--check", "veth0", env={**os.environ, "BANNERPROBE_TC": "clsact"})
    assert "veth0: would attach: receive clsact, transmit clsact" in done.stderr
    assert netns.attached(net.host, "veth0") == []


# --- counters ---------------------------------------------------------------------------------

LINE = re.compile(r"bannerprobe: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d packets (\d+) \(\+(\d+)\)(.*): (.*)")


@LIVE
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


@LIVE
def test_counters_when_asked_without_an_option(net):
    with netns.Probe(net.host, "veth0") as probe:
        probe.send(signal.SIGUSR1)
        probe.error_line("^packets +")
        probe.stop()
    assert sum(line.startswith("packets ") for line in probe.stderr) == 1


@LIVE
def test_counters_tell_of_losses(net):
    """A full disk, from one line to the next."""
    with Server(net.peer, "10.99.0.2") as server, \
            netns.Probe(net.host, "-o", "/dev/full", "--stats=1", "veth0") as probe:
        listen_to(net.host, server)
        assert "LOST: lost_output 1 (+1)" in probe.error_line(r"packets \d+ .*LOST")
        assert "nothing lost this time, before: lost_output 1 (+0)" in \
            probe.error_line(r"packets \d+ .*before")


@LIVE
def test_counters_as_json(net):
    """One object a line, with one of each interface; what it is called is escaped."""
    netns.sh("ip", "-n", net.host.name, "link", "add", b'a\\"\x1b\xff', "type", "veth")
    with Server(net.peer, "10.99.0.2") as server, \
            netns.Probe(net.host, "--stats=1", "--stats-format=json", "veth0", "a*", interfaces=0) as probe:
        probe.error_line("attached")
        probe.error_line("attached")
        listen_to(net.host, server)
        interval = json.loads(probe.error_line('"banners":1'))
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


def test_counters_of_a_capture_as_json():
    code, _, lines = run("--stats", "--stats-format", "json", "-r", SERVERS)
    told = json.loads(lines[-1])
    assert code == 0 and len(lines) == 1
    assert told["packets"] > told["connections"] > told["banners"] == told["logged"] == 17
    assert "interfaces" not in told
