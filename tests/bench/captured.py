#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Captures that the benchmarks read, the same bytes each time.

    captured.py FILE BANNERS

writes one of so many banners; with 170000 it has 650 MB and 2.2 million packets.
"""

import os
import struct
import sys

MIB = 1 << 20
PORT = 22
WAVE = 1000			# connections of a capture that are open together
LENGTHS = 1460, 1000, 1460, 1460	# of data segments
SYN, ACK, PSH, FIN = 2, 16, 8, 1
STEP = 10			# microseconds from one packet to the next


class Capture:
    """Writes a capture as fast as Python goes; it looks like a busy network's."""

    def __init__(self, file):
        self.file = file
        self.time = 1_700_000_000_000_000
        self.bytes = self.banners = 0
        self.emit([struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)])

    def emit(self, parts):
        data = b"".join(parts)
        self.bytes += len(data)
        self.file.write(data)

    def packet(self, one, from_server, flags, data=b""):
        """Head and data of the next packet of a connection, which is [client, server, cseq, sseq]."""
        client, server, cseq, sseq = one
        source, target = (server, client) if from_server else (client, server)
        seq, ack = (sseq, cseq) if from_server else (cseq, sseq)
        one[3 if from_server else 2] += len(data) + bool(flags & (SYN | FIN))
        self.time += STEP
        length = 40 + len(data)
        total = 0x4500 + length + 0x4000 + 0x4006 + source[1] + target[1]
        total = (total & 0xffff) + (total >> 16)
        checksum = ~((total & 0xffff) + (total >> 16)) & 0xffff
        return b"".join((
            struct.pack("<IIII", self.time // 1_000_000, self.time % 1_000_000,
                        length + 14, length + 14),
            b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0",
            struct.pack(">HHIHH4s4sHHIIBBHI", 0x4500, length, 0x4000, 0x4006, checksum,
                        source[0], target[0], source[2], target[2], seq & 0xffffffff,
                        ack & 0xffffffff if flags & ACK else 0, 0x50, flags, 64240, 0), data))

    def connections(self, first, count):
        """New ones, each to a server of its own: their handshakes."""
        ones = [[_end(0x0a010000 + i, 1024 + i % 60000), _end(0x0a620001 + i, PORT),
                 i * 7919, i * 104729] for i in range(first, first + count)]
        for one in ones:
            self.emit([self.packet(one, False, SYN), self.packet(one, True, SYN | ACK),
                       self.packet(one, False, ACK)])
        return ones

    def wave(self, first, rounds, clients_first=(1, 2)):
        """Connections that run side by side; of so many the client speaks first, else the server."""
        ones = self.connections(first, WAVE)
        some, of = clients_first
        for i, one in enumerate(ones):
            if i % of >= some:
                banner = b"SSH-2.0-OpenSSH_9.2p1 bench-%d\r\n" % (first + i)
                self.emit([self.packet(one, True, PSH | ACK, banner),
                           self.packet(one, False, ACK)])
                self.banners += 1
            else:
                self.emit([self.packet(one, False, PSH | ACK, b"GET / HTTP/1.0\r\n\r\n")])
        for k in range(rounds):
            data = bytes([65 + k % 26]) * LENGTHS[k % len(LENGTHS)]
            self.emit([self.packet(one, True, ACK, data) for one in ones])
            if k % 2:
                self.emit([self.packet(one, False, ACK) for one in ones])
        for one in ones:
            self.emit([self.packet(one, True, FIN | ACK), self.packet(one, False, FIN | ACK),
                       self.packet(one, True, ACK)])


def _end(address, port):
    """One end of a connection: packed address, its share of the checksum, port."""
    return address.to_bytes(4, "big"), (address >> 16) + (address & 0xffff), port


def big_capture(path, size):
    """A capture of so many bytes or a little more; the banners in it."""
    waves = 4
    per_wave = size // waves
    rounds = per_wave // (WAVE * (sum(LENGTHS) // len(LENGTHS) + 70 + 35))
    with open(path, "wb", buffering=MIB) as file:
        capture = Capture(file)
        for i in range(waves):
            capture.wave(i * WAVE, rounds)
        file.flush()
        os.fsync(file.fileno())
    return capture


def busy_capture(path, banners):
    """Short connections, most of which have a banner: 11 packets and 3.2 kB each."""
    count = banners * 20 // 17
    with open(path, "wb", buffering=MIB) as file:
        capture = Capture(file)
        for first in range(0, count, WAVE):
            capture.wave(first, 2, (3, 20))
    return capture


def open_capture(path, count):
    """Handshakes that nothing follows: all of them stay open."""
    with open(path, "wb", buffering=MIB) as file:
        Capture(file).connections(0, count)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[2].isdigit():
        sys.exit("usage: captured.py FILE BANNERS")
    made = busy_capture(sys.argv[1], int(sys.argv[2]))
    print(f"{made.bytes} bytes, {made.banners} banners")
