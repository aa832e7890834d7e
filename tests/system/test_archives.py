# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Captures as archives hold them: pcapng of every make, compressed, rotated, in directories."""

import gzip
import os
import pathlib
import signal
import struct
import subprocess
import time

import pytest

import packets
from netns import BINARY, PATIENCE, ROOT, children_of, wait_for
from packets import (Connection, START, enhanced, ethernet, interface, parsed, pcap, pcapng, probe,
                     records, records_of, section, zstd)
from rig import resident_bytes

DATA = b"DATA"
FAULTS = os.path.join(os.path.dirname(ROOT), "shared", "faults")
one, two = Connection(), Connection(("192.0.2.9", 40001), ("192.0.2.10", 25))
TALK = one.greeted(DATA)
FRAMES = [ethernet(packet) for packet in TALK]
MICROS = START // 1000


def fault(name):
    path = os.path.join(FAULTS, name)
    if not os.path.exists(path):
        pytest.skip(f"there is no {path}")
    return path


def talk_of(number, order="<", options=b""):
    """The frames of a connection as blocks of one interface."""
    return b"".join(enhanced(frame, MICROS + i, number, order, options)
                    for i, frame in enumerate(FRAMES))


def one_line(done, code=1):
    assert done.returncode == code, done
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("bannerprobe: "), line
    return line


# --- pcapng -----------------------------------------------------------------------------------

def test_two_link_types():
    """Each packet is parsed as its own interface has it."""
    raw = b"".join(enhanced(bytes(p), MICROS + i, 1) for i, p in enumerate(two.greeted(DATA)))
    capture = section() + interface() + interface(link=packets.RAW) + talk_of(0) + raw
    assert [r["server_port"] for r in records_of(capture)] == [80, 25]


@pytest.mark.parametrize("name", ["01b-two-linktypes-unused.pcapng", "02-two-snaplens.pcapng"])
def test_faults_of_pcapng(name):
    [record] = records("-r", fault(name))
    assert record["banner"].startswith("SSH-2.0-hB") and record["history"] == "ShAd"


def test_fault_after_2038():
    [record] = records("-r", fault("y2038.pcap"))
    assert record["ts"] == "2147483649.999999"


def test_fault_pppoe():
    path = fault("17b-pppoe.pcap")
    assert probe("-f", "json", "-r", path).stdout.count(b"SSH-2.0-") == 1
    done = probe("-f", "json", "--stats", "--decap=none", "-r", path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert packets.counters(done.stderr)["not_opened_pppoe"] == 4
    assert b"17b-pppoe.pcap: 4 of 4 packets are PPPoE, which is not opened: " in done.stderr


def test_snap_lengths_of_their_own():
    """A simple packet block has as many bytes as the first interface's snap length lets it."""
    simple = b"".join(packets.block("<", 3, struct.pack("<I", len(f)) + f[:56]) for f in FRAMES)
    capture = section() + interface(snaplen=56) + interface(snaplen=9000) + simple
    [record] = records_of(capture)
    assert (record["banner"], record["len"], record["truncated"], record["ts"]) == \
        ("DA", 4, True, "0.000000")


@pytest.mark.parametrize("orders", ["<>", "><", "<><>"])
def test_sections_of_two_byte_orders(orders):
    """Interfaces are those of the section; connections go on."""
    capture = b"".join(section(order) + interface(order) +
                       enhanced(FRAMES[i], MICROS + i, order=order)
                       for i, order in enumerate((orders * 4)[:4]))
    assert [(r["history"], r["ts"]) for r in records_of(capture)] == [("ShAd", "1700000000.123459")]


def test_interfaces_are_those_of_the_section():
    """Interface 0 of a section is its own, with another link type and name."""
    raw = b"".join(enhanced(bytes(p), MICROS + i) for i, p in enumerate(two.greeted(DATA)))
    capture = section() + interface(name=b"a") + talk_of(0) + \
        section() + interface(link=packets.RAW, name=b"b") + raw
    for more in [], ["--gather"]:
        found = records_of(capture, *more)
        assert [(r["server_port"], r["capture_iface"]) for r in found] == [(80, "a"), (25, "b")]


def test_packet_of_no_capturing_program():
    """Longer than any keeps, and yet all there."""
    for n, told in (262144, None), (262145, "a packet of 262145 bytes, of which no more than 262144"):
        for capture in pcap([*FRAMES, bytes(n)]), section() + interface() + talk_of(0) + enhanced(bytes(n), 1):
            done = probe("-f", "json", "-r", "-", input=capture)
            assert len(parsed(done.stdout)) == 1
            assert told in one_line(done) if told else not done.stderr


def test_old_packet_blocks():
    old = b"".join(packets.block(">", 2, struct.pack(">HHIIII", 0, 7, MICROS >> 32, MICROS & 2**32 - 1,
                                                     len(f), len(f)) + f) for f in FRAMES)
    assert [r["banner"] for r in records_of(section(">") + interface(">") + old)] == ["DATA"]


def test_other_blocks_are_skipped():
    others = packets.block("<", 5, bytes(16)) + packets.block("<", 0xbad, bytes(3_000_000)) + \
        packets.block("<", 10, b"TLSK" + bytes(70_000))
    capture = others.join([section() + interface(), talk_of(0, options=packets.option("<", 1, b"hi"))])
    assert [r["banner"] for r in records_of(capture + others)] == ["DATA"]


# if_tsresol, units a second, if_tsoffset
CLOCKS = {"default": (None, 10**6, None), "seconds": (0, 1, None), "milli": (3, 10**3, None),
          "nano": (9, 10**9, None), "pico": (12, 10**12, 1_699_000_000), "binary": (0x80 | 20, 2**20, None),
          "binary, fine": (0x80 | 32, 2**32, None), "offset": (6, 10**6, 1_000_000),
          "offset before": (9, 10**9, -1_000_000)}


@pytest.mark.parametrize("name", CLOCKS)
def test_clocks(name):
    resolution, units, offset = CLOCKS[name]
    seconds, half = 1_700_000_000, units // 2
    time = (seconds - (offset or 0)) * units + half
    for order in "<>":
        capture = section(order) + interface(order, resolution=resolution, offset=offset) + \
            b"".join(enhanced(frame, time, order=order) for frame in FRAMES)
        [record] = records_of(capture)
        assert record["ts"] == f"{seconds}.{500000 if half else 0:06}"


def test_until_2106():
    late = 4_294_967_295 * 10**9
    assert records_of(pcap(FRAMES, start=late - 3 * packets.STEP))[0]["ts"] == "4294967295.000000"
    assert records_of(pcapng(FRAMES, start=late))[0]["ts"] == "4294967295.003000"


def test_a_thousand_interfaces():
    talks = [Connection((f"10.1.{i >> 8}.{i & 255}", 2000)).greeted(DATA) for i in range(1000)]
    capture = section() + b"".join(interface(name=b"port%d" % i, snaplen=100 + i) for i in range(1000))
    for step in range(4):
        capture += b"".join(enhanced(ethernet(talk[step]), MICROS + step, i)
                            for i, talk in enumerate(talks))
    for more in [], ["--gather"]:
        found = records_of(capture, *more)
        assert [(r["client"], r["capture_iface"]) for r in sorted(found, key=lambda r: r["client"])] == \
            sorted((f"10.1.{i >> 8}.{i & 255}", f"port{i}") for i in range(1000))


@pytest.mark.parametrize("name, told", [
    (b"eth0", "eth0"), (b"a\"b\\c\n\x1b]0;x\x07\xff", 'a"b\\\\c\\x0a\\x1b]0;x\\x07\\xff'),
    (b"x" * 300, "x" * 255), (b"eth0\0rest", "eth0"), (b"", None), (None, None)])
def test_name_of_the_interface(name, told):
    """Whatever it is, it comes out escaped; `iface` stays the file."""
    for gather in [], ["--gather"]:
        [record] = records_of(section() + interface(name=name) + talk_of(0), *gather)
        assert (record.get("capture_iface"), record["iface"]) == (told, "-")


def test_no_name_in_a_pcap():
    assert "capture_iface" not in records_of(pcap(FRAMES))[0]


# --- pcap -------------------------------------------------------------------------------------

@pytest.mark.parametrize("order", "<>")
def test_patched_pcap(order):
    """A format of tcpdump in old Linux distributions: eight bytes more a packet."""
    out = struct.pack(order + "IHHiIII", packets.PATCHED, 2, 4, 0, 0, 65535, 1)
    for frame in FRAMES:
        out += struct.pack(order + "IIIIIHBB", 1700000000, 5, len(frame), len(frame), 2, 8, 0, 0) + frame
    assert [(r["banner"], r["ts"]) for r in records_of(out)] == [("DATA", "1700000000.000005")]


@pytest.mark.parametrize("minor", [2, 3])
def test_old_versions(minor):
    """The length on the wire stood first."""
    out = struct.pack("<IHHiIII", packets.MICRO, 2, minor, 0, 0, 65535, 1)
    for frame in FRAMES:
        out += struct.pack("<IIII", 1700000000, 0, len(frame) + 9, len(frame)) + frame
    assert [r["banner"] for r in records_of(out)] == ["DATA"]


# --- what is damaged --------------------------------------------------------------------------

def told_of_each(folder, contents):
    """The message about each of many files, by its number, and the banners; read by one process."""
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    done = probe("-f", "json", "-r", *range(len(contents)), cwd=folder)
    assert done.returncode == 1
    lines = [line.split(": ", 2) for line in done.stderr.decode().splitlines()]
    assert all(line[0] == "bannerprobe" for line in lines)
    told = {int(number): text for _, number, text in lines}
    assert len(told) == len(lines)		# one line for each
    return told, parsed(done.stdout)


@pytest.mark.parametrize("whole", [pcap(FRAMES), pcapng(FRAMES)], ids=["pcap", "pcapng"])
def test_cut_at_each_byte(tmp_path, whole):
    """The packets before it count, and one line says where it was cut."""
    told, found = told_of_each(tmp_path, [whole[:size] for size in range(len(whole) + 1)])
    between = 0
    for size in range(len(whole) + 1):
        if size not in told:			# cut between two packets
            between += 1
        elif size < 4:
            assert told[size] == ("is no capture (pcap or pcapng)" if size else "is empty")
        else:
            assert told[size].startswith(f"cut off at byte {size}, in a ")
    assert between in (5, 6)			# the interface of a pcapng, too
    assert [r["iface"] for r in found] == [str(len(whole))]


def test_lengths_that_lie(tmp_path):
    """Each byte with a meaning set to 0xff, and to 1: an end, and never another banner."""
    head = section() + interface(name=b"eth0", resolution=9)
    whole = head + talk_of(0)
    damaged = [whole[:at] + value + whole[at + 1:] for value in (b"\xff", b"\1")
               for at in range(len(head) + 40)]
    told, found = told_of_each(tmp_path, damaged)
    assert len(told) > 50
    assert {r["banner"] for r in found} == {"DATA"}
    assert not {int(r["iface"]) for r in found} & set(told)


LIES = {
    "block too short": (struct.pack("<II", 6, 8) + bytes(24), "a block of 8 bytes"),
    "block not of four bytes": (struct.pack("<II", 5, 35) + bytes(31), "a block of 35 bytes"),
    "end says otherwise": (struct.pack("<IIII", 5, 16, 0, 20), "a block of 16 bytes, by its end of 20"),
    "packet longer than its block": (
        packets.block("<", 6, struct.pack("<IIIII", 0, 0, 0, 64, 64) + bytes(60)), "a packet of 64 bytes"),
    "block too short for a packet": (packets.block("<", 6, bytes(16)), "a packet's block of 28 bytes"),
    "interface that is none": (enhanced(FRAMES[0], 0, 1), "a packet of interface 1, of 1"),
    "packet far too long": (struct.pack("<II", 6, 0x7ffffffc), "a block of 2147483644 bytes"),
    "clock too fine": (interface(resolution=100), "a clock too fine"),
    "option beyond its block": (packets.block("<", 1, struct.pack("<HHIHH", 1, 0, 0, 2, 100)),
                                "an option of 100 bytes"),
    "section of no byte order": (packets.block("<", 0x0a0d0d0a, bytes(16)), "a section of no byte order"),
    "section of another version": (packets.block("<", 0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 2, 0, -1)),
                                   "pcapng of version 2.0"),
    "simple packet longer than its block": (packets.block("<", 3, struct.pack("<I", 99) + bytes(60)),
                                            "a packet of 99 bytes"),
    "block too short for a simple packet": (packets.block("<", 3, b""), "a packet's block of 12 bytes"),
    "block too short for an interface": (packets.block("<", 1, bytes(4)), "an interface of 16 bytes"),
}


@pytest.mark.parametrize("name", LIES)
def test_lie(tmp_path, name):
    """Refused with the file and the place; what is before it counts."""
    before = section() + interface() + talk_of(0)
    (tmp_path / "lies.pcapng").write_bytes(before + LIES[name][0] + talk_of(0))
    done = probe("-f", "json", "-r", "lies.pcapng", cwd=tmp_path)
    line = one_line(done)
    place = len(before) + (12 if name == "end says otherwise" else 0)
    assert f"lies.pcapng: damaged at byte {place}, after packet 4: {LIES[name][1]}" in line
    assert [r["banner"] for r in parsed(done.stdout)] == ["DATA"]


def test_a_simple_packet_of_no_interface(tmp_path):
    """A simple packet belongs to the first interface, and this section has none."""
    before = section() + interface() + talk_of(0) + section()
    (tmp_path / "lies.pcapng").write_bytes(before + packets.block("<", 3, struct.pack("<I", 60) + bytes(60)))
    line = one_line(probe("-r", "lies.pcapng", cwd=tmp_path))
    assert f"damaged at byte {len(before)}, after packet 4: a packet of no interface" in line


def test_too_many_interfaces(tmp_path):
    before = section() + interface() * 65536
    (tmp_path / "most.pcapng").write_bytes(before + talk_of(0))
    assert [r["banner"] for r in records("-r", tmp_path / "most.pcapng")] == ["DATA"]
    (tmp_path / "more.pcapng").write_bytes(before + interface() + talk_of(0))
    line = one_line(probe("-r", "more.pcapng", cwd=tmp_path))
    assert f"damaged at byte {len(before)}, after packet 0: more than 65536 interfaces" in line


TWICE = "is compressed twice, which is opened once: "
NO_CAPTURES = {"empty": (b"", "is empty"), "text": (b"hello, world\n", "is no capture (pcap or pcapng)"),
               "two bytes": (b"hi", "is no capture (pcap or pcapng)"),
               "text.gz": (gzip.compress(b"hello, world\n"), "is no capture (pcap or pcapng)"),
               "nothing.gz": (gzip.compress(b""), "is empty"),
               "snoop.gz": (gzip.compress(b"snoo") + gzip.compress(b"p\0\0\0" + bytes(12)), "is a capture of snoop: "),
               "xz": (b"\xfd7zXZ\0" + bytes(50), "is compressed by xz, which is not opened: xz -dc "),
               "old.Z": (b"\x1f\x9d\x90" + bytes(50), "is compressed by compress, which is not opened: gzip -dc "),
               "netmon.cap": (b"GMBU\0\2" + bytes(50), "is a capture of Network Monitor: editcap "),
               "twice.gz.gz": (gzip.compress(gzip.compress(pcap(FRAMES))), TWICE + "gzip -dc "),
               "twice.zst.gz": (gzip.compress(zstd(pcap(FRAMES))), TWICE + "gzip -dc "),
               "twice.gz.zst": (zstd(gzip.compress(pcap(FRAMES))), TWICE + "zstd -dc ")}


@pytest.mark.parametrize("name", NO_CAPTURES)
def test_no_capture(tmp_path, name):
    content, told = NO_CAPTURES[name]
    (tmp_path / name).write_bytes(content)
    line = one_line(probe("-r", name, cwd=tmp_path))
    assert line.startswith(f"bannerprobe: {name}: {told}")


# --- compressed -------------------------------------------------------------------------------

def in_parts(compress, data, size=100):
    return b"".join(compress(data[i:i + size]) for i in range(0, len(data), size))


SKIPPABLE = struct.pack("<II", 0x184d2a53, 5) + b"hello"
COMPRESSED = {"gzip": gzip.compress, "zstd": zstd, "gzip, members": lambda d: in_parts(gzip.compress, d),
              "zstd, frames": lambda d: in_parts(zstd, d), "zstd, skippable frame": lambda d: SKIPPABLE + zstd(d),
              "gzip, stored": lambda d: gzip.compress(d, 0), "gzip, filled up": lambda d: gzip.compress(d) + bytes(512),
              "gzip, empty members": lambda d: gzip.compress(b"") + gzip.compress(d) + gzip.compress(b"")}


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("capture", [pcap(FRAMES), pcapng(FRAMES, order=">")], ids=["pcap", "pcapng"])
def test_compressed(tmp_path, name, capture):
    """By content, whatever the name, on standard input, and byte by byte through a pipe."""
    content = COMPRESSED[name](capture)
    (tmp_path / "name.pcap").write_bytes(content)
    assert [r["banner"] for r in records("-r", tmp_path / "name.pcap")] == ["DATA"]
    assert [r["banner"] for r in records_of(content)] == ["DATA"]
    with subprocess.Popen([BINARY, "-f", "json", "-r", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        for i in range(len(content)):
            process.stdin.write(content[i:i + 1])
        output, errors = process.communicate(timeout=PATIENCE)
    assert [r["banner"] for r in parsed(output)] == ["DATA"] and not errors


def test_large_and_compressed():
    """Many times as large as any buffer."""
    capture = pcap([*FRAMES[:3], *[bytes(1500)] * 20_000, FRAMES[3]])
    for compress in gzip.compress, zstd:
        done = probe("-f", "json", "-r", "-", input=compress(capture))
        assert done.returncode == 0 and len(parsed(done.stdout)) == 1


@pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
@pytest.mark.parametrize("size", [100_000, 200_000, 300_000, 2_000_000])
def test_compressed_file_of_any_size(tmp_path, compress, size):
    """A file that hardly gets smaller: what is read of it at once is more than a pipe gives."""
    noise = [os.urandom(1000) for _ in range(size // 1000)]
    (tmp_path / "x").write_bytes(compress(pcap([*FRAMES[:3], *noise, FRAMES[3]])))
    assert [r["banner"] for r in records("-r", tmp_path / "x")] == ["DATA"]


@pytest.mark.parametrize("compress", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_damaged_compression(compress):
    whole = compress(pcap([*FRAMES, *[os.urandom(1000) for _ in range(500)]]))
    done = probe("-f", "json", "-r", "-", input=whole[:-1000])
    assert "the compressed data end too early" in one_line(done)
    assert [r["banner"] for r in parsed(done.stdout)] == ["DATA"]
    sum_at = len(whole) - (8 if compress is gzip.compress else 4)
    damaged = whole[:sum_at] + bytes([whole[sum_at] ^ 1]) + whole[sum_at + 1:]
    done = probe("-f", "json", "-r", "-", input=damaged)
    assert "the compressed data are damaged" in one_line(done)
    one_line(probe("-r", "-", input=whole[:300_000] + bytes(100) + whole[300_100:]))
    done = probe("-f", "json", "-r", "-", input=whole + b"something else")
    assert "something that is not compressed follows" in one_line(done)
    assert [r["banner"] for r in parsed(done.stdout)] == ["DATA"]


def test_window_too_large(tmp_path):
    """What would take more than 128 MiB is refused, and said how to read it."""
    content = subprocess.run(["zstd", "-qc", "--long=31", "--ultra", "-1"], input=pcap(FRAMES) + bytes(1 << 20),
                             stdout=subprocess.PIPE, check=True).stdout
    # A frame that was written to a pipe has its window; here it is made larger: 2^31.
    descriptor = 4
    assert not content[descriptor] & 0x20
    content = content[:5] + bytes([21 << 3]) + content[6:]
    assert "zstd -dc --long=31 FILE" in one_line(probe("-r", "-", input=content))


# --- rotated ----------------------------------------------------------------------------------

def test_sequence(tmp_path):
    """A connection goes on in the next file; without --sequence it does not."""
    for i, frame in enumerate(FRAMES):
        (tmp_path / f"x{i}").write_bytes(pcap([frame], start=START + i * packets.STEP))
    names = [f"x{i}" for i in range(4)]
    for gather in [], ["--gather"]:
        found = records("--sequence", *gather, "-r", *names, cwd=tmp_path)
        assert [(r["banner"], r["history"], r["iface"]) for r in found] == [("DATA", "ShAd", "x3")]
        assert records(*gather, "-r", *names, cwd=tmp_path) == []


def test_fault_rotated():
    names = fault("12-rot.pcap0"), fault("12-rot.pcap1")
    [record] = records("--sequence", "-r", *names)
    assert record["banner"].startswith("SSH-2.0-hB")
    assert records("-r", *names) == []


@pytest.mark.parametrize("frames, reason", [
    (FRAMES[:3], "cut_off"), (FRAMES[:2], "cut_off"),
    ([*FRAMES[:3], ethernet(one.c("A", ack=5))], "server_data_unseen"),
    ([*FRAMES[:3], ethernet(one.s("FA")), ethernet(one.c("FA", ack=2))], "no_data"),
])
def test_end_of_a_sequence(tmp_path, frames, reason):
    """Connections that wait at the end are counted once, by what is known of them."""
    for i, frame in enumerate(frames):
        (tmp_path / f"x{i}").write_bytes(pcap([frame], start=START + i * packets.STEP))
    done = probe("--sequence", "--stats", "-r", *[f"x{i}" for i in range(len(frames))], cwd=tmp_path)
    count = packets.counters(done.stderr)
    assert (count["connections"], count[reason], count["open"]) == (1, 1, 0)


def test_fault_rotated_and_not_a_sequence():
    done = probe("--stats", "-r", fault("12-rot.pcap0"), fault("12-rot.pcap1"))
    assert packets.counters(done.stderr)["cut_off"] == 1


def test_sequence_gathers_on(tmp_path):
    """A greeting that goes on in the next file is one record, of the file where it began."""
    more = ethernet(one.s("PA", 5, data=b"MORE"))
    (tmp_path / "x0").write_bytes(section() + interface(name=b"eth7") + talk_of(0))
    (tmp_path / "x1").write_bytes(pcap([more], start=START + packets.STEP))
    found = records("--sequence", "--gather", "-r", "x0", "x1", cwd=tmp_path)
    assert [(r["banner"], r["iface"], r["capture_iface"]) for r in found] == [("DATAMORE", "x0", "eth7")]


def test_sequence_in_another_order(tmp_path):
    (tmp_path / "x0").write_bytes(pcap(FRAMES[:2]))
    (tmp_path / "x1").write_bytes(pcap(FRAMES[2:], start=START + 2 * 10**9))
    done = probe("--sequence", "-f", "json", "-r", "x1", "x0", cwd=tmp_path)
    assert "x0: begins 2.001000 seconds before the end of x1" in one_line(done, 0)
    assert done.stdout == b""


def test_sequence_is_for_captures():
    assert "--sequence is for captures" in one_line(probe("--sequence", "lo"), 2)


# --- directories ------------------------------------------------------------------------------

def fill(folder):
    """Natural order (x2 before x10), other files, and files that are no captures."""
    (folder / "deep" / "x").mkdir(parents=True)
    for name in "x10", "x2", "x1", "deep/a", "deep/x/b", "y.gz":
        body = pcap(FRAMES)
        (folder / name).write_bytes(gzip.compress(body) if name == "y.gz" else body)


def test_directory(tmp_path):
    fill(tmp_path)
    found = records("-r", "../" + tmp_path.name, cwd=tmp_path)
    assert [r["iface"] for r in found] == \
        [f"../{tmp_path.name}/{name}" for name in ("deep/a", "deep/x/b", "x1", "x2", "x10", "y.gz")]


def test_directory_with_others(tmp_path):
    """No captures are skipped and counted; loops, links, FIFOs and devices are not opened."""
    folder = tmp_path / "captures"
    folder.mkdir()
    fill(folder)
    (folder / "README").write_text("hello\n")
    (folder / "nothing").write_bytes(b"")
    (folder / "loop").symlink_to(folder)
    (folder / "deep" / "up").symlink_to("..")
    (folder / "link").symlink_to("x1")
    os.mkfifo(folder / "fifo")
    os.mknod(folder / "null", 0o600 | 0o020000, os.makedev(1, 5))
    done = probe("-f", "json", "-r", "captures", cwd=tmp_path)
    line = one_line(done, 0)
    assert line == "bannerprobe: captures: skipped below it: files that are no captures (2), " \
        "links and special files (5)"
    assert len(parsed(done.stdout)) == 6


def test_directory_with_a_damaged_capture(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x1").write_bytes(pcap(FRAMES)[:-1])
    (tmp_path / "a" / "x2").write_bytes(pcap(FRAMES))
    done = probe("-f", "json", "-r", "a", cwd=tmp_path)
    assert "a/x1: cut off at byte" in one_line(done)
    assert [r["iface"] for r in parsed(done.stdout)] == ["a/x2"]


@pytest.mark.parametrize("jobs", ["1", "4"])
@pytest.mark.parametrize("others, told", [
    ({}, ""), ({"folder": None}, ""),
    ({"README": b"hello\n", "empty": b"", "x.gz": gzip.compress(b"hello")},
     ", but: files that are no captures (3), links and special files (0)")], ids=["empty", "folder", "files"])
def test_directory_without_captures(tmp_path, others, told, jobs):
    """Bad input, as a file that is no capture; captures beside it are read."""
    (tmp_path / "a").mkdir()
    (tmp_path / "x").write_bytes(pcap(FRAMES))
    for name, body in others.items():
        if body is None:
            (tmp_path / "a" / name).mkdir()
        else:
            (tmp_path / "a" / name).write_bytes(body)
    line = f"bannerprobe: a: no capture is below this directory{told}"
    assert one_line(probe("-j", jobs, "-r", "a", cwd=tmp_path)) == line
    for names in (["a", "x"], ["x", "a"]):
        done = probe("-j", jobs, "-f", "json", "-r", *names, cwd=tmp_path)
        assert one_line(done) == line
        assert [r["iface"] for r in parsed(done.stdout)] == ["x"]


def test_directory_is_a_sequence(tmp_path):
    for i, frame in enumerate(FRAMES):
        name = f"x.pcap{i + 8}"			# 8, 9, 10, 11
        (tmp_path / name).write_bytes(pcap([frame], start=START + i * packets.STEP))
    assert [r["history"] for r in records("--sequence", "-r", tmp_path)] == ["ShAd"]


def test_directory_and_files(tmp_path):
    (tmp_path / "a").mkdir()
    for name in "a/x1", "y":
        (tmp_path / name).write_bytes(pcap(FRAMES))
    found = records("-r", "y", "a", "-", "a/", cwd=tmp_path, input=pcap(FRAMES))
    assert [r["iface"] for r in found] == ["y", "a/x1", "-", "a/x1"]


def test_link_that_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x1").write_bytes(pcap(FRAMES))
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "file").symlink_to("a/x1")
    assert [r["iface"] for r in records("-r", "link", "file", cwd=tmp_path)] == ["link/x1", "file"]


# --- several at the same time -----------------------------------------------------------------

def many(folder):
    """Captures of all kinds, and what is none."""
    kinds = [pcap(FRAMES), gzip.compress(pcap(FRAMES * 3)), pcap(FRAMES)[:-7], b"no capture",
             section() + interface() + interface(name=b"eth7") + talk_of(1)]
    for i in range(40):
        (folder / f"x{i}").write_bytes(kinds[i % len(kinds)])
    return sorted(folder.iterdir())


@pytest.mark.parametrize("form", ["text", "json", "zeek"])
@pytest.mark.parametrize("more", [[], ["--gather"], ["--events=all", "--need=none"]])
def test_jobs_change_nothing(tmp_path, form, more):
    """The log, the counters and the exit code are those of one process."""
    many(tmp_path)

    def read(*jobs):
        done = probe("-f", form, "--stats", *more, *jobs, "-r", tmp_path)
        lines = [line for line in done.stdout.splitlines() if not line.startswith((b"#open", b"#close"))]
        return done.returncode, lines, sorted(done.stderr.splitlines())

    alone = read()
    assert alone[1] and alone[0] == 1		# some are cut off
    for jobs in "-j1", "-j2", "-j7", "--jobs=64":
        assert read(jobs) == alone


def test_jobs_of_captures_that_are_one(tmp_path):
    done = probe("-j2", "--sequence", "-r", *many(tmp_path))
    assert "--sequence" in one_line(done, code=2) and not done.stdout


def test_jobs_end_with_the_first_process(tmp_path):
    """While one of them waits for a pipe that says nothing."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "x").write_bytes(pcap(FRAMES))
    with subprocess.Popen([BINARY, "-f", "json", "-j2", "-r", tmp_path / "x", tmp_path / "fifo"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with open(tmp_path / "fifo", "wb", buffering=0) as pipe:
            assert parsed(process.stdout.readline())[0]["banner"] == "DATA"
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0
            assert time.monotonic() - start < 2
            with pytest.raises(BrokenPipeError):	# nobody has it open any more
                while True:
                    pipe.write(pcap(FRAMES))
        assert process.stderr.read() == b""


def many_long_banners(count):
    """A capture of so many connections, whose banners take 1,400 bytes each."""
    capture = pcap([ethernet(p) for p in Connection(client=("10.1.0.0", 4000)).greeted(b"x" * 1400)])
    head, talk = capture[:24], capture[24:]
    return head + b"".join(talk.replace(bytes([10, 1, 0, 0]), struct.pack(">BxH", 10, n)) for n in range(count))


def test_jobs_wait_where_there_is_no_room(tmp_path):
    """What they have read is kept until their file is due, in 32 MiB at most, and then written."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "x").write_bytes(many_long_banners(15000))
    with subprocess.Popen([BINARY, "-f", "json", "-l4096", "-j2", "-o", tmp_path / "log", "-r", tmp_path / "fifo",
                           tmp_path / "x"], stderr=subprocess.PIPE) as process:
        with open(tmp_path / "fifo", "wb", buffering=0) as fifo:
            wait_for("a process to wait for room", lambda: any(
                "pipe_w" in pathlib.Path(f"/proc/{child}/wchan").read_text() for child in children_of(process.pid)))
            assert resident_bytes(process.pid) < 64 << 20
            fifo.write(pcap(FRAMES))
        assert process.wait(timeout=PATIENCE) == 0 and process.stderr.read() == b""
    found = [r["iface"] for r in parsed((tmp_path / "log").read_bytes())]
    assert found == [str(tmp_path / "fifo")] + [str(tmp_path / "x")] * 15000


def test_jobs_hold_nothing_of_the_log(tmp_path):
    """They handle strangers' bytes: neither the log, nor its directory, nor standard output."""
    fifos = [tmp_path / name for name in ("one", "two")]
    for fifo in fifos:
        os.mkfifo(fifo)
    (tmp_path / "log").touch()
    with subprocess.Popen([BINARY, "-f", "json", "-j2", "-o", tmp_path / "log", "-r", *fifos],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with open(fifos[0], "wb"), open(fifos[1], "wb"):
            children = children_of(process.pid)
            assert len(children) == 2
            for child in children:
                opened = {fd: os.readlink(f"/proc/{child}/fd/{fd}") for fd in os.listdir(f"/proc/{child}/fd")}
                assert not {str(tmp_path), str(tmp_path / "log")} & set(opened.values()), opened
                assert opened["1"] == "/dev/null"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0


# --- waiting ----------------------------------------------------------------------------------

@pytest.mark.parametrize("way", ["stdin", "fifo"])
def test_quiet_pipe(tmp_path, way):
    """A banner is written at once, and SIGTERM ends the wait for more."""
    os.mkfifo(tmp_path / "fifo")
    name = "-" if way == "stdin" else str(tmp_path / "fifo")
    with subprocess.Popen([BINARY, "-f", "json", "-r", name], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with process.stdin if way == "stdin" else open(name, "wb") as pipe:
            pipe.write(pcap(FRAMES))
            pipe.flush()
            assert parsed(process.stdout.readline())[0]["banner"] == "DATA"
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=PATIENCE) == 0
            assert time.monotonic() - start < 2
        assert process.stderr.read() == b""
