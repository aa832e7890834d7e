# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Set-up of pytest: runs the C test programs beside the Python ones, and closes with a plain count."""

import glob
import os
import re
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "system"), os.path.join(HERE, "tools")]

import debian
import netns

BUILD = os.path.join(netns.ROOT, os.environ.get("BUILD", "build"))
C_TEST_SECONDS = 300
TAP_LINE = re.compile(r"(ok|not ok) \d+ (- |# SKIP )(.+)")
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


@pytest.fixture
def net():
    """A host and one peer."""
    with netns.Network() as network:
        yield network


@pytest.fixture
def net2():
    """A host between two peers."""
    with netns.Network(2) as network:
        yield network


@pytest.fixture(scope="session")
def unpacked():
    """Unpacks Debian's packages beside the build, where the first of them gives the name."""
    def unpack(*packages):
        folder = os.path.join(BUILD, packages[0])
        try:
            debian.unpack(folder, *packages)
        except (RuntimeError, OSError) as error:
            pytest.skip(f"{packages[0]} cannot be had: {error}")
        return folder
    return unpack


@pytest.fixture(scope="session")
def trivial(tmp_path_factory):
    """BPF programs of another process. A guest has no compiler, but the object."""
    if built := os.environ.get("TRIVIAL_OBJECT"):
        return built
    return netns.compile_trivial(tmp_path_factory.mktemp("bpf"))


def pytest_collect_file(file_path, parent):
    # This file stands for the C test programs: pytest asks about each file in
    # tests/ only, and the programs lie in the build directory.
    if file_path.name == "conftest.py":
        return CTests.from_parent(parent, path=file_path)


class CTests(pytest.File):
    def collect(self):
        for path in sorted(glob.glob(os.path.join(BUILD, "tests", "*_test"))):
            if os.access(path, os.X_OK):
                yield CProgram.from_parent(self, name=os.path.basename(path))


class CProgram(pytest.Item):
    """One cmocka program: each of its tests becomes a result, and so does its end."""

    def runtest(self):
        env = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
        self.done = subprocess.run([os.path.join(BUILD, "tests", self.name)], env=env, cwd=netns.ROOT,
                                   capture_output=True, text=True, errors="replace",
                                   timeout=C_TEST_SECONDS)

    def results(self):
        """(name, outcome) of each test, and a failure more if the program came to no good end."""
        lines = self.done.stdout.splitlines()
        found = [m for m in map(TAP_LINE.match, lines) if m]
        results = [(m[3], "skipped" if "SKIP" in m[2] else "passed" if m[1] == "ok" else "failed")
                   for m in found]
        planned = sum(int(line[3:]) for line in lines if re.fullmatch(r"1\.\.\d+", line))
        failed = any(outcome == "failed" for _, outcome in results)
        code = self.done.returncode
        if (code < 0 or (code and not failed) or SANITIZER.search(self.done.stderr)
                or not planned or planned != len(results)):
            results.append(("came to a good end", "failed"))
        return results


def pytest_runtest_protocol(item, nextitem):
    """Runs a C program and reports each of its tests; everything else goes its usual way."""
    if not isinstance(item, CProgram):
        return None
    call = pytest.CallInfo.from_call(item.runtest, when="call")
    if call.excinfo:
        results = [("ran", "failed")]
        text = str(call.excinfo.value)
    else:
        results = item.results()
        text = f"{item.done.stdout}\n{item.done.stderr}\nexit {item.done.returncode}"
    for name, outcome in results:
        _report(item, name, outcome, text, call.duration / len(results))
    return True


def _report(item, name, outcome, text, duration):
    """All results of a program have its id: with several workers pytest takes no other."""
    path, line, _ = item.location
    told = {"passed": None, "failed": f"{item.name}: {name}\n{text}",
            "skipped": (path, line, f"{item.name}: {name}: skipped by the C test")}
    location = path, line, f"{item.name}: {name}"
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=location)
    item.ihook.pytest_runtest_logreport(report=pytest.TestReport(
        nodeid=item.nodeid, location=location, keywords={}, longrepr=told[outcome],
        outcome=outcome, when="call", duration=duration))
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=location)


def pytest_unconfigure(config):
    """The last words: a count that needs no reading of what pytest says above."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    count = {kind: len(reporter.stats.get(kind, [])) for kind in
             ("passed", "failed", "error", "skipped")}
    if count["skipped"]:
        print(f"{count['skipped']} skipped")
    print(f"{count['passed']} passed, {count['failed'] + count['error']} failed", flush=True)
