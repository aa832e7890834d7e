# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a packet of no interest costs ten seconds after a flood of spoofed handshakes, over one without a flood.

It is measured, so it is no part of `make test`: `make test-forgery`.
"""

import contextlib
import time

import netns
from forgery import POSITIONS, forge, watching
from run_times import run_times, spent

BATCH, BATCHES, HANDSHAKES = 200_000, 7, 60_000
AFTER_SECONDS, AT_MOST = 10, 1.3


def cost(site, programs, seed):
    """Of an acknowledgement that nobody waits for, ns, in one batch."""
    before = spent(programs)
    forge(site, "c", 20000, 30000, ["c:A"], "-w", "ends", "-n", BATCH, "-S", seed, "-T", 1)
    after = spent(programs)
    # A busy host forges fewer in the time that it has.
    assert after[1] - before[1] >= BATCH // 10, "nearly all packets were lost before the probe"
    return (after[0] - before[0]) / (after[1] - before[1])


def costs(places):
    """The least of some batches at each place, which take turns: other work slows down both."""
    found = [[cost(*place, seed) for place in places] for seed in range(BATCHES)]
    return [min(batches) for batches in zip(*found)]


def test_after_spoofed_handshakes():
    with run_times(), contextlib.ExitStack() as stack:
        places = []
        for _ in range(2):
            site = stack.enter_context(POSITIONS["router"]())
            probe = stack.enter_context(watching(site, "tc"))
            places.append((site, netns.held_by(probe.process.pid)["prog"]))
        flooded = places[0][0]
        before = costs(places)
        forge(flooded, "s", 20000, 22, ["s:SA", "c:A"], "-w", "servers", "-n", HANDSHAKES, "-T", 1)
        during = costs(places)
        time.sleep(AFTER_SECONDS)
        after = costs(places)
    for when, (one, other) in ("before", before), ("at the flood's end", during), ("later", after):
        print(f"{when}: {one:.0f} ns, without a flood {other:.0f} ns: {one / other:.2f}")
    assert after[0] <= AT_MOST * after[1]
