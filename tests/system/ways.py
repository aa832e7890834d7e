# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The ways to attach, each to be tried alike, and records to be compared with what sockets saw."""

import collections

import pytest

from netns import Probe, decoded

CLSACT = {"BANNERPROBE_TC": "clsact"}
# Every way to attach on a veth: options, environment, and what it must come to.
WAYS = {
    "auto": (["--hook", "auto"], {}, ("tcx", "tcx")),
    "tc": (["--hook", "tc"], {}, ("tcx", "tcx")),
    "clsact": (["--hook", "tc"], CLSACT, ("clsact", "clsact")),
    "xdp": (["--hook", "xdp"], {}, ("native XDP", "tcx")),
    "xdp-native": (["--hook", "xdp-native"], {}, ("native XDP", "tcx")),
    "xdp-generic": (["--hook", "xdp-generic"], {}, ("generic XDP", "tcx")),
    "xdp and clsact": (["--hook", "xdp"], CLSACT, ("native XDP", "clsact")),
}
every_way = pytest.mark.parametrize("way", WAYS)


def start(ns, way, *args, **kwargs):
    """The probe, attached in one of the ways."""
    options, env, hooks = WAYS[way]
    probe = Probe(ns, "-f", "json", *options, *(args or ["veth0"]), env=env, **kwargs)
    if set(probe.hooks.values()) != {hooks}:
        probe.__exit__()
        pytest.fail(f"attached by {probe.hooks}, not by {hooks}: {probe.stderr}")
    return probe


def told(records):
    """What records say of each connection, to be compared with what sockets saw."""
    return collections.Counter((r["server_port"], r["client_port"], decoded(r["banner"]))
                               for r in records)


def shown(*talks):
    return collections.Counter(map(tuple, talks))
