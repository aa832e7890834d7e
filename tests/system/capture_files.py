# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Makes capture files from frames, and reads bannerprobe's records. Needs the standard library only."""

import json
import re
import struct
import subprocess

from netns import BINARY, PATIENCE

# The numbers of link types in capture files (tcpdump.org, LINKTYPE_...).
NULL, ETHERNET, DLT_RAW, RAW, LOOP, SLL, IPV4, IPV6, SLL2 = 0, 1, 12, 101, 108, 113, 228, 229, 276
PPP, PPP_HDLC, PPP_ETHER, WIFI, RADIOTAP, NFLOG = 9, 50, 51, 105, 127, 239
MICRO, NANO, PATCHED = 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34
START = 1_700_000_000_123_456_000	# ns: when captures begin
STEP = 1_000_000			# ns: from one packet to the next


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
    """The json records of a run without an error or a message."""
    done = probe("-f", "json", *args, **kwargs)
    assert (done.returncode, done.stderr) == (0, b""), done
    return parsed(done.stdout)


def records_of(capture, *args):
    """The json records of one capture, given as bytes."""
    return records(*args, "-r", "-", input=capture)


def counters(stderr):
    """The counters that --stats wrote last, by name."""
    return {name: int(value) for name, value in re.findall(r"\b([a-z][a-z0-9_]*)[=: ]+(\d+)", stderr.decode())}
