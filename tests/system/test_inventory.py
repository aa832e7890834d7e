# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bannerprobe-inventory: what it makes of logs, and what it reports."""

import contextlib
import csv
import gzip
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

import greetings
import meter_greetings
import more_greetings
import netns
import upgrades
from netns import PATIENCE, wait_for

BINARY = os.environ.get("BANNERPROBE_INVENTORY", os.path.join(netns.ROOT, "bannerprobe-inventory"))
NOW = 1790000000
DAY = 86400
SSH = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"


def escape(said):
    return "".join("\\\\" if byte == 0x5c else chr(byte) if 0x20 <= byte <= 0x7e else f"\\x{byte:02x}"
                   for byte in said)


def line(said, ts=NOW, server="192.0.2.10", port=22, client="198.51.100.7", client_port=40000, **more):
    """A line of bannerprobe's log."""
    record = {"ts": round(ts, 6), "client": client, "client_port": client_port, "server": server,
              "server_port": port}
    if said is not None:
        record |= {"banner": escape(said), "len": len(said), "truncated": False}
    return json.dumps(record | more) + "\n"


def run(*words, code=0, program=BINARY, **kwargs):
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=120,
                          **kwargs)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done


class Inventory:
    """A file, and what is put into it."""

    def __init__(self, folder):
        self.path = str(folder / "x.db")
        self.log = folder / "log.json"
        self.folder = folder

    def take(self, *lines):
        """Imports these lines behind those of before."""
        with open(self.log, "a") as log:
            log.writelines(lines)
        return run(self.path, "import", self.log).stderr

    def ask(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return db.execute(sql, values).fetchall()

    def changes(self):
        return [kind for kind, in self.ask("SELECT kind FROM change ORDER BY ts, id")]

    def forms(self):
        return [form for form, in self.ask("SELECT stable FROM banner ORDER BY id")]

    def command(self, *words, **kwargs):
        return run(self.path, *words, **kwargs)

    def json(self, *words, **kwargs):
        return [json.loads(text) for text in self.command(*words, "--json", **kwargs).stdout.splitlines()]


@pytest.fixture
def inventory(tmp_path):
    return Inventory(tmp_path)


def said_in_turn(*said, step=60, **where):
    return [line(one, ts=NOW + i * step, client_port=40000 + i, **where) for i, one in enumerate(said)]


# --- servers without a change, and servers that were upgraded -----------------------------------

CONNECTIONS = int(os.environ.get("INVENTORY_CONNECTIONS", 400))


def all_servers():
    return greetings.SERVERS | {name: server for name, (server, _) in
                                (more_greetings.KINDS | meter_greetings.KINDS).items()}


def test_no_change_where_nobody_touched_anything(inventory):
    """However often it is asked: none after the second connection."""
    lines, names = [], {}
    for i, (name, server) in enumerate(all_servers().items()):
        where = {"server": f"192.0.2.{i + 1}", "port": {"time": 37}.get(name, 1000 + i)}
        names[where["server"]] = name
        lines += [line(said, c.now, client=c.client, client_port=c.port, **where)
                  for c, said in greetings.connections(server, CONNECTIONS, NOW + i)]
    assert len(names) >= 40
    inventory.take(*lines)
    changed = inventory.ask("SELECT server, kind, stable FROM change JOIN service ON service.id ="
                            " change.service_id JOIN banner ON banner.id = new_banner WHERE kind <> 'new'")
    assert not changed, [(names[server], *rest) for server, *rest in changed]
    assert inventory.ask("SELECT count(*), sum(ever_different), min(connections) FROM service") == [
        (len(names), 0, CONNECTIONS)]


@pytest.mark.parametrize("before", [3, 40])
def test_each_upgrade_is_one_change(inventory, before):
    lines, names = [], {}
    for i, (name, old, new) in enumerate(upgrades.upgrades()):
        where = {"server": f"10.0.{i // 200}.{i % 200 + 1}", "port": 1000 + i}
        names[where["server"]] = name
        for server, count, start in (old, before, NOW), (new, 20, NOW + DAY):
            for c, _ in greetings.connections(server, count, start, seed=2):
                c.n += 0 if server is old else before
                said = greetings.encode(server(c))
                lines.append(line(said, c.now, client=c.client, client_port=c.port, **where))
    assert len(names) >= 200
    inventory.take(*lines)
    count = dict(inventory.ask("SELECT server, sum(kind <> 'new') FROM change JOIN service"
                               " ON service.id = service_id GROUP BY server"))
    assert {names[server]: count.get(server, 0) for server in names if count.get(server) != 1} == {}


def test_versions_of_a_pool_are_forms(inventory):
    """A version number is never wild because two hosts differ; what alternates is no change."""
    one, two = SSH, SSH.replace(b"9.2p1", b"9.6p1")
    inventory.take(*said_in_turn(*[one, two] * 30))
    assert inventory.changes() == ["new", "version"]
    assert len(inventory.forms()) == 2


def test_names_of_a_pool(inventory):
    """Node numbers are wild from the second connection on, words are forms."""
    inventory.take(*said_in_turn(*[b"220 mx%d.example.org ESMTP\r\n" % (n * 7 % 30) for n in range(60)]))
    assert inventory.changes() == ["new"]
    assert inventory.forms() == [r"220 mx\{number}.example.org ESMTP\x0d\x0a"]


def test_words_of_a_pool_are_forms(inventory):
    inventory.take(*said_in_turn(*[b"220 alpha.example.org ESMTP\r\n", b"220 gamma.example.org ESMTP\r\n"] * 20))
    assert inventory.changes() == ["new", "banner"]


def test_a_third_value_in_a_row_is_wild(inventory):
    """After many that were the same: one change for the second value, and none for the third."""
    words = [b"sunny", b"cloudy", b"rainy", b"stormy", b"foggy", b"windy"]
    inventory.take(*said_in_turn(*[b"Welcome, the weather is calm today\r\n"] * 9,
                                 *[b"Welcome, the weather is %s today\r\n" % word for word in words * 4]))
    assert inventory.changes() == ["new", "banner"]
    assert inventory.forms()[-1] == r"Welcome, the weather is \{token} today\x0d\x0a"


@pytest.mark.parametrize("text, before", [("220-1526 MB free, %s KB/s\r\n220 FTP ready\r\n", ["new"]),
                                          ("{'load': [%s, 0.25]}\n", ["new", "banner"]),
                                          ("Room: %sC\r\n", ["new", "banner"])])
def test_a_measured_value_is_wild(inventory, text, before):
    """With a unit it is no version; without, a third value in a row tells."""
    values = ["40.0", "46.4", "82.7", "75.8", "4.4", "16.6", "111.1", "21.1", "9.25", "30.5", "30.5", "7.0"]
    inventory.take(*said_in_turn(*[(text % value).encode() for value in values]))
    assert inventory.changes() == before
    assert inventory.forms()[-1].count(r"\{number}.\{number}") == 1
    inventory.take(line((text % "9.2.1").encode(), ts=NOW + DAY))
    assert inventory.changes() == [*before, "banner"]


def test_an_integer_is_wild_with_its_fraction(inventory):
    """Of 100.43 and 100.27 the 100 is equal by chance."""
    values = ["100.436688", "100.275325", "100.716655", "101.000123", "99.5", "5000.25"]
    inventory.take(*said_in_turn(*[f"STAT rusage {value}\r\nSTAT version 1.6.17\r\n".encode() for value in values]))
    assert inventory.changes() == ["new", "banner"]
    assert inventory.forms()[-1] == r"STAT rusage \{number}.\{number}\x0d\x0aSTAT version 1.6.17\x0d\x0a"


def test_what_only_the_third_says_is_no_third_value(inventory):
    """A host's name that two connections had before the third is told."""
    texts = [b"load 0.5 on web1 at 1 go\r\n", b"load 0.7 on web1 at 2 go\r\n", b"load 0.9 on web2 at 3 go\r\n"]
    texts = [text.replace(b"load", b"rate:") for text in texts]
    inventory.take(*said_in_turn(*texts))
    assert inventory.changes() == ["new", "banner", "banner"]
    inventory.take(*[line(texts[2].replace(b"0.9", b"0.%d" % n), NOW + 900 + n) for n in range(1, 9)])
    assert "web2" in inventory.forms()[-1]


@pytest.mark.parametrize("text", ["Welcome to Foo %s\r\n", "Foo/%s ready\r\n", "hello, version: %s\r\n", "x (%s)\r\n"])
def test_versions_in_a_row_are_no_measured_values(inventory, text):
    inventory.take(*said_in_turn(*[(text % version).encode() for version in ["1.2", "1.3", "1.4", "1.5"]]))
    assert inventory.changes() == ["new"] + 3 * ["banner"]


@pytest.mark.parametrize("first, then", [
    (["9", "10"], ["11", "100", "3", "1000"]), (["fe", "ff"], ["100", "10a", "7", "abcdef01"]),
    (["99", "9a"], ["a0", "00", "beef"]), (["8", "9"], ["10", "99", "100"])])
def test_what_forms_one_number_is_wild_with_it(inventory, first, then):
    inventory.take(*said_in_turn(*[f"OK {n} go\r\n".encode() for n in first + then]))
    assert inventory.changes() == ["new"]


def test_greetings_without_anything_in_common(inventory):
    """They are forms; eight in a row make the service ever different: one change, none after it."""
    rng = random.Random(1)
    inventory.take(*said_in_turn(*[bytes(rng.choices(range(33, 127), k=40)) + b"\n" for _ in range(300)]))
    assert inventory.changes().count("banner") == 1
    assert inventory.ask("SELECT ever_different, connections FROM service") == [(1, 300)]
    assert inventory.ask("SELECT count(*) <= 8, sum(count) FROM banner") == [(1, 300)]
    assert "ever different" in inventory.command().stdout


def test_what_is_said_of_eight_versions_in_a_row(inventory):
    """They are of one service, and no more of them are reported: wherever it is said."""
    inventory.take(*said_in_turn(*[b"SSH-2.0-OpenSSH_%d.0\r\n" % i for i in range(1, 12)]))
    assert inventory.changes() == ["new", "version"]
    words = "ever different: 8 in a row; no further one is reported"
    page = inventory.folder / "report.html"
    inventory.command("report", "-o", page)
    for text in inventory.command("changes").stdout, inventory.command("show", "192.0.2.10:22").stdout:
        assert f"({words})" in text and "at once" not in text
    # Among the changes, and in the service's history.
    assert re.sub("<[^>]*>", "", page.read_text()).count(words) == 2
    assert "11 connections, ever different" in inventory.command("show", "192.0.2.10:22").stdout
    told = inventory.json("show", "192.0.2.10:22")
    assert told[0]["ever_different"] and told[-1]["number"] == 8


def test_the_sum_of_import_is_what_changes_lists(inventory):
    """Changes that became one are one: of what is ever different, and of many new services of a server."""
    rng = random.Random(4)
    told = inventory.take(*said_in_turn(*[rng.randbytes(rng.randrange(20, 90)) for _ in range(30)]))
    assert " 2 changes," in told and len(inventory.changes()) == 2
    told = inventory.take(*[line(b"220 host%d ESMTP Postfix\r\n" % i, ts=NOW + DAY + i / 2, port=1000 + i,
                                 server="192.0.2.11") for i in range(60)])
    assert " 1 changes," in told and len(inventory.changes()) == 3
    assert " 0 changes," in inventory.take()


def test_text_and_other_bytes_have_nothing_in_common(inventory):
    """A line end is no skeleton."""
    for n in range(2):
        inventory.take(*said_in_turn(SSH + b"1", b"220 \x1b]0;\x07 \xff\xfe\x00 <b>\r\n", port=22 + n))
    assert inventory.ask("SELECT count(*) FROM banner") == [(4,)]


@pytest.mark.parametrize("refusal", [b"421 Too many connections\r\n", b"554 5.7.1 no\r\n"])
def test_refusals_are_forms_and_not_the_service(inventory, refusal):
    greeting = b"220 mail.example.org ESMTP Postfix\r\n"
    inventory.take(*said_in_turn(*[greeting] * 3, *[refusal] * 3, *[greeting] * 3, *[refusal] * 3, port=25))
    assert inventory.changes() == ["new", "banner"]
    assert inventory.ask("SELECT stable FROM service JOIN banner ON banner.id = banner_id") == [
        (escape(greeting),)]


@pytest.mark.parametrize("whole, port", [
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", 22), (b"220 (vsFTPd 3.0.3)\r\n", 21), (b"@RSYNCD: 31.0 sha512 md5\n", 873),
    (b"220 mx.example.org ESMTP Exim 4.96 Mon, 21 Sep 2026 14:13:20 +0000\r\n", 25)])
def test_a_line_that_was_cut_is_no_other_product(tmp_path, whole, port):
    """Wherever its rest was missed, though the record says that all of its segment was kept."""
    for cut in range(1, len(whole)):
        inventory = Inventory(tmp_path)
        inventory.take(line(whole[:cut], NOW + 60 * cut, server=f"10.0.0.{cut}", port=port),
                       *[line(whole, NOW + 60 * cut + n, server=f"10.0.0.{cut}", port=port) for n in (1, 2)])
    assert set(inventory.changes()) == {"new"}


def test_ssh_refusals(inventory):
    inventory.take(*said_in_turn(SSH, b"Exceeded MaxStartups\r\n", SSH, b"Not allowed at this time\r\n", SSH))
    assert inventory.ask("SELECT stable FROM service JOIN banner ON banner.id = banner_id") == [
        (escape(SSH),)]


def test_ssh_whoever_spoke_first(inventory):
    """A banner or a response, alone or with the key exchange behind: one form."""
    inventory.take(line(SSH), line(SSH, NOW + 1, event="response"),
                   line(SSH + b"\0\0\x04\x14\x06\x14" + bytes(range(200)), NOW + 2, event="response"))
    assert inventory.changes() == ["new"] and inventory.forms() == [escape(SSH)]


def test_http_is_its_server(inventory):
    def answer(n):
        return (f"HTTP/1.1 {random.choice(['200 OK', '404 Not Found', '302 Found'])}\r\nDate: x{n}\r\n"
                f"Server: nginx/1.22.1\r\nSet-Cookie: id={n * 77}\r\nContent-Length: {n}\r\n"
                f"ETag: \"{n:x}\"\r\n\r\n" + "x" * n).encode()
    inventory.take(*[line(answer(n), NOW + n, port=80, event="response") for n in range(40)])
    assert inventory.changes() == ["new"]
    assert "Server: nginx/1.22.1" in inventory.forms()[0]
    inventory.take(line(answer(1).replace(b"1.22.1", b"1.24.0"), NOW + 99, port=80, event="response"))
    assert inventory.changes() == ["new", "version"]


# --- greetings that are not whole ---------------------------------------------------------------

def test_an_unfinished_greeting_gives_way(inventory):
    whole = b"220-Welcome\r\n220 files ready\r\n"
    inventory.take(*said_in_turn(whole[:13], whole[:20], whole, whole[:13], whole[:20], whole))
    assert inventory.changes() == ["new"] and inventory.forms() == [escape(whole)]


def test_a_prompt_is_a_form_though_it_ends_no_line(inventory):
    inventory.take(*said_in_turn(b"Linux 12\r\nhost lo", b"Linux 12\r\nhost login: ", b"Linux 12\r\n",
                                 b"Linux 12\r\nhost login: "))
    assert inventory.changes() == ["new"]


def test_what_was_cut_is_no_other_form(inventory):
    long = b"Welcome " + b"x" * 300 + b"\r\n"
    inventory.take(line(long), line(long[:256], NOW + 1, truncated=True), line(long[:100], NOW + 2, truncated=True))
    assert inventory.changes() == ["new"]


# --- kinds --------------------------------------------------------------------------------------

def test_returned(inventory):
    inventory.take(line(SSH), line(SSH, NOW + 6 * DAY), line(SSH, NOW + 14 * DAY))
    assert inventory.changes() == ["new", "returned"]


def test_a_form_that_comes_back_late_is_a_change(inventory):
    other = SSH.replace(b"9.2", b"9.3")
    inventory.take(line(SSH), *[line(other, NOW + day * DAY) for day in range(1, 9)], line(SSH, NOW + 9 * DAY))
    assert inventory.changes() == ["new", "version", "version"]


@pytest.mark.parametrize("port, changes", [(22, ["new"]), (32767, ["new"]), (40000, [])])
def test_once(inventory, port, changes):
    """A port that may be a client's is reported with its second connection."""
    inventory.take(line(b"hello\r\n", port=port))
    assert inventory.changes() == changes and inventory.json()[0]["once"]
    inventory.take(line(b"hello\r\n", NOW + 5, port=port))
    assert inventory.changes() == ["new"] and not inventory.json()[0]["once"]


def test_options_of_import(inventory):
    inventory.log.write_text(line(b"hello\r\n", port=40000) + line(b"hello\r\n", NOW + DAY, port=40000))
    inventory.command("import", "--new-at-once", "--gone", "12h", inventory.log)
    assert inventory.ask("SELECT kind, ts FROM change ORDER BY id") == [
        ("new", NOW * 10**6), ("returned", (NOW + DAY) * 10**6)]


def test_many_new_services_of_one_server_are_one(inventory):
    lines = [line(b"hi\r\n", NOW + n / 10, port=1000 + n) for n in range(70)]
    inventory.take(*lines[:30])
    inventory.take(*lines[30:])
    assert inventory.ask("SELECT kind, number FROM change") == [("new", 70)]
    assert inventory.ask("SELECT count(*) FROM service") == [(70,)]


def test_many_new_services_at_once(inventory):
    inventory.take(*[line(b"hi\r\n", NOW + n / 10, port=1000 + n) for n in range(70)],
                   *[line(b"hi\r\n", NOW + n, port=1000 + n, server="192.0.2.11") for n in range(50)])
    assert inventory.ask("SELECT server, number, count(*) FROM change JOIN service ON service.id = service_id"
                         " GROUP BY server") == [("192.0.2.10", 70, 1), ("192.0.2.11", None, 50)]


def test_ftp_data_connections_are_no_services(inventory):
    ftp = b"220 ProFTPD Server ready\r\n"
    told = inventory.take(line(ftp, port=21), *[line(b"file %d" % n, NOW + n, port=30000 + n) for n in range(20)],
                          line(b"more", NOW + 30, server="198.51.100.7", port=50001, client="192.0.2.10",
                               client_port=20))
    assert "21 FTP data connections" in told
    assert inventory.ask("SELECT port FROM service") == [(21,)]
    # Across restarts, but not for ever; and other servers have services there.
    inventory.take(line(b"file", NOW + DAY / 2, port=30000), line(b"file", NOW + 2 * DAY, port=30001),
                   line(b"file", NOW + 60, server="192.0.2.11", port=30000))
    assert inventory.ask("SELECT server, port FROM service ORDER BY server, port") == [
        ("192.0.2.10", 21), ("192.0.2.10", 30001), ("192.0.2.11", 30000)]


@pytest.mark.parametrize("days", [0, 4])
def test_what_is_met_twice_beside_ftp_is_known_since_the_first(inventory, days):
    """Its first connection is counted as one of FTP's data."""
    mysql = b"N\0\0\0\n8.0.36\0\x0b\0\0\0ABCDEFGH\0\xff\xff\xff\x02\0\xff\xdf\x15" + bytes(10) + \
        b"abcdefghijkl\0caching_sha2_password\0"
    told = inventory.take(line(b"220 (vsFTPd 3.0.3)\r\n", port=21), line(mysql, NOW + 10, port=3306),
                          line(b"hello\r\n", NOW + 20, port=3307), line(mysql, NOW + 30 + days * DAY, port=3306))
    assert "2 FTP data connections" in told
    assert inventory.ask("SELECT port, first_seen / 1000000, last_seen / 1000000 FROM service WHERE port > 21") == [
        (3306, NOW + 10, NOW + 30 + days * DAY)]


@pytest.mark.parametrize("greeting, is_ftp", [
    (b"220 FTP.example.com ESMTP Postfix\r\n", False), (b"220 mail.ftp.example ESMTP\r\n", False),
    (b"220 mx.example.com ESMTP, FTP is elsewhere\r\n", False), (b"220-ftp.example.com\r\n220 smtp ready\r\n", False),
    (b"220 ftp.example.com ready\r\n", False), (b"220 SFTPGo ready\r\n", False),
    (b"220 ftp.example.com FTP ready\r\n", True), (b"220 (Version wuftpd-2.6.1)\r\n", True)])
def test_a_mail_server_hides_nothing(inventory, greeting, is_ftp):
    """Only where FTP greeted are other ports those of data, also after the file was opened anew."""
    inventory.take(line(greeting, port=2500))
    inventory.take(*[line(b"hello\r\n", NOW + n, port=9000) for n in range(2)])
    assert inventory.ask("SELECT count(*) FROM service WHERE port = 9000") == [(int(not is_ftp),)]
    inventory.take(line(greeting, NOW + 3, port=2500),
                   *[line(b"hello\r\n", NOW + 3 + n, port=9001) for n in range(2)])
    assert inventory.ask("SELECT count(*) FROM service WHERE port = 9001") == [(int(not is_ftp),)]


def test_an_ftp_server_that_greets_every_day(inventory):
    """Its day begins with each greeting, also with one that is known."""
    ftp = b"220 (vsFTPd 3.0.3) FTP\r\n"
    inventory.take(line(ftp, port=21), *[line(ftp, NOW + n * DAY / 2, port=21) for n in range(1, 7)],
                   line(b"file", NOW + 3.5 * DAY, port=30000))
    inventory.take(line(ftp, NOW + 5 * DAY, port=21), line(b"file", NOW + 5.5 * DAY, port=30001))
    assert inventory.ask("SELECT port FROM service") == [(21,)]


def test_open_ports(inventory):
    """A connection that has a record of its port and one of its banner is one connection."""
    inventory.take(*[text for n in range(5) for text in (
        line(None, NOW + n, client_port=41000 + n, event="open"),
        line(SSH, NOW + n + .1, client_port=41000 + n))], line(None, NOW + 9, port=443, event="open"))
    assert inventory.ask("SELECT port, connections, banner_id IS NULL FROM service") == [(22, 5, 0), (443, 1, 1)]
    assert inventory.changes() == ["new", "new"]


def test_what_is_not_taken(inventory):
    told = inventory.take(line(b"GET /", event="request"), line(b"USER x", event="reply"),
                          line(SSH, event="change", kind="new"))
    assert "3 other lines" in told and not inventory.ask("SELECT * FROM service")


def test_tenants_and_sensors_are_apart(inventory):
    inventory.take(line(SSH, tunnel=[{"type": "vxlan", "id": 42}]), line(SSH, tunnel=[{"type": "vxlan", "id": 7}]),
                   line(SSH), line(SSH, sensor="north"))
    assert inventory.ask("SELECT sensor, tunnel FROM service ORDER BY id") == [
        ("", "42"), ("", "7"), ("", ""), ("north", "")]


# --- logs ---------------------------------------------------------------------------------------

def test_the_same_log_adds_nothing_and_a_grown_one_what_is_new(inventory, tmp_path):
    inventory.take(line(SSH), line(SSH, NOW + 1))
    inventory.take()
    assert inventory.ask("SELECT connections FROM service") == [(2,)]
    inventory.take(line(SSH, NOW + 2))
    assert inventory.ask("SELECT connections FROM service") == [(3,)]
    # Rotated, compressed, by another name, by standard input: still the same.
    packed = tmp_path / "other.json.1.gz"
    packed.write_bytes(gzip.compress(inventory.log.read_bytes()))
    inventory.command("import", packed)
    with open(inventory.log) as log:
        inventory.command("import", "-", stdin=log)
    assert inventory.ask("SELECT connections FROM service") == [(3,)]
    # Of another host it is another log.
    inventory.command("import", "--sensor", "north", packed)
    assert inventory.ask("SELECT sensor, connections FROM service ORDER BY id") == [("", 3), ("north", 3)]


def test_a_long_log_grows(inventory):
    inventory.take(*[line(SSH, NOW + n, client_port=1024 + n) for n in range(500)])
    inventory.take(*[line(SSH, NOW + 1000 + n, client_port=1024 + n) for n in range(77)])
    assert inventory.ask("SELECT connections FROM service") == [(577,)]


def test_lines_cut_in_half(inventory):
    whole = line(SSH)
    told = inventory.take(whole[:50] + "\n", whole, '{"ts":1}\n', "[" * 5000 + "\n", whole[:30])
    assert inventory.ask("SELECT connections FROM service") == [(1,)]
    assert [int(n) for n in re.findall(r"log\.json:(\d+): ", told)] == [1, 3, 4, 5]
    # The last one is written to its end.
    inventory.take(whole[30:])
    assert inventory.ask("SELECT connections FROM service") == [(2,)]


def test_lines_that_are_no_records(inventory):
    bad = [line(SSH).replace("192.0.2.10", "nowhere"), line(SSH, port=70000), line(SSH, ts=1e12),
           line(SSH).replace("SSH-2.0", "\\\\q"), "x" * 70000 + "\n", "null\n", '"x"\n', "{}\n",
           line(SSH).replace('"ts"', '"tz"'), line(SSH, ts=-5), line(SSH).rstrip() + "x\n"]
    told = inventory.take(*bad, line(SSH))
    assert f"{len(bad)} broken lines" in told and "1 records" in told


def test_a_log_that_cannot_be_read(inventory, tmp_path):
    """The others are read all the same."""
    good, cut = tmp_path / "good.json", tmp_path / "cut.gz"
    good.write_text(line(SSH))
    cut.write_bytes(gzip.compress("".join(said_in_turn(*[SSH] * 3000, port=23)).encode())[:-20])
    done = inventory.command("import", tmp_path / "none.json", tmp_path, cut, good, code=1)
    assert "none.json: No such file" in done.stderr and "cut.gz: " in done.stderr
    assert (22, 1) in inventory.ask("SELECT port, connections FROM service")


@pytest.mark.parametrize("content", [None, b"hello\nworld", b"\x1f\x8b\x08cut"])
def test_no_inventory_is_made_of_no_log(inventory, tmp_path, content):
    log = tmp_path / "typo.json"
    if content is not None:
        log.write_bytes(content)
    assert f"{log}: " in inventory.command("import", log, code=1).stderr
    assert set(os.listdir(tmp_path)) <= {"typo.json"}
    # Beside one that can be read it is made; an empty one can be.
    inventory.log.write_text("")
    inventory.command("import", log, inventory.log, code=1)
    assert inventory.command("check").stdout == "ok\n" and inventory.json("list") == []


def test_an_inventory_that_cannot_be_made(inventory, tmp_path):
    inventory.log.write_text(line(SSH) * 3)
    done = run(tmp_path / "nowhere" / "x.db", "import", inventory.log, inventory.log, code=1)
    assert done.stderr.count("nowhere/x.db: ") == 1, done


def test_logs_are_read_in_the_order_of_time(inventory, tmp_path):
    """Whatever their names are."""
    old, new = tmp_path / "b.json", tmp_path / "a.json"
    old.write_text("".join(said_in_turn(*[SSH] * 3)))
    new.write_text(line(SSH.replace(b"9.2", b"9.3"), NOW + DAY))
    inventory.command("import", new, old)
    assert inventory.ask("SELECT first_seen FROM banner ORDER BY id") == [(NOW * 10**6,), ((NOW + DAY) * 10**6,)]
    assert inventory.changes() == ["new", "version"]
    assert "9.3" in inventory.ask("SELECT stable FROM service JOIN banner ON banner.id = banner_id")[0][0]


@pytest.mark.parametrize("between", [False, True])
def test_a_port_that_speaks_after_it_was_new(inventory, between):
    """Its change has what it said first, whether that came before the change was written or after."""
    steps = [line(None, event="open"), line(SSH, NOW + 1), line(SSH.replace(b"9.2", b"9.3"), NOW + 61)]
    for records in [[step] for step in steps] if between else [steps]:
        inventory.take(*records)
    [new, version] = inventory.json("changes")
    assert new["kind"] == "new" and new["new"]["version"].startswith("9.2"), new
    assert version["kind"] == "version" and version["old"]["version"].startswith("9.2"), version


def test_the_greeting_shown_is_the_latest_by_time(inventory):
    """Not the last of a log: several hosts' logs, and greetings that are gathered, are out of order."""
    dated = b"220 mail.example.org ESMTP; Thu, 26 Nov 2026 12:00:%02d +0000\r\n"
    times = [10, 50, 30, 30, 20]
    inventory.take(*[line(dated % second, NOW + second, port=25) for second in times])
    [service] = inventory.json("list")
    assert "12:00:50" in service["banner"] and service["last_seen"] == NOW + 50, service


# --- files that are none ------------------------------------------------------------------------

def lines_of(done):
    assert done.stdout == "" and done.stderr.count("\n") == 1, done
    assert done.stderr.startswith("bannerprobe-inventory: ")
    return done.stderr


@pytest.mark.parametrize("content", [b"hello\n", b"SQLite format 3\0" + bytes(200), b"\0" * 4096, b"x"])
@pytest.mark.parametrize("command", ["list", "import", "forget"])
def test_a_file_that_is_no_inventory(tmp_path, content, command):
    path, log = tmp_path / "x.db", tmp_path / "log"
    path.write_bytes(content)
    log.write_text(line(SSH))
    words = {"list": [], "import": [log], "forget": ["192.0.2.10:22"]}[command]
    done = run(path, command, *words, code=1)
    assert "it is no inventory" in lines_of(done)
    assert path.read_bytes() == content and sorted(os.listdir(tmp_path)) == ["log", "x.db"]


def test_another_database(tmp_path):
    path = tmp_path / "x.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE service (id)")
    before = path.read_bytes()
    lines_of(run(path, code=1))
    assert path.read_bytes() == before


def test_a_newer_version(inventory):
    inventory.take(line(SSH))
    with sqlite3.connect(inventory.path) as db:
        db.execute("PRAGMA user_version = 99")
    for words in ["list"], ["import", inventory.log], ["forget", "192.0.2.10:22"]:
        assert "newer bannerprobe" in lines_of(inventory.command(*words, code=1))


def test_an_old_sqlite(inventory, tmp_path):
    """One without STRICT tables, as Debian 11's: nothing is said to be damaged, and nothing is touched."""
    inventory.take(line(SSH))
    before = (tmp_path / "x.db").read_bytes()
    (tmp_path / "old.c").write_text("""int sqlite3_libversion_number(void) { return 3034001; }
                                    const char *sqlite3_libversion(void) { return "3.34.1"; }""")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", "old.so", "old.c"], cwd=tmp_path, check=True, timeout=60)
    old = {**os.environ, "LD_PRELOAD": str(tmp_path / "old.so")}
    for words in ["list"], ["import", inventory.log], ["forget", "192.0.2.10:22"]:
        told = lines_of(inventory.command(*words, code=1, env=old))
        assert "needs SQLite 3.37 or newer, and here is 3.34.1" in told
    assert (tmp_path / "x.db").read_bytes() == before


def test_no_file(tmp_path):
    for words in [], ["changes"], ["show", "192.0.2.10:22"], ["forget", "192.0.2.10:22"], ["check"], ["gone"]:
        told = lines_of(run(tmp_path / "x.db", *words, code=1))
        assert f"{tmp_path}/x.db: No such file" in told and "import makes an inventory" in told and "--help" in told
    assert not os.listdir(tmp_path)


def test_an_empty_file_is_an_inventory(inventory):
    open(inventory.path, "w").close()
    assert inventory.command().stdout == ""
    inventory.take(line(SSH))
    assert inventory.changes() == ["new"]


def test_a_socket_is_no_inventory(tmp_path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "x.db"))
        for words in [], ["import", os.devnull]:
            assert "x.db: it is no file" in run("x.db", *words, code=1, cwd=tmp_path).stderr


@pytest.mark.parametrize("name", [":memory:", "file:x.db", "file:x.db?mode=memory", "file:%79.db"])
def test_a_name_that_means_something_to_sqlite(inventory, name):
    """It names a file of this folder, and nothing else is made."""
    (inventory.folder / "log").write_text(line(SSH))
    here = {"cwd": inventory.folder}
    run(name, "import", "log", **here)
    assert "OpenSSH" in run(name, **here).stdout
    assert set(os.listdir(inventory.folder)) - {name + "-wal", name + "-shm"} == {"log", name}


def test_a_corrupt_page(inventory):
    inventory.take(*[line(SSH + b"%d" % n, NOW + n, port=n) for n in range(1, 2000)])
    run(inventory.path, "check")
    with open(inventory.path, "r+b") as file:
        for page in range(3, os.path.getsize(inventory.path) // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    done = inventory.command("list", code=1)
    assert "it is damaged" in done.stderr and done.stderr.count("\n") == 1
    inventory.command("check", code=1)
    with open(inventory.log, "a") as log:
        log.write(line(SSH, port=5))
    assert "it is damaged" in inventory.command("import", inventory.log, code=1).stderr


def test_a_full_disk(tmp_path):
    """What was kept stays, and the log can be read again when there is room."""
    folder = tmp_path / "small"
    folder.mkdir()
    netns.sh("mount", "-t", "tmpfs", "-o", "size=600k", "none", str(folder))
    try:
        inventory = Inventory(tmp_path)
        inventory.path = str(folder / "x.db")
        inventory.take(line(SSH))
        with open(inventory.log, "a") as log:
            log.writelines(line(SSH + b"x" * 300 + b"%d" % n, NOW + n, port=n) for n in range(1, 4000))
        done = inventory.command("import", inventory.log, code=1)
        [told] = [text for text in done.stderr.splitlines() if "records" not in text]
        assert told.endswith("x.db: the disk is full: make room")
        assert inventory.ask("SELECT count(*) FROM service") == [(1,)]
        run(inventory.path, "check")
        netns.sh("mount", "-o", "remount,size=60m", str(folder))
        inventory.take()
        assert inventory.ask("SELECT count(*), sum(connections) FROM service") == [(3999, 4000)]
    finally:
        netns.sh("umount", str(folder))


def test_a_locked_file_is_waited_for(inventory):
    inventory.take(line(SSH))
    other = sqlite3.connect(inventory.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    thread = threading.Timer(0.5, lambda: other.execute("COMMIT"))
    thread.start()
    inventory.take(line(SSH, NOW + 1))
    thread.join()
    assert inventory.ask("SELECT connections FROM service") == [(2,)]


def as_nobody(*words, **kwargs):
    return run(*words, user="nobody", group="nogroup", extra_groups=[], cwd="/", **kwargs)


def test_a_reader_that_may_not_write(inventory, tmp_path):
    """Neither the file nor beside it."""
    inventory.take(line(SSH))
    folder = os.path.join("/tmp", f"inventory-test-{os.getpid()}")
    os.mkdir(folder, 0o755)
    try:
        path = shutil.copy(inventory.path, folder)
        program = shutil.copy(BINARY, folder)	# the tree may lie where that user may not look
        os.chmod(path, 0o644)
        assert "OpenSSH" in as_nobody(path, program=program).stdout
        told = lines_of(as_nobody(path, "forget", "192.0.2.10:22", code=1, program=program))
        assert "cannot be" in told
        os.chmod(path, 0o600)
        lines_of(as_nobody(path, code=1, program=program))
    finally:
        shutil.rmtree(folder)


# --- killed, and beside others ------------------------------------------------------------------

def test_killed_at_any_moment(inventory):
    """Nothing is counted twice, no service is there twice, and the rest follows when it is read again."""
    rng = random.Random(5)
    count = 30000
    with open(inventory.log, "w") as log:
        for n in range(count):
            log.write(line(SSH + b"%d" % (n % 7), NOW + n / 100, port=1 + n % 3000, client_port=1024 + n % 50000))
    started = time.monotonic()
    run(str(inventory.folder / "whole.db"), "import", inventory.log)
    whole = time.monotonic() - started
    for _ in range(int(os.environ.get("INVENTORY_KILLS", 40))):
        process = subprocess.Popen([BINARY, inventory.path, "import", str(inventory.log)],
                                   stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.random() * whole / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if os.path.exists(inventory.path):
            assert run(inventory.path, "check").stdout == "ok\n"
    run(inventory.path, "import", inventory.log)
    for path in inventory.path, inventory.folder / "whole.db":
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT count(*), sum(connections) FROM service").fetchone() == (3000, count)
    assert run(inventory.path, "diff", inventory.folder / "whole.db").stdout == ""


def test_readers_while_it_is_written(inventory):
    """And a second writer: no process fails, nothing is lost or reported twice."""
    logs = []
    for i in range(2):
        logs.append(inventory.folder / f"{i}.json")
        logs[i].write_text("".join(line(SSH, NOW + n, port=1 + n % 400, client_port=1024 + n + i * 30000)
                                   for n in range(25000)))
    writers = [subprocess.Popen([BINARY, inventory.path, "import", str(log)], stderr=subprocess.PIPE, text=True)
               for log in logs]
    wait_for("the file", lambda: os.path.exists(inventory.path) and os.path.getsize(inventory.path))
    while any(writer.poll() is None for writer in writers):
        run(inventory.path, "list")
        run(inventory.path, "changes")
    for writer in writers:
        assert writer.wait() == 0, writer.stderr.read()
        writer.stderr.close()
    assert inventory.ask("SELECT count(*), sum(connections) FROM service") == [(400, 50000)]
    assert inventory.ask("SELECT count(*) FROM banner") == [(400,)]
    assert inventory.changes() == ["new"] * len(inventory.changes())
    assert run(inventory.path, "check").stdout == "ok\n"


def test_forgotten_while_it_is_written(inventory):
    inventory.take(line(SSH), line(SSH, port=23))
    inventory.command("forget", "192.0.2.10:22")
    assert inventory.ask("SELECT port FROM service") == [(23,)]
    assert run(inventory.path, "check").stdout == "ok\n"
    inventory.take(line(SSH, NOW + 1))
    assert inventory.changes() == ["new", "new"]


# --- what the commands tell ---------------------------------------------------------------------

@pytest.fixture
def filled(inventory):
    day = time.time() - 3 * DAY
    inventory.take(line(SSH, day), line(SSH.replace(b"9.2", b"9.3"), day + DAY),
                   line(b"220 mail.example.org ESMTP Postfix\r\n", day + 2, port=25),
                   line(b"\x1b[31mred\x07 \\ \"quoted\"\r\n", day + 3, server="2001:db8::1", port=2000),
                   line(SSH, day - 20 * DAY, server="192.0.2.9"))
    return inventory


def test_list(filled):
    table = filled.command().stdout
    assert [text.split()[0] for text in table.splitlines()] == [
        "SERVER", "192.0.2.9:22", "192.0.2.10:22", "192.0.2.10:25", "[2001:db8::1]:2000"]
    assert filled.command("list").stdout == table
    assert [one["server_port"] for one in filled.json("list")] == [22, 22, 25, 2000]
    rows = filled.command("--csv").stdout.splitlines()
    assert rows[0].startswith("sensor,server,port") and len(rows) == 5


@pytest.mark.parametrize("words, ports", [
    (["--net", "192.0.2.10"], [22, 25]), (["--net", "192.0.2.8/31"], [22]), (["--net", "2001:db8::/32"], [2000]),
    (["--port", "22,2000-2010"], [22, 22, 2000]), (["--product", "postfix"], [25]),
    (["--since", "4 days ago"], [22, 25, 2000]), (["--sensor", "north"], []), (["--since", "yesterday"], [])])
def test_filters(filled, words, ports):
    assert [one["server_port"] for one in filled.json("list", *words)] == ports


def test_changes(filled):
    assert [one["kind"] for one in filled.json("changes")] == ["new", "new", "new", "new", "version"]
    since = filled.json("changes", "--since", "60h")
    assert [one["kind"] for one in since] == ["version"]
    assert since[0]["event"] == "change"
    assert "9.2p1" in since[0]["old"]["banner"] and "9.3p1" in since[0]["new"]["banner"]
    assert len(filled.json("changes", "--until", "60h")) == 4
    assert len(filled.json("changes", "--since", "5 days ago", "--until", "1 hour ago", "--port", "25")) == 1
    assert "9.2p1" in filled.command("changes", "--since", "60h").stdout


# Times as a user writes them, in UTC: seconds since 1970; before now; or since today began.
FIXED, AGO, OF_TODAY = (lambda n: n), (lambda n: time.time() - n), (lambda n: time.time() // DAY * DAY + n)


@pytest.mark.parametrize("word, since, number", [
    ("2025-11-26", FIXED, 1764115200), ("2025-11-26T10:00:00Z", FIXED, 1764151200),
    ("2025-11-26T10:00:00.5+01:00", FIXED, 1764147600.5), ("2025-11-26 10:00", FIXED, 1764151200),
    ("yesterday", OF_TODAY, -DAY), ("today", OF_TODAY, 0), ("now", AGO, 0), ("2 days ago", AGO, 2 * DAY),
    ("12h", AGO, DAY / 2), ("3w", AGO, 21 * DAY), ("1 week ago", AGO, 7 * DAY), ("90 minutes ago", AGO, 5400)])
def test_times(inventory, word, since, number):
    """Of two services, one is new a minute before that time and one a minute behind it."""
    inventory.take(line(SSH, since(number) - 60, port=1), line(SSH, since(number) + 60, port=2))
    found = inventory.json("changes", "--since", word, env={**os.environ, "TZ": "UTC"})
    assert [one["server_port"] for one in found] == [2]


@pytest.mark.parametrize("word", ["", "tomorrow", "2026-13-01", "2026-11-26T25:00Z", "12", "h", "5 parsecs",
                                  "2026-11-26x", "99999999999d", "2026-02-29", "2026-04-31", "2026-11-00",
                                  "2026-11-26T10:00:00+24:00", "2026-11-26T10:00:00-01:60"])
def test_no_times(filled, word):
    done = filled.command("changes", "--since", word, code=2)
    assert "is no time like" in lines_of(done)


def test_show(filled):
    text = filled.command("show", "192.0.2.10:22").stdout
    assert text.count("  form ") >= 2 and "9.2p1" in text and "9.3p1" in text and ", current" in text
    assert "version" in text
    filled.command("show", "[2001:db8::1]:2000")
    assert [one.get("kind") for one in filled.json("show", "192.0.2.10:22")] == [None, None, "new", "version"]
    assert "no such service" in lines_of(filled.command("show", "192.0.2.10:99", code=1))


def test_show_marks_what_is_wild(inventory):
    inventory.take(*said_in_turn(*[b"OK %d go\r\n" % n for n in (5, 77, 23)]))
    assert r"OK \{number} go" in inventory.command("show", "192.0.2.10:22").stdout


def test_gone_and_forget(filled):
    assert [one["server"] for one in filled.json("gone")] == ["192.0.2.9"]
    assert len(filled.json("gone", "--gone", "1d")) == 4
    assert filled.json("gone", "--gone", "90d") == []
    assert "1 forgotten" in filled.command("forget", "--not-seen", "10d").stderr
    assert "no such service" in filled.command("forget", "192.0.2.9:22", code=1).stderr
    assert filled.command("check").stdout == "ok\n"
    assert len(filled.json("list")) == 3


def test_diff(filled, tmp_path):
    old = str(tmp_path / "old.db")
    with sqlite3.connect(filled.path) as db:
        db.execute("VACUUM INTO ?", (old,))
    assert filled.command("diff", old).stdout == ""
    filled.take(line(SSH, time.time(), port=99), line(SSH.replace(b"9.2", b"9.4"), time.time()))
    filled.command("forget", "192.0.2.10:25")
    told = filled.command("diff", old, code=1).stdout.splitlines()
    assert sorted((text[0], text.split()[1]) for text in told) == [
        ("+", "192.0.2.10:22"), ("+", "192.0.2.10:99"), ("-", "192.0.2.10:25")]
    lines_of(filled.command("diff", tmp_path / "none.db", code=2))


def two_inventories(folder, old, new):
    """Two files of these lines."""
    files = []
    for name, lines in ("old", old), ("new", new):
        (folder / name).mkdir()
        files.append(Inventory(folder / name))
        files[-1].take(*lines)
    return files


def servers_of(diff):
    return {text.split()[1].rsplit(":")[0] for text in diff.splitlines()}


@pytest.mark.parametrize("before, after", [(1, 1), (1, 5), (2, 40), (40, 1)])
def test_diff_of_what_nobody_touched(tmp_path, before, after):
    """The two files have met a service in other connections, few or many: no difference."""
    names, lines = {}, ([], [])
    for i, (name, server) in enumerate(all_servers().items()):
        where = {"server": f"192.0.2.{i + 1}", "port": {"time": 37}.get(name, 1000 + i)}
        names[where["server"]] = name
        for n, (c, said) in enumerate(greetings.connections(server, before + after, NOW + i)):
            lines[n >= before].append(line(said, c.now, client=c.client, client_port=c.port, **where))
    old, new = two_inventories(tmp_path, *lines)
    told = subprocess.run([BINARY, new.path, "diff", old.path], capture_output=True, text=True, timeout=60).stdout
    # A few connections may be too few for one form.
    several = {server for one in (old, new) for server, in one.ask(
        "SELECT server FROM service JOIN banner ON service_id = service.id GROUP BY service.id HAVING count(*) > 1")}
    assert len(several) <= 3
    assert not servers_of(told) - several, {names[server] for server in servers_of(told) - several}


@pytest.mark.parametrize("before, after", [(3, 20), (1, 3), (3, 1)])
def test_diff_tells_each_upgrade(tmp_path, before, after):
    names, lines = {}, ([], [])
    for i, (name, *servers) in enumerate(upgrades.upgrades()):
        where = {"server": f"10.0.{i // 200}.{i % 200 + 1}", "port": 1000 + i}
        names[where["server"]] = name
        for new, server in enumerate(servers):
            for c, _ in greetings.connections(server, after if new else before, NOW + new * DAY, seed=2):
                c.n += before if new else 0
                lines[new].append(line(greetings.encode(server(c)), c.now, client=c.client, client_port=c.port,
                                       **where))
    old, new = two_inventories(tmp_path, *lines)
    silent = set(names) - servers_of(new.command("diff", old.path, code=1).stdout)
    assert not silent, {names[server] for server in silent}


def test_diff_of_what_is_ever_different(tmp_path):
    rng = random.Random(3)
    files = two_inventories(tmp_path, *[said_in_turn(*[rng.randbytes(40) for _ in range(20)]) for _ in range(2)])
    assert files[1].command("diff", files[0].path).stdout == ""


def test_nothing_unescaped_is_shown(filled):
    for words in [], ["--csv"], ["--json"], ["changes"], ["changes", "--json"], ["show", "[2001:db8::1]:2000"], \
            ["gone", "--gone", "1d"], ["show", "[2001:db8::1]:2000", "--json"]:
        text = filled.command(*words).stdout
        assert "red" in text and re.fullmatch(r"[\x20-\x7e\n]*", text), words
    name = "\x1b[31mnorth\n"
    filled.command("import", "--sensor", name, filled.log)
    for words in [], ["--csv"], ["--json"], ["changes"], ["show", "192.0.2.10:22"]:
        assert re.fullmatch(r"[\x20-\x7e\n]*", filled.command(*words).stdout), words


def test_a_hostile_file(filled):
    """What another program wrote into it reaches no terminal, and no trigger runs."""
    with sqlite3.connect(filled.path) as db:
        db.execute("UPDATE banner SET stable = char(27) || 'x', product = char(27) || '[2J', version = 'y'")
        db.execute("UPDATE service SET sensor = char(27) || id, tunnel = char(27)")
        db.execute("CREATE TRIGGER t AFTER INSERT ON service BEGIN DELETE FROM banner; END")
    for words in [], ["--csv"], ["--json"], ["changes"], ["show", "192.0.2.10:22"], ["gone", "--gone", "1d"]:
        assert re.fullmatch(r"[\x20-\x7e\n]*", filled.command(*words).stdout), words
    filled.take(line(SSH, port=77))
    assert filled.ask("SELECT count(*) > 3 FROM banner") == [(1,)]


def test_a_consumer_that_waits_keeps_no_transaction_open(filled):
    """What it did not take yet is kept elsewhere: a probe's file beside the inventory can begin anew."""
    lines = [line(SSH, server=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(3000)]
    filled.take(*lines)
    for words in ["list", "--json"], ["list", "--csv"], ["changes"], ["gone", "--gone", "1s"], ["report"]:
        whole, write = filled.command(*words).stdout, "UPDATE import SET read = read + 1"
        with contextlib.closing(sqlite3.connect(filled.path, isolation_level=None)) as db, \
                contextlib.nullcontext(db.execute(write)), \
                subprocess.Popen([BINARY, filled.path, *words], stdout=subprocess.PIPE, text=True) as process:
            begun = process.stdout.read(1)
            db.execute(write)
            wait_for("no reader", lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
            assert process.poll() is None
            if words == ["report"]:
                assert (begun + process.stdout.read()).endswith("</html>\n")
            else:
                assert begun + process.stdout.read() == whole, words
        assert process.returncode == 0


def test_a_computed_column_takes_no_memory(inventory):
    """A file of some pages; its schema makes each form 400 MB long."""
    inventory.take(line(SSH))
    with contextlib.closing(sqlite3.connect(inventory.path)) as db:
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'os TEXT,', 'os TEXT AS (hex(zeroblob(200000000))),')")
        db.commit()
    for words in ["list", "--json"], ["show", "192.0.2.10:22"], ["report"]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = subprocess.run([BINARY, inventory.path, *words], capture_output=True, timeout=PATIENCE)
        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 100000)
        assert done.returncode in (0, 1) and len(done.stdout) < 10 ** 6


@pytest.mark.parametrize("end", ["-journal", "-wal", "-shm"])
def test_a_pipe_beside_the_file(inventory, end):
    """SQLite would wait for its writer, and all that root asks would with it."""
    inventory.take(line(SSH))
    os.mkfifo(inventory.path + end)
    for words in ["list"], ["forget", "192.0.2.10:22"], ["import", inventory.log]:
        done = subprocess.run([BINARY, inventory.path, *words], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 1
        assert done.stderr == f"bannerprobe-inventory: {inventory.path}{end}: it is no file: remove it\n"


def test_no_formula_in_csv(inventory):
    """A spreadsheet computes what begins with one of these signs."""
    inventory.take(line(b"=HYPERLINK(\"http://x\")\r\n", sensor="@SUM(1)"), line(b"+OK ready\r\n", port=110),
                   line(b"-2+3|x\r\n", port=23))
    fields = [field for row in csv.reader(inventory.command("--csv").stdout.splitlines()) for field in row]
    assert not [field for field in fields if field[:1] in ("=", "+", "-", "@")]
    assert {"\\x3dHYPERLINK(\"http://x\")\\x0d\\x0a", "\\x40SUM(1)", "\\x2bOK ready\\x0d\\x0a"} <= set(fields)


def test_times_before_1970_are_numbers(filled):
    with sqlite3.connect(filled.path) as db:
        db.execute("UPDATE service SET last_seen = -500000")
    assert {one["last_seen"] for one in filled.json("gone")} == {-0.5}


@pytest.mark.parametrize("sensor", ["x" * 256, "a\0b", 7, ["a"]])
def test_a_sensor_that_cannot_be_named_is_not_another(inventory, sensor):
    told = inventory.take(line(SSH), line(SSH, port=23, sensor=sensor), line(SSH, port=24, sensor="y" * 255),
                          line(SSH, port=25, sensor=""), line(SSH, port=26, sensor=None))
    assert f"{inventory.log}:2: cut in half, or no record of bannerprobe" in told
    assert inventory.ask("SELECT port, length(sensor) FROM service ORDER BY port") == [
        (22, 0), (24, 255), (25, 0), (26, 0)]


def test_the_table_fits_the_terminal(inventory):
    import pty
    import struct
    import fcntl
    import termios
    inventory.take(line(b"220 " + b"long " * 60 + b"\r\n"))
    for columns in 80, 120:
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        subprocess.run([BINARY, inventory.path], stdout=side, timeout=PATIENCE, check=True)
        os.close(side)
        text = os.read(main, 65536).decode()
        os.close(main)
        assert max(len(row) for row in text.splitlines()) <= columns


def test_a_signal_just_before_a_wait_ends_an_import(inventory, tmp_path):
    """strace delivers it with the pipe's first bytes, so that the wait for more begins after it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with open(os.open(fifo, os.O_RDWR), "wb", buffering=0) as pipe:
        pipe.write(line(SSH).encode())
        done = subprocess.run(
            ["strace", "-qq", "-o", tmp_path / "calls", "-P", fifo, "-e", "trace=read",
             "-e", "inject=read:signal=TERM:when=1", BINARY, inventory.path, "import", fifo],
            capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "stopped by a signal" in done.stderr, done


def test_follow(inventory):
    """Changes are printed as they come; a signal, or a reader that goes, ends it."""
    inventory.take(line(SSH))
    process = subprocess.Popen([BINARY, inventory.path, "changes", "--follow", "--json"],
                               stdout=subprocess.PIPE, text=True)
    wait_for("it to watch", lambda: "inotify" in " ".join(
        os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd"))
        and "poll" in open(f"/proc/{process.pid}/wchan").read())
    inventory.take(line(SSH.replace(b"9.2", b"9.9"), NOW + 60))
    told = json.loads(process.stdout.readline())
    assert told["kind"] == "version" and "9.9p1" in told["new"]["banner"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE) == 0
    process.stdout.close()


@contextlib.contextmanager
def following(inventory, *before):
    """A process that follows the changes, once it waits for them; its lines come one by one."""
    with subprocess.Popen([*before, BINARY, inventory.path, "changes", "--follow"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        wait_for("it to watch", lambda: "inotify" in " ".join(
            os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd"))
            and "poll" in open(f"/proc/{process.pid}/wchan").read())
        yield process
        process.terminate()
        assert process.wait(timeout=PATIENCE) == 0


def test_the_number_of_a_burst_is_followed(inventory):
    """70 new services of one server: 40 lines, and the number when the minute is over; each once."""
    begin = time.time() - 55		# the number is known ten seconds after the start, on a busy machine too

    def take(ports, server="192.0.2.10"):
        inventory.take(*(line(SSH, begin + port / 1000, server=server, port=port) for port in ports))

    take(range(1000, 1060), "192.0.2.9")
    with following(inventory) as process:
        take(range(1000, 1040))
        said = [process.stdout.readline() for _ in range(40)]
        assert {row.split()[3] for row in said} == {f"192.0.2.10:{port}" for port in range(1000, 1040)}
        take(range(1040, 1070))
        assert select.select([process.stdout], [], [], PATIENCE)[0]
        assert re.search(r" new  .* 192\.0\.2\.10:1000 .* \(and 69 more of this server at once\)\n",
                         process.stdout.readline())
        take([1000], "192.0.2.11")
        assert "192.0.2.11:1000 " in process.stdout.readline()


def test_a_signal_ends_what_waits_for_its_consumer(inventory):
    inventory.take(*[line(SSH, server=f"10.0.{n >> 8}.{n & 255}") for n in range(3000)])
    with subprocess.Popen([BINARY, inventory.path, "changes", "--follow", "--since", "2000-01-01"],
                          stdout=subprocess.PIPE) as process:
        wait_for("a full pipe", lambda: "pipe_write" in open(f"/proc/{process.pid}/wchan").read())
        process.terminate()
        assert process.wait(timeout=2) == 0


def test_a_signal_ends_an_import_that_waits_for_another_writer(inventory):
    inventory.take(line(SSH))
    with contextlib.closing(sqlite3.connect(inventory.path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with open(inventory.log, "a") as log:
            log.write(line(SSH, port=23))
        with subprocess.Popen([BINARY, inventory.path, "import", inventory.log], stderr=subprocess.PIPE,
                              text=True) as process:
            wait_for("it to wait", lambda: "sleep" in open(f"/proc/{process.pid}/wchan").read())
            process.terminate()
            assert "another process writes it" in process.communicate(timeout=2)[1] and process.returncode == 1
        db.execute("ROLLBACK")
    assert "1 records" in inventory.take()


def test_an_empty_file_is_followed(inventory):
    open(inventory.path, "w").close()
    with following(inventory) as process:
        inventory.take(line(SSH))
        assert "new       192.0.2.10:22" in process.stdout.readline()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it mounts")
def test_a_file_is_followed_where_nothing_can_be_written_beside_it(inventory, tmp_path):
    """As by another user, before a probe runs: SQLite reads it as one that does not change."""
    inventory.take(line(SSH))
    mount = f"mount -o bind {tmp_path} {tmp_path} && mount -o remount,bind,ro {tmp_path} && exec \"$@\""
    with following(inventory, "unshare", "-m", "sh", "-c", mount, "sh") as process:
        inventory.take(line(SSH, port=23))
        assert "new       192.0.2.10:23" in process.stdout.readline()


def test_a_file_that_is_replaced_is_followed(inventory):
    """Another inventory from its beginning, a copy of this one from where it was."""
    def move_away(to):
        for end in "-wal", "-shm", "":
            os.rename(inventory.path + end, to + end)

    inventory.take(*[line(SSH, port=port) for port in range(22, 26)])
    with following(inventory) as process:
        move_away(inventory.path + ".old")
        assert process.stdout.readline().endswith("x.db: it was removed: another one is waited for\n")
        inventory.take(line(SSH, port=99))
        assert process.stdout.readline().endswith("x.db: it was replaced: its changes follow\n")
        assert [process.stdout.readline().split()[3] for _ in range(5)][-1] == "192.0.2.10:99"
        with sqlite3.connect(inventory.path) as db:
            db.execute("VACUUM INTO ?", (inventory.path + ".copy",))
        move_away(inventory.path + ".older")
        assert "it was removed" in process.stdout.readline()
        os.rename(inventory.path + ".copy", inventory.path)
        assert process.stdout.readline().endswith("x.db: it was replaced: its changes follow\n")
        inventory.take(line(SSH, port=100))
        assert "192.0.2.10:100" in process.stdout.readline()


@pytest.mark.parametrize("spelled", ["x.db", "./x.db", "link", "hard", "x.db-wal"])
def test_a_report_is_never_written_over_the_inventory(inventory, tmp_path, spelled):
    inventory.take(line(SSH))
    (tmp_path / "link").symlink_to("x.db")
    os.link(tmp_path / "x.db", tmp_path / "hard")
    with sqlite3.connect(inventory.path) as held:		# so that there is a -wal
        held.execute("PRAGMA user_version").fetchall()
        before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
        told = run("x.db", "report", "-o", spelled, code=2, cwd=tmp_path)
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert f"report: -o {spelled}: this is the inventory: name another file" in lines_of(told)
    assert inventory.command().stdout


@pytest.mark.parametrize("content", [
    b"2026-11-26 23:31:19.530791 192.0.2.1:22 -> 192.0.2.9:1 SSH-2.0-x\n" * 50000, b"\xd4\xc3\xb2\xa1\n\0\n\0",
    b"hello\n"], ids=["text", "capture", "one line"])
def test_what_is_no_log(inventory, tmp_path, content):
    """One line says so, whatever it has instead; nothing is remembered of it."""
    (tmp_path / "other").write_bytes(content)
    for _ in range(2):
        told = run(inventory.path, "import", tmp_path / "other", code=1).stderr.splitlines()
        assert len(told) == 2 and told[0].startswith(f"bannerprobe-inventory: {tmp_path}/other: it is no log of ")
        assert "0 records" in told[1]
    # It becomes one: nothing of it was taken for read.
    with open(tmp_path / "other", "ab") as log:
        log.write(b"\n" + line(SSH).encode() + b"\n")
    assert "1 records" in run(inventory.path, "import", tmp_path / "other").stderr


# --- usage --------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, told", [
    (["list", "--net", "nowhere"], "--net: nowhere is no net like"),
    (["list", "--port", "x"], "--port: x is no list of ports like"),
    (["list", "--port", "70000"], "--port: 70000 is no list of ports like"),
    (["--csv", "--json"], "--json, --csv: only one"), (["import"], "import: which logs?"),
    (["show"], "show: which service?"), (["show", "here"], "here: no service like"),
    (["show", "192.0.2.1:x"], "192.0.2.1:x: no service like"), (["diff"], "diff: from which older inventory?"),
    (["forget"], "forget: a service, SERVER:PORT, or"),
    (["forget", "192.0.2.1:1", "--not-seen=1d"], "forget: a service, SERVER:PORT, or"),
    (["gone", "--gone", "x"], "--gone: x is no span like"), (["--nonsense"], "--nonsense: no such option of list"),
    *[([command, "word"], f"word: {command} takes options only; the inventory stands before it")
      for command in ("changes", "check", "gone", "clients", "report")],
    (["-x"], "-x: no such option of list: bannerprobe-inventory list --help shows all"),
    (["report", "-jx"], "-j: no such option of report: bannerprobe-inventory report --help shows"),
    (["list", "-jx"], "-x: no such option of list"), (["list", "-o", "x"], "-o: no such option of list"),
    (["list", "--port"], "--port: a value is missing: --port PORTS"),
    (["list", "-p"], "-p: a value is missing"), (["report", "-g7d", "-o"], "-o: a value is missing"),
    (["list", "--json=yes"], "--json: takes no value"), (["list", "--s", "x"], "--s: is it --sensor or --since?"),
    (["forget", "--not-seen", "0x"], "--not-seen: 0x is no span like"),
    (["forget", "--not-seen", "0d"], "--not-seen: 0d is no time at all: give a span like 7d"),
    (["gone", "--gone", "0s"], "--gone: 0s is no time at all"),
    (["import", "--gone", "0h", "x"], "--gone: 0h is no time at all"),
    (["list", "--net", "192.0.2.0/33"], "--net: 192.0.2.0/33 is no net like"),
    (["list", "--net", "::/129"], "--net: ::/129 is no net like"),
    (["list", "--net", "10.0.0.0/"], "--net: 10.0.0.0/ is no net like"),
    (["list", "--net", "10.0.0.0/+8"], "--net: 10.0.0.0/+8 is no net like"),
    (["list", "--net", "10.0.0.0/4294967304"], "--net: 10.0.0.0/4294967304 is no net like"),
    (["list", "--port", " 22"], "--port:  22 is no list of ports like"),
    (["list", "--port", "22-"], "--port: 22- is no list of ports like"),
    (["list", "--port", "22-21"], "--port: 22-21 is no list of ports like"),
    (["show", "192.0.2.10:4294967318"], "192.0.2.10:4294967318: no service like"),
    (["forget", "192.0.2.10: 22"], "192.0.2.10: 22: no service like"),
    (["diff", "a", "b"], "b: one older inventory is enough"),
    (["lst"], "lst: no such command: list, changes, show,"), ([""], "'': no such command"),
    (["list", "--prot", "22"], "--prot: no such option of list: bannerprobe-inventory list --help"),
    (["changes", "--csv"], "--csv: no such option of changes: bannerprobe-inventory changes --help"),
    (["list", "--port", "0"], "--port: 0 is no list of ports like"),
    (["list", "--port", ""], "--port: '' is no list of ports like"),
    (["list", "--net", ""], "--net: '' is no net like"), (["show", ""], "'': no service like"),
    (["changes", "--since", ""], "--since: '' is no time like"),
    (["changes", "--since", "1d", "--until", "2d"], "--since, --until: the first time is after the second"),
    (["changes", "--follow", "--until", "1d"], "--follow, --until: only one of them"),
    (["report", "-o", ""], "-o '': an empty name"), (["import", ""], "import '': an empty name"),
    (["import", "--probes", "/no/such", "x"], "--probes /no/such: No such file"),
    (["import", "--probes", "/etc", "x"], "--probes /etc: is no file: name one like nmap's"),
    (["import", "--recog", "/dev/null", "x"], "--recog /dev/null: is no file and no folder"),
    (["import", "--gone", "", "x"], "--gone: '' is no span like")])
def test_wrong_usage(tmp_path, words, told):
    assert told in lines_of(run(tmp_path / "x.db", *words, code=2))
    assert not os.listdir(tmp_path)


def test_help_and_version():
    assert "import" in run("--help").stdout and "SQLite" in run("--version").stdout
    for command in "list", "changes", "show", "import", "diff", "gone", "forget", "check":
        assert "--help" in run(command, "--help").stdout


def test_words_of_the_command_line(filled):
    """A first word that is a command is one; the options of list are understood without it."""
    assert run("--json", filled.path).stdout == filled.command("list", "--json").stdout
    # An empty /var/lib of its own: this host may have an inventory.
    done = run("-m", "sh", "-c", 'mount -t tmpfs empty /var/lib && exec "$@"', "sh", BINARY, "changes",
               code=1, program="unshare")
    assert "/var/lib/bannerprobe/inventory.db" in done.stderr


# --- what is installed beside it ----------------------------------------------------------------

PACKAGING = os.path.join(netns.ROOT, "packaging")
MAN_PAGE = os.path.join(PACKAGING, "bannerprobe-inventory.1")
COMMANDS = ["list", "changes", "show", "report", "clients", "import", "diff", "gone", "forget", "check"]


def options_of(command):
    return set(re.findall(r"(?<![\w-])--[\w-]+", run(command, "--help").stdout))


def test_manual():
    """It has no errors, and all commands, options and columns."""
    told = subprocess.run(["mandoc", "-T", "lint", MAN_PAGE], capture_output=True, text=True)
    assert not [text for text in told.stdout.splitlines() if "manual not found" not in text]
    manual = re.sub(".\x08", "", netns.sh("mandoc", "-T", "ascii", MAN_PAGE))
    assert set(COMMANDS) <= set(re.findall(r"\w+", manual))
    missing = {(command, option) for command in COMMANDS for option in options_of(command) if option not in manual}
    assert not missing
    letters = {pair for command in COMMANDS for pair in re.findall(r"-\w, --[\w-]+", run(command, "--help").stdout)}
    assert len(letters) > 10 and not [pair for pair in letters if pair not in manual]


def test_manual_has_all_columns(inventory):
    open(inventory.path, "w").close()
    inventory.take(line(SSH))
    manual = re.sub(".\x08", "", netns.sh("mandoc", "-T", "ascii", MAN_PAGE))
    for table in "service", "banner", "change":
        columns = {row[1] for row in inventory.ask(f"PRAGMA table_info({table})")}
        assert columns and columns <= set(re.findall(r"\w+", manual)), table
    assert inventory.ask("SELECT DISTINCT strict FROM pragma_table_list WHERE name IN"
                         " ('service', 'banner', 'change')") == [(1,)]
    assert inventory.ask("PRAGMA journal_mode") == [("wal",)]


def complete(text):
    words = text.split(" ")
    script = f"""
        . /usr/share/bash-completion/bash_completion
        . {os.path.join(PACKAGING, "bannerprobe-inventory.bash")}
        COMP_WORDS=({" ".join(word or "''" for word in words)}) COMP_CWORD={len(words) - 1} COMP_TYPE=9
        COMP_LINE='{text}' COMP_POINT={len(text)}
        _bannerprobe_inventory {BINARY} '{words[-1]}' '{words[-2]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """
    done = subprocess.run(["bash", "-c", script], timeout=PATIENCE, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return set(done.stdout.split("\n")) - {""}


def test_completion():
    assert set(COMMANDS) <= complete("bannerprobe-inventory ")
    assert complete("bannerprobe-inventory ch") >= {"changes", "check"}
    for command in COMMANDS:
        assert {option.rstrip("=") for option in complete(f"bannerprobe-inventory {command} --")} == options_of(command)


def test_installed(tmp_path):
    netns.sh("make", "-s", "install-inventory", f"DESTDIR={tmp_path}", "PREFIX=/usr", cwd=netns.ROOT)
    files = {os.path.relpath(os.path.join(path, name), tmp_path)
             for path, _, names in os.walk(tmp_path) for name in names}
    assert files == {"usr/bin/bannerprobe-inventory", "usr/share/man/man1/bannerprobe-inventory.1",
                     "usr/share/bash-completion/completions/bannerprobe-inventory"}
