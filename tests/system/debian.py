# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Debian's packages and mirrors: what the tests that boot other Debians stand on."""

import contextlib
import fcntl
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATIENT = "-oDPkg::Lock::Timeout=600"	# another program may be installing
POLICY = "/usr/sbin/policy-rc.d"	# Debian asks it whether a new package may start its service
# Of a guest, which ends when it panics. On a busy machine an emulated timer comes too
# late for the kernel's check of it, which panics.
# tsc=reliable: on a busy machine an emulated clock is found unstable, and then the kernel patches code that
# runs. QEMU 7.2 executes the old code on another CPU: Linux 7.2 ended with an oops in ktime_get_mono_fast_ns().
KERNEL_COMMAND_LINE = "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable"


def say(*words):
    sys.stderr.write(" ".join(map(str, words)) + "\n")  # whole lines, from several threads


def run(*command, **options):
    """Runs a command; its output is shown only if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stdout.strip()}")
    return done.stdout


def installed(package):
    status = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
                            capture_output=True, text=True)
    return status.stdout == "installed"


def install_missing(packages):
    with packages_locked():
        missing = [package for package in packages if not installed(package)]
        if missing:
            say("installing", *missing)
            run("apt-get", "update")
            run("apt-get", "install", "-y", PATIENT, "--no-install-recommends", *missing,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


@contextlib.contextmanager
def packages_locked():
    """Several tests run at once; packages are for one at a time, packaging/deps.sh's too."""
    with open(ROOT / "packaging/deps.sh") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def no_services_started():
    """Installing a server must not start it on the machine's own network."""
    ours = not os.path.exists(POLICY)
    if ours:
        with open(POLICY, "w") as file:
            file.write("#!/bin/sh\nexit 101\n")
        os.chmod(POLICY, 0o755)
    try:
        yield
    finally:
        if ours:
            os.unlink(POLICY)


def unpack(folder, *packages):
    """Their files below a folder, without being installed; RuntimeError where they cannot be had."""
    done = os.path.join(folder, "unpacked")
    with packages_locked():
        if os.path.exists(done):
            return
        os.makedirs(folder, exist_ok=True)
        shutil.chown(folder, "_apt")
        run("apt-get", "download", *packages, cwd=folder)
        for package in glob.glob(f"{folder}/*.deb"):
            run("dpkg", "-x", package, folder)
        open(done, "w").close()


def machine_sources():
    """Yields (URI, suites, components, Signed-By) of the machine's apt sources."""
    for name in ["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*.list")]:
        text = pathlib.Path(name).read_text() if os.path.exists(name) else ""
        for options, uri, suite, components in re.findall(
                r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)(.*)", text, re.MULTILINE):
            key = re.search(r"signed-by=(\S+)", options)
            yield uri, [suite], components.split(), key and key[1]
    for name in glob.glob("/etc/apt/sources.list.d/*.sources"):
        text = re.sub(r"^#.*\n", "", pathlib.Path(name).read_text(), flags=re.MULTILINE)
        for paragraph in re.split(r"\n\s*\n", text):
            # A field goes on in the lines that begin with a space: a key can.
            field = {key.lower(): value.strip() for key, value in re.findall(
                r"^([\w-]+):((?:.*\n?)(?:[ \t].*\n?)*)", paragraph, re.MULTILINE)}
            if field.get("enabled", "yes") != "no":
                for uri in field.get("uris", "").split():
                    yield (uri, field.get("suites", "").split(),
                           field.get("components", "").split(), field.get("signed-by"))


def mirror(suite):
    """The machine's (URI, Signed-By) for a suite that it does have."""
    for uri, suites, components, key in machine_sources():
        if suite in suites and "main" in components:
            return uri, key
    return None


def apt_sources(suites):
    """Sources for these suites and their security updates, from the machine's mirrors."""
    own = re.search(r"VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text())[1]
    archive, security = mirror(own), mirror(f"{own}-security")
    if not archive:
        raise RuntimeError(f"no source of Debian {own} in /etc/apt")
    wanted = [(archive, suite) for suite in suites]
    if security:
        wanted += [(security, f"{suite}-security") for suite in suites if suite != "sid"]
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n"
        + (f"Signed-By: {key}\n" if key else "") for (uri, key), suite in wanted)
