#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What bannerprobe costs a whole host: `make bench`, as root, on Debian.

    bench_host.py [--quick] [--rounds N] [--hooks HOOK,...] [SECTION...]

Prints a Markdown table a section. All traffic stays between network namespaces made here.
Figures are compared within one run only: rounds with and without go in turns, and a ratio is
that of two neighbours. A slow day fails nothing; a lost banner does (exit 1).
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import captured
import netns
import rig
from rig import (PATIENCE, PORT, TICKS, Site, banners_in, check, finished, install, maps_of,
                 own_seconds, processes_of, table, title, version)

MIB = 1 << 20

HOOKS = ["nothing", "auto", "tc", "xdp-native", "xdp-generic"]	# nothing: what the noise is

options = argparse.Namespace(quick=False, rounds=None, hooks=HOOKS)


# --- figures ----------------------------------------------------------------------------------

def spread(values, form=".3f"):
    """The median, and what it was the median of."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def judged(value, goal, good):
    return f"{goal}: {'met' if good(value) else 'not met'}"


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


# --- processes --------------------------------------------------------------------------------

def busy_seconds():
    """CPU time of the whole machine that was not idle: user, nice, system, irq, softirq."""
    with open("/proc/stat") as file:
        fields = list(map(int, file.readline().split()[1:8]))
    return sum(fields[i] for i in (0, 1, 2, 5, 6)) / TICKS


def settle(pid):
    """Wait until a process has worked off what it got."""
    end, used = time.monotonic() + PATIENCE, -1
    while used < (used := own_seconds(pid)) - 2 / TICKS and time.monotonic() < end:
        time.sleep(0.5)


def status_mib(pid, name):
    """A line of /proc/PID/status that is a size."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(rf"^{name}:\s+(\d+) kB", file.read(), re.M)[1]) / 1024


# --- rounds -----------------------------------------------------------------------------------

def in_turns(measure, rounds):
    """(without, with) of each hook: neighbours in time, either first in every other round."""
    pairs = {hook: [] for hook in options.hooks}
    for i in range(rounds):
        for hook in pairs:
            progress(f"round {i + 1} of {rounds}: {hook}")
            attached = None if hook == "nothing" else hook
            if i % 2 == 0:
                without, with_ = measure(None), measure(attached)
            else:
                with_, without = measure(attached), measure(None)
            pairs[hook].append((without, with_))
    progress("")
    return pairs


def ratios(pairs):
    return [with_ / without for without, with_ in pairs]


# --- 1. throughput ----------------------------------------------------------------------------

CASES = {"1 stream out": ["-P", "1"], "1 stream in": ["-P", "1", "-R"],
         "8 streams out": ["-P", "8"], "8 streams in": ["-P", "8", "-R"]}


def bytes_of(site):
    """What veth0 has sent and received."""
    stats = json.loads(site.host.ip("-j", "-s", "link", "show", "veth0"))[0]["stats64"]
    return stats["rx"]["bytes"] + stats["tx"]["bytes"]


def gigabits(site, hook, seconds, banners):
    """Of a while of the traffic that is running, some connections with banners before it.

    What loading the programs does to the traffic passes: it comes before each while alike.
    """
    if hook is None:
        site.host.run(netns.BINARY, "--check", "veth0")
    with site.probe(hook, banners):
        site.load(banners)
        time.sleep(0.5)
        start, before = time.monotonic(), bytes_of(site)
        time.sleep(seconds)
        after, end = bytes_of(site), time.monotonic()
        return (after - before) * 8 / (end - start) / 1e9


def throughput_pairs(site, hook, args):
    """(without, with) by turns within one run of iperf3: two runs differ by more than a probe.

    Each while with the probe is compared with the mean of those before and after it.
    """
    seconds, banners = 1 if options.quick else 2, 50
    attached = None if hook == "nothing" else hook
    with site.bulk("-t", "86400", *args):
        time.sleep(1)
        without, with_ = [gigabits(site, None, seconds, banners)], []
        for i in range(options.rounds):
            progress(f"{' '.join(args)}, {hook}, round {i + 1} of {options.rounds}")
            with_.append(gigabits(site, attached, seconds, banners))
            without.append(gigabits(site, None, seconds, banners))
    return [((before + after) / 2, among)
            for before, among, after in zip(without, with_, without[1:])]


def throughput():
    """iperf3 beside an attached bannerprobe, and some banners in the thick of it."""
    title("Throughput: iperf3 with bannerprobe over without")
    found = {}
    for case, args in CASES.items():
        with Site() as site:
            found[case] = {hook: throughput_pairs(site, hook, args)
                           for hook in options.hooks}
    progress("")
    row = table("hook", *CASES, "goal of each")
    row("without, Gbit/s", *(spread([without for pairs in found[case].values()
                                     for without, _ in pairs], ".1f") for case in CASES), "")
    for hook in options.hooks:
        medians = [statistics.median(ratios(found[case][hook])) for case in CASES]
        goal = judged(min(medians), ">= 0.98", lambda n: n >= 0.98) if hook == "auto" else ""
        row(named(hook), *(spread(ratios(found[case][hook])) for case in CASES), goal)


def named(hook):
    return "none (without over without: the noise)" if hook == "nothing" else f"`--hook {hook}`"


# --- 2. rates ---------------------------------------------------------------------------------

def rates():
    """Connections a second when each is opened, greeted and closed."""
    title("Rates: short server-first connections a second, with over without")
    count = 20_000 if options.quick else 40_000
    with Site() as site:
        def rate(hook):
            with site.probe(hook, count):
                return count / site.load(count).seconds

        pairs = in_turns(rate, 2 * options.rounds)
    row = table("hook", "without, 1/s", "with, 1/s", "ratio", "goal")
    for hook, found in pairs.items():
        median = statistics.median(ratios(found))
        goal = judged(median, ">= 0.95", lambda n: n >= 0.95) if hook == "auto" else ""
        row(named(hook), spread([without for without, _ in found], ".0f"),
            spread([with_ for _, with_ in found], ".0f"), spread(ratios(found)), goal)
    print(f"\n{count} connections a run, each banner distinct; all of them logged is checked.")


# --- 3. peers ---------------------------------------------------------------------------------

SURICATA = """%YAML 1.1
---
vars:
  address-groups: {HOME_NET: any, EXTERNAL_NET: any}
af-packet:
  - interface: default
    cluster-id: 99
    cluster-type: cluster_flow
    defrag: yes
    tpacket-v3: yes
outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      types:
        - ssh
        - smtp
        - ftp
        - anomaly
        - alert: {payload-printable: yes}
"""
# Suricata logs a service when the client has spoken too; a rule finds the servers that speak first.
SURICATA_RULE = """alert tcp any any -> any any (msg:"the server speaks first"; \
flow:established,from_server; stream_size:client,=,1; dsize:>0; sid:1;)
"""


class DidNotWatch(Exception):
    """A peer that cannot be measured on this machine."""


Watcher = collections.namedtuple("Watcher", "name package command output found dropped")
Watched = collections.namedtuple("Watched", "busy own seconds found wrote dropped")


def number_in(pattern):
    """Finds the number, or the sum of the numbers, that a program wrote; None if there is none."""
    def find(path):
        with open(path, errors="replace") as file:
            found = re.findall(pattern, file.read(), re.M)
        return sum(map(int, found)) if found else None
    return find


def hosts_in(pattern):
    """Counts what differs in the first group of a pattern."""
    def find(path):
        with open(path, errors="replace") as file:
            return len(set(re.findall(pattern, file.read(), re.M)))
    return find


def count_banners(path):
    return len(banners_in(path))


TCPDUMP_DROPPED = number_in(r"(\d+) packets? dropped by kernel")
NOBODY = Watcher("nobody", None, None, None, None, None)
WATCHERS = [
    Watcher("bannerprobe", None, "{binary} -f json -o {out}/json --stats veth0", "json",
            count_banners, number_in(r"^lost_\w+\s+(\d+)")),
    Watcher("tcpdump, `tcp`, 512 bytes", "tcpdump",
            "tcpdump -Z root -n -i veth0 -s 512 -w {out}/pcap tcp", "pcap",
            count_banners, TCPDUMP_DROPPED),
    Watcher("tcpdump, `tcp and less 600`", "tcpdump",
            "tcpdump -Z root -n -i veth0 -s 600 -w {out}/pcap tcp and less 600", "pcap",
            count_banners, TCPDUMP_DROPPED),
    Watcher("p0f (hosts, no banners)", "p0f", "p0f -i veth0 -o {out}/log", "log",
            hosts_in(r"mod=syn\+ack\|.*\|srv=([\d.]+)/"), lambda path: None),
    Watcher("prads (services, no banners)", "prads",
            "prads -i veth0 -l {out}/log", "log", hosts_in(r"^([\d.]+),\d+,\d+,6,SERVER,"),
            number_in(r"packets dropped\s*:\s*(\d+)")),
    Watcher("Suricata, one rule", "suricata",
            "suricata -c {out}/suricata.yaml -S {out}/rules -l {out} --af-packet=veth0 -k none",
            "eve.json", count_banners, number_in(r"packets: \d+, drops: (\d+)")),
]


def peers():
    """The same traffic, watched by each of those that could be asked for the same."""
    title("Peers: CPU seconds that a watcher adds to the same traffic")
    install(*{watcher.package for watcher in WATCHERS if watcher.package})
    watchers = [watcher for watcher in WATCHERS
                if watcher.package is None or version(watcher.package)]
    size, count = ("1G" if options.quick else "8G"), 10_000
    results = {watcher: [] for watcher in [NOBODY, *watchers]}
    with Site() as site:
        for i in range(options.rounds):
            order = list(results)
            for watcher in order[i:] + order[:i]:
                progress(f"round {i + 1} of {options.rounds}: {watcher.name}")
                try:
                    results[watcher].append(watched(site, watcher, size, count))
                except DidNotWatch as error:
                    print(f"{error}\n")
                    del results[watcher]
    progress("")
    row = table("watcher", "machine, CPU s more", "its own CPU s", "traffic took, s",
                f"reported of {count}", "dropped packets", "wrote, MB")
    quiet = [run.busy for run in results[NOBODY]]
    for watcher, runs in results.items():
        more = spread([run.busy - base for run, base in zip(runs, quiet)], ".2f")
        row(f"{watcher.name} {version(watcher.package)}" if watcher.package else watcher.name,
            f"0, of {spread(quiet, '.2f')}" if watcher is NOBODY else more,
            *(medians(runs, field) for field in ("own", "seconds", "found", "dropped", "wrote")))
    for run in results[WATCHERS[0]]:
        check(run.found == count and run.dropped == 0,
              f"bannerprobe beside bulk traffic: {run.found} of {count}, lost {run.dropped}")
    print(f"\nTraffic: {size}iB by one iperf3 stream towards the watcher, and meanwhile {count}"
          " connections to as many servers as fast as they go. A watcher that drops packets has"
          " not paid for them. `dropped`: as it says itself (bannerprobe: banners lost).")
    missing = [watcher.name for watcher in WATCHERS if watcher not in results]
    if missing:
        print("Not to be had here:", "; ".join(missing))


def medians(runs, field):
    """A field's median and spread; `-` for what a watcher does not tell."""
    values = [getattr(run, field) for run in runs]
    if None in values:
        return "-"
    return spread(values, ".2f" if isinstance(values[0], float) else ".0f")


def watched(site, watcher, size, count):
    """One run of the traffic. Neither the watcher's start nor its end is counted."""
    out = tempfile.mkdtemp(dir=site.folder)
    try:
        if watcher is NOBODY:
            busy, start = busy_seconds(), time.monotonic()
            generate(site, size, count)
            seconds = time.monotonic() - start
            time.sleep(0.5)
            return Watched(busy_seconds() - busy, None, seconds, None, None, None)
        for name, text in ("suricata.yaml", SURICATA), ("rules", SURICATA_RULE):
            with open(f"{out}/{name}", "w") as file:
                file.write(text)
        with open(f"{out}/said", "w") as said, watching(site, watcher, out, said) as process:
            busy, own, start = busy_seconds(), own_seconds(process.pid), time.monotonic()
            generate(site, size, count)
            seconds = time.monotonic() - start
            settle(process.pid)
            busy, own = busy_seconds() - busy, own_seconds(process.pid) - own
            process.terminate()
            process.wait(PATIENCE)
        path = f"{out}/{watcher.output}"
        return Watched(busy, own, seconds, watcher.found(path),
                       os.path.getsize(path) / 1e6, watcher.dropped(f"{out}/said"))
    finally:
        shutil.rmtree(out)


def generate(site, size, count):
    """The traffic: so many bytes and so many connections, however long it takes."""
    with site.bulk("-R", "-n", size) as bulk:
        time.sleep(0.2)
        site.load(count)
        finished(bulk)


@contextlib.contextmanager
def watching(site, watcher, out, said):
    """A watcher at work: it has what it watches with, and its start lies behind it."""
    argv = [arg.format(binary=netns.BINARY, out=out) for arg in watcher.command.split()]
    process = subprocess.Popen(site.host.argv(*argv), stdin=subprocess.DEVNULL, stdout=said,
                               stderr=subprocess.STDOUT, cwd=out)

    def ready():
        with open(f"{out}/said", errors="replace") as file:
            words = file.read()
        if process.poll() is not None:
            raise DidNotWatch(f"{watcher.name} ended: {words[-500:]}")
        if ": attached: " in words:
            return True
        with open(f"/proc/{process.pid}/net/packet") as file:
            return len(file.readlines()) > 1
    try:
        netns.wait_for(f"{watcher.name} to watch", ready)
        time.sleep(0.5)
        settle(process.pid)
        yield process
    finally:
        process.kill()
        process.wait(netns.PATIENCE)


# --- 4. memory --------------------------------------------------------------------------------

def shared_mib(pid):
    """Resident pages that are a map's: counted with the maps, and the ring buffer's are seen twice."""
    with open(f"/proc/{pid}/smaps") as file:
        pages = re.findall(r" anon_inode:bpf-map\n(?:.*\n)*?Rss:\s+(\d+) kB", file.read())
    return sum(map(int, pages)) / 1024


def memory():
    """Memory of the loader and of its maps, and how long it takes to be there."""
    title("Memory and start")
    starts, resident, own, loaded, kernel = [], [], [], [], []
    count = 10_000
    with Site() as site:
        for i in range(options.rounds):
            progress(f"round {i + 1} of {options.rounds}")
            before = time.monotonic()
            with site.probe("auto", count) as probe:
                starts.append((probe.stderr[-1].when - before) * 1000)
                pid = probe.process.pid
                resident.append(rig.resident_bytes(pid) / MIB)
                own.append(sum(status_mib(one, "VmRSS") - shared_mib(one) for one in processes_of(pid)))
                site.load(count)
                loaded.append(rig.resident_bytes(pid) / MIB)
                maps = maps_of(pid)
                kernel.append(sum(maps.values()) / MIB)
    progress("")
    row = table("what", "found", "goal")
    for what, values, goal, unit in (
            ("resident memory of all processes once attached (PSS)", resident, 6, "MiB"),
            ("sum of their resident memory without pages of maps (RSS)", own, 16, "MiB"),
            (f"PSS after {count} banners", loaded, 6, "MiB"),
            ("kernel memory of its maps", kernel, 16, "MiB"),
            ("from exec to attached", starts, 100, "ms")):
        row(what, f"{spread(values, '.1f')} {unit}",
            judged(statistics.median(values), f"< {goal} {unit}", lambda n: n < goal))
    largest = sorted(maps.items(), key=lambda item: -item[1])
    print("\nMaps, MiB:", ", ".join(f"{name} {size / MIB:.2f}" for name, size in largest[:5]))


# --- 5. captures ------------------------------------------------------------------------------

Cost = collections.namedtuple("Cost", "cpu wall peak")


def cost_of(argv, out):
    """Runs it with its output to a file: CPU seconds, seconds, and peak memory in MiB.

    Through time(1), since the kernel takes a parent's size for the child's least.
    """
    with open(f"{out}/stdout", "w") as stdout:
        subprocess.run(["/usr/bin/time", "-o", f"{out}/time", "-f", "%U %S %e %M", *argv],
                       stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL,
                       check=True, timeout=3 * PATIENCE)
    with open(f"{out}/time") as file:
        user, system, wall, peak = map(float, file.read().split())
    return Cost(user + system, wall, peak / 1024)


READERS = {	# package: command, its output, and what to count there
    "p0f": (["p0f", "-r", "{file}", "-o", "{out}/log"], "log",
            hosts_in(r"mod=syn\+ack\|.*\|srv=([\d.]+)/"), "hosts"),
    "prads": (["prads", "-r", "{file}", "-l", "{out}/log"], "log",
              hosts_in(r"^([\d.]+),\d+,\d+,6,SERVER,"), "services"),
    "libndpi-bin": (["ndpiReader", "-i", "{file}"], "stdout",
                    number_in(r"SSH\s+packets: \d+\s+bytes: \d+\s+flows: (\d+)"), "SSH flows"),
    "tshark": (["tshark", "-r", "{file}", "-Y", "tcp.srcport == 22 and tcp.seq == 1 and tcp.len > 0"
                " and tcp.ack == 1", "-T", "fields", "-e", "ip.src", "-e", "tcp.payload"], "stdout",
               hosts_in(r"^([\d.]+)\t5353482d322e30"), "banners"),
}


def captures():
    """Reading what others have captured."""
    title("Captures: reading a file")
    install("tcpdump", "time", *READERS)
    size = MIB * (128 if options.quick else 1024)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/pcap"
        progress("writing the capture")
        capture = captured.big_capture(file, size)
        cost_of(["cat", file], folder)		# into the page cache
        compare_readers(file, folder, capture, READERS)
        print(f"\nThe capture: {capture.bytes / MIB:.0f} MiB, {4 * captured.WAVE} connections,"
              f" {capture.banners} of them server-first.")
        os.unlink(file)
        title("Captures: many short connections")
        progress("writing the capture")
        capture = captured.busy_capture(file, 17_000 if options.quick else 170_000)
        cost_of(["cat", file], folder)
        compare_readers(file, folder, capture, {}, 0.6)
        print(f"\nThe capture: {capture.bytes / MIB:.0f} MiB, {capture.banners} banners"
              " (`tests/bench/captured.py`).")
        os.unlink(file)
        title("Captures: memory by connections open at once")
        row = table("connections", "peak memory, MiB", "CPU s")
        for count in (100_000, 400_000):
            progress(f"{count} open connections")
            captured.open_capture(file, count)
            cost = cost_of([netns.BINARY, "-f", "json", "-r", file], folder)
            row(count, f"{cost.peak:.1f}", f"{cost.cpu:.2f}")


def compare_readers(file, folder, capture, others, goal=1.15):
    ours, theirs, slow = [], [], {}
    for i in range(options.rounds):
        progress(f"round {i + 1} of {options.rounds}")
        turns = [(ours, [netns.BINARY, "-f", "json", "-r", file]),
                 (theirs, ["tcpdump", "-Z", "root", "-r", file, "-w", "/dev/null"])]
        for costs, argv in turns if i % 2 == 0 else turns[::-1]:
            costs.append(cost_of(argv, folder))
            if costs is ours:
                found = count_banners(f"{folder}/stdout")
                check(found == capture.banners,
                      f"-r: {found} of {capture.banners} banners logged")
    for package, (argv, output, count, what) in others.items():
        if version(package):
            progress(package)
            argv = [arg.format(file=file, out=folder) for arg in argv]
            try:
                cost = cost_of(argv, folder)
            except subprocess.SubprocessError as error:
                print(f"{package}: {error}")
                continue
            slow[package] = cost, count(f"{folder}/{output}"), what, argv[0]
    progress("")
    row = table("reader", "user+system, s", "over tcpdump's", "goal", "peak memory, MiB", "found")
    ratio = [one.cpu / other.cpu for one, other in zip(ours, theirs)]
    row("`bannerprobe -f json -r`", spread([cost.cpu for cost in ours], ".2f"), spread(ratio, ".2f"),
        judged(statistics.median(ratio), f"<= {goal}", lambda n: n <= goal),
        spread([cost.peak for cost in ours], ".1f"), f"{found} banners")
    row("`tcpdump -r -w /dev/null`", spread([cost.cpu for cost in theirs], ".2f"), "1", "",
        spread([cost.peak for cost in theirs], ".1f"), "-")
    base = statistics.median(cost.cpu for cost in theirs)
    for package, (cost, count, what, name) in slow.items():
        row(f"{name} {version(package)}, once", f"{cost.cpu:.2f}", f"{cost.cpu / base:.1f}", "",
            f"{cost.peak:.1f}", f"{count} {what}")


# --- 6. many interfaces -----------------------------------------------------------------------

def interfaces():
    """How long it takes to watch many interfaces, and one that comes later."""
    title("Many interfaces")
    row = table("interfaces", "from exec to all attached, s", "goal", "one that comes, ms", "goal")
    for count, most in ((60, 4),) if options.quick else ((600, 4), (5000, 30)):
        with netns.Namespace("many") as host:
            progress(f"making {count} interfaces")
            lines = "".join(f"link add v{i} up type veth peer name w{i}\nlink set w{i} up\n"
                            for i in range(count // 2))
            host.run("ip", "-batch", "-", input=lines)
            before = time.monotonic()
            with netns.Probe(host, "-o", "none", "v*", "w*", interfaces=count) as probe:
                took = probe.stderr[-1].when - before
                late = []
                for i in range(5):
                    begun = time.monotonic()	# with what ip itself takes
                    host.ip("link", "add", f"vnew{i}", "up", "type", "veth", "peer", "name", f"x{i}")
                    line = probe.error_line(f"vnew{i}: attached")
                    late.append((line.when - begun) * 1000)
        progress("")
        row(count, f"{took:.1f}", judged(took, f"<= {most} s", lambda n: n <= most),
            spread(late, ".0f"), judged(max(late), "<= 50 ms", lambda n: n <= 50))


# --- the whole --------------------------------------------------------------------------------

SECTIONS = {"throughput": throughput, "rates": rates, "peers": peers, "memory": memory,
            "captures": captures, "interfaces": interfaces}


def machine():
    """What the figures hold for."""
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.+)", file.read())
    done = subprocess.run([netns.BINARY, "--version"], capture_output=True, text=True)
    print(f"{done.stdout.splitlines()[0]}; Linux {platform.release()};"
          f" {os.cpu_count()} x {model[1] if model else platform.machine()};"
          f" load average at the start {os.getloadavg()[0]:.2f};"
          f" {options.rounds} rounds, each figure a median (least to most).", flush=True)


def main():
    parser = argparse.ArgumentParser(description="What bannerprobe costs a whole host.")
    parser.add_argument("section", nargs="*", help=", ".join(SECTIONS) + " (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, help="default 5, with --quick 2")
    parser.add_argument("--hooks", type=lambda text: text.split(","),
                        help=",".join(HOOKS) + " (default: all)")
    parser.parse_args(namespace=options)
    options.rounds = options.rounds or (2 if options.quick else 5)
    unknown = set(options.section) - set(SECTIONS)
    if unknown or options.rounds < 1:
        parser.error(f"no such section: {', '.join(unknown)}" if unknown else "at least one round")
    if not set(options.hooks) <= set(HOOKS):
        parser.error("no such hook")
    if os.geteuid():
        sys.exit("bench_host.py: must be run as root: it makes network namespaces")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine()
    for name in options.section or SECTIONS:
        SECTIONS[name]()
    return rig.verdict()


if __name__ == "__main__":
    sys.exit(main())
