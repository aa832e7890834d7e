# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Identification: the project's rules by their examples, nmap's by nmap itself, Recog's by its own examples."""

import asyncio
import base64
import collections
import glob
import json
import os
import random
import re
import subprocess
import threading
import xml.etree.ElementTree

import pytest

import netns
import packets
import pattern_samples
import rig
from conftest import BUILD
from netns import ROOT

TOOL = os.path.join(BUILD, "tests", "identify")
RULES = os.path.join(ROOT, "packaging", "rules")
SHARED = os.path.join(ROOT, os.pardir, "shared")
RECOG = os.path.join(SHARED, "recog")
EXPECTED = os.path.join(SHARED, "captures", "expected.jsonl")
PROBES = "/usr/share/nmap/nmap-service-probes"
FIRST_PORT = 20000
NMAP_SECONDS = 300

Said = collections.namedtuple("Said", "bytes port who whole", defaults=(0, "first", True))


def ask(said, *args):
    """What each is, as the tool says; and what it says beside."""
    lines = [f"{one.who} {one.port} {'whole' if one.whole else 'cut'} {one.bytes.hex()}\n" for one in said]
    done = subprocess.run([TOOL, *args], input="".join(lines), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers = list(map(json.loads, done.stdout.splitlines()))
    assert len(answers) == len(lines)
    return answers, done.stderr


def by_rules(said):
    return ask(said, "-o", RULES)[0]


# --- the project's own rules --------------------------------------------------------------------

Example = collections.namedtuple("Example", "place rule bytes fields")


@pytest.fixture(scope="module")
def examples():
    listed = subprocess.run([TOOL, "-e", "-o", RULES], capture_output=True, text=True)
    assert not listed.returncode and not listed.stderr, listed.stderr
    found = []
    for line in listed.stdout.splitlines():
        place, rule, said, fields = line.split("\t")
        found.append(Example(place, f"{place.rpartition(':')[0]}:{rule}", bytes.fromhex(said), json.loads(fields)))
    return found


def test_each_example_comes_out(examples):
    for one, answer in zip(examples, by_rules([Said(one.bytes) for one in examples])):
        keys = "service", "product", "version", "cpe"
        assert {key: answer.get(key) for key in keys} == {key: one.fields.get(key) for key in keys}, one.place


def test_each_rule_has_an_example(examples):
    rules = set()
    for path in glob.glob(f"{RULES}/*.rules"):
        with open(path) as file:
            rules |= {f"{path}:{number}" for number, line in enumerate(file, 1)
                      if line.strip() and line[0] not in "#\t "}
    assert rules == {one.rule for one in examples}


def test_there_are_a_hundred_products_with_version_and_cpe(examples):
    assert len({one.fields["product"] for one in examples
                if one.fields.get("version") and one.fields.get("cpe")}) >= 100


def test_nothing_is_wrong_where_an_example_is_cut(examples):
    """Less may be known of it, but nothing else."""
    cuts = [(one, end) for one in examples for end in range(1, len(one.bytes))]
    answers = by_rules([Said(one.bytes[:end], whole=False) for one, end in cuts])
    for (one, end), answer in zip(cuts, answers):
        for key in "product", "version":
            assert answer.get(key) in (None, one.fields.get(key)), (one.place, end, answer)


def test_rules_of_the_user_come_first(tmp_path):
    (tmp_path / "mine.rules").write_text('ftp /^220 \\(vsFTPd/ product=Mine\n')
    (tmp_path / "other.txt").write_text('ftp /^220/ product=Other\n')
    said = [Said(b"220 (vsFTPd 3.0.3)\r\n")]
    assert ask(said, "-o", str(tmp_path), "-o", RULES)[0][0]["product"] == "Mine"
    assert ask(said, "-o", RULES, "-o", str(tmp_path))[0][0]["product"] == "vsftpd"


def test_servers_of_the_demo():
    """Six real servers, by what bannerprobe reads from a capture of them."""
    banners = packets.records("-r", os.path.join(ROOT, "tests", "captures", "servers.pcap"))
    said = sorted({Said(netns.decoded(one["banner"]), one["server_port"]) for one in banners})
    found = {one.port: (answer["product"], answer.get("version"), answer.get("cpe"))
             for one, answer in zip(said, by_rules(said))}
    debian = "cpe:/o:debian:debian_linux"
    assert found == {
        21: ("vsftpd", "3.0.3", ["cpe:/a:vsftpd_project:vsftpd:3.0.3"]),
        22: ("OpenSSH", "9.2p1 Debian-2+deb12u10", ["cpe:/a:openbsd:openssh:9.2p1", f"{debian}:12"]),
        25: ("aiosmtpd", "1.4.3", ["cpe:/a:aio-libs:aiosmtpd:1.4.3"]),
        110: ("Dovecot", None, ["cpe:/a:dovecot:dovecot", debian]),
        143: ("Dovecot", None, ["cpe:/a:dovecot:dovecot", debian]),
        3306: ("MariaDB", "10.11.19-MariaDB-0+deb12u1", ["cpe:/a:mariadb:mariadb:10.11.19", f"{debian}:12"])}


def test_captures():
    """What real servers said in the captures at hand."""
    if not os.path.exists(EXPECTED):
        pytest.skip("the captures are not here")
    with open(EXPECTED) as file:
        records = list(map(json.loads, file))
    said = [Said(bytes.fromhex(one["value_hex"]), one["server_port"]) for one in records]
    found = {(answer.get("service"), answer.get("product"), answer.get("version")) for answer in by_rules(said)}
    assert found >= {("ssh", "Cisco SSH", "1.24"), ("ssh", "OpenSSH", "4.3"),
                     ("mysql", "MySQL", "5.5.35-0ubuntu0.12.04.2"), ("smtp", "CommuniGate Pro", "6.1.16"),
                     ("smtp", "Postfix", None), ("ftp", "vsftpd", "3.0.2"), ("ftp", "NetBSD-ftpd", "20100320"),
                     ("ftp", "FileZilla Server", "0.9.33 beta"), ("nntp", "Leafnode", "1.11.7.rc1"),
                     ("irc", None, None), ("vnc", None, None), ("bgp", None, None), ("munin", "Munin", None),
                     ("kismet", "Kismet", "2005.08.R1")}


# --- nmap's rules -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def nmap():
    rig.install("nmap", "nmap-common")
    if not os.path.exists(PROBES):
        pytest.skip("nmap cannot be had")


class Greeters:
    """A port for each greeting; only the first connection is greeted: nmap's other probes get nothing."""

    def __init__(self, ns, greetings):
        self.greetings, self.ready, self.served = greetings, threading.Event(), set()
        self.sockets = []
        with ns.entered():
            for number in range(len(greetings)):
                self.sockets.append(netns.socket.create_server(("127.0.0.1", FIRST_PORT + number)))
        threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True).start()
        assert self.ready.wait(netns.PATIENCE)

    async def _run(self):
        for number, listening in enumerate(self.sockets):
            await asyncio.start_server(self._serve(number), sock=listening)
        self.ready.set()
        await asyncio.Event().wait()

    def _serve(self, number):
        async def serve(reader, writer):
            try:
                if number not in self.served:
                    self.served.add(number)
                    writer.write(self.greetings[number])
                    await asyncio.wait_for(reader.read(1), netns.PATIENCE)
            except (OSError, asyncio.TimeoutError):
                pass		# nmap leaves as it likes
            writer.close()
        return serve


FIELDS = {"product": "product", "version": "version", "info": "extrainfo", "hostname": "hostname", "os": "ostype",
          "devicetype": "devicetype"}


def answers_of_nmap(path):
    answers = {}
    for port in xml.etree.ElementTree.parse(path).iter("port"):
        service, answer = port.find("service"), {}
        if service is not None and service.get("method") == "probed":
            answer = {key: service.get(name) for key, name in FIELDS.items() if service.get(name)}
            answer["service"] = service.get("name")
            if cpes := [cpe.text for cpe in service.findall("cpe")]:
                answer["cpe"] = cpes
        answers[int(port.get("portid")) - FIRST_PORT] = answer
    return answers


def compare_with_nmap(greetings, tmp_path):
    """nmap itself, asked what each of the greetings is. Returns how many it knows."""
    with netns.Namespace("host") as ns:
        greeters = Greeters(ns, greetings)
        ports = f"{FIRST_PORT}-{FIRST_PORT + len(greetings) - 1}"
        subprocess.run(ns.argv("nmap", "-sS", "-sV", "--version-intensity", "0", "-Pn", "-n", "-p", ports,
                               "-oX", str(tmp_path / "nmap.xml"), "127.0.0.1"),
                       check=True, capture_output=True, timeout=NMAP_SECONDS)
    theirs = answers_of_nmap(tmp_path / "nmap.xml")
    ours, _ = ask([Said(one) for one in greetings], "-p", PROBES)
    unaided, _ = ask([Said(one) for one in greetings])
    assert greeters.served == set(range(len(greetings)))
    for number, greeting in enumerate(greetings):
        assert ours[number] == (theirs[number] or unaided[number]), greeting
    return sum(map(bool, theirs.values()))


def test_nmap_says_the_same(nmap, examples, tmp_path):
    greetings = sorted({one.bytes for one in examples if not one.bytes.startswith(b"HTTP/")})
    assert compare_with_nmap(greetings, tmp_path) > 100


# A line that begins so and has no end is taken for the beginning of one.
CUT_LINE = re.compile(rb"(SSH-|\+OK|-ERR|RFB |@RSYNCD:|\* |:|\d{3}[ -])[^\n]*\Z")


def test_nmap_says_the_same_of_its_own_patterns(nmap, tmp_path):
    """Of texts that some of its patterns match: all of them take a minute (NMAP_SAMPLES=all)."""
    greetings = [one for one in pattern_samples.samples(PROBES, seed=1)
                 if not one.startswith(b"HTTP/") and not CUT_LINE.search(one)]
    if os.environ.get("NMAP_SAMPLES") != "all":
        greetings = random.Random(1).sample(greetings, 400)
    assert compare_with_nmap(greetings, tmp_path) > len(greetings) * 0.9


def test_a_frame_of_stars_is_no_line_of_imap(nmap):
    """A telnet server's text whose last line begins as IMAP's do, and has no end, is whole all the same."""
    text = b"\r\n**\r\n*          All rights reserved (1997-2004)              *\r\n"
    said = [Said(text + b"*      Without the owner's prior written cons".ljust(128 - len(text), b".") + b"ent,"),
            Said(b"* OK " + text + b"*      Without the owner's prior written".ljust(123 - len(text), b".") + b"ent,")]
    answers, _ = ask(said, "-p", PROBES)
    assert [one.get("product") for one in answers] == ["Nagios NSCA", None]


def test_nmap_file_is_understood(nmap):
    said = [Said(b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\n", 80, "second"),
            Said(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", 22, "second")]
    answers, stderr = ask(said, "-t", "-p", PROBES)
    assert [(one["product"], one["version"]) for one in answers] == [
        ("nginx", "1.22.1"), ("OpenSSH", "9.2p1 Debian 2+deb12u3")]
    assert " refused 0 " in stderr


# --- Recog's fingerprints -----------------------------------------------------------------------

def examples_of(fingerprints):
    for fingerprint in fingerprints.findall("fingerprint"):
        for one in fingerprint.findall("example"):
            text = one.text or ""
            said = base64.b64decode(text) if one.get("_encoding") == "base64" else text.encode()
            yield said, {key: value for key, value in one.attrib.items() if not key.startswith("_")}


@pytest.mark.skipif(not os.path.isdir(RECOG), reason="Recog's fingerprints are not here")
@pytest.mark.parametrize("name", ["ftp_banners", "imap_banners", "mysql_banners", "mysql_error", "nntp_banners",
                                  "pop_banners", "rsh_resp", "smtp_banners", "ssh_banners", "telnet_banners"])
def test_recog_examples(name):
    root = xml.etree.ElementTree.parse(f"{RECOG}/{name}.xml").getroot()
    kind = root.get("matches") or root.get("protocol")
    wanted = list(examples_of(root))
    done = subprocess.run([TOOL, "-k", kind, "-r", RECOG], input="".join(said.hex() + "\n" for said, _ in wanted),
                          capture_output=True, text=True, timeout=120)
    assert not done.returncode and not done.stderr, done.stderr
    answers = list(map(json.loads, done.stdout.splitlines()))
    assert len(answers) == len(wanted) > 5
    for (said, fields), answer in zip(wanted, answers):
        assert answer and fields.items() <= answer.items(), said


@pytest.mark.skipif(not os.path.isdir(RECOG), reason="Recog's fingerprints are not here")
@pytest.mark.parametrize("said, port, product, version", [
    (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", 22, "OpenSSH", "9.2p1"),
    (b"220-hello\r\n220 ftp.example.com FTP server (Version: Mac OS X Server 10.3 - +GSSAPI) ready.\r\n", 21, "FTP",
     None),
    (b"220 mail.example.com ESMTP Exim 4.96 Thu, 26 Nov 2026 16:30:12 +0000\r\n", 25, "exim", "4.96"),
    (b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", 143, "Dovecot", None),
    (b"+OK Dovecot (Debian) ready.\r\n", 110, "Dovecot", None),
    (b"\xff\xfb\x01\xff\xfb\x03\r\nMikroTik v6.42.3 (stable)\r\nLogin: ", 23, "RouterOS", "6.42.3"),
    (b"\x4a\0\0\0\n5.5.5-10.11.9-MariaDB-ubu2204-log\0" + bytes(40), 3306, "MariaDB", "10.11.9"),
])
def test_recog_of_what_a_server_says(said, port, product, version):
    """The text is found in the greeting: after a number, a mark, telnet's negotiation, in a handshake."""
    if said.endswith(bytes(40)):
        said = (len(said) - 4).to_bytes(3, "little") + said[3:]
    answer = ask([Said(said, port)], "-r", RECOG)[0][0]
    assert (answer.get("product"), answer.get("version")) == (product, version)
