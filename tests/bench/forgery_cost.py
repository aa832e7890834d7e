# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a packet of no interest costs before a flood of spoofed handshakes, and ten seconds after it.

It is measured, so it is no part of `make test`: `make test-forgery`.
"""

import contextlib
import ctypes
import os
import platform
import struct
import time

import netns
from forgery import POSITIONS, forge, watching

BPF_ENABLE_STATS = 32
BATCH, BATCHES, HANDSHAKES = 200_000, 5, 60_000
AFTER_SECONDS, AT_MOST = 10, 1.3


@contextlib.contextmanager
def run_times():
    """The kernel measures BPF programs meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    attr = ctypes.create_string_buffer(struct.pack("=I", 0), 64)
    fd = libc.syscall({"x86_64": 321, "aarch64": 280}[platform.machine()], BPF_ENABLE_STATS, attr, 64)
    assert fd >= 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        os.close(fd)


def spent(programs):
    """Nanoseconds and runs of them all."""
    shown = [one for one in netns.bpftool("prog", "show") if one["id"] in programs]
    return sum(one.get("run_time_ns", 0) for one in shown), sum(one.get("run_cnt", 0) for one in shown)


def cost(site, programs):
    """Of an acknowledgement that nobody waits for, ns; the least of some batches."""
    found = []
    for seed in range(BATCHES):
        before = spent(programs)
        forge(site, "c", 20000, 30000, ["c:A"], "-w", "ends", "-n", BATCH, "-S", seed, "-T", 1)
        after = spent(programs)
        assert after[1] - before[1] >= BATCH
        found.append((after[0] - before[0]) / (after[1] - before[1]))
    return min(found)


def test_after_spoofed_handshakes():
    with run_times(), POSITIONS["router"]() as site, watching(site, "tc") as probe:
        programs = netns.held_by(probe.process.pid)["prog"]
        before = cost(site, programs)
        forge(site, "s", 20000, 22, ["s:SA", "c:A"], "-w", "servers", "-n", HANDSHAKES, "-T", 1)
        during = cost(site, programs)
        time.sleep(AFTER_SECONDS)
        after = cost(site, programs)
        probe.stop()
    print(f"{before:.0f} ns, at the flood's end {during:.0f} ns, {AFTER_SECONDS} s later {after:.0f} ns")
    assert after <= AT_MOST * before, f"{before:.0f} ns before, {after:.0f} ns after"
