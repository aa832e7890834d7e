# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Inventories for the report: one like a small company's, one of many services, one of an attacker's."""

import os
import random
import sqlite3
import subprocess
import time

import netns

BINARY = os.environ.get("BANNERPROBE_INVENTORY", os.path.join(netns.ROOT, "bannerprobe-inventory"))
MINUTE, HOUR, DAY = 60, 3600, 86400
END = int(time.time()) - 90	# the newest record


class Sample:
    """An inventory with rows as any program may write them."""

    def __init__(self, path):
        self.path = str(path)
        subprocess.run([BINARY, self.path, "import", os.devnull], check=True, timeout=60)
        self.db = sqlite3.connect(self.path)

    def service(self, server, port, first, last, connections=None, forms=(), sensor="", **more):
        """Forms are (stable, raw, product, version, more); returns the service's id and theirs."""
        insert = self.db.execute
        row = {"sensor": sensor, "server": server, "port": port, "tunnel": "",
               "first_seen": int(first * 1e6), "last_seen": int(last * 1e6),
               "connections": connections or max(1, int((last - first) / HOUR)), **more}
        service = insert(f"INSERT INTO service ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                         list(row.values())).lastrowid
        return service, [self.form(service, first, last, **form) for form in forms]

    def form(self, service, first, last, raw=b"", stable=None, count=7, whole=1, refusal=0, **identity):
        # "service" is the id's name here, and a field of what it is.
        identity = {{"name": "service"}.get(key, key): value for key, value in identity.items()}
        row = {"service_id": service, "first_raw": identity.pop("first_raw", raw), "latest_raw": raw,
               "stable": escape(raw) if stable is None else stable,
               "first_seen": int(identity.pop("since", first) * 1e6),
               "last_seen": int(identity.pop("until", last) * 1e6),
               "count": count, "whole": whole, "refusal": refusal, **identity}
        form = self.db.execute(
            f"INSERT INTO banner ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values())).lastrowid
        self.db.execute("UPDATE service SET banner_id = ? WHERE id = ?", [form, service])
        return form

    def change(self, ts, service, kind, old=None, new=None, number=None):
        self.db.execute("INSERT INTO change (ts, service_id, kind, old_banner, new_banner, number)"
                        " VALUES (?, ?, ?, ?, ?, ?)", [int(ts * 1e6), service, kind, old, new, number])

    def done(self):
        self.db.commit()
        self.db.close()
        return self.path


def escape(raw):
    """Bytes as they stand in a form."""
    return "".join("\\\\" if byte == 0x5c else chr(byte) if 0x20 <= byte <= 0x7e else f"\\x{byte:02x}"
                   for byte in raw)


def ssh(version, patch="", info=None):
    return {"raw": f"SSH-2.0-OpenSSH_{version}{' ' + patch if patch else ''}\r\n".encode(), "name": "ssh",
            "product": "OpenSSH", "version": version, "info": info or (patch or None),
            "cpe": f"cpe:/a:openbsd:openssh:{version}"}


def postfix(host):
    return {"raw": f"220 {host} ESMTP Postfix (Debian/GNU)\r\n".encode(), "name": "smtp",
            "product": "Postfix smtpd", "hostname": host}


def mysql(version):
    salt = b"\x0bq!Wd\x1c(R"
    return {"raw": b"J\0\0\0\x0a" + version.encode() + b"\0\x2b\0\0\0" + salt + b"\0\xff\xf7\x08\x02",
            "stable": f"\\{{length}}\\x0a{version}\\x00\\{{thread}}\\{{salt}}\\x00\\xff\\xf7\\x08\\{{status}}",
            "first_raw": b"J\0\0\0\x0a" + version.encode() + b"\0\x09\0\0\0" + salt[::-1] + b"\0\xff\xf7\x08\x02",
            "name": "mysql", "product": "MariaDB", "version": version}


DOVECOT = {"raw": b"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ STARTTLS"
                  b" AUTH=PLAIN] Dovecot (Debian) ready.\r\n", "name": "imap", "product": "Dovecot imapd",
           "info": "Debian"}
VSFTPD = {"raw": b"220 (vsFTPd 3.0.3)\r\n", "name": "ftp", "product": "vsftpd", "version": "3.0.3"}
PROFTPD = {"raw": b"220-Welcome to the archive.\r\n220-Be kind.\r\n220 ProFTPD Server ready.\r\n", "name": "ftp",
           "product": "ProFTPD"}
VNC = {"raw": b"RFB 003.008\n", "name": "vnc", "info": "protocol 3.8"}
REDIS = {"raw": b"-DENIED Redis is running in protected mode\r\n", "name": "redis", "refusal": 1}
# Two processes are in one, a user's manager started the other.
CONTAINER = "podman:77c2a90d1e5f"
ROOTLESS = {"unit": "user@1000.service", "container": "podman:0c4d1f7e29ab", "process": "redis-server"}


def midnight(when):
    """Of its day: what is some hours later is of the same day."""
    return int(time.mktime((*time.localtime(when)[:3], 0, 0, 0, 0, 0, -1)))


def company(path):
    """Five weeks of a small network; what a picture of the report shows."""
    sample, begin, rng = Sample(path), midnight(END - 36 * DAY), random.Random(7)

    def steady(server, port, form, since=begin, until=END, kind="new", **more):
        service, (one,) = sample.service(server, port, since + rng.uniform(0, 5 * HOUR),
                                         until - rng.uniform(0, 30 * MINUTE), forms=[form], **more)
        sample.change(since + rng.uniform(5, 6) * HOUR if since == begin else since, service, kind, None, one)
        return service, one

    def upgrade(service, old, when, form, kind):
        new = sample.form(service, when, END - 5 * MINUTE, **form, count=rng.randint(20, 400))
        sample.db.execute("UPDATE banner SET last_seen = ? WHERE id = ?", [int((when - HOUR) * 1e6), old])
        sample.change(when, service, kind, old, new)
        return new

    u5, u3 = ssh("9.2p1", "Debian-2+deb12u5"), ssh("9.2p1", "Debian-2+deb12u3")
    for n in range(11, 29):
        service, old = steady(f"10.20.0.{n}", 22, u3 if n < 24 else u5, unit="ssh.service", process="sshd")
        if n < 20:
            upgrade(service, old, END - [9, 6, 3, 1][n % 4] * DAY - n * 700 % 9000, u5, "version")
    for n in range(31, 36):
        steady(f"10.20.1.{n}", 22, ssh("8.9p1", "Ubuntu-3ubuntu0.10"), unit="ssh.service")
    steady("10.20.1.40", 22, ssh("7.4"))
    steady("10.20.1.42", 22, ssh("9.6p1"))
    steady("10.20.1.41", 22, ssh("9.6p1", "Ubuntu-3ubuntu13.5"), since=END - 20 * DAY)
    for n, host in (12, "mail.example.org"), (13, "mx2.example.org"):
        for port, form, process in (25, postfix(host), "master"), (143, DOVECOT, "dovecot"):
            steady(f"10.20.0.{n}", port, form, container=CONTAINER, process=process)
    service, old = steady("10.20.0.14", 25, postfix("relay.example.org"))
    upgrade(service, old, END - 2 * DAY, {
        "raw": b"220 relay.example.org ESMTP Exim 4.96 Mon, 23 Nov 2026 11:02:11 +0000\r\n",
        "stable": "220 relay.example.org ESMTP Exim 4.96 \\{time}\\x0d\\x0a", "name": "smtp",
        "product": "Exim smtpd", "version": "4.96", "hostname": "relay.example.org"}, "product")
    for n, version in (21, "10.11.6"), (22, "10.11.6"), (23, "10.5.23"):
        service, old = steady(f"10.20.0.{n}", 3306, mysql(version), unit="mariadb.service")
        if n == 21:
            upgrade(service, old, END - 3 * DAY - 2 * HOUR, mysql("10.11.9"), "version")
    steady("10.20.0.30", 21, VSFTPD)
    steady("10.20.0.31", 21, PROFTPD, until=END - 11 * DAY, unit="proftpd.service")
    steady("10.20.2.7", 5900, VNC, since=END - 5 * HOUR)
    steady("10.20.2.7", 31337, {"raw": b"\xff\xfb\x01login: "}, since=END - 4 * HOUR - 11 * MINUTE,
           connections=1)
    steady("10.20.2.8", 6379, REDIS, since=END - 26 * HOUR, **ROOTLESS)
    steady("2001:db8:20::c1", 22, u5, since=END - 30 * HOUR)
    steady("2001:db8:20::c2", 25, postfix("mx6.example.org"), since=END - 13 * DAY)
    service, one = steady("10.20.3.1", 23, {
        "raw": b"\r\nrouter-a7 login: ", "name": "telnet", "product": "Cisco IOS telnetd",
        "devicetype": "router"})
    two = sample.form(service, END - 4 * DAY, END, raw=b"\r\nrouter-b7 login: ", name="telnet",
                      product="Cisco IOS telnetd", devicetype="router", count=81)
    sample.change(END - 4 * DAY, service, "banner", one, two)
    service, one = steady("10.20.3.9", 4242, {"raw": b"\x8a\x01\xfe\x20"}, ever_different=1)
    sample.change(END - 16 * DAY, service, "banner", one, sample.form(
        service, END - 16 * DAY, END - DAY, raw=b"k5h\x1b\x90", count=1), 8)
    service, one = steady("10.20.3.10", 119, process="innd", form={
        "raw": b"200 news.example.org InterNetNews NNRP server INN 2.7.0 ready (posting ok)\r\n", "name": "nntp",
        "product": "InterNetNews (INN)", "version": "2.7.0"})
    sample.change(END - 5 * DAY, service, "returned", None, one)
    return sample.done()


def many(path, count=10000):
    """So many services on a quarter as many servers, and as many changes again."""
    sample, rng, begin = Sample(path), random.Random(1), END - 90 * DAY
    kinds = [ssh(f"{major}.{minor}p1", f"Debian-{minor}") for major in (7, 8, 9) for minor in range(10)]
    kinds += [postfix(f"mx{n}.example.org") for n in range(30)] + [mysql(f"10.11.{n}") for n in range(9)]
    kinds += [DOVECOT, VSFTPD, PROFTPD, VNC, REDIS, {"raw": b"\0\1\2hello\r\n"}]
    for n in range(count):
        since = begin + rng.choice([rng.uniform(0, DAY), rng.uniform(DAY, 89 * DAY)])
        last = rng.choice([END - rng.uniform(0, HOUR)] * 9 + [since + (END - since) / 2])
        service, (one,) = sample.service(f"10.{n // 40000}.{n // 160 % 250}.{n // 4 % 40 + 1}",
                                         (22, 25, 143, 3306)[n % 4], since, last, forms=[rng.choice(kinds)],
                                         unit=f"some{n % 100}.service")
        sample.change(since, service, "new", None, one)
        if not n % 10:
            two = sample.form(service, (since + last) / 2, last, **rng.choice(kinds))
            sample.change((since + last) / 2, service, "version", one, two)
    return sample.done()


# Each of these would do something in a page that takes it as it is.
ATTACKS = [
    b"<script>window.canary = 1</script>", b"</script><script>canary = 1</script>",
    b"<img src=x onerror='window.canary=1'>", b"<img src=http://192.0.2.1/leak>", b"\"><svg onload=canary=1>",
    b"' autofocus onfocus='canary=1", b"</noscript><script>canary=1</script>",
    b"</noscript><img src=x onerror=canary=1>", b"</style><script>canary=1</script>", b"<!-- ", b"--><b>",
    b"]]><script>canary=1</script>", b"&lt;script&gt;canary=1&lt;/script&gt;", b"&#60;script>", b"\\x3cscript\\x3e",
    b"\\{<script>canary=1</script>}", b"\\{", b"\\", b"\\x", b"\\x0", b"javascript:canary=1",
    b"<base href=http://192.0.2.1/>", b"<link rel=stylesheet href=//192.0.2.1/x>",
    b"<meta http-equiv=refresh content='0;url=http://192.0.2.1/'>", b"<form action=http://192.0.2.1/><input>",
    b"</template><script>canary=1</script>", b"</title><script>canary=1</script>", b"</pre></dd></dl></div><h1>mine",
    "\u202egnp.exe\u202c".encode(), "\u2028\u2029".encode(), "\u0430dmin".encode(), b"\0\0\0\0", b"\xff\xfe<\0s\0",
    b"\xc0\xbcscript\xc0\xbe", b"+ADw-script+AD4-", b"\x1b]0;title\x07\x1b[2J", b"\r\n\r\n<html>", b"W" * 4096,
    "\u0e49".encode() * 1365, b"<" * 4096, b"\0" * 4096, b"a b " * 1024, b"{{constructor}}", b"${canary=1}", b"`",
]


def hostile(path):
    """An attack in every place that can hold text."""
    sample = Sample(path)
    for n, attack in enumerate(ATTACKS):
        text = attack.decode("utf-8", "replace").replace("\0", "")
        words = {key: text for key in ("name", "product", "version", "info", "os", "hostname", "devicetype", "cpe")}
        service, (one,) = sample.service(f"192.0.2.{n + 1}", n, END - 9 * DAY, END - n, forms=[
            {"raw": attack, **(words if n % 2 else {})}], sensor=text, unit=text, container=text, process=text)
        two = sample.form(service, END - DAY, END, raw=attack[::-1], stable=text, **words)
        sample.change(END - DAY, service, "version" if n % 3 else "banner", one, two)
        sample.change(END - HOUR, service, text, two, one)
    # An address, a tunnel and times that no probe writes.
    service, (one,) = sample.service("<script>canary=1</script>", 99999, -1e11, 9e11, forms=[
        {"raw": b"x", "stable": "\u202e<b>\n"}], tunnel="<img src=x onerror=canary=1>")
    sample.change(-9e11, service, "new", None, one, 2 ** 62)
    sample.change(8e11, service, "banner", one, one, -2 ** 62)
    return sample.done()


if __name__ == "__main__":
    import sys
    {"company": company, "many": many, "hostile": hostile}[sys.argv[1]](sys.argv[2])
