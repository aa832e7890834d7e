# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The RPM package that `make rpm` has built: what it installs, and what its scripts do."""

import glob
import os
import re
import subprocess

import pytest

import netns
from netns import BINARY, ROOT, sh
from test_packaging import UNIT, files_below, read

CAPTURE = os.path.join(ROOT, "tests/captures/servers.pcap")


@pytest.fixture(scope="module")
def package():
    [path] = glob.glob(os.path.join(ROOT, os.environ.get("BUILD", "build"), "rpm/*/bannerprobe-[0-9]*.rpm"))
    return path


@pytest.fixture
def rpm(tmp_path):
    """rpm in a root of its own, in which no program of a distribution is: neither libraries nor a shell."""
    root = str(tmp_path / "root")
    os.mkdir(root)
    return lambda *args: sh("rpm", "--root", root, "--dbpath", "/db", *args), root


def test_rpmlint_accepts_both(package):
    told = sh("rpmlint", "--config", f"{ROOT}/packaging/rpmlint.toml", f"{ROOT}/packaging/bannerprobe.spec", package)
    assert "1 packages and 1 specfiles checked; 0 errors, 0 warnings" in told, told


def test_files(package):
    """Those of `make install`, and documents; a root's file of settings is one."""
    listed = {path for path in sh("rpm", "-qlp", package).split() if "/.build-id" not in path}
    documents = {path for path in listed if re.match("/usr/share/(doc|licenses)/", path)}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "alerts.yml", "grafana.json", "alarms", "fleet"} <= {
        os.path.basename(path) for path in documents}
    manuals = {re.sub(r"\.gz$", "", path) for path in listed if path.startswith("/usr/share/man/")}
    assert listed - documents - {path for path in listed if "/man/" in path} | manuals == {
        "/usr/sbin/bannerprobe", "/usr/bin/bannerprobe-inventory",
        "/usr/share/man/man8/bannerprobe.8", "/usr/share/man/man1/bannerprobe-inventory.1",
        "/usr/share/bash-completion/completions/bannerprobe",
        "/usr/share/bash-completion/completions/bannerprobe-inventory",
        "/usr/lib/systemd/system/bannerprobe@.service", "/usr/lib/sysusers.d/bannerprobe.conf",
        "/etc/logrotate.d/bannerprobe", "/usr/share/bannerprobe", "/usr/share/bannerprobe/rules",
        *(f"/usr/share/bannerprobe/rules/{name}" for name in os.listdir(f"{ROOT}/packaging/rules"))}
    assert sh("rpm", "-qcp", package).split() == ["/etc/logrotate.d/bannerprobe"]


def test_installed_programs_run_until_the_package_is_erased(package, rpm):
    rpm, root = rpm
    rpm("-i", "--nodeps", "--noscripts", package)
    assert rpm("-q", "bannerprobe").startswith("bannerprobe-")
    rpm("-V", "--nodeps", "--noscripts", "bannerprobe")
    programs = [f"{root}/usr/sbin/bannerprobe", f"{root}/usr/bin/bannerprobe-inventory"]
    assert sh(programs[0], "--version") == sh(BINARY, "--version")
    records = sh(programs[0], "-f", "json", "-r", CAPTURE)
    assert records and records == sh(BINARY, "-f", "json", "-r", CAPTURE)
    sh(programs[0], "--inventory", f"{root}.db", "-o", "none", "-r", CAPTURE)
    assert "10.99.0.2" in sh(programs[1], f"{root}.db", "list")
    rpm("-e", "--nodeps", "--noscripts", "bannerprobe")
    assert not {path for path in files_below(root) if not path.startswith("db/")}


@pytest.mark.parametrize("script, argument, known, wanted", [
    ("PREIN", 1, False, ["getent group", "groupadd", "getent passwd", "useradd"]),
    ("PREIN", 2, True, ["getent group", "getent passwd"]),
    ("PREUN", 0, True, ["systemctl stop"]),
    ("PREUN", 1, True, []),
    ("POSTUN", 0, True, ["systemctl daemon-reload"]),
    ("POSTUN", 1, True, ["systemctl daemon-reload", "systemctl try-restart"])])
def test_scripts(package, tmp_path, script, argument, known, wanted):
    """With stand-ins for what they call: an upgrade leaves the units running, an end of all stops them."""
    for name in "getent", "groupadd", "useradd", "systemctl":
        stand_in = tmp_path / name
        code = int(name == "getent" and not known)
        stand_in.write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/called\nexit {code}\n')
        stand_in.chmod(0o755)
    text = sh("rpm", "-qp", "--queryformat", f"%{{{script}}}", package)
    text = text.replace("/run/systemd/system", str(tmp_path))
    sh("env", f"PATH={tmp_path}:{os.environ['PATH']}", "sh", "-e", "-c", text, "script", str(argument))
    called = read(tmp_path / "called").splitlines() if (tmp_path / "called").exists() else []
    assert [any(line.startswith(start) for start in wanted) for line in called] == [True] * len(wanted), called
    user = re.search("^User=(.+)$", read(UNIT), re.MULTILINE)[1]
    assert all(user in line for line in called if "daemon-reload" not in line), called
