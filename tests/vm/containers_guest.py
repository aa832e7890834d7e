# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Owners, with real containers, pods, systemd and inetd; and the project's own image, as it is meant to run.

tests/vm/containers boots a Debian 13 that has all of them.
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import time

import pytest

from netns import PATIENCE, Here, Namespace, Probe, sh, wait_for
from test_privileges import CAP_BPF, CAP_NET_ADMIN, capabilities, status

SOURCES = pathlib.Path("/sources")
STATIC = SOURCES / "build/static"
FIELDS = ("unit", "container", "pod", "pod_name", "cgroup", "uid", "pid", "process")
PORT = 25
USER = "someone"		# has no privileges


@pytest.fixture(scope="session", autouse=True)
def base():
    """Only what these tests need was started."""
    sh("systemctl", "start", "dbus.socket")


# --- records ----------------------------------------------------------------------------------

class Host(Here):
    """Here, with the static program."""
    argv = staticmethod(lambda _, *args: [str(STATIC / "bannerprobe"), *args])


def probe():
    """On all interfaces that there are; what comes later is attached to, too."""
    return Probe(Host, "--owner", "-f", "json", "--all", interfaces=len(os.listdir("/sys/class/net")))


@pytest.fixture
def tell(capsys):
    """Says a figure, also of a test that passes."""
    def say(*words):
        with capsys.disabled():
            print("\n#", *words)
    return say


def greeted(address, port, ns=Here):
    """The client's port of a connection, which has ended."""
    with ns.entered():
        client = socket.create_connection((address, port), PATIENCE)
    with client:
        assert client.recv(200)
        return client.getsockname()[1]


def records(running, *where):
    """Of one connection: NAT makes it several."""
    port = greeted(*where)
    found = [json.loads(running.line())]
    while found[-1]["client_port"] != port:
        found.append(json.loads(running.line()))
    return found


def owner(record):
    return {name: record[name] for name in FIELDS if name in record}


def known(running, *where, never=(), **expected):
    """
    The first record that says all of this. What is new is looked up once a second at most: until then it may be
    absent, but it is never another's.
    """
    told = []

    def says():
        for one in map(owner, records(running, *where)):
            told[:] = [one]
            assert not any(one.get(name) == value for name, value in never), one
            if {name: one.get(name) for name in expected} == expected:
                return one
    try:
        return wait_for(f"a record with {expected}", says)
    except AssertionError as error:
        raise AssertionError(f"{error}; the last was {told}") from None


def main_pid(unit):
    return int(sh("systemctl", "show", "-P", "MainPID", unit))


@contextlib.contextmanager
def started(*units):
    sh("systemctl", "start", *units)
    try:
        yield
    finally:
        sh("systemctl", "stop", *units)


def ssh_is_told(running):
    """The host's own server, beside the containers."""
    pid = main_pid("ssh.service")
    return known(running, "127.0.0.1", 22, unit="ssh.service", cgroup="/system.slice/ssh.service", pid=pid,
                 process="sshd", uid=0, container=None)


# --- docker and podman ------------------------------------------------------------------------

class Engine:
    def __init__(self, name, *before):
        self.name, self.command = name, [*before, name]

    def __call__(self, *args):
        return sh(*self.command, *args).strip()

    def load(self, folder):
        """The image, of the one static program."""
        archive = folder / "greeter.tar"
        sh("tar", "-C", str(STATIC), "-cf", str(archive), "greeter")
        archive.chmod(0o644)
        self("import", "--change", 'ENTRYPOINT ["/greeter"]', str(archive), "greeter")

    def inspect(self, container, what):
        return self("inspect", "-f", what, container)

    def start(self, *args):
        return self("run", "-d", *args, "greeter", str(PORT))

    def pid(self, container):
        return int(self.inspect(container, "{{.State.Pid}}"))

    def address(self, container):
        return self.inspect(container, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")

    def is_told(self, running, container, never=()):
        """A container at its address on the bridge."""
        found = known(running, self.address(container), PORT, container=f"{self.name}:{container[:12]}",
                      pid=self.pid(container), process="greeter", uid=0, unit=None, never=never)
        assert container in found["cgroup"]
        return found

    def remove(self):
        left = self("ps", "-aq").split()
        if left:
            self("rm", "-f", *left)


@pytest.fixture(scope="session")
def docker(tmp_path_factory):
    with started("docker.service"):
        engine = Engine("docker")
        engine.load(tmp_path_factory.mktemp("docker"))
        yield engine


@pytest.fixture(scope="session")
def podman(tmp_path_factory):
    engine = Engine("podman")
    engine.load(tmp_path_factory.mktemp("podman"))
    yield engine


@pytest.fixture(params=["docker", "podman"])
def engine(request):
    one = request.getfixturevalue(request.param)
    yield one
    one.remove()


def test_three_of_one_image(engine):
    """On one bridge, with the host's own server beside them."""
    with started("ssh.service"), probe() as running:
        containers = [engine.start() for _ in range(3)]
        for one in containers:
            engine.is_told(running, one)
        ssh_is_told(running)
        # It keeps its id, and may get another's address.
        second = containers[1]
        before = engine.pid(second)
        engine("restart", second)
        assert engine.pid(second) != before
        engine.is_told(running, second, never=[("pid", before)])
        # A new one at the address of an old one.
        third, address = containers[2], engine.address(containers[2])
        engine("rm", "-f", third)
        new = engine.start("--ip", address) if engine.name == "podman" else engine.start()
        assert engine.address(new) == address
        engine.is_told(running, new, never=[("container", f"{engine.name}:{third[:12]}")])
        engine.is_told(running, containers[0])
        ssh_is_told(running)


@pytest.fixture
def outside():
    """A namespace beyond an interface of the host."""
    with Namespace("outside") as ns:
        sh("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", ns.name)
        for one, iface, address in (Here, "uplink", "192.0.2.1/24"), (ns, "eth0", "192.0.2.2/24"):
            one.ip("addr", "add", address, "dev", iface)
            one.ip("link", "set", iface, "up")
        yield ns


def test_published_port(engine, outside):
    """From outside: the container where it is seen at its own address, and nothing of docker's proxy."""
    with probe() as running:
        container = engine.start("-p", f"192.0.2.1:8025:{PORT}")
        engine.is_told(running, container)
        port = greeted("192.0.2.1", 8025, outside)
        seen = {}
        while len(seen) < 2:
            one = json.loads(running.line())
            if one["client_port"] == port:
                seen[one["server_port"]] = owner(one)
    assert seen[PORT]["container"] == f"{engine.name}:{container[:12]}"
    assert seen[8025] == {}


# --- rootless podman ----------------------------------------------------------------------------

@pytest.fixture(scope="session")
def rootless(tmp_path_factory):
    """podman of a user with a manager of its own, as after a login."""
    sh("useradd", "--create-home", USER)
    uid = pwd.getpwnam(USER).pw_uid
    folder = pathlib.Path("/run/user") / str(uid)
    with started(f"user@{uid}.service"):
        engine = Engine("podman", "runuser", "-u", USER, "--", "env", f"HOME=/home/{USER}", f"XDG_RUNTIME_DIR={folder}",
                        f"DBUS_SESSION_BUS_ADDRESS=unix:path={folder}/bus",
                        "systemd-run", "--user", "--pipe", "--wait", "--quiet", "--same-dir")
        engine.load(pathlib.Path(f"/home/{USER}"))
        engine.unit, engine.uid = f"user@{uid}.service", uid
        yield engine
        engine.remove()


@pytest.mark.parametrize("network", ["host", "pasta", "slirp4netns"])
def test_rootless(rootless, network, outside, tell):
    """What a user's processes listen with is the user's manager's."""
    with probe() as running:
        if network == "host":
            container = rootless.start("--network=host", "--entrypoint", '["/greeter", "8025"]')
        else:
            container = rootless.start(f"--network={network}", "-p", f"8025:{PORT}")
        found = known(running, "192.0.2.1", 8025, outside, unit=rootless.unit)
        tell(network, found)
        if network == "host":
            assert found["container"] == f"podman:{container[:12]}" and found["process"] == "greeter"
            assert found["uid"] == rootless.uid
        else:
            # Packets come from a process of the host, which hands the bytes over.
            assert "container" not in found and found["uid"] == rootless.uid
        rootless("rm", "-f", "-t", "1", container)


# --- the project's own image ----------------------------------------------------------------------

@pytest.fixture(scope="session")
def image():
    """As `make image` builds it; its name."""
    text = (SOURCES / "packaging/Containerfile").read_text()
    name = re.search(r"^#\s+(bannerprobe:\S+) ", text, re.M)[1]
    sh("buildah", "build", "--pull=never", "-f", "packaging/Containerfile", "-t", name, ".", cwd=SOURCES)
    return name


class Documented:
    """The command that the Containerfile shows, by another engine or with other arguments."""

    def __init__(self, engine):
        text = (SOURCES / "packaging/Containerfile").read_text()
        words = re.search(r"^#\s+podman (run (?:.*\n#)*.*bannerprobe:\S+) ", text, re.M)[1]
        self.words = [engine, *words.replace("\\\n#", " ").split()]

    def argv(self, _, *args):
        run = self.words.index("run") + 1
        return [*self.words[:run], "--rm", "--name", "probe", *self.words[run:], *args]


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_image(image, engine, outside, tmp_path, request, tell):
    """It logs a banner, has the user and the capabilities that it should, and stops in time."""
    if engine == "docker":
        request.getfixturevalue("docker")
        sh("buildah", "push", f"localhost/{image}", f"docker-archive:{tmp_path}/image.tar:{image}")
        sh("docker", "load", "-i", f"{tmp_path}/image.tar")
    with started("ssh.service"), Probe(Documented(engine), "-f", "json", "--all") as running:
        port = greeted("192.0.2.1", 22, outside)
        one = json.loads(running.line())
        assert (one["client_port"], one["server_port"]) == (port, 22) and "SSH-2.0-OpenSSH" in one["banner"]
        pid = int(sh(engine, "inspect", "-f", "{{.State.Pid}}", "probe"))
        state = status(pid)
        assert set(state["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
        assert capabilities(state, "CapEff") == {CAP_NET_ADMIN, CAP_BPF}
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
        took = time.monotonic() - began
        tell(f"{engine}: stopped in {took:.2f} s")
        assert running.ended() == 0 and took < 2


# --- the pod --------------------------------------------------------------------------------------

LOG = pathlib.Path("/var/log/bannerprobe/banners.json")


def test_pod(image, podman, outside, tell):
    """The DaemonSet, as podman plays it: a banner and its owner, the inventory on the node, its probes, its end."""
    os.makedirs("/var/log/pods", exist_ok=True)
    files = SOURCES / "packaging/kubernetes"
    sh("podman", "kube", "play", "--configmap", str(files / "configmap.yaml"), str(files / "daemonset.yaml"))
    try:
        [container] = [name for name in sh("podman", "ps", "--format", "{{.Names}}").split()
                       if name.endswith("-bannerprobe")]
        wait_for("its log", LOG.exists)
        with started("ssh.service"):
            def told():
                port = greeted("192.0.2.1", 22, outside)
                return wait_for("a record", lambda: [
                    one for one in map(json.loads, LOG.read_text().splitlines()) if one.get("client_port") == port])[0]
            wait_for("the owner", lambda: told().get("unit") == "ssh.service")
        sh("podman", "healthcheck", "run", container)
        pid = int(podman.inspect(container, "{{.State.Pid}}"))
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
        tell(f"pod: stopped in {time.monotonic() - began:.2f} s")
    finally:
        sh("podman", "kube", "down", str(files / "daemonset.yaml"))


# --- who accepts ------------------------------------------------------------------------------------

SOCKET_UNIT = """[Socket]
ListenStream=192.0.2.1:8025
Accept={accept}
"""
SERVICE = """[Service]
ExecStart={command}
StandardInput=socket
StandardOutput=journal
"""


@contextlib.contextmanager
def activated(accept, how):
    """greet.socket, by which systemd listens."""
    folder = pathlib.Path("/run/systemd/system")
    service = "greet@.service" if accept == "yes" else "greet.service"
    (folder / "greet.socket").write_text(SOCKET_UNIT.format(accept=accept))
    (folder / service).write_text(SERVICE.format(command=f"{STATIC}/greeter {how}"))
    sh("systemctl", "daemon-reload")
    try:
        with started("greet.socket"):
            yield
    finally:
        sh("systemctl", "stop", "greet*.service")
        for name in "greet.socket", service:
            (folder / name).unlink()
        sh("systemctl", "daemon-reload")


def test_socket_activation(outside):
    """systemd made the socket; the service that it started has it."""
    with activated("no", "listener"), probe() as running:
        found = known(running, "192.0.2.1", 8025, outside, unit="greet.service", process="greeter")
        assert found["pid"] == main_pid("greet.service") and found["cgroup"] == "/system.slice/greet.service"


def test_socket_activation_of_each_connection(outside):
    """systemd itself accepts; what greets had the connection handed over."""
    with activated("yes", "connection"), probe() as running:
        known(running, "192.0.2.1", 8025, outside, unit="init.scope", process="systemd", pid=1)


def test_ssh_by_its_socket(outside):
    """Debian's own."""
    with started("ssh.socket"), probe() as running:
        known(running, "192.0.2.1", 22, outside, unit="ssh.service", process="sshd")
        sh("systemctl", "stop", "ssh.service")


@pytest.mark.parametrize("how, mode", [("connection", "nowait"), ("listener", "wait")])
def test_inetd(outside, how, mode):
    """inetd listens: it accepts by itself, or lends its listener to one server, which then is another process."""
    pathlib.Path("/etc/inetd.conf").write_text(f"192.0.2.1:8025 stream tcp {mode} root {STATIC}/greeter greeter {how}\n")
    with started("inetd.service"), probe() as running:
        found = known(running, "192.0.2.1", 8025, outside, unit="inetd.service", pid=main_pid("inetd.service"))
        assert found.get("process") == ("inetd" if mode == "nowait" else None)
