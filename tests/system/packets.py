# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Made-up connections, packet by packet, and the captures that hold them."""

import json
import re
import struct
import subprocess

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from netns import BINARY, PATIENCE

# The numbers of link types in capture files (tcpdump.org, LINKTYPE_...).
NULL, ETHERNET, DLT_RAW, RAW, LOOP, SLL, IPV4, IPV6, SLL2 = 0, 1, 12, 101, 108, 113, 228, 229, 276
PPP, PPP_HDLC, PPP_ETHER, WIFI, RADIOTAP, NFLOG = 9, 50, 51, 105, 127, 239
MICRO, NANO, PATCHED = 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34
START = 1_700_000_000_123_456_000	# ns: when captures begin
STEP = 1_000_000			# ns: from one packet to the next


class Connection:
    """Makes packets of one connection; numbers are relative to the two initial ones."""

    def __init__(self, client=("5.6.7.8", 5678), server=("1.2.3.4", 80),
                 cisn=555678, sisn=111234):
        self.client, self.server = client, server
        self.cisn, self.sisn = cisn, sisn

    def _packet(self, source, target, flags, seq, ack, data, options, ip):
        ip = ip.copy() if ip else (IPv6 if ":" in source[0] else IP)()
        ip.src, ip.dst = source[0], target[0]
        tcp = TCP(sport=source[1], dport=target[1], flags=flags, seq=seq % 2**32,
                  ack=ack % 2**32, **options)
        return ip / tcp / data if data else ip / tcp

    def c(self, flags, seq=1, ack=1, data=b"", ip=None, **options):
        """A packet of the client."""
        ack = self.sisn + ack if "A" in flags else 0
        return self._packet(self.client, self.server, flags, self.cisn + seq, ack, data, options, ip)

    def s(self, flags, seq=1, ack=1, data=b"", ip=None, **options):
        """A packet of the server."""
        ack = self.cisn + ack if "A" in flags else 0
        return self._packet(self.server, self.client, flags, self.sisn + seq, ack, data, options, ip)

    def syn(self, **options):
        return self.c("S", 0, **options)

    def synack(self, **options):
        return self.s("SA", 0, **options)

    def opening(self):
        return [self.syn(), self.synack(), self.c("A")]

    def greeted(self, data):
        """A whole handshake, and the server's first words."""
        return [*self.opening(), self.s("PA", data=data)]


def ethernet(packet, tags=(), pad=False):
    """As on Ethernet, behind (tpid, vlan) tags; small frames padded if wanted."""
    ethertype = 0x86dd if IPv6 in packet else 0x0800
    inner = [*tags[1:], (ethertype, None)]
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02",
                  type=tags[0][0] if tags else ethertype)
    for (_, vlan), (following, _) in zip(tags, inner):
        frame = frame / Dot1Q(vlan=vlan, type=following)
    raw = bytes(frame / packet)
    return raw.ljust(60, b"\0") if pad else raw


def ethertype_of(packet):
    return struct.pack(">H", 0x86dd if IPv6 in packet else 0x0800)


SNAP = b"\xaa\xaa\x03\0\0\0"
MACS = b"\2\0\0\0\0\2", b"\2\0\0\0\0\1"		# of who receives, and of who sends


def snap(packet):
    """As on Ethernet with a length, LLC and SNAP."""
    inner = SNAP + ethertype_of(packet) + bytes(packet)
    return b"".join(MACS) + struct.pack(">H", len(inner)) + inner


def wifi(packet, control=0x08, flags=0x01, more=b"", sequence=0, padding=b""):
    """As an IEEE 802.11 data frame; more: what follows three addresses and Sequence Control."""
    target, source = MACS
    addresses = {0: (target, source, b"AP----"), 1: (b"AP----", source, target),
                 2: (target, b"AP----", source), 3: (b"AP----", b"AP2---", target)}[flags & 3]
    return (bytes([control, flags, 0, 0]) + b"".join(addresses) + struct.pack("<H", sequence) + more +
            padding + SNAP + ethertype_of(packet) + bytes(packet) + b"FCS!")


def radiotap(frame, flags=0x10):
    """Behind a radiotap header with two words of what is present, a time and flags."""
    header = struct.pack("<QB", 1234567, flags)
    present = struct.pack("<II", 1 << 31 | 3, 1 << 29)
    return struct.pack("<BBH", 0, 0, 4 + len(present) + 4 + len(header)) + present + bytes(4) + \
        header + frame


def nflog(packet, order="<"):
    """As by Linux's NFLOG target: a prefix, then the packet."""
    family = 10 if IPv6 in packet else 2
    attribute = struct.pack(order + "HH", 4 + 5, 10) + b"rule\0" + bytes(3)
    return struct.pack(">BBH", family, 0, 7) + attribute + \
        struct.pack(order + "HH", 4 + len(bytes(packet)), 9) + bytes(packet)


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout


def pcap(frames, link=ETHERNET, magic=MICRO, order="<", start=START, times=None):
    """A capture as bytes. Of a frame given as (bytes, n) only the first n were captured.
    times: of each frame, ns since the start."""
    unit = 1000 if magic == MICRO else 1
    out = bytearray(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link))
    for i, frame in enumerate(frames):
        frame, kept = frame if isinstance(frame, tuple) else (frame, len(frame))
        seconds, rest = divmod(start + (times[i] if times else i * STEP), 10**9)
        out += struct.pack(order + "IIII", seconds, rest // unit, kept, len(frame)) + frame[:kept]
    return bytes(out)


def block(order, kind, body):
    """A block of a pcapng."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order="<"):
    return block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))


def interface(order="<", link=ETHERNET, snaplen=262144, name=None, resolution=None, offset=None):
    """An interface description; resolution: the byte of if_tsresol."""
    options = b""
    if name is not None:
        options += option(order, 2, name)
    if resolution is not None:
        options += option(order, 9, bytes([resolution]))
    if offset is not None:
        options += option(order, 14, struct.pack(order + "q", offset))
    if options:
        options += option(order, 0, b"")
    return block(order, 1, struct.pack(order + "HHI", link, 0, snaplen) + options)


def enhanced(frame, time, number=0, order="<", options=b""):
    """An enhanced packet block; time: in the interface's units."""
    head = struct.pack(order + "IIIII", number, time >> 32, time & 0xffffffff, len(frame), len(frame))
    return block(order, 6, head + frame + bytes(-len(frame) % 4) + options)


def pcapng(frames, link=ETHERNET, order="<", nano=False, start=START):
    """The same as a minimal pcapng: section header, interface, enhanced packet blocks."""
    out = section(order) + interface(order, link, resolution=9 if nano else None)
    for i, frame in enumerate(frames):
        out += enhanced(frame, (start + i * STEP) // (1 if nano else 1000), order=order)
    return out


def probe(*args, stdout=subprocess.PIPE, **kwargs):
    """bannerprobe run to its end."""
    return subprocess.run([BINARY, *map(str, args)], stdout=stdout, stderr=subprocess.PIPE,
                          timeout=PATIENCE, **kwargs)


def parsed(output):
    """Json records; `ts` as it stands there, since a float would round it."""
    return [json.loads(line, parse_float=str) for line in output.splitlines()]


def records(*args, **kwargs):
    """The json records of a run that went well and complained of nothing."""
    done = probe("-f", "json", *args, **kwargs)
    assert (done.returncode, done.stderr) == (0, b""), done
    return parsed(done.stdout)


def records_of(capture, *args):
    """The json records of one capture, given as bytes."""
    return records(*args, "-r", "-", input=capture)


def counters(stderr):
    """The counters that --stats wrote last, by name."""
    return {name: int(value) for name, value in re.findall(r"\b([a-z_]+)[=: ]+(\d+)", stderr.decode())}
