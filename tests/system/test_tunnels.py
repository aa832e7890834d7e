# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Tunnels in captures: each kind, what is reported of it, and what is not opened.

What the packets are is in tunnels.py.
"""

import json
import struct

import pytest

import packets
import tunnels
from packets import Connection, ethernet, pcap
from tunnels import KINDS, OUTER, frame, geneve, gre, ipip, layer, mpls, pppoe, vxlan

one = Connection()
six = Connection(client=("2001:db8::99", 5678), server=("2001:db8::25", 25))
BANNER = b"220 inside\r\n"


def greeted(wrap, connection=one, data=BANNER):
    return [wrap(bytes(packet)) for packet in connection.greeted(data)]


def probe(tmp_path, frames, *args):
    """The records of frames, and the counters that are not 0."""
    path = tmp_path / "some.pcap"
    path.write_bytes(pcap(frames))
    done = packets.probe("-f", "json", "--stats", "-r", path, *args)
    assert done.returncode == 0, done.stderr
    counters = {k: n for k, n in packets.counters(done.stderr).items() if n and k not in ("pcap", "of", "encrypted")}
    return [json.loads(line) for line in done.stdout.splitlines()], counters


@pytest.mark.parametrize("family", ["IPv4", "IPv6"])
@pytest.mark.parametrize("name", KINDS)
def test_kind(tmp_path, name, family):
    wrap, layers = KINDS[name]
    connection = one if family == "IPv4" else six
    [record], counters = probe(tmp_path, greeted(wrap, connection))
    assert (record["banner"], record["len"], record["history"]) == (r"220 inside\x0d\x0a", 12, "ShAd")
    assert (record["server"], record["client"]) == (connection.server[0], connection.client[0])
    assert record["tunnel"] == layers
    assert counters == {"packets": 4, "connections": 1, "banners": 1, "logged": 1}, counters


@pytest.mark.parametrize("name", KINDS)
def test_none(tmp_path, name):
    """What is not opened makes no record, and counts as it always has."""
    wrap, layers = KINDS[name]
    found, counters = probe(tmp_path, greeted(wrap), "--decap=none")
    kind = {"erspan": "gre", "ipip": "ip_in_ip"}.get(layers[0]["type"], layers[0]["type"])
    assert (found, counters) == ([], {"packets": 4, f"not_opened_{kind}": 4})


def test_text(tmp_path):
    path = tmp_path / "some.pcap"
    path.write_bytes(pcap(greeted(KINDS["four layers"][0]) + greeted(KINDS["mpls"][0], Connection(("6.6.6.6", 6)))))
    done = packets.probe("-r", path)
    first, second = done.stdout.decode().splitlines()
    assert first.endswith(r" 1.2.3.4:80 -> 5.6.7.8:5678 ipip gre 6 geneve 4 vxlan 5 220 inside\x0d\x0a")
    assert second.endswith(r" -> 6.6.6.6:6 mpls 220 inside\x0d\x0a")


def test_only_what_is_asked_for(tmp_path):
    talks = {"vxlan": Connection(("9.0.0.1", 1)), "geneve": Connection(("9.0.0.2", 1)),
             "gre": Connection(("9.0.0.3", 1)), "erspan II": Connection(("9.0.0.4", 1)),
             "ipip": Connection(("9.0.0.5", 1)),
             "mpls": Connection(("9.0.0.6", 1)), "pppoe": Connection(("9.0.0.7", 1))}
    frames = [packet for name, talk in talks.items() for packet in greeted(KINDS[name][0], talk)]
    for name in talks:
        kind = name.split()[0]
        found, _ = probe(tmp_path, frames, f"--decap={kind}")
        assert [r["client"] for r in found] == [talks[name].client[0]], name
    found, _ = probe(tmp_path, frames, "--decap=vxlan,mpls")
    assert len(found) == 2
    found, _ = probe(tmp_path, frames, "--decap")
    assert len(found) == 7


def test_ports(tmp_path):
    frames = greeted(lambda p: frame(vxlan(frame(p), port=9999)))
    assert probe(tmp_path, frames)[0] == []
    assert len(probe(tmp_path, frames, "--decap=vxlan:4789:9999")[0]) == 1
    usual = greeted(lambda p: frame(vxlan(frame(p), port=8472)))
    assert probe(tmp_path, usual, "--decap=vxlan:4789:9999")[0] == []
    assert len(probe(tmp_path, greeted(KINDS["vxlan-gpe, frame"][0]), "--decap=vxlan:9999")[0]) == 1
    frames = greeted(lambda p: frame(geneve(frame(p), port=99)))
    assert len(probe(tmp_path, frames, "--decap=geneve:99")[0]) == 1


def test_a_port_of_the_other_kind(tmp_path):
    """A given port is not the other kind's, though it usually is; none is given to both."""
    for port in 4789, 8472:
        frames = greeted(lambda p: frame(geneve(frame(p), port=port)))
        for more in "", ",vxlan":
            assert len(probe(tmp_path, frames, f"--decap=geneve:{port}{more}")[0]) == 1
    usual = greeted(KINDS["vxlan of Linux"][0])
    assert len(probe(tmp_path, usual, "--decap=vxlan,geneve:4789")[0]) == 1
    frames = greeted(lambda p: frame(vxlan(frame(p), port=6081)))
    assert len(probe(tmp_path, frames, "--decap=vxlan:6081,geneve")[0]) == 1
    for value, message in ("vxlan:9:8,geneve:8", "port 8 is given to vxlan and geneve"), \
            ("geneve:4790", "port 4790 is always VXLAN-GPE's"):
        done = packets.probe(f"--decap={value}", "-r", "-")
        assert done.returncode == 2 and message in done.stderr.decode()


# --- the key -----------------------------------------------------------------

def test_two_tenants_are_two_connections(tmp_path):
    """The same addresses and numbers, a packet of each in turn."""
    pairs = zip(greeted(lambda p: frame(vxlan(frame(p), 1)), data=b"one"),
                greeted(lambda p: frame(vxlan(frame(p), 2)), data=b"two"))
    frames = [packet for pair in pairs for packet in pair]
    found, _ = probe(tmp_path, frames)
    assert [(r["banner"], r["tunnel"][0]["id"]) for r in found] == [("one", 1), ("two", 2)]
    found, _ = probe(tmp_path, frames, "--decap-key=no")
    assert [r["banner"] for r in found] == ["one"]


def test_directions_under_two_numbers(tmp_path):
    """A mirror that numbers by session: two halves, of which the server's suffices."""
    def wrap(n, packet):
        return frame(vxlan(frame(bytes(packet)), 1 + n % 2))
    frames = [wrap(n, packet) for n, packet in enumerate(one.greeted(BANNER))]
    [record], _ = probe(tmp_path, frames)
    assert record["history"] == "hd"
    [record], _ = probe(tmp_path, frames, "--decap-key=no")
    assert record["history"] == "Shd" or record["history"] == "ShAd"


def test_layers_without_a_number_make_no_difference(tmp_path):
    """One direction in MPLS, the other as it is; or each in another tunnel without a number."""
    ways = [lambda p: frame(mpls(p), tunnels.MPLS), frame, lambda p: frame(ipip(p)), lambda p: frame(gre(p))]
    frames = [wrap(bytes(packet)) for wrap, packet in zip(ways, one.greeted(BANNER))]
    [record], _ = probe(tmp_path, frames)
    assert (record["history"], [t["type"] for t in record["tunnel"]]) == ("ShAd", ["gre"])


@pytest.mark.parametrize("outside_first", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_seen_outside_and_inside(tmp_path, name, outside_first):
    """As from the two devices of a tunnel: one record, the first's."""
    wrap, layers = KINDS[name]
    pairs = [(wrap(bytes(packet)), ethernet(packet)) for packet in one.greeted(BANNER)]
    frames = [packet for pair in pairs for packet in (pair if outside_first else pair[::-1])]
    [record], counters = probe(tmp_path, frames)
    assert record.get("tunnel", []) == (layers if outside_first else [])
    numbered = any(layer["id"] for layer in layers)
    assert counters.get("seen_twice", 0) == numbered


@pytest.mark.parametrize("args", [[], ["--gather"]])
def test_seen_outside_and_inside_in_two_orders(tmp_path, args):
    """Both sides speak at once; outside the client is seen first, inside the server: a record of each packet."""
    outside = KINDS["vxlan"][0]
    asked, said = one.c("PA", data=b"GET"), one.s("PA", data=BANNER)
    frames = [frame for packet in one.opening() for frame in (outside(bytes(packet)), ethernet(packet))]
    frames += [outside(bytes(asked)), ethernet(said), ethernet(asked), outside(bytes(said))]
    found, counters = probe(tmp_path, frames, "--events=all", *args)
    assert sorted((r["event"], "tunnel" in r) for r in found) == [("banner", False), ("open", True), ("request", True)]
    assert counters["seen_twice"] == 3


def test_copies_in_two_tunnels_are_two(tmp_path):
    """Both have the same rest of their layers: none."""
    frames = [wrap(bytes(p)) for p in one.greeted(BANNER)
              for wrap in (KINDS["vxlan"][0], lambda p: frame(vxlan(frame(p), 43)))]
    assert [r["tunnel"][0]["id"] for r in probe(tmp_path, frames)[0]] == [42, 43]


def test_peers(tmp_path):
    good = greeted(KINDS["vxlan"][0])
    bad = greeted(lambda p: frame(vxlan(frame(p), ends=("203.0.113.9", OUTER[1]))), Connection(("6.6.6.6", 6)))
    bare = greeted(frame, Connection(("7.7.7.7", 7)))
    inner = greeted(lambda p: frame(mpls(vxlan(frame(p), ends=("203.0.113.9", OUTER[1])), (5,)), tunnels.MPLS),
                    Connection(("8.8.8.8", 8)))
    found, counters = probe(tmp_path, good + bad + bare + inner, "--decap-from=192.0.2.0/24")
    assert [r["client"] for r in found] == ["5.6.7.8", "7.7.7.7"]
    assert counters["refused_peer"] == 4
    assert len(probe(tmp_path, good + bad, "--decap-from=192.0.2.1", "--decap-from=203.0.113.0/24")[0]) == 2
    assert len(probe(tmp_path, good, "--decap-from=2001:db8::/32")[0]) == 0


# --- lengths -----------------------------------------------------------------

def test_cut_by_a_mirror(tmp_path):
    """The outer lengths are right, the inner one goes beyond: len by the inner header."""
    def wrap(p):
        return frame(vxlan(frame(p)[:14 + 20 + 20 + 5]))
    [record], _ = probe(tmp_path, greeted(wrap))
    assert (record["banner"], record["len"], record["truncated"]) == ("220 i", 12, True)


def test_bytes_behind_the_tunnel(tmp_path):
    """What follows the outer packet is padding, however long the inner one says it is."""
    def wrap(p):
        return frame(vxlan(frame(p)[:14 + 20 + 20 + 5])) + b"PADDING"
    [record], _ = probe(tmp_path, greeted(wrap))
    assert (record["banner"], record["len"]) == ("220 i", 12)


@pytest.mark.parametrize("length,malformed", [(0, 0), (7, 4), (9, 4), (2000, 4)])
def test_udp_length(tmp_path, length, malformed):
    """0: to the end. Less than a header, before the inner packet's end, beyond the IP packet."""
    def wrap(p):
        return frame(tunnels.udp(4789, tunnels.vxlan_header(42) + frame(p), length=length))
    found, counters = probe(tmp_path, greeted(wrap))
    assert len(found) == (not malformed)
    assert counters.get("malformed", 0) == malformed


def test_udp_ends_before_ip_does(tmp_path):
    def wrap(p, less=0):
        inner = tunnels.vxlan_header(42) + frame(p)
        return frame(tunnels.udp(4789, inner + b"trailer", length=8 + len(inner) - less))
    assert len(probe(tmp_path, greeted(wrap))[0]) == 1
    found, counters = probe(tmp_path, greeted(lambda p: wrap(p, 1)))
    assert (found, counters["malformed"]) == ([], 4)


def test_outer_fragments(tmp_path):
    """The first one has the headers; a later one has none, whatever it looks like."""
    def wrap(fragment):
        return lambda p: frame(vxlan(frame(p), fragment=fragment))
    assert len(probe(tmp_path, greeted(wrap(0x2000)))[0]) == 1
    assert probe(tmp_path, greeted(wrap(0x2001))) == ([], {"packets": 4})
    found, counters = probe(tmp_path, greeted(lambda p: frame(gre(p, around={"fragment": 1}))))
    assert (found, counters) == ([], {"packets": 4, "fragments": 4})

    def first(p):	# of which the rest is in the next: UDP's length is that of both
        return frame(tunnels.udp(4789, tunnels.vxlan_header(42) + frame(p)[:60], length=2000, fragment=0x2000))
    [record], _ = probe(tmp_path, greeted(first))
    assert (record["banner"], record["len"]) == ("220 in", 12)


@pytest.mark.parametrize("wrap,counter", [
    (lambda p: frame(ipip(p, length=9000)), "malformed"),
    (lambda p: frame(ipip(p, length=19)), "malformed"),
    (lambda p: frame(pppoe(p, length=9000), tunnels.PPPOE), "malformed"),
    (lambda p: frame(pppoe(p, length=30), tunnels.PPPOE), "malformed"),
    (lambda p: frame(mpls(p, range(9)), tunnels.MPLS), "not_opened_mpls"),
    (lambda p: frame(mpls(b"\x50" + p), tunnels.MPLS), "not_opened_mpls"),
    (lambda p: frame(pppoe(p, code=1), tunnels.PPPOE), "not_opened_pppoe"),
    (lambda p: frame(geneve(frame(p), flags=0x80)), "not_opened_geneve"),
    (lambda p: frame(geneve(p, 0x1234)), "not_opened_geneve"),
    (lambda p: frame(tunnels.gpe(frame(p), 3, flags=0x0d)), "not_opened_vxlan"),
    (lambda p: frame(tunnels.gpe(frame(p), 3, flags=0x1c)), "not_opened_vxlan"),
    (lambda p: frame(tunnels.gpe(frame(p), 4)), "not_opened_vxlan"),
    (lambda p: frame(gre(p, flags=0x4000)), "not_opened_gre"),
    (lambda p: frame(gre(p, flags=0x0800)), "not_opened_gre"),
    (lambda p: frame(gre(p, flags=0x0400)), "not_opened_gre"),
    (lambda p: frame(gre(p, flags=0x0001)), "not_opened_gre"),
    (lambda p: frame(gre(p, 0x880b)), "not_opened_gre"),
    (lambda p: frame(tunnels.erspan(p, 3, frame_type=1)), "not_opened_gre"),
    (lambda p: frame(ipip(ipip(ipip(ipip(ipip(p)))))), "not_opened_ip_in_ip"),
    (lambda p: frame(ipip(gre(ipip(ipip(vxlan(frame(p))))))), "not_opened_vxlan"),
    (lambda p: frame(vxlan(frame(p, tags=[(0x8100, 1)] * 3))), "not_opened_third_tag"),
])
def test_not_opened(tmp_path, wrap, counter):
    found, counters = probe(tmp_path, greeted(wrap))
    assert (found, counters) == ([], {"packets": 4, counter: 4})


@pytest.mark.parametrize("wrap", [
    lambda p: frame(vxlan(frame(p), flags=0)), lambda p: frame(geneve(frame(p), version=1)),
    lambda p: frame(tunnels.udp(4788, tunnels.vxlan_header(42) + frame(p))),
    lambda p: frame(pppoe(p, b"\xc0\x21"), tunnels.PPPOE)])
def test_no_tunnel(tmp_path, wrap):
    assert probe(tmp_path, greeted(wrap)) == ([], {"packets": 4})


def test_tags_are_the_innermost_frames(tmp_path):
    outer, inner = [(0x88a8, 3), (0x8100, 4)], [(0x8100, 7), (0x8100, 8)]
    [record], _ = probe(tmp_path, greeted(lambda p: frame(vxlan(frame(p, tags=inner)), tags=outer)))
    assert record["vlan"] == [7, 8]
    [record], _ = probe(tmp_path, greeted(lambda p: frame(vxlan(frame(p)), tags=outer)))
    assert "vlan" not in record
    [record], _ = probe(tmp_path, greeted(lambda p: frame(ipip(p), tags=outer)))
    assert record["vlan"] == [3, 4]


def test_gathered_greetings_keep_their_tunnel(tmp_path):
    talk = [*one.opening(), one.s("PA", data=b"220-first\r\n"), one.s("PA", 12, data=b"220 second\r\n")]
    [record], _ = probe(tmp_path, [KINDS["four layers"][0](bytes(p)) for p in talk], "--gather", "-l", "77")
    assert record["banner"] == r"220-first\x0d\x0a220 second\x0d\x0a"
    assert record["tunnel"] == KINDS["four layers"][1]


@pytest.mark.parametrize("name", KINDS)
def test_cut_anywhere(tmp_path, name):
    """By a snap length: a record as soon as all headers are there, and never a wrong one."""
    wrap, layers = KINDS[name]
    *opening, banner = greeted(wrap)
    for kept in range(len(banner) + 1):
        (tmp_path / f"{kept}.pcap").write_bytes(pcap([*opening, (banner, kept)]))
    found = packets.probe("-f", "json", "-r", tmp_path)
    assert found.returncode == 0, found.stderr
    said = [json.loads(line) for line in found.stdout.splitlines()]
    banners = sorted((r["banner"] for r in said), key=len)
    assert len(said) >= 13 and all(r["tunnel"] == layers and r["len"] == 12 for r in said)
    assert banners[-1] == r"220 inside\x0d\x0a" and all(banners[-1].startswith(b) for b in banners)


def test_cut_before_the_kind(tmp_path):
    """GRE and ERSPAN differ in GRE's header: where that is cut off, the packet is no GRE that is not opened."""
    frames = [(packet, 14 + 20 + 2) for packet in greeted(KINDS["erspan II"][0])]
    for decap in "gre", "erspan", "all":
        assert probe(tmp_path, frames, f"--decap={decap}") == ([], {"packets": 4, "cut": 4})
    assert probe(tmp_path, frames, "--decap=vxlan") == ([], {"packets": 4, "not_opened_gre": 4})


# --- mirrors, as their documents have them ------------------------------------

def geneve_option(kind, value, option_class):
    return struct.pack(">HBB", option_class, kind, len(value) // 4) + value


# Of a Gateway Load Balancer: its endpoint, its attachment, the flow's cookie.
GATEWAY = geneve_option(1, bytes(range(8)), 0x0108) + geneve_option(2, bytes(8), 0x0108) + \
    geneve_option(3, b"\1\2\3\4", 0x0108)
NSX = geneve_option(0, bytes(4), 0x0104)
SOURCE, TARGET = ("10.0.1.5", "10.0.9.9"), ("10.0.9.1", "10.0.9.9")


def seen_by(kind, number, ends):
    return layer(kind, number, {"src": ends[0], "dst": ends[1]})


# The option of README's recipe; the packet made of an IP packet; what is reported of it.
MIRRORS = {
    "AWS": ("vxlan", lambda p: frame(vxlan(frame(p), 0xabcdef, ends=SOURCE)), [seen_by("vxlan", 0xabcdef, SOURCE)]),
    "AWS, behind a Gateway Load Balancer": (
        "geneve,vxlan", lambda p: frame(geneve(vxlan(frame(p), 7, ends=SOURCE), 0x0800, 0, GATEWAY, ends=TARGET)),
        [seen_by("geneve", 0, TARGET), seen_by("vxlan", 7, SOURCE)]),
    "Azure": ("vxlan", lambda p: frame(vxlan(frame(p), 1, ends=SOURCE)), [seen_by("vxlan", 1, SOURCE)]),
    "NSX, GRE": ("gre,erspan", lambda p: frame(gre(frame(p), tunnels.FRAME, {"ends": SOURCE})),
                 [seen_by("gre", 0, SOURCE)]),
    "NSX, GRE with a key": ("gre,erspan", lambda p: frame(gre(frame(p), tunnels.FRAME, {"ends": SOURCE}, key=9)),
                            [seen_by("gre", 9, SOURCE)]),
    "NSX, ERSPAN II": ("gre,erspan", lambda p: frame(tunnels.erspan(frame(p), 2, 12, ends=SOURCE)),
                       [seen_by("erspan", 12, SOURCE)]),
    "NSX, ERSPAN III": ("gre,erspan", lambda p: frame(tunnels.erspan(frame(p), 3, 12, ends=SOURCE)),
                        [seen_by("erspan", 12, SOURCE)]),
    "NSX, between its hosts": ("geneve", lambda p: frame(geneve(frame(p), vni=73728, options=NSX, ends=SOURCE)),
                               [seen_by("geneve", 73728, SOURCE)]),
    # ERSPAN's packets may not be fragmented.
    "Cisco, type I": ("erspan", lambda p: frame(tunnels.erspan(frame(p), 1, ends=SOURCE, fragment=0x4000)),
                      [seen_by("erspan", 0, SOURCE)]),
    "Cisco, type II": ("erspan", lambda p: frame(tunnels.erspan(frame(p), 2, 100, ends=SOURCE, fragment=0x4000)),
                       [seen_by("erspan", 100, SOURCE)]),
    "Cisco, type III": ("erspan", lambda p: frame(tunnels.erspan(frame(p), 3, 100, bytes(8), ends=SOURCE,
                                                                fragment=0x4000)), [seen_by("erspan", 100, SOURCE)]),
}


@pytest.mark.parametrize("name", MIRRORS)
def test_mirror(tmp_path, name):
    option, wrap, layers = MIRRORS[name]
    outer = layers[0]["src"]
    for connection in one, six:
        [record], counters = probe(tmp_path, greeted(wrap, connection), f"--decap={option}", f"--decap-from={outer}/28")
        assert (record["banner"], record["len"], record["history"]) == (r"220 inside\x0d\x0a", 12, "ShAd")
        assert record["tunnel"] == layers and "refused_peer" not in counters


@pytest.mark.parametrize("length", [54, 60, 66, 100])
def test_packet_length_of_aws(tmp_path, length):
    """So many bytes behind the VXLAN header, and the outer lengths say so; the banner has 66 in all."""
    def wrap(p):
        return frame(vxlan(frame(p)[:length], ends=SOURCE))
    [record], _ = probe(tmp_path, greeted(wrap), "--decap=vxlan")
    assert record["banner"] == ("220 inside\\x0d\\x0a" if length > 65 else "220 inside"[:length - 54])
    assert record["len"] == 12
    assert record["truncated"] == (length < 66)
