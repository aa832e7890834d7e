#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Veths made and deleted under the probe, a hundred thousand or as many as asked for: neither a
descriptor nor a byte may stay behind. Prints what it holds, once a thousand."""

import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import netns

BATCH = 200		# veths at once, two of a pair
EVERY = 5000		# veths from one line to the next
WARM_UP = 5000		# until what is kept for later use is there
SLACK = 512		# KiB that the allocator may round up to


def held_by(probe):
    """Descriptors, and resident KiB, of all its processes."""
    resident = 0
    for pid in probe.processes():
        with open(f"/proc/{pid}/status") as status:
            resident += int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in probe.processes()), resident


def turn(host, probe, number):
    """One batch; it is over when the probe has reported the last one."""
    lines = [f"link add c{n} group 7 type veth peer name d{n}" for n in range(BATCH // 2)]
    lines.append(f"link add mark{number} group 7 type veth peer name kram{number}")
    netns.sh("ip", "-n", host.name, "-batch", "-", input="\n".join(lines))
    probe.error_line(f" mark{number}: attached: ")
    host.ip("link", "del", "group", "7")
    probe.error_line(f" mark{number}: the interface was deleted")
    probe.stderr.clear()


def main(count):
    with netns.Network() as net, netns.Probe(net.host, "veth0", "[cm]*", interfaces=1) as probe:
        first = None
        for number in range(count // BATCH):
            turn(net.host, probe, number)
            done = (number + 1) * BATCH
            if done % EVERY == 0:
                held = held_by(probe)
                print(f"{done} veths: {held[0]} descriptors, {held[1]} KiB", flush=True)
                if done >= WARM_UP and not first:
                    first = held
        probe.send(15)
        code = probe.ended()
    left = first and (held[0] > first[0] or held[1] > first[1] + SLACK)
    return "something stays behind" if left else code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100000))
