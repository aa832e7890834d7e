# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Made-up connections, packet by packet."""

import struct
import subprocess

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

# A test that makes packets writes captures, too: it finds both here.
from capture_files import (
    DLT_RAW, ETHERNET, IPV4, IPV6, LOOP, MICRO, NANO, NFLOG, NULL, PATCHED, PPP, PPP_ETHER, PPP_HDLC,
    RADIOTAP, RAW, SLL, SLL2, START, STEP, WIFI, block, counters, enhanced, interface, option, parsed,
    pcap, pcapng, probe, records, records_of, section)


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
MACS = b"\2\0\0\0\0\2", b"\2\0\0\0\0\1"		# of the receiver, and of the sender


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
    """Behind a radiotap header with two words of present flags, a time and flags."""
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


def bridge_nflog(packet, tag=b"", ethertype=None):
    """As by Linux for `table bridge`: the EtherType stands in the first attribute."""
    ethertype, content = ethertype or ethertype_of(packet), bytes(packet)
    if tag:
        ethertype, content = b"\x81\0", tag + ethertype + content
    return b"\7\0\0\5" + struct.pack("<HH", 4 + 4, 1) + ethertype + b"\2\0" + \
        struct.pack("<HH", 4 + len(content), 9) + content


def zstd(data):
    return subprocess.run(["zstd", "-qc"], input=data, stdout=subprocess.PIPE, check=True).stdout
