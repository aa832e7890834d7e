# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""bannerprobe-inventory, as a person uses it: a terminal's width, which service is meant, filters."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time

import pytest

from netns import PATIENCE
from test_inventory import BINARY, DAY, NOW, SSH, complete, filled, inventory, line, lines_of, run

assert filled and inventory	# fixtures, which pytest finds by their names

LONG = "2001:db8:1111:2222:3333:4444:5555:6666"
LONG_GREETING = b"220 " + b" ".join(b"word%d" % n for n in range(24)) + b" ESMTP Postfix\r\n"


def on_a_terminal(columns, *words, code=0):
    """The lines that a command writes to a terminal of so many columns."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([BINARY, *map(str, words)], stdout=side) as process:
        os.close(side)
        text = b""
        try:
            while more := os.read(main, 65536):
                text += more
        except OSError:		# the other end is closed
            pass
        assert process.wait(PATIENCE) == code
    os.close(main)
    return text.decode().splitlines()


def unhighlighted(row):
    """A row without the terminal's reverse video, which ends in the row that it began in."""
    assert row.count("\33[7m") == row.count("\33[0m")
    return re.sub("\33\\[[07]m", "", row)


@pytest.fixture
def wide(inventory):
    """Services with long names and greetings; what came before, as another inventory."""
    day = time.time() - 20 * DAY
    inventory.take(line(SSH, day), line(SSH, day, server=LONG, port=65535, sensor="a-sensor-in-the-north"),
                   line(LONG_GREETING, day, port=25), line(b"\\" * 200, day, port=26),
                   line(b"x" * 200 + b"\r\n", day, port=27))
    old = inventory.folder / "old.db"
    run(old, "import", inventory.log)
    inventory.take(*(line(LONG_GREETING.replace(b"word", b"term"), day + n, port=25) for n in range(3)),
                   line(LONG_GREETING, day, port=28))
    return inventory, old


@pytest.mark.parametrize("columns", [20, 30, 40, 60, 80, 120, 200])
def test_what_is_printed_fits_the_terminal(wide, columns):
    kept, old = wide
    for words in [], ["changes"], ["gone"], ["diff", old], ["show", f"[{LONG}]:65535"], ["show", "192.0.2.10:25"]:
        rows = on_a_terminal(columns, kept.path, *words, code=int(words[:1] == ["diff"]))
        assert rows and max(map(len, map(unhighlighted, rows))) <= columns, (words, rows)
        assert not [row for row in rows if row != row.rstrip()], words


def test_a_long_address_is_on_a_line_of_its_own(wide):
    """The others keep their width, and it is not cut."""
    kept, _ = wide
    rows = on_a_terminal(80, kept.path)
    [at] = [n for n, row in enumerate(rows) if row == f"a-sensor-in-the-north [{LONG}]:65535"]
    assert re.fullmatch(r" {15}20.*  OpenSSH 9\.2p1 Debian.*", rows[at + 1])
    [short] = [row for row in rows if row.startswith("192.0.2.10:22 ")]
    assert short[13:] == rows[at + 1][13:] and "OpenSSH 9.2p1 Debian" in short


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120])
def test_owners_fit_the_terminal(inventory, columns):
    inventory.take(line(SSH, unit="a-unit-with-a-long-name@instance.service", process="sshd"),
                   line(SSH, server=LONG, container="docker:3f2a91c0b7de", process="a-process-of-a-container"))
    inventory.take(line(SSH, NOW + 60, unit="b" * 200 + ".service", process="sshd"))
    for words in [], ["changes"]:
        rows = on_a_terminal(columns, inventory.path, *words)
        assert max(map(len, rows)) <= columns, (words, rows)


@pytest.mark.parametrize("words", [["changes"], ["diff"], ["show", "192.0.2.10:25"]])
def test_folded_lines_lose_nothing(wide, words):
    kept, old = wide
    words, code = words + [old] * (words == ["diff"]), int(words == ["diff"])
    whole = kept.command(*words, code=code).stdout
    folded = "\n".join(map(unhighlighted, on_a_terminal(80, kept.path, *words, code=code)))
    assert re.sub(r"\s", "", folded) == re.sub(r"\s", "", whole)


def test_what_show_prints_stays_below_its_heads(wide):
    """The text of a form is folded below its beginning, and a wild part stays whole."""
    kept, _ = wide
    rows = on_a_terminal(60, kept.path, "show", "192.0.2.10:25")
    at = rows.index(next(row for row in rows if row.startswith("    first   220 word0 ")))
    assert re.match(r" {12}word\d", rows[at + 1]) and len(rows[at]) > 50


def test_a_wild_part_stays_whole(inventory):
    inventory.take(*(line(b"-".join(b"%d-%d" % (n * 7919 % 9973, k) for k in range(40)) + b"\r\n", NOW + n)
                     for n in range(3)))
    for columns in range(20, 50):
        rows = on_a_terminal(columns, inventory.path, "show", "192.0.2.10:22")
        assert "".join(rows).count("\33[7m") > 10 and max(map(len, map(unhighlighted, rows))) <= columns


def test_nothing_is_cut_for_another_program(wide):
    kept, old = wide
    for words in [], ["changes"], ["gone"], ["diff", old]:
        rows = kept.command(*words, code=int(words[:1] == ["diff"])).stdout.splitlines()
        assert max(map(len, rows)) > 150 and not [row for row in rows if ".." in row], words


# --- which service is meant -----------------------------------------------------------------------

def tunnelled(number):
    return [{"type": "vxlan", "id": number, "src": "192.0.2.1", "dst": "192.0.2.2"}]


@pytest.fixture
def many(inventory):
    inventory.take(line(SSH), line(SSH, tunnel=tunnelled(42)), line(SSH, tunnel=tunnelled(43)),
                   line(SSH, sensor="north"), line(SSH, port=23, tunnel=tunnelled(7)))
    return inventory


def kept_of(inventory):
    return inventory.ask("SELECT sensor, tunnel, port FROM service ORDER BY port, sensor, tunnel")


def test_several_services_are_not_forgotten_at_once(many):
    before = kept_of(many)
    told = lines_of(many.command("forget", "192.0.2.10:22", code=1))
    assert "192.0.2.10:22: 4 services: which one?" in told
    assert "--sensor '' in none; --sensor '' in 42; --sensor '' in 43; --sensor north in none; or --all" in told
    told = lines_of(many.command("forget", "--sensor", "", "192.0.2.10:22", code=1))
    assert "3 services: which one? add one of: in none; in 42; in 43; or --all" in told
    assert "2 services: which one? add one of: --sensor ''; --sensor north;" in lines_of(
        many.command("forget", "192.0.2.10:22", "in", "none", code=1))
    assert kept_of(many) == before


def test_many_services_are_not_all_named(many):
    many.take(*(line(SSH, tunnel=tunnelled(100 + n)) for n in range(20)))
    assert "in 43; ...; or --all" not in lines_of(many.command("forget", "192.0.2.10:22", code=1))
    assert "; ...; or --all" in lines_of(many.command("forget", "192.0.2.10:22", code=1))


@pytest.mark.parametrize("words, left", [
    (["192.0.2.10:22", "in", "42"], 4), (["192.0.2.10:22 in 42"], 4), (["192.0.2.10:23"], 4),
    (["192.0.2.10:22", "--sensor", "north"], 4), (["--sensor=", "192.0.2.10:22", "in", "none"], 4),
    (["192.0.2.10:22", "--all"], 1), (["192.0.2.10:22", "--all", "--sensor", ""], 2)])
def test_the_service_that_is_meant_is_forgotten(many, words, left):
    assert f"{5 - left} forgotten" in lines_of(many.command("forget", *words))
    assert len(kept_of(many)) == left
    assert many.command("check").stdout == "ok\n"


def test_show_takes_a_tunnel(many):
    assert many.command("show", "192.0.2.10:22").stdout.count("  changes\n") == 4
    for words in ["192.0.2.10:22", "in", "42"], ["192.0.2.10:22 in 42"]:
        assert many.command("show", *words).stdout.splitlines()[0] == "192.0.2.10:22 in 42"
    assert many.command("show", "192.0.2.10:22", "in", "none").stdout.count("  changes\n") == 2
    named = [(one.get("sensor"), one.get("tunnel")) for one in many.json("show", "192.0.2.10:22") if "server" in one]
    assert named == [(None, "42"), (None, "43"), ("north", None)]
    assert "192.0.2.10:22 in 9: no such service in" in lines_of(
        many.command("show", "192.0.2.10:22", "in", "9", code=1))


@pytest.mark.parametrize("words, told", [
    (["192.0.2.10:22", "in"], "192.0.2.10:22 in: which tunnel?"), (["192.0.2.10:22", "in", ""], "in '': which"),
    (["192.0.2.10:22 in "], "in '': which"), (["192.0.2.10:22", "in", "42", "43"], "43: one service is enough"),
    (["192.0.2.10:22", "42"], "42: one service is enough"), (["in", "42"], "in: no service like")])
def test_words_that_name_no_service(many, words, told):
    for command in "show", "forget":
        assert told in lines_of(many.command(command, *words, code=2))
    assert len(kept_of(many)) == 5


def test_all_is_of_one_service(many):
    assert "--all, --not-seen: only one" in lines_of(many.command("forget", "--all", "--not-seen=1d", code=2))


# --- words ----------------------------------------------------------------------------------------

def test_an_open_port_is_called_open(inventory):
    inventory.take(line(None, event="open"), line(b"\r\n", port=23))
    for words in [], ["changes"], ["gone"]:
        rows = inventory.command(*words).stdout.splitlines()
        assert [row.split()[-1] for row in rows if ":22 " in row] == ["open"], words
        assert [row.split()[-1] for row in rows if ":23 " in row] == [r"\x0d\x0a"], words
        assert not [row for row in rows if row != row.rstrip()], words
    text = inventory.command("show", "192.0.2.10:22").stdout
    assert "1 connection, once, open:" in text and text.endswith("  new\n")


def test_one_is_no_plural(inventory):
    inventory.take(line(SSH), line(SSH, port=23), line(SSH, NOW + 1, port=23))
    text = inventory.command("show", "192.0.2.10:22").stdout
    assert ", 1 connection, once\n" in text and ", 1 time\n" in text
    text = inventory.command("show", "192.0.2.10:23").stdout
    assert ", 2 connections\n" in text and ", 2 times\n" in text


@pytest.mark.parametrize("words", [["--product", "nosuch"], ["--port", "99"], ["--net", "203.0.113.0/24"],
                                   ["--sensor", "nowhere"], ["--owner", "nobody"]])
def test_a_filter_without_a_service_is_told(filled, words):
    page = ["report", "-o", filled.folder / "page.html"]
    for command in [], ["list", "--json"], ["list", "--csv"], ["changes"], ["changes", "--json"], ["gone"], page:
        done = filled.command(*command, *words)
        assert done.stderr == f"bannerprobe-inventory: no service in {filled.path} matches the filter\n", command


def test_a_former_version_is_a_filter_of_changes_only(inventory):
    """The others know services by what they say now."""
    inventory.take(line(SSH), line(SSH.replace(b"9.2p1", b"9.6p1"), NOW + 60))
    page = ["report", "-o", inventory.folder / "page.html"]
    for command in [], ["list", "--json"], ["gone"], page:
        done = inventory.command(*command, "--product", "9.2p1")
        assert done.stderr == f"bannerprobe-inventory: no service in {inventory.path} matches the filter\n", command
    done = inventory.command("changes", "--product", "9.2p1")
    assert done.stdout and not done.stderr


def test_a_page_without_a_service_is_written(filled):
    page = filled.folder / "page.html"
    filled.command("report", "-o", page, "--port", "99")
    assert "</html>" in page.read_text()


@pytest.mark.parametrize("net, found", [
    ("::ffff:192.0.2.0/120", {"192.0.2.9", "192.0.2.10"}), ("::ffff:192.0.2.9", {"192.0.2.9"}),
    ("::ffff:0:0/96", {"192.0.2.9", "192.0.2.10"}), ("::ffff:203.0.113.0/120", set()), ("::/0", set())])
def test_an_ipv4_net_in_ipv6s_form(filled, net, found):
    """As the probe's own --net takes it."""
    assert {one["server"] for one in filled.json("list", "--net", net)} & {"192.0.2.9", "192.0.2.10"} == found


def test_nothing_in_a_time_is_no_wrong_filter(filled):
    """As cron asks: nothing is said where nothing happened."""
    for words in ["list", "--since", "1h", "--port", "22"], ["changes", "--since", "1h", "--port", "22"], \
            ["changes", "--since", "1h"], ["gone", "--gone", "90d", "--product", "OpenSSH"]:
        done = filled.command(*words)
        assert (done.stdout, done.stderr) == ("", ""), words


def test_gone_has_heads(filled):
    heads, row = filled.command("gone").stdout.splitlines()
    assert heads.split() == ["SERVER", "SEEN", "WHAT"]
    assert row.startswith("192.0.2.9:22") and heads.index("WHAT") == row.index("OpenSSH")
    assert filled.command("gone", "--gone", "90d").stdout == ""


@pytest.mark.parametrize("ports, found", [("ssh", [22, 22]), ("ssh,smtp", [22, 22, 25]), ("22,smtp", [22, 22, 25]),
                                          ("20-23,2000", [22, 22, 2000])])
def test_ports_have_names(filled, ports, found):
    assert [one["server_port"] for one in filled.json("list", "--port", ports)] == found


@pytest.mark.parametrize("ports", ["nosuch", "ssh,", ",ssh", "SSH-1", "22-ssh", "x" * 100, "-", "-22", "22--23"])
def test_no_ports(filled, ports):
    assert f"--port: {ports} is no list of ports like 22,smtp,8000-8100" in lines_of(
        filled.command("list", f"--port={ports}", code=2))


@pytest.mark.parametrize("word, seconds", [
    ("a day ago", DAY), ("A Day Ago", DAY), ("an hour ago", 3600), ("last week", 7 * DAY), ("Last month", 30 * DAY),
    ("2 Days ago", 2 * DAY), ("12H", DAY / 2)])
def test_times_as_they_are_said(inventory, word, seconds):
    inventory.take(line(SSH, time.time() - seconds - 60, port=1), line(SSH, time.time() - seconds + 60, port=2))
    assert [one["server_port"] for one in inventory.json("changes", "--since", word)] == [2]


def test_case_of_times_does_not_matter(filled):
    for word in "Yesterday", "TODAY", "Now":
        assert filled.json("changes", "--since", word) == filled.json("changes", "--since", word.lower())


@pytest.mark.parametrize("word", ["last", "a", "an ago", "lastweek", "aday", "last 2 weeks",
                                  "last week ago", "last last week"])
def test_times_that_are_none(filled, word):
    assert "is no time like" in lines_of(filled.command("changes", "--since", word, code=2))


def test_show_names_the_forms_of_a_change(inventory):
    inventory.take(line(SSH), line(SSH.replace(b"9.2p1", b"9.6p1"), NOW + 60))
    rows = inventory.command("show", "192.0.2.10:22").stdout.splitlines()
    assert [re.split(" {2,}", row.strip())[1:] for row in rows[rows.index("  changes") + 1:]] == [
        ["new", "form 1"], ["version", "form 1 -> form 2"]]


def test_a_file_is_named_once(filled, tmp_path):
    assert run("list", filled.path, "--json").stdout == run(filled.path, "list", "--json").stdout
    for words in [filled.path, "list", tmp_path / "other.db"], ["list", filled.path, "other.db"]:
        assert f"{words[-1]}: one file is enough" in lines_of(run(*words, code=2)), words


def test_help_fits_a_terminal():
    rows = run("--help").stdout.splitlines()
    assert max(map(len, rows)) < 80
    assert "".join(rows).replace(" ", "").count("Whatwasreadofalogbeforeisnotreadagain.") == 1


def test_help_is_a_word_too(tmp_path):
    assert run("help").stdout == run("--help").stdout
    assert "no such command: list, " in lines_of(run(tmp_path / "x.db", "help", code=2))


def test_completion_of_what_is_free():
    """What only its user knows is not completed by names of files."""
    for option in "-O", "--owner", "-P", "-S":
        assert not complete(f"bannerprobe-inventory {option} ")


def test_completion_of_a_list(tmp_path):
    (tmp_path / "x.db").touch()
    assert complete(f"bannerprobe-inventory list {tmp_path}/") == {f"{tmp_path}/x.db"}


def test_completion_of_a_tunnel():
    for command in "show", "forget":
        assert not complete(f"bannerprobe-inventory {command} ")
        assert complete(f"bannerprobe-inventory {command} 192.0.2.10:22 ") == {"in"}
        assert complete(f"bannerprobe-inventory {command} 192.0.2.10:22 in ") == {"none"}
