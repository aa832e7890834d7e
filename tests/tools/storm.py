#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Everything at once: `make test-storm`, as root. What is emitted is logged or counted as lost, exactly.

    storm.py [CONNECTIONS [VETHS [SEED]]]	default 1000000, 300, and one of its own

Real servers greet so many connections, over a veth and over lo, while two probes watch. One writes
to a file on a small disk that fills and gets room again, is sent SIGHUPs in bursts, watches all
interfaces while veths are made and deleted in turns, some with greeted connections on them; it and
the process that opens its file are stopped and continued. The other writes to a pipe with a reader
that is stopped and continued, and has a highest rate.
"""

import collections
import contextlib
import itertools
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import netns
import rig
from rig import check

PORT, THREADS = 22, 16
FAR, NEAR = "10.98.0.1", "10.95.0.1"		# servers of the peer, and of the host itself
FAR_NET, NEAR_NET, NEAR_BEGINS = "10.98.0.0/16", "10.95.0.0/16", "10.95."
SPAN = 60000			# addresses of each
DISK = 4 << 20			# bytes of the disk that the log is on
HIGHEST_RATE = 9000		# of the probe that writes to a pipe
CARRYING = 40			# veths of a turn that have servers behind them
CARRIED = 2000			# connections to these
FULL_RING = 10000		# more connections than the ring has room for
LAST = 1000			# connections after the storm, none of which may be lost
STANDING = 10			# veths that are there when the probe ends
HANGING = 2.5			# seconds, more than the process for files may take
GUST, CALM = 40000, 4.0		# connections in one go at most, and seconds until the next
SLACK = 1 << 20			# bytes: the ring of published names fills up (512 KiB), and an allocator rounds up
LONG = 600			# seconds until what is slow by its nature counts as hanging
SAID = re.compile(r"SSH-2\.0-OpenSSH_9\.2p1 bench-(\d+)\\x0d\\x0a")
STATS = ["--stats", "--stats-format=json"]


class Logged:
    """What was found in a log: each line a whole record, each banner once."""

    def __init__(self):
        self.lines = self.broken = self.twice = self.unfinished = 0
        self.seen = {True: bytearray(), False: bytearray()}	# by number; True: on the host itself

    def take(self, line):
        if not line.endswith(b"\n"):
            self.unfinished += 1	# it broke off; the probe has counted it as lost
            return
        self.lines += 1
        try:
            record = json.loads(line)
            number = int(SAID.fullmatch(record["banner"])[1])
        except (ValueError, KeyError, TypeError):
            self.broken += 1
            print("broken:", line[:600], flush=True)
            return
        seen = self.seen[record["server"].startswith(NEAR_BEGINS)]
        if number >= len(seen):
            seen.extend(bytes(number + (1 << 16) - len(seen)))
        self.twice += seen[number]
        seen[number] = 1

    def has_last(self, count):
        """Whether the peer's latest banners are all there."""
        return self.seen[False].rstrip(b"\0").endswith(bytes([1]) * count)


# --- the place --------------------------------------------------------------------------------

class Place(contextlib.ExitStack):
    """A host, its peer, servers on both, and a small disk."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._build(stack)
            self.push(stack.pop_all())
        return self

    def _build(self, stack):
        self.folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(self.folder, 0o755)
        self.program = f"{self.folder}/load"
        netns.sh("cc", "-O2", "-Wall", "-pthread", "-o", self.program, rig.LOAD)
        net = stack.enter_context(netns.Network())
        self.host, self.peer = net.host, net.peer
        self.peer.ip("route", "add", "local", FAR_NET, "dev", "lo")
        self.host.ip("route", "add", FAR_NET, "via", "10.99.0.2")
        self.host.ip("route", "add", "local", NEAR_NET, "dev", "lo")
        for ns in self.host, self.peer:
            argv = ns.argv(self.program, "serve", str(PORT), str(THREADS))
            stack.enter_context(rig.running(argv, rig.listening(PORT), stdout=subprocess.DEVNULL))
        self.disk = f"{self.folder}/disk"
        os.mkdir(self.disk)
        netns.sh("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.disk)
        stack.callback(netns.sh, "umount", "--lazy", self.disk)

    def clients(self, first, span, count):
        """A process that makes so many connections, to be given to heard()."""
        argv = self.host.argv(self.program, "connect", first, str(span), str(PORT), str(THREADS),
                              str(count))
        return rig.running(argv, stdout=subprocess.PIPE)

    @staticmethod
    def heard(clients):
        """How many banners they have heard; none may be missing."""
        load = rig.Load(**json.loads(clients.communicate(timeout=LONG)[0]))
        check(load.failed == 0, f"{load.failed} connections failed")
        return load.connections - load.failed

    def greet(self, first, span, count):
        """All at once; how many were greeted."""
        with self.clients(first, span, count) as clients:
            return self.heard(clients)

    @staticmethod
    def batch(ns, *lines):
        """Runs ip; a kernel that is busy with other interfaces takes its time."""
        done = subprocess.run(["ip", "-n", ns.name, "-batch", "-"], input="\n".join(lines),
                              capture_output=True, text=True, timeout=LONG)
        assert done.returncode == 0, done.stderr


# --- the log on the small disk -------------------------------------------------------------------

def files_of(pid):
    """The files that a process has open: device and inode."""
    found = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(f"/proc/{pid}/fd/{number}")
            found.add((status.st_dev, status.st_ino))
    return found


class Disk:
    """The log, set aside again and again; counted when the probe has left it, and then removed."""

    def __init__(self, place, probe, rng):
        self.log, self.filler = f"{place.disk}/log", f"{place.disk}/filler"
        self.probe, self.rng = probe, rng
        self.logged = Logged()
        self.aside = []			# (file, its path or None, what it is)
        self.files = self.filled = 0

    def set_aside(self):
        """Renames or deletes the log; the reader's own descriptor keeps what is deleted."""
        if not os.path.exists(self.log):
            return
        file, path = open(self.log, "rb"), None
        if self.rng.random() < 0.5:
            path = f"{self.log}.{self.files}"
            os.rename(self.log, path)
        else:
            os.unlink(self.log)
        status = os.fstat(file.fileno())
        self.aside.append((file, path, (status.st_dev, status.st_ino)))
        self.files += 1
        self.probe.send(signal.SIGHUP)

    def collect(self):
        """Counts what is complete: the probe has a later file open, and none before that."""
        later = {what for _, _, what in self.aside[1:]}
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(self.log)
            later.add((status.st_dev, status.st_ino))
        # Asked in this order: it never goes back to an earlier file.
        reached = files_of(self.probe.reader()) & later
        held = files_of(self.probe.reader())
        if not reached:
            return
        while self.aside and self.aside[0][2] not in held and self.aside[0][2] not in reached:
            self.count(*self.aside.pop(0)[:2])

    def count(self, file, path):
        with file:
            for line in file:
                self.logged.take(line)
        if path:
            os.unlink(path)

    def fill(self):
        """A file that takes most of the room, or all."""
        room = os.statvfs(self.log.rpartition("/")[0])
        with contextlib.suppress(OSError), open(self.filler, "wb", buffering=0) as file:
            file.write(bytes(int(room.f_bavail * room.f_bsize * self.rng.uniform(0.5, 1.01))))
        self.filled += 1

    def clear(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.filler)

    def count_rest(self):
        """The probe has ended."""
        for file, path, _ in self.aside:
            self.count(file, path)
        self.aside = []
        self.count(open(self.log, "rb"), self.log)


# --- what storms ------------------------------------------------------------------------------

class Storm:
    """Threads that do harm until they are stopped."""

    def __init__(self, seed):
        self.seed = seed
        self.over = threading.Event()
        self.did = collections.Counter()

    def rng(self, name):
        return random.Random(f"{self.seed} {name}")

    def gusts(self, place, first, count):
        """Connections in gusts, as fast as they go, and calms between them; how many were greeted."""
        rng, heard = self.rng(first), 0
        while heard < count:
            heard += place.greet(first, SPAN, min(count - heard, rng.randint(100, GUST)))
            time.sleep(rng.uniform(0, CALM))
        return heard

    def stops(self, name, pid, longest, seldom=0.0):
        """A process, stopped and continued; seldom for longer than it is waited for."""
        rng = self.rng(name)
        while not self.over.wait(rng.uniform(0, 1)):
            os.kill(pid, signal.SIGSTOP)
            try:
                self.over.wait(HANGING if rng.random() < seldom else rng.uniform(0, longest))
            finally:
                os.kill(pid, signal.SIGCONT)
            self.did[f"stops of {name}"] += 1

    def hangups(self, probe):
        rng = self.rng("hangups")
        while not self.over.wait(rng.uniform(0, 0.02)):
            for _ in range(rng.randint(1, 100)):
                probe.send(signal.SIGHUP)
                self.did["SIGHUPs"] += 1
            if rng.random() < 0.02:
                probe.send(signal.SIGUSR1)
                self.did["SIGUSR1s"] += 1

    def disk(self, disk):
        rng = self.rng("disk")
        while not self.over.wait(rng.uniform(0.02, 0.6)):
            if rng.random() < 0.2:
                disk.fill()
            elif rng.random() < 0.7:
                disk.clear()
            disk.set_aside()
            disk.collect()


class Veths:
    """Turns of veths that come, carry connections, and go."""

    def __init__(self, place, probe, count, storm):
        self.place, self.probe, self.count, self.storm = place, probe, count, storm
        self.rng = storm.rng("veths")
        self.turns = 0
        self.sure = self.perhaps = 0	# banners heard behind them, by whether the probe was attached

    def come(self, count):
        """Makes them; of some the peer's side has a server's address."""
        self.turns += 1
        host, peer = [], []
        for n in range(count):
            near, far = f"c{self.turns}x{n}", f"d{self.turns}x{n}"
            host.append(f"link add {near} group 7 type veth peer name {far} netns {self.place.peer.name}")
            if n < CARRYING:
                here, there = f"10.96.0.{n + 1}", f"10.97.0.{n + 1}"
                host += [f"addr add {here} peer {there} dev {near}", f"link set {near} up"]
                peer += [f"addr add {there} peer {here} dev {far}", f"link set {far} up"]
        self.place.batch(self.place.host, *host)
        self.place.batch(self.place.peer, *peer)

    def attached(self, count):
        """Waits until the probe has reported each of them."""
        waiting = {f"c{self.turns}x{n}" for n in range(count)}
        pattern = rf" (c{self.turns}x\d+): attached: "
        while waiting:
            waiting.discard(re.search(pattern, self.probe.error_line(pattern, LONG))[1])

    def go(self):
        self.place.batch(self.place.host, "link del group 7")

    def all_gone(self):
        """What the probe holds when it has seen the last of them go."""
        pid = self.probe.process.pid
        self.come(1)
        self.attached(1)
        self.go()
        self.probe.error_line(f" c{self.turns}x0: the interface was deleted", LONG)
        return held_by(pid)

    def greet(self, count):
        return self.place.clients("10.97.0.1", min(count, CARRYING), CARRIED)

    def turn(self, kind):
        count = self.count
        self.come(count)
        if kind == "watched":
            self.attached(count)
        with self.greet(count) as clients:
            if kind == "cut off":
                # They hang on what is gone; so much may have been greeted.
                self.storm.over.wait(self.rng.uniform(0, 0.3))
                self.go()
                self.perhaps += CARRIED
            else:
                heard = self.place.heard(clients)
                self.go()
                self.sure += heard if kind == "watched" else 0
                self.perhaps += heard if kind == "early" else 0
        self.storm.did[f"turns of {count} veths, {kind}"] += 1

    def run(self):
        """Each kind of turn at least once."""
        kinds = itertools.cycle(["watched", "early", "cut off"])
        least = self.turns + 3
        while not self.storm.over.is_set() or self.turns < least:
            self.turn(next(kinds))


@contextlib.contextmanager
def reading(pipe):
    """A process that passes on what it reads."""
    process = subprocess.Popen(["cat"], stdin=pipe, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait(netns.PATIENCE)
        process.stdout.close()


class Piped:
    """The probe that writes to a pipe: its reader is a process, and what that passes on is counted."""

    def __init__(self, place, stack):
        reader, writer = os.pipe()
        self.cat = stack.enter_context(reading(reader))
        os.close(reader)
        self.logged = Logged()
        self.probe = stack.enter_context(netns.Probe(
            place.host, "-f", "json", "--max-rate", str(HIGHEST_RATE), *STATS, "lo", "veth0",
            interfaces=2, stdout=writer))
        os.close(writer)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.cat.stdout:
            self.logged.take(line)

    def ended(self):
        self.probe.send(signal.SIGTERM)
        code = self.probe.ended()
        self.thread.join(LONG)
        return code


# --- what is left -----------------------------------------------------------------------------

Held = collections.namedtuple("Held", "descriptors resident programs_and_maps")


def held_by(pid):
    ids = netns.held_by(pid)
    kernel = sum(int(one["bytes_memlock"]) for kind in ids for one in netns.bpftool(kind, "show")
                 if one["id"] in ids[kind])
    # Without the pages of files, which other tests that run now may share.
    return Held(rig.descriptors_of(pid), rig.resident_bytes(pid, "Pss_Anon"), kernel)


def name_of(pid):
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()
    return ""


def check_nothing_left(place, children, programs):
    for link in json.loads(place.host.ip("-j", "link", "show")):
        left = netns.attached(place.host, link["ifname"])
        check(not left, f"left on {link['ifname']}: {left}")
    netns.wait_for("its processes to end",
                   lambda: not any(name_of(pid).startswith("bannerprobe") for pid in children))
    netns.wait_for("its programs to go",
                   lambda: not programs & {one["id"] for one in netns.bpftool("prog", "show")})


# --- accounts ---------------------------------------------------------------------------------

def accounted(name, probe, code, logged, sure, perhaps, row):
    """emitted = logged + lost, exactly; and it says so."""
    told = [json.loads(line) for line in probe.stderr if line.startswith("{")]
    count = told[-1]
    lost = count["lost_ring"] + count["lost_output"]
    missing = lost + count["over_the_rate"] + count["left_out"]
    row(name, f"{count['banners']} banners = {logged.lines} lines + {count['lost_ring']} lost_ring + "
        f"{count['lost_output']} lost_output + {count['over_the_rate']} over_the_rate + "
        f"{count['left_out']} left_out; exit {code}")
    check(count["why"] == "end", f"{name}: no counters at the end")
    check(count["banners"] == logged.lines + missing,
          f"{name}: {count['banners']} banners, {logged.lines} lines, {missing} counted as missing")
    check(count["logged"] == logged.lines, f"{name}: {logged.lines} lines, {count['logged']} logged")
    check(sure <= count["banners"] <= sure + perhaps,
          f"{name}: {count['banners']} banners, heard {sure} and perhaps {perhaps}")
    check(not logged.broken, f"{name}: {logged.broken} lines are no record")
    check(not logged.twice, f"{name}: {logged.twice} banners logged twice")
    check(code == (4 if lost else 0), f"{name}: exit {code} with {lost} lost: {probe.stderr[-3:]}")
    for field in "packets", "banners", "logged", "lost_ring", "lost_output":
        check(all(one[field] <= other[field] for one, other in zip(told, told[1:])),
              f"{name}: {field} fell")
    check(logged.has_last(LAST), f"{name}: banners after the storm are missing")


def check_held(first, last, row):
    for name, before, after in zip(Held._fields, first, last):
        slack = SLACK if name == "resident" else 0
        check(after <= before + slack, f"{name}: {before} at first, {after} at last")
        row(name.replace("_", " "), f"{before} at first, {after} at last")


# --- all of it --------------------------------------------------------------------------------

def rage(place, storm, disk, piped, veths, connections):
    """The storm, as long as the clients need; how many banners they heard over lo and the veth.

    Afterwards there is room again, and the interfaces that came and went are reported.
    """
    storm.over.clear()
    helper = next(pid for pid in netns.children_of(disk.probe.process.pid) if name_of(pid) == "bannerprobe-log")
    with ThreadPoolExecutor(17) as pool:
        greeted = [pool.submit(storm.gusts, place, first, connections // 2)
                   for first in (FAR, NEAR)]
        jobs = [pool.submit(*job) for job in (
            (storm.stops, "the probe", disk.probe.process.pid, 0.4),
            (storm.stops, "its reader", disk.probe.reader(), 0.4),
            (storm.stops, "the process for files", helper, 0.1, 0.03),
            (storm.stops, "the reader", piped.cat.pid, 0.8),
            (storm.hangups, disk.probe), (storm.disk, disk), (veths.run,))]
        try:
            heard = sum(one.result() for one in greeted)
        finally:
            storm.over.set()
        for job in jobs:
            job.result(LONG)
    settle(disk)
    return heard


def fill_ring(place, probe):
    """Then each page of it has been looked at."""
    os.kill(probe.reader(), signal.SIGSTOP)
    heard = place.greet(FAR, SPAN, FULL_RING)
    os.kill(probe.reader(), signal.SIGCONT)
    return heard


def settle(disk):
    """Room again, and a file of its own for what comes after."""
    disk.clear()
    disk.set_aside()

    def is_settled():
        disk.probe.send(signal.SIGHUP)
        disk.collect()
        return not disk.aside
    netns.wait_for("the log's new file", is_settled)


def run(place, connections, count, seed):
    storm = Storm(seed)
    with contextlib.ExitStack() as stack:
        log = f"{place.disk}/log"
        probe = stack.enter_context(netns.Probe(place.host, "-f", "json", "-o", log, *STATS, "--all",
                                                interfaces=2, stdout=subprocess.DEVNULL))
        disk, piped = Disk(place, probe, storm.rng("files")), Piped(place, stack)
        veths = Veths(place, probe, count, storm)
        children, programs = netns.children_of(probe.process.pid), netns.held_by(probe.process.pid)["prog"]
        began, few = time.monotonic(), connections // 10
        # What is kept for later use is there after a full ring and a tenth of it, and no more at the end.
        heard = fill_ring(place, probe)
        heard += rage(place, storm, disk, piped, veths, few)
        first = veths.all_gone()
        heard += rage(place, storm, disk, piped, veths, connections - few)
        last = veths.all_gone()
        heard += place.greet(FAR, SPAN, LAST)
        seconds = time.monotonic() - began
        veths.come(STANDING)
        veths.attached(STANDING)
        probe.send(signal.SIGTERM)
        codes = probe.ended(), piped.ended()
        disk.count_rest()
        check_nothing_left(place, children, programs)
    rig.title(f"Storm: {seconds:.0f} seconds, seed {seed}")
    row = rig.table("what", "found")
    row("banners heard", f"{heard + veths.sure}, and {veths.perhaps} at most on veths that were not "
        "watched in time")
    accounted("file", probe, codes[0], disk.logged, heard + veths.sure, veths.perhaps, row)
    accounted("pipe", piped.probe, codes[1], piped.logged, heard, 0, row)
    check_held(first, last, row)
    row("files", f"{disk.files} set aside, {disk.logged.unfinished} end within a line, "
        f"{disk.filled} times filled")
    for name, times in sorted(storm.did.items()):
        row(name, times)


def main(connections=1000000, veths=300, seed=None):
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    print(f"seed {seed}", flush=True)
    with Place() as place:
        run(place, connections, veths, seed)
    return rig.verdict()


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("storm.py: must be run as root: it makes network namespaces")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(*map(int, sys.argv[1:])))
