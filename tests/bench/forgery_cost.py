# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a packet of no interest costs before a flood of spoofed handshakes, and ten seconds after it.

It is measured, so it is no part of `make test`: `make test-forgery`.
"""

import time

import netns
from forgery import POSITIONS, forge, watching
from run_times import run_times, spent

BATCH, BATCHES, HANDSHAKES = 200_000, 5, 60_000
AFTER_SECONDS, AT_MOST = 10, 1.3


def cost(site, programs):
    """Of an acknowledgement that nobody waits for, ns; the least of some batches."""
    found = []
    for seed in range(BATCHES):
        before = spent(programs)
        forge(site, "c", 20000, 30000, ["c:A"], "-w", "ends", "-n", BATCH, "-S", seed, "-T", 1)
        after = spent(programs)
        # A busy host forges fewer in the time that it has.
        assert after[1] - before[1] >= BATCH // 10, "nearly all packets were lost before the probe"
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
