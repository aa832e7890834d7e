# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""An arm64 machine in QEMU, with Debian's kernel: for tests/vm/architectures.

It runs commands in a copy of the project's tree, all in its memory, and reports what they print. What
it needs of this machine is programs that are built, and kernels of tests/vm/kernels.
"""

import pathlib
import shutil
import subprocess
import tempfile

from debian import KERNEL_COMMAND_LINE, install_missing, run, say
from kernels_module import load_kernels

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

KERNEL = "6.12"
GUEST_SECONDS = 7200  # half an hour, but for a busy machine
MEBIBYTES = 2048
LINES = 400  # of what a command prints at most
# Loaded where they are needed.
LIBRARIES = ["libexpat.so.1", "libpcre2-8.so.0"]
RULES = "packaging/rules"
FOLDERS = [RULES, "tests/captures", "tests/fuzz/corpus", "tests/unit"]

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /sys /tmp
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
ip link set lo up
exec >/dev/console 2>&1 3>/dev/ttyS0
export TZ=UTC CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=detect_leaks=0
cd /project
while read -r name command; do
	echo "=== $name"
	sh -c "$command" >/tmp/said 2>&1 </dev/null
	echo "$name exit $?" >/tmp/exit
	tail -n %d /tmp/said | sed "s/^/$name said /" >&3
	cat /tmp/exit >&3
done </commands
echo done >&3
exec 3>&- # waits until all has been sent
poweroff -f
"""


def make_tree(kernels, tree, programs, commands):
    """The guest's files: its programs are where they are here, below /project."""
    root = kernels.MACHINE.root
    kernels.copy_program(root / "bin/busybox", "bin/busybox", tree)
    for program in programs:
        kernels.copy_program(ROOT / program, f"project/{program}", tree)
    for library in LIBRARIES:
        [found] = [path for top in ("lib", "usr/lib") for path in root.glob(f"{top}/*-linux-gnu/{library}")]
        place = tree / found.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, place)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tree / "project" / folder)
    # The rules are looked for beside the programs.
    shutil.copytree(ROOT / RULES, tree / "project" / pathlib.Path(programs[0]).parent / RULES)
    if kernels.CAPTURES.exists():
        shutil.copytree(kernels.CAPTURES, tree / "shared/captures")
    (tree / "commands").write_text("".join(f"{number} {command}\n" for number, command in enumerate(commands)))
    (tree / "init").write_text(INIT % LINES)
    (tree / "init").chmod(0o755)
    (tree / "etc").mkdir()
    (tree / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")


def answers_of(lines, count):
    """[(lines, exit code or None)] of what the guest sent."""
    answers = [([], None) for _ in range(count)]
    for line in lines:
        number, fact, text = (line.split(" ", 2) + ["", ""])[:3]
        if fact == "said":
            answers[int(number)][0].append(text)
        elif fact == "exit":
            answers[int(number)] = answers[int(number)][0], int(text)
    return answers


def run_commands(programs, commands):
    """Runs shell commands, one after another: [(the lines it printed, its exit code or None)]"""
    kernels = load_kernels()
    machine = kernels.MACHINE = kernels.Machine("arm64")
    machine.cache.mkdir(parents=True, exist_ok=True)
    install_missing([*kernels.PACKAGES, machine.package])
    kernels.fetch_kernels([KERNEL])
    here = machine.cache / KERNEL
    with tempfile.TemporaryDirectory(dir=machine.cache) as directory:
        make_tree(kernels, pathlib.Path(directory), programs, commands)
        kernels.archive(directory, here / "whole.cpio")
    (here / "said").write_text("")
    try:
        run(*machine.qemu, "-accel", "tcg", "-smp", "2", "-m", str(MEBIBYTES), "-kernel", here / "vmlinuz",
            "-initrd", here / "whole.cpio", "-append", KERNEL_COMMAND_LINE.replace("ttyS0", machine.console),
            "-no-reboot", "-nic", "none", "-display", "none", "-monitor", "none",
            *machine.serial_ports(here / "console.log", here / "said"), timeout=GUEST_SECONDS)
    except (subprocess.TimeoutExpired, RuntimeError) as error:
        say(f"{machine.arch} machine: {error}")  # what was not run has no exit code
    return answers_of((here / "said").read_text(errors="replace").splitlines(), len(commands))
