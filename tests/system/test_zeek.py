# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What -f zeek writes of each kind of event, and what IVRE makes of it."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

import rig
from netns import ROOT, decoded
from packets import Connection, ethernet, pcap, probe

CLIENT, SERVER = ("192.0.2.9", 40000), ("192.0.2.10", 8080)
WARNING = b"passwords"


def frames_of(*steps):
    """A handshake, then what either side says, in turns: ("c", bytes) or ("s", bytes)."""
    talk = Connection(CLIENT, SERVER)
    said = {"c": 1, "s": 1}
    packets = talk.opening()
    for side, data in steps:
        other = "s" if side == "c" else "c"
        packets.append(getattr(talk, side)("PA", said[side], said[other], data))
        said[side] += len(data)
    return [ethernet(p) for p in packets]


def log_of(frames, *args, events="all"):
    done = probe("-f", "zeek", f"--events={events}", *args, "-r", "-", input=pcap(frames))
    assert done.returncode == 0, done
    return done.stdout


def rows_of(*steps, events="all", args=()):
    """(recon_type, host, srvport, source, value) of each row but those of open ports."""
    lines = log_of(frames_of(*steps), *args, events=events).decode("ascii").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(len(row) == 8 and row[7] == "-" for row in rows)
    found = [(row[4].removeprefix("PassiveRecon::"), row[2], row[3], row[5], row[6]) for row in rows]
    return [row for row in found if row[0] != "OPEN_PORT"]


def client_row(kind, source, value):
    return kind, CLIENT[0], "-", source, value


def server_row(kind, source, value):
    return kind, SERVER[0], str(SERVER[1]), source, value


# --- one kind after another -------------------------------------------------------------------

def test_open_port():
    row = [line for line in log_of(frames_of()).decode().splitlines() if line[0] != "#"][0].split("\t")
    assert (row[0], row[2:]) == ("1700000000.123456", [
        "192.0.2.10", "8080", "PassiveRecon::OPEN_PORT", "TCP", "tcp/8080", "-"])


def test_what_a_client_says_first():
    assert rows_of(("c", b"HELO a\t\xff\r\n"), ("s", b"250 b\r\n")) == \
        [client_row("TCP_CLIENT_BANNER", "tcp/8080", r"HELO a\x09\xff\x0d\x0a")]


@pytest.mark.parametrize("value, written", [(b"-", r"\x2d"), (b"(empty)", r"\x28empty)"), (b"#", r"\x23")])
def test_special_values_of_a_client(value, written):
    assert rows_of(("c", value)) == [client_row("TCP_CLIENT_BANNER", "tcp/8080", written)]
    assert rows_of(("c", b"GET / HTTP/1.0\r\nVia: " + value + b"\r\n\r\n")) == \
        [client_row("HTTP_CLIENT_HEADER", "VIA", written)]


TLS = bytes.fromhex("160301020001 0001fc 0303") + bytes(32)
SSL2, SSL2_LONG = bytes.fromhex("802e010002") + bytes(9), bytes.fromhex("00802e010301") + bytes(9)
DTLS = bytes.fromhex("16fefd00000000000000 004010 01") + bytes(11) + bytes.fromhex("fefd") + bytes(8)


@pytest.mark.parametrize("data", [TLS, SSL2, SSL2_LONG, DTLS, b"SSH-2.0-x", b"GET /", b" \r\nPOST x",
                                  b"RPC_IN_DATA /", b"VERSION-CONTROL"])
def test_what_ivre_leaves_out_of_the_clients_banners(data):
    assert rows_of(("c", data)) == []


@pytest.mark.parametrize("data", [
    TLS[:10], TLS[:9] + b"\2" + TLS[10:], SSL2[:4], b"\x80\x2e\1\1\2", DTLS[:26], b"PRI * HTTP/2.0\r\n",
    b"get / HTTP/1.0\r\n", b"GE", b"SSH-3.0-x\r\n"])
def test_what_only_looks_like_those(data):
    [row] = rows_of(("c", data))
    assert (row[0], decoded(row[4])) == ("TCP_CLIENT_BANNER", data)


REQUEST = (b"GET /secret HTTP/1.1\r\nHost: example.org\r\nuser-agent:  curl/8.1 \r\nAccept: */*\r\n"
           b"X-Forwarded-For:10.0.0.1\r\nAuthorization: Basic dTpw\r\n\r\nVia: the body\r\n")
ANSWER = (b"HTTP/1.1 401 No\r\nDate: now\r\nServer: nginx/1.22\xff\t\r\nVia:\r\nX-Powered-By: PHP\r\n  /8\r\n"
          b"WWW-Authenticate: Basic\r\nUser-Agent: x\r\n\r\n")


def test_http_headers():
    assert rows_of(("c", REQUEST), ("s", ANSWER)) == [
        client_row("HTTP_CLIENT_HEADER", "USER-AGENT", "curl/8.1"),
        client_row("HTTP_CLIENT_HEADER", "X-FORWARDED-FOR", "10.0.0.1"),
        client_row("HTTP_CLIENT_HEADER", "AUTHORIZATION", "Basic dTpw"),
        server_row("HTTP_SERVER_HEADER", "SERVER", r"nginx/1.22\xff"),
        server_row("HTTP_SERVER_HEADER", "VIA", "(empty)"),
        server_row("HTTP_SERVER_HEADER", "X-POWERED-BY", "PHP /8"),
        server_row("HTTP_SERVER_HEADER", "WWW-AUTHENTICATE", "Basic")]


def test_http_headers_are_whole_or_left_out():
    """Cut at every byte: the rows of a shorter message are the first of a longer one's."""
    answer = ANSWER.replace(b"\r\n  /8", b" /8")
    whole = [row for row in rows_of(("c", REQUEST), ("s", answer)) if row[1] == SERVER[0]]
    ends = [answer.index(line) + len(line) for line in answer.splitlines(True)
            if line.split(b":")[0] in (b"Server", b"Via", b"X-Powered-By", b"WWW-Authenticate")]
    for length in range(1, len(answer) + 1):
        rows = rows_of(("c", REQUEST), ("s", answer), events="response", args=("-l", str(length)))
        assert rows == whole[:sum(end <= length for end in ends)], length


def test_many_headers_of_one_message():
    rows = rows_of(("c", b"GET / HTTP/1.0\r\n\r\n"), ("s", b"HTTP/1\n" + b"Via:\n" * 280), args=("-l", "4096"))
    assert rows == [server_row("HTTP_SERVER_HEADER", "VIA", "(empty)")] * 280


# --- SSH ----------------------------------------------------------------------------------------

OPENSSH, DROPBEAR = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", b"SSH-2.0-dropbear_2022.83\r\n"


def ssh_rows(client, server):
    return [client_row("SSH_CLIENT", "-", client.decode().strip()),
            server_row("SSH_SERVER", "-", server.decode().strip())]


@pytest.mark.parametrize("first", ["c", "s"])
def test_ssh_of_both_sides(first):
    says = {"c": OPENSSH, "s": DROPBEAR}
    second = "s" if first == "c" else "c"
    rows = rows_of((first, says[first]), (second, says[second]))
    assert sorted(rows) == ssh_rows(OPENSSH, DROPBEAR)


@pytest.mark.parametrize("sizes", [[1] * 40, [18], [3, 1, 1, 1]])
@pytest.mark.parametrize("side", ["c", "s"])
def test_ssh_in_segments(side, sizes):
    rest, parts = OPENSSH, []
    for size in sizes:
        parts.append((side, rest[:size]))
        rest = rest[size:]
    rows = rows_of(*((s, data) for s, data in [*parts, (side, rest)] if data))
    assert rows == [ssh_rows(OPENSSH, OPENSSH)[0 if side == "c" else 1]]


def test_ssh_in_segments_is_not_gathered_beyond_its_line():
    assert rows_of(("s", b"SSH-2.0-a"), ("s", b"b\r\nSSH-2.0-c\r\n")) == [server_row("SSH_SERVER", "-", "SSH-2.0-ab")]


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.", b"ssh-1.5-x", b"SSH-2.0-" + b"x" * 300])
def test_ssh_without_its_end_is_none(said):
    assert rows_of(("s", said)) == []


def test_what_only_begins_like_ssh():
    assert rows_of(("s", b"S"), ("s", b"MTP ready\r\n")) == \
        [server_row("TCP_SERVER_BANNER", "-", r"SMTP ready\x0d\x0a")]
    assert rows_of(("s", b"SS")) == [server_row("TCP_SERVER_BANNER", "-", "SS")]
    assert rows_of(("s", b"220 a"), ("s", b"b\r\n")) == [server_row("TCP_SERVER_BANNER", "-", "220 a")]


def test_banners_without_events_are_as_with_them():
    done = probe("-f", "zeek", "-r", "-", input=pcap(frames_of(("s", b"SSH-2.0-a"), ("s", b"b\r\n"))))
    assert (done.returncode, done.stderr) == (0, b"") and b"SSH_SERVER\t-\tSSH-2.0-ab\t-\n" in done.stdout


# --- json: HAProxy's header ---------------------------------------------------------------------

PROXY2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12)


@pytest.mark.parametrize("said, is_proxy", [
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n", True), (b"PROXY TCP6 ::1 ::2 1 25\r\n", True),
    (b"PROXY UNKNOWN\r\n", True), (b"PROXY UNKNOWN anything\r\n", True),
    (PROXY2, True), (PROXY2[:13] + b"\0\0\0", True),
    (PROXY2 + b"x", False), (PROXY2[:-1], False), (PROXY2[:15], False), (b"\r" + PROXY2, False),
    (b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\nEHLO a\r\n", False), (b"PROXY TCP4 a\n", False),
    (b"PROXY FOO a\r\n", False), (b"PROXY UNKNOWN" + b"x" * 93 + b"\r\n", False), (b"\r\n", False)])
def test_proxy_header(said, is_proxy):
    done = probe("-f", "json", "--events=request,reply", "-r", "-", input=pcap(frames_of(("c", said))))
    [record] = map(json.loads, done.stdout.splitlines())
    assert record.get("proxy", False) is is_proxy and decoded(record["banner"]) == said
    done = probe("-f", "json", "--events=request,reply", "-r", "-",
                 input=pcap(frames_of(("s", b"220 a\r\n"), ("c", said))))
    assert b"proxy" not in done.stdout


# --- passwords ----------------------------------------------------------------------------------

@pytest.mark.parametrize("events, warns", [("banner", 0), ("banner,response,open", 0), ("request", 1), ("reply", 1),
                                           ("all", 1)])
def test_says_once_that_clients_say_passwords(events, warns):
    done = probe(f"--events={events}", "-r", "-", input=pcap([]))
    lines = done.stderr.splitlines()
    assert len(lines) == warns and all(WARNING in line for line in lines)


# --- IVRE -----------------------------------------------------------------------------------------

ARCHIVE = pathlib.Path(ROOT, "..", "shared", "ivre", "ivre-0.9.21.tar.zst")
CONFIGURATION = """DB = "tinydb:///{0}/db"
DB_DATA = "maxmind:///{0}/data"
DATA_PATH = "{0}/ivre-0.9.21/data"
NMAP_SHARE_PATH = "/usr/share/nmap"
"""


@pytest.fixture(scope="module")
def ivre_folder(tmp_path_factory):
    if not ARCHIVE.exists():
        pytest.skip("no IVRE here")
    rig.install("python3-tinydb")
    folder = tmp_path_factory.mktemp("ivre")
    subprocess.run(["tar", "--zstd", "-xf", ARCHIVE, "-C", folder], check=True, timeout=60)
    (folder / "db").mkdir()
    (folder / "data").mkdir()
    (folder / "ivre.conf").write_text(CONFIGURATION.format(folder))
    return folder


@pytest.fixture
def ivre(ivre_folder):
    """Runs a command of IVRE's, with an empty database."""
    for file in (ivre_folder / "db").iterdir():
        file.unlink()
    environ = {**os.environ, "IVRE_CONF": str(ivre_folder / "ivre.conf"),
               "PYTHONPATH": str(ivre_folder / "ivre-0.9.21")}

    def run(*args, log=b""):
        done = subprocess.run(["/usr/bin/python3", ivre_folder / "ivre-0.9.21/bin/ivre", *args], input=log,
                              capture_output=True, timeout=120, env=environ, check=False)
        if b"ModuleNotFoundError" in done.stderr:
            pytest.skip(done.stderr.decode().splitlines()[-1])
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()
    return run


def stored(ivre):
    """What the database holds: its rows by (recontype, source, host, port), each with count and value."""
    rows = [json.loads(line) for line in ivre("ipinfo", "--json").splitlines()]
    return {(r["recontype"], r.get("source"), r["addr"], r.get("port"), r["value"]): r["count"] for r in rows}


def expected_in_ivre():
    web = CLIENT[0], None
    served = SERVER
    return {
        ("OPEN_PORT", "TCP", *served, "tcp/8080"),
        ("TCP_CLIENT_BANNER", "tcp/8080", *web, r"HELO \\x09 \xff\x0d\x0a"),
        ("TCP_SERVER_BANNER", None, *served, r"220 b\x0d\x0a"),
        ("SSH_CLIENT", None, *web, "SSH-2.0-OpenSSH_9.2p1 Debian-2"),
        ("SSH_SERVER", None, *served, "SSH-2.0-dropbear_2022.83"),
        ("HTTP_CLIENT_HEADER", "USER-AGENT", *web, "curl/8.1"),
        ("HTTP_CLIENT_HEADER", "X-FORWARDED-FOR", *web, "10.0.0.1"),
        ("HTTP_CLIENT_HEADER", "AUTHORIZATION", *web, "Basic dTpw"),
        ("HTTP_SERVER_HEADER", "SERVER", *served, r"nginx/1.22\xff"),
        ("HTTP_SERVER_HEADER", "VIA", *served, ""),
        ("HTTP_SERVER_HEADER", "X-POWERED-BY", *served, "PHP /8"),
        ("HTTP_SERVER_HEADER", "WWW-AUTHENTICATE", *served, "Basic"),
    }


def test_ivre_takes_every_row(ivre):
    """Types right; the same log once more: every count doubles, and no row is new."""
    talks = [[("c", REQUEST), ("s", ANSWER)], [("c", OPENSSH), ("s", DROPBEAR)], [("s", DROPBEAR), ("c", OPENSSH)],
             [("c", b"HELO \\x09 \xff\r\n")], [("s", b"220 b\r\n")]]
    logs = [log_of(frames_of(*steps)) for steps in talks]
    written = sum(len([line for line in log.splitlines() if line[:1] != b"#"]) for log in logs)
    for log in logs:
        ivre("passiverecon2db", log=log)
    once = stored(ivre)
    assert once.keys() == expected_in_ivre()
    assert sum(once.values()) == written
    for log in logs:
        ivre("passiverecon2db", log=log)
    assert stored(ivre) == {key: 2 * count for key, count in once.items()}


def test_ivre_takes_hostile_values(ivre):
    hostile = [b"-", b"(empty)", b"#close", b"\t", b"\n", b"\xff\xfe", b"\\x41", bytes(range(256)),
               b"'; DROP", b"\x1b[2J"]
    written = 0
    for value in hostile:
        log = log_of(frames_of(("c", value)), events="request")
        assert not set(log) - {*range(0x20, 0x7f), 9, 10}
        ivre("passiverecon2db", log=log)
        written += 1
    assert sum(stored(ivre).values()) == written
