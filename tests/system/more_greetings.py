# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Greetings of farms, devices, games and databases: what differs in each connection, and what an upgrade changes.

As in greetings.py a server is a function of a connection. Beside it stand the replacements that an upgrade makes in
what it says: each of them is one change.
"""

import base64
import json
import string
import struct

import greetings

SMALL = string.ascii_lowercase + string.digits
LETTERS = string.ascii_letters + string.digits


def utf16(text):
    return base64.b64encode(text.encode("utf-16-le")).decode()


def checksum(sentence):
    value = 0
    for byte in sentence.encode():
        value ^= byte
    return f"${sentence}*{value:02X}\r\n"


def nats(c, version="2.10.4"):
    about = {"server_id": "NDJWE4SOUJOJT2TY5Y2YQEOAHGAK5VIGXTGKWJSFHVCII4ITI3LBHBUV", "server_name": "bus-1",
             "version": version, "proto": 1, "git_commit": "abc47f7", "go": "go1.21.3", "host": "0.0.0.0", "port": 4222,
             "headers": True, "max_payload": 1048576, "client_id": 5 + c.n, "client_ip": c.client,
             "nonce": c.letters(15), "xkey": "XDKDVQPVWHTGQVLPYUXNQNZAUAAYHD7XCOOLHAQSVQ4PGJXVKUTDWJPH"}
    return f"INFO {json.dumps(about, separators=(',', ':'))} \r\n"


def nsca(c):
    return c.rng.randbytes(128) + struct.pack(">I", int(c.now))


def ndmp(c):
    return struct.pack(">11I", 0x80000028, 1 + c.n, int(c.now), 0, 0x502, 0, 0, 0, 4, 0, 0)


def ceph(c, banner=b"ceph v027"):
    address = bytes(map(int, c.client.split(".")))
    own = struct.pack("<II", 0, 4711) + struct.pack(">HH4s", 2, 6800, bytes([192, 0, 2, 10])) + b"\0" * 120
    return banner + own + struct.pack("<II", 0, 0) + struct.pack(">HH4s", 2, c.port, address) + b"\0" * 120


def activemq(c, version=b"5.15.9"):
    body = (b"\x01ActiveMQ\0\0\0\x0c\x01\0\0\x01(\0\0\0\x0c\0\x11TcpNoDelayEnabled\x01\x01"
            b"\0\x12SizePrefixDisabled\x01\0"
            b"\0\x09CacheSize\x05\0\0\x04\0\0\x0cProviderName\x09\0\x08ActiveMQ\0\x0fProviderVersion\x09"
            + struct.pack(">H", len(version)) + version)
    return struct.pack(">I", len(body)) + body


def monetdb(c):
    salt = c.letters(c.rng.randint(9, 14))
    text = f"{salt}:mserver:9:RIPEMD160,SHA512,SHA384,SHA256,SHA224,SHA1:LIT:SHA512:".encode()
    return struct.pack("<H", len(text) << 1 | 1) + text


def gga(c):
    return checksum(f"GPGGA,{c.date('%H%M%S')}.00,4807.{c.rng.randrange(10**5):05d}"
                    f",N,01131.{c.rng.randrange(10**5):05d},E,1,"
                    f"{c.rng.randrange(4, 13):02d},{0.7 + c.rng.randrange(9) / 10:.1f}"
                    f",{500 + c.rng.randrange(900) / 10:.1f},M,46.9,M,,")


def uptime(c, form):
    seconds = 90000 + c.n * 977
    return form.format(d=seconds // 86400, h=seconds % 86400 // 3600, m=seconds % 3600 // 60, s=seconds % 60,
                       all=seconds)


RUSSIAN_DAYS = "\u0412\u0441 \u041f\u043d \u0412\u0442 \u0421\u0440 \u0427\u0442 \u041f\u0442 \u0421\u0431".split()
RUSSIAN_MONTHS = ("\u044f\u043d\u0432 \u0444\u0435\u0432 \u043c\u0430\u0440 \u0430\u043f\u0440 \u043c\u0430\u0439 "
                  "\u0438\u044e\u043d \u0438\u044e\u043b \u0430\u0432\u0433 \u0441\u0435\u043d \u043e\u043a\u0442 "
                  "\u043d\u043e\u044f \u0434\u0435\u043a").split()


def russian(c, encoding):
    """As date(1) writes it."""
    date = (f"{RUSSIAN_DAYS[int(c.date('%w'))]} {c.date('%d')} {RUSSIAN_MONTHS[int(c.date('%m')) - 1]} "
            f"{c.date('%Y %H:%M:%S')}")
    return f"220 ftp.example.ru FTP server ready on {date} MSK\r\n".encode(encoding)


def fix(c, version="FIX.4.4"):
    def fields(text):
        return text.replace("|", "\1").encode()
    body = fields(f"35=5|34={c.n + 7}|49=EXCHANGE|52={c.date('%Y%m%d-%H:%M:%S')}.{c.rng.randrange(1000):03d}"
                  f"|56={c.letters(c.rng.randint(3, 9), string.ascii_uppercase)}|58=Session is closed|")
    message = fields(f"8={version}|9={len(body)}|") + body
    return message + fields(f"10={sum(message) % 256:03d}|")


def framed_json(c):
    body = json.dumps({"id": 7 + c.n, "srv": "alpha", "ver": "1.4.2", "ts": int(c.now)}).encode()
    return struct.pack(">I", len(body)) + body


def epp(c):
    body = ('<?xml version="1.0" encoding="UTF-8" standalone="no"?><epp xmlns="urn:ietf:params:xml:ns:'
            'epp-1.0"><greeting>'
            f'<svID>Example EPP server epp.example.com</svID><svDate>{c.date("%Y-%m-%dT%H:%M:%S")}.0Z</svDate><svcMenu>'
            '<version>1.0</version><lang>en</lang></svcMenu></greeting></epp>').encode()
    return struct.pack(">I", len(body) + 4) + body


def token_of_three(c):
    def part(content):
        return base64.urlsafe_b64encode(content).decode().rstrip("=")
    claims = json.dumps({"iat": int(c.now), "n": c.n}).encode()
    return f"AUTH eyJhbGciOiJIUzI1NiJ9.{part(claims)}.{part(c.rng.randbytes(32))} ready\n"


def padded_key(c):
    return struct.pack("<H", 155) + b"\0" + c.rng.randbytes(4) + b"\x21\xc6\0\0" + c.rng.randbytes(128) + b"\0" * 16


# name: (server, [(what an upgrade replaces, by what)])
KINDS = {
    # Mail farms and load balancers.
    "balancer's session": (lambda c: f"220 mail.example.com ESMTP ready (lb-{c.hex(8)})\r\n",
                           [("ESMTP ready", "ESMTP STARTTLS ready"), ("mail.example.com", "mail.example.org")]),
    "pods": (lambda c: f"220 smtp-7d9f8b6c5-{c.letters(5, SMALL)} ESMTP Postfix (Debian/GNU)\r\n",
             [("Postfix (Debian/GNU)", "Postfix"), ("smtp-7d9f8b6c5", "relay-7d9f8b6c5")]),
    "hosts by address": (lambda c: f"220 ip-10-{c.n % 4}-{c.rng.randrange(256)}-{c.rng.randrange(256)}.ec2.internal "
                                   f"ESMTP Exim 4.96\r\n",
                         [("4.96", "4.97"), ("ec2.internal", "compute.internal")]),
    "addresses of a pool": (lambda c: f"220 10.{c.n % 3}.{c.rng.randrange(40)}.{c.rng.randrange(256)} ESMTP ready\r\n",
                            [("ESMTP", "ESMTP Postfix")]),
    "public addresses of a pool": (lambda c: f"220 [52.{c.n % 3}.{c.rng.randrange(40)}.{c.rng.randrange(256)}] ESMTP "
                                             f"ready\r\n",
                                   [("ESMTP", "ESMTP Postfix")]),
    "mimecast": (lambda c: f"220 us-smtp-{1 + c.n % 3}.mimecast.com ESMTP; {c.date('%a, %d %b %Y %H:%M:%S +0000')} "
                           f"[{c.letters(22)}.us{c.rng.randrange(1, 400)}]\r\n", [("ESMTP;", "ESMTP STARTTLS;")]),
    "proofpoint": (lambda c: f"220 mx0a-0012ab01.pphosted.com ESMTP mfa-m{c.rng.randrange(10**7):07d}\r\n",
                   [("ESMTP mfa", "ESMTP cm"), ("pphosted.com", "pphosted.example")]),
    "ses": (lambda c: f"220 email-smtp.amazonaws.com ESMTP "
                      f"SimpleEmailService-d-{c.letters(9, string.ascii_uppercase + string.digits)} "
                      f"{c.letters(20)}\r\n", [("ESMTP SimpleEmailService", "ESMTP SimpleMailService")]),
    "yandex": (lambda c: f"220 mxfront{c.rng.randrange(1, 60)}{c.letters(1, 'jgosq')}.mail.yandex.net (Want to use "
                         f"Yandex.Mail for your "
                         f"domain? Visit http://pdd.yandex.ru) {int(c.now)}-{c.letters(12)}"
                         f"\r\n", [("Want to", "Do you want to")]),
    "messagelabs": (lambda c: f"220 server-{c.rng.randrange(1, 40)}.tower-{c.rng.randrange(100, 900)}.messagelabs.com "
                              f"ESMTP\r\n",
                    [("ESMTP", "ESMTP Exim 4.96")]),
    "mail.ru": (lambda c: f"220 mx{c.rng.randrange(1, 400)}.i.mail.ru ESMTP ({c.letters(8)}) ready\r\n",
                [("ready", "TLS ready")]),
    "haraka": (lambda c: f"220 mail.example.com ESMTP Haraka/3.0.3 ready ({c.hex(8)}-{c.hex(4)}-{c.hex(4)}-{c.hex(4)}"
                         f"-{c.hex(12)})\r\n",
               [("3.0.3", "3.0.4"), (" ready (", " STARTTLS ready (")]),
    "zoho": (lambda c: f"220 mx.zohomail.com SMTP Server ready {c.date('%B %d, %Y %I:%M:%S %p')} PST\r\n",
             [("SMTP Server", "ESMTP Server")]),
    "gmx pop3": (lambda c: f"+OK POP server ready H migmx{c.rng.randrange(1, 130):03d} {c.letters(6)}-{c.letters(9)}"
                           f"-{c.letters(6)}\r\n",
                 [("POP server", "POP3 server")]),
    "gmail pop3": (lambda c: f"+OK Gpop ready for requests from {c.client} {c.hex(10)}m{c.letters(1, 'abwx')}"
                             f"{c.rng.randrange(10**8)}{c.letters(3, 'abcdef')}\r\n",
                   [("Gpop", "Gpop3")]),
    "exchange online pop3": (lambda c: "+OK The Microsoft Exchange POP3 service is ready. [" + utf16(
        f"BN{c.rng.randrange(10)}PR{c.rng.randrange(1, 20):02d}CA{c.rng.randrange(10000):04d}"
        f".namprd{c.rng.randrange(1, 23):02d}.prod.outlook.com")
        + "]\r\n", [("Microsoft Exchange", "Exchange")]),
    "mdaemon pop3": (lambda c: f"+OK mail.example.com POP3 MDaemon 13.0.3 ready <MDAEMON-F{c.date('%Y%m%d%H%M')}"
                               f".AA{c.date('%M%S')}"
                               f"{c.rng.randrange(100):02d}MD{c.rng.randrange(10000):04d}@mail.example.com>\r\n",
                     [("13.0.3", "13.0.4"), ("MDaemon 13.0.3", "MDaemon 14.0")]),
    "domino pop3": (lambda c: f"+OK Lotus Notes POP3 server version Release 8.5.3FP6 ready <00{c.hex(6).upper()}"
                              f"/00{c.hex(6).upper()}."
                              f"0000{c.hex(4).upper()}"
                              f"/mail@example>\r\n", [("8.5.3FP6", "8.5.3FP7"), ("8.5.3FP6", "9.0.1")]),
    "icewarp pop3": (lambda c: f"+OK mail.example.com IceWarp 12.0.3.1 POP3 {c.date('%a, %d %b %Y %H:%M:%S +0100', 1)} "
                               f"<{c.date('%Y%m%d%H%M%S')}@mail.example.com>\r\n", [("12.0.3.1", "12.0.4.0")]),
    "mercury pop3": (lambda c: f"+OK <{c.rng.randrange(10**7)}.{c.rng.randrange(30000)}@mail.example.com>, POP3 server "
                               f"ready.\r\n",
                     [("POP3 server", "POP3S server")]),
    "tpop3d": (lambda c: f"+OK <{c.hex(32)}@pop.example.com>\r\n", [("@pop.example.com", "@mail.example.com")]),
    "kerio": (lambda c: f"+OK Kerio Connect 9.2.1 patch 1 POP3 server ready <{c.rng.randrange(10**4)}.{int(c.now)}"
                        f"@mail>\r\n",
              [("9.2.1 patch 1", "9.2.1 patch 2"), ("9.2.1", "9.4.2")]),
    "cyrus pop3": (lambda c: f"+OK <{c.rng.getrandbits(64)}.{int(c.now)}@mail.example.com> mail.example.com Cyrus POP3 "
                             f"3.6.1-Debian server ready\r\n",
                   [("3.6.1", "3.8.1")]),
    "managesieve": (lambda c: '"IMPLEMENTATION" "Dovecot (Debian) Pigeonhole"\r\n"SIEVE" "fileinto reject envelope '
                              'vacation"\r\n'
                              '"NOTIFY" "mailto"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\nOK "Dovecot '
                              '(Debian) ready."\r\n',
                    [('"STARTTLS"\r\n', ""), ('"PLAIN"', '"PLAIN LOGIN"'), ("(Debian) ", "")]),
    "dovecot auth": (lambda c: f"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t{400 + c.n % 7}\nCUID\t{c.n + 1}"
                               f"\nCOOKIE\t{c.hex(32)}\nDONE\n",
                     [("VERSION\t1\t2", "VERSION\t1\t3"), ("MECH\tPLAIN\tplaintext\n",
                                                           "MECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n")]),
    "nntp reader": (lambda c: f"200 Welcome to UsenetFarm (reader{c.rng.randrange(1, 60)}.iad {c.hex(6)})\r\n",
                    [("UsenetFarm", "UsenetBarn"), ("iad", "ams")]),
    "dictd": (lambda c: "220 dict.example.org dictd 1.12.1/rf on Linux 6.1.0-18-amd64 <auth.mime> "
                        f"<{c.n + 1}.{1000 + c.rng.randrange(9000)}.{int(c.now)}@dict.example.org>\r\n",
              [("1.12.1", "1.13.1"), ("6.1.0-18", "6.1.0-21"), ("<auth.mime>", "<mime>")]),
    "vdr": (lambda c: f"220 vdr SVDRP VideoDiskRecorder 2.6.0; {c.date('%a %b %e %H:%M:%S %Y')}; UTF-8\r\n",
            [("2.6.0", "2.6.1"), ("UTF-8", "ISO-8859-1")]),
    "cddb": (lambda c: f"201 cddb.example.org CDDBP server v1.5.2PL0 ready at {c.date('%a %b %d %H:%M:%S %Y')}\r\n",
             [("v1.5.2PL0", "v1.5.3PL0"), ("v1.5.2PL0", "v1.5.2PL1")]),
    "poppassd": (lambda c: f"200 CommuniGate Pro PWD Server 6.3.3 ready <{c.n + 77}.{int(c.now)}@mail.example.com>\r\n",
                 [("6.3.3", "6.3.4")]),
    # Files.
    "serv-u": (lambda c: f"220-Serv-U FTP Server v15.1 ready...\r\n220-{c.rng.randrange(60)} users logged in since "
                         f"midnight\r\n"
                         + uptime(c, "220-Server has been up {d} days, {h} hours and {m} minutes\r\n")
                         + f"220 {c.rng.randrange(10**7)} kB free\r\n", [("v15.1", "v15.2")]),
    "ioftpd": (lambda c: f"220-[ {c.rng.randrange(99)} of 100 users online ]\r\n220 ioFTPD [6.9.3] ready\r\n",
               [("6.9.3", "6.9.4"), ("of 100", "of 200")]),
    "ftp visitors": (lambda c: f"220-Visitors today: {1 + c.n % 90}; total: {12000 + c.n}\r\n220 Archive ready\r\n",
                     [("Archive", "Mirror")]),
    "ftp of a camera": (lambda c: "220 AXIS 210A Network Camera 4.40 (Feb 14 2007) ready.\r\n",
                        [("4.40 (Feb 14 2007)", "4.41 (May 3 2008)"), ("(Feb 14 2007)", "(Feb 20 2007)"),
                         ("210A", "211W")]),
    "ftp with a build date": (lambda c: "220 ucftpd (Jul  2 2012-22:13:49) FTP server ready.\r\n",
                              [("Jul  2 2012-22:13:49", "Jan 14 2014-09:30:00")]),
    "ftp of a printer": (lambda c: "220 ET0021B7012345 Lexmark T640 FTP Server NS.NP.N118 ready.\r\n",
                         [("N118", "N219"), ("T640", "T642"), ("ET0021B7012345", "ET0021B7054321")]),
    "rsync's motd": (lambda c: f"@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\nMirror of the day, {c.rng.randrange(40)} of "
                               f"100 connections, load {c.rng.random() * 9:.2f}\n\n",
                     [("31.0", "32.0"), ("of 100", "of 200")]),
    # Buses and databases.
    "nats": (nats, [('"2.10.4"', '"2.10.5"'), ("go1.21.3", "go1.21.4"), ('"proto":'
                                                                         '1', '"proto":1,"tls_required":true')]),
    "nsca": (nsca, []),
    "ndmp": (ndmp, []),
    "ceph": (ceph, [("ceph v027", "ceph v028")]),
    "activemq": (activemq, [("5.15.9", "5.15.8"), ("ActiveMQ\0\x0f", "Artemis!\0\x0f")]),
    "monetdb": (monetdb, [(":9:", ":10:"), ("RIPEMD160,", "")]),
    "sonic": (lambda c: "CONNECTED <sonic-server v1.4.0>\r\n", [("v1.4.0", "v1.4.1")]),
    "proxysql": (lambda c: greetings.mysql(c, b"8.0.30", b"mysql_native_password"), [("8.0.30", "8.0.31")]),
    # Devices.
    "moxa": (lambda c: "\r\n-----------------------------------------------------------------------------\r\n"
                       "Model name       : NPort 5110\r\nMAC address      : 00:90:E8:12:34:56\r\nSerial No.       : "
                       "1234\r\n"
                       "Firmware version : 2.10 Build "
                       "19052315\r\n" + uptime(c, "System uptime    : {d} days, {h:02d}h:{m:02d}m:{s:02d}s\r\n")
                       + "\r\n\r\nPlease keyin your password:",
             [("2.10 Build 19052315", "2.11 Build 20031012"), ("2.10", "2.11"), ("19052315", "19052316"),
              ("1234", "1235"), ("5110", "5150")]),
    "extron": (lambda c: "(c) Copyright 2016, Extron Electronics, IN1608 xi, V1.05, 60-1238-81\r\n"
                         f"{c.date('%a, %d %b %Y %H:%M:%S')}\r\nPassword:",
               [("V1.05", "V1.06"), ("IN1608", "IN1606"), ("60-1238-81", "60-1238-82")]),
    "pjlink": (lambda c: f"PJLINK 1 {c.hex(8)}\r", [("PJLINK 1", "PJLINK 2")]),
    "crestron": (lambda c: f"\r\nCP3 Control Console\r\nConnected from {c.client}\r\n\r\nCP3>", [("CP3", "CP4")]),
    "ups": (lambda c: uptime(c, "\r\nPower Management Card\r\nUp Time : {d} Days {h} Hours {m} Minutes\r\nUser Name :"
                                " "),
            [("Power Management Card", "Network Management Card"), ("User Name", "Login")]),
    "router's load": (lambda c: f"\r\nEdgeSwitch\r\nCPU: {c.rng.randrange(100)}%  Mem: {c.rng.randrange(100)}"
                                f"%\r\nUser:", [("EdgeSwitch", "EdgeRouter")]),
    "rtu": (lambda c: f"RTU560 ready T={c.rng.randrange(-20, 50)} U={219 + c.rng.randrange(20)}V seq={c.n:06d}\r\n",
            [("RTU560", "RTU540"), ("ready", "READY")]),
    "scale": (lambda c: f"ST,GS,+{c.rng.randrange(10**5):07d}kg\r\n", [("ST,GS", "ST,NT"), ("kg", "lb")]),
    "tty": (lambda c: f"\r\n\r\nFreeBSD/amd64 (box) (pts/{c.rng.randrange(20)})\r\n\r\nlogin: ",
            [("amd64", "arm64"), ("(box)", "(vault)"), ("FreeBSD/amd64", "FreeBSD 14.1/amd64")]),
    "tandem": (lambda c: f"\r\nWelcome to host [PORT $ZTC0 #23 WINDOW "
                         f"$ZTN0.#PT{c.letters(5, string.ascii_uppercase + string.digits)}]\r\nTELSERV - T9553D40 - "
                         f"(15DEC2009)\r\n",
               [("T9553D40", "T9553D41"), ("15DEC2009", "15MAR2011")]),
    "dmesg": (lambda c: f"<6>[{12345 + c.n * 977}.{c.rng.randrange(10**6):06d}] ttyS0: console attached\r\n",
              [("ttyS0", "ttyS1")]),
    "hp printer": (lambda c: f"@PJL INFO PAGECOUNT\r\n{123456 + c.n}\r\n\f", [("INFO PAGECOUNT", "INFO ID")]),
    "lpd": (lambda c: f"lpd: Host name for your address ({c.client}) unknown\n", [("unknown", "not known")]),
    "iot json": (lambda c: json.dumps({"dev": "th-7", "fw": "1.2.3", "rssi": -c.rng.randrange(40, 90),
                                       "heap": c.rng.randrange(20000, 40000),
                                       "up": 90 + c.n * 61}) + "\n", [("1.2.3", "1.2.4"), ("th-7", "th-8")]),
    "key=value": (lambda c: f"id={c.n + 40} token={c.letters(24)} peer={c.client}:{c.port} fw=7.12\n",
                  [("fw=7.12", "fw=7.13"), ("fw=", "hw=")]),
    "xml": (lambda c: f"<?xml version=\"1.0\"?><hello session=\"{c.rng.getrandbits(31)}\" "
                      f"time=\"{c.date('%Y-%m-%dT%H:%M:%SZ')}\"><server name=\"a\" ver=\"3.1\"/></hello>\n",
            [('ver="3.1"', 'ver="3.2"'), ('name="a"', 'name="b"')]),
    "netconf": (lambda c: '<?xml version="1.0" encoding="UTF-8"?><hello xmlns="urn:ietf:params:xml:ns:netconf:base:'
                          '1.0"><capabilities>'
                          '<capability>urn:ietf:params:netconf:base:1.1</capability></capabilities>'
                          f'<session-id>{c.n * 3 + 17}</session-id></hello>]]>]]>', [("base:1.1", "base:1.2")]),
    "tl1": (lambda c: f"\r\n\n   NE7 {c.date('%y-%m-%d %H:%M:%S')}\r\nM  {c.n % 1000} COMPLD\r\n;", [("NE7", "NE8")]),
    "smpp gateway": (lambda c: f"SMSC{c.n % 4} READY SESS:{c.hex(16).upper()} BUILD 4.7.1-r2\r\n",
                     [("4.7.1-r2", "4.7.1-r3")]),
    # Games, radio, and people.
    "mud": (lambda c: uptime(c, "\r\n  *** The Forest of Ages ***\r\nUptime: {d}d {h}h {m}m {s}s\r\n")
            + f"There are {2 + c.rng.randrange(70)} players connected.\r\nThe record is 112 players.\r\nBy what name? ",
            [("Forest", "Field"), ("By what name", "Your name")]),
    "bbs": (lambda c: f"\r\nSynchronet BBS for Linux  Version 3.19\r\nYou are caller number {f'{123400 + c.n:,}'} on "
                      f"node {1 + c.n % 8}\r\nLogin: ",
            [("3.19", "3.20"), ("Linux", "FreeBSD")]),
    "dx cluster": (lambda c: uptime(c, "Nodes: 12/300 Users: {m}/2000 Max users: 50/2500 Uptime: {d} {h:02d}:{m:02d}"
                                       "\r\nlogin: "), [("Max users: 50", "Max users: 51")]),
    "aprs": (lambda c: "# aprsc 2.1.15-gc67551b\r\n", [("2.1.15-gc67551b", "2.1.16-g31fdc2a"),
                                                       ("aprsc 2.1.15-gc67551b", "javAPRSSrvr 4.3.2b01")]),
    "crossfire": (lambda c: b"\0\x23version 1023 1029 Crossfire Server\n"[:37], [("1029", "1030")]),
    "irc closing": (lambda c: f"ERROR :Closing Link: [{c.client}] (Throttled: Reconnecting too fast)\r\n",
                    [("Throttled", "Trying again")]),
    "irc auth": (lambda c: ":irc.example.net NOTICE AUTH :*** Processing connection to irc.example.net\r\n",
                 [("irc.example.net\r\n", "hub.example.net\r\n")]),
    "rwhois": (lambda c: "%rwhois V-1.5:003fff:00 rwhois.example.net (by Network Solutions, Inc. V-1.5.9.5)\r\n",
               [("V-1.5.9.5", "V-1.5.9.6"), ("003fff", "003fef")]),
    "game lobby": (lambda c: f"HELLO 1.0.7 {c.rng.randrange(300)} online, {c.rng.randrange(50)} games, you are "
                             f"#{c.n + 1000}\n", [("1.0.7", "1.0.8")]),
    "percent": (lambda c: f"220 disk {c.rng.randrange(100)}% full, {c.rng.randrange(2000)} MB free\r\n",
                [("disk", "store")]),
    "ticket": (lambda c: f"OK {c.letters(8)}-{c.letters(4)}-{c.letters(4)} ready\r\n", [("ready", "done")]),
    "colons": (lambda c: f"{c.hex(2)}:{c.hex(2)}:{c.hex(2)}:{c.hex(2)} challenge\r\n", [("challenge", "response")]),
    "octets": (lambda c: f"+READY {c.rng.getrandbits(128):039d}\r\n", [("+READY", "+STEADY")]),
    "ipv6 client": (lambda c: f"220 hello ::ffff:{c.client} ready\r\n", [("ready", "TLS ready")]),
    # Frames, tokens and dates.
    "framed json": (framed_json, [("1.4.2", "1.4.3"), ("alpha", "gamma")]),
    "epp": (epp, [("<lang>en", "<lang>de"), ("epp.example.com", "epp2.example.com")]),
    "hl7": (lambda c: f"\x0bMSH|^~\\&|LAB|HOSP|||{c.date('%Y%m%d%H%M%S')}||ACK|{4711 + c.n}|P|2.5\r\x1c\r",
            [("|P|2.5", "|P|2.6"), ("LAB", "RIS")]),
    "msgpack": (lambda c: b"\x83\xa1v\xa51.4.2\xa1t\xce" + struct.pack(">I", int(c.now)) + b"\xa1n\xc4\x08"
                          + c.rng.randbytes(8),
                [("1.4.2", "1.4.3")]),
    "game's key": (padded_key, []),
    "two keys": (lambda c: struct.pack("<HHH", 14, 83, 1) + b"1" + c.rng.randbytes(8) + b"\x08", []),
    "addresses of ipv6": (lambda c: f"220 [2001:db8::{c.rng.randrange(1, 65536):x}:{c.rng.randrange(1, 65536):x}] "
                                    f"ESMTP ready\r\n",
                          [("ESMTP", "SMTP")]),
    "token with - and _": (lambda c: f"HELO {c.letters(21, LETTERS + '-_')} go\n", [("go", "went")]),
    "token in capitals": (lambda c: f"220 mx ESMTP {c.letters(26, '0123456789ABCDEFGHJKMNPQRSTVWXYZ')} ok\r\n",
                          [("220 mx", "220 mx2")]),
    "token of three": (token_of_three, [("ready", "wait")]),
    "base32": (lambda c: f"TOTP {base64.b32encode(c.rng.randbytes(10)).decode()} next\n", [("next", "last")]),
    "counter with commas": (lambda c: f"Welcome! Messages: {990 + c.n * 3:,} in 12 areas\n", [("Welcome", "Hello")]),
    "countdown": (lambda c: f"T-{5000 - c.n} seconds, pad 39A\n", [("39A", "39B")]),
    "ec2": (lambda c: f"220 ec2-52-{c.rng.randrange(256)}-{c.rng.randrange(256)}-{c.rng.randrange(256)}"
                      f".us-east-{1 + c.n % 2}"
                      f".compute.amazonaws.com ESMTP Exim 4.96\r\n", [("4.96", "4.97")]),
    "openvms": (lambda c: "\r\n Welcome to OpenVMS (TM) Alpha Operating System, Version V8.3\r\n "
                          f"{c.date('%d-%b-%Y %H:%M:%S').upper()}.{c.rng.randrange(100):02d}\r\n\r\nUsername:"
                          f" ", [("V8.3", "V8.4")]),
    "z/os": (lambda c: f"220-FTPD1 IBM FTP CS V1R13 at SYSA, {c.date('%H:%M:%S on %Y-%m-%d')}.\r\n"
                       "220 Connection will close if idle for more than 5 "
                       "minutes.\r\n", [("V1R13", "V2R1"), ("5 minutes", "9 minutes")]),
    "japanese date": (lambda c: f"220 FTP {c.date('%Y')}\u5e74{int(c.date('%m'))}\u6708{int(c.date('%d'))}\u65e5 "
                                f"{c.date('%H')}\u6642{c.date('%M')}\u5206 ready\r\n".encode(), [("FTP", "SFTP")]),
    "russian date": (lambda c: russian(c, "utf-8"), [("FTP", "SFTP")]),
    "russian date in koi8-r": (lambda c: russian(c, "koi8-r"), [("FTP", "SFTP")]),
    "russian date in windows-1251": (lambda c: russian(c, "cp1251"), [("FTP", "SFTP")]),
    "day of the year": (lambda c: f"220 telemetry gateway 3.1 at {c.date('%Y-%jT%H:%M:%SZ')}, epoch "
                                  f"{c.date('%Y-%j')}\r\n", [("3.1", "3.2")]),
    "fix": (fix, [("FIX.4.4", "FIX.4.2"), ("is closed", "is open"), ("49=EXCHANGE", "49=BOURSE")]),
    "milliseconds": (lambda c: f"[{c.date('%H:%M:%S')},{c.rng.randrange(1000):03d}] INFO  server up\n",
                     [("server up", "server on")]),
    "syslog": (lambda c: f"<165>1 {c.date('%Y-%m-%dT%H:%M:%S')}.{c.rng.randrange(1000):03d}Z gw app "
                         f"{1000 + c.rng.randrange(30000)} "
                         f"ID{c.rng.randrange(100)} - started\n", [("gw app", "gw2 app")]),
    "virtual terminal": (lambda c: f"\r\nUser Access Verification on vty {c.n % 16}\r\n\r\nPassword: ",
                         [("User Access", "Network Access")]),
    "host is an id": (lambda c: f"220 {c.hex(12)} FTP server (GNU inetutils 1.9.4) ready.\r\n", [("1.9.4", "2.4")]),
    "mailgun": (lambda c: f"220 Mailgun Influx ready {c.hex(24)}\r\n", [("Influx", "Outflux")]),
    "pod's pop3": (lambda c: f"+OK pop3-{c.hex(10)}-{c.letters(5, SMALL)} ready <{c.n}.{int(c.now)}@pop3-{c.hex(4)}"
                             f">\r\n", [("ready", "here")]),
    "radio": (lambda c: f"ICY 200 OK\r\nicy-name:Radio\r\nlisteners:{c.rng.randrange(300)}\r\n\r\n",
              [("Radio", "Rodeo")]),
    "busy news": (lambda c: f"400 load at {16 + c.rng.random() * 20:.2f}, try later\r\n", [("try later", "try again")]),
}
