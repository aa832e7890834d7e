# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""--identify: what the log says of a server, by which rules, in which process, and what it costs no one else."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import pytest

import netns
import packets
import rig
from netns import BINARY, PATIENCE, Probe, wait_for
from packets import Connection, ethernet, pcap, probe
from real_servers import sshd
from servers import Server, listen_to
from test_identify import PROBES, RULES, TOOL, Said, ask
from test_privileges import NOBODY, capabilities, status
from test_stopping import SECONDS

LIVE = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")
NULL = "Probe TCP NULL q||\n"
FIELDS = "service", "product", "version", "info", "hostname", "os", "devicetype", "cpe"
SSH = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"
LIBRARIES = "libpcre2", "libexpat"


def greeted(*greetings, port=4000):
    """A capture in which each greets a client, on a port of its own."""
    talks = [Connection(server=("192.0.2.1", port + n)).greeted(said) for n, said in enumerate(greetings)]
    return pcap([ethernet(packet) for talk in talks for packet in talk])


def requested(request, response, port=80):
    """A capture in which the client speaks first."""
    talk = Connection(server=("192.0.2.1", port))
    return pcap(list(map(ethernet, [*talk.opening(), talk.c("PA", data=request),
                                    talk.s("PA", ack=1 + len(request), data=response)])))


def of(record):
    return {key: record[key] for key in FIELDS if key in record}


def identified(capture, *args):
    return [of(one) for one in packets.records_of(capture, "--identify", *args)]


@pytest.fixture
def rules(tmp_path):
    """Writes a file of nmap's rules, for what servers say first."""
    def write(*lines, name="probes"):
        path = tmp_path / name
        path.write_text(NULL + "".join(f"{line}\n" for line in lines))
        return str(path)
    return write


# --- what is written ----------------------------------------------------------------------------

def test_fields_of_json():
    """Each where it is known, and no other."""
    known, unknown = packets.records_of(greeted(SSH, b"what is this\n"), "--identify")
    assert of(known) == {"service": "ssh", "product": "OpenSSH", "version": "9.2p1 Debian-2+deb12u3", "os": "Linux",
                         "cpe": ["cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:debian:debian_linux:12"]}
    assert of(unknown) == {}
    assert not any(map(of, packets.records_of(greeted(SSH))))


def test_all_fields(rules):
    path = rules("match a m|^a(.)| p/P$1/ v/V/ i/I/ h/H/ o/O/ d/D/ cpe:/a:v:p:$1/ cpe:/h:v:q/ cpe:/o:v:r/")
    assert identified(greeted(b"a1"), "--probes", path) == [
        {"service": "a", "product": "P1", "version": "V", "info": "I", "hostname": "H", "os": "O", "devicetype": "D",
         "cpe": ["cpe:/a:v:p:1", "cpe:/h:v:q", "cpe:/o:v:r"]}]


def test_text_ends_with_what_it_is():
    done = probe("-f", "text", "--identify", "-r", "-", input=greeted(
        b"220 (vsFTPd 3.0.3)\r\n", b"RFB 003.008\n", b"what is this\n"))
    assert [line.partition(" 5.6.7.8:5678 ")[2] for line in done.stdout.decode().splitlines()] == [
        r"220 (vsFTPd 3.0.3)\x0d\x0a = vsftpd 3.0.3", r"RFB 003.008\x0a = vnc", r"what is this\x0a"]


def test_zeek_has_no_place_for_it():
    """The file stays what IVRE reads, no rule is read for it, and a note says so."""
    plain, asked = (probe("-f", "zeek", *args, "-r", "-", input=greeted(SSH)) for args in ([], ["--identify"]))
    lines = [[line for line in one.stdout.splitlines() if line[:2] not in (b"#o", b"#c")] for one in (plain, asked)]
    assert lines[0] == lines[1] and len(lines[0]) > 5
    assert asked.stderr == b"bannerprobe: --identify: the format zeek has no place for it: -f text or -f json does\n"
    assert plain.stderr == b""


def test_responses():
    """What is said second is what the rules for responses say, and then those for banners."""
    capture = requested(b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\n")
    response, = packets.records_of(capture, "--identify", "--events", "response")
    assert (response["product"], response["version"]) == ("nginx", "1.22.1")


def test_response_by_rules_of_nmap(rules, tmp_path):
    path = rules("match null m|^[AB]| p/Null/", "Probe TCP GetRequest q|GET / HTTP/1.0\\r\\n\\r\\n|",
                 "match get m|^A| p/Get/")
    for said, product in (b"A", "Get"), (b"B", "Null"):
        found = identified(requested(b"x", said, 999), "--probes", path, "--events", "response")
        assert [one["product"] for one in found] == [product]
    assert [one["product"] for one in identified(greeted(b"A"), "--probes", path)] == ["Null"]


def test_nothing_of_a_server_reaches_a_terminal(rules):
    """Strings that rules take out of a banner are strangers' bytes."""
    path = rules(r"match x m|^X(.*)|s p/$1/ v/\\x1b\x1b/ i/$1/")
    said = b'X"\\\x1b[2J\r\n\xff' + bytes(range(1, 40))
    record = packets.records_of(greeted(said), "--probes", path)[0]
    assert record["product"].startswith('"\\\\.[2J...') and record["info"] == record["product"]
    text = probe("-f", "text", "--probes", path, "-r", "-", input=greeted(said)).stdout
    assert re.fullmatch(rb"[ -~]+\n", text) and rb' = "\\.[2J...' in text


def test_longest_fields(rules):
    """What comes out is as long as a field may be, however it is escaped."""
    path = rules(*(f"match x m|^X(.{{{length}}})$| p/$1/ i/$1$1$1/ cpe:/a:v:$1/" for length in (78, 60)))
    found = packets.records_of(greeted(b"X" + b"\\" * 78, b"X" + b'"' * 60), "--probes", path, "-l", "4096")
    assert [one["product"] for one in found] == ["\\" * 156, '"' * 60]


def test_end_of_a_banner_that_was_cut(rules):
    """$ matches at the end of what a server said, not where the rest of it was left out."""
    path = rules("match x m|^two words$| p/Whole/")
    whole, cut = greeted(b"two words"), greeted(b"two words and more")
    assert identified(whole, "--probes", path) == [{"service": "x", "product": "Whole"}]
    assert identified(cut, "--probes", path, "-l", "9") == [{}]
    assert "version" not in identified(greeted(SSH), "-l", "20")[0]


# --- which rules --------------------------------------------------------------------------------

def test_rules_that_are_named_are_used(rules):
    """Whoever names some wants to see them; of several files the first one answers."""
    first, second = rules("match a m|^a| p/First/"), rules("match a m|^[ab]| p/Second/", name="more")
    found = packets.records_of(greeted(b"a", b"b", SSH), "--probes", first, "--probes", second)
    assert [one.get("product") for one in found] == ["First", "Second", "OpenSSH"]


def test_recog(tmp_path):
    (tmp_path / "ssh.xml").write_text(
        '<fingerprints matches="ssh.banner"><fingerprint pattern="^OpenSSH_(\\S+)">'
        '<param pos="0" name="service.product" value="Named"/><param pos="1" name="service.version"/>'
        '</fingerprint></fingerprints>')
    assert packets.records_of(greeted(SSH), "--recog", tmp_path)[0]["product"] == "Named"


def test_inventory_takes_the_same(rules, tmp_path):
    """With an inventory, rules are for it; the log says what servers are where that is asked for."""
    path, file = rules("match a m|^a| p/Named/ v/1/"), tmp_path / "x.db"
    plain = packets.records_of(greeted(b"a"), "--probes", path, "--inventory", file)
    assert of(plain[0]) == {}
    assert products(file) == [("Named", "1")]
    asked = packets.records_of(greeted(b"a"), "--identify", "--probes", path, "--inventory", tmp_path / "y.db")
    assert of(asked[0]) == {"service": "a", "product": "Named", "version": "1"}
    assert products(tmp_path / "y.db") == [("Named", "1")]


def products(file):
    with sqlite3.connect(file) as db:
        return db.execute("SELECT product, version FROM banner").fetchall()


def test_import_takes_them_too(rules, tmp_path):
    path, log, file = rules("match a m|^a| p/Named/ v/1/"), tmp_path / "log.json", tmp_path / "x.db"
    log.write_bytes(probe("-f", "json", "-r", "-", input=greeted(b"a")).stdout)
    subprocess.run([f"{BINARY}-inventory", file, "import", "--probes", path, log], check=True, capture_output=True)
    assert products(file) == [("Named", "1")]
    done = subprocess.run([f"{BINARY}-inventory", file, "import", "--probes", "/nonexistent", log],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == \
        (2, "bannerprobe-inventory: --probes /nonexistent: No such file or directory\n")


@LIVE
def test_rules_of_the_user(tmp_path):
    """/etc/bannerprobe/rules.d is asked first."""
    etc = tmp_path / "etc"
    (etc / "bannerprobe" / "rules.d").mkdir(parents=True)
    (etc / "bannerprobe" / "rules.d" / "mine.rules").write_text("ssh /^SSH-/ product=Mine\n")
    with open(tmp_path / "x.pcap", "wb") as file:
        file.write(greeted(SSH))
    done = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind {etc} /etc && exec {BINARY} --identify "
                           f"-f json -r {tmp_path}/x.pcap"], capture_output=True, text=True)
    assert not done.stderr and json.loads(done.stdout)["product"] == "Mine"


@pytest.mark.parametrize("args, message", [
    (["--probes", "/nonexistent"], "--probes /nonexistent: No such file or directory"),
    (["--recog", "/nonexistent"], "--recog /nonexistent: No such file or directory")])
@pytest.mark.parametrize("more", [[], ["--identify"]])
def test_rules_that_are_not_there(args, message, more):
    done = probe(*args, *more, "-r", "-", input=greeted(SSH))
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"bannerprobe: {message}\n")


@pytest.mark.parametrize("more", [[], ["--inventory"], ["--identify", "--inventory"]])
@pytest.mark.parametrize("option, message", [
    ("--probes", "it is no nmap-service-probes file; Debian's package nmap-common has one"),
    ("--recog", "Invalid argument")])
def test_rules_that_are_none(tmp_path, option, message, more):
    """One line, whichever processes read them, and nothing is begun."""
    path, file = tmp_path / "rules.xml", tmp_path / "x.db"
    path.write_text("# nothing\n")
    if option == "--recog":
        message = "no file of Recog's fingerprints is there; name the folder that holds its *.xml"
        path = tmp_path / "empty"
        path.mkdir()
    more = [*more, file] if more else []
    done = probe(option, path, *more, "-r", "-", input=greeted(SSH))
    assert (done.returncode, done.stdout) == (1, b"")
    assert re.fullmatch(rf"bannerprobe(-inventory)?: {path}: {re.escape(message)}\n", done.stderr.decode())
    assert not file.exists()


def test_a_device_is_no_file_of_rules():
    done = probe("--probes", "/dev/null", "-r", "-", input=greeted(SSH))
    assert (done.returncode, done.stderr) == \
        (2, b"bannerprobe: --probes /dev/null: is no file: name one like nmap's nmap-service-probes\n")


def test_a_file_that_is_not_recog_s(tmp_path):
    """One line: which one, and where."""
    (tmp_path / "x.xml").write_text("hello\n")
    for path in tmp_path, tmp_path / "x.xml":
        done = probe("--recog", path, "-r", "-", input=greeted(SSH))
        assert (done.returncode, done.stderr.decode()) == (1, f"bannerprobe: {tmp_path}/x.xml:1: syntax error\n")


@pytest.mark.parametrize("inventory", [False, True])
def test_rule_that_cannot_be_used(rules, tmp_path, inventory):
    """Named once, by its line; the rest is used."""
    path = rules("match a m|^a(| p/Wrong/", "match a m|^a| p/Right/")
    args = ["--inventory", tmp_path / "x.db"] if inventory else []
    done = probe("-f", "json", "--identify", "--probes", path, *args, "-r", "-", input=greeted(b"a"))
    record = json.loads(done.stdout.splitlines()[0])	# a change follows in the inventory's case
    assert done.returncode == 0 and record["product"] == "Right"
    assert re.fullmatch(rf"bannerprobe: {path}:2: .+; the rule is left out\n", done.stderr.decode())


def test_more_files_than_there_is_room_for(rules):
    done = probe(*["--probes", rules()] * 9, "-r", "-")
    assert done.returncode == 2 and b"more than 8 files" in done.stderr


# --- what strangers send ------------------------------------------------------------------------

def test_pattern_that_explodes(rules):
    """Given up at a limit, which is counted, and the next banner is identified."""
    path = rules("match x m/^(?:a|aa|aaa)*(?:a|aa)*$/ p/X/", "match y m|^b| p/Y/")
    done = probe("-f", "json", "--stats", "--probes", path, "-r", "-", input=greeted(b"a" * 2000 + b"!", b"b"))
    assert [json.loads(line).get("product") for line in done.stdout.splitlines()] == [None, "Y"]
    assert packets.counters(done.stderr)["identify_limits"] == 1


def test_jobs_count_it_once(rules, tmp_path):
    """The process that writes the log identifies."""
    path = rules("match x m/^(?:a|aa|aaa)*(?:a|aa)*$/ p/X/")
    for name, said in ("x1", b"a" * 150), ("x2", b"a" * 151):
        (tmp_path / name).write_bytes(greeted(said + b"!"))
    done = probe("-j2", "--stats", "--probes", path, "-r", tmp_path / "x1", tmp_path / "x2")
    assert packets.counters(done.stderr)["identify_limits"] == 2


def test_banners_made_to_cost_much(rules):
    """Two hundred of them within a second, against a hundred such rules: what they cost has a bound."""
    path = rules(*(f"match x m/^(?:a|aa|aaa)*(?:a|aa)*{n}$/ p/X/" for n in range(100)))
    done = probe("-f", "json", "--stats", "--probes", path, "-r", "-", input=greeted(
        SSH, *(b"a" * 150 + b"%d" % n for n in range(200))))
    count = packets.counters(done.stderr)
    assert done.returncode == 0 and count["logged"] == 201
    assert 64 <= count["identify_limits"] <= 2 * 80 and count["not_identified"] >= 150


def test_a_second_does_not_begin_again(rules):
    """Events come late, too: a second that has passed is no new one."""
    path = rules(*(f"match x m/^(?:a|aa|aaa)*(?:a|aa)*{n}$/ p/X/" for n in range(100)))
    talks = [Connection(server=("192.0.2.1", 4000 + n)).greeted(b"a" * 150 + b"%d" % n) for n in range(200)]
    times = [(1000 + n % 2) * 10**9 for n, talk in enumerate(talks) for _ in talk]
    done = probe("-f", "json", "--stats", "--probes", path, "-r", "-",
                 input=pcap([ethernet(packet) for talk in talks for packet in talk], times=times))
    count = packets.counters(done.stderr)
    assert done.returncode == 0 and count["logged"] == 200
    assert count["identify_limits"] <= 4 * 80 and count["not_identified"] >= 150


# --- nmap's file --------------------------------------------------------------------------------

def test_nmap_file_says_the_same_as_nmap():
    """As the tool that test_identify.py compares with nmap itself."""
    rig.install("nmap-common")
    if not os.path.exists(PROBES):
        pytest.skip("nmap's rules cannot be had")
    listed = subprocess.run([TOOL, "-e", "-o", RULES], capture_output=True, text=True, check=True).stdout
    greetings = sorted({bytes.fromhex(line.split("\t")[2]) for line in listed.splitlines()})
    ours = packets.records_of(greeted(*greetings, port=4000), "--probes", PROBES, "-l", "4096")
    theirs, _ = ask([Said(said, 4000 + n) for n, said in enumerate(greetings)], "-p", PROBES, "-o", RULES)
    assert {one["server_port"]: of(one) for one in ours} == {4000 + n: one for n, one in enumerate(theirs)}
    assert len(ours) > 300


# --- processes ----------------------------------------------------------------------------------

def libraries(pid):
    with open(f"/proc/{pid}/maps") as file:
        text = file.read()
    return [name for name in LIBRARIES if name in text]


def while_reading(tmp_path, *args):
    """State and libraries of a process that has begun to read a capture."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([BINARY, *args, "-r", fifo], stderr=subprocess.DEVNULL) as reader:
        with open(fifo, "wb"):		# opened, so it is past its start
            found = status(reader.pid), libraries(reader.pid)
        reader.wait(PATIENCE)
    return found


@pytest.mark.parametrize("args, expected", [
    ([], []), (["--identify"], ["libpcre2"]), (["--identify", "-f", "zeek"], []),
    (["--inventory", "x.db", "-o", "none"], [])])
def test_libraries_of_captures(tmp_path, args, expected, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert while_reading(tmp_path, *args)[1] == expected


def test_expat_is_for_recog(tmp_path):
    (tmp_path / "x.xml").write_text('<fingerprints matches="ssh.banner"></fingerprints>')
    assert while_reading(tmp_path, "--recog", tmp_path)[1] == list(LIBRARIES)


def test_captures_are_read_without_capabilities(tmp_path):
    state, _ = while_reading(tmp_path, "--identify")
    assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2")
    for held in "CapEff", "CapPrm", "CapInh", "CapAmb":
        assert capabilities(state, held) == set()


@LIVE
def test_capture_that_root_may_not_read(tmp_path):
    """Its owner may, and the message says so."""
    path = tmp_path / "x.pcap"
    path.write_bytes(greeted(SSH))
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    os.chmod(path, 0o600)
    assert probe("-r", path).returncode == 0
    done = probe("--identify", "-r", path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (f"bannerprobe: {path}: Permission denied: with --identify root gives up its "
                                    "capabilities: run bannerprobe as the file's owner\n")


def test_program_needs_no_library():
    told = netns.sh("ldd", BINARY)
    assert "libbpf" in told and not any(name in told for name in LIBRARIES)


@LIVE
def test_library_that_is_missing(tmp_path):
    """One line that names it; without the option nothing is missed."""
    library = re.search(r"=> (/\S*libpcre2-8\S*)", netns.sh("ldd", f"{BINARY}-inventory"))[1]
    (tmp_path / "empty").touch()
    (tmp_path / "x.pcap").write_bytes(greeted(SSH))
    for args, code, lines in ([], 0, 0), (["--identify"], 1, 1):
        done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh",
                               tmp_path / "empty", os.path.realpath(library), BINARY, *args, "-r",
                               tmp_path / "x.pcap"], capture_output=True, text=True)
        assert (done.returncode, len(done.stdout.splitlines())) == (code, 1 - lines)
        assert len(done.stderr.splitlines()) == lines
    assert re.match(r"bannerprobe: .*libpcre2-8.*: --identify needs it", done.stderr)


@LIVE
@pytest.mark.parametrize("args", [[], ["--identify"]], ids=["without", "with"])
def test_libraries_of_each_process(net, args):
    """The reader has them, where they are asked for; nothing else has them ever."""
    with Probe(net.host, *args, "veth0") as running:
        found = {pid: libraries(pid) for pid in running.processes()}
        reader, state = running.reader(), status(running.reader())
        running.send(signal.SIGTERM)
        assert running.ended() == 0
    assert found.pop(reader) == (["libpcre2"] if args else []) and found
    assert not any(found.values())
    assert (state["NoNewPrivs"], state["Seccomp"]) == ("1", "2") and capabilities(state, "CapPrm") == set()


@LIVE
def test_real_server(net, tmp_path):
    """By the project's rules, in a confined reader; over in time."""
    with sshd(net.host, tmp_path, "10.99.0.1") as port, Probe(net.host, "-f", "json", "--identify", "veth0") as running:
        with net.peer.entered():
            client = socket.create_connection(("10.99.0.1", port), PATIENCE)
        with client:
            assert client.recv(100).startswith(b"SSH-2.0-OpenSSH_")
            record = json.loads(running.line())
        begun = time.monotonic()
        running.stop()
        assert time.monotonic() - begun < SECONDS
    assert record["service"], record["product"] == ("ssh", "OpenSSH")
    assert record["banner"].startswith(f"SSH-2.0-OpenSSH_{record['version'].split()[0]}")


@contextlib.contextmanager
def readable(path):
    """A copy that the reader's user can read, as it cannot what is below pytest's folder."""
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0o644)
        shutil.copyfile(path, file.name)
        yield file.name


@LIVE
def test_stop_among_costly_banners(net, rules):
    path = rules(*(f"match x m/^(?:a|aa|aaa)*(?:a|aa)*{n}$/ p/X/" for n in range(100)))
    with readable(path) as path, Server(net.host, "10.99.0.1", banner=lambda n: b"a" * 200 + b"%d" % n) as server, \
            Probe(net.host, "-f", "json", "--probes", path, "veth0") as running:
        for _ in range(50):
            listen_to(net.peer, server)
        running.line()
        begun = time.monotonic()
        running.send(signal.SIGTERM)
        assert running.ended() in (0, 4) and time.monotonic() - begun < SECONDS


@LIVE
def test_rules_that_the_user_may_not_read(net, rules):
    """They are read as that user, who has no right to more."""
    path = rules("match a m|^a|")
    os.chmod(path, 0o600)
    done = subprocess.run(net.host.argv(BINARY, "--probes", path, "veth0"), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (f"bannerprobe: --probes {path}: Permission denied: "
                           "the user of --user has to be able to read it\n")
    wait_for("nothing to be attached", lambda: not netns.attached(net.host, "veth0"))
