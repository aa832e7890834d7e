# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The recipes of docs/alarms.md, word for word, with real programs where these are installed."""

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

import netns
import report_sample
from netns import PATIENCE, wait_for
from report_sample import DAY, HOUR

ALARMS = os.path.join(netns.ROOT, "packaging", "alarms")
MAIL = os.path.join(ALARMS, "mail")
RECIPES = os.path.join(netns.ROOT, "docs", "alarms.md")


def read(path):
    with open(path) as file:
        return file.read()


def recipe(*beginning):
    """The block of code that begins with this text."""
    blocks = re.findall(r"(?:^    .*\n)+", read(RECIPES), re.M)
    found = [block for block in blocks if block.lstrip().startswith(beginning)]
    assert len(found) == 1, found
    return re.sub("^    ", "", found[0], flags=re.M)


class Watched:
    """An inventory that changes while a recipe runs, and a PATH in which the commands are these."""

    def __init__(self, folder):
        self.folder, self.bin = folder, folder / "bin"
        self.path = str(folder / "inventory.db")
        report_sample.Sample(self.path).done()
        self.bin.mkdir()
        # The recipes name no file: it is the one of the package.
        self.command("bannerprobe-inventory", 'case $1 in changes) set -- $INVENTORY "$@";; esac\n'
                     f'exec {report_sample.BINARY} "$@"')
        self.env = os.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}", "INVENTORY": self.path, "TZ": "UTC"}

    def command(self, name, script):
        (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    def change(self, port, when=None, said=b"220 (vsFTPd 3.0.3)\r\n"):
        when = time.time() if when is None else when
        sample = report_sample.Sample(self.path)
        service, (one,) = sample.service("192.0.2.1", port, when, when, forms=[
            {"raw": said, "product": "vsftpd", "version": "3.0.3"}])
        sample.change(when, service, "new", None, one)
        sample.done()

    @contextlib.contextmanager
    def running(self, script):
        """The script, from when it follows the inventory on."""
        process = subprocess.Popen(["bash", "-c", script], env=self.env, start_new_session=True)
        try:
            wait_for("the recipe to follow", lambda: self.followed(process.pid))
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)

    def followed(self, group):
        """Whether a process of this group waits for the inventory to change."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.getpgid(int(pid)) == group and "poll" in read(f"/proc/{pid}/wchan") and any(
                        os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:inotify"
                        for fd in os.listdir(f"/proc/{pid}/fd")):
                    return True
        return False


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path)


# --- mail ---------------------------------------------------------------------------------------

@pytest.fixture
def mail(watched, tmp_path):
    """Runs the script; the mails that it sent."""
    state, sent = tmp_path / "state", tmp_path / "sent"
    state.mkdir()
    sent.mkdir()
    watched.command("sendmail", f'echo "$@" >{tmp_path}/words; exec cat >{sent}/$(ls {sent} | wc -l)')

    def run(code=0):
        done = subprocess.run([MAIL, "noc@example.org", watched.path], capture_output=True, text=True,
                              timeout=PATIENCE, env=watched.env | {
                                  "STATE_DIRECTORY": str(state), "SENDMAIL": str(watched.bin / "sendmail")})
        assert done.returncode == code, done
        return [read(sent / name) for name in sorted(os.listdir(sent))]
    return run


def test_mail_tells_each_change_once(watched, mail):
    now = time.time()
    watched.change(21, now - HOUR)
    watched.change(22, now - 40 * DAY)
    text, = mail()
    head, body = text.split("\n\n", 1)
    assert "To: noc@example.org" in head and "1 changes of services" in head
    assert "192.0.2.1:21  vsftpd 3.0.3" in body and "192.0.2.1:22" not in body
    # No mail where nothing changed; then what did.
    assert mail() == [text]
    watched.change(23, now - 11)
    # It is as old as the last mail's end: of which of the two, a second decides.
    state = watched.folder / "state" / "mailed"
    state.write_text(time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime(now - 60)))
    assert "192.0.2.1:23" in mail()[1] and "192.0.2.1:21" not in mail()[1]


def test_mail_that_is_not_sent_is_sent_later(watched, mail):
    watched.change(21, time.time() - HOUR)
    sendmail = (watched.bin / "sendmail").read_text()
    watched.command("sendmail", "cat >/dev/null; exit 75")
    assert mail(code=75) == []
    (watched.bin / "sendmail").write_text(sendmail)
    assert len(mail()) == 1


def test_mail_without_an_inventory_fails(watched, mail):
    os.unlink(watched.path)
    assert mail(code=1) == []
    assert not (watched.folder / "state" / "mailed").exists()


def test_mail_holds_no_byte_of_a_stranger(watched, mail):
    for n, attack in enumerate(report_sample.ATTACKS):
        watched.change(n, time.time() - HOUR, attack)
    text, = mail()
    assert re.fullmatch(r"[\n -~]*", text)
    assert text.count("\n") == 7 + len(report_sample.ATTACKS) and max(map(len, text.splitlines())) < 998


@pytest.mark.parametrize("unit", ["bannerprobe-mail.service", "bannerprobe-mail.timer"])
def test_units_are_understood(tmp_path, unit):
    for name in os.listdir(ALARMS):
        (tmp_path / name).write_text(read(os.path.join(ALARMS, name)).replace(
            "/usr/local/sbin/bannerprobe-mail", MAIL))
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / unit],
                          capture_output=True, text=True, timeout=PATIENCE)
    assert "bannerprobe" not in told.stderr, told.stderr


# --- as they come -------------------------------------------------------------------------------

def test_syslog(watched, tmp_path):
    log = tmp_path / "log"
    watched.command("logger", f'echo "$@" >{log}; exec cat >>{log}')
    with watched.running(recipe("bannerprobe-inventory changes --follow | logger")):
        watched.change(21)
        wait_for("the change", lambda: "192.0.2.1:21  vsftpd 3.0.3" in read(log))
    assert read(log).startswith("-t bannerprobe-changes -p daemon.notice\n")


class Hook(http.server.ThreadingHTTPServer):
    """Takes what is posted; fails as often as asked before."""

    def __init__(self, failures=0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.failures, self.taken, self.tried = failures, [], 0
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tried += 1
        failed = self.server.failures > 0
        self.server.failures -= failed
        if not failed:
            self.server.taken.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(503 if failed else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="no curl")


@needs_curl
def test_webhook(watched):
    """In order, whole, and again where the other side fails."""
    script = recipe("bannerprobe-inventory changes --follow --json | while").replace("sleep 10", "sleep 0.1")
    said = b"2\\20 \"it's\" $(touch x) `id` \xff\r\n"
    with Hook(failures=2) as hook:
        watched.env["WEBHOOK"] = hook.url
        with watched.running(script):
            watched.change(21, said=said)
            wait_for("a post", lambda: len(hook.taken) == 1)
            watched.change(22)
            wait_for("the next", lambda: len(hook.taken) == 2)
    assert hook.tried == 4
    assert [change["server_port"] for _, change in hook.taken] == [21, 22]
    kind, change = hook.taken[0]
    assert kind == "application/json" and change["event"] == "change" and change["kind"] == "new"
    assert change["new"]["banner"] == report_sample.escape(said)


@needs_curl
@pytest.mark.skipif(not shutil.which("jq"), reason="no jq")
def test_webhook_of_a_chat(watched):
    with Hook() as hook:
        watched.env["WEBHOOK"] = hook.url
        with watched.running(recipe("bannerprobe-inventory changes --follow --json |\n")):
            watched.change(21)
            wait_for("a post", lambda: hook.taken)
    assert hook.taken[0][1] == {"text": "new service: 192.0.2.1:21 vsftpd"}
