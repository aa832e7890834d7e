# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The alert rules for Prometheus, judged by its own promtool."""

import os
import re
import shutil
import subprocess

import pytest

import netns

RULES = os.path.join(netns.ROOT, "packaging", "alerts.yml")
CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "alerts_test.yml")
ALERT = re.compile(r"      - alert: (\w+)\n        expr: (?:>-\n(?: {10}.*\n)+|.*\n)")

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: make test-alerts installs it")


def read(path):
    with open(path) as file:
        return file.read()


def promtool(*words):
    return subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60)


def alerts():
    return ALERT.findall(read(RULES))


@needs_promtool
def test_rules_are_rules():
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0 and f"{read(RULES).count('- alert:')} rules found" in done.stdout, done


def judge(folder, rules):
    """The result of the cases for these rules."""
    (folder / "alerts.yml").write_text(rules)
    (folder / "cases.yml").write_text(read(CASES))
    return promtool("test", "rules", str(folder / "cases.yml"))


@needs_promtool
def test_each_comes_and_stays_away_as_it_should(tmp_path):
    done = judge(tmp_path, read(RULES))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("alert", alerts())
@pytest.mark.parametrize("instead", ["absent(up) == 2", "vector(1)"], ids=["never", "always"])
def test_the_cases_tell_a_broken_rule(tmp_path, alert, instead):
    text = ALERT.sub(lambda found: f"      - alert: {alert}\n        expr: {instead}\n"
                     if found[1] == alert else found[0], read(RULES))
    assert text != read(RULES)
    done = judge(tmp_path, text)
    assert done.returncode == 1 and f"alertname: {alert}" in done.stdout + done.stderr, done


def test_metrics_are_those_that_the_probe_writes():
    sources = "".join(read(os.path.join(path, name)) for path, _, names in os.walk(os.path.join(netns.ROOT, "user"))
                      for name in names if name.endswith(".c"))
    named = set(re.findall(r"bannerprobe_\w+", "".join(found[0] for found in ALERT.finditer(read(RULES)))))
    assert len(named) > 5
    assert {name for name in named
            if f'"{name.removeprefix("bannerprobe_")}"' not in sources} == set()


def test_each_kind_of_change_is_in_a_rule_and_each_alert_in_the_manual():
    kinds = re.findall(r"X\(CHANGE_\w+, \"(\w+)\"\)",
                       read(os.path.join(netns.ROOT, "user", "inventory", "inventory.h")))
    named = {kind for kinds in re.findall(r'kind=~?"([\w|]+)"', read(RULES)) for kind in kinds.split("|")}
    assert len(kinds) > 5 and set(kinds) == named
    assert re.findall(r"^\| (Bannerprobe\w+) \|", read(os.path.join(netns.ROOT, "docs", "alarms.md")), re.M) == alerts()
