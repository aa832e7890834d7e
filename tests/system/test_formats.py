# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is written: lossless, printable, and what Zeek's readers take."""

import base64
import hashlib
import json
import re
import resource
import struct

import pytest

import packets
from netns import decoded
from packets import Connection, ethernet, pcap, probe

ALL_BYTES = bytes(range(256))
BANNERS = [ALL_BYTES, ALL_BYTES[::-1], b"220 mail.example.org ESMTP\r\n", b"\\x41 is no A\n",
           b"\\", b"\\\\x0a", b"\"quoted\"", b"\x1b]0;title\x07\x1b[2J", b"\t\0\x7f\x80\xff",
           "привет\n".encode(), b" ", b"-", b"(empty)", b"#close", b"- ", b"(empty) ", b"a#"]
SERVERS = [("192.0.2.10", 25), ("2001:db8::10", 2525)]


def connections(banners):
    for i, banner in enumerate(banners):
        server = SERVERS[i % 2]
        client = ("2001:db8::9" if ":" in server[0] else "192.0.2.9", 40000 + i)
        yield Connection(client, server), banner


def capture(banners):
    return pcap([ethernet(p) for c, banner in connections(banners) for p in c.greeted(banner)])


def written(form, banners, *args):
    done = probe("-f", form, *args, "-r", "-", input=capture(banners))
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout


def lines_of(output, allowed=b""):
    """Its lines, once every byte has been found to be printable ASCII, newline or allowed."""
    assert set(output) <= {*range(0x20, 0x7f), 0x0a, *allowed}
    assert output.endswith(b"\n")
    return output.decode("ascii").splitlines()


# --- json -------------------------------------------------------------------------------------

TYPES = {"ts": float, "client": str, "client_port": int, "server": str, "server_port": int,
         "banner": str, "len": int, "truncated": bool, "history": str, "delay_us": int,
         "iface": str}


def test_json_brings_back_every_byte():
    found = [json.loads(line) for line in lines_of(written("json", BANNERS))]
    assert [decoded(r["banner"]) for r in found] == BANNERS


def test_json_fields_and_types():
    for line, (talk, banner) in zip(lines_of(written("json", BANNERS)), connections(BANNERS),
                                    strict=True):
        record = json.loads(line)
        assert {key: type(record[key]) for key in TYPES} == TYPES
        assert ((record["client"], record["client_port"]), (record["server"], record["server_port"])) \
            == (talk.client, talk.server)
        assert (record["len"], record["truncated"], record["history"], record["delay_us"]) == \
            (len(banner), False, "ShAd", 2000)
        assert "vlan" not in record and "dir" not in record


def test_json_escapes_are_the_ones_that_were_promised():
    [line] = lines_of(written("json", [b"a\"b\\c\r\n\x7f\xc3\xbf~ "]))
    assert json.loads(line)["banner"] == r"""a"b\\c\x0d\x0a\x7f\xc3\xbf~ """


def test_json_fractions_of_seconds_have_six_digits():
    [line] = lines_of(written("json", [b"x"]))
    assert re.search(r'"ts": ?1700000000\.126456\b', line)


@pytest.mark.parametrize("address, told", [
    ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("fe80::1", "fe80::1"),
])
def test_ipv6_addresses_are_written_the_canonical_way(address, told):
    talk = Connection(("2001:db8::9", 40000), (address, 25))
    [record] = packets.records_of(pcap([ethernet(p) for p in talk.greeted(b"x")]))
    assert record["server"] == told


# --- json: further fields from the packet -------------------------------------------------------

# The spec's own vectors for TCP: baseline/baseline_deflt.json of corelight/community-id-spec.
V4, V6 = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="
WEB, BROWSER = ("66.35.250.204", 80), ("128.232.110.120", 34855)
MX, MAILER = ("2607:f8b0:400c:c03::1a", 25), ("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943)


def the_record(frames, link=packets.ETHERNET, **kwargs):
    [record] = packets.records_of(pcap(frames, link, **kwargs))
    return record


@pytest.mark.parametrize("client, server, known", [
    (BROWSER, WEB, V4), (WEB, BROWSER, V4), (MAILER, MX, V6), (MX, MAILER, V6)])
def test_json_community_id(client, server, known):
    assert the_record([ethernet(p) for p in Connection(client, server).greeted(b"x")]) \
        ["community_id"] == known


def test_json_community_id_of_two_ports_of_one_address():
    """By the spec's own words: the smaller port first; for all four bytes of it."""
    for ports in (5, 80), (80, 5), (0x0100, 0x00ff), (0x00ff, 0x0100):
        talk = Connection(("10.0.0.1", ports[0]), ("10.0.0.1", ports[1]))
        told = bytes(2) + bytes([10, 0, 0, 1]) * 2 + bytes([6, 0]) + struct.pack("!HH", *sorted(ports))
        assert the_record([ethernet(p) for p in talk.greeted(b"x")])["community_id"] == \
            "1:" + base64.b64encode(hashlib.sha1(told).digest()).decode()


def test_json_mac_addresses():
    """Of the banner's packet; a cooked capture knows the sender's, a raw one none."""
    talk = Connection().greeted(b"x")
    for packet in talk:
        packet.ttl = 57
    record = the_record([ethernet(p) for p in talk])
    assert (record["server_mac"], record["client_mac"], record["server_ttl"]) == \
        ("02:00:00:00:00:01", "02:00:00:00:00:02", 57)
    assert record.keys() == the_record([ethernet(p, [(0x8100, 7)]) for p in talk]).keys() - {"vlan"}
    cooked = struct.pack("!HHH8sH", 0, 1, 6, b"\2\0\0\0\0\x0a", 0x0800)
    cooked2 = struct.pack("!HHIHBB8s", 0x0800, 0, 2, 1, 0, 6, b"\2\0\0\0\0\x0a")
    for link, header in (packets.SLL, cooked), (packets.SLL2, cooked2):
        record = the_record([header + bytes(p) for p in talk], link)
        assert record["server_mac"] == "02:00:00:00:00:0a"
        assert "client_mac" not in record
    nowhere = struct.pack("!HHH8sH", 0, 772, 0, b"", 0x0800)  # a device without addresses
    for link, header in (packets.RAW, b""), (packets.SLL, nowhere):
        record = the_record([header + bytes(p) for p in talk], link)
        assert not {"server_mac", "client_mac"} & record.keys() and record["server_ttl"] == 57


def test_json_hop_limit():
    talk = Connection(MAILER, MX).greeted(b"x")
    talk[-1].hlim = 3
    assert the_record([ethernet(p) for p in talk])["server_ttl"] == 3


def round_trip(*steps):
    """rtt_us of (milliseconds, packet) steps, or None."""
    times = [int(ms * 1_000_000) for ms, _ in steps]
    return the_record([ethernet(p) for _, p in steps], times=times).get("rtt_us")


def test_json_round_trip_time():
    """From the SYN to the client's first answer, however the client says it."""
    t = Connection()
    syn, synack, ack, banner = t.greeted(b"x")
    assert round_trip((0, syn), (30, synack), (70.123, ack), (99, banner)) == 70123
    assert round_trip((0, syn), (30, synack), (70, t.c("FA")), (99, t.s("PA", 1, 2, b"x"))) == 70_000
    # Copies, as two interfaces or a mirror port give them.
    assert round_trip((0, syn), (1, syn), (30, synack), (31, synack), (70, ack), (71, ack),
                      (99, banner)) == 70_000


def test_json_round_trip_time_is_not_guessed():
    t = Connection()
    syn, synack, ack, banner = t.greeted(b"x")
    assert round_trip((30, synack), (70, ack), (99, banner)) is None
    assert round_trip((0, syn), (30, synack), (99, banner)) is None
    # Answers to which of the two?
    assert round_trip((0, syn), (1000, syn), (1030, synack), (1070, ack), (1099, banner)) is None
    assert round_trip((0, syn), (30, synack), (1030, synack), (1070, ack), (1099, banner)) is None
    # The SYN came after its answer: when it was sent is not known.
    assert round_trip((0, synack), (1, syn), (40, ack), (99, banner)) is None
    # The third ACK was missed; this one is of a later time.
    assert round_trip((0, syn), (30, synack), (500, t.c("A", 1, 9)), (599, banner)) is None


# --- text -------------------------------------------------------------------------------------

def test_text_is_the_default():
    done = probe("-r", "-", input=capture(BANNERS))
    assert (done.returncode, done.stdout) == (0, written("text", BANNERS))


def test_text_brings_back_every_byte():
    lines = lines_of(written("text", BANNERS))
    found = [re.fullmatch(r"(.*\S) (\S+) -> (\S+) (.*)", line) or pytest.fail(line) for line in lines]
    assert [decoded(m[4]) for m in found] == BANNERS
    assert {m[2] for m in found} == {"192.0.2.10:25", "[2001:db8::10]:2525"}
    assert found[0][3] == "192.0.2.9:40000" and found[1][3] == "[2001:db8::9]:40001"


@pytest.mark.parametrize("first, note", [(0, ""), (1, " (no SYN seen)")])
def test_text_says_that_the_syn_was_not_seen(first, note):
    """The SYN-ACK suffices, but a person has to know."""
    frames = [ethernet(packet) for packet in Connection().greeted(b"banner")[first:]]
    lines = lines_of(probe("--events=open,banner", "-r", "-", input=pcap(frames)).stdout)
    assert [line.split(" ", 3)[3] for line in lines] == [
        f"5.6.7.8:5678 -> 1.2.3.4:80{note}", f"1.2.3.4:80 -> 5.6.7.8:5678{note} banner"]


def test_text_shows_local_time():
    done = probe("-f", "text", "-r", "-", input=capture([b"x"]), env={"TZ": "UTC-05:30"})
    assert b"03:43:20.126456" in done.stdout	# 22:13:20 in Greenwich


# --- zeek -------------------------------------------------------------------------------------

HEADERS = [r"#separator \x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-",
           "#path\tpassiverecon", r"#open\t\d{4}(-\d\d){5}",
           "#fields\tts\tuid\thost\tsrvport\trecon_type\tsource\tvalue\ttargetval",
           "#types\ttime\tstring\taddr\tport\tenum\tstring\tstring\tstring"]


def zeek_rows(output):
    """The rows between good headers and #close, each in its eight columns."""
    lines = lines_of(output, b"\t")
    for line, header in zip(lines, HEADERS):
        assert line == header or header.startswith("#open") and re.fullmatch(header, line)
    assert re.fullmatch(r"#close\t\d{4}(-\d\d){5}", lines[-1])
    rows = [line.split("\t") for line in lines[len(HEADERS):-1]]
    assert all(len(row) == 8 for row in rows)
    return rows


def zeek_values(banners):
    return [(row[4].removeprefix("PassiveRecon::"), row[6])
            for row in zeek_rows(written("zeek", banners))]


def test_zeek_columns():
    rows = zeek_rows(written("zeek", [b"220 hello\r\n", b"+OK\r\n"]))
    assert [[*row[:1], *row[2:]] for row in rows] == [
        ["1700000000.123456", "192.0.2.10", "25", "PassiveRecon::TCP_SERVER_BANNER", "-",
         r"220 hello\x0d\x0a", "-"],
        ["1700000000.127456", "2001:db8::10", "2525", "PassiveRecon::TCP_SERVER_BANNER", "-",
         r"+OK\x0d\x0a", "-"]]
    assert all(re.fullmatch(r"C[0-9A-Za-z]{5,20}", row[1]) for row in rows)
    assert rows[0][1] != rows[1][1]


def test_zeek_time_is_the_synacks_where_the_syn_was_not_seen():
    frames = [ethernet(p) for p in Connection().greeted(b"x")[1:]]
    done = probe("-f", "zeek", "-r", "-", input=pcap(frames))
    assert [row[0] for row in zeek_rows(done.stdout)] == ["1700000000.123456"]


def test_zeek_brings_back_every_byte():
    assert [decoded(value) for _, value in zeek_values(BANNERS)] == BANNERS


@pytest.mark.parametrize("banner, value", [
    (b"-", r"\x2d"), (b"(empty)", r"\x28empty)"), (b"#close", r"\x23close"), (b"#", r"\x23"),
    (b"--", "--"), (b"(empty", "(empty"), (b"a\tb", r"a\x09b"), (b"a,b#", "a,b#"),
    (b"\xff", r"\xff"), (b"\\", r"\\"),
])
def test_zeek_special_values(banner, value):
    assert zeek_values([banner]) == [("TCP_SERVER_BANNER", value)]


def test_zeek_empty_value():
    """A capture with a snap length that cut off the whole banner."""
    *opening, last = [ethernet(p) for p in Connection().greeted(b"gone")]
    done = probe("-f", "zeek", "-r", "-", input=pcap([*opening, (last, 54)]))
    assert [row[6] for row in zeek_rows(done.stdout)] == ["(empty)"]


@pytest.mark.parametrize("banner, version", [
    (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2"),
    (b"SSH-1.99-Cisco-1.25\n\0\0\0", "SSH-1.99-Cisco-1.25"),
    (b"ssh-2.0-lower\n", "ssh-2.0-lower"),
    (b"SSH-2.0-\xff\t\r\n", r"SSH-2.0-\xff\x09"),
])
def test_zeek_ssh_is_logged_as_ssh(banner, version):
    assert zeek_values([banner]) == [("SSH_SERVER", version)]


@pytest.mark.parametrize("banner", [b"HTTP/1.0 408 Request Time-out\r\n", b"HTTP/2 400\r\n",
                                    b"UNKNOWN 408 Request Timeout\r\n"])
def test_zeek_leaves_out_timeouts_of_web_servers(banner):
    assert zeek_values([banner, b"220 hello"]) == [("TCP_SERVER_BANNER", "220 hello")]
    assert len(written("json", [banner]).splitlines()) == 1


@pytest.mark.parametrize("banner", [b"HTTP/x", b" HTTP/1.0", b"UNKNOWN 409", b"SSH-3.0-x", b"SSH"])
def test_zeek_logs_what_only_looks_like_those(banner):
    assert zeek_values([banner]) == [("TCP_SERVER_BANNER", banner.decode())]


def test_zeek_of_nothing():
    done = probe("-f", "zeek", "-r", "-", input=pcap([]))
    assert done.returncode == 0 and zeek_rows(done.stdout) == []


# --- where it goes ----------------------------------------------------------------------------

def test_output_file_is_appended_to(tmp_path):
    out = tmp_path / "banners"
    out.write_text("what was there\n")
    for banner in b"one", b"two":
        done = probe("-f", "json", "-o", out, "-r", "-", input=capture([banner]))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    before, *lines = out.read_text().splitlines()
    assert before == "what was there"
    assert [json.loads(line)["banner"] for line in lines] == ["one", "two"]


def test_zeek_files_are_appended_to_whole(tmp_path):
    out = tmp_path / "passiverecon.log"
    for banner in b"one", b"two":
        probe("-f", "zeek", "-o", out, "-r", "-", input=capture([banner]))
    _, first, second = out.read_bytes().split(b"#separator")
    assert [zeek_rows(b"#separator" + log)[0][6] for log in (first, second)] == ["one", "two"]


@pytest.mark.parametrize("form", ["text", "json", "zeek"])
def test_a_full_disk_is_an_error(form):
    done = probe("-f", form, "-o", "/dev/full", "-r", "-", input=capture(BANNERS))
    assert (done.returncode, done.stdout) == (4, b"")
    why, *losses = done.stderr.decode().splitlines()
    assert why.startswith("bannerprobe: /dev/full: No space left")
    assert len(losses) <= 1


@pytest.mark.parametrize("form", ["text", "json", "zeek"])
def test_a_limit_of_file_sizes_is_an_error(tmp_path, form):
    """As by LimitFSIZE= of a unit: it kills nothing, and what is lost is counted."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    done = probe("-f", form, "-o", tmp_path / "log", "-r", "-", input=capture(BANNERS), preexec_fn=limit)
    assert done.returncode == 4 and (tmp_path / "log").stat().st_size == 100
    assert b"File too large: records are being lost" in done.stderr


def test_a_full_standard_output_is_an_error():
    with open("/dev/full", "wb") as full:
        done = probe("-f", "json", "-r", "-", input=capture(BANNERS), stdout=full)
    assert done.returncode == 4
    assert done.stderr.startswith(b"bannerprobe: standard output: No space left")


def test_an_output_file_that_cannot_be_made(tmp_path):
    done = probe("-o", tmp_path / "none" / "file", "-r", "-", input=capture(BANNERS))
    assert done.returncode == 1
    [line] = done.stderr.decode().splitlines()
    assert "No such file" in line
