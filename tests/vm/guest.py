# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A Debian booted under QEMU, which has what the machine itself may lack: devices, containers.

It runs one file of tests as root, without a network. The system is kept in build/: remove it to
fetch a newer one.
"""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "system"))

from debian import KERNEL_COMMAND_LINE, apt_sources, install_missing, run, say

PACKAGES = ["e2fsprogs", "mmdebstrap", "qemu-system-x86"]
GUEST_PACKAGES = ["initramfs-tools", "iproute2", "kmod", "python3", "python3-pytest", "systemd-sysv"]
# As in tests/vm/package: the package that depends on the newest kernel is not on every mirror.
INSTALL_KERNEL = """chroot "$1" apt-get install -y --no-install-recommends \
    $(chroot "$1" apt-cache depends %s | sed -n 's/.*Depends: //p')"""
GUEST_SECONDS = 3600  # some minutes, but for a busy machine


@dataclasses.dataclass
class Guest:
    """A Debian, with what its tests need."""
    suite: str
    kernel: str
    packages: list		# besides GUEST_PACKAGES
    cache: pathlib.Path
    programs: list		# of the build, at their places below /sources
    folders: list		# of the sources
    image_size: str = "3G"  # most of it a hole
    memory: str = "1024"
    patience: int = 120		# of tests, in seconds: the guest is emulated


# The cloud flavour of the kernel has no PPP.
DEVICES = Guest("bookworm", "linux-image-amd64", ["python3-scapy"], ROOT / "build/devices",
                ["bannerprobe", "build/forge", "build/wire"], ["tests"])


def fetch(guest):
    """A freshly installed system."""
    cache = guest.cache
    if (cache / "system").exists():
        return
    say("installing", guest.suite)
    (cache / "sources").write_text(apt_sources([guest.suite]))
    shutil.rmtree(cache / "new", ignore_errors=True)
    run("mmdebstrap", "--variant=minbase", "--format=directory",
        f"--include={','.join(GUEST_PACKAGES + guest.packages)}",
        f"--customize-hook={INSTALL_KERNEL % guest.kernel}", guest.suite, cache / "new", cache / "sources")
    (cache / "new").rename(cache / "system")


def copy_program(name, tree):
    """A program of the build, and those of its libraries that the guest lacks."""
    target = tree / "sources" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name, target)
    for library in re.findall(r"(/\S+) \(0x", run("ldd", ROOT / name)):
        place = tree / library.lstrip("/")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)


def make_image(guest, tests, run_of):
    """The system's disk, with what is to be tried in it."""
    tree = run_of / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    run("cp", "-a", "--reflink=auto", guest.cache / "system", tree)
    for name in guest.folders:
        shutil.copytree(ROOT / name, tree / "sources" / name)
    for name in guest.programs:
        copy_program(name, tree)
    unit = (HERE / "guest.service").read_text()
    for word, value in ("TESTS", f"tests/vm/{tests}"), ("SECONDS", str(guest.patience)):
        unit = unit.replace(word, value)
    (tree / "etc/systemd/system/guest.service").write_text(unit)
    for name in ["vmlinuz", "initrd.img"]:
        shutil.copy(tree / os.readlink(tree / name).lstrip("/"), run_of / name)
    (run_of / "disk").unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, run_of / "disk", guest.image_size)
    shutil.rmtree(tree)


def boot(guest, run_of):
    """Boots the system; what its tests said."""
    results = run_of / "results"
    results.write_text("")  # nothing of a run before counts
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", guest.memory,
               "-kernel", run_of / "vmlinuz", "-initrd", run_of / "initrd.img",
               "-drive", f"file={run_of / 'disk'},format=raw,if=virtio",
               "-append", f"{KERNEL_COMMAND_LINE} root=/dev/vda rw systemd.unit=guest.service",
               "-no-reboot", "-nic", "none", "-display", "none", "-monitor", "none",
               "-serial", f"file:{run_of / 'console.log'}", "-serial", f"file:{results}"]
    say("booting")
    try:
        run(*command, timeout=GUEST_SECONDS)
    except subprocess.TimeoutExpired:
        say(f"the guest did not end within {GUEST_SECONDS} seconds")
    return results.read_text(errors="replace").replace("\r", "")


def main(tests, guest=DEVICES):
    """Tries a file of tests/vm in the guest; the exit code."""
    run_of = guest.cache / pathlib.Path(tests).stem
    run_of.mkdir(parents=True, exist_ok=True)
    install_missing(PACKAGES)
    fetch(guest)
    make_image(guest, tests, run_of)
    told = boot(guest, run_of)
    print(told)
    if not told.endswith("exit 0\n"):
        print(f"see {run_of}/results, {run_of}/console.log")
        return 1
    return 0
