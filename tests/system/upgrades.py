# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What becomes different when a server is changed: each is one change, whatever else varies."""

import functools

import greetings
import meter_greetings
import more_greetings

SSH = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"

# Of a server of greetings.SERVERS: what it says, and what it says after the upgrade.
REPLACED = {
    "openssh": [
        ("9.2p1", "9.3p1"), ("9.2p1", "9.2p2"), ("9.2p1", "9.10p1"), ("9.2p1", "10.0"),
        ("9.2p1", "9.4p1"), ("9.2p1", "9.6p1"), ("9.2p1", "9.7p1"), ("9.2p1", "9.8p1"), ("9.2p1", "9.9p2"),
        ("9.2p1", "10.0p2"), ("deb12u3", "deb12u5"), ("deb12u3", "deb13u3"),
        ("deb12u3", "deb12u4"), ("deb12u3", "deb12u10"), (" Debian-2+deb12u3", ""),
        ("Debian-2+deb12u3", "Debian-5"), ("Debian-2+deb12u3", "Ubuntu-2ubuntu0.4"),
        (SSH, "SSH-2.0-dropbear_2022.83"), (SSH, "SSH-2.0-OpenSSH_for_Windows_9.5"),
        (SSH, "SSH-1.99-OpenSSH_3.9p1"), (SSH, "SSH-2.0-libssh_0.9.6"),
        (SSH, "SSH-2.0-babeld-8a4c1b20"), ("OpenSSH_9.2p1", "OpenSSH_9.2p1-hpn14v15")],
    "openssh with its key exchange": [("9.2p1", "9.3p1"), ("deb12u3", "deb12u4"),
                                      ("OpenSSH_9.2p1", "dropbear_2022.83")],
    "dropbear": [("2022.83", "2022.84"), ("2022.83", "2024.85"), ("dropbear_2022.83", "Cisco-1.25")],
    "postfix": [("mail.example.org", "mail2.example.org"), ("mail.example.org", "smtp.example.org"),
                ("Postfix (Debian/GNU)", "Postfix (Ubuntu)"), ("Postfix (Debian/GNU)", "Postfix"),
                ("Postfix (Debian/GNU)", "Exim 4.96"), ("ESMTP Postfix", "SMTP Postfix"),
                ("mail.example.org", "mail.example.com"), ("ESMTP Postfix", "ESMTP OpenSMTPD")],
    "exim": [("4.96", "4.97"), ("4.96", "4.96.1"), ("4.96", "4.96-15+deb12u5"),
             ("mx.example.org", "mx2.example.org"), ("mx.example.org", "relay.example.org"),
             ("Exim 4.96", "Postfix")],
    "sendmail": [("8.17.1.9/8.17.1.9", "8.17.2/8.17.2"), ("Debian-2+deb12u2", "Debian-2+deb12u3"),
                 ("8.17.1.9/8.17.1.9", "8.17.1.10/8.17.1.10"), ("ns.example.org", "ns2.example.org"),
                 ("ns.example.org", "mail.example.org"), (" (No UCE/UBE)", "")],
    "exchange": [("EX01.corp", "EX02.corp"), ("EX01.corp", "MBX1.corp"),
                 ("Microsoft ESMTP MAIL Service", "Postfix"), ("corp.example.net", "corp.example.org")],
    "outlook": [("Microsoft ESMTP MAIL Service", "Microsoft ESMTP MAIL Service, Version: 10.0")],
    "gmail": [("mx.google.com", "smtp.google.com"), ("mx.google.com", "aspmx.example.com")],
    "yahoo": [("ESMTP ready", "ESMTP ready, STARTTLS"), ("bf1.yahoo", "gq1.yahoo")],
    "gmx": [("Nemesis ESMTP", "Postfix ESMTP"), ("gmx.net", "web.example")],
    "mail farm": [("hosting.example", "hoster.example"), ("ESMTP ready", "SMTP ready"),
                  ("smtp-in-", "mail-in-")],
    "greeting with an id": [("relay.example.com", "gateway.example.com"), ("ESMTP", "ESMTP Haraka/3.0.3")],
    "queue id": [("mx1.example.com", "mx2.example.com"), ("waiting", "STARTTLS offered")],
    "dovecot": [(" STARTTLS", ""), ("AUTH=PLAIN", "AUTH=PLAIN AUTH=LOGIN"), ("Dovecot (Debian)", "Dovecot"),
                (" STARTTLS AUTH=PLAIN", " STARTTLS LOGINDISABLED"), ("Dovecot (Debian)", "Dovecot (Ubuntu)"),
                ("Dovecot (Debian) ready.", "Courier-IMAP ready."), (" LITERAL+", "")],
    "dovecot pop3 apop": [("Dovecot ready", "Dovecot (Debian) ready"), ("@mail>", "@pop>"),
                          ("Dovecot ready", "Cyrus POP3 3.6.1 server ready")],
    "qpopper apop": [("version 4.1", "version 4.2"), ("version 4.1", "version 4.1.1"),
                     ("pop.example.net starting", "mail.example.net starting")],
    "uw imap": [("2007e.404", "2007f.404"), (" STARTTLS", ""), ("imap.example.edu", "imap2.example.edu"),
                ("imap.example.edu", "mail.example.edu")],
    "cyrus": [("3.6.1", "3.6.2"), ("deb12u3", "deb12u4"), ("3.6.1-Debian-3.6.1-4+deb12u3", "3.8.0"),
              ("mail Cyrus", "mailbox Cyrus"), (" LITERAL+", " STARTTLS LITERAL+")],
    "vsftpd": [("3.0.3", "3.0.5"), ("(vsFTPd 3.0.3)", "ProFTPD Server ready."), ("3.0.3", "3.0.10"),
               ("(vsFTPd 3.0.3)", "Welcome")],
    "proftpd": [("ProFTPD Server", "ProFTPD 1.3.8 Server"), ("(Debian)", "(Files)"),
                ("192.0.2.9", "192.0.2.10"), ("ProFTPD Server (Debian)", "FileZilla Server 1.7.0")],
    "pure-ftpd": [(" [TLS]", ""), ("Pure-FTPd", "ProFTPD"), ("15 minutes", "30 minutes"), ("500", "50"),
                  ("No anonymous login", "Anonymous login only"), ("Server port: 21", "Server port: 2121")],
    "wu-ftpd": [("wu-2.6.2(1)", "wu-2.6.2(2)"), ("wu-2.6.2(1)", "wu-2.6.3(1)"),
                ("wu-2.6.2(1) Mon Dec 3 15:26:19 EST 2001", "wu-2.6.2(2) Tue Jan 8 10:00:01 EST 2002"),
                ("ftp.example.edu", "ftp2.example.edu")],
    "ftp with a date": [("files FTP", "archive FTP"), ("files FTP server", "files FTP server 2.1")],
    "ftp counter": [("Service ready", "Service TLS ready"), ("new user", "new client")],
    "inn": [("2.7.1", "2.7.2"), ("news.example.org", "feed.example.org"), ("posting ok", "no posting"),
            ("INN 2.7.1", "Leafnode 1.12")],
    "nntp farm": [("NNTP Service", "NNRP Service"), ("feed.example", "feeds.example")],
    "irc": [("irc.example.net", "irc2.example.net"), ("irc.example.net", "hub.example.net")],
    "vnc": [("003.008", "003.889"), ("003.008", "003.003"), ("003.008", "004.001")],
    "rsync": [("31.0", "32.0"), (" sha512 sha256 sha1 md5 md4", ""), ("31.0 sha512", "31.14 sha512")],
    "asterisk": [("5.0.2", "5.0.3"), ("5.0.2", "6.0.0"), ("5.0.2", "5.0.10"),
                 ("Asterisk Call Manager/5.0.2", "FreeSWITCH 1.10.9")],
    "pbx": [("AMI ready", "AMI 2.1 ready"), ("AMI ready", "PBX ready")],
    "telnet with a date": [("Catalyst 2960", "Catalyst 3750"), ("Catalyst", "Nexus"), ("Username", "Login")],
    "uptime": [("router7", "router8"), ("router7", "gateway"), ("Welcome", "Welcome to IOS 15.2(4)E;")],
    "daytime nist": [("UTC(NIST)", "UTC(PTB)")],
    "uuid": [("server=alpha", "server=beta"), ("server=alpha", "server=alpha version=2"),
             ("HELLO", "HELLO2")],
    "base64 challenge": [("CHAL", "CHAL2"), (" END", " END TLS")],
    "base36 token": [("READY", "READY STARTTLS"), ("token", "cookie")],
    "nonce of 16 bytes": [("\x05\x01\0\x10", "\x05\x02\0\x10")],
    "nonce at the end": [("XPROTO\x02", "XPROTO\x03"), ("XPROTO\x02", "XPROTO\x02\x01")],
    "counter, little-endian": [("AXP", "AXQ"), ("ready", "ready TLS")],
    "counter, big-endian": [("node", "host"), ("node", "nodes")],
    "irc with a ping": [("PING :", ":irc.example.net PING :")],
    "client's address": [("welcome to box", "welcome to vault"), ("hello", "good day"), (", port", ", from port")],
    "bgp": [("\x04\xfd\xe8", "\x04\xfd\xe9"), ("\xc0\0\x02\x01", "\xc0\0\x02\x02")],
    "game server": [("v1.4.2", "v1.4.3"), ("v1.4.2", "v1.5"), ("/64", "/32"), ("de_dust", "cs_office")],
    "process id": [("gw proxyd", "gw2 proxyd"), ("proxyd", "relayd"), (": ready", ": ready TLS")],
    "process id in words": [("server ready", "server 2.0 ready"), ("+OK server", "+OK mailbox")],
    "client's name": [(", speak", ", speak TLS")],
    "log line": [("plc7", "plc8"), ("modbusd", "opcuad")],
    "json": [("2.4.1", "2.4.2"), ("2.4.1", "2.5.0"), ('"ok"', '"tls"')],
    "load average": [("node3", "node4"), ("node3", "master")],
    "wrong clock": [("GM8126", "GM8136"), ("cam FTP", "camera FTP")],
    "german date": [("Server bereit", "Server 2.1 bereit"), ("Server", "Archiv")],
    "short hex": [("go", "went"), ("OK", "READY")],
    "telnet": [("Linux 12", "Linux 13"), ("host login", "server login"), ("Debian", "Ubuntu"),
               ("Debian GNU/Linux 12", "Ubuntu 24.04 LTS")],
    "length and token": [("HELLO", "HALLO"), ("\0v2", "\0v3")],
    "mysql refuses": [("MySQL server", "MariaDB server")],
    "mariadb": [("10.11.6-MariaDB", "10.11.7-MariaDB"), ("0+deb12u1", "0+deb12u2")],
    "daytime iso": [("+00:00", "+01:00, summer")],
    "twelve-hour clock": [("Login at", "Login to BSD 4.4 at"), ("User:", "Name:")],
}


def _replaced(name, server, old, new):
    old, new = old.encode("latin-1"), new.encode("latin-1")

    def upgraded(connection):
        said = greetings.encode(server(connection))
        assert old in said, (name, old, said)
        return said.replace(old, new)

    return upgraded


def _mysql(**changes):
    def server(connection):
        return greetings.mysql(connection, **changes)
    return server


MYSQL = [
    ("mysql", _mysql(version=b"8.0.37-0ubuntu0.22.04.3")), ("mysql", _mysql(version=b"8.4.0")),
    ("mysql", _mysql(version=b"8.0.36-0ubuntu0.22.04.2")), ("mysql", _mysql(version=b"8.0.36")),
    ("mysql", _mysql(caps=0xf7ff)), ("mysql", _mysql(plugin=b"mysql_native_password")),
    ("mysql", greetings.SERVERS["mariadb"]),
    ("mysql", _mysql(version=b"5.7.44-log", plugin=b"mysql_native_password")),
]


@functools.cache
def upgrades():
    """(name, server before, server after)."""
    kinds = {name: (greetings.SERVERS[name], replaced) for name, replaced in REPLACED.items()}
    kinds |= more_greetings.KINDS | meter_greetings.KINDS
    pairs = [(f"{name}: {old!r} to {new!r}", server, _replaced(name, server, old, new))
             for name, (server, replaced) in kinds.items() for old, new in replaced]
    pairs += [(f"{name}: upgrade {i}", greetings.SERVERS[name], server)
              for i, (name, server) in enumerate(MYSQL)]
    return pairs
