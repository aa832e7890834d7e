# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Packets in tunnels, layer by layer, as bytes.

An IP packet is in a tunnel by vxlan(packet, ...), geneve(...) and so on, which give the IP
packet around it; mpls() and pppoe() give a frame.
"""

import struct

import packets

OUTER = "192.0.2.1", "192.0.2.2"
OUTER6 = "2001:db8::1", "2001:db8::2"
FRAME, MPLS = 0x6558, 0x8847


def ethertype(packet):
    """Of an IP packet as bytes."""
    return 0x0800 if packet[0] >> 4 == 4 else 0x86dd


def frame(inner, kind=None, tags=()):
    """Ethernet around something."""
    kinds = [*(tpid for tpid, _ in tags), kind or ethertype(inner)]
    head = b"".join(packets.MACS) + struct.pack(">H", kinds[0])
    for (_, vlan), following in zip(tags, kinds[1:]):
        head += struct.pack(">HH", vlan, following)
    return head + inner


def address(text):
    if ":" in text:
        import ipaddress
        return ipaddress.ip_address(text).packed
    return bytes(map(int, text.split(".")))


def ip(protocol, inner, ends=OUTER, length=None, fragment=0, options=b""):
    """An IP header; length: what is said in place of the right one."""
    source, target = map(address, ends)
    if len(source) == 16:
        return struct.pack(">IHBB", 6 << 28, len(inner) if length is None else length, protocol, 64) + \
            source + target + inner
    size = 20 + len(options)
    total = size + len(inner) if length is None else length
    return struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, total, 1, fragment, 64, protocol, 0) + \
        source + target + options + inner


def udp(port, inner, ends=OUTER, length=None, **around):
    size = 8 + len(inner) if length is None else length
    return ip(17, struct.pack(">HHHH", 54321, port, size, 0) + inner, ends, **around)


def vxlan_header(vni, flags=0x08, following=0):
    return struct.pack(">BHBI", flags, 0, following, vni << 8)


def vxlan(inner, vni=42, port=4789, flags=0x08, **around):
    """inner: a frame."""
    return udp(port, vxlan_header(vni, flags) + inner, **around)


def gpe(inner, following, vni=42, flags=0x0c, **around):
    return udp(4790, vxlan_header(vni, flags, following) + inner, **around)


def geneve(inner, kind=FRAME, vni=42, options=b"", flags=0, version=0, port=6081, **around):
    head = struct.pack(">BBHI", version << 6 | len(options) // 4, flags, kind, vni << 8)
    return udp(port, head + options + inner, **around)


def gre_header(kind, key=None, checksum=False, sequence=None, flags=0):
    flags |= 0x8000 * checksum | 0x2000 * (key is not None) | 0x1000 * (sequence is not None)
    head = struct.pack(">HH", flags, kind)
    head += bytes(4) if checksum else b""
    head += struct.pack(">I", key) if key is not None else b""
    return head + (struct.pack(">I", sequence) if sequence is not None else b"")


def gre(inner, kind=None, around=None, **header):
    return ip(47, gre_header(kind or ethertype(inner), **header) + inner, **around or {})


def erspan(inner, kind=2, session=7, more=b"", frame_type=0, **around):
    """inner: a frame; kind: 1, 2 or 3."""
    if kind == 1:
        return ip(47, gre_header(0x88be) + inner, **around)
    if kind == 2:
        head = gre_header(0x88be, sequence=1) + struct.pack(">HHI", 1 << 12, session, 3)
    else:
        head = gre_header(0x22eb, sequence=1) + \
            struct.pack(">HHIHH", 2 << 12, session, 99, 0, frame_type << 10 | bool(more)) + more
    return ip(47, head + inner, **around)


def ipip(inner, **around):
    return ip(4 if inner[0] >> 4 == 4 else 41, inner, **around)


def mpls(inner, labels=(100,)):
    """Labels in front of something, without a frame."""
    stack = b""
    for i, label in enumerate(labels):
        stack += struct.pack(">I", label << 12 | (i == len(labels) - 1) << 8 | 64)
    return stack + inner


def pppoe(inner, protocol=None, length=None, session=5, code=0):
    """A session's header and PPP's, without a frame."""
    if protocol is None:
        protocol = b"\0\x21" if inner[0] >> 4 == 4 else b"\0\x57"
    size = len(protocol) + len(inner) if length is None else length
    return struct.pack(">BBHH", 0x11, code, session, size) + protocol + inner


PPPOE = 0x8864

# Every kind: the packet made of an IP packet, and what is reported of it, outermost first.
NEAR = {"src": OUTER[0], "dst": OUTER[1]}
NEAR6 = {"src": OUTER6[0], "dst": OUTER6[1]}


def layer(kind, number=0, ends=None):
    return {"type": kind, "id": number, **(NEAR if ends is None else ends)}


KINDS = {
    "vxlan": (lambda p: frame(vxlan(frame(p))), [layer("vxlan", 42)]),
    "vxlan of Linux": (lambda p: frame(vxlan(frame(p), port=8472)), [layer("vxlan", 42)]),
    "vxlan, largest number": (lambda p: frame(vxlan(frame(p), vni=0xffffff)), [layer("vxlan", 0xffffff)]),
    "vxlan with a policy": (lambda p: frame(vxlan(frame(p), flags=0x88)), [layer("vxlan", 42)]),
    "vxlan over IPv6": (lambda p: frame(vxlan(frame(p), ends=OUTER6)), [layer("vxlan", 42, NEAR6)]),
    "vxlan, no UDP length": (lambda p: frame(vxlan(frame(p), port=4789, length=None)),
                             [layer("vxlan", 42)]),
    "vxlan behind IP options": (lambda p: frame(vxlan(frame(p), options=b"\x01" * 8)),
                                [layer("vxlan", 42)]),
    "vxlan-gpe, frame": (lambda p: frame(gpe(frame(p), 3)), [layer("vxlan", 42)]),
    "vxlan-gpe, IP": (lambda p: frame(gpe(p, 1 if p[0] >> 4 == 4 else 2)), [layer("vxlan", 42)]),
    "vxlan-gpe without a protocol": (lambda p: frame(gpe(frame(p), 0, flags=0x08)), [layer("vxlan", 42)]),
    "vxlan-gpe, MPLS": (lambda p: frame(gpe(mpls(p), 5)), [layer("vxlan", 42), layer("mpls", ends={})]),
    "geneve": (lambda p: frame(geneve(frame(p))), [layer("geneve", 42)]),
    "geneve, options": (lambda p: frame(geneve(frame(p), options=bytes(60))), [layer("geneve", 42)]),
    "geneve, most options": (lambda p: frame(geneve(frame(p), options=bytes(252))),
                             [layer("geneve", 42)]),
    "geneve, IP": (lambda p: frame(geneve(p, ethertype(p))), [layer("geneve", 42)]),
    "geneve, critical option": (lambda p: frame(geneve(frame(p), flags=0x40)), [layer("geneve", 42)]),
    "gre": (lambda p: frame(gre(p)), [layer("gre")]),
    "gre, all fields": (lambda p: frame(gre(p, key=0xfedcba98, checksum=True, sequence=9)),
                        [layer("gre", 0xfedcba98)]),
    "gre, frame": (lambda p: frame(gre(frame(p), FRAME, key=3)), [layer("gre", 3)]),
    "gre, MPLS": (lambda p: frame(gre(mpls(p), MPLS)), [layer("gre"), layer("mpls", ends={})]),
    "gre over IPv6": (lambda p: frame(gre(p, around={"ends": OUTER6})), [layer("gre", 0, NEAR6)]),
    "erspan I": (lambda p: frame(erspan(frame(p), 1)), [layer("erspan")]),
    "erspan II": (lambda p: frame(erspan(frame(p), 2)), [layer("erspan", 7)]),
    "erspan II, largest session": (lambda p: frame(erspan(frame(p), 2, 1023)), [layer("erspan", 1023)]),
    "erspan III": (lambda p: frame(erspan(frame(p), 3)), [layer("erspan", 7)]),
    "erspan III, subheader": (lambda p: frame(erspan(frame(p), 3, more=bytes(8))), [layer("erspan", 7)]),
    "erspan III, IP": (lambda p: frame(erspan(p, 3, frame_type=2)), [layer("erspan", 7)]),
    "ipip": (lambda p: frame(ipip(p)), [layer("ipip")]),
    "ip in IPv6": (lambda p: frame(ipip(p, ends=OUTER6)), [layer("ipip", 0, NEAR6)]),
    "mpls": (lambda p: frame(mpls(p), MPLS), [layer("mpls", ends={})]),
    "mpls, multicast": (lambda p: frame(mpls(p), 0x8848), [layer("mpls", ends={})]),
    "mpls, most labels": (lambda p: frame(mpls(p, range(8)), MPLS), [layer("mpls", ends={})]),
    "mpls, control word": (lambda p: frame(mpls(bytes(2) + b"\1\2" + frame(p)), MPLS),
                           [layer("mpls", ends={})]),
    "pppoe": (lambda p: frame(pppoe(p), PPPOE), [layer("pppoe", ends={})]),
    "pppoe, one byte of protocol": (lambda p: frame(pppoe(p, b"\x21" if p[0] >> 4 == 4 else b"\x57"), PPPOE),
                                    [layer("pppoe", ends={})]),
    "pppoe behind a tag": (lambda p: frame(pppoe(p), PPPOE, [(0x8100, 7)]), [layer("pppoe", ends={})]),
    "geneve, vxlan": (lambda p: frame(geneve(frame(vxlan(frame(p), 5)), vni=0)),
                      [layer("geneve"), layer("vxlan", 5)]),
    "four layers": (lambda p: frame(ipip(gre(geneve(frame(vxlan(frame(p), 5)), vni=4), key=6))),
                    [layer("ipip"), layer("gre", 6), layer("geneve", 4), layer("vxlan", 5)]),
}
