# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the benchmarks and the soak share: packages, processes, traffic, and its results."""

import collections
import contextlib
import json
import mmap
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time

import debian
import netns

LOAD = os.path.join(netns.ROOT, "tests/bench/load.c")
SERVERS, FIRST_SERVER, MOST_SERVERS = "10.98.0.0/16", "10.98.0.1", 60000
PORT, IPERF_PORT = 22, 5201
THREADS = 16			# clients, and servers, at work at once
BANNER = re.compile(rb"SSH-2\.0-OpenSSH_9\.2p1 bench-(\d+)")
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 600			# seconds for what is slow by its nature
COUNTERS_OF_LOSS = ["lost_ring", "lost_output"]

wrong = []


# --- what came of it ----------------------------------------------------------------------------

def check(condition, what):
    """Whether it holds; if not, the run goes on, and its exit code shows the failure."""
    if not condition:
        wrong.append(what)
        print(f"WRONG: {what}", flush=True)
    return condition


def table(*header):
    """Starts a table; returns what adds a row."""
    def row(*cells):
        print("|", " | ".join(map(str, cells)), "|", flush=True)
    row(*header)
    row(*["---"] * len(header))
    return row


def title(text):
    print(f"\n## {text}\n", flush=True)


def verdict():
    """What was wrong, once more; whether anything was."""
    if wrong:
        print(f"\n{len(wrong)} wrong:", *wrong, sep="\n- ")
    return bool(wrong)


# --- packages ---------------------------------------------------------------------------------

def version(package):
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                           capture_output=True, text=True)
    return asked.stdout if debian.installed(package) else ""


def apt_get(*args):
    return subprocess.run(["apt-get", "-qq", debian.PATIENT, "-o", "Dpkg::Use-Pty=0", *args],
                          env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def install(*packages):
    """Installs what is missing; tests that need something else leave it out."""
    if not shutil.which("apt-get"):
        return
    with debian.packages_locked():
        install_missing([package for package in packages if not debian.installed(package)])


def install_missing(missing):
    if not missing:
        return
    print("Installing", *missing, "...", flush=True)
    with debian.no_services_started():
        apt_get("update")
        for package in missing:
            apt_get("install", "-y", "--no-install-recommends", package) or backport(package)


def backport(package):
    """Debian 12 has Suricata among its backports only. No source of packages stays behind."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    source = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " \
             "http://deb.debian.org/debian {} main\n"
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)		# apt reads as a user of its own
        os.makedirs(f"{folder}/lists/partial")
        with open(f"{folder}/sources.list", "w") as file:
            file.write(source.format(release) + source.format(f"{release}-backports"))
        where = ["-o", f"Dir::Etc::sourcelist={folder}/sources.list",
                 "-o", "Dir::Etc::sourceparts=-", "-o", f"Dir::State::lists={folder}/lists"]
        apt_get(*where, "update")
        apt_get(*where, "install", "-y", "--no-install-recommends",
                "-t", f"{release}-backports", package)


# --- processes --------------------------------------------------------------------------------

@contextlib.contextmanager
def running(argv, ready=None, **kwargs):
    """A process that lives as long as it is needed, and has said that it is ready."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **kwargs)
    try:
        if ready:
            netns.wait_for(argv, lambda: ready(process.pid))
        yield process
    finally:
        process.kill()
        process.wait(netns.PATIENCE)
        if process.stdout:
            process.stdout.close()


def listening(port):
    """Whether something listens there in the namespace of a process."""
    def ready(pid):
        tables = []
        for table in "tcp", "tcp6":
            with open(f"/proc/{pid}/net/{table}") as file:
                tables.append(file.read())
        return re.search(rf":{port:04X} [0-9A-F]+:0000 0A ", "".join(tables))
    return ready


def processes_of(pid):
    """A process, and those that it has started."""
    return [pid, *netns.children_of(pid)]


def own_seconds(pid):
    """CPU time of a process and of those that it has started, user's and system's."""
    seconds = 0
    for one in processes_of(pid):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{one}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def resident_bytes(pid, name="Pss"):
    """Memory of a process and its children; shared pages are counted once."""
    total = 0
    for one in processes_of(pid):
        with open(f"/proc/{one}/smaps_rollup") as file:
            total += int(re.search(rf"^{name}:\s+(\d+) kB", file.read(), re.M)[1]) << 10
    return total


def descriptors_of(pid):
    """How many descriptors they have open."""
    return sum(len(os.listdir(f"/proc/{one}/fd")) for one in processes_of(pid))


def maps_of(pid):
    """The maps that a process holds: name and bytes."""
    ids = netns.held_by(pid)["map"]
    return {one["name"]: int(one["bytes_memlock"]) for one in netns.bpftool("map", "show")
            if one["id"] in ids}


# --- traffic ----------------------------------------------------------------------------------

Load = collections.namedtuple("Load", "connections failed seconds")


class Site(contextlib.ExitStack):
    """Host and peer; at the peer tens of thousands of server addresses, and iperf3."""

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def _build(self):
        install("iperf3")
        # Where the scheduler puts both ends is most of the noise: give each a CPU of its own.
        cpus = sorted(os.sched_getaffinity(0))
        self.near, self.far = cpus[-1], cpus[0]
        self.folder = self.enter_context(
            tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        self.program = f"{self.folder}/load"
        netns.sh("cc", "-O2", "-Wall", "-pthread", "-o", self.program, LOAD)
        net = self.enter_context(netns.Network())
        self.host, self.peer = net.host, net.peer
        self.peer.ip("route", "add", "local", SERVERS, "dev", "lo")
        self.host.ip("route", "add", SERVERS, "via", "10.99.0.2")
        self.serve(PORT, self.program, "serve", str(PORT), str(THREADS))
        self.serve(IPERF_PORT, "iperf3", "-s")
        self.probes = 0

    def pinned(self, ns, cpu, *argv, ready=None, **kwargs):
        """A process on a CPU of its own, as running()."""
        return running(ns.argv("taskset", "-c", str(cpu), *map(str, argv)), ready, **kwargs)

    def serve(self, port, *argv):
        self.enter_context(self.pinned(self.peer, self.far, *argv, ready=listening(port),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def load(self, count):
        """Connections to as many servers, each of which greets with a banner of its own."""
        argv = ["taskset", "-c", self.near, self.program,
                "connect", FIRST_SERVER, MOST_SERVERS, PORT, THREADS, count]
        load = Load(**json.loads(netns.sh(*self.host.argv(*map(str, argv)))))
        check(load.failed == 0, f"{load.failed} of {count} connections of the load failed")
        return load

    def bulk(self, *args):
        """iperf3 from the host's side, or with -R to it; its result comes from finished()."""
        return self.pinned(self.host, self.near, "iperf3", "-c", "10.99.0.2", "-J", *args,
                           stdout=subprocess.PIPE)

    @contextlib.contextmanager
    def probe(self, hook, expected):
        """bannerprobe for a while, in which so many banners must be logged; None: nothing."""
        if hook is None:
            yield None
            return
        self.probes += 1
        output = f"{self.folder}/{self.probes}.json"
        with netns.Probe(self.host, "-f", "json", "-o", output, "--hook", hook, "--stats", "veth0",
                         stdout=subprocess.DEVNULL) as probe:
            yield probe
            time.sleep(0.2)		# a reader sees a banner within half of it
            probe.stop()
        found = len(banners_in(output))
        check(found == expected, f"--hook {hook}: {found} of {expected} banners logged;"
              f" {losses(probe.stderr)}")
        os.unlink(output)


def finished(bulk):
    """The result of iperf3: its sums at the receiver."""
    out = bulk.communicate(timeout=PATIENCE)[0]
    assert bulk.returncode == 0, out.decode()
    return json.loads(out)["end"]["sum_received"]


def banners_in(path):
    """The numbers of the distinct banners that a file holds, of whatever format."""
    with open(path, "rb") as file:
        if not os.path.getsize(path):
            return set()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return set(BANNER.findall(data))


def losses(stderr):
    """What --stats says of losses."""
    found = dict(re.findall(r"^(lost_\w+)\s+(\d+)", "\n".join(stderr), re.M))
    return ", ".join(f"{name} {found.get(name, '?')}" for name in COUNTERS_OF_LOSS)
