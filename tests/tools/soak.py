#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bannerprobe under the highest rate that this machine makes, for long: `make soak`, as root.

    soak.py [SECONDS]		default 3600

Short connections to servers that speak first, bulk traffic and a flood of SYNs at once, through
namespaces made here. The log is rotated now and then. Exit 0 only if memory stayed flat, every
banner that a client heard is in the log or counted as lost, and the counters add up.
"""

import collections
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import netns
import packets
import rig
from rig import BANNER, check, table

SAMPLE_SECONDS, ROTATE_SECONDS = 10, 60
FEWEST_SAMPLES, FEWEST_ROTATIONS = 20, 4	# of a run that is too short for those
FLAT_SHARE, FLAT_BYTES = 0.02, 64 << 10		# how far memory may be from flat
FLOODED_PORT = 9
OUTCOMES = ["banners", "client_first", "client_first_syn", "client_first_by_ack",
            "client_first_by_seq", "server_data_unseen", "synack_unseen", "no_data", "reset",
            "no_server", "evicted", "open"]


# --- what is looked at ------------------------------------------------------------------------

Sample = collections.namedtuple("Sample", "seconds resident kernel fds")


def kernel_bytes(pid):
    """Memory of the programs and the maps that a process holds."""
    held = netns.held_by(pid)
    return sum(int(one["bytes_memlock"]) for kind in held for one in netns.bpftool(kind, "show")
               if one["id"] in held[kind])


def sample(pid, start):
    return Sample(time.monotonic() - start, rig.resident_bytes(pid), kernel_bytes(pid),
                  rig.descriptors_of(pid))


def retransmitted(*namespaces):
    """Segments that TCP has sent again, in all of them."""
    total = 0
    for ns in namespaces:
        names, values = [line.split() for line in ns.run("cat", "/proc/net/snmp").stdout.splitlines()
                         if line.startswith("Tcp:")]
        total += int(values[names.index("RetransSegs")])
    return total


class Log:
    """The probe's log, rotated and counted file by file, since all of it would be large."""

    def __init__(self, folder):
        self.path = f"{folder}/log"
        self.rotated = 0
        self.lines = self.bytes = self.twice = 0
        self.seen = bytearray()		# of each banner's number: whether it was logged

    def rotate(self, probe):
        """Moves it away. What was moved before is complete by now, and counted."""
        self.count_moved()
        os.rename(self.path, f"{self.path}.1")
        probe.send(signal.SIGHUP)
        netns.wait_for("a new log", lambda: os.path.exists(self.path))
        self.rotated += 1

    def count_moved(self):
        if os.path.exists(f"{self.path}.1"):
            self.count(f"{self.path}.1")

    def count(self, path):
        with open(path, "rb") as file:
            for line in file:
                self.lines += 1
                self.bytes += len(line)
                found = BANNER.search(line)
                self.note(int(found[1]) if found and line.endswith(b"}\n") else None)
        os.unlink(path)

    def note(self, number):
        if not check(number is not None, "a line of the log is not a record of the load"):
            return
        if number >= len(self.seen):
            self.seen.extend(bytes(number + (1 << 20) - len(self.seen)))
        self.twice += self.seen[number]
        self.seen[number] = 1


# --- traffic ----------------------------------------------------------------------------------

class Traffic:
    """All at once, for so long."""

    def __init__(self, site, seconds):
        self.site = site
        self.before = retransmitted(site.host, site.peer)
        self.jobs = {
            "load": self.start(site.host, site.near, site.program, "connect", rig.FIRST_SERVER,
                               rig.MOST_SERVERS, rig.PORT, rig.THREADS, 10**9, seconds),
            "flood": self.start(site.peer, site.far, site.program, "flood", "peer0", "10.99.0.1",
                                FLOODED_PORT, seconds),
            "bulk": site.enter_context(site.bulk("-R", "-i", "0", "-t", str(seconds))),
        }

    def start(self, *argv):
        return self.site.enter_context(self.site.pinned(*argv, stdout=subprocess.PIPE))

    def ended(self):
        return all(job.poll() is not None for job in self.jobs.values())

    def results(self):
        """(load, flood, gigabits a second, connections of iperf3, segments sent again)"""
        said = {}
        for name, job in self.jobs.items():
            said[name] = json.loads(job.communicate(timeout=rig.PATIENCE)[0])
            assert job.returncode == 0, f"{name}: exit {job.returncode}: {said[name]}"
        bulk = said["bulk"]["end"]
        return (rig.Load(**said["load"]), rig.Load(**said["flood"]),
                bulk["sum_received"]["bits_per_second"] / 1e9, len(bulk["streams"]) + 1,
                retransmitted(self.site.host, self.site.peer) - self.before)


# --- the soak ---------------------------------------------------------------------------------

def watch(probe, log, traffic, seconds):
    """Samples until the traffic has ended, and rotates the log."""
    every = min(SAMPLE_SECONDS, seconds / FEWEST_SAMPLES)
    rotate_every = min(ROTATE_SECONDS, seconds / FEWEST_ROTATIONS)
    start = time.monotonic()
    samples, rotate_at = [], start + rotate_every
    while not traffic.ended():
        time.sleep(every)
        samples.append(sample(probe.process.pid, start))
        if time.monotonic() >= rotate_at:
            log.rotate(probe)
            rotate_at += rotate_every
    return samples


def quarters(samples, field):
    """The medians of the second and of the last quarter; the first is warming up."""
    values = [getattr(one, field) for one in samples]
    n = len(values) // 4
    return statistics.median(values[n:2 * n]), statistics.median(values[-n:])


def check_flat(samples, row):
    for field, what in ("resident", "loader, resident, KiB"), ("kernel", "maps and programs, KiB"):
        second, last = quarters(samples, field)
        flat = abs(last - second) <= FLAT_SHARE * second + FLAT_BYTES
        check(flat, f"{what}: not flat: {second / 1024:.0f}, then {last / 1024:.0f}")
        row(what, f"{second / 1024:.0f} in the second quarter, {last / 1024:.0f} in the last")
    fds = [one.fds for one in samples]
    check(fds[-1] <= fds[0], f"open files: {fds[0]} at first, {fds[-1]} at last")
    row("open files", f"{fds[0]} at first, {fds[-1]} at last, {max(fds)} at most")


def check_sums(log, count, results, row):
    load, flood, gigabits, bulk_connections, again = results
    heard = load.connections - load.failed
    lost = count["lost_ring"] + count["lost_output"]
    row("connections greeted", f"{heard}, {heard / load.seconds:.0f} a second")
    row("SYNs flooded", f"{flood.connections}, {flood.connections / flood.seconds:.0f} a second")
    row("bulk", f"{gigabits:.2f} Gbit/s")
    row("lines logged", f"{log.lines}, {log.bytes / 1e6:.0f} MB, in {log.rotated + 1} files")
    row("lost, as counted", f"ring {count['lost_ring']}, output {count['lost_output']}")
    check(load.failed == 0, f"{load.failed} connections of the load failed")
    check(log.twice == 0, f"{log.twice} banners logged twice")
    check(log.lines == count["logged"] == count["banners"] - lost,
          f"{log.lines} lines, {count['logged']} logged, {count['banners']} banners, {lost} lost")
    check(heard == log.lines + lost, f"{heard} banners heard, {log.lines} logged, {lost} lost")
    outcomes = {name: count[name] for name in OUTCOMES if count[name]}
    row("connections", f"{count['connections']} = " +
        " + ".join(f"{n} {name}" for name, n in outcomes.items()))
    check(count["connections"] == sum(outcomes.values()),
          f"{count['connections']} connections, {sum(outcomes.values())} outcomes")
    # A connection counts twice if its SYN is sent again after its entry was evicted.
    more = count["connections"] - load.connections - flood.connections - bulk_connections
    row("of these, made by the generators", f"{count['connections'] - more}, {again} segments sent again")
    check(0 <= more <= again, f"{more} connections more than were made, {again} segments sent again")


def soak(site, seconds):
    log = Log(site.folder)
    with netns.Probe(site.host, "-f", "json", "-o", log.path, "--stats", "veth0",
                     stdout=subprocess.DEVNULL) as probe:
        began = time.monotonic()
        traffic = Traffic(site, seconds)
        samples = watch(probe, log, traffic, seconds)
        results = traffic.results()
        own = rig.own_seconds(probe.process.pid)
        probe.send(signal.SIGTERM)
        code = probe.ended()
    log.count_moved()
    log.count(log.path)
    rig.title(f"Soak: {time.monotonic() - began:.0f} seconds, {len(samples)} samples")
    row = table("what", "found")
    count = packets.counters("\n".join(probe.stderr).encode())
    lost = count["lost_ring"] + count["lost_output"]
    check(code == (4 if lost else 0), f"exit {code} with {lost} lost: {probe.stderr}")
    check_sums(log, count, results, row)
    check_flat(samples, row)
    row("loader, CPU", f"{own:.1f} s")


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 3600
    if os.geteuid():
        sys.exit("soak.py: must be run as root: it makes network namespaces")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with rig.Site() as site:
        soak(site, seconds)
    return rig.verdict()


if __name__ == "__main__":
    sys.exit(main())
