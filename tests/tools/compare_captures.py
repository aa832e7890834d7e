#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Compares bannerprobe with two programs that share no code with it, on real captures.

tshark parses the packets, the model of tests/unit/model.c decides which events they are, and each
event must be a record of bannerprobe's, with its time, its bytes and its length; and no record more.
The captures are all files below the folders that are named: other projects have thousands among
their tests. What tshark cannot read, and where the definition leaves a choice, is left out.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

from netns import BINARY, decoded

BUILD = os.environ.get("BUILD", str(HERE.parent.parent / "build"))
JUDGE = os.path.join(BUILD, "tests", "judge_segments")
KEPT = 256		# bytes of a record
SECONDS = 300
FIELDS = ("frame.number", "frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
          "tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "tcp.payload",
          "vxlan.vni", "geneve.vni", "gre.key", "erspan.spanid")
# Tunnels that bannerprobe does not open, as tshark names them; and what quotes packets.
NOT_OPENED = {"gtp", "l2tp", "wg", "teredo", "ayiya", "icmp", "icmpv6"}

Segment = collections.namedtuple("Segment", "packet time source destination flags seq ack length payload tunnels")


def microseconds(time):
    seconds, _, fraction = time.partition(".")
    return int(seconds) * 10**6 + int((fraction + "000000")[:6])


def segment_of(values):
    """Of tshark's fields; those of the innermost layer are the last ones. None: it is none."""
    field = dict(zip(FIELDS, values))
    layers = field["frame.protocols"].split(":")
    if "tcp" not in layers or not field["tcp.flags"]:
        return None
    around = layers[:layers.index("tcp")]
    ip = [layer for layer in around if layer in ("ip", "ipv6")]
    if not ip or NOT_OPENED & set(around):
        return None

    def last(name):
        return field[name].split(",")[-1]

    source, destination = last(f"{ip[-1]}.src"), last(f"{ip[-1]}.dst")
    return Segment(int(field["frame.number"]), microseconds(field["frame.time_epoch"]),
                   (source, int(last("tcp.srcport"))), (destination, int(last("tcp.dstport"))),
                   int(last("tcp.flags"), 16) & 0xff, int(last("tcp.seq_raw")), int(last("tcp.ack_raw") or 0),
                   int(last("tcp.len") or 0), bytes.fromhex(last("tcp.payload").replace(":", "")),
                   tuple(values[-4:]))


def segments_of(capture):
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
               "-E", "separator=|", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
               "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    rows = (line.split("|") for line in done.stdout.decode("latin1").splitlines())
    return [segment for row in rows if len(row) == len(FIELDS) and (segment := segment_of(row))]


def in_four_tuples(segments):
    """Lists of segments, by the two ends and the identifiers of tunnels."""
    found = collections.defaultdict(list)
    for segment in segments:
        found[*sorted([segment.source, segment.destination]), segment.tunnels].append(segment)
    return found


def expected_of(segments):
    """The events by the model: a counter; and the four-tuples of which it is not sure."""
    by_packet = {segment.packet: segment for segment in segments}
    by_ends = in_four_tuples(segments)
    ends, lines = list(by_ends), []
    for number, key in enumerate(ends):
        for one in by_ends[key]:
            lines.append(f"{number} {one.packet} {key.index(one.source)} {one.flags} {one.seq} {one.ack} "
                         f"{one.length}\n")
    done = subprocess.run([JUDGE], input="".join(lines), capture_output=True, text=True, timeout=SECONDS, check=True)
    events, unclear = collections.Counter(), set()
    for number, *rest in map(str.split, done.stdout.splitlines()):
        if rest == ["unclear"]:
            unclear.add(ends[int(number)][:2])
            continue
        packet, kind, crossed, offset, length = rest
        segment, offset, length = by_packet[int(packet)], int(offset), int(length)
        from_client = kind in ("request", "reply", "open")
        client, server = [segment.source, segment.destination][::1 if from_client else -1]
        said = segment.payload[offset:offset + length][:KEPT] if kind != "open" else b""
        events[kind, segment.time, client, server, said, length if kind != "open" else 0, crossed == "1"] += 1
    return events, unclear


def records_of(capture):
    done = subprocess.run([BINARY, "-f", "json", "-l", str(KEPT), "--events=all", "-r", capture],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
    found = collections.Counter()
    for line in done.stdout.splitlines():
        record = json.loads(line, parse_float=str)
        found[record["event"], microseconds(str(record["ts"])), (record["client"], record["client_port"]),
              (record["server"], record["server_port"]), decoded(record.get("banner", "")), record.get("len", 0),
              record.get("crossed", False)] += 1
    return found


def compare(capture):
    """How many events there are, and a line for each that only one of the two sides has."""
    expected, unclear = expected_of(segments_of(capture))
    found, told = records_of(capture), []
    for side, events in ("missing", expected - found), ("too many", found - expected):
        for event in events:
            if tuple(sorted(event[2:4])) not in unclear:
                told.append(f"{capture}: {side}: {event}")
    return sum(expected.values()), told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    files = [os.path.join(folder, name) for root in parser.parse_args().folders
             for folder, _, names in os.walk(root) for name in sorted(names)]
    captures = [file for file in files if ".pcap" in file or file.endswith((".cap", ".dmp"))]
    events, differing = 0, []
    for capture in captures:
        number, told = compare(capture)
        events += number
        differing += told
        print(*told, sep="\n", end="\n" * bool(told), flush=True)
    print(f"{len(captures)} captures, {events} events, {len(differing)} differ")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
