#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Writes what the corpora began with, where their form has changed: seeds.py DIRECTORY (one folder in it for each)."""

import gzip
import json
import os
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import packets

BANNERS = [b"220 hi\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nServer: x\r\nVia: a\r\n\r\n", b"-", b"#", b'"\\\\',
           b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n", bytes(range(256)),
           b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n220 x\r\n", b"UNKNOWN 408\r\n", b"(empty)", b""]


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
    # More that wait for their banners than the table has room for; then these come.
    ports = [*range(16), *range(0x40, 0x50)]
    for last in 0x18, 0x11, 0x04:
        yield b"".join(bytes([1, side | port, flags, seq, ack, 0, 0])
                       for port in ports for side, flags, seq, ack in handshake[:3]) + \
            b"".join(bytes([1, 0x80 | port, last, 1, 1, 9, 0]) for port in ports)


def tunnels():
    """A segment, how many layers, their kinds (tests/unit/wrap.h), then changes: tests/fuzz/fuzz_tunnels.c."""
    kinds = range(10)
    stacks = [[kind] for kind in kinds] + [[inner, outer] for inner in kinds for outer in kinds]
    stacks += [[kind] * count for kind in kinds for count in (4, 5)] + [[8, 3, 2, 0], [0, 2, 0, 2, 3]]
    for stack in stacks:
        for family in 0, 0x40:
            yield bytes([0x98 | family, 0x0c, len(stack), *stack])
    for change in (5, 0x40, 0), (16, 0x40, 4), (20, 0, 0xff), (60, 0xc0, 1), (60, 0xc0, 0):
        yield bytes([0x98, 0x0c, 2, 0, 2, *change])


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
    """What was said, a name, a struct event (include/event.h): tests/fuzz/fuzz_format.c."""
    for said in BANNERS:
        for kind in range(5):
            record = struct.pack("<QQQQ16s16sHHIIIIII2HHBBBBBBBB6s6sBBB", 3_000_000, 1_000_000, 2_000_000, 99,
                                 bytes(range(16)), bytes(range(16, 32)), 40000, 25, len(said), len(said), 2, 1234,
                                 0, 1 + kind, 7, 8, kind % 2, kind % 3, 4 + kind % 2, 7, kind % 3, 64, 0, 0, kind,
                                 bytes(6), bytes(range(6)), kind % 2, kind, kind % 3).ljust(160, b"\0")
            for name in b"eth0", b'a "b"] [\\':
                yield struct.pack("<H", len(said)) + said + bytes([len(name)]) + name + record


RULES = [
    b'x /^A\\/(\\d+) "(.)"/i product="P $2" version=$1 cpe:/a:v:p cpe:/a:v:p:$1\n\t"a/1 \\"q\\"" version=1\n',
    b"http Server: /^Q(?:\\/(\\d))?$/ product=Q version=$1\n# comment\nx /(/\nx /[a]b{2,3}c|d/\n"]
NMAP = [
    b'Probe TCP NULL q||\nmatch x m|^A/(\\d+)|s p/P/ v/$SUBST(1,"_",".")/ i/$P(1) $I(1,">")/ cpe:/a:v:p:$1/a\n',
    b"Probe TCP G q|a|\nports 80\nsoftmatch y m=^(a)?(?:b|c)[^d]e+?= h|$1| o/O/ d/D/\nmatch z m|(|\n"]
RECOG = [
    b"<?xml version='1.0'?><fingerprints matches='ssh.banner' protocol='ssh'><fingerprint pattern='^A_([\\d.]+)$' "
    b"flags='REG_ICASE'><param pos='1' name='service.version'/><param pos='0' name='service.cpe23' "
    b"value='cpe:/a:v:p:{service.version}'/></fingerprint></fingerprints>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]><fingerprints/>"]
SAID = [b"A/12 z", b'a/1 "q"', b"HTTP/1.1 200 OK\r\nServer: Q/3\r\n\r\n", b"SSH-2.0-A_1.2 Debian-3\r\n",
        b"220 a.b ESMTP x\r\n", b"220-x FTP\r\n220 y\r\n", b"+OK <1@a>\r\n", b"* OK x\r\n", b"RFB 003.008\n",
        b"\xff\xfd\x01\xff\xfa\x18\x01\xff\xf0login: \x17", b":a.b NOTICE * :x\r\n",
        b"\x1c\0\0\0\n5.5.5-10.11.6-MariaDB-1\0\1\2\3", b"\x0c\0\0\0\xff\x10\x04Too many!",
        b"\xff" * 16 + b"\0\x1d\1\4\0\2", b"@RSYNCD: 31.0\n", b"\x16\3\1\0\x40\2\0"]


# What a prefilter could take for necessary, and texts without it that match all the same.
MATCHING = [b"abcdefgh", b"ABCD\r\nEFGH"]
RULES.append(b"".join(b"x /" + pattern + b"/ version=$1\n" for pattern in [
    b"abcdx?efgh", b"abcdx*efgh", b"abcdx{0,2}efgh", b"abcd(?:wxyz)?efgh", b"wxyz|abcd", b"(wxyz|abcd)efgh",
    b"abcd(?!wxyz)efgh", b"abcd(?=efgh)", b"abcd[wxyz]*efgh", b"abcd\\w+gh", b"abcd(wxyz)*efgh", b"(?i)ABCDEFGH",
    b"abcd[]efgh]+", b"abcd[^]]fgh", b"abcd[[:alpha:]]fgh", b"\\x61bcd\\x65fgh", b"(?i)abcd\\r\\nefgh"]))


def identify():
    """What chooses, the length of a source, the source, what was said."""
    for kind, sources in enumerate((RULES, NMAP, RECOG, [b""])):
        for source in sources:
            for number, said in enumerate(SAID + MATCHING):
                yield struct.pack("<BH", kind | number % 4 << 2, len(source)) + source + said


def owner():
    """Paths of cgroups; what I, U and V stand for: tests/fuzz/fuzz_owner.c."""
    for path in ("/", "/init.scope", "/system.slice/system-getty.slice/getty@tty1.service",
                 "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
                 "/system.slice/docker-I.scope", "/docker/I/init.scope", "/machine.slice/libpod-I.scope/container",
                 "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podV.slice/cri-containerd-I.scope",
                 "/kubepods/burstable/podU/I", "/kubepods/podU/kubepods-podV.slice:docker:I",
                 "/system.slice/k.service/kubepods-podV.slice:crio:I", "/lxc.payload.a-b/init.scope", "/lxc/a_b",
                 "/machine.slice/systemd-nspawn@a\\x2db.service/payload", "/machine.slice/machine-a.b.scope",
                 "/machine.slice/machine-qemu\\x2d1\\x2da.scope", "/_memory.service"):
        yield path.encode()


def logline():
    """Lines of the json log."""
    line = {"ts": 1790000000.25, "iface": "eth0", "client": "192.0.2.1", "client_port": 40000,
            "server": "192.0.2.2", "server_port": 22, "len": 11, "banner": "SSH-2.0-x\\x0d\\x0a"}
    for more in ({}, {"event": "open"}, {"event": "response", "client": "2001:db8::1", "server": "2001:db8::2"},
                 {"event": "request"}, {"truncated": True, "sensor": "a", "unit": "x.service",
                                        "container": "docker:012345678901", "process": "sshd"},
                 {"tunnel": [{"kind": "vxlan", "id": 42}, {"kind": "gre"}, {"kind": "geneve", "id": 7}]},
                 {"banner": "a\\\\b"}, {"change": "new"}):
        yield json.dumps({**line, **more}, separators=(",", ":")).encode()


for fuzzer in core, tunnels, capture, format, identify, owner, logline:
    folder = f"{sys.argv[1]}/{fuzzer.__name__}"
    os.makedirs(folder, exist_ok=True)
    for number, seed in enumerate(fuzzer()):
        with open(f"{folder}/seed-{number:02}", "wb") as file:
            file.write(seed)
