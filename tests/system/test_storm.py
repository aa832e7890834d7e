# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""`make test-storm`, on a small scale."""

import os

import pytest

import rig
import storm

if os.geteuid():
    pytest.skip("needs root: it makes network namespaces", allow_module_level=True)


def test_everything_at_once(monkeypatch):
    monkeypatch.setattr(rig, "wrong", [])
    storm.main(connections=20000, veths=20)
    assert rig.wrong == []
