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
import subprocess
import time

import pytest

from netns import PATIENCE, Here, Namespace, Probe, sh, wait_for
from test_privileges import CAP_BPF, CAP_NET_ADMIN, capabilities, status

SOURCES = pathlib.Path("/sources")
STATIC = SOURCES / "build/static"
DOCUMENT = SOURCES / "docs/containers.md"
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


@pytest.fixture(scope="session")
def outside():
    """A namespace beyond an interface of the host."""
    with Namespace("outside") as ns:
        sh("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", ns.name)
        for one, iface, address in (Here, "uplink", "192.0.2.1/24"), (ns, "eth0", "192.0.2.2/24"):
            one.ip("addr", "add", address, "dev", iface)
            one.ip("link", "set", iface, "up")
        yield ns


@pytest.fixture(scope="session")
def running(outside):
    """One probe for all tests: to load it takes long here. What comes later is attached to, too."""
    with Probe(Host, "--owner", "-f", "json", "--all", interfaces=len(os.listdir("/sys/class/net"))) as probe:
        yield probe


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


def records(running, count, *where):
    """So many of one connection; fewer if it went by an interface that is not attached to yet."""
    port, found = greeted(*where), []
    with contextlib.suppress(AssertionError):
        while len(found) < count:
            one = json.loads(running.line(PATIENCE / 10))
            found += [one] * (one["client_port"] == port)
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
        told[:] = [owner(one) for one in records(running, 1, *where)]
        for one in told:
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

    def start(self, *args, port=PORT):
        return self("run", "-d", *args, "greeter", str(port))

    def look(self, container):
        """Its process and its address: both at once, since each command takes seconds here."""
        pid, address = self("inspect", "-f", "{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
                            container).split()
        return int(pid), address

    def is_told(self, running, container, never=()):
        """A container at its address on the bridge: that and its process."""
        pid, address = self.look(container)
        found = known(running, address, PORT, container=f"{self.name}:{container[:12]}", pid=pid, process="greeter",
                      uid=0, unit=None, never=never)
        assert container in found["cgroup"]
        return pid, address

    def remove(self):
        left = self("ps", "-aq").split()
        if left:
            self("rm", "-f", *left)


@pytest.fixture(scope="session")
def docker(tmp_path_factory):
    with started("docker.service"):
        # Otherwise docker drops what podman's networks forward.
        sh("iptables", "-P", "FORWARD", "ACCEPT")
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


def test_three_of_one_image(engine, running):
    """On one bridge, with the host's own server beside them."""
    with started("ssh.service"):
        first, second, third = [engine.start() for _ in range(3)]
        seen = [engine.is_told(running, one) for one in (first, second, third)]
        assert len(set(seen)) == 3
        ssh_is_told(running)
        # It keeps its id, and may get another address.
        engine("restart", "-t", "1", second)
        assert engine.is_told(running, second, never=[("pid", seen[1][0])])[0] != seen[1][0]
        # A new one has the address of an old one.
        engine("rm", "-f", third)
        new = engine.start(*["--ip", seen[2][1]] * (engine.name == "podman"))
        _, address = engine.is_told(running, new, never=[("container", f"{engine.name}:{third[:12]}")])
        assert address == seen[2][1]
        ssh_is_told(running)


def test_published_port(engine, running, outside):
    """From outside: the container where it is seen at its own address, and nothing of docker's proxy."""
    container = engine.start("-p", f"192.0.2.1:8025:{PORT}")
    engine.is_told(running, container)
    seen = {one["server_port"]: owner(one) for one in records(running, 2, "192.0.2.1", 8025, outside)}
    assert seen[PORT]["container"] == f"{engine.name}:{container[:12]}"
    assert seen[8025] == {}


# --- rootless podman ----------------------------------------------------------------------------

@pytest.fixture(scope="session")
def rootless(outside):
    """podman of a user with a manager of its own, as after a login."""
    # pasta takes addresses and routes from the interface with the default route.
    sh("ip", "route", "replace", "default", "via", "192.0.2.2")
    sh("sh", "-c", f"id {USER} || useradd --create-home {USER}")
    uid = pwd.getpwnam(USER).pw_uid
    folder = pathlib.Path("/run/user") / str(uid)
    with started(f"user@{uid}.service"):
        engine = Engine("podman", "runuser", "-u", USER, "--", "env", f"HOME=/home/{USER}", f"XDG_RUNTIME_DIR={folder}",
                        f"DBUS_SESSION_BUS_ADDRESS=unix:path={folder}/bus",
                        "systemd-run", "--user", "--pipe", "--wait", "--quiet", "--same-dir",
                        "-p", "KillMode=process")		# what carries the packets stays
        engine.load(pathlib.Path(f"/home/{USER}"))
        engine.unit, engine.uid = f"user@{uid}.service", uid
        yield engine
        engine.remove()
    sh("ip", "route", "del", "default")


def is_listening(port):
    return bool(sh("ss", "-Hltn", "sport", "=", str(port)))


@pytest.mark.parametrize("network", ["host", "pasta", "slirp4netns"])
def test_rootless(rootless, network, running, outside, tell):
    """What a user's processes listen with is the user's manager's."""
    if network == "host":
        container = rootless.start("--network=host", port=8025)
    else:
        container = rootless.start(f"--network={network}", "-p", f"8025:{PORT}")
    wait_for("its server", lambda: is_listening(8025))
    found = known(running, "192.0.2.1", 8025, outside, unit=rootless.unit, uid=rootless.uid)
    tell(f"rootless, {network}: {found}")
    rootless("rm", "-f", "-t", "1", container)
    if network == "host":
        assert (found["container"], found["process"]) == (f"podman:{container[:12]}", "greeter")
    else:
        # Packets come from a process of the host, which hands the bytes over.
        assert "container" not in found


def test_three_rootless_on_one_bridge(rootless, running, outside, tell):
    """
    Their bridge is in a namespace of the user's, whose packets no interface of the host has. Each is its user's
    manager's, by a process for its port; which container it is, only its greeting says.
    """
    rootless("network", "create", "inside")
    ports = {8025 + n: rootless.start("--network=inside", "-p", f"{8025 + n}:{PORT}") for n in range(3)}
    found = {}
    for port, container in ports.items():
        wait_for("its port", lambda port=port: is_listening(port))
        [record] = wait_for("a greeting", lambda port=port: records(running, 1, "192.0.2.1", port, outside))
        assert container[:12] in record["banner"]
        found[port] = known(running, "192.0.2.1", port, outside, unit=rootless.unit, uid=rootless.uid,
                            process="rootlessport")
    tell(f"rootless, one bridge: {found}")
    rootless("rm", "-f", "-t", "1", *ports.values())
    rootless("network", "rm", "inside")
    assert len({one["pid"] for one in found.values()}) == 3
    assert not any("container" in one for one in found.values())


# --- the project's own image ----------------------------------------------------------------------

@pytest.fixture(scope="session")
def image():
    """As `make image` builds it; its name."""
    text = (SOURCES / "packaging/Containerfile").read_text()
    name = re.search(r"^#\s+(bannerprobe:\S+) ", text, re.M)[1]
    sh("buildah", "build", "--pull=never", "-f", "packaging/Containerfile", "-t", name, ".", cwd=SOURCES)
    return name


class Documented:
    """The command that the document shows, word for word, by either engine."""

    def __init__(self, engine):
        words = re.search(r"^    podman (run (?:.*\n)*?.*--all)$", DOCUMENT.read_text(), re.M)[1]
        self.words = [engine, *words.replace("\\\n", " ").split()]

    def argv(self, _, *args):
        return [*self.words, *args]


def stops_in_time(pid, what, tell):
    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    wait_for("its end", lambda: not os.path.exists(f"/proc/{pid}"))
    took = time.monotonic() - began
    tell(f"{what}: stopped in {took:.2f} s")
    assert took < 2


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_image(image, engine, outside, request, tell):
    """It logs a banner, has the user and the capabilities that it should, and stops in time."""
    if engine == "docker":
        request.getfixturevalue("docker")
        sh(*re.search(r"^    (buildah push .*)$", DOCUMENT.read_text(), re.M)[1].split())
    with started("ssh.service"), Probe(Documented(engine), interfaces=len(os.listdir("/sys/class/net"))) as running:
        port = greeted("192.0.2.1", 22, outside)
        one = json.loads(running.line())
        assert (one["client_port"], one["server_port"]) == (port, 22) and "SSH-2.0-OpenSSH" in one["banner"]
        container = sh(engine, "ps", "-q", "--latest").strip()
        pid = int(sh(engine, "inspect", "-f", "{{.State.Pid}}", container))
        state = status(pid)
        assert set(state["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
        assert capabilities(state, "CapEff") == {CAP_NET_ADMIN, CAP_BPF}
        stops_in_time(pid, engine, tell)
        assert running.ended() == 0
    sh(engine, "rm", container)


# --- the pod --------------------------------------------------------------------------------------

LOG = pathlib.Path("/var/log/bannerprobe/banners.json")
INVENTORY = "/var/lib/bannerprobe/node/inventory.db"
POD_UID = "7e44ee88-1e65-4a16-8cdf-9a90c819180e"
MANIFESTS = SOURCES / "packaging/kubernetes"


def probes():
    """The commands by which a kubelet learns that the container is well."""
    text = (MANIFESTS / "daemonset.yaml").read_text()
    return [json.loads(command) for command in re.findall(r"command: (\[.*\])", text)]


@pytest.fixture
def pod(image, podman, tmp_path):
    """The DaemonSet, as podman plays it; the name of its container."""
    daemonset = tmp_path / "daemonset.yaml"
    text = (MANIFESTS / "daemonset.yaml").read_text()
    # To start a command in a container takes seconds here: this machine is emulated.
    daemonset.write_text(re.sub(r"timeoutSeconds: .*", f"timeoutSeconds: {PATIENCE}", text))
    os.makedirs(f"/var/log/pods/default_web-0_{POD_UID}", exist_ok=True)		# as a kubelet makes it
    podman("kube", "play", "--configmap", str(MANIFESTS / "configmap.yaml"), str(daemonset))
    try:
        [name] = [name for name in podman("ps", "--format", "{{.Names}}").split() if name.endswith("-bannerprobe")]
        wait_for("its log", LOG.exists)
        yield name
    finally:
        podman("kube", "down", str(daemonset))


@contextlib.contextmanager
def kubelets_pod():
    """A server in the cgroup that a kubelet would have made for it."""
    slices = f"kubepods.slice/kubepods-pod{POD_UID.replace('-', '_')}.slice"
    folder = pathlib.Path("/sys/fs/cgroup") / slices / f"cri-containerd-{'0123456789abcdef' * 4}.scope"
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["sh", "-c", f"echo $$ >{folder}/cgroup.procs && exec {STATIC}/greeter 8025"]) as server:
        try:
            yield server.pid
        finally:
            server.terminate()


def logged(*where):
    """The record of a connection in the pod's log."""
    port = greeted(*where)

    def found():
        whole = LOG.read_text().rpartition("\n")[0]
        return [one for one in map(json.loads, whole.splitlines()) if one.get("client_port") == port]
    with contextlib.suppress(AssertionError):
        return wait_for("a record", found, PATIENCE / 10)[0]
    return {}


def test_pod(pod, podman, outside, tell):
    """Banners with their owners and an inventory stay on the node; its probes succeed; it stops in time."""
    with started("ssh.service"), kubelets_pod() as server:
        wait_for("the unit", lambda: logged("192.0.2.1", 22, outside).get("unit") == "ssh.service")

        def told():
            one = owner(logged("192.0.2.1", 8025, outside))
            return one if one.get("pod_name") else None
        found = wait_for("the pod's name", told)
        assert (found["pod"], found["pod_name"], found["pid"]) == (POD_UID, "default/web-0", server)
        tell(found)
    for command in probes():
        podman("exec", pod, *command)
    pid = int(podman("inspect", "-f", "{{.State.Pid}}", pod))
    assert capabilities(status(pid), "CapEff") == {CAP_NET_ADMIN, CAP_BPF}
    stops_in_time(pid, "pod", tell)
    listed = sh(f"{STATIC}/bannerprobe-inventory", INVENTORY, "list", "--json")
    rows = [json.loads(line) for line in listed.splitlines()]
    assert {row.get("unit") for row in rows if row["server_port"] == 22} == {"ssh.service"}, rows


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


def test_socket_activation(running, outside):
    """systemd made the socket; the service that it started has it."""
    with activated("no", "listener"):
        found = known(running, "192.0.2.1", 8025, outside, unit="greet.service", process="greeter")
        assert found["pid"] == main_pid("greet.service") and found["cgroup"] == "/system.slice/greet.service"


def test_socket_activation_of_each_connection(running, outside):
    """systemd itself accepts; what greets had the connection handed over."""
    with activated("yes", "connection"):
        known(running, "192.0.2.1", 8025, outside, unit="greet.socket", process="systemd", pid=1)


def test_ssh_by_its_socket(running, outside):
    """Debian's own."""
    with started("ssh.socket"):
        known(running, "192.0.2.1", 22, outside, unit="ssh.service", process="sshd")
        sh("systemctl", "stop", "ssh.service")


@pytest.mark.parametrize("how, mode", [("connection", "nowait"), ("listener", "wait")])
def test_inetd(running, outside, how, mode):
    """inetd listens: it accepts by itself, or lends its listener to one server, which then is another process."""
    pathlib.Path("/etc/inetd.conf").write_text(
        f"192.0.2.1:8025 stream tcp {mode} root {STATIC}/greeter greeter {how}\n")
    with started("inetd.service"):
        try:
            if mode == "nowait":
                known(running, "192.0.2.1", 8025, outside, unit="inetd.service", process="inetd",
                      pid=main_pid("inetd.service"))
            else:
                # Two of different names share it by the time the greeting comes.
                for _ in range(3):
                    known(running, "192.0.2.1", 8025, outside, unit="inetd.service", process=None, pid=None)
        finally:
            # Its own stop leaves what it started.
            sh("systemctl", "kill", "--kill-whom=all", "inetd.service")
