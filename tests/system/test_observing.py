# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What an operator sees of it: metrics for Prometheus, lines on a terminal, and a picture of them."""

import contextlib
import itertools
import json
import os
import pty
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
from xml.etree import ElementTree

import pytest

import netns
import packets
import picture
from netns import BINARY, PATIENCE, ROOT, Probe, wait_for
from servers import Server, ask, listen_to

LIVE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")


# --- metrics ----------------------------------------------------------------------------------

def metrics(file):
    """The file's values by name with labels."""
    lines = file.read_text().splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def of_probe(probe, values):
    """Those of one probe, without the label that says so."""
    label = f'probe="{probe}"'
    return {name.replace(label + ",", "").replace("{" + label + "}", ""): value
            for name, value in values.items() if label in name}


@contextlib.contextmanager
def measured(net, file, *args):
    """A probe with metrics that has seen a banner, and a client that spoke first."""
    with Server(net.host, "10.99.0.1") as greeter, Server(net.host, "10.99.0.1", None) as mute, \
            Probe(net.host, "-f", "json", "--metrics", file, *args, "veth0") as probe:
        listen_to(net.peer, greeter)
        ask(net.peer, mute)
        probe.line()
        yield probe


@LIVE
@pytest.mark.parametrize("user", ["nobody", "root"])
def test_metrics(net, tmp_path, user):
    """Written at the start and at the end, where only root may, whoever it is by then."""
    tmp_path.chmod(0o700)
    file = tmp_path / "bannerprobe.prom"
    with measured(net, file, "--user", user) as probe:
        wait_for("the first metrics", file.exists)
        inode = file.stat().st_ino
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert file.stat().st_ino != inode and os.listdir(tmp_path) == [file.name]
    value = of_probe("veth0", metrics(file))
    assert value["bannerprobe_connections_total"] == 2
    assert value['bannerprobe_connections_decided_total{reason="banners"}'] == 1
    assert value['bannerprobe_connections_decided_total{reason="client_first"}'] == 1
    assert value["bannerprobe_records_logged_total"] == 1
    assert value['bannerprobe_banners_lost_total{where="ring"}'] == 0
    assert value['bannerprobe_interface_banners_total{interface="veth0"}'] == 1
    of_veth0 = '{interface="veth0",reason="%s"}'
    assert value["bannerprobe_interface_connections_total" + of_veth0 % "connections"] == 2
    for outcome in "banners", "client_first":
        assert value["bannerprobe_interface_connections_decided_total" + of_veth0 % outcome] == 1
    for direction in "in", "out":
        key = f'bannerprobe_interface_packets_total{{interface="veth0",direction="{direction}"}}'
        assert 8 <= value[key] < 200


def connections(file):
    """Of all interfaces."""
    [value] = [value for key, value in metrics(file).items()
               if key.startswith("bannerprobe_connections_total")]
    return value


def connections_by_interface(file):
    """Of each interface that is counted for itself."""
    name = "bannerprobe_interface_connections_total"
    return {re.search('interface="(.*?)"', key)[1]: value for key, value in metrics(file).items()
            if key.startswith(name)}


def counted_by_interface(net, file, *ifaces):
    """Of each interface the connections, once a probe of them has ended that saw two and one."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(net.host, f"10.99.{i}.1")) for i in (0, 1)]
        probe = stack.enter_context(
            Probe(net.host, "--metrics", str(file), *ifaces, interfaces=len(ifaces)))
        for i in 0, 0, 1:
            listen_to(net.peers[i], servers[i])
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    return connections_by_interface(file)


@LIVE
def test_metrics_by_interface(net2, tmp_path):
    assert counted_by_interface(net2, tmp_path / "one.prom", "veth0", "veth1") == \
        {"veth0": 2, "veth1": 1}


SLOT_PLACES = 1 << 16		# of two interfaces with indexes that differ by it, one has a slot


@LIVE
def test_metrics_of_one_interface_too_many(net2, tmp_path):
    """They are left out, since they are not known; the others are there, and the sum is."""
    [link] = json.loads(net2.host.ip("-j", "link", "show", "veth1"))
    net2.host.ip("link", "add", "twin", "index", str(link["ifindex"] + SLOT_PLACES), "type", "veth")
    net2.host.ip("link", "set", "twin", "up")
    file = tmp_path / "two.prom"
    told = counted_by_interface(net2, file, "veth0", "twin", "veth1")
    assert told in ({"veth0": 2, "twin": 0}, {"veth0": 2, "veth1": 1})
    assert connections(file) == 3


@LIVE
@pytest.mark.parametrize("offset", [1000, SLOT_PLACES])
def test_metrics_after_another_has_come_and_gone(net, tmp_path, offset):
    """What it has had is not the interface's own, and stays in the sum."""
    [link] = json.loads(net.host.ip("-j", "link", "show", "veth0"))
    file = tmp_path / "after.prom"
    with Server(net.host, "0.0.0.0") as server, \
            Probe(net.host, "--metrics", str(file), "veth0", "twin*") as probe:
        listen_to(net.peer, server, "10.99.0.1")
        for _ in range(2):
            net.host.ip("link", "add", "twin", "index", str(link["ifindex"] + offset), "type", "veth",
                        "peer", "name", "other", "netns", net.peer.name)
            net.configure(net.host, "twin", 7, 1)
            net.configure(net.peer, "other", 7, 2)
            probe.error_line("twin: attached: ")
            for _ in range(3):
                listen_to(net.peer, server, "10.99.7.1")
            net.host.ip("link", "del", "twin")
            probe.error_line("twin: the interface was deleted")
            listen_to(net.peer, server, "10.99.0.1")
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert connections_by_interface(file) == {"veth0": 3}
    assert connections(file) == 9


@LIVE
def test_nothing_is_lost_of_others_while_some_go(net, tmp_path):
    """What is seen on one that has no slot is counted while those of others are added up."""
    [link] = json.loads(net.host.ip("-j", "link", "show", "veth0"))
    net.host.ip("link", "add", "twin", "index", str(link["ifindex"] + SLOT_PLACES), "type", "veth")
    net.host.ip("link", "set", "twin", "up")
    batch = tmp_path / "batch"
    batch.write_text("".join(f"link add x{i} type veth peer name y{i}\nlink del x{i}\n"
                             for i in range(40)))
    malformed = b"\2" * 12 + bytes(packets.ethernet(packets.Connection().syn()))[12:-8]
    with Probe(net.host, "--stats", "veth0", "twin", "x*", interfaces=2) as probe, \
            net.host.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender, \
            subprocess.Popen(net.host.argv("ip", "-batch", batch)) as churn:
        sender.bind(("twin", 0))
        for sent in itertools.count():
            if churn.poll() is not None:
                break
            sender.send(malformed)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert packets.counters("\n".join(probe.stderr).encode())["malformed"] == sent > 10000


@LIVE
def test_metrics_of_an_interface_that_came_back(net, tmp_path):
    """It goes on counting where it has ended: a counter must not fall."""
    file = tmp_path / "back.prom"
    with Server(net.peer, "10.99.0.2") as server, \
            Probe(net.host, "--metrics", str(file), "veth0") as probe:
        listen_to(net.host, server)
        net.host.ip("link", "del", "veth0")
        probe.error_line("waiting for it")
        net.join(0, net.peer)
        probe.error_line("veth0: attached: ")
        listen_to(net.host, server)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert connections_by_interface(file) == {"veth0": 2}
    assert connections(file) == 2


@LIVE
def test_metrics_of_a_container_host(net, tmp_path):
    """Each of its interfaces is counted for itself, whatever its index."""
    names = [f"c{i}" for i in range(80)]
    for name in names:
        net.host.ip("link", "add", name, "type", "veth", "peer", "name", f"x{name}")
    file = tmp_path / "many.prom"
    with Probe(net.host, "--metrics", str(file), "c*", interfaces=len(names)) as probe:
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert set(connections_by_interface(file)) == set(names)


@LIVE
def test_metrics_are_sound(net, tmp_path, unpacked):
    """What Prometheus' own checker says of them."""
    promtool = unpacked("prometheus") + "/usr/bin/promtool"
    file = tmp_path / "bannerprobe.prom"
    with measured(net, file) as probe:
        probe.send(signal.SIGTERM)
        probe.ended()
    done = subprocess.run([promtool, "check", "metrics"], input=file.read_text(), text=True,
                          capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@LIVE
def test_metrics_of_an_interface_with_an_odd_name(net, tmp_path):
    """A byte that is not UTF-8 would make all of it invalid; in a record it is written so, too."""
    file = tmp_path / "odd.prom"
    netns.sh("ip", "-n", net.host.name, "link", "add", b'a\\"\xff', "type", "veth")
    with Probe(net.host, "--metrics", file, "a*") as probe:
        probe.send(signal.SIGTERM)
        probe.ended()
    name = r'interface="a\\\\\"\\xff"'
    assert f'bannerprobe_interface_banners_total{{probe="a*",{name}}}' in metrics(file)


@contextlib.contextmanager
def node_exporter(ns, program, folder):
    """What node_exporter answers to a scrape, for the files in a folder."""
    argv = ns.argv(program, "--web.listen-address=10.99.0.1:9100", "--collector.disable-defaults",
                   "--collector.textfile", f"--collector.textfile.directory={folder}")

    def scrape():
        with ns.entered(), socket.create_connection(("10.99.0.1", 9100), PATIENCE) as client:
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        assert " 200 OK" in answer.splitlines()[0], answer
        return answer

    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if "Listening on" in line:
                    break
            yield scrape
        finally:
            process.kill()


@LIVE
def test_metrics_of_two_probes_in_one_collector(net2, tmp_path, unpacked):
    """As of two instances of the unit: node_exporter refuses what two files tell alike."""
    program = unpacked("prometheus-node-exporter") + "/usr/bin/prometheus-node-exporter"
    tmp_path.chmod(0o755)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(net2.host, f"10.99.{i}.1")) for i in (0, 1)]
        files = [tmp_path / f"veth{i}" / f"veth{i}.prom" for i in (0, 1)]
        for file in files:
            file.parent.mkdir()
        probes = [stack.enter_context(Probe(net2.host, "--metrics", file, file.stem))
                  for file in files]
        for i in 0, 0, 1:
            listen_to(net2.peers[i], servers[i])
        for probe in probes:
            probe.send(signal.SIGTERM)
            assert probe.ended() == 0
    with node_exporter(net2.host, program, tmp_path / "*") as scrape:
        told = scrape()
    for name, count in ("veth0", 2), ("veth1", 1):
        assert f'bannerprobe_connections_total{{probe="{name}"}} {count}\n' in told
    assert "node_textfile_scrape_error 0\n" in told and "was collected before" not in told


@LIVE
def test_metrics_of_two_probes_in_one_file(net, tmp_path):
    """A mistake; but whoever reads it finds one whole page, and nothing is left beside it."""
    file = tmp_path / "shared.prom"
    with Probe(net.host, "--metrics", file, "veth0") as one, \
            Probe(net.host, "--metrics", file, "veth*") as other:
        for probe in one, other:
            probe.send(signal.SIGTERM)
        assert (one.ended(), other.ended()) == (0, 0)
        assert not one.stderr[1:] and not other.stderr[1:]
    assert len({re.search('probe="(.*?)"', key)[1] for key in metrics(file)}) == 1
    assert os.listdir(tmp_path) == [file.name]


@LIVE
def test_others_may_read_the_metrics(net, tmp_path):
    """Whatever the umask: node_exporter is another user."""
    file = tmp_path / "bannerprobe.prom"
    with Probe(net.host, "--metrics", file, "veth0", before=["sh", "-c", 'umask 077; exec "$@"', "-"]):
        wait_for("the metrics", file.exists)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def refusal(net, *args, code=1):
    """The one line with which a start ends that cannot write its metrics."""
    done = net.host.run(BINARY, *args, "veth0")
    assert (done.returncode, done.stdout) == (code, ""), done
    [line] = done.stderr.splitlines()
    return line


@LIVE
def test_metrics_replace_no_log(net, tmp_path):
    """One file for both, by mistake and under two names: the records stay."""
    file, link = tmp_path / "one", tmp_path / "link"
    link.symlink_to(file)
    file.write_text("a record\n")
    assert f"--metrics {link}: " in refusal(net, "-o", file, "--metrics", link, code=2)
    assert file.read_text() == "a record\n" and set(os.listdir(tmp_path)) == {"one", "link"}


@LIVE
@pytest.mark.parametrize("there", ["directory", "dangling link"])
def test_metrics_leave_what_is_there(net, tmp_path, there):
    """Which may be /dev/stdout: a link that leads nowhere for a process without."""
    file = tmp_path / "bannerprobe.prom"
    file.mkdir() if there == "directory" else file.symlink_to("nowhere")
    assert f"--metrics {file}: " in refusal(net, "--metrics", file)
    assert (file.is_dir() or file.is_symlink()) and os.listdir(tmp_path) == [file.name]


@LIVE
@pytest.mark.parametrize("user", ["nobody", "root"])
def test_metrics_on_a_full_disk(net, tmp_path, user):
    """Said; what was there stays whole, and nothing else is left."""
    with contextlib.ExitStack() as stack:
        netns.sh("mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", tmp_path)
        stack.callback(netns.sh, "umount", tmp_path)
        (tmp_path / "ballast").write_bytes(bytes(4096))
        file = tmp_path / "bannerprobe.prom"
        file.write_text("before 1\n")
        with Probe(net.host, "--user", user, "--metrics", file, "veth0") as probe:
            probe.send(signal.SIGTERM)
            assert probe.ended() == 0
        assert file.read_text() == "before 1\n"
        assert sorted(os.listdir(tmp_path)) == ["ballast", file.name]
    assert sum(f"{file}: No space left" in line for line in probe.stderr) == 1


@LIVE
def test_metrics_that_cannot_be_written(net, tmp_path):
    """Said at the start, which is the end; later said once, and it goes on logging."""
    folder = tmp_path / "folder"
    assert "such.prom: No such file" in refusal(net, "--metrics", folder / "such.prom")
    folder.mkdir()
    with measured(net, folder / "such.prom") as probe:
        wait_for("the metrics", lambda: os.listdir(folder) == ["such.prom"])
        shutil.rmtree(folder)
        probe.send(signal.SIGTERM)
        assert probe.ended() == 0
    assert sum("such.prom" in line for line in probe.stderr) == 1


@LIVE
def test_metrics_replace_no_device(net, tmp_path):
    """Root could: a run that writes them to /dev/null must not leave another file there."""
    null = tmp_path / "null"
    os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    assert f"--metrics {null}: " in refusal(net, "--metrics", null)
    assert null.is_char_device() and os.listdir(tmp_path) == ["null"]


def test_metrics_are_for_interfaces():
    done = packets.probe("--metrics", "x", "-r", "y")
    assert done.returncode == 2 and b"--metrics" in done.stderr


def test_dashboard_asks_for_metrics_that_there_are():
    """And for all of them: what nobody looks at would be written in vain."""
    sources = "user/stats/metrics.c", "user/stats/losses.c"
    written = set()
    for name in sources:
        with open(os.path.join(ROOT, name)) as file:
            written |= set(re.findall(r'"((?:\w+_total)|connections_open|services|build_info)"', file.read()))
    with open(os.path.join(ROOT, "packaging", "grafana.json")) as file:
        asked = set(re.findall(r"bannerprobe_(\w+)", json.dumps(json.load(file))))
    assert asked == written


@LIVE
def test_nothing_is_evicted_while_there_is_room(net):
    """Connections that are decided while the counters are read are not taken for evicted ones."""
    talks = [packets.Connection(("203.0.113.9", 1024 + i), ("192.0.2.1", 25)) for i in range(200)]
    steps = zip(*([bytearray(packets.ethernet(packet)) for packet in talk.greeted(b"hi")]
                  for talk in talks))
    frames = [(frame, 26 if step in (0, 2) else 30) for step, all_ in enumerate(steps)
              for frame in all_]		# all open at once; where the client's address is
    with net.peer.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link, \
            Probe(net.host, "-o", "/dev/null", "--max-flows", "262144", "--stats=1",
                  "veth0") as probe:
        link.bind(("peer0", 0))
        for n in itertools.count():
            for frame, client in frames:
                frame[client:client + 4] = struct.pack("!I", 0x0a000000 + n)
                link.send(frame)
            told = [line for line in list(probe.err.queue) if line and " packets " in line]
            if len(told) >= 3:
                break
    assert not any("evicted" in line for line in told), told


# --- a terminal -------------------------------------------------------------------------------

class Terminal:
    """What a program writes to a terminal."""

    def __enter__(self):
        self.master, self.slave = pty.openpty()
        self.text = ""
        return self

    def __exit__(self, *_):
        os.close(self.master)

    def read_until(self, pattern):
        while not (found := re.search(pattern, self.text)):
            self.text += os.read(self.master, 4096).decode()
        return found


@LIVE
def test_a_terminal_is_told_while_nothing_is_logged(net):
    with Terminal() as terminal, Server(net.host, "10.99.0.1") as greeter, \
            Server(net.host, "10.99.0.1", None) as mute, \
            subprocess.Popen(net.host.argv(BINARY, "veth0"), stdout=subprocess.PIPE,
                             stderr=terminal.slave, text=True) as probe:
        os.close(terminal.slave)
        terminal.read_until("attached: ")
        ask(net.peer, mute)
        terminal.read_until(r"no banner yet: \d+ packets, 1 connections")
        listen_to(net.peer, greeter)
        assert "220 hello" in probe.stdout.readline()
        terminal.read_until("\r\033\\[K$")		# the line is taken away
        probe.terminate()
        assert probe.wait(PATIENCE) == 0


@LIVE
def test_counters_do_not_follow_it_on_its_line(net):
    with Terminal() as terminal, \
            subprocess.Popen(net.host.argv(BINARY, "--stats=2", "veth0"), stdout=subprocess.PIPE,
                             stderr=terminal.slave, text=True) as probe:
        os.close(terminal.slave)
        terminal.read_until(r"no banner yet: (?s:.*)\nlogged |no banner yet: (?s:.*)\033\[Kbannerprobe: \d+-")
        probe.terminate()
        assert probe.wait(PATIENCE) == 0
    assert not re.search(r"no banner yet: [^\r]*connections  ", terminal.text)


@LIVE
def test_nothing_of_it_in_a_file(net):
    with Server(net.host, "10.99.0.1", None) as mute, Probe(net.host, "veth0") as probe:
        ask(net.peer, mute)
        probe.send(signal.SIGTERM)
        probe.ended()
    assert [line for line in probe.stderr if "attached" not in line] == []


def test_progress_of_a_long_capture(tmp_path):
    """On a terminal only, and gone at the end."""
    capture = tmp_path / "long"
    talk = packets.Connection()
    frame = packets.ethernet(talk.s("A", 100, data=b"x" * 100))
    one = packets.pcap([frame])
    capture.write_bytes(one + one[24:] * 200000)
    with Terminal() as terminal, \
            subprocess.Popen([BINARY, "-r", capture], stdout=subprocess.PIPE,
                             stderr=terminal.slave, text=True) as reader:
        os.close(terminal.slave)
        # Not wrapped, however long the name: a second row would be left behind.
        terminal.read_until(r"\033\[\?7l/[^\r\n]*long: \d+ %, \d+ packets, 0 banners\033\[\?7h")
        terminal.read_until("\r\033\\[K$")
        assert reader.wait(PATIENCE) == 0
    done = packets.probe("-r", capture)
    assert (done.returncode, done.stderr) == (0, b"")


# --- the picture of a terminal ----------------------------------------------------------------

def drawn(svg):
    """The lines of a terminal, and how wide the widest of their rows is."""
    name = "{http://www.w3.org/2000/svg}%s"
    groups = [group for group in ElementTree.fromstring(svg).iter(name % "g")
              if group.get("class", "").startswith("line")]
    rows = [["".join(row.itertext()) for row in group.iter(name % "text")] for group in groups]
    return ["".join(row) for row in rows], max(len(r) for row in rows for r in row)


def test_picture_holds_every_line():
    """Whatever was recorded is well-formed XML, wrapped, and not a letter of it is gone."""
    record = "2026-11-23 20:43:28.442954 10.99.0.2:22 -> 10.99.0.1:52116 "
    said = ["$ true && echo '<a b=\"c\">' # ]]> --> &amp; {x}", record + "SSH-2.0 <&>\"'\\x0d",
            record + "x" * 100 + " " * 50 + "y" * 100, "", " indented",
            "\x00\x1b[31m\x7f\x85\ufffe\u20ac\n\t"]
    header = {"version": 2, "width": 80, "height": 24, "timestamp": 0, "title": "a < b & \x01"}
    events = [[n / 10, "o", line + "\r\n"] for n, line in enumerate(said)]
    events.insert(3, [0.25, "i", "typed, not shown"])
    lines, width = drawn(picture.draw(*picture.recorded(map(json.dumps, [header, *events]))))
    said[-1] = r"\x00\x1b[31m\x7f\x85\xfffe\x20ac\x0a\x09"
    assert lines == said and width == 80


def test_picture_of_the_demo():
    """The one in docs: records that have their banners, what changed, the list, and an upgrade."""
    with open(os.path.join(ROOT, "docs", "demo.svg")) as file:
        svg = file.read()
    parts = "\n".join(drawn(svg)[0]).split("\n\n")
    logged, changed, listed = ([line for line in part.split("\n") if line] for part in parts)
    assert logged[0] == "$ sudo ./bannerprobe eth0" and "eth0: attached: " in logged[1]
    assert len(logged) == 8 and all(picture.ENDPOINTS.match(record) for record in logged[2:])
    assert changed[0].startswith("$ sudo ./bannerprobe --inventory ") and len(changed) == 7
    assert all(" change new 10.99.0.2:" in change for change in changed[2:])
    assert listed[0] == "$ sudo ./bannerprobe-inventory" and len(listed) == 8
    assert re.search(r" change version 10.99.0.2:22 OpenSSH \S+ .*-> OpenSSH ", listed[-1])
    assert len(svg) < 30000
