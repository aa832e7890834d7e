#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Writes tests/unit/known/links.pcapng: a greeting by each link type that is read, and what is none.

Each link type is an interface of the capture, in the order and with the frames of test_captures.py.
"""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "system")]

from packets import ETHERNET, START, STEP, Connection, enhanced, ethernet, interface, section
from test_captures import LINKS

GREETING = b"220 link.example\r\n"


def talks(number):
    """One connection by IPv4, one by IPv6, no two of the capture alike."""
    return {version: Connection((client, 40000 + number), (server, 1000 + number)) for version, client, server in [
        (4, "192.0.2.7", "198.51.100.25"), (6, "2001:db8::7", "2001:db8:1::25")]}


def by_link_type():
    """(name, link type, frames) of each interface."""
    for number, (name, (link, framed, connections)) in enumerate(LINKS.items()):
        made = talks(number)
        chosen = [made[6 if ":" in connection.server[0] else 4] for connection in connections]
        yield name, link, [framed(packet) for talk in chosen for packet in talk.greeted(GREETING)]


def by_ethernet():
    """Behind VLAN tags; and connections that are no banners."""
    one, two, first, data_in_syn, reset, late = (talks(100 + n)[4] for n in range(6))
    yield "one tag", [ethernet(p, [(0x8100, 7)]) for p in one.greeted(GREETING)]
    yield "two tags", [ethernet(p, [(0x88a8, 7), (0x8100, 8)]) for p in two.greeted(GREETING)]
    yield "client first", map(ethernet, [*first.opening(), first.c("PA", data=b"GET /"),
                                         first.s("PA", ack=6, data=GREETING)])
    yield "data in the SYN", map(ethernet, [data_in_syn.c("S", 0, data=b"GET /"),
                                            data_in_syn.s("SA", 0, ack=6), data_in_syn.s("PA", ack=6, data=GREETING)])
    yield "reset", map(ethernet, [*reset.opening(), reset.s("R", ack=1)])
    yield "client's data unseen", map(ethernet, [*late.opening(), late.s("PA", ack=6, data=GREETING)])


def main():
    links = [*by_link_type(), *((name, ETHERNET, frames) for name, frames in by_ethernet())]
    out = section() + b"".join(interface(link=link, name=name.encode()) for name, link, _ in links)
    frames = ((number, frame) for number, (_, _, frames) in enumerate(links) for frame in frames)
    for n, (number, frame) in enumerate(frames):
        out += enhanced(frame, (START + n * STEP) // 1000, number)
    (TESTS / "unit/known/links.pcapng").write_bytes(out)


if __name__ == "__main__":
    main()
