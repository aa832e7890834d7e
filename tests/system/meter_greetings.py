# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Greetings of meters, scales, recorders and casters, and in further languages and encodings.

KINDS as in more_greetings.py: each name has a server and the replacements that an upgrade makes.
"""

import struct

MONTHS = ("tammi", "helmi", "maalis", "huhti", "touko", "kes\u00e4", "hein\u00e4", "elo", "syys", "loka", "marras",
          "joulu")


def smart_meter(c):
    """A telegram of DSMR 5.0's P1 port, as a serial gateway hands it on."""
    used = 4221.111 + c.n * 0.113
    return (f"/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0({c.date('%y%m%d%H%M%S')}S)\r\n"
            f"1-0:1.8.1({used:010.3f}*kWh)\r\n1-0:1.7.0({c.rng.random() * 3:06.3f}*kW)\r\n!{c.hex(4).upper()}\r\n")


def caster(c):
    return (f"SOURCETABLE 200 OK\r\nServer: NTRIP Caster 1.5.8/1.0\r\nDate: {c.date('%d/%b/%Y:%H:%M:%S UTC')}\r\n"
            "Content-Type: text/plain\r\n\r\nENDSOURCETABLE\r\n")


def recorder(c):
    """A camera's recorder counts its sessions in its frame and, hexadecimal, in its text."""
    session = 0x1c + c.n
    said = f'{{ "DeviceType" : "DVR", "Ret" : 203, "SessionID" : "0x{session:08X}" }}\n'.encode()
    return struct.pack("<BBHIIHHI", 0xff, 1, 0, session, 0, 0, 1001, len(said)) + said


def store(c):
    text = ("# Server\r\nredis_version:7.4.0\r\ndragonfly_version:df-v1.24.0\r\n"
            f"uptime_in_seconds:{86400 + c.n * 7}\r\n"
            f"used_memory_human:{40 + c.rng.random() * 20:.2f}MiB\r\nconnected_clients:{c.rng.randrange(3, 30)}\r\n")
    return f"${len(text)}\r\n{text}\r\n"


def gate(c):
    return (f"Шлюз ЩИТ-2 версия 4.7\r\nВремя: {c.date('%d.%m.%Y %H:%M')}, сеансов: {c.rng.randrange(9)}\r\n"
            .encode("cp866"))


KINDS = {
    "smart meter": (smart_meter, [("2M550T-1012", "2M550E-1013"), ("0.2.8(50)", "0.2.8(42)")]),
    "scale": (lambda c: f"S S {123.4 + c.rng.random() / 5:>10.2f} g\r\n", [("S S ", "S D ")]),
    "weighbridge": (lambda c: f"Waage 7, Programm 2.14c\r\n{c.date('%d.%m.%Y, %H.%M Uhr')}\r\n"
                              f"Brutto {c.rng.randrange(2, 39)}.{c.rng.randrange(999):03d},"
                              f"{c.rng.randrange(0, 100, 20):02d} kg\r\n",
                    [("2.14c", "2.14d"), ("Waage 7", "Waage 8")]),
    "caster": (caster, [("1.5.8", "1.5.9")]),
    "recorder": (recorder, [('"DVR"', '"IPC"')]),
    "store": (store, [("df-v1.24.0", "df-v1.25.1")]),
    "call monitor": (lambda c: f"{c.date('%d.%m.%y %H:%M:%S')};RING;{c.n % 3};0301234567;SIP0;\r\n",
                     [("SIP0", "SIP1")]),
    "hub": (lambda c: "ISUP ADBASE ADTIGR\nISID AAA" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[c.n % 32]
                      + "\nIINF CT32 VEuhub/0.4.1\n", [("0.4.1", "0.5.0")]),
    "router's peer": (lambda c: b"\0\0\0\x30\xff\xff\xff\xff\0\0RTRERR 753 " + c.date("%a %b %e %H:%M:%S %Y").encode()
                                + b"\0", [("753", "754")]),
    "finnish date": (lambda c: f"Asema 3.2 ({int(c.date('%d'))}. {MONTHS[int(c.date('%m')) - 1]}kuuta "
                               f"{c.date('%Y klo %H.%M')}) valmis\r\n", [("3.2", "3.3")]),
    "gate in cp866": (gate, []),
}
