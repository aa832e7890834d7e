# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is installed beside the program: man page, completion, unit, logrotate's part."""

import contextlib
import glob
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile

import pytest

import netns
import servers
from netns import BINARY, PATIENCE, ROOT, sh
from test_privileges import NOBODY, with_capabilities

PACKAGING = os.path.join(ROOT, "packaging")
MAN_PAGE = os.path.join(PACKAGING, "bannerprobe.8")
COMPLETION = os.path.join(PACKAGING, "bannerprobe.bash")
UNIT = os.path.join(PACKAGING, "bannerprobe@.service")
LOGROTATE = os.path.join(PACKAGING, "bannerprobe.logrotate")
SYSUSERS = os.path.join(PACKAGING, "bannerprobe.sysusers")
MOST_EXPOSURE = 2.0


def read(path):
    with open(path) as file:
        return file.read()


@pytest.fixture(scope="module")
def options():
    """All options in --help, as they are written on a command line."""
    found = re.findall(r"^ +(?:(-\w), )?(--[\w-]+)", sh(BINARY, "--help"), re.MULTILINE)
    assert len(found) > 9, found
    return {option for pair in found for option in pair if option}


# --- man page ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def manual():
    """The man page as it is read, without overstriking."""
    return re.sub(".\x08", "", sh("mandoc", "-T", "ascii", MAN_PAGE))


def test_man_page_has_no_errors():
    # Which other pages are there is a matter of the machine.
    told = subprocess.run(["mandoc", "-T", "lint", MAN_PAGE], capture_output=True, text=True)
    assert told.returncode < 5, told.stderr  # 5: there is no such page
    assert not [line for line in told.stdout.splitlines() if "manual not found" not in line]


def test_man_page_has_all_options(manual, options):
    assert options <= set(re.findall(r"(?<!\S)--?\w[\w-]*", manual))


def test_synopsis_has_all_options(manual, options):
    """By their short names, where they have some."""
    synopsis = manual[manual.index("SYNOPSIS"):manual.index("DESCRIPTION")]
    short = dict(re.findall(r"^ +(-\w), (--[\w-]+)", netns.sh(netns.BINARY, "--help"), re.M))
    names = {o for o in options if o.startswith("--")} - set(short.values()) | set(short)
    missing = {o for o in names if not re.search(rf"(?<![\w-]){o}(?![\w-])", synopsis)}
    assert not missing


def test_man_page_has_all_counters(manual):
    text = " ".join(manual.split())
    counters = re.findall(r'X\(\w+,\s*"(\w+)",\s*"([^"]+)"\)',
                          read(os.path.join(ROOT, "include/counters.h")).replace("\\\n", " "))
    assert len(counters) > 20
    assert not [pair for pair in counters if " ".join(pair) not in text]


def test_man_page_has_all_variables(manual):
    source = "".join(read(path) for path in glob.glob(f"{ROOT}/user/**/*.c", recursive=True))
    variables = set(re.findall(r'"(BANNERPROBE_\w+|NOTIFY_\w+)"', source))
    assert variables and variables <= set(re.findall(r"\w+", manual))


# --- bash completion --------------------------------------------------------------------------

def complete(line, cwd=ROOT):
    """What bash offers at the end of this line; it takes a = for a word of its own."""
    words = re.findall(r"=|[^\s=]+|(?<=\s)$", line)
    script = f"""
        . /usr/share/bash-completion/bash_completion
        . {shlex.quote(COMPLETION)}
        COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1} COMP_TYPE=9
        COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}
        _bannerprobe {shlex.join([BINARY, words[-1], words[-2]])}
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """
    # Called like this compopt complains; what counts is what COMPREPLY holds.
    done = subprocess.run(["bash", "-c", script], cwd=cwd, timeout=PATIENCE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return set(done.stdout.split("\n")) - {""}


def test_completes_options(options):
    offered = {option.rstrip("=") for option in complete("bannerprobe -")}
    assert offered == {option for option in options if option.startswith("--")}
    assert complete("bannerprobe --max-f") == {"--max-flows="}


@pytest.mark.parametrize("short, option, message", [
    ("-f ", "--format", "the format is"), ("--hook ", "--hook", "the hook is"),
    ("--events ", "--events", "the events are"),
    ("--stats-format ", "--stats-format", "the format of counters is")])
def test_completes_values_that_the_program_takes(short, option, message):
    values = complete(f"bannerprobe {short}")
    assert values and values == complete(f"bannerprobe {option}=")
    for value in values:
        told = subprocess.run([BINARY, f"{option}={value}"], capture_output=True, text=True)
        assert "no interface" in told.stderr and message not in told.stderr


def test_completes_the_last_word_of_a_list():
    for line in "--events ", "--events=":
        assert complete(f"bannerprobe {line}banner,re") == {"banner,request", "banner,response", "banner,reply"}
    assert complete("bannerprobe --decap=vxlan:4789,mpls,g") == {"vxlan:4789,mpls,geneve", "vxlan:4789,mpls,gre"}


def test_completes_interfaces():
    interfaces = {name for _, name in socket.if_nameindex()}
    for line in "", "-v --stats ", "--hook=tc ":
        assert complete(f"bannerprobe {line}") == interfaces, line
    assert complete("bannerprobe -f json l") == {name for name in interfaces if name[0] == "l"}


@pytest.mark.parametrize("line", ["-r ", "-r one.pcap ", "--read=", "--read=x -f json ",
                                  "-o ", "--output="])
def test_completes_files(tmp_path, line):
    names = {"one.pcap", "other.pcapng"}
    for name in names:
        (tmp_path / name).touch()
    assert complete(f"bannerprobe {line}", tmp_path) == names


@pytest.mark.parametrize("line", ["-l ", "--length=", "--max-flows ", "--stats="])
def test_offers_nothing_for_numbers(line):
    assert not complete(f"bannerprobe {line}")


# --- systemd ----------------------------------------------------------------------------------

def test_unit_is_hardened():
    told = sh("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
    exposure = float(re.search(r"Overall exposure level for .*: (\d+\.\d+)", told)[1])
    assert exposure <= MOST_EXPOSURE, told


def test_unit_is_understood(tmp_path):
    # What it starts must be where it says, so the unit is looked at with another path.
    unit = tmp_path / "bannerprobe@.service"
    unit.write_text(read(UNIT).replace("/usr/sbin/bannerprobe", BINARY)
                    .replace("man:bannerprobe(8)", f"file:{MAN_PAGE}"))
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert "bannerprobe" not in told.stderr, told.stderr


def test_user_of_the_unit_is_made(tmp_path):
    """By what the package installs: with a group of that name."""
    user = re.search("^User=(.+)$", read(UNIT), re.MULTILINE)[1]
    (tmp_path / "etc").mkdir()
    sh("systemd-sysusers", f"--root={tmp_path}", "--replace=/usr/lib/sysusers.d/bannerprobe.conf", SYSUSERS)
    for name in "passwd", "group":
        assert re.search(f"^{user}:", read(tmp_path / "etc" / name), re.MULTILINE)


def unit_command(folder, options):
    """What the unit starts on veth0, with directories below the folder."""
    found = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", read(UNIT), re.MULTILINE)[1].replace("\\\n", " ")
    for specifier in "SLt":
        found = found.replace(f"%{specifier}", str(folder))
    return shlex.split(found.replace("$BANNERPROBE_OPTIONS", options).replace("%i", "veth0"))[1:]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")
@pytest.mark.parametrize("options, logged", [("", ["change"]), ("--log all --events banner", ["banner", "change"])])
def test_unit_keeps_an_inventory(net, options, logged):
    """As its user, with its umask: the group may read the inventory, and nobody else; the log has what changed."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in "bannerprobe", "bannerprobe/veth0":
            os.mkdir(os.path.join(folder, name), 0o750)
            os.chown(os.path.join(folder, name), NOBODY.pw_uid, NOBODY.pw_gid)
        path = os.path.join(folder, "bannerprobe")
        capabilities = re.search("^AmbientCapabilities=(.+)$", read(UNIT), re.MULTILINE)[1].lower()
        as_user = with_capabilities(name.removeprefix("cap_") for name in capabilities.split())
        umask = re.search("^UMask=(.+)$", read(UNIT), re.MULTILINE)[1]
        with servers.Server(net.host, "10.99.0.1", port=22) as server, netns.Probe(
                net.host, *unit_command(folder, options),
                before=[*as_user, "sh", "-c", f'umask {umask}; exec "$@"', "sh"]
                ) as probe:
            servers.listen_to(net.peer, server)
            netns.wait_for("a change", lambda: "change" in read(os.path.join(path, "veth0.json")))
            netns.wait_for("a transaction", lambda: os.path.getsize(os.path.join(path, "inventory.db-wal")))
            found = {name: os.stat(os.path.join(path, name)).st_mode & 0o777 for name in os.listdir(path)}
            probe.stop()
        records = [json.loads(line) for line in read(os.path.join(path, "veth0.json")).splitlines()]
        assert sorted(record["event"] for record in records) == logged
    assert {name: mode for name, mode in found.items() if name.startswith("inventory.db")} == {
        "inventory.db": 0o640, "inventory.db-wal": 0o640, "inventory.db-shm": 0o640}
    assert found["veth0.json"] == 0o600


@pytest.mark.parametrize("name", ["{folder}/notify", "@bannerprobe-test-{pid}"])
def test_tells_systemd_when_it_is_ready_and_when_it_ends(net, tmp_path, name):
    name = name.format(folder=tmp_path, pid=os.getpid())
    with net.host.entered():		# abstract names belong to a network namespace
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(PATIENCE)
    manager.bind(name.replace("@", "\0"))
    with manager, servers.Server(net.peer, "10.99.0.2") as server, \
            netns.Probe(net.host, "-f", "json", "veth0", env={"NOTIFY_SOCKET": name}) as probe:
        assert manager.recv(4096) == b"READY=1"
        # Ready means that nothing is missed from now on.
        servers.listen_to(net.host, server)
        assert len(probe.stop()) == 1
        assert manager.recv(4096) == b"STOPPING=1"


@contextlib.contextmanager
def watched(net, folder, **env):
    """A probe, and the socket of a manager whose watchdog waits for two seconds."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(folder / "notify"))
    manager.settimeout(PATIENCE)
    with manager, netns.Probe(net.host, "veth0", env={
            "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "2000000", **env}) as probe:
        assert manager.recv(4096) == b"READY=1"
        yield probe, manager


@pytest.mark.parametrize("which", ["attacher", "reader"])
def test_watchdog_hears_of_both_processes(net, tmp_path, which):
    """And of neither, once one of them hangs."""
    with watched(net, tmp_path) as (probe, manager):
        for _ in range(2):
            assert manager.recv(4096) == b"WATCHDOG=1"
        pid = probe.process.pid if which == "attacher" else probe.reader()
        os.kill(pid, signal.SIGSTOP)
        manager.settimeout(3)
        with pytest.raises(TimeoutError):
            for _ in range(3):		# one or two may be under way
                manager.recv(4096)
        os.kill(pid, signal.SIGCONT)
        manager.settimeout(PATIENCE)
        assert manager.recv(4096) == b"WATCHDOG=1"
        assert probe.stop() == []


def test_watchdog_of_another_process(net, tmp_path):
    with watched(net, tmp_path, WATCHDOG_PID=str(os.getpid())) as (probe, manager):
        manager.settimeout(2.5)		# an own one would have come after one second
        with pytest.raises(TimeoutError):
            manager.recv(4096)
        assert probe.stop() == []


@pytest.mark.parametrize("name", ["/nonexistent/notify", "relative", "/" + 200 * "x", ""])
def test_goes_on_without_a_manager(net, name):
    with netns.Probe(net.host, "-f", "json", "veth0", env={"NOTIFY_SOCKET": name}) as probe:
        assert probe.stop() == []
        assert "NOTIFY_SOCKET" in probe.stderr[0] and len(probe.stderr) == 2


# --- packages ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name, pattern", [
    ("packaging/bannerprobe.spec", r"^Version: +(\S+)$"),
    ("packaging/bannerprobe.spec", r"^%changelog\n\* .* - (\S+)-1$"),
    ("packaging/Containerfile", r"bannerprobe:(\S+)"), ("docs/containers.md", r"bannerprobe:(\d\S+)"),
    ("packaging/kubernetes/daemonset.yaml", r"image: bannerprobe:(\S+)"),
    ("packaging/kubernetes/kustomization.yaml", r"newTag: (\S+)"),
    ("CHANGELOG.md", r"\A.*\n\n## (\S+), ")])
def test_files_are_of_this_version(name, pattern):
    """The Makefile's, by which Debian's changelog is written and the program is compiled."""
    version = re.search(r"^VERSION := (\S+)$", read(os.path.join(ROOT, "Makefile")), re.M)[1]
    assert set(re.findall(pattern, read(os.path.join(ROOT, name)), re.M)) == {version}
    assert sh(BINARY, "--version").split()[:2] == ["bannerprobe", version]


# --- logrotate --------------------------------------------------------------------------------

def test_logrotate_takes_its_part(tmp_path):
    # The state file is the one thing that a trial run looks for.
    done = subprocess.run(["logrotate", "-d", "-s", tmp_path / "state", LOGROTATE],
                          capture_output=True, text=True, timeout=PATIENCE)
    told = done.stdout + done.stderr
    assert done.returncode == 0 and "error" not in told, told
    assert "/var/log/bannerprobe/*.json" in told


def test_logrotate_leaves_logs_with_two_names(tmp_path):
    """As bannerprobe-rotate makes them: it rotates those itself."""
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o755)
    for name in "eth0.json", "eth1.json":
        (logs / name).write_text("a record\n")
    os.link(logs / "eth1.json", logs / "eth1.json-20261123T062500")
    part = re.sub(r"\tpostrotate.*?endscript\n", "", read(LOGROTATE), flags=re.DOTALL)
    (tmp_path / "part").write_text(part.replace("/var/log/bannerprobe", str(logs)))
    done = subprocess.run(["logrotate", "--force", "-s", tmp_path / "state", tmp_path / "part"],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(logs)) == ["eth0.json.1", "eth1.json", "eth1.json-20261123T062500"]


def test_logrotate_rotates_what_the_unit_writes():
    unit = read(UNIT)
    directory = re.search(r"^LogsDirectory=(.+)$", unit, re.MULTILINE)[1]
    name = re.search(rf"-o %L/{directory}/%i(\S+)", unit)[1]
    assert f"/var/log/{directory}/*{name} {{" in read(LOGROTATE)


# --- installing -------------------------------------------------------------------------------

def files_below(directory):
    return {os.path.relpath(os.path.join(place, name), directory)
            for place, _, names in os.walk(directory) for name in names}


@pytest.mark.parametrize("prefix", ["/usr", "/opt/bannerprobe"])
def test_install_and_uninstall(tmp_path, prefix):
    def make(target):
        sh("make", "-C", ROOT, "-o", "bannerprobe", "-o", "bannerprobe-inventory", target,
           f"DESTDIR={tmp_path}", f"PREFIX={prefix}")

    other = tmp_path / prefix[1:] / "sbin/other"
    other.parent.mkdir(parents=True)
    other.touch()
    make("install")
    below = prefix[1:]
    assert files_below(tmp_path) == {
        f"{below}/sbin/bannerprobe", f"{below}/sbin/other",
        f"{below}/share/man/man8/bannerprobe.8",
        f"{below}/share/bash-completion/completions/bannerprobe",
        f"{below}/bin/bannerprobe-inventory", f"{below}/share/man/man1/bannerprobe-inventory.1",
        f"{below}/share/bash-completion/completions/bannerprobe-inventory",
        f"{below}/lib/systemd/system/bannerprobe@.service", f"{below}/lib/sysusers.d/bannerprobe.conf",
        "etc/logrotate.d/bannerprobe",
        *(f"{below}/share/bannerprobe/rules/{name}" for name in os.listdir(os.path.join(PACKAGING, "rules")))}
    assert sh(tmp_path / below / "sbin/bannerprobe", "--version") == sh(BINARY, "--version")
    unit = read(tmp_path / below / "lib/systemd/system/bannerprobe@.service")
    assert f"ExecStart={prefix}/sbin/bannerprobe " in unit
    make("uninstall")
    assert files_below(tmp_path) == {f"{below}/sbin/other"}
