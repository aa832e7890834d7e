# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Network namespaces, veth pairs, and the probe itself: what the live tests and the demo stand on."""

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import queue
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

ROOT = str(pathlib.Path(__file__).resolve().parent.parent.parent)
BINARY = os.environ.get("BANNERPROBE", os.path.join(ROOT, "bannerprobe"))
CLONE_NEWNET = 0x40000000
# Seconds until whatever is awaited counts as missing; an emulated machine needs more.
PATIENCE = int(os.environ.get("TEST_PATIENCE", 60))

_libc = ctypes.CDLL(None, use_errno=True)


def sh(*argv, **kwargs):
    """Run a command to its end, which must be a good one."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, **kwargs)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout


def wait_for(what, condition, timeout=PATIENCE):
    """Poll what the kernel reports by no event; fail by name when it does not come."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {timeout} s in vain for {what}"
        time.sleep(0.01)
    return value


def has_open(pid, path):
    """Whether a process has this file open, under any name."""
    def is_it(descriptor):
        with contextlib.suppress(OSError):	# closed by now, or the file is not there
            return os.path.samefile(descriptor, path)
    folder = f"/proc/{pid}/fd"
    return any(is_it(f"{folder}/{number}") for number in os.listdir(folder))


def children_of(pid):
    """The pids of the processes that another has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def child_of(pid, name):
    """The pid of the process of that name that another has started, or None."""
    for child in children_of(pid):
        with open(f"/proc/{child}/comm") as comm:
            if comm.read().strip() == name:
                return child
    return None


READER = "bannerprobe-rd"	# reads events and writes records


class Namespace:
    """A network namespace; everything in it goes with it."""
    count = 0

    def __init__(self, role):
        Namespace.count += 1
        self.name = f"bp{os.getpid()}-{Namespace.count}-{role}"

    def __enter__(self):
        try:
            sh("ip", "netns", "add", self.name)
            with self.entered():
                # A tentative IPv6 address cannot be bound for a second or two.
                for scope in "all", "default":
                    _sysctl(f"net/ipv6/conf/{scope}/accept_dad", 0)
            self.ip("link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, timeout=PATIENCE)

    def ip(self, *args):
        return sh("ip", "-n", self.name, *args)

    def tc(self, *args):
        return sh("tc", "-n", self.name, *args)

    def argv(self, *command):
        """The command, to be run in here; `ip netns exec` execs, so the pid is the command's own."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command, **kwargs):
        return subprocess.run(self.argv(*command), capture_output=True, text=True,
                              timeout=PATIENCE, **kwargs)

    @contextlib.contextmanager
    def entered(self):
        """Sockets that this thread makes meanwhile belong to the namespace, also afterwards."""
        with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{self.name}") as here:
            _setns(here)
            try:
                yield
            finally:
                _setns(before)


def _setns(file):
    if _libc.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _sysctl(name, value):
    with open(f"/proc/sys/{name}", "w") as file:
        file.write(str(value))


class Network:
    """One host, where the probe runs, and a peer at the far end of each of its links.

    Link i: host side vethI, 10.99.i.1 and fd99:i::1; peer side peer0, 10.99.i.2 and fd99:i::2.
    `name`: what vethI is called instead. The host forwards, so the peers reach each other through it.
    """

    def __init__(self, links=1, name="veth"):
        self.links, self.name = links, name
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack:
            self.host = self.stack.enter_context(Namespace("host"))
            with self.host.entered():
                _sysctl("net/ipv4/ip_forward", 1)
                _sysctl("net/ipv6/conf/all/forwarding", 1)
            self.peers = [self._link(i) for i in range(self.links)]
            self.peer = self.peers[0]
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *args):
        self.stack.__exit__(*args)

    def _link(self, i):
        peer = self.stack.enter_context(Namespace(f"peer{i}"))
        self.join(i, peer)
        return peer

    def join(self, i, peer):
        """Makes link i, to a peer that has none."""
        self.host.ip("link", "add", f"{self.name}{i}", "type", "veth",
                     "peer", "name", "peer0", "netns", peer.name)
        for ns, iface, n in (self.host, f"{self.name}{i}", 1), (peer, "peer0", 2):
            self.configure(ns, iface, i, n)
        peer.ip("route", "add", "default", "via", f"10.99.{i}.1")
        peer.ip("-6", "route", "add", "default", "via", f"fd99:{i}::1")

    @staticmethod
    def configure(ns, iface, i, n):
        """Brings up one side of link i."""
        ns.ip("addr", "add", f"10.99.{i}.{n}/24", "dev", iface)
        ns.ip("addr", "add", f"fd99:{i}::{n}/64", "dev", iface, "nodad")
        ns.ip("link", "set", iface, "up")


class Here:
    """The network namespace that this process is in, where one of our own will not do."""
    entered = staticmethod(contextlib.nullcontext)
    ip = staticmethod(lambda *args: sh("ip", *args))
    tc = staticmethod(lambda *args: sh("tc", *args))
    argv = staticmethod(lambda *command: list(command))


class Line(str):
    """A line of output, with the time when it came."""
    when = 0.0


class Probe:
    """A running bannerprobe; ready once it has reported so many attached interfaces."""

    def __init__(self, ns, *args, interfaces=1, env=None, stdout=subprocess.PIPE, before=()):
        self.process = subprocess.Popen(
            ns.argv(*before, BINARY, *args), stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=subprocess.PIPE, env={**os.environ, **(env or {})})
        self.out, self.err = queue.Queue(), queue.Queue()
        self.stdout, self.stderr, self.hooks = [], [], {}
        self.pipes = self.process.stdout or (), self.process.stderr
        self.readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                        for pair in zip(self.pipes, (self.out, self.err))]
        for thread in self.readers:
            thread.start()
        try:
            while len(self.hooks) < interfaces:
                self._attached(self.error_line(": attached: "))
        except BaseException:
            self.__exit__()
            raise

    @staticmethod
    def _read(pipe, lines):
        for raw in pipe:
            line = Line(raw.decode("latin-1").rstrip("\n"))
            line.when = time.monotonic()
            lines.put(line)
        lines.put(None)

    def _attached(self, line):
        found = re.fullmatch(r"bannerprobe: (\S+): attached: receive (.+), transmit (.+)", line)
        assert found, line
        self.hooks[found[1]] = found[2], found[3]

    def _line(self, lines, kept, timeout):
        try:
            line = lines.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"nothing came for {timeout} s; stderr: {self.stderr}") from None
        if line is None:
            lines.put(None)
            raise AssertionError(f"the probe ended early; stderr: {self.stderr}")
        kept.append(line)
        return line

    def error_line(self, pattern, timeout=PATIENCE):
        """Wait for a line on standard error that the pattern is found in."""
        while not re.search(pattern, line := self._line(self.err, self.stderr, timeout)):
            pass
        return line

    def line(self, timeout=PATIENCE):
        """Wait for a line on standard output."""
        return self._line(self.out, self.stdout, timeout)

    def send(self, number):
        self.process.send_signal(number)

    def child(self, name):
        """The pid of the process of that name that bannerprobe has started, or None."""
        return child_of(self.process.pid, name)

    def guard(self):
        """The process that removes tc filters after its SIGKILL."""
        return self.child("bannerprobe-tc")

    def reader(self):
        """The process that reads events and writes records."""
        return self.child(READER)

    def processes(self):
        """The pids of all processes of bannerprobe."""
        return [self.process.pid, *children_of(self.process.pid)]

    def ended(self):
        """Wait for its end; then stdout and stderr hold all that it wrote."""
        code = self.process.wait(PATIENCE)
        for lines, kept in (self.out, self.stdout), (self.err, self.stderr):
            while (line := lines.get(timeout=PATIENCE)) is not None:
                kept.append(line)
            lines.put(None)
        return code

    def stop(self, number=signal.SIGTERM):
        """Ends it by a signal; returns all its records."""
        self.send(number)
        code = self.ended()
        assert code == 0, f"exit {code}; stderr: {self.stderr}"
        return [json.loads(line) for line in self.stdout]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        for thread in self.readers:
            thread.join(PATIENCE)
        for pipe in filter(None, self.pipes):
            pipe.close()


def decoded(text):
    """A banner's bytes from its escaped form."""
    one = lambda m: "\\" if m[0] == "\\\\" else chr(int(m[1], 16))
    return re.sub(r"\\(?:\\|x([0-9a-f]{2}))", one, text).encode("latin-1")


def programs_on(ns, iface, *hooks):
    """Ids of the programs on hooks of an interface, which are numbers of enum bpf_attach_type."""
    with ns.entered():
        index = socket.if_nametoindex(iface)
        return [n for hook in hooks for n in _bpf_prog_query(index, hook)]


def tcx_programs(ns, iface):
    """Those of the two tcx hooks (bpftool learnt to show them after Debian 12)."""
    return programs_on(ns, iface, 46, 47)


def bpf(command, attr):
    """The system call, of which neither Python nor the C library knows; its result."""
    number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
    result = _libc.syscall(number, command, attr, len(attr))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return result


def _bpf_prog_query(index, attach_type):
    BPF_PROG_QUERY = 16
    ids = (ctypes.c_uint32 * 64)()
    attr = ctypes.create_string_buffer(64)
    struct.pack_into("=IIIIQI", attr, 0, index, attach_type, 0, 0, ctypes.addressof(ids), len(ids))
    try:
        bpf(BPF_PROG_QUERY, attr)
    except OSError as error:
        if error.errno in (22, 2):	# a kernel without tcx; none on this hook
            return []
        raise
    return list(ids[:struct.unpack_from("=I", attr, 24)[0]])


def attached(ns, iface):
    """Everything of BPF and tc that is attached to an interface, as text to compare and print."""
    link = json.loads(ns.ip("-j", "link", "show", "dev", iface))[0]
    found = [f"xdp {p['prog']['id']}" for p in link.get("xdp", {}).get("attached", [])]
    for qdisc in json.loads(ns.tc("-j", "qdisc", "show", "dev", iface)):
        if qdisc["kind"] in ("clsact", "ingress"):
            found.append(f"qdisc {qdisc['kind']}")
            for hook in "ingress", "egress":
                found += filters(ns, iface, hook)
    return found + [f"tcx {n}" for n in tcx_programs(ns, iface)]


def is_watched(ns, iface):
    """Whether packets of both directions are seen: the hooks are attached one after the other."""
    return len(tcx_programs(ns, iface)) == 2 or all(
        list(filters(ns, iface, hook)) for hook in ("ingress", "egress"))


def filters(ns, iface, hook):
    """The filters of one direction: priority, kind, handle, and the program's id."""
    for one in json.loads(ns.tc("-j", "filter", "show", "dev", iface, hook)):
        known = one.get("options", {})
        handle = known.get("handle", known.get("fh"))
        if handle:		# without one it is the head of a list
            program = known.get("prog", {"id": "-"})
            name = program.get("name", "-")		# Debian 11's tc does not tell
            yield (f"{hook} filter {program['id']} {name} pref {one['pref']}"
                   f" {one['kind']} handle {handle}")


def bpftool(*args):
    return json.loads(sh(shutil.which("bpftool") or "/usr/sbin/bpftool", "-j", *args))


def held_by(pid):
    """The ids of the BPF programs and maps that a process has open."""
    held = {"prog": set(), "map": set()}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for fd in os.listdir(f"/proc/{pid}/fdinfo"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{fd}") as file:
                for kind, number in re.findall(r"^(prog|map)_id:\s+(\d+)", file.read(), re.M):
                    held[kind].add(int(number))
    return held


def compile_bpf(source, target):
    """A small BPF object, made by the compiler that made the probe."""
    clang = os.environ.get("CLANG", "clang")
    assert shutil.which(clang), "clang is needed"
    sh(clang, "-O2", "-g", "-target", "bpf", "-c", str(source), "-o", str(target))


TRIVIAL = """
#define SEC(name) __attribute__((section(name), used))
struct xdp_md { unsigned int data; };		/* xdp-loader's dispatcher looks at the name */
SEC("xdp") int pass_xdp(struct xdp_md *ctx) { return 2; }
SEC("tc") int pass_tc(void *ctx) { return -1; }
char its_license[] SEC("license") = "GPL";
"""


def compile_trivial(folder):
    """BPF programs of another process, which change nothing; the object's path."""
    (folder / "trivial.c").write_text(TRIVIAL)
    compile_bpf(folder / "trivial.c", folder / "trivial.o")
    return str(folder / "trivial.o")
