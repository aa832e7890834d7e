# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Servers that people run, in a namespace."""

import contextlib
import os
import shutil
import subprocess

import pytest

from netns import PATIENCE, sh


@contextlib.contextmanager
def sshd(ns, folder, address):
    """OpenSSH's server with a configuration of its own; yields its port."""
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if not program:
        pytest.skip("openssh-server is not installed")
    key, port = folder / "key", 2222
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    os.makedirs("/run/sshd", exist_ok=True)	# its privilege separation insists
    command = [program, "-D", "-e", "-f", "/dev/null", "-h", str(key), "-p", str(port),
               "-o", f"ListenAddress={address}", "-o", f"PidFile={folder}/pid"]
    server = subprocess.Popen(ns.argv(*command), stderr=subprocess.PIPE, text=True)
    try:
        lines = iter(server.stderr.readline, "")
        assert any("Server listening" in line for line in lines), "sshd does not start"
        yield port
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE)
