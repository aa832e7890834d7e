# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is said of a wrong command line: one line, what is wrong, what is accepted, what helps. And what
an ordinary user may do: --help, and -r. Needs nothing but the standard library (`make check`)."""

import gzip
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

import capture_files
from command_line import (SERVERS, UNWRITABLE, check_line, check_no_log_is_left, check_unwritable_log,
                          run)
from netns import BINARY, PATIENCE, ROOT
from rows import in_rows, rows

# Arguments; what the one line must contain, each of them. {capture}, {folder}: a capture that is
# there, and its directory. All of these end with exit code 2.
WRONG = [
    # Nothing, or an option that there is not.
    ([], "IFACE", "--all", "-r FILE", "--help"),
    (["--"], "IFACE", "-r FILE"),
    (["--formt", "json", "lo"], "--formt", "did you mean --format", "--help"),
    (["--ouput", "x", "lo"], "did you mean --output"),
    (["--stast", "lo"], "did you mean --stats"),
    (["--output-file=x", "lo"], "--output-file", "did you mean --output"),
    (["--st", "lo"], "--stats or --stats-format"),
    (["--nonsense", "lo"], "--nonsense", "no such option", "--help"),
    (["-Q", "in", "lo"], "-Q", "no such option", "--help"),
    (["-?"], "-?", "--help"),
    (["-stats", "lo"], "did you mean --stats"),
    (["-port", "22", "lo"], "did you mean --port"),
    (["-version"], "did you mean --version"),
    (["-hook", "tc", "lo"], "did you mean --hook"),
    (["-help"], "did you mean --help"),
    *[([word, *more], f"{word}: did you mean -{word}?") for word, *more in (	# of a letter that takes a value
        ["-output", "x.json", "lo"], ["-read", "{capture}"], ["-inventory", "x.db", "lo"], ["-interface", "lo"],
        ["-format", "json", "lo"], ["-length", "20", "lo"], ["-log", "all", "lo"])],
    (["\x1b[31m", "--\x1b]0;x\x07"], r"\x1b"),
    # What users of tcpdump, tshark, Zeek, Suricata and p0f type.
    (["-w", "out.pcap", "lo"], "-w", "-o FILE"),
    (["-i", "lo", "-w", "out.pcap"], "-w", "-o FILE"),
    (["-nn", "-i", "lo"], "-n", "leave it out"),
    (["-ni", "lo"], "-n", "leave it out"),
    (["-s", "0", "-i", "lo"], "-s", "-l N"),
    (["-c", "10", "lo"], "-c", "head -n N"),
    (["-A", "lo"], "-A", "banner"),
    (["-X", "lo"], "-X", "banner"),
    (["-e", "lo"], "-e", "-f json"),
    (["-D"], "-D", "ip link"),
    (["-p", "lo"], "-p", "promiscuous"),
    (["-U", "lo"], "-U", "at once"),
    (["-G", "60", "lo"], "-G", "SIGHUP"),
    (["-C", "10", "lo"], "-C", "SIGHUP"),
    (["-b", "filesize:10", "lo"], "-b", "SIGHUP"),
    (["-Z", "root", "lo"], "-Z", "--user"),
    (["-u", "root", "lo"], "-u", "--user"),
    (["-Y", "tcp", "lo"], "-Y", "--port"),
    (["-F", "file", "lo"], "-F", "--port"),
    (["-T", "fields", "lo"], "-T", "-f", "--check"),
    (["-q", "lo"], "-q", "leave it out"),
    (["--list-interfaces"], "ip link"),
    (["--snapshot-length=0", "lo"], "--snapshot-length:", "-l N"),
    (["--count=3", "lo"], "--count:", "head"),
    (["--json", "lo"], "--json", "-f json"),
    (["--af-packet=lo"], "--af-packet:", "-i IFACE"),
    (["--pcap-file", "x"], "--pcap-file", "-r FILE"),
    (["--daemon", "lo"], "--daemon", "systemd"),
    (["--pidfile", "x", "lo"], "--pidfile", "systemd"),
    (["--dry-run", "lo"], "--dry-run", "--check"),
    (["--usage"], "--usage", "--help"),
    # Values that are missing, or too many.
    (["-o"], "-o", "FILE", "missing"),
    (["lo", "--format"], "--format", "FORMAT", "missing"),
    (["-r"], "-r", "FILE", "missing"),
    (["--all=lo"], "--all", "no value"),
    (["--check=yes", "lo"], "--check", "no value"),
    (["-o", "-f", "json", "lo"], "-o -f", "FILE", "./-f"),
    (["-o=x", "lo"], "-o =x", "did you mean -o x"),
    (["--metrics", "--check", "lo"], "--metrics --check", "./--check"),
    (["--stats", "5", "lo"], "did you mean --stats=5"),
    (["--gather", "500", "lo"], "did you mean --gather=500"),
    (["--decap", "vxlan", "lo"], "did you mean --decap=vxlan"),
    (["--decap", "vxlan:4789,gre", "-r", "{capture}"], "did you mean --decap=vxlan:4789,gre"),
    (["--decap", "none", "lo"], "did you mean --decap=none"),
    # Values that are not accepted.
    (["-f", "csv", "lo"], "-f csv", "text, json or zeek"),
    (["-fcsv", "lo"], "-f csv", "text, json or zeek"),
    (["--format=csv", "lo"], "--format csv", "text, json or zeek"),
    (["-f", "jsno", "lo"], "-f jsno", "text, json or zeek", "did you mean json"),
    (["-f", "JSON", "lo"], "-f JSON", "did you mean json"),
    (["-f", "", "lo"], "-f ''", "text, json or zeek"),
    (["-f", "tcp port 22", "lo"], "-f tcp port 22", "--port"),
    (["--hook", "native", "lo"], "--hook native", "auto, xdp, xdp-native, xdp-generic or tc"),
    (["--hook", "xdp-natve", "lo"], "did you mean xdp-native"),
    (["--stats-format", "csv", "lo"], "--stats-format csv", "text or json"),
    (["-l", "0", "lo"], "-l 0", "from 1 to 4096"),
    (["-l", "5000", "lo"], "-l 5000", "from 1 to 4096"),
    (["-l", "-1", "lo"], "-l -1", "from 1 to 4096"),
    (["-l", "1k", "lo"], "-l 1k", "from 1 to 4096"),
    (["-l", "", "lo"], "-l ''", "from 1 to 4096"),
    (["-l", "/var/log/suricata", "lo"], "-l /var/log/suricata", "from 1 to 4096"),
    (["--length=99999999999999999999", "lo"], "--length 9999", "from 1 to 4096"),
    (["--max-flows", "0", "lo"], "--max-flows 0", "from 1 to 4194304"),
    (["--max-flows", "4194305", "lo"], "--max-flows 4194305", "from 1 to 4194304"),
    (["--stats=0", "lo"], "--stats 0", "from 1 to 86400"),
    (["--stats=5s", "lo"], "--stats 5s", "seconds", "from 1 to 86400"),
    (["--stats=", "lo"], "--stats ''", "from 1 to 86400"),
    (["--gather=0", "lo"], "--gather 0", "milliseconds", "from 1 to 60000"),
    (["--port", "0", "lo"], "--port 0", "from 1 to 65535"),
    (["--port", "65536", "lo"], "--port 65536", "from 1 to 65535"),
    (["--port", "22,99999", "lo"], "--port 99999", "from 1 to 65535"),
    (["--port", "99999999999999999999999", "lo"], "--port 9999", "from 1 to 65535"),
    (["--port", "25-22", "lo"], "--port 25-22", "22-25"),
    (["--port", "22-0", "lo"], "--port 22-0", "from 1 to 65535"),
    (["--port", "22-", "lo"], "--port 22-", "22,smtp,8000-8100"),
    (["--port", "1-2-3", "lo"], "--port 1-2-3", "22,smtp,8000-8100"),
    (["--port", "22,", "lo"], "--port 22,", "22,smtp,8000-8100"),
    (["--port", "", "lo"], "--port ''", "22,smtp,8000-8100"),
    (["--port", "22 25", "lo"], "--port 22 25", "22,smtp,8000-8100", "without blanks"),
    (["--port", "SSH", "lo"], "--port SSH", "/etc/services", "did you mean ssh?"),
    (["--port", "22, 25", "lo"], "--port 22, 25", "22,smtp,8000-8100", "without blanks"),
    (["--port", " 22", "lo"], "--port  22", "22,smtp,8000-8100", "without blanks"),
    (["--port", "0" * 61 + "2222", "lo"], "--port 000", "no port and no range of ports"),
    (["--port", "nosuchservice", "lo"], "--port nosuchservice", "/etc/services"),
    (["--port", "tftp", "lo"], "--port tftp", "TCP", "/etc/services"),
    (["--net", "10.0.0.0/33", "lo"], "--net 10.0.0.0/33", "192.0.2.0/24"),
    (["--net", "10.0.0", "lo"], "--net 10.0.0", "192.0.2.0/24"),
    (["--net", "example.org", "lo"], "--net example.org", "192.0.2.0/24"),
    (["--net", "", "lo"], "--net ''", "192.0.2.0/24"),
    (["--not-net", "::/129", "lo"], "--not-net ::/129", "2001:db8::/32"),
    (["--net", "@", "lo"], "--net @", "file", "missing"),
    (["--net", "@/nonexistent", "lo"], "--net @/nonexistent", "No such file"),
    (["--net", "@-", "lo"], "--net @-", "@/dev/stdin"),
    (["--not-net", "@.", "lo"], "--not-net @.", "Is a directory"),
    (["--decap", "--decap-from", "@/nonexistent", "lo"], "--decap-from @/nonexistent"),
    (["--net", "@{capture}", "lo"], "--net @{capture}:1: ", "192.0.2.0/24"),
    (["-j", "0", "-r", "{capture}"], "-j 0", "from 1 to 64"),
    (["-j", "65", "-r", "{capture}"], "-j 65", "from 1 to 64"),
    (["-l", "0x10", "lo"], "-l 0x10", "from 1 to 4096"),
    (["-l", "+5", "lo"], "-l +5", "from 1 to 4096"),
    (["-l", " 5", "lo"], "-l  5", "from 1 to 4096"),
    (["-l", "\u0663", "lo"], r"-l \xd9\xa3", "from 1 to 4096"),
    (["-f", "a" * 5000, "lo"], "-f aaa", "text, json or zeek"),
    (["--max-rate", "0", "lo"], "--max-rate 0", "from 1 to 1000000000"),
    (["--max-rate", "-5", "lo"], "--max-rate -5", "from 1 to 1000000000"),
    (["--gather=-1", "lo"], "--gather -1", "milliseconds", "from 1 to 60000"),
    (["--events", "", "lo"], "--events ''", "banner, request, response, reply, open or all"),
    (["--events", "banner,", "lo"], "--events banner,", "banner, request, response, reply, open or all"),
    (["--events", "respnse", "lo"], "--events respnse", "banner, request, response, reply, open or all",
     "did you mean response?"),
    (["--recog", "/dev/null", "lo"], "--recog /dev/null: is no file and no folder", "Recog's *.xml"),
    (["--events=bannr", "lo"], "--events bannr", "did you mean banner?"),
    (["--events", "banner,Opne,reply", "lo"], "did you mean open?"),
    (["--need", "handshkae", "lo"], "did you mean handshake?"),
    (["--log", "change", "--inventory", "x", "lo"], "did you mean changes?"),
    (["--stats-format", "jason", "lo"], "did you mean json?"),
    (["--key", "vlna", "lo"], "did you mean vlan?"),
    (["--decap=gre,vxaln:4789", "lo"], "--decap=gre,vxaln:4789", "all or none: did you mean vxlan?"),
    (["--decap=erspn", "lo"], "did you mean erspan?"),
    (["--need", "x", "lo"], "--need x", "own, syn, handshake or none"),
    (["--key", "", "lo"], "--key ''", "vlan"),
    (["--log", "x", "--inventory", "x", "lo"], "--log x", "all or changes"),
    (["--decap-key", "maybe", "--decap", "lo"], "--decap-key maybe", "yes or no"),
    (["--decap-key", "vlan", "--decap", "lo"], "--decap-key vlan: whether identifiers count is yes or no"),
    (["--decap=x", "lo"], "--decap=x", "vxlan[:PORT...]", "all or none"),
    (["--decap=", "lo"], "--decap=''", "vxlan[:PORT...]", "all or none"),
    (["--decap=gre:47", "lo"], "--decap=gre:47", "only vxlan and geneve have ports"),
    (["--decap=vxlan:0", "lo"], "--decap=vxlan:0", "from 1 to 65535"),
    (["--decap=vxlan:", "lo"], "--decap=vxlan:", "a port is missing behind vxlan:"),
    (["--decap=vxlan::5", "lo"], "--decap=vxlan::5", "a port is missing behind vxlan:"),
    (["--decap=gre,geneve:5:", "lo"], "--decap=gre,geneve:5:", "a port is missing behind geneve:"),
    (["--decap=none,gre", "lo"], "--decap=none,gre", "all or none"),
    (["--net", "1.2.3.4/", "lo"], "--net 1.2.3.4/", "192.0.2.0/24"),
    (["--net", "fe80::1%lo", "lo"], "--net fe80::1%lo", "2001:db8::/32"),
    (["--probes", "/no/such", "-r", "{capture}"], "--probes /no/such", "No such file"),
    (["--probes", "{folder}", "-r", "{capture}"], "--probes {folder}", "is no file", "nmap-service-probes"),
    (["--recog", "/no/such", "-r", "{capture}"], "--recog /no/such", "No such file"),
    (["--inventory", "-", "-r", "{capture}"], "--inventory -", "needs a FILE"),
    # Names.
    ([""], "''", "interface"),
    (["lo", ""], "''", "interface"),
    (["-i", "", "lo"], "-i ''", "IFACE"),
    (["-r", ""], "-r ''", "FILE"),
    (["-r", "{capture}", ""], "''", "capture"),
    (["-o", "", "lo"], "-o ''", "FILE"),
    (["--metrics=", "lo"], "--metrics ''", "FILE"),
    (["--metrics", "-", "lo"], "--metrics -", "FILE"),
    (["--user", "", "lo"], "--user ''", "NAME"),
    (["{capture}"], "{capture}", "-r {capture}"),
    (["lo", "{capture}"], "{capture}", "-r {capture}"),
    (["-i", "{capture}"], "{capture}", "-r {capture}"),
    (["{folder}"], "{folder}", "-r {folder}"),
    (["/nonexistent/one.pcap"], "/nonexistent/one.pcap", "no such file", "-r FILE"),
    (["-"], "-r -"),
    (["-r", "lo"], "-r lo", "interface", "no file"),
    (["lo", "-r", "{capture}"], "lo", "interface", "no file"),
    (["any"], "any", "--all"),
    (["-i", "any"], "any", "--all"),
    (["lo", "tcp", "port", "22"], "tcp", "--port"),
    (["-i", "lo", "host", "10.0.0.1"], "host", "--net"),
    (["-i", "lo", "tcp and port 22"], "tcp and port 22", "--port"),
    (["lo", "tcp[13] & 2 != 0"], "tcp[13] & 2 != 0", "--port"),
    (["-r", "{capture}", "tcp", "port", "22"], "tcp", "no such file", "--port"),
    (["-r", "{capture}", "host 10.0.0.1"], "host 10.0.0.1", "no such file", "--net"),
    (["lo,eth0"], "lo,eth0", "spaces"),
    (["lo eth0"], "lo eth0", "quotes"),
    (["/nonexistent/*.pcap"], "/nonexistent/*.pcap", "-r FILE"),
    (["lo:"], "lo:", "did you mean lo?"),
    (["lo@if2"], "lo@if2", "did you mean lo?"),
    (["-i=lo"], "=lo", "did you mean lo?"),
    (["help"], "help", "did you mean --help"),
    (["version"], "version", "did you mean --version"),
    # What does not go together.
    (["--local", "--remote", "lo"], "--local and --remote"),
    (["-r", "{capture}", "-r", "-", "-r", "-"], "-r -", "once"),
    (["-r", "{capture}", "-o", "{capture}"], "-o {capture}", "another file"),
    (["-o", "x", "--metrics", "x", "lo"], "--metrics x", "-o"),
    (["-o", "x", "--metrics", "./x", "lo"], "--metrics ./x", "-o"),
    (["-o", "x", "--inventory", "x", "-r", "{capture}"], "--inventory x", "-o", "another"),
    (["-o", "x", "--inventory", "{folder}/x", "-r", "{capture}"], "--inventory {folder}/x", "-o"),
    (["--metrics", "./x", "--inventory", "x", "lo"], "--inventory x", "--metrics", "another"),
    (["-j", "2", "lo"], "-j, --jobs", "for captures", "-r FILE"),
    (["-j", "2", "--sequence", "-r", "{capture}"], "-j 2", "--sequence", "leave out one"),
    (["--sequence", "lo"], "--sequence", "for captures", "-r FILE"),
    (["--decap-from", "10.0.0.0/8", "lo"], "--decap-from", "no tunnel is opened", "--decap"),
    (["--decap-key", "no", "lo"], "--decap-key no", "no tunnel is opened", "--decap"),
    (["--decap-key", "no", "--decap=none", "-r", "{capture}"], "--decap-key no", "--decap"),
    *[([*option, "lo"], option[0], "no inventory", "--inventory FILE") for option in (
        ["--gone", "7d"], ["--log", "changes"], ["--new-at-once"], ["--inventory-clients"])],
    (["--log", "changes", "--inventory", "x", "-f", "zeek", "lo"], "--log changes", "zeek", "-f json or -f text"),
    *[([*option, "-r", "{capture}"], option[0], "for interfaces", "-r") for option in (
        ["--check"], ["--hook", "tc"], ["--hook", "auto"], ["--local"], ["--remote"], ["--all"],
        ["--metrics", "{folder}/x"], ["--user", "root"], ["--interface", "lo"])],
]


class Case(unittest.TestCase):
    """Each test has a folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bannerprobe-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


@in_rows
class WrongUsage(Case):
    @rows([(args, parts) for args, *parts in WRONG])
    def test_wrong_usage(self, args, parts):
        capture = self.folder / "one.pcap"
        shutil.copyfile(SERVERS, capture)
        before = capture.read_bytes()
        known = {"capture": capture, "folder": self.folder}
        code, out, lines = run(*[word.format(**known) for word in args], cwd=self.folder)
        assert (code, out, len(lines)) == (2, "", 1), lines
        check_line(lines[0], [part.format(**known) for part in parts])
        assert os.listdir(self.folder) == [capture.name] and capture.read_bytes() == before

    @rows([(name, content, option) for name, content in (
        ("pcap", b"\xa1\xb2\xc3\xd4" + bytes(20)), ("pcapng", capture_files.section()),
        ("log.gz", gzip.compress(b"x\n")), ("x.db", b"SQLite format 3\0")) for option in (["-o"], ["--metrics"])])
    def test_what_is_valuable_is_not_written_into(self, name, content, option):
        (self.folder / name).write_bytes(content)
        args = [*option, name, *(["-r", SERVERS] if option == ["-o"] else ["lo"])]
        code, _, lines = run(*args, cwd=self.folder)
        assert (code, len(lines)) == (2, 1), lines
        check_line(lines[0], [*option, name, "damaged", "another file"])
        assert (self.folder / name).read_bytes() == content

    @rows([(content,) for content in (
        b"127.0.0.1 localhost\n", b"hello world\n", b"#!/bin/sh\n", b"# Notes\n\n1. x\n", b'{"ts":1}\n',
        b"root:x:0:0:root:/root:/bin/sh\n", b"\n", b"up{job=\n")])
    def test_what_is_no_metrics_is_not_replaced(self, content):
        (self.folder / "there").write_bytes(content)
        code, _, [line] = run("--metrics", "there", "lo", cwd=self.folder)
        assert code == 2
        check_line(line, ["--metrics there", "replaced", "another file"])
        assert (self.folder / "there").read_bytes() == content

    def test_each_option_that_there_is_not_is_explained_without_a_contradiction(self):
        """None of the words of other tools is an option of this one."""
        with open(os.path.join(ROOT, "user/options/usage.c")) as file:
            foreign = re.findall(r'\t\{ "(--?[\w-]+)",', file.read())
        _, told, _ = run("--help")
        assert len(foreign) > 40 and len(told) > 1000
        assert not [word for word in foreign if re.search(rf"(?<![\w-]){word}(?![\w-])", told)]

    def test_one_line_whatever_was_noted_before(self):
        code, _, lines = run("--net", "10.0.0.1/8", "-f", "text", "-f", "json", "-l", "0", "-r", SERVERS)
        assert (code, len(lines)) == (2, 1)

    def test_a_terminal_is_no_capture(self):
        master, slave = pty.openpty()
        with open(master, "rb"), open(slave, "rb") as terminal:
            done = subprocess.run([BINARY, "-r", "-"], stdin=terminal, capture_output=True, text=True,
                                  timeout=PATIENCE)
        assert done.returncode == 2
        check_line(done.stderr.rstrip("\n"), ["-r -", "terminal"])


@in_rows
class Help(unittest.TestCase):
    def test_help_fits_a_terminal_and_has_groups(self):
        code, out, lines = run("--help")
        assert (code, lines) == (0, [])
        assert all(len(line) < 80 for line in out.splitlines())
        assert len(re.findall(r"^\w[^:\n]+:$", out, re.M)) >= 6
        for number, meaning in enumerate(["done", "run time", "usage", "attach", "records were lost"]):
            assert re.search(rf"^  {number}  .*{meaning}", out, re.M)

    @rows([("--help",), ("--version",)])
    def test_full_device(self, option):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, option], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=PATIENCE)
        assert done.returncode == 1
        check_line(done.stderr.rstrip("\n"), ["standard output", "No space left"])

    @rows([("--help",), ("--version",)])
    def test_closed_standard_output(self, option):
        done = subprocess.run([BINARY, option], preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE,
                              text=True, timeout=PATIENCE)
        assert done.returncode == 1
        check_line(done.stderr.rstrip("\n"), ["standard output", "Bad file descriptor"])

    def test_no_library_of_the_name_services(self):
        """The static program could not load them."""
        told = subprocess.run(["nm", "-D", "--undefined-only", BINARY], check=True,
                              capture_output=True, text=True, timeout=PATIENCE).stdout
        assert "malloc" in told
        assert not re.search(r"\b(getservby|getserv|getpwnam|getaddrinfo)", told)


@in_rows
class Accepted(Case):
    @rows([("ssh", {22}), ("22,smtp", {22, 25}), ("ftp,imap2,3306-65535", {21, 143, 3306}),
           ("mail", {25}), ("1-21,pop3", {21, 110})])
    def test_services(self, ports, expected):
        found = capture_files.records("--port", ports, "-r", SERVERS)
        assert {record["server_port"] for record in found} == expected

    @rows([
        (["--net", "10.0.0.1/8"], "--net 10.0.0.1/8", "10.0.0.0/8"),
        (["--not-net", "192.0.2.77/25"], "--not-net 192.0.2.77/25", "192.0.2.0/25"),
        (["--net", "2001:db8::1/33"], "--net 2001:db8::1/33", "2001:db8::/33"),
        (["--net", "1.2.3.4/0"], "0.0.0.0/0"),
        (["-f", "text", "-f", "json"], "-f", "json counts"),
        (["-l", "5", "--length=6"], "--length", "6 counts"),
        (["--net", "@/dev/null"], "--net @/dev/null", "no net"),
        (["--identify", "-f", "zeek"], "--identify", "zeek", "-f text or -f json"),
        (["--stats-format=json"], "--stats-format", "--stats writes the counters", "SIGUSR1"),
    ])
    def test_what_is_accepted_is_said(self, args, *parts):
        code, _, lines = run(*args, "-r", SERVERS)
        assert (code, len(lines)) == (0, 1), lines
        check_line(lines[0], parts)

    @rows([("10.9.9.9/8\n", ":1: 10.9.9.9/8: taken for 10.0.0.0/8"),
           ("10.0.0.0/8\n10.9.9.9/8 # x\n" + 40 * "fd00::1/16\n", ":2: 10.9.9.9/8: taken for 10.0.0.0/8",
            "the first of 41 such lines")])
    def test_what_lines_of_a_file_are_taken_for(self, content, *parts):
        (self.folder / "nets").write_text(content)
        code, _, lines = run("--net", f"@{self.folder}/nets", "-r", SERVERS)
        assert (code, len(lines)) == (0, 1), lines
        check_line(lines[0], parts)

    @rows([
        (["--net", "10.0.0.0/8"], 17), (["--net", "10.99.0.2"], 17), (["--net", "10.99.0.2/32"], 17),
        (["--net", "::1/128"], 0), (["-f", "json", "-f", "json"], 17), (["-o", "-"], 17),
        (["--form", "json"], 17), (["--port=22", "--port=25"], 10)])
    def test_nothing_has_to_be_said(self, args, records):
        code, out, lines = run(*args, "-r", SERVERS, cwd=self.folder)
        assert (code, lines, len(out.splitlines())) == (0, [], records), out
        assert os.listdir(self.folder) == []

    def test_standard_output_by_its_name(self):
        """The same as without -o, and no file of that name."""
        without = run("-f", "json", "-r", SERVERS)
        assert without[1] and run("-f", "json", "-o", "-", "-r", SERVERS, cwd=self.folder) == without
        assert os.listdir(self.folder) == []

    def test_counters_of_a_capture_as_json(self):
        code, _, lines = run("--stats", "--stats-format", "json", "-r", SERVERS)
        told = json.loads(lines[-1])
        assert code == 0 and len(lines) == 1
        assert told["packets"] > told["connections"] > told["banners"] == told["logged"] == 17
        assert "interfaces" not in told


@in_rows
class Log(Case):
    @rows([(["-r", "/nonexistent/capture"],), (["-r", "/dev/null"],),
           (["-f", "zeek", "-r", "/nonexistent/capture"],)])
    def test_no_log_is_left(self, args):
        check_no_log_is_left(self.folder, args)

    def test_no_log_is_left_by_a_directory_without_captures(self):
        with tempfile.TemporaryDirectory(prefix="bannerprobe-") as empty:
            check_no_log_is_left(self.folder, ["-r", empty])

    @rows([(name,) for name in UNWRITABLE])
    def test_a_log_that_cannot_be_written(self, name):
        check_unwritable_log(self.folder, ["-r", SERVERS], name)

    @rows([(["-o", "log", "-r", SERVERS], "-o log: "), (["--metrics", "log", "lo"], "--metrics log: "),
           (["-r", "log"], "-r log: ")])
    def test_a_socket_is_no_file(self, args, named):
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(self.folder / "log"))
            code, _, [line] = run(*args, cwd=self.folder)
        assert code == 2
        check_line(line, [named + "a socket cannot be opened: name a "])

    @rows([("half a line", "half a line\n"), ("a line\n", "a line\n"), ("", ""), ("\n\nx", "\n\nx\n")])
    def test_a_log_that_ends_within_a_line(self, before, kept):
        """As after a crash, or a full disk: the first record has a line of its own."""
        records = run("-r", SERVERS)[1]
        (self.folder / "log").write_text(before)
        assert run("-o", "log", "-r", SERVERS, cwd=self.folder) == (0, "", [])
        assert records and (self.folder / "log").read_text() == kept + records

    def test_a_log_without_records_is_made(self):
        """What was read had no banners: that is a result."""
        empty, log = self.folder / "empty", self.folder / "log"
        empty.write_bytes(capture_files.pcap([]))
        assert run("-o", log, "-r", empty) == (0, "", [])
        assert log.read_bytes() == b""


if __name__ == "__main__":
    unittest.main()
