# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A Debian booted under QEMU, which has what the machine itself may lack: devices, containers.

It runs some files of tests as root, without a network. The systems are kept in build/, and fetched
again when other packages are asked for: remove one to fetch a newer one.
"""

import argparse
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
from netns import compile_trivial

PACKAGES = ["e2fsprogs", "mmdebstrap", "qemu-system-x86"]
GUEST_PACKAGES = ["initramfs-tools", "iproute2", "kmod", "python3", "python3-pytest", "systemd-sysv"]
# As in tests/vm/package: the package that depends on the newest kernel is not on every mirror.
INSTALL_KERNEL = """chroot "$1" apt-get install -y --no-install-recommends \
    $(chroot "$1" apt-cache depends %s | sed -n 's/.*Depends: //p')"""
FOLDERS = ["docs", "packaging", "tests"]
GUEST_SECONDS = 7200  # some minutes, but for a busy machine
CARDS = ["virtio-net-pci"] * 2


@dataclasses.dataclass
class Guest:
    """A Debian, with what its tests need."""
    suite: str
    packages: list                  # besides GUEST_PACKAGES
    cache: pathlib.Path
    programs: list                  # of the build, at their places below /sources
    kernel: str = "linux-image-amd64"
    image_size: str = "4G"          # most of it a hole
    memory: str = "1536"

    def wanted(self):
        return [self.kernel, *GUEST_PACKAGES, *self.packages]

    def system(self):
        return self.cache / self.suite


def with_devices(suite, *packages):
    """The cloud flavour of the kernel has no PPP."""
    return Guest(suite, ["ethtool", "python3-scapy", "wireguard-tools", *packages], ROOT / "build/devices",
                 ["bannerprobe", "build/forge", "build/wire"])


BOOKWORM = with_devices("bookworm")     # Linux 6.1: before tcx
TRIXIE = with_devices("trixie", "bpftool", "nftables", "suricata", "tcpdump", "xdp-tools")  # 6.12: tcx, netkit


def fetch(guest):
    """A freshly installed system."""
    system, suite = guest.system(), guest.suite
    has, wanted = guest.cache / f"{suite}.packages", guest.wanted()
    if system.exists() and has.exists() and has.read_text().split() == wanted:
        return
    say("installing", suite)
    sources, new = guest.cache / f"{suite}.sources", guest.cache / f"{suite}.new"
    sources.write_text(apt_sources([suite]))
    for tree in system, new:
        shutil.rmtree(tree, ignore_errors=True)
    run("mmdebstrap", "--variant=minbase", "--format=directory", f"--include={','.join(wanted[1:])}",
        f"--customize-hook={INSTALL_KERNEL % guest.kernel}", suite, new, sources)
    new.rename(system)
    has.write_text("\n".join(wanted))


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


def make_image(guest, tests, options, run_of):
    """The system's disk, with what is to be tried in it."""
    tree = run_of / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    run("cp", "-a", "--reflink=auto", guest.system(), tree)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / "sources" / name)
    for name in guest.programs:
        copy_program(name, tree)
    compile_trivial(tree / "sources/build")
    what = " ".join([*(f"tests/{each}" for each in tests), *(f'"{option}"' for option in options)])
    unit = (HERE / "guest.service").read_text().replace("TESTS", what)
    (tree / "etc/systemd/system/guest.service").write_text(unit)
    for name in ["vmlinuz", "initrd.img"]:
        shutil.copy(tree / os.readlink(tree / name).lstrip("/"), run_of / name)
    (run_of / "disk").unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, run_of / "disk", guest.image_size)
    shutil.rmtree(tree)


def network(cards):
    """QEMU's options: no network, or cards that are all on one hub."""
    options = [["-netdev", f"hubport,id=port{n},hubid=0", "-device", f"{model},netdev=port{n},romfile="]
               for n, model in enumerate(CARDS)]
    return sum(options, []) if cards else ["-nic", "none"]


def boot(guest, run_of, cards):
    """Boots the system; what its tests said."""
    results = run_of / "results"
    results.write_text("")  # nothing of a run before counts
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", guest.memory,
               "-kernel", run_of / "vmlinuz", "-initrd", run_of / "initrd.img",
               "-drive", f"file={run_of / 'disk'},format=raw,if=virtio",
               "-append", f"{KERNEL_COMMAND_LINE} root=/dev/vda rw systemd.unit=guest.service",
               "-no-reboot", *network(cards), "-display", "none", "-monitor", "none",
               "-serial", f"file:{run_of / 'console.log'}", "-serial", f"file:{results}"]
    say("booting", run_of.name)
    try:
        run(*command, timeout=GUEST_SECONDS)
    except subprocess.TimeoutExpired:
        say(f"the guest did not end within {GUEST_SECONDS} seconds")
    return results.read_text(errors="replace").replace("\r", "")


def try_guest(guest, tests, options, cards):
    """Whether all of the tests passed; what they said is printed."""
    run_of = guest.cache / f"{pathlib.Path(tests[0]).stem}-{guest.suite}"
    run_of.mkdir(parents=True, exist_ok=True)
    fetch(guest)
    make_image(guest, tests, options, run_of)
    told = boot(guest, run_of, cards)
    print(f"{guest.suite}:\n{told}", flush=True)
    passed = told.endswith("exit 0\n")
    if not passed:
        print(f"see {run_of}/results, {run_of}/console.log", flush=True)
    return passed


def main(tests, guests, cards=False):
    """Tries files below tests/ in these guests, one after the other; the exit code."""
    suites = [guest.suite for guest in guests]
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--suite", action="append", choices=suites, help="only this (repeatable)")
    parser.add_argument("options", nargs="*", help="pytest's, after --")
    asked = parser.parse_args()
    install_missing(PACKAGES)
    passed = [try_guest(guest, tests, asked.options, cards)
              for guest in guests if guest.suite in (asked.suite or suites)]
    return 0 if all(passed) else 1
