# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Cgroups that the tests make, servers in them, and the tool that prints the owner of a port."""

import contextlib
import functools
import json
import os
import socket
import subprocess

import pytest

import netns
from netns import PATIENCE, wait_for

TOOL = os.path.join(netns.ROOT, os.environ.get("BUILD", "build"), "tests", "owner")
PORT = 7022

# What a server does here: it does as each line says, and answers with one.
SERVER = """
import os, signal, socket, sys, threading
sockets, children, held = [], [], []

def listen(address, port, reuseport=False, v6only=None, device=None, protocol=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM, protocol)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuseport:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if v6only is not None:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    if device:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    one.bind((address, port))
    one.listen()
    sockets.append(one)

def close():
    sockets.pop().close()

def greet():
    def serve(one):
        while True:
            try:
                connection = one.accept()[0]
            except OSError:
                return
            connection.sendall(b"220 hello\\r\\n")
            connection.close()
    threading.Thread(target=serve, args=(sockets[-1],), daemon=True).start()

def stop():
    # A thread that waits in accept() keeps the socket.
    sockets[-1].shutdown(socket.SHUT_RDWR)
    sockets.pop().close()

def accept():
    held.append(sockets[-1].accept()[0])

def speak():
    held[-1].sendall(b"220 hello\\r\\n")
    held.pop().close()

def work():
    child = os.fork()
    if not child:
        while True:
            connection = sockets[-1].accept()[0]
            connection.sendall(b"220 hello\\r\\n")
            connection.close()
    children.append(child)
    return child

def fork(comm=None):
    child = os.fork()
    if not child:
        if comm:
            name(comm)
        signal.pause()
    children.append(child)
    return child

def name(comm):
    with open("/proc/self/comm", "wb") as file:
        file.write(comm)

def give(path):
    with socket.socket(socket.AF_UNIX) as way:
        way.connect(path)
        socket.send_fds(way, [b"x"], [sockets[-1].fileno()])

def wait(path):
    global way
    way = socket.socket(socket.AF_UNIX)
    way.bind(path)
    way.listen()

def take():
    fds = socket.recv_fds(way.accept()[0], 1, 1)[1]
    sockets.append(socket.socket(fileno=fds[0]))

def join(folder):
    with open(folder + "/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))

for line in sys.stdin:
    print(eval(line), flush=True)
for child in children:
    os.kill(child, signal.SIGKILL)
"""


def unified():
    """Where cgroup v2 is mounted; None: nowhere."""
    for folder in "/sys/fs/cgroup", "/sys/fs/cgroup/unified":
        if os.path.exists(f"{folder}/cgroup.procs") and os.access(folder, os.W_OK):
            return folder
    return None


def own_cgroup():
    """The path of the cgroup that this process is in; None: there is none."""
    with open("/proc/self/cgroup") as file:
        return next((line.rstrip("\n")[3:] for line in file if ROOT and line.startswith("0::")), None)


ROOT = unified()
needs_cgroups = pytest.mark.skipif(not ROOT, reason="no cgroup v2 that can be written to")


class Cgroup:
    """A new cgroup below a slice of the test's own."""
    count = 0

    def __init__(self, path):
        Cgroup.count += 1
        self.top = f"bannerprobe{os.getpid()}x{Cgroup.count}.slice"
        self.path = f"/{self.top}/{path}"

    def __enter__(self):
        os.makedirs(ROOT + self.path)
        self.id = os.stat(ROOT + self.path).st_ino
        return self

    def __exit__(self, *_):
        folder = self.path
        while folder != "/":
            # A process that has ended leaves its cgroup a moment later.
            wait_for(f"an empty {folder}", lambda: self._remove(ROOT + folder))
            folder = os.path.dirname(folder)

    @staticmethod
    def _remove(folder):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
            return True


class Child:
    """A program that answers each line with one."""

    def __init__(self, *argv, ns=None):
        # Not by `ip netns exec`, which mounts a /sys without the cgroups.
        before = ["nsenter", f"--net=/run/netns/{ns.name}"] if ns else []
        self.process = subprocess.Popen([*before, *argv], text=True, encoding="latin-1",
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{line}: the program ended"
        return answer.rstrip("\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        assert code == 0, f"{self.process.args}: exit {code}"


class Server(Child):
    def __init__(self, ns=None, cgroup=None, before=()):
        super().__init__(*before, "/usr/bin/python3", "-c", SERVER, ns=ns)
        if cgroup:
            self.say(f"join({ROOT + cgroup.path!r})")

    def listen(self, address="0.0.0.0", port=PORT, **options):
        arguments = "".join(f", {name}={value!r}" for name, value in options.items())
        self.say(f"listen({address!r}, {port}{arguments})")
        return self


class Owner(Child):
    def __init__(self, ns=None, flags=0, before=()):
        super().__init__(*before, TOOL, str(flags), ns=ns)

    def ask(self, question):
        return json.loads(self.say(question))

    def listener(self, ifindex=0, address="127.0.0.1", port=PORT):
        return self.ask(f"listener {ifindex} {address} {port}")

    def socket(self, cgroup, uid=0, address="127.0.0.1", port=PORT):
        return self.ask(f"socket {cgroup} {uid} {address} {port}")

    def reasons(self):
        return self.ask("reasons")


# Runs a command as the process with this number, which has to be free.
WITH_PID = """
import ctypes, os, signal, struct, sys
CLONE3 = 435		# of each architecture
wanted = ctypes.c_int(int(sys.argv[1]))
arguments = struct.pack("=11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0)
child = ctypes.CDLL(None, use_errno=True).syscall(CLONE3, arguments, len(arguments))
if not child:
    os.execvp(sys.argv[2], sys.argv[2:])
if child < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def with_pid(pid):
    """Before a command: its process gets the number of one that ended. Other numbers are given as always."""
    return ["/usr/bin/python3", "-c", WITH_PID, str(pid)]


@functools.cache
def can_choose_pids():
    """Linux 5.5, and nothing that forbids clone3()."""
    with subprocess.Popen(["true"]) as free:
        free.wait()
    return not subprocess.run([*with_pid(free.pid), "true"], capture_output=True).returncode


needs_chosen_pids = pytest.mark.skipif(os.geteuid() == 0 and not can_choose_pids(),
                                       reason="no process gets a number that is asked for here")


def in_mounts(commands):
    """Before a command: it runs in a mount namespace of its own, after these commands of the shell."""
    return ["unshare", "--mount", "sh", "-c", f'{commands} && exec "$@"', "-"]


def hidden(*folders):
    """Before a command: it sees nothing in these folders."""
    return in_mounts(" && ".join(f"mount -t tmpfs none {folder}" for folder in folders))


NOTHING = {"known": False, "unit": None, "container": None, "pod": None, "pod_name": None,
           "cgroup": None, "process": None, "claimed": False, "pid": 0, "uid": -1}


def has(answer, **expected):
    assert {key: answer[key] for key in expected} == expected, answer
    return True


def index_of(ns, iface):
    with ns.entered():
        return socket.if_nametoindex(iface)
