# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Captures in, records out: what is a banner, which files are read, and what a bad one does."""

import collections
import json
import os
import struct
import subprocess
import tempfile

import pytest
from scapy.layers.inet import IP, TCP, IPOption_Router_Alert
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN)
from scapy.packet import Raw

import packets
from netns import BINARY, PATIENCE, ROOT, decoded
from packets import (Connection, ethernet, parsed, pcap, pcapng, probe, records,
                     records_of)

one = Connection()
self_ = Connection(("1.2.3.4", 80), ("1.2.3.4", 80), 7000, 7000)
six = Connection(("2001:db8::9", 40001), ("2001:db8::10", 25))
other_sisn = Connection(sisn=999000)
reborn = Connection(cisn=777000, sisn=888000)
DATA = b"DATA"


def raw_capture(talk):
    return pcap([bytes(packet) for packet in talk], link=packets.RAW)


# --- what is a banner -------------------------------------------------------------------------

def data(**kwargs):
    return one.s("PA", data=DATA, **kwargs)


# name: (packets, histories of the records, counter of the reason)
CASES = {
    "full handshake": (one.greeted(DATA), ["ShAd"], "banners"),
    "SYN unseen": (one.greeted(DATA)[1:], ["hAd"], "banners"),
    "third ACK unseen": ([one.syn(), one.synack(), data()], ["Shd"], "banners"),
    "only the SYN-ACK seen": ([one.synack(), data()], ["hd"], "banners"),
    "SYN-ACK unseen": ([one.syn(), one.c("A"), data()], [], "synack_unseen"),
    "client data first": ([*one.opening(), one.c("PA", data=DATA), data(ack=5)],
                          [], "client_first"),
    "client data crossed the server's": ([*one.opening(), one.c("PA", data=DATA), data()],
                                         [], "client_first"),
    "client data missed": ([*one.opening(), data(ack=5)], [], "client_first_by_ack"),
    "client data missed, seen by seq": ([*one.opening(), one.c("A", seq=5), data()],
                                        [], "client_first_by_seq"),
    "client data and its FIN, missed": ([*one.opening(), data(ack=3)],
                                        [], "client_first_by_ack"),
    "SYN with data, accepted": ([one.c("S", 0, data=DATA), one.s("SA", 0, ack=5), one.c("A", 5),
                                 data(ack=5)], [], "client_first_syn"),
    "SYN with data, not accepted": ([one.c("S", 0, data=DATA), one.synack(), one.c("A"), data()],
                                    [], "client_first_syn"),
    "SYN-ACK with data": ([one.syn(), one.synack(data=DATA), one.c("A", ack=5)],
                          ["Shd"], "banners"),
    "reordered": ([*one.opening(), one.s("PA", 5, data=b"MORE"), data()], ["ShAd"], "banners"),
    "acknowledged, then seen": ([*one.opening(), one.c("A", ack=5), data()], ["ShAd"], "banners"),
    "acknowledged, never seen": ([*one.opening(), one.c("A", ack=5), one.s("PA", 5, data=b"MORE"),
                                  one.s("FA", 9), one.c("FA", ack=10)], [], "server_data_unseen"),
    "retransmitted": ([*one.greeted(DATA), data()], ["ShAd"], "banners"),
    "SYN and SYN-ACK twice": ([one.syn(), one.syn(), one.synack(), one.synack(), one.c("A"),
                               data()], ["ShAd"], "banners"),
    "every packet twice": ([p for p in one.greeted(DATA) for _ in "12"], ["ShAd"], "banners"),
    "SYN and SYN-ACK again, late": ([*one.greeted(DATA), one.syn(), one.synack(), data()],
                                    ["ShAd"], "banners"),
    "four-tuple used again": ([*one.greeted(DATA), *reborn.greeted(DATA)],
                              ["ShAd", "ShAd"], "banners"),
    "new SYN that nobody answers": ([*one.opening(), reborn.syn(), data()], ["ShAd"], "banners"),
    "new SYN that is answered": ([*one.opening(), reborn.syn(), reborn.synack(), data()], ["ShAd"],
                                 "banners"),
    "same numbers after RST": ([*one.greeted(DATA), one.c("R", ack=0), *one.greeted(DATA)],
                               ["ShAd", "ShAd"], "banners"),
    "same numbers after both FINs": ([*one.greeted(DATA), one.s("FA", 5), one.c("FA", ack=6),
                                      *one.greeted(DATA)], ["ShAd", "ShAd"], "banners"),
    "same numbers after one FIN": ([*one.greeted(DATA), one.s("FA", 5), *one.greeted(DATA)],
                                   ["ShAd"], "banners"),
    "SYN-ACK that answers another SYN": ([one.syn(), one.s("SA", 0, ack=77), data()],
                                         [], "stale_synack"),
    "stale SYN-ACK before the true one": ([one.syn(), other_sisn.s("SA", 0, ack=77), one.synack(),
                                           one.c("A"), data()], ["ShAd"], "stale_synack"),
    "second SYN-ACK, not yet acknowledged": ([one.syn(), other_sisn.synack(), one.synack(),
                                              one.c("A"), data()], ["ShAd"], "banners"),
    "second SYN-ACK, after the ACK": ([*one.opening(), other_sisn.synack(), data()],
                                      ["ShAd"], "banners"),
    "client keep-alive": ([*one.opening(), one.c("A", 0, data=b"\0"), one.c("A", 0), data()],
                          ["ShAd"], "banners"),
    "server keep-alive": ([*one.opening(), one.s("A", 0, data=b"\0"), one.s("A", 0), data()],
                          ["ShAd"], "banners"),
    "straddling the first byte": ([*one.opening(), one.s("PA", 0, data=b"\0DATA")],
                                  ["ShAd"], "banners"),
    "half-closed": ([*one.opening(), one.c("FA"), data(ack=2)], ["ShAFd"], "banners"),
    "half-closed, not yet acknowledged": ([*one.opening(), one.c("FA"), data()],
                                          ["ShAFd"], "banners"),
    "half-closed after data missed": ([*one.opening(), one.c("FA", 5), data(ack=6)],
                                      [], "client_first_by_seq"),
    "data and FIN in one": ([*one.opening(), one.s("FPA", data=DATA)], ["ShAd"], "banners"),
    "reset by the client": ([*one.opening(), one.c("R", ack=0), data()], [], "reset"),
    "reset by the server": ([*one.opening(), one.s("RA"), data()], [], "reset"),
    # Whoever refuses has no number of its own yet: seq is 0, ack answers the SYN.
    "refused": ([one.syn(), one.s("RA", -one.sisn), data()], [], "reset"),
    "blind RST of the client": ([*one.opening(), one.c("R", 1000, ack=0), data()],
                                ["ShAd"], "invalid_rst"),
    "blind RST of the server": ([*one.opening(), one.s("R", 1000), one.s("RA", 1000, ack=77),
                                 data()], ["ShAd"], "invalid_rst"),
    "blind client data": ([*one.opening(), one.c("PA", 70000, data=DATA), data()],
                          ["ShAd"], "out_of_window"),
    "blind client ACK": ([*one.opening(), one.c("A", 70000), data()],
                         ["ShAd"], "out_of_window"),
    "simultaneous open": ([one.syn(), one.s("S", 0), one.c("SA", 0), one.synack(), data()],
                          [], "no_server"),
    "split handshake": ([one.syn(), one.s("S", 0), one.c("SA", 0), one.s("A"), data()],
                        [], "no_server"),
    "an end with itself": ([self_.syn(), self_.synack(ack=1), self_.s("PA", data=DATA)], [], "no_server"),
    "server data without ACK": ([*one.opening(), one.s("P", data=b"NONE"), data()],
                                ["ShAd"], "invalid_server_segment"),
    "server data that acknowledges too little": (
        [*one.opening(), one.s("PA", ack=0, data=b"NONE"), data()],
        ["ShAd"], "invalid_server_segment"),
    "no data": ([*one.opening(), one.s("FA"), one.c("FA", ack=2)], [], "no_data"),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    talk, histories, reason = CASES[name]
    done = probe("-f", "json", "--stats", "-r", "-", input=raw_capture(talk))
    assert done.returncode == 0, done
    found = parsed(done.stdout)
    assert [(r["banner"], r["len"], r["history"]) for r in found] == \
        [("DATA", 4, history) for history in histories]
    assert all((r["client"], r["client_port"], r["server"], r["server_port"], r["truncated"]) ==
               (*one.client, *one.server, False) for r in found)
    assert packets.counters(done.stderr).get(reason), done.stderr


def test_sequence_numbers_wrap():
    edge = Connection(cisn=2**32 - 1, sisn=2**32 - 1)
    assert [r["banner"] for r in records_of(raw_capture(edge.greeted(DATA)))] == ["DATA"]


# --- the three captures that the project began with -------------------------------------------

SEEDS = {
    "seed1": ([*one.opening()[:2], one.c("PA", data=DATA), data(ack=5)], []),
    "seed2": (one.greeted(DATA), ["DATA"]),
    "seed3": ([*one.opening()[:2], data(ack=5)], []),
}


@pytest.mark.parametrize("name", SEEDS)
def test_seed(name):
    talk, banners = SEEDS[name]
    frames = [ethernet(packet) for packet in talk]
    assert [r["banner"] for r in records_of(pcap(frames))] == banners


# --- reading a packet -------------------------------------------------------------------------

def banners_of(frames, *args, **kwargs):
    """(bytes, len, truncated) of each record."""
    found = records_of(pcap(frames, **kwargs), *args)
    return [(decoded(r["banner"]), r["len"], r["truncated"]) for r in found]


def test_ethernet_padding_is_no_payload():
    """Handshake frames are padded with zeros, and so is a short banner's."""
    frames = [ethernet(packet, pad=True) for packet in one.greeted(b"hi")]
    assert banners_of(frames) == [(b"hi", 2, False)]


def test_ip_and_tcp_options():
    options = {"ip": IP(options=[IPOption_Router_Alert()]),
               "options": [("Timestamp", (1, 2)), ("NOP", None), ("NOP", None)]}
    talk = [one.syn(**options), one.synack(**options), one.s("PA", data=DATA, **options)]
    assert banners_of([ethernet(p) for p in talk]) == [(DATA, 4, False)]


# An authentication header: next header TCP, 24 bytes.
AUTHENTICATION = b"\x06\x04\0\0" + bytes(20)

EXTENSIONS = {
    "hop-by-hop": IPv6() / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]),
    "routing": IPv6() / IPv6ExtHdrRouting(addresses=["2001:db8::5"], segleft=0),
    "destination options": IPv6() / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 12)]),
    "authentication": IPv6(nh=51) / Raw(AUTHENTICATION),
    "first fragment that is the only one": IPv6() / IPv6ExtHdrFragment(m=0, offset=0, id=7),
    "four of them": IPv6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() /
                    IPv6ExtHdrRouting(addresses=["2001:db8::5"], segleft=0) / IPv6ExtHdrDestOpt(),
}


AUTHENTICATED = {
    "plain": ({}, AUTHENTICATION),
    "behind options": ({"options": [IPOption_Router_Alert()]}, AUTHENTICATION),
    "the shortest": ({}, b"\x06\0\0\0" + bytes(4)),
    "the longest": ({}, b"\x06\xff\0\0" + bytes(1024)),
}


@pytest.mark.parametrize("name", AUTHENTICATED)
def test_ipv4_authentication_header(name):
    fields, header = AUTHENTICATED[name]
    options = {"ip": IP(proto=51, **fields) / Raw(header), "chksum": 0}
    talk = [one.syn(**options), one.synack(**options), one.s("PA", data=DATA, **options)]
    assert banners_of([ethernet(p) for p in talk]) == [(DATA, 4, False)]


def test_what_is_behind_an_ipv4_authentication_header():
    """Later fragments, other protocols, a second such header, lengths beyond the packet: no segment."""
    def frame(header, rest=b"", **fields):
        return ethernet(IP(src="1.2.3.4", dst="5.6.7.8", proto=51, **fields) / Raw(header + rest))
    tcp = bytes(one.syn()[TCP])
    frames = [frame(AUTHENTICATION, tcp, frag=1), frame(b"\x11" + AUTHENTICATION[1:], tcp),
              frame(b"\x33" + AUTHENTICATION[1:], AUTHENTICATION + tcp), frame(b"\x06\xff\0\0", tcp),
              frame(AUTHENTICATION[:6]), frame(AUTHENTICATION), frame(b"\x2f" + AUTHENTICATION[1:], bytes(8))]
    done = probe("--decap=none", "--stats", "-r", "-", input=pcap(frames))
    counted = packets.counters(done.stderr)
    assert not done.stdout and not counted["connections"]
    assert (counted["fragments"], counted["malformed"], counted["not_opened_gre"]) == (1, 3, 1), done.stderr


@pytest.mark.parametrize("name", EXTENSIONS)
def test_ipv6_extension_headers(name):
    options = {"ip": EXTENSIONS[name], "chksum": 0}
    talk = [six.syn(**options), six.synack(**options), six.s("PA", data=DATA, **options)]
    found = records_of(pcap([ethernet(p) for p in talk]))
    assert [(r["client"], r["server"], r["banner"]) for r in found] == \
        [("2001:db8::9", "2001:db8::10", "DATA")]


@pytest.mark.parametrize("tags, vlan", [
    ([(0x8100, 42)], [42]),
    ([(0x88a8, 7)], [7]),
    ([(0x9100, 7), (0x8100, 42)], [7, 42]),
    ([(0x88a8, 7), (0x8100, 4094)], [7, 4094]),
])
def test_vlan_tags_are_reported(tags, vlan):
    frames = [ethernet(packet, tags) for packet in one.greeted(DATA)]
    assert [(r["banner"], r["vlan"]) for r in records_of(pcap(frames))] == [("DATA", vlan)]


def test_vlan_is_no_part_of_the_key():
    """Asymmetric paths: the client's side tagged otherwise than the server's."""
    syn, synack, ack, banner = one.greeted(DATA)
    frames = [ethernet(syn, [(0x8100, 1)]), ethernet(synack, [(0x8100, 2)]), ethernet(ack),
              ethernet(banner)]
    found = records_of(pcap(frames))
    assert [r["history"] for r in found] == ["ShAd"]
    assert "vlan" not in found[0]


def ppp(packet, head=b"\xff\x03"):
    return head + (b"\0\x57" if IPv6 in packet else b"\0\x21") + bytes(packet)


def compressed_ppp(packet):
    return (b"\x57" if IPv6 in packet else b"\x21") + bytes(packet)


def pppoe_session(packet):
    inner = ppp(packet, b"")
    return struct.pack(">BBHH", 0x11, 0, 7, len(inner)) + inner


def outer(protocol, inner=b"", **kwargs):
    return ethernet(IP(src="10.0.0.1", dst="10.0.0.2", proto=protocol, **kwargs) / inner)


def outer6(protocol, inner=b""):
    return ethernet(IPv6(src="2001:db8::1", dst="2001:db8::2", nh=protocol) / inner)


def udp(port, inner, source=40000):
    return struct.pack(">HHHH", source, port, 8 + len(inner), 0) + inner


def tagged(ethertype, inner):
    return b"".join(packets.MACS) + struct.pack(">H", ethertype) + inner


VXLAN, GENEVE = struct.pack(">II", 8 << 24, 42 << 8), struct.pack(">HHI", 0, 0x6558, 42 << 8)
# What is not opened, by the counter of its kind: a link type, and a packet made into a frame.
NOT_OPENED = {
    "PPPoE": ("pppoe", 1, lambda p: tagged(0x8864, pppoe_session(p))),
    "MPLS": ("mpls", 1, lambda p: tagged(0x8847, b"\0\0\x11\x40" + bytes(p))),
    "MPLS, multicast": ("mpls", 1, lambda p: tagged(0x8848, b"\0\0\x11\x40" + bytes(p))),
    "MPLS in PPP": ("mpls", 9, lambda p: b"\xff\3\2\x81\0\0\x11\x40" + bytes(p)),
    "GRE": ("gre", 1, lambda p: outer(47, b"\0\0\x08\0" + bytes(p))),
    "GRE over IPv6": ("gre", 1, lambda p: outer6(47, b"\0\0\x08\0" + bytes(p))),
    "GRE, IP options": ("gre", 1, lambda p: outer(47, bytes(p), options=[IPOption_Router_Alert()])),
    "IP in IP": ("ip_in_ip", 1, lambda p: outer(4, bytes(p))),
    "IPv6 in IP": ("ip_in_ip", 101, lambda p: bytes(IP(proto=41) / bytes(p))),
    "IP in IPv6": ("ip_in_ip", 1, lambda p: outer6(4, bytes(p))),
    "three tags": ("third_tag", 1, lambda p: ethernet(p, [(0x88a8, 1), (0x8100, 2), (0x8100, 3)])),
    "LLC": ("llc", 1, lambda p: tagged(len(p) + 3, b"\6\6\3" + bytes(p))),
    "LLC, Linux cooked": ("llc", 113, lambda p: cooked(p)[:14] + b"\0\4\6\6\3" + bytes(p)),
    "VXLAN": ("vxlan", 1, lambda p: outer(17, udp(4789, VXLAN + ethernet(p)))),
    "VXLAN on Linux's port": ("vxlan", 1, lambda p: outer(17, udp(8472, VXLAN + ethernet(p)))),
    "VXLAN over IPv6": ("vxlan", 1, lambda p: outer6(17, udp(4789, VXLAN + ethernet(p)))),
    "VXLAN, raw IP": ("vxlan", 101, lambda p: outer(17, udp(4789, VXLAN + ethernet(p)))[14:]),
    "VXLAN, behind a tag": ("vxlan", 1, lambda p: tagged(
        0x8100, b"\0\7\x08\0" + outer(17, udp(4789, VXLAN + ethernet(p)))[14:])),
    "Geneve": ("geneve", 1, lambda p: outer(17, udp(6081, GENEVE + ethernet(p)))),
    "802.11, encrypted": ("wifi_protected", 105, lambda p: packets.wifi(p, flags=0x41)),
    "802.11, encrypted A-MSDU": ("wifi_protected", 105,
                                 lambda p: packets.wifi(p, 0x88, 0x41, b"\x85\0")),
    "802.11, A-MSDU": ("wifi_amsdu", 105, lambda p: packets.wifi(p, 0x88, 1, b"\x85\0")),
    "GTP": ("gtp", 1, lambda p: outer(17, udp(2152, b"\x30\xff\0\0\0\0\0\1" + bytes(p)))),
    "GTP over IPv6, with a sequence number": ("gtp", 1, lambda p: outer6(17, udp(
        2152, b"\x32\xff\0\0\0\0\0\1\0\0\0\0" + bytes(p)))),
    "L2TP": ("l2tp", 1, lambda p: outer(17, udp(1701, b"\0\2\0\1\0\1\0\x21" + bytes(p)))),
    "L2TP, version 3": ("l2tp", 1, lambda p: outer(115, b"\0\0\0\1" + bytes(p))),
    "Teredo": ("teredo", 1, lambda p: outer(17, udp(3544, bytes(IPv6(nh=6) / bytes(p))))),
    "ESP": ("ipsec", 1, lambda p: outer(50, b"\0\0\0\1" + bytes(p))),
    "ESP over IPv6, raw IP": ("ipsec", 101, lambda p: outer6(50, b"\0\0\0\1" + bytes(p))[14:]),
    "ESP in UDP, raw IP": ("ipsec", 101, lambda p: outer(17, udp(4500, b"\0\0\0\1" + bytes(p)))[14:]),
    "GTP in VXLAN": ("vxlan", 1, lambda p: outer(17, udp(4789, VXLAN + outer(17, udp(
        2152, b"\x30\xff\0\0\0\0\0\1" + bytes(p)))))),
    "a link type that is not known": ("link_type", 147, bytes),
}


@pytest.mark.parametrize("name", NOT_OPENED)
def test_not_opened(name):
    """It gives no banner, is counted by its kind, and one message says so."""
    kind, link, framed = NOT_OPENED[name]
    capture = pcap(map(framed, one.greeted(DATA)), link=link)
    done = probe("-f", "json", "--stats", "--decap=none", "-r", "-", input=capture)
    assert (done.returncode, done.stdout) == (kind == "link_type", b"")
    counted = {k: n for k, n in packets.counters(done.stderr).items() if n and k.startswith("not_")}
    assert counted == {f"not_opened_{kind}": 4}
    [line] = [text for text in done.stderr.splitlines() if b"which is not opened" in text]
    assert line.startswith(b"bannerprobe: ")
    assert b"standard input: 4 of 4 packets are " in line and b", which is not opened: " in line


def test_not_opened_among_others():
    """A message where nearly all packets are of the kind, and none where some are."""
    other = outer(47, b"\0\0\x08\0")
    assert banners_of([*map(ethernet, one.greeted(DATA)), *[other] * 4]) == [(DATA, 4, False)]
    done = probe("-f", "json", "--decap=none", "-r", "-",
                 input=pcap([*map(ethernet, one.greeted(DATA)), *[other] * 96]))
    assert len(parsed(done.stdout)) == 1
    assert b"96 of 100 packets are GRE" in done.stderr


# What carries no packets of others, though it looks like something that does.
OTHERS = {
    "UDP to another port": (1, lambda p: outer(17, udp(53, VXLAN + ethernet(p)))),
    "GTP's echo": (1, lambda p: outer(17, udp(2152, b"\x32\1" + bytes(10)))),
    "L2TP's control": (1, lambda p: outer(17, udp(1701, b"\xc8\2" + bytes(10)))),
    "IKE": (1, lambda p: outer(17, udp(4500, bytes(4) + ethernet(p)))),
    "IPsec's keepalive": (1, lambda p: outer(17, udp(4500, b"\xff"))),
    "UDP to VXLAN's port, not VXLAN": (1, lambda p: outer(17, udp(4789, bytes(8) + ethernet(p)))),
    "802.11 management": (105, lambda p: packets.wifi(p, 0x80, 0)),
    "802.11 without data": (105, lambda p: packets.wifi(p, 0x48, 1)),
    "PPPoE discovery": (1, lambda p: tagged(0x8863, pppoe_session(p))),
    "PPP of another protocol": (9, lambda p: b"\xff\3\xc0\x21" + bytes(p)),
    "ARP in NFLOG of a bridge": (239, lambda p: packets.bridge_nflog(p, ethertype=b"\x08\x06")),
    "NFLOG of a bridge, without an EtherType": (239, lambda p: b"\7" + packets.nflog(p)[1:]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_protocols(name):
    link, framed = OTHERS[name]
    done = probe("--stats", "-r", "-", input=pcap(map(framed, one.greeted(DATA)), link=link))
    assert (done.returncode, done.stdout) == (0, b"")
    assert {k: n for k, n in packets.counters(done.stderr).items() if n} == {"packets": 4}


@pytest.mark.parametrize("link, frame", [
    (9, ppp(one.syn())), (51, pppoe_session(one.syn())), (239, packets.nflog(one.syn())),
    (239, packets.bridge_nflog(one.syn(), tag=b"\0\5")), (104, b"\x0f\0\x08\0" + bytes(one.syn())),
    (105, packets.wifi(one.syn())), (127, packets.radiotap(packets.wifi(one.syn()))),
    (1, packets.snap(one.syn()))])
def test_cut_anywhere(link, frame):
    """Each header cut at each byte, by the snap length and on the wire: nothing but a count."""
    cut = [(frame, n) for n in range(len(frame))] + [frame[:n] for n in range(len(frame))]
    done = probe("--stats", "-r", "-", input=pcap(cut, link=link))
    assert (done.returncode, done.stdout) == (0, b"")
    count = packets.counters(done.stderr)
    assert count["cut"] and count["malformed"]


def test_segmentation_offload():
    """IP length 0: to the end of the packet, however large."""
    large = one.s("PA", data=b"x" * 70000, ip=IP(len=0), chksum=0)
    large[IP].chksum = 0
    frames = [ethernet(p) for p in one.opening()] + [ethernet(large)]
    assert banners_of(frames) == [(b"x" * 256, 70000, True)]


@pytest.mark.parametrize("kept, value", [(54, b""), (56, b"DA"), (57, b"DAT"), (58, DATA)])
def test_cut_by_the_snap_length(kept, value):
    """Lengths are the headers', bytes as far as they go."""
    frames = [ethernet(p) for p in one.opening()] + [(ethernet(data()), kept)]
    assert banners_of(frames) == [(value, 4, value != DATA)]


def test_headers_cut_by_the_snap_length():
    """A TCP header that is cut: nothing is known about its segment."""
    frames = [ethernet(p) for p in one.opening()]
    assert banners_of([*frames, (ethernet(data()), 53)]) == []
    assert banners_of([*frames, (ethernet(data()), 20)]) == []


def test_length_beyond_the_frame_is_malformed():
    long = one.s("PA", data=DATA, ip=IP(len=1000))
    capture = pcap([ethernet(p) for p in [*one.opening(), long]])
    done = probe("-f", "json", "--stats", "-r", "-", input=capture)
    assert (done.returncode, done.stdout) == (0, b"")
    assert packets.counters(done.stderr)["malformed"] == 1
    then = [ethernet(p) for p in [*one.opening(), long, data()]]
    assert banners_of(then) == [(DATA, 4, False)]


def test_first_fragment_counts_later_ones_do_not():
    first = one.s("PA", data=b"FIRST123", ip=IP(flags="MF"))
    second = IP(src=one.server[0], dst=one.client[0], proto=6, frag=(20 + 8) // 8) / bytes(first[TCP])
    assert banners_of([ethernet(p) for p in [*one.opening(), second, first]]) == \
        [(b"FIRST123", 8, False)]


# Each breaks one length field of the banner's packet.
BREAKAGES = {"ihl": {"ip": IP(ihl=4)}, "data offset": {"dataofs": 4},
             "data offset beyond the packet": {"dataofs": 15}, "IP length": {"ip": IP(len=21)}}


@pytest.mark.parametrize("name", BREAKAGES)
def test_contradicting_lengths(name):
    broken = one.s("PA", data=b"NO", **BREAKAGES[name])
    assert banners_of([ethernet(p) for p in [*one.opening(), broken]]) == []
    assert banners_of([ethernet(p) for p in [*one.opening(), broken, data()]]) == [(DATA, 4, False)]


def test_length_option():
    frames = [ethernet(p) for p in one.greeted(b"0123456789")]
    assert banners_of(frames, "-l", "4") == [(b"0123", 10, True)]
    assert banners_of(frames, "--length=10") == [(b"0123456789", 10, False)]
    long = [ethernet(p) for p in one.greeted(b"x" * 9000)]
    assert banners_of(long, "-l", "4096") == [(b"x" * 4096, 9000, True)]
    assert banners_of(long) == [(b"x" * 256, 9000, True)]


# --- link types and file formats --------------------------------------------------------------

def ethertype(packet):
    return 0x86dd if IPv6 in packet else 0x0800


def null(packet, order="<", six=30):
    return struct.pack(order + "I", six if IPv6 in packet else 2) + bytes(packet)


def cooked(packet):
    return struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", ethertype(packet)) + bytes(packet)


def cooked2(packet):
    return struct.pack(">HHIHBB8s", ethertype(packet), 0, 2, 1, 0, 6, b"\2\0\0\0\0\1") + bytes(packet)


LINKS = {
    "Ethernet": (packets.ETHERNET, ethernet, [one, six]),
    "raw IP, 101": (packets.RAW, bytes, [one, six]),
    "raw IP, 12": (packets.DLT_RAW, bytes, [one, six]),
    "raw IPv4": (packets.IPV4, bytes, [one]),
    "raw IPv6": (packets.IPV6, bytes, [six]),
    "BSD loopback of macOS": (packets.NULL, null, [one, six]),
    "BSD loopback of FreeBSD": (packets.NULL, lambda p: null(p, six=28), [six]),
    "BSD loopback of NetBSD": (packets.NULL, lambda p: null(p, six=24), [six]),
    "BSD loopback, the other byte order": (packets.NULL, lambda p: null(p, ">"), [one, six]),
    "OpenBSD loopback": (packets.LOOP, lambda p: null(p, ">", 24), [one, six]),
    "Linux cooked": (packets.SLL, cooked, [one, six]),
    "Linux cooked v2": (packets.SLL2, cooked2, [one, six]),
    "Ethernet, LLC and SNAP": (packets.ETHERNET, packets.snap, [one, six]),
    "PPP": (packets.PPP, lambda p: ppp(p, b""), [one, six]),
    "PPP with address and control": (packets.PPP, ppp, [one, six]),
    "PPP with one byte of protocol": (packets.PPP, compressed_ppp, [one, six]),
    "PPP in HDLC": (packets.PPP_HDLC, ppp, [one, six]),
    "Cisco HDLC": (packets.PPP_HDLC, lambda p: b"\x0f\0" + packets.ethertype_of(p) + bytes(p),
                   [one, six]),
    "Cisco HDLC, its own number": (104, lambda p: b"\x8f\0" + packets.ethertype_of(p) + bytes(p), [one, six]),
    "PPPoE session": (packets.PPP_ETHER, pppoe_session, [one, six]),
    "PPP of pppd": (166, lambda p: ppp(p, b"\1\3"), [one, six]),
    "PPP with direction": (204, lambda p: ppp(p, b"\1\xff\3"), [one, six]),
    "NFLOG": (packets.NFLOG, packets.nflog, [one, six]),
    "NFLOG of a bridge": (packets.NFLOG, packets.bridge_nflog, [one, six]),
    "NFLOG of a bridge, with a tag": (packets.NFLOG, lambda p: packets.bridge_nflog(p, tag=b"\0\5"), [one, six]),
    "802.11, to the access point": (packets.WIFI, packets.wifi, [one, six]),
    "802.11, from the access point": (packets.WIFI, lambda p: packets.wifi(p, flags=2), [one, six]),
    "802.11, ad hoc": (packets.WIFI, lambda p: packets.wifi(p, flags=0), [one, six]),
    "802.11, four addresses": (packets.WIFI,
                               lambda p: packets.wifi(p, flags=3, more=packets.MACS[1]), [one, six]),
    "802.11, QoS": (packets.WIFI, lambda p: packets.wifi(p, 0x88, 1, b"\5\0"), [one, six]),
    "802.11, QoS and HT": (packets.WIFI, lambda p: packets.wifi(p, 0x88, 0x81, b"\5\0HTC+"),
                           [one, six]),
    "radiotap": (packets.RADIOTAP, lambda p: packets.radiotap(packets.wifi(p)), [one, six]),
    "radiotap, padded": (packets.RADIOTAP, lambda p: packets.radiotap(
        packets.wifi(p, 0x88, 1, b"\5\0", padding=b"\0\0"), 0x30), [one, six]),
}
WITH_MACS = [name for name in LINKS if name.startswith(("Ethernet", "802.11", "radiotap"))]


@pytest.mark.parametrize("name", LINKS)
def test_link_type(name):
    link, framed, connections = LINKS[name]
    frames = [framed(p) for connection in connections for p in connection.greeted(DATA)]
    found = records_of(pcap(frames, link=link))
    assert [(r["client"], r["server"], r["history"], r["banner"]) for r in found] == \
        [(c.client[0], c.server[0], "ShAd", "DATA") for c in connections]


@pytest.mark.parametrize("connection", [one, six], ids=["IPv4", "IPv6"])
def test_nflog_of_the_other_byte_order(connection):
    """The attributes are in the order of the machine that wrote the capture."""
    frames = [packets.nflog(p, ">") for p in connection.greeted(DATA)]
    found = records_of(pcap(frames, link=packets.NFLOG, order=">"))
    assert [r["banner"] for r in found] == ["DATA"]
    assert records_of(pcap(frames, link=packets.NFLOG, order="<")) == []


@pytest.mark.parametrize("name", WITH_MACS)
def test_addresses_of_the_link(name):
    link, framed, _ = LINKS[name]
    found = records_of(pcap(map(framed, one.greeted(DATA)), link=link))
    assert [(r["server_mac"], r["client_mac"]) for r in found] == \
        [("02:00:00:00:00:01", "02:00:00:00:00:02")]


def test_damaged_on_the_air():
    """A frame is ignored if the network card flagged its check sequence as wrong."""
    frames = [packets.radiotap(packets.wifi(p)) for p in one.opening()] + \
        [packets.radiotap(packets.wifi(data()), 0x50)]
    assert banners_of(frames, link=packets.RADIOTAP) == []


FRAMES = [ethernet(packet) for packet in one.greeted(DATA)]
CONTAINERS = {
    "pcap, micro, little": lambda **kw: pcap(FRAMES, **kw),
    "pcap, micro, big": lambda **kw: pcap(FRAMES, order=">", **kw),
    "pcap, nano, little": lambda **kw: pcap(FRAMES, magic=packets.NANO, **kw),
    "pcap, nano, big": lambda **kw: pcap(FRAMES, magic=packets.NANO, order=">", **kw),
    "pcapng, little": lambda **kw: pcapng(FRAMES, **kw),
    "pcapng, big": lambda **kw: pcapng(FRAMES, order=">", **kw),
    "pcapng, nano": lambda **kw: pcapng(FRAMES, nano=True, **kw),
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("fraction, told", [
    (123_456_000, "1700000000.126456"),
    (999_999, "1700000000.003999"),		# leading zeros; finer than micro is cut off
    (998_000_000, "1700000001.001000"),		# trailing zeros
])
def test_time_of_the_banner(name, fraction, told):
    """The time of its own packet, three steps after the first, two after the SYN-ACK."""
    capture = CONTAINERS[name](start=1_700_000_000 * 10**9 + fraction)
    assert [(r["ts"], r["delay_us"]) for r in records_of(capture)] == [(told, 2000)]


# --- files: good, bad and none ----------------------------------------------------------------

GOOD = pcap(FRAMES)
NO_PACKETS = pcap([])
WRONG_LINK = pcap(FRAMES, link=147)		# LINKTYPE_USER0
HUGE = pcap([]) + struct.pack("<IIII", 1700000000, 0, 0x7fffffff, 0x7fffffff)
# What is wrong with a file, and how many records lie before it.
BAD = {
    "of no known kind": (b"this is no capture at all, sorry", 0),
    "of no bytes": (b"", 0),
    "cut in the file header": (GOOD[:10], 0),
    "cut in a packet header": (GOOD + GOOD[24:30], 1),
    "cut in a packet": (GOOD + GOOD[24:60], 1),
    "pcapng cut in a block": (pcapng(FRAMES) + pcapng(FRAMES)[:20], 1),
    "of a link type not known": (WRONG_LINK, 0),
    "with a packet of two gigabytes": (HUGE, 0),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_among_good_ones(tmp_path, name):
    """The others' records are there; one line names the bad one; the exit code shows it."""
    content, before = BAD[name]
    for file, body in ("1.pcap", GOOD), ("bad.pcap", content), ("3.pcap", GOOD):
        (tmp_path / file).write_bytes(body)
    done = probe("-f", "json", "-r", "1.pcap", "bad.pcap", "3.pcap", cwd=tmp_path)
    assert done.returncode == 1, done
    assert [r["iface"] for r in parsed(done.stdout)] == ["1.pcap", *["bad.pcap"] * before, "3.pcap"]
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("bannerprobe: ") and "bad.pcap" in line


def test_missing_file_among_good_ones(tmp_path):
    (tmp_path / "1.pcap").write_bytes(GOOD)
    done = probe("-f", "json", "-r", "1.pcap", "none.pcap", "1.pcap", cwd=tmp_path)
    assert done.returncode == 1, done
    assert len(parsed(done.stdout)) == 2
    [line] = done.stderr.decode().splitlines()
    assert "none.pcap" in line and "No such file" in line


def test_capture_without_packets():
    assert records_of(NO_PACKETS) == []
    assert records_of(pcapng([])) == []


def test_standard_input_among_files(tmp_path):
    (tmp_path / "file.pcap").write_bytes(GOOD)
    found = records("-r", tmp_path / "file.pcap", "-", input=GOOD)
    assert len(found) == 2 and all(r["banner"] == "DATA" for r in found)


def test_no_state_goes_from_file_to_file(tmp_path):
    """The same four-tuple in two files is two connections, or two halves of none."""
    halves = pcap(FRAMES[:2]), pcap(FRAMES[2:])
    for i, body in enumerate((GOOD, GOOD, *halves)):
        (tmp_path / f"{i}.pcap").write_bytes(body)
    found = records("-r", "0.pcap", "1.pcap", "2.pcap", "3.pcap", cwd=tmp_path)
    assert [r["iface"] for r in found] == ["0.pcap", "1.pcap"]


def test_no_direction_is_guessed_from_a_capture():
    assert "dir" not in records_of(GOOD)[0]


def test_needs_no_privilege():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)		# pytest's own are root's alone
        path = os.path.join(folder, "a.pcap")
        with open(path, "wb") as file:
            file.write(GOOD)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               "--no-new-privs", "--bounding-set=-all",
                               BINARY, "-f", "json", "-r", path],
                              capture_output=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [r["banner"] for r in parsed(done.stdout)] == ["DATA"]


def test_many_connections_at_once():
    """Interleaved: every one's own banner, exactly once."""
    talks = [Connection((f"10.0.{i >> 8}.{i & 255}", 1024 + i)).greeted(b"hello %d" % i)
             for i in range(2000)]
    frames = [bytes(talk[step]) for step in range(4) for talk in talks]
    found = records_of(pcap(frames, link=packets.RAW))
    count = collections.Counter((r["client_port"], r["banner"]) for r in found)
    assert count == {(1024 + i, f"hello {i}"): 1 for i in range(2000)}


# --- real traffic, where it is at hand --------------------------------------------------------

CAPTURES = os.path.join(os.path.dirname(ROOT), "shared", "captures")


def real_captures():
    if not os.path.isdir(CAPTURES):
        return [pytest.param(None, marks=pytest.mark.skip(f"there is no {CAPTURES}"))]
    return sorted(f for f in os.listdir(CAPTURES) if f.endswith((".pcap", ".pcapng")))


@pytest.mark.parametrize("name", real_captures())
def test_real_capture(name):
    with open(os.path.join(CAPTURES, "expected.jsonl")) as file:
        expected = [e for e in map(json.loads, file) if e["pcap"] == name]
    found = records("-r", os.path.join(CAPTURES, name))
    assert [(r["ts"], r["client"], r["client_port"], r["server"], r["server_port"], r["len"],
             decoded(r["banner"])) for r in found] == \
        [(e["ts"], e["client"], e["client_port"], e["server"], e["server_port"], e["len"],
          bytes.fromhex(e["value_hex"])) for e in expected]
    assert all(r["truncated"] == (r["len"] > len(decoded(r["banner"]))) for r in found)
