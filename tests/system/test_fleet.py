# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Probes on several hosts, rsyslog, and what collects: every record arrives, and arrives once."""

import collections
import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from netns import PATIENCE, ROOT, Network, Probe, has_open, sh, wait_for
from servers import Server, listen_often

FLEET = os.path.join(ROOT, "packaging", "fleet")
RSYSLOGD = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
MODULES = "/usr/lib/{}-linux-gnu/rsyslog/{}.so"
HOSTS = 3
BURST = 100			# connections to each host, each time
ARRIVAL = 120			# seconds: omrelp tries again only now and then
# Seconds that no test waits for.
FASTER = {'resumeInterval="5"': 'resumeInterval="1"', 'resumeIntervalMax="60"': 'resumeIntervalMax="1"'}
ONCE_A_SECOND = {'interval="60"': 'interval="1"'}


def has(module):
    return RSYSLOGD and os.path.exists(MODULES.format(os.uname().machine, module))


if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)
if not has("omrelp"):
    pytest.skip("needs rsyslogd and its RELP modules: `make test-fleet` installs them",
                allow_module_level=True)


class Rsyslog:
    """An rsyslogd of its own, by a configuration of packaging/fleet with its paths replaced."""

    def __init__(self, ns, name, config, folder, replaced):
        self.ns, self.name, self.folder = ns, name, folder
        (folder / "work").mkdir(parents=True)
        with open(os.path.join(FLEET, config)) as file:
            text = file.read().replace("/var/spool/rsyslog", str(folder / "work"))
        for old, new in {"/var/log/bannerprobe-impstats": folder / "impstats",
                         "/var/log/bannerprobe": folder, **ONCE_A_SECOND, **replaced}.items():
            assert old in text, f"{config} has no {old}"
            text = text.replace(old, str(new))
        self.config, self.pid_file = folder / "rsyslog.conf", folder / "pid"
        self.config.write_text(text)
        self.process = None

    def start(self):
        self.pid_file.unlink(missing_ok=True)		# of one that was killed
        # A host name of its own; execs all the way, so the pid is rsyslogd's.
        with open(self.folder / "messages", "a") as messages:
            self.process = subprocess.Popen(
                self.ns.argv("unshare", "--uts", "sh", "-c", 'hostname "$1"; shift; exec "$@"', "-",
                             self.name, RSYSLOGD, "-n", "-f", self.config, "-i", self.pid_file),
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)
        wait_for(f"{self.name}'s rsyslogd", self.pid_file.exists)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(PATIENCE)

    def restart(self):
        self.stop()
        self.start()

    def counter(self, object_name, counter):
        """The last value that impstats has written; None before the first."""
        path = self.folder / "impstats"
        found = re.findall(rf"{re.escape(object_name)}: .*\b{counter}=(\d+)",
                           path.read_text() if path.exists() else "")
        return int(found[-1]) if found else None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)


class Host:
    """A host: a server that greets, the probe on its one link, rsyslogd. All clients are at the
    collector."""

    def __init__(self, net, i, folder, stack, config, replaced):
        self.ns, self.name, self.clients = net.peers[i], f"host{i}", net.host
        self.rsyslog = Rsyslog(self.ns, self.name, config, folder, replaced)
        self.log, self.said = folder / "peer0.json", 0
        rotate(self.log, "true")
        self.server = stack.enter_context(Server(self.ns, f"10.99.{i}.2"))
        self.probe = stack.enter_context(Probe(
            self.ns, "-f", "json", "-o", self.log, "--stats", "peer0", stdout=subprocess.DEVNULL))
        stack.enter_context(self.rsyslog)

    def rotate(self):
        """A new file, which the next records are written to."""
        before, pid = self.log.stat().st_ino, self.probe.process.pid
        wait_for("another second, as the name shows", lambda: self.log.stat().st_ino != before
                 or rotate(self.log, "kill", "-HUP", str(pid)))
        wait_for("the new file", lambda: has_open(self.probe.reader(), self.log))

    def logged(self):
        """Every line that the probe has written, whatever the file."""
        return [line for path in sorted(self.log.parent.glob("peer0.json-*"))
                for line in path.read_text().splitlines()]

    def talk(self, count=BURST):
        """So many connections, until the probe has logged them all."""
        listen_often(self.clients, self.server, count)
        self.said += count
        wait_for("the probe's records", lambda: len(self.logged()) == self.said)


def rotate(log, *command):
    sh(os.path.join(FLEET, "rotate"), str(log), *command)


class Fleet(contextlib.ExitStack):
    """Hosts around a collector."""

    def __init__(self, folder, hosts=1, **replaced):
        super().__init__()
        self.folder, self.count, self.replaced = folder, hosts, replaced

    def __enter__(self):
        try:
            net = self.enter_context(Network(self.count))
            self.collector = Rsyslog(net.host, "collector", "rsyslog-collector.conf",
                                     self.folder / "collector", {})
            self.enter_context(self.collector)
            self.hosts = [self._host(net, i) for i in range(self.count)]
        except BaseException:
            self.close()
            raise
        return self

    def _host(self, net, i):
        return Host(net, i, self.folder / f"host{i}", self, "rsyslog-host.conf",
                    {"collector.example.org": f"10.99.{i}.1", **FASTER, **self.replaced})

    def arrived(self, host):
        """The lines that the collector has written for a host."""
        path = self.collector.folder / f"{host.name}.json"
        return path.read_text().splitlines() if path.exists() else []

    def talk(self):
        for host in self.hosts:
            host.talk()

    @contextlib.contextmanager
    def talking(self):
        """All hosts' servers at once, while something else happens."""
        with concurrent.futures.ThreadPoolExecutor(self.count) as pool:
            talks = [pool.submit(host.talk) for host in self.hosts]
            yield
            for talk in talks:
                talk.result()

    def wait_for_all(self, missing=0):
        for host in self.hosts:
            wait_for(f"all records of {host.name}",
                     lambda: len(set(self.arrived(host))) >= host.said - missing, ARRIVAL)

    def shut_down(self):
        """Nothing can arrive any more."""
        for one in [*(host.rsyslog for host in self.hosts), self.collector]:
            one.stop()

    def check(self):
        """All that was logged has arrived, and once."""
        self.wait_for_all()
        self.shut_down()
        for host in self.hosts:
            assert collections.Counter(self.arrived(host)) == collections.Counter(host.logged())


def identity(line):
    """What no two records have in common."""
    record = json.loads(line)
    return tuple(record[name] for name in
                 ("ts", "client", "client_port", "server", "server_port"))


def test_nothing_is_lost_or_repeated(tmp_path):
    """The collector is away for a while, a log is rotated, an rsyslogd restarted."""
    with Fleet(tmp_path, HOSTS) as fleet:
        fleet.talk()
        with fleet.talking():
            fleet.collector.stop()
        fleet.hosts[0].rotate()
        fleet.talk()
        fleet.collector.start()
        fleet.wait_for_all()
        with fleet.talking():
            fleet.hosts[1].rsyslog.restart()
        # Finished while nobody reads it.
        fleet.hosts[2].rsyslog.stop()
        fleet.hosts[2].talk()
        fleet.hosts[2].rotate()
        fleet.talk()
        fleet.hosts[2].rsyslog.start()
        fleet.check()
        for host in fleet.hosts:
            assert len(set(map(identity, host.logged()))) == host.said


def test_an_outage_longer_than_the_queue(tmp_path):
    """Full, it makes imfile wait, and discards nothing. The counters at both ends agree."""
    smaller = {'queue.size="10000"': 'queue.size="3000"'}
    with Fleet(tmp_path, **smaller) as fleet:
        [host] = fleet.hosts
        fleet.collector.stop()
        host.talk(2500)
        wait_for("a queue that takes no more",
                 lambda: (host.rsyslog.counter("bannerprobe", "size") or 0) >= 1350)
        fleet.collector.start()
        fleet.wait_for_all()
        wait_for("the collector's counters",
                 lambda: fleet.collector.counter("imrelp(2514)", "submitted") == host.said)
        wait_for("the host's counters",
                 lambda: host.rsyslog.counter("bannerprobe", "enqueued") == host.said)
        assert host.rsyslog.counter("bannerprobe", r"discarded\.full") == 0
        fleet.check()
        host.probe.stop()
        assert re.search(rf"^logged +{host.said} ", "\n".join(host.probe.stderr), re.M)


def test_a_host_stopped_while_the_collector_is_away(tmp_path):
    """The queue waits on disk. Of the records under way, a window and one more may be lost."""
    with Fleet(tmp_path) as fleet:
        [host] = fleet.hosts
        with fleet.talking():
            fleet.collector.stop()
        host.rsyslog.stop()
        assert list((host.rsyslog.folder / "work").glob("bannerprobe.0*"))
        host.talk()
        host.rsyslog.start()
        fleet.collector.start()
        fleet.wait_for_all(missing=3)
        fleet.shut_down()
        arrived = collections.Counter(fleet.arrived(host))
        assert set(arrived.values()) == {1}
        assert len(collections.Counter(host.logged()) - arrived) <= 3


def test_killed(tmp_path):
    """Without a goodbye: repeated perhaps, but distinguishable, and not lost."""
    with Fleet(tmp_path) as fleet:
        [host] = fleet.hosts
        fleet.talk()
        fleet.wait_for_all()
        with fleet.talking():
            host.rsyslog.stop(signal.SIGKILL)
        host.rsyslog.start()
        with fleet.talking():
            fleet.collector.stop(signal.SIGKILL)
        fleet.collector.start()
        fleet.wait_for_all()
        fleet.shut_down()
        logged = set(map(identity, host.logged()))
        assert len(logged) == host.said and set(map(identity, fleet.arrived(host))) == logged


MOCK = 'confParam=["test.mock.num.brokers=1", '		# librdkafka's own broker, in the same process


def consumed(ns, port):
    """What a consumer gets: keys and records."""
    done = ns.run("kcat", "-C", "-q", "-e", "-b", f"127.0.0.1:{port}", "-t", "bannerprobe",
                  "-o", "beginning", "-f", "%k %s\\n")
    return [line.split(" ", 1) for line in done.stdout.splitlines() if line]


def listening_port(host):
    """The port that the mock broker has chosen."""
    found = re.findall(rf"127\.0\.0\.1:(\d+) .*pid={host.rsyslog.process.pid},",
                       sh("ip", "netns", "exec", host.ns.name, "ss", "-Hltnp"))
    return found and found[0]


@pytest.mark.skipif(not (has("omkafka") and shutil.which("kcat")),
                    reason="needs rsyslog-kafka and kcat: `make test-fleet` installs them")
def test_kafka(tmp_path):
    """First no broker answers, and rsyslogd is stopped; then there is one."""
    folder = tmp_path / "host"
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(Network())
        host = Host(net, 0, folder, stack, "rsyslog-kafka.conf",
                    {"kafka.example.org:9092": "127.0.0.1:1", **FASTER})
        host.talk()
        wait_for("records in the queue", lambda: host.rsyslog.counter("bannerprobe", "enqueued") == BURST)
        host.rsyslog.stop()
        config = host.rsyslog.config.read_text()
        host.rsyslog.config.write_text(config.replace("confParam=[", MOCK, 1))
        host.rsyslog.start()
        host.talk()
        port = wait_for("a broker", lambda: listening_port(host))
        wait_for("the records", lambda: len(consumed(host.ns, port)) >= host.said - 1, ARRIVAL)
        got = consumed(host.ns, port)
        assert {key for key, _ in got} == {host.name}
        # The one that was under way at the stop may be lost; none is repeated.
        arrived = collections.Counter(record for _, record in got)
        assert set(arrived.values()) == {1} and set(arrived) <= set(host.logged())


def test_a_log_from_before_the_first_rotation(tmp_path):
    """An ordinary file is kept, under a name that is read."""
    log = tmp_path / "eth0.json"
    log.write_text("record\n")
    rotate(log, "true")
    assert log.read_text() == ""
    new, kept = sorted(tmp_path.glob("eth0.json-*T*"))
    assert new.samefile(log) and kept.read_text() == "record\n"


def test_a_log_that_was_a_symbolic_link(tmp_path):
    """As it was once; and a planted link is not followed."""
    log, old = tmp_path / "eth0.json", tmp_path / "eth0.json-20200101T000000"
    log.symlink_to(old.name)
    old.write_text("record\n")
    rotate(log, "true")
    assert not log.is_symlink() and log.read_text() == "" and old.read_text() == "record\n"


def test_a_new_file_is_of_the_owner_of_the_directory(tmp_path):
    """Others' files are not reopened by the probe, nor can the service write to root's."""
    folder = tmp_path / "private" / "bannerprobe"
    folder.mkdir(parents=True)
    os.chmod(folder.parent, 0o700)
    os.chown(folder, 65534, 65534)
    rotate(folder / "eth0.json", "true")
    assert (folder / "eth0.json").stat().st_uid == 65534


def test_old_files_are_deleted(tmp_path):
    """Also in a directory that is a symbolic link, as systemd makes the service's."""
    folder, link = tmp_path / "private", tmp_path / "bannerprobe"
    folder.mkdir()
    link.symlink_to(folder)
    old, young, foreign = (folder / name for name in (
        "eth0.json-20200101T000000", "eth0.json-20200102T000000", "eth0.json-20200101.gz"))
    for file in old, young, foreign:
        file.write_text("record\n")
    for file in old, foreign:
        os.utime(file, (0, 0))
    rotate(link / "eth0.json", "true")
    assert not old.exists() and young.exists() and foreign.exists()
