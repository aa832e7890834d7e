# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the fuzzers once found, through each of them again; `make fuzz` looks for more."""

import os
import subprocess

import pytest

import netns
from conftest import BUILD

CORPUS = os.path.join(netns.ROOT, "tests", "fuzz", "corpus")
NOT_LOADED = 3


@pytest.mark.parametrize("fuzzer", sorted(os.listdir(CORPUS)))
def test_corpus(fuzzer, tmp_path):
    folder = os.path.join(CORPUS, fuzzer)
    done = subprocess.run([os.path.join(BUILD, "fuzz", f"fuzz_{fuzzer}"), "-runs=0",
                           f"-artifact_prefix={tmp_path}/", folder],
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=300)
    if done.returncode == NOT_LOADED and "not permitted" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    assert f" {len(os.listdir(folder))} files found in {folder}" in done.stderr
