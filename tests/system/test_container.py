# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The container image's files, and that the manifests for Kubernetes agree with them and the program."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import netns
from servers import Server, listen_to

yaml = pytest.importorskip("yaml")

PACKAGING = os.path.join(netns.ROOT, "packaging")
CAPABILITIES = ["BPF", "NET_ADMIN", "PERFMON", "SETGID", "SETUID"]
WITH_INVENTORY = sorted([*CAPABILITIES, "CHOWN"])


def read(*path):
    with open(os.path.join(PACKAGING, *path)) as file:
        return file.read()


@pytest.fixture
def daemon():
    return yaml.safe_load(read("kubernetes", "daemonset.yaml"))


@pytest.fixture
def pod(daemon):
    return daemon["spec"]["template"]["spec"]


@pytest.fixture
def container(pod):
    one, = pod["containers"]
    return one


def version():
    with open(os.path.join(netns.ROOT, "Makefile")) as file:
        return re.search(r"^VERSION := (\S+)$", file.read(), re.M)[1]


def test_alive(tmp_path):
    """Fresh, old, missing, and wrong usage."""
    program, file = str(tmp_path / "alive"), tmp_path / "metrics"
    netns.sh("cc", "-o", program, os.path.join(PACKAGING, "alive.c"))
    run = lambda *args: subprocess.run([program, *args], capture_output=True, text=True)
    assert run(str(file), "60").returncode == 1
    file.write_text("x")
    assert run(str(file), "60").returncode == 0
    old = time.time() - 100
    os.utime(file, (old, old))
    done = run(str(file), "60")
    assert done.returncode == 1 and re.search(r"metrics was written 10\d seconds ago$", done.stderr)
    assert [run(*args).returncode for args in ([], ["x"], ["x", "0"], ["x", "y"])] == [2] * 4


def test_options_are_the_programs(container):
    """Each option that the manifest uses is one, and each variable is in the ConfigMap."""
    known = subprocess.run([netns.BINARY, "--help"], capture_output=True, text=True).stdout
    options = dict(arg.partition("=")[::2] for arg in container["args"])
    assert all(re.search(rf"{option}{'=' if value else ' '}", known) for option, value in options.items()), options
    used = set(re.findall(r"\$\((\w+)\)", " ".join(container["args"])))
    assert used == set(yaml.safe_load(read("kubernetes", "configmap.yaml"))["data"])
    # What may be written lies in a volume: the root is read-only.
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    for option in "--output", "--metrics", "--inventory":
        volume = max((path for path in mounts if options[option].startswith(f"{path}/")), key=len)
        assert not mounts[volume].get("readOnly")
    for probe in "readinessProbe", "livenessProbe":
        assert options["--metrics"] in container[probe]["exec"]["command"]


def test_privileges(container, pod):
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"], "add": WITH_INVENTORY}
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert not security["privileged"] and not pod["automountServiceAccountToken"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    named = re.findall(r"--cap-add (\S+)", read("Containerfile"))
    assert sorted(named) == CAPABILITIES


def test_documents_agree(container):
    """The Containerfile and the document show one command; the document names the DaemonSet's files."""
    with open(os.path.join(netns.ROOT, "docs", "containers.md")) as file:
        document = file.read()
    shown = re.search(r"^#   (podman run (?:.*\n#)*.*--all)$", read("Containerfile"), re.M)[1]
    told = re.search(r"^    (podman run (?:.*\n)*?.*--all)$", document, re.M)[1]
    words = lambda text: re.sub(r"\\\n#?", " ", text).split()
    assert words(shown) == words(told)
    options = dict(arg.partition("=")[::2] for arg in container["args"])
    assert {options["--output"], options["--inventory"]} <= set(re.findall(r"/var/[\w./]+\w", document))


def with_only(names):
    """A command's beginning: as root, with no other capability."""
    return ["setpriv", "--bounding-set", ",".join(["-all", *(f"+{name.lower()}" for name in names)])]


@pytest.fixture
def volume():
    """A directory of root's that others may pass, in which the inventory's is made. pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes network namespaces")


@needs_root
def test_privileges_suffice(container, volume):
    """The DaemonSet's: the inventory gets a directory of its user's."""
    options = dict(arg.partition("=")[::2] for arg in container["args"])
    file = volume / options["--inventory"].partition("/bannerprobe/")[2]
    with netns.Network() as net, Server(net.host, "10.99.0.1") as server:
        for _ in range(2):		# at the second start it is there
            with netns.Probe(net.host, "-f", "json", "--inventory", str(file), "veth0",
                             before=with_only(container["securityContext"]["capabilities"]["add"])) as running:
                listen_to(net.peer, server)
                running.line()
                running.stop()
    listed = netns.sh(f"{netns.BINARY}-inventory", str(file), "list", "--json")
    assert [json.loads(line)["server_port"] for line in listed.splitlines()] == [server.port]
    assert file.parent.owner() == "nobody"


@needs_root
@pytest.mark.parametrize("missing", ["SETUID", "SETGID"])
def test_user_stays_root(missing):
    """Without either of the two: it says so, and logs what it should. The others are needed: test_privileges."""
    with netns.Network() as net, Server(net.host, "10.99.0.1") as server:
        with netns.Probe(net.host, "veth0", before=with_only(set(CAPABILITIES) - {missing})) as running:
            listen_to(net.peer, server)
            running.line()
            with open(f"/proc/{running.process.pid}/status") as file:
                assert "Uid:\t0\t0\t0\t0\n" in file.read()
            running.send(signal.SIGTERM)
            assert running.ended() == 0 and "staying user 0" in "".join(running.stderr)


@needs_root
def test_directory_cannot_be_given(volume):
    """Without CAP_CHOWN: the same line at each start, and nothing is left."""
    file = volume / "node/inventory.db"
    with netns.Network() as net:
        for _ in range(2):
            done = net.host.run(*with_only(CAPABILITIES), netns.BINARY, "--inventory", str(file), "veth0")
            assert done.returncode == 1 and f"giving {file.parent} to nobody: " in done.stderr
            assert "CAP_CHOWN" in done.stderr and not file.parent.exists()


# --- the API's schemas ------------------------------------------------------------------------

SCHEMAS = os.path.join(netns.ROOT, os.environ.get("BUILD", "build"), "kubernetes")
# The schema's validator, which takes fields that it does not know; and the type, which refuses them.
VALIDATE = """
const it = JSON.parse(require("fs").readFileSync(0));
new (require(`kubernetes-models/${it.apiVersion}/${it.kind}`)[it.kind])(it).validate();
"""


def complaints(manifest):
    """What the API's schema and its types say against a manifest."""
    if not os.path.exists(f"{SCHEMAS}/installed"):
        pytest.skip("no schemas of Kubernetes: make test-owner fetches them, by npm")
    name, source = manifest["kind"], f"{SCHEMAS}/{os.getpid()}.ts"
    with open(source, "w") as file:
        file.write(f'import {{ I{name} }} from "kubernetes-models/{manifest["apiVersion"]}/{name}";\n'
                   f"export const it: I{name} = {json.dumps(manifest)};\n")
    try:
        done = [subprocess.run(command, input=json.dumps(manifest), capture_output=True, text=True, cwd=SCHEMAS)
                for command in (["node", "-e", VALIDATE],
                                ["node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", source])]
    finally:
        os.remove(source)
    return "".join(one.stdout + one.stderr for one in done if one.returncode)


@pytest.mark.parametrize("name", ["namespace", "configmap", "daemonset"])
def test_manifest_has_the_apis_schema(name):
    assert not complaints(yaml.safe_load(read("kubernetes", f"{name}.yaml")))


@pytest.mark.parametrize("change, complaint", [
    (lambda container: container["securityContext"].update(readOnlyRootFileSystem=True), "readOnlyRootFileSystem"),
    (lambda container: container["resources"]["limits"].update(memory="512 MB"), "quantity"),
    (lambda container: container["livenessProbe"].update(periodSeconds="30"), "must be integer"),
    (lambda container: container.pop("name"), "name")])
def test_schema_refuses(daemon, container, change, complaint):
    change(container)
    assert complaint in complaints(daemon)


# --- the kustomization ------------------------------------------------------------------------

@pytest.fixture
def kustomization():
    return yaml.safe_load(read("kubernetes", "kustomization.yaml"))


def parts(kustomization):
    """The manifests that it names, by kind."""
    named = [yaml.safe_load(read("kubernetes", name)) for name in kustomization["resources"]]
    return {one["kind"]: one for one in named}


def test_kustomization(kustomization):
    """It names each manifest, and what it sets is what they are called."""
    assert kustomization.keys() == {"apiVersion", "kind", "namespace", "resources", "images"}
    assert (kustomization["apiVersion"], kustomization["kind"]) == ("kustomize.config.k8s.io/v1beta1", "Kustomization")
    assert sorted([*kustomization["resources"], "kustomization.yaml"]) == sorted(
        os.listdir(os.path.join(PACKAGING, "kubernetes")))
    named = parts(kustomization)
    assert named.keys() == {"Namespace", "ConfigMap", "DaemonSet"}
    assert named["Namespace"]["metadata"]["name"] == kustomization["namespace"]
    # Where they are, only it says.
    assert not any("namespace" in one["metadata"] for one in named.values())
    daemon = named["DaemonSet"]
    used, = daemon["spec"]["template"]["spec"]["containers"]
    image, = kustomization["images"]
    assert image == {"name": used["image"].partition(":")[0], "newTag": version()}
    refers, = used["envFrom"]
    assert refers["configMapRef"]["name"] == named["ConfigMap"]["metadata"]["name"]
    labels = daemon["metadata"]["labels"]
    assert labels == daemon["spec"]["selector"]["matchLabels"] == daemon["spec"]["template"]["metadata"]["labels"]


def kustomize(folder):
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl: make test-owner installs it")
    return subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, timeout=netns.PATIENCE)


def test_kustomize_makes_the_manifests(kustomization):
    done = kustomize(os.path.join(PACKAGING, "kubernetes"))
    assert (done.returncode, done.stderr) == (0, "")
    expected = parts(kustomization)
    for kind in "ConfigMap", "DaemonSet":
        expected[kind]["metadata"]["namespace"] = kustomization["namespace"]
    assert {one["kind"]: one for one in yaml.safe_load_all(done.stdout)} == expected


@pytest.mark.parametrize("was, becomes", [("images:", "image:"), ("  - configmap.yaml", "  - configmaps.yaml")],
                         ids=["field", "file"])
def test_kustomize_refuses(tmp_path, was, becomes):
    folder = shutil.copytree(os.path.join(PACKAGING, "kubernetes"), tmp_path / "kubernetes")
    file = folder / "kustomization.yaml"
    assert was in file.read_text()
    file.write_text(file.read_text().replace(was, becomes))
    done = kustomize(folder)
    assert done.returncode and becomes.strip(" -:") in done.stderr


# --- what the manifests say of one another, and of the program --------------------------------

def test_probes(container, tmp_path):
    """Each command of a probe succeeds when it should: not before the program watches, nor when it hangs."""
    alive, metrics = str(tmp_path / "alive"), str(tmp_path / "metrics")
    netns.sh("cc", "-o", alive, os.path.join(PACKAGING, "alive.c"))
    options = dict(arg.partition("=")[::2] for arg in container["args"])
    here = {"/usr/sbin/bannerprobe-alive": alive, "/usr/sbin/bannerprobe": netns.BINARY, options["--metrics"]: metrics}

    def tried(name, net):
        command = [here.get(word, word) for word in container[f"{name}Probe"]["exec"]["command"]]
        return net.host.run(*command).returncode

    with netns.Network() as net:
        assert tried("startup", net) == 0
        assert [tried(name, net) for name in ("readiness", "liveness")] == [1, 1]
        with netns.Probe(net.host, "-f", "json", "--metrics", metrics, "veth0"):
            netns.wait_for("metrics", lambda: os.path.exists(metrics))
            assert [tried(name, net) for name in ("readiness", "liveness")] == [0, 0]
            limits = {name: int(container[f"{name}Probe"]["exec"]["command"][-1]) for name in ("readiness", "liveness")}
            assert 10 < limits["readiness"] <= limits["liveness"]
            for name, limit in limits.items():
                os.utime(metrics, (0, time.time() - limit - 5))
                assert tried(name, net) == 1


def test_names_agree(container, pod):
    copied = re.search(r"^COPY (.+) (/\S+/)$", read("Containerfile"), re.M)
    inside = {copied[2] + os.path.basename(path) for path in copied[1].split()}
    # The keeper of an inventory is looked for there.
    assert copied[2] + "bannerprobe-inventory" in inside
    for probe in "startupProbe", "readinessProbe", "livenessProbe":
        assert container[probe]["exec"]["command"][0] in inside
    assert container["image"] == f"bannerprobe:{version()}"
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
