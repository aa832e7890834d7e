# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Whose a service is, in bannerprobe-inventory: from logs, kept, shown, and when it changes."""

import csv
import io
import json
import re
import sqlite3

import pytest

from test_inventory import DAY, NOW, SSH, Inventory, line, lines_of, run

DOCKER = {"container": "docker:3f2a91c0b7de", "process": "nginx"}
UNIT = {"unit": "ssh.service", "process": "sshd"}


@pytest.fixture
def inventory(tmp_path):
    return Inventory(tmp_path)


def command(inventory, *words):
    return [json.loads(one) for one in run(inventory.path, *words, "--json").stdout.splitlines()]


def owner_changes(inventory):
    return [(one["old"]["owner"], one["new"]["owner"]) for one in command(inventory, "changes")
            if one["kind"] == "owner"]


def take(inventory, *owners, step=10, start=0):
    """A connection for each owner, one after another."""
    inventory.take(*[line(SSH, ts=NOW + start + step * n, client_port=40000 + n, **owner)
                     for n, owner in enumerate(owners)])


def test_kept_and_shown(inventory):
    take(inventory, {**UNIT, "cgroup": "/system.slice/ssh.service", "uid": 0, "pid": 17}, {})
    row, = command(inventory, "list")
    assert {name: row.get(name) for name in ("unit", "container", "process")} == {**UNIT, "container": None}
    table = run(inventory.path, "list").stdout.splitlines()
    assert table[0].split() == ["SERVER", "SINCE", "SEEN", "TIMES", "NOTE", "OWNER", "WHAT"]
    assert " ssh.service " in table[1] and "sshd" not in table[1].split("OpenSSH")[0]
    rows = list(csv.DictReader(io.StringIO(run(inventory.path, "list", "--csv").stdout)))
    assert (rows[0]["unit"], rows[0]["container"], rows[0]["process"]) == ("ssh.service", "", "sshd")
    shown = run(inventory.path, "show", "192.0.2.10:22").stdout
    assert "\n  unit ssh.service\n" in shown and "\n  process sshd\n" in shown
    assert command(inventory, "show", "192.0.2.10:22")[0]["unit"] == "ssh.service"
    page = run(inventory.path, "report", "-o", "-").stdout
    assert ">Owners</h2>" in page and "<small class=o>ssh.service</small>" in page
    assert owner_changes(inventory) == []


def test_nobody_is_known(inventory):
    """As before: no column, no section."""
    take(inventory, {})
    assert "OWNER" not in run(inventory.path, "list").stdout
    assert ">Owners</h2>" not in run(inventory.path, "report", "-o", "-").stdout


def test_change(inventory):
    take(inventory, UNIT, UNIT, DOCKER, DOCKER)
    assert owner_changes(inventory) == [("ssh.service sshd", "docker:3f2a91c0b7de nginx")]
    text, = [one for one in run(inventory.path, "changes").stdout.splitlines() if "  owner " in one]
    assert text.endswith("192.0.2.10:22  ssh.service sshd  ->  docker:3f2a91c0b7de nginx")
    assert "owner     ssh.service sshd -> docker:3f2a91c0b7de nginx" in \
        run(inventory.path, "show", "192.0.2.10:22").stdout
    assert "Another unit, container or process" in run(inventory.path, "report", "-o", "-").stdout


@pytest.mark.parametrize("owners", [
    [UNIT, {}, UNIT],							# not known meanwhile
    [{"unit": "ssh.service"}, UNIT, {"unit": "ssh.service"}],		# the process, now and then
    [{"process": "sshd"}, UNIT, {"process": "sshd"}],			# the unit, now and then
    [{}, UNIT],								# known at last
], ids=["none", "process", "unit", "late"])
def test_no_change(inventory, owners):
    take(inventory, *owners)
    assert owner_changes(inventory) == []
    row, = command(inventory, "list")
    assert (row["unit"], row["process"]) == ("ssh.service", "sshd")


def test_taking_turns(inventory):
    """Two members of a group of sockets: one change. One that comes back after --gone: another."""
    take(inventory, *[UNIT, DOCKER] * 5)
    assert len(owner_changes(inventory)) == 1
    take(inventory, UNIT, start=10 * DAY)
    assert len(owner_changes(inventory)) == 2


def test_across_runs(inventory):
    """Whose it was stands in the file."""
    take(inventory, UNIT)
    take(inventory, UNIT, start=100)
    assert owner_changes(inventory) == []
    take(inventory, DOCKER, start=200)
    assert len(owner_changes(inventory)) == 1
    # Read later than it was made: nothing new.
    take(inventory, UNIT, start=-500)
    assert len(owner_changes(inventory)) == 1
    assert command(inventory, "list")[0]["container"] == "docker:3f2a91c0b7de"


def test_filter(inventory):
    inventory.take(line(SSH, **UNIT), line(SSH, server="192.0.2.11", **DOCKER), line(SSH, server="192.0.2.12"))
    for word, servers in (("SSH.s", ["192.0.2.10"]), ("nginx", ["192.0.2.11"]), ("docker:", ["192.0.2.11"]),
                          ("none", [])):
        assert [row["server"] for row in command(inventory, "list", "--owner", word)] == servers
        assert [one["server"] for one in command(inventory, "changes", "--owner", word)] == servers
        page = run(inventory.path, "report", "-o", "-", "--owner", word).stdout
        assert [server for server in ("192.0.2.10", "192.0.2.11", "192.0.2.12") if server + ":22" in page] == servers


def test_report_groups(inventory):
    """By unit, by container whichever process of it answers, or else by process; the largest first."""
    owners = [UNIT, {"process": "inetd"}, DOCKER, {**DOCKER, "process": "php"}, DOCKER, {**UNIT, "process": "x"}, {}]
    inventory.take(*[line(SSH, server=f"192.0.2.{n}", **owner) for n, owner in enumerate(owners, 10)])
    page = run(inventory.path, "report", "-o", "-").stdout
    endpoints = dict(re.findall(r"<li id=(s\d+) .*?<span class=e>(.*?)</span>", page))
    groups = [(name, int(count), [endpoints[service] for service in re.findall(r"<a href=#(s\d+)>", links)])
              for name, count, links in re.findall(r'data-owner="(.*?)">.*?<b>(\d+)</b>(.*?)</noscript>', page)]
    assert groups == [("docker:3f2a91c0b7de", 3, [f"192.0.2.{n}:22" for n in (12, 13, 14)]),
                      ("ssh.service", 2, ["192.0.2.10:22", "192.0.2.15:22"]), ("inetd", 1, ["192.0.2.11:22"])]
    assert "data-sort=owner" in page and "A part of the inventory" not in page
    part = run(inventory.path, "report", "-o", "-", "--owner", "php").stdout
    assert "A part of the inventory: owner <b>php</b>" in part


@pytest.mark.parametrize("hostile", ["\x1b[31m", "a\nb", "é", "x" * 256, 7, None, ["a"], "a\x00b"])
def test_hostile(inventory, hostile):
    """What no probe says is not taken, and reaches no terminal."""
    take(inventory, {"unit": hostile, "container": hostile, "process": hostile})
    row, = command(inventory, "list")
    assert not {"unit", "container", "process"} & set(row)


def test_escaped_once(inventory):
    """A process may call itself anything: the log has it escaped, and so have the lists."""
    take(inventory, {"process": "a\\x1b[b"})
    assert command(inventory, "list")[0]["process"] == "a\\x1b[b"
    assert "a\\x1b[b" in run(inventory.path, "list").stdout


def test_hostile_file(inventory):
    """Any program may have written it."""
    take(inventory, UNIT)
    with sqlite3.connect(inventory.path) as db:
        db.execute("UPDATE service SET unit = ?, process = ?", ("\x1b]0;x\x07<script>", "\x1b"))
    for words in ["list"], ["list", "--json"], ["show", "192.0.2.10:22"], ["report", "-o", "-"]:
        done = run(inventory.path, *words).stdout
        assert "\x1b" not in done and "\x07" not in done and "x<script>" not in done
    take(inventory, UNIT, start=100)


def test_an_older_file(inventory):
    """One of before there were owners: a reader says so, a writer brings it up to date, nothing is lost."""
    take(inventory, {})
    with sqlite3.connect(inventory.path) as db:
        for column in "old_owner", "new_owner":
            db.execute(f"ALTER TABLE change DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
        before = db.execute("SELECT * FROM service").fetchall(), db.execute("SELECT * FROM change").fetchall()
    assert "older bannerprobe" in lines_of(run(inventory.path, "changes", code=1))
    take(inventory, UNIT, DOCKER, start=100)
    assert len(owner_changes(inventory)) == 1
    with sqlite3.connect(inventory.path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert db.execute("SELECT id, sensor, server FROM service").fetchall() == [before[0][0][:3]]
        assert db.execute("SELECT * FROM change").fetchall()[0][:-2] == before[1][0]
