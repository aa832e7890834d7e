# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Greetings of unchanged servers: each is a function of a connection, after real greetings.

A server is a function of a Connection. What it returns differs from connection to connection in
what real servers let differ: dates, salts, ids, counters, the client's address.
"""

import base64
import random
import string
import struct
import time
import uuid


class Connection:
    """The n-th connection to a server (from 0), at a time, from a client."""

    def __init__(self, rng, n, now, client, port):
        self.rng, self.n, self.now, self.client, self.port = rng, n, now, client, port

    def date(self, form, zone=0):
        return time.strftime(form, time.gmtime(self.now + zone * 3600))

    def hex(self, digits):
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def letters(self, count, alphabet=string.ascii_letters + string.digits):
        return "".join(self.rng.choice(alphabet) for _ in range(count))

    def base64(self, size):
        return base64.b64encode(self.rng.randbytes(size)).decode()


def mysql(c, version=b"8.0.36-0ubuntu0.22.04.1", plugin=b"caching_sha2_password", caps=0xffff,
          more=b"\0" * 10):
    salt = bytes(c.rng.randint(1, 255) for _ in range(20))
    body = (b"\x0a" + version + b"\0" + struct.pack("<I", 11 + c.n) + salt[:8] + b"\0"
            + struct.pack("<HBHHB", caps & 0xffff, 255, 2, 0xdfff, 21) + more + salt[8:] + b"\0"
            + plugin + b"\0")
    return struct.pack("<I", len(body))[:3] + b"\0" + body


def mysql_error(c):
    text = f"Host '{c.client}' is not allowed to connect to this MySQL server".encode()
    body = b"\xff" + struct.pack("<H", 1130) + text
    return struct.pack("<I", len(body))[:3] + b"\0" + body


def kexinit(c):
    return b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n\0\0\x04\x0c\x06\x14" + c.rng.randbytes(16)


def uptime(c):
    seconds = 86000 + c.n * 977
    return (f"Welcome to router7\r\nup {seconds // 86400} days, "
            f"{seconds % 86400 // 3600}:{seconds % 3600 // 60:02d}\r\n")


def counter_le(c):
    return b"\x01\x10\0\0AXP" + struct.pack("<I", 250 + c.n) + b"\0\0ready"


def counter_be(c):
    return b"\xca\xfe\x01\x02" + struct.pack(">I", 65530 + c.n) + b"node\0"


def length_token(c):
    token = c.letters(c.rng.randint(4, 30)).encode()
    body = b"\x07HELLO\0" + token + b"\0v2"
    return struct.pack(">H", len(body)) + body


def multi(c):
    return ("220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n"
            f"220-You are user number {1 + c.rng.randint(0, 120)} of 500 allowed.\r\n"
            f"220-Local time is now {c.date('%H:%M')}. Server port: 21.\r\n"
            "220-This is a private system - No anonymous login\r\n"
            "220-IPv6 connections are also welcome on this server.\r\n"
            "220 You will be disconnected after 15 minutes of inactivity.\r\n")


def outlook(c):
    return (f"220 {c.letters(2, 'ABDEPL')}{c.n % 9 + 1}PEPF{c.rng.randrange(10**8):08d}"
            ".mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at "
            f"{c.date('%a, %d %b %Y %H:%M:%S +0000')} [{c.hex(16).upper()}]\r\n")


def gmail(c):
    return (f"220 mx.google.com ESMTP {c.hex(11)}-{c.hex(11)}si{c.rng.randrange(10**8)}"
            f"{c.letters(1, 'abcdef')}{c.n % 10}.{c.rng.randrange(1000)} - gsmtp\r\n")


# What most of them need is a template; the others are functions.
SERVERS = {
    "openssh": lambda c: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    "openssh with its key exchange": kexinit,
    "dropbear": lambda c: "SSH-2.0-dropbear_2022.83\r\n",
    "postfix": lambda c: "220 mail.example.org ESMTP Postfix (Debian/GNU)\r\n",
    "exim": lambda c: f"220 mx.example.org ESMTP Exim 4.96 {c.date('%a, %d %b %Y %H:%M:%S +0000')}\r\n",
    "sendmail": lambda c: "220 ns.example.org ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2+deb12u2; "
                          f"{c.date('%a, %d %b %Y %H:%M:%S')} GMT; (No UCE/UBE) logging access from: "
                          f"[{c.client}](FAIL)-[{c.client}]\r\n",
    "exchange": lambda c: "220 EX01.corp.example.net Microsoft ESMTP MAIL Service ready at "
                          f"{c.date('%a, %-d %b %Y %H:%M:%S +0100', 1)}\r\n",
    "outlook": outlook,
    "gmail": gmail,
    "yahoo": lambda c: f"220 mta{4000 + c.rng.randrange(300)}.mail.bf1.yahoo.com ESMTP ready\r\n",
    "gmx": lambda c: f"220 gmx.net (mxgmx{c.rng.randrange(120):03d}) Nemesis ESMTP Service ready\r\n",
    "mail farm": lambda c: f"220 smtp-in-{1 + c.n * 37 % 200}.hosting.example ESMTP ready "
                           f"{c.hex(32)}\r\n",
    "greeting with an id": lambda c: f"220 relay.example.com ESMTP {c.letters(11)} ready\r\n",
    "queue id": lambda c: f"220 mx1.example.com ESMTP id {c.hex(10).upper()}; waiting\r\n",
    "dovecot": lambda c: "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
                         "STARTTLS AUTH=PLAIN] Dovecot (Debian) ready.\r\n",
    "dovecot pop3 apop": lambda c: f"+OK Dovecot ready. <{c.hex(4)}.{1 + c.n % 9}.{c.hex(8)}."
                                   f"{c.base64(16)}@mail>\r\n",
    "qpopper apop": lambda c: f"+OK QPOP (version 4.1) at pop.example.net starting. "
                              f"<{400 + c.n * 3}.{int(c.now)}@pop.example.net>\r\n",
    "uw imap": lambda c: "* OK [CAPABILITY IMAP4REV1 LITERAL+ STARTTLS] imap.example.edu IMAP4rev1 "
                         f"2007e.404 at {c.date('%a, %d %b %Y %H:%M:%S +0000')} (UTC)\r\n",
    "cyrus": lambda c: "* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE] mail Cyrus IMAP "
                       "3.6.1-Debian-3.6.1-4+deb12u3 server ready\r\n",
    "vsftpd": lambda c: "220 (vsFTPd 3.0.3)\r\n",
    "proftpd": lambda c: "220 ProFTPD Server (Debian) [::ffff:192.0.2.9]\r\n",
    "pure-ftpd": multi,
    "wu-ftpd": lambda c: "220 ftp.example.edu FTP server (Version wu-2.6.2(1) Mon Dec 3 15:26:19 EST "
                         "2001) ready.\r\n",
    "ftp with a date": lambda c: f"220 files FTP server ready at {c.date('%H:%M:%S on %d/%m/%Y')}\r\n",
    "ftp counter": lambda c: f"220 Service ready for new user, session {7 + c.n}.\r\n",
    "mysql": mysql,
    "mariadb": lambda c: mysql(c, b"5.5.5-10.11.6-MariaDB-0+deb12u1", b"mysql_native_password", 0xf7fe,
                               b"\0" * 6 + b"\x1d\0\0\0"),
    "mysql refuses": mysql_error,
    "inn": lambda c: "200 news.example.org InterNetNews NNRP server INN 2.7.1 ready (posting ok)\r\n",
    "nntp farm": lambda c: f"200 news{1 + c.n * 13 % 99:02d}.feed.example NNTP Service Ready, "
                           f"{c.base64(12)}\r\n",
    "irc": lambda c: ":irc.example.net NOTICE * :*** Looking up your hostname...\r\n",
    "irc with a ping": lambda c: f"PING :{c.hex(8).upper()}\r\n",
    "vnc": lambda c: "RFB 003.008\n",
    "rsync": lambda c: "@RSYNCD: 31.0 sha512 sha256 sha1 md5 md4\n",
    "asterisk": lambda c: "Asterisk Call Manager/5.0.2\r\n",
    "pbx": lambda c: f"AMI ready; session={c.hex(8)} nonce={c.base64(9)}\r\n",
    "telnet": lambda c: b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27Debian GNU/Linux 12\r\nhost login: ",
    "telnet with a date": lambda c: b"\xff\xfb\x01\xff\xfb\x03\r\nCatalyst 2960\r\n"
                                    + c.date("%b %d %Y %H:%M:%S").encode() + b"\r\nUsername: ",
    "uptime": uptime,
    "daytime": lambda c: c.date("%a %b %e %H:%M:%S %Y\r\n"),
    "daytime iso": lambda c: c.date("%Y-%m-%dT%H:%M:%S+00:00\r\n"),
    "daytime nist": lambda c: f"\n60{900 + c.n % 90} {c.date('%y-%m-%d %H:%M:%S')} 50 0 0 "
                              f"{c.rng.randrange(1000)}.{c.rng.randrange(10)} UTC(NIST) * \n",
    "time": lambda c: struct.pack(">I", int(c.now) + 2208988800),
    "uuid": lambda c: f"HELLO {uuid.UUID(int=c.rng.getrandbits(128))} server=alpha\r\n",
    "base64 challenge": lambda c: f"CHAL {c.base64(24)} END\n",
    "short hex": lambda c: f"OK {c.rng.randrange(4096):x} go\n",
    "base36 token": lambda c: f"* READY token {c.letters(6, string.digits + string.ascii_lowercase)}\n",
    "nonce of 16 bytes": lambda c: b"\x05\x01\0\x10" + c.rng.randbytes(16) + b"\0\0",
    "nonce at the end": lambda c: b"XPROTO\x02" + c.rng.randbytes(32),
    "counter, little-endian": counter_le,
    "counter, big-endian": counter_be,
    "length and token": length_token,
    "bgp": lambda c: b"\xff" * 16 + b"\0\x1d\x01\x04\xfd\xe8\0\xb4\xc0\0\x02\x01\0",
    "game server": lambda c: f"MOTD v1.4.2 players online: {c.rng.randrange(40)}/64 "
                             f"map de_dust seed {c.rng.getrandbits(31)}\n",
    "process id": lambda c: f"220 gw proxyd[{1000 + c.rng.randrange(60000)}]: ready\r\n",
    "process id in words": lambda c: f"+OK server ready (pid {300 + c.n * 7})\r\n",
    "client's address": lambda c: f"220 hello {c.client}, port {c.port}, welcome to box\r\n",
    "client's name": lambda c: f"220 hello ip-{c.client.replace('.', '-')}.isp.example, speak\r\n",
    "log line": lambda c: f"<134>{c.date('%b %e %H:%M:%S')} plc7 modbusd: session {c.n + 98} open\n",
    "json": lambda c: f'{{"ver":"2.4.1","ts":{int(c.now)},"id":"{c.hex(12)}","ok":true}}\n',
    "load average": lambda c: f"node3 load average: {c.rng.random():.2f}, {c.rng.random():.2f}, 0.05\r\n",
    "wrong clock": lambda c: "220 cam FTP server (GM8126) "
                             f"{time.strftime('%a %b %e %H:%M:%S %Y', time.gmtime(c.n * 61))} ready\r\n",
    "german date": lambda c: f"220 Server bereit am {c.date('%d.%m.%Y um %H:%M:%S')} Uhr\r\n",
    "twelve-hour clock": lambda c: f"Login at {c.date('%m/%d/%Y %I:%M:%S %p')}\r\nUser:",
}


# date(1)'s names in other languages.
WEEKDAYS = {"de": "Mo Di Mi Do Fr Sa So", "fr": "lun. mar. mer. jeu. ven. sam. dim.",
            "es": "lun mar mi\u00e9 jue vie s\u00e1b dom", "pt": "seg ter qua qui sex s\u00e1b dom"}
MONTHS = {"de": "Jan Feb M\u00e4r Apr Mai Jun Jul Aug Sep Okt Nov Dez",
          "fr": "janv. f\u00e9vr. mars avr. mai juin juil. ao\u00fbt sept. oct. nov. d\u00e9c.",
          "es": "ene feb mar abr may jun jul ago sep oct nov dic",
          "pt": "jan fev mar abr mai jun jul ago set out nov dez"}


def date_in(language, point=""):
    def server(c):
        now = time.gmtime(c.now)
        return (f"220 host {WEEKDAYS[language].split()[now.tm_wday]} {now.tm_mday}{point} "
                f"{MONTHS[language].split()[now.tm_mon - 1]} {c.date('%Y %H:%M:%S')} ready\r\n").encode()
    server.__qualname__ += language
    return server


SERVERS |= {"german names": date_in("de", "."), "french names": date_in("fr"), "spanish names": date_in("es"),
            "portuguese names": date_in("pt")}


def encode(said):
    return said if isinstance(said, bytes) else said.encode("latin-1")


def connections(server, count, start, seed=0, clients=50, step=700):
    """(connection, bytes) of so many connections to an unchanged server."""
    rng = random.Random(f"{seed} {server.__qualname__} {start}")
    now = start
    for n in range(count):
        client = f"198.51.100.{1 + rng.randrange(clients)}"
        connection = Connection(rng, n, now, client, rng.randint(32768, 60999))
        yield connection, encode(server(connection))
        now += rng.random() * step
