#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Writes what the corpora began with, where their form has changed: seeds.py DIRECTORY (one folder in it for each)."""

import gzip
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))

import packets  # noqa: E402

BANNERS = [b"220 hi\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.0 408\r\n", bytes(range(256)), b"-", b"#", b'"\\']


def conversations():
    four = packets.Connection()
    six = packets.Connection(("2001:db8::1", 4000), ("2001:db8::2", 25))
    for one in four, six:
        yield one.greeted(b"220 hi\r\n")
        yield [*one.opening(), one.c("PA", data=b"GET /"), one.s("PA", ack=6, data=b"200")]
        yield [*one.opening(), one.c("FA"), one.s("PA", ack=2, data=b"bye"), one.s("R", 4)]


def core():
    """Steps of tests/fuzz/steps.c: a byte that chooses, then a frame with its length."""
    for talk in conversations():
        for kind, frames in ((0, map(packets.ethernet, talk)), (2, map(bytes, talk)),
                             (0, (packets.ethernet(p, [(0x8100, 7)]) for p in talk))):
            yield b"".join(struct.pack("<BH", kind, len(frame)) + frame for frame in frames)
    handshake = [(0, 0x02, 0, 0), (0x80, 0x12, 0, 1), (0, 0x10, 1, 1), (0x80, 0x18, 1, 1)]
    yield b"".join(bytes([1, side | port, flags, seq, ack, 9, 0])
                   for port in range(16) for side, flags, seq, ack in handshake)


def capture():
    for talk in conversations():
        raw, frames = list(map(bytes, talk)), list(map(packets.ethernet, talk))
        protocol = struct.pack(">H", 0x86dd if ":" in talk[0].src else 0x0800)
        family = struct.pack("<I", 10 if ":" in talk[0].src else socket.AF_INET)
        yield packets.pcap(frames)
        yield packets.pcap(frames, magic=packets.NANO, order=">")
        yield packets.pcap([(frame, 60) for frame in frames])
        yield packets.pcap(raw, packets.RAW)
        yield packets.pcap([family + one for one in raw], packets.NULL)
        yield packets.pcap([bytes(14) + protocol + one for one in raw], packets.SLL)
        yield packets.pcap([protocol + bytes(18) + one for one in raw], packets.SLL2)
        yield packets.pcapng(frames)
        yield packets.pcapng(raw, packets.RAW, order=">", nano=True)
        yield packets.pcap([b"\xff\x03\0" + (b"\x57" if ":" in talk[0].src else b"\x21") + one
                            for one in raw], packets.PPP)
        yield packets.pcap([packets.nflog(one) for one in talk], packets.NFLOG)
        yield packets.pcap([packets.radiotap(packets.wifi(one)) for one in talk], packets.RADIOTAP)
        yield packets.pcap([packets.snap(one) for one in talk])
        for compress in gzip.compress, packets.zstd:
            yield compress(packets.pcap(frames))
        yield packets.pcapng(frames) + packets.pcapng(frames, order=">")


def format():
    """A struct record (include/record.h), and the banner behind it."""
    for banner in BANNERS:
        for family in 4, 6:
            yield struct.pack("<QQQQ16s16sHHIIIIIHHHBBBBBBB6s6s7x", 3_000_000, 1_000_000,
                              2_000_000, 99, bytes(range(16)), bytes(range(16, 32)), 40000, 25,
                              len(banner), len(banner), 2, 1234, 0, 7, 8, family - 4, 2, family,
                              7, 1, 64, 0, 0, bytes(6), bytes(range(6))) + banner


for fuzzer in core, capture, format:
    folder = f"{sys.argv[1]}/{fuzzer.__name__}"
    os.makedirs(folder, exist_ok=True)
    for number, seed in enumerate(fuzzer()):
        with open(f"{folder}/seed-{number:02}", "wb") as file:
            file.write(seed)
