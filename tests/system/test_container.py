# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The container image's files, and that the manifests for Kubernetes agree with them and the program."""

import os
import re
import subprocess
import time

import pytest

import netns

yaml = pytest.importorskip("yaml")

PACKAGING = os.path.join(netns.ROOT, "packaging")
CAPABILITIES = ["BPF", "NET_ADMIN", "PERFMON", "SETGID", "SETUID"]


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
    for option in "--output", "--metrics":
        assert not mounts[os.path.dirname(options[option])].get("readOnly")
    assert options["--metrics"] in container["livenessProbe"]["exec"]["command"]


def test_privileges(container, pod):
    security = container["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"], "add": CAPABILITIES}
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert not security["privileged"] and not pod["automountServiceAccountToken"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    named = re.search(r"--cap-add (\S+)", read("Containerfile"))[1].split(",")
    assert sorted(named) == CAPABILITIES


def test_names_agree(container, pod, daemon):
    copied = re.search(r"^COPY (.+) (/\S+/)$", read("Containerfile"), re.M)
    inside = {copied[2] + os.path.basename(path) for path in copied[1].split()}
    # The keeper of an inventory is looked for there.
    assert copied[2] + "bannerprobe-inventory" in inside
    for probe in "startupProbe", "livenessProbe":
        assert container[probe]["exec"]["command"][0] in inside
    assert container["image"] == f"bannerprobe:{version()}"
    kustomization = yaml.safe_load(read("kubernetes", "kustomization.yaml"))
    assert kustomization["images"][0]["newTag"] == version()
    assert sorted([*kustomization["resources"], "kustomization.yaml"]) == sorted(
        os.listdir(os.path.join(PACKAGING, "kubernetes")))
    assert {one["name"] for one in container["volumeMounts"]} == {one["name"] for one in pod["volumes"]}
    assert daemon["spec"]["selector"]["matchLabels"] == daemon["spec"]["template"]["metadata"]["labels"]
