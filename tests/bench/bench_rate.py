#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Connections a second over loopback, with bannerprobe and without: `make bench-rate`, as root.

    bench_rate.py [--pairs N] [--rounds N] [--connections N] [--hook HOOK]

N servers greet, N clients hear the banner and reset, each on a CPU of its own: six packets a
connection, each of which passes both hooks of lo. Rounds with and without the probe take turns; a
ratio is that of neighbours. Then the kernel's own account of the programs, in rounds of its own.
Every banner must be logged, or it exits with 1.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import netns
import rig
from rig import Load, check, table, title
from run_times import run_times, spent_by_each

FIRST_PORT = 2000
GOAL = 0.97


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


class Loopback:
    """A network namespace with its loopback only, and what makes connections there."""

    def __init__(self, host, folder, options):
        self.host, self.folder, self.options = host, folder, options
        self.program = f"{folder}/load"
        netns.sh("cc", "-O2", "-Wall", "-pthread", "-o", self.program, rig.LOAD)

    def load(self, pairs):
        argv = [self.program, "reset", FIRST_PORT, pairs, self.options.connections]
        load = Load(**json.loads(netns.sh(*self.host.argv(*map(str, argv)))))
        check(load.failed == 0, f"{load.failed} of {load.connections} connections failed")
        return load

    def watched(self, pairs, also=lambda pid: None):
        """The load with the probe beside it; `also` is asked before and after."""
        output = f"{self.folder}/log"
        with netns.Probe(self.host, "-f", "json", "-o", output, "--hook", self.options.hook,
                         "--stats", "lo") as probe:
            before = also(probe.process.pid)
            load = self.load(pairs)
            after = also(probe.process.pid)
            probe.stop()
        found = len(rig.banners_in(output))
        check(found == load.connections,
              f"{found} of {load.connections} banners logged; {rig.losses(probe.stderr)}")
        os.unlink(output)
        return load, before, after


def rate(load):
    return load.connections / load.seconds


def compare(loopback, counts, rounds):
    title("Connections a second over loopback, json")
    row = table("servers and clients", "without, 1/s", "with, 1/s", "with over without", "goal")
    for pairs in counts:
        without, with_ = [], []
        loopback.load(pairs)		# the first one warms up
        for i in range(rounds):
            turns = [lambda: without.append(rate(loopback.load(pairs))),
                     lambda: with_.append(rate(loopback.watched(pairs)[0]))]
            for turn in turns if i % 2 else turns[::-1]:
                turn()
        ratios = [one / other for one, other in zip(with_, without)]
        met = "met" if statistics.median(ratios) >= GOAL else "not met"
        row(pairs, spread(without, ".0f"), spread(with_, ".0f"), spread(ratios, ".3f"),
            f">= {GOAL}: {met}")


def account(loopback, counts):
    """What the programs take, as the kernel says."""
    title("The kernel's own account (bpf_stats)")
    row = table("servers and clients", "program", "runs a connection", "ns a run",
                "ns a connection")
    with run_times():
        for pairs in counts:
            load, before, after = loopback.watched(
                pairs, lambda pid: spent_by_each(netns.held_by(pid)["prog"]))
            total = 0
            for name in after:
                took, runs = (late - early for late, early in zip(after[name], before[name]))
                total += took
                if runs:
                    row(pairs, name, f"{runs / load.connections:.2f}", f"{took / runs:.0f}",
                        f"{took / load.connections:.0f}")
            row(pairs, "all", "", "", f"{total / load.connections:.0f}")


def numbers_up_to(most):
    """1, 2, 4, ... and the number itself."""
    return sorted({*(1 << i for i in range(most.bit_length())), most})


def main():
    cpus = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description="Connections a second over loopback.")
    parser.add_argument("--pairs", type=int, default=max(cpus // 2, 1),
                        help="servers, and clients, at most (default: half of the CPUs)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=30_000, help="of each client")
    parser.add_argument("--hook", default="auto")
    options = parser.parse_args()
    if min(options.pairs, options.rounds, options.connections) < 1:
        parser.error("at least one")
    if os.geteuid():
        sys.exit("bench_rate.py: must be run as root: it makes a network namespace")
    # Load and probe alike come before other work.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    counts = numbers_up_to(options.pairs)
    with netns.Namespace("loopback") as host, tempfile.TemporaryDirectory(
            dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        loopback = Loopback(host, folder, options)
        compare(loopback, counts, options.rounds)
        account(loopback, counts)
    return rig.verdict()


if __name__ == "__main__":
    sys.exit(main())
