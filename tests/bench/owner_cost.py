#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
What --owner costs: two probes on one interface see the same connections, one with --owner and one
without. What the kernel's clock says of the program on the transmit hook, and of the processes, is
compared, a connection and record at a time. The order in which they attach alternates. The reader asks
once for a listener in each batch from the ring: so many records are in one, or each is alone.
At last: what the library's answer for a known listener takes of the processor (`make test-owner`
builds the tool that is asked).

    owner_cost.py [ROUNDS]
"""

import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

from netns import BINARY, Network, Probe, wait_for
from owner_rig import PORT, Cgroup, Owner, Server, index_of

CALL_BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
BPF_ENABLE_STATS = 32
BPFTOOL = shutil.which("bpftool") or "/usr/sbin/bpftool"
CONNECTIONS, ALONE, ANSWERS = 2000, 200, 20000
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 6
PROCESSES = "bannerprobe-rd", "bannerprobe-own"


class Bare:
    def __init__(self, ns):
        self.ns = ns

    def argv(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.ns.name}", *command]


def enable_stats():
    """The kernel measures programs as long as the descriptor is open."""
    attributes = ctypes.create_string_buffer(struct.pack("I", 0), 4)
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(CALL_BPF, BPF_ENABLE_STATS, attributes, 4)
    assert descriptor >= 0, os.strerror(ctypes.get_errno())
    return descriptor


def transmit_program(pid):
    """The id of the program on the transmit hook, by the descriptors of its process."""
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{name}") as file:
            info = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
        if "prog_id" in info and "verified_insns" in info:
            shown = program(info["prog_id"].strip())
            if shown["name"] == "bannerprobe_tx":
                return shown["id"]
    raise AssertionError("no program")


def program(number):
    return json.loads(subprocess.run([BPFTOOL, "-j", "prog", "show", "id", str(number)], check=True,
                                     capture_output=True, text=True).stdout)


def processor(running, name):
    """ns that a process was on a processor."""
    pid = running.child(name)
    if not pid:
        return 0
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0])


def costs(running):
    return [program(running.number).get("run_time_ns", 0), *(processor(running, name) for name in PROCESSES)]


def connect(net, count, pause):
    with net.peer.entered():
        for _ in range(count):
            with socket.create_connection(("10.99.0.1", PORT)) as client:
                while client.recv(100):
                    pass
            time.sleep(pause)


def one_round(net, count, pause, at_once, owned_first):
    """ns a record, of each: the program, the reader, what finds owners."""
    orders = [("--owner",), ()] if owned_first else [(), ("--owner",)]
    probes = [Probe(Bare(net.host), *order, "-f", "json", "veth0") for order in orders]
    for one in probes:
        one.number = transmit_program(one.process.pid)
    connect(net, 20, 0)
    time.sleep(1.1)			# what is new is looked up once a second
    connect(net, 20, 0)
    time.sleep(0.1)
    before = [costs(one) for one in probes]
    for one in probes if at_once else ():
        os.kill(one.reader(), signal.SIGSTOP)
    connect(net, count, pause)
    for one in probes if at_once else ():
        os.kill(one.reader(), signal.SIGCONT)
    wait_for("all records", lambda: all(one.out.qsize() >= count + 40 for one in probes))
    after = [costs(one) for one in probes]
    for one in probes:
        one.stop()
        assert one.ended() == 0
        one.__exit__()
    owned = sum('"unit":"web.service"' in line and '"pid":' in line
                for line in probes[0 if owned_first else 1].stdout[-count:])
    assert owned > 0.9 * count, f"{owned} of {count} records have an owner"
    each = [[(b - a) / count for a, b in zip(*pair)] for pair in zip(before, after)]
    return each if owned_first else each[::-1]


def answers():
    print("| the answer for a known listener | ns of the processor, least and most |\n| --- | ---: |")
    with Network() as net, Cgroup("web.service") as web, Server(net.host, web) as server, \
            Server(net.peer, web) as behind, Owner(net.host) as owner:
        server.listen()
        behind.listen()
        for what, question in (
                ("of this namespace", f"listener 0 127.0.0.1 {PORT}"),
                ("of another one", f"listener {index_of(net.host, 'veth0')} 10.99.0.2 {PORT}"),
                ("by the socket's cgroup", f"socket {web.id} 0 127.0.0.1 {PORT}")):
            taken = sorted(owner.ask(f"bench {ANSWERS} {question}")["ns"] for _ in range(ROUNDS))
            print(f"| {what} | {taken[0]:.0f} to {taken[-1]:.0f} |", flush=True)


def main():
    descriptor = enable_stats()
    print("| what | without | with --owner | difference, median | spread |\n| --- | ---: | ---: | ---: | --- |")
    with Network() as net, Cgroup("web.service") as web, Server(net.host, web) as server:
        server.listen()
        server.say("greet()")
        for name, count, pause, at_once in (("many in a batch", CONNECTIONS, 0, True),
                                            ("one in a batch", ALONE, 0.01, False)):
            rounds = [one_round(net, count, pause, at_once, bool(i % 2)) for i in range(ROUNDS)]
            costs = ("transmit program, ns a connection", *(f"{one}, ns a record" for one in PROCESSES))
            for place, what in enumerate(costs):
                with_it, without = ([one[side][place] for one in rounds] for side in (0, 1))
                over = sorted(a - b for a, b in zip(with_it, without))
                print(f"| {name}: {what} | {statistics.median(without):.0f} | {statistics.median(with_it):.0f} |"
                      f" {statistics.median(over):.0f} | {over[0]:.0f} to {over[-1]:.0f} |", flush=True)
    os.close(descriptor)
    answers()


if __name__ == "__main__":
    main()
