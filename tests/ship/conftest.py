# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stranger gets: the built tarball, installed into an empty folder, and nothing of this checkout beside it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SITE_PACKAGES = sysconfig.get_path("purelib")
#: Longer than any one run may take; it ends a hung one.
PATIENCE = 300


@dataclass(frozen=True)
class Run:
    """One ended ansible-playbook: its exit code, and what the JSON callback told."""

    code: int
    report: dict
    text: str

    @property
    def stats(self) -> dict:
        return self.report["stats"]["localhost"]

    @property
    def published(self) -> dict:
        """What the play published with set_stats."""
        return self.report.get("global_custom_stats") or {}

    @property
    def results(self) -> list[dict]:
        return [
            {"task": task["task"]["name"].rpartition(" : ")[2], **task["hosts"]["localhost"]}
            for play in self.report["plays"]
            for task in play["tasks"]
            if "localhost" in task["hosts"]
        ]

    @property
    def fault(self) -> str:
        """The message of the last task that failed."""
        failed = [str(result.get("msg", "")) for result in self.results if result.get("failed")]
        return failed[-1] if failed else ""

    @property
    def changed_tasks(self) -> list[str]:
        return [result["task"] for result in self.results if result.get("changed")]


class Stranger:
    """An empty folder in which somebody has installed the collection, and runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.collections = folder / "collections"
        self.home.mkdir()

    @property
    def tarball(self) -> Path:
        (found,) = (self.folder / "dist").glob("podnet-calico-*.tar.gz")
        return found

    def environment(self, **extra: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TERM") if name in os.environ}
        return {
            **kept,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
            "ANSIBLE_HOME": str(self.home / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": f"{self.collections}{os.pathsep}{SITE_PACKAGES}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_INJECT_FACT_VARS": "false",
            "ANSIBLE_PIPELINING": "true",
            **extra,
        }

    def command(self, *argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            cwd=self.folder,
            env=self.environment(**environment),
            text=True,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def play(self, playbook: str, *arguments: str, variables: dict | None = None, **environment: str) -> Run:
        """ansible-playbook, on this machine, without an inventory."""
        argv = [str(BIN / "ansible-playbook"), playbook, *arguments]
        if variables:
            argv += ["-e", json.dumps(variables)]
        told = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_SHOW_CUSTOM_STATS": "true"}
        ended = self.command(*argv, **told, **environment)
        text = ended.stdout + ended.stderr
        start = ended.stdout.find("{\n")
        assert start >= 0, text
        return Run(ended.returncode, json.loads(ended.stdout[start:]), text)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory) -> Stranger:
    """The tarball, built from the checkout and installed where there is nothing else."""
    folder = tmp_path_factory.mktemp("stranger")
    stranger = Stranger(folder)
    built = stranger.command(sys.executable, str(CHECKOUT / "scripts" / "build_collection.py"), str(CHECKOUT), str(folder / "dist"))
    assert built.returncode == 0, built.stderr
    installing = ("collection", "install", str(stranger.tarball), "--no-deps", "-p", str(stranger.collections))
    installed = stranger.command(str(BIN / "ansible-galaxy"), *installing)
    assert installed.returncode == 0, installed.stderr
    return stranger


class Lab:
    """A lab of the stranger's, by its name."""

    def __init__(self, stranger: Stranger, name: str) -> None:
        self.stranger = stranger
        self.name = name
        self.folder = stranger.home / "state" / "podnet" / name
        self.kubeconfig = self.folder / "kubeconfig"

    def play(self, playbook: str, *arguments: str, variables: dict | None = None, **environment: str) -> Run:
        return self.stranger.play(playbook, *arguments, variables={"podnet_lab_name": self.name, **(variables or {})}, **environment)

    def kubectl(self, *arguments: str) -> str:
        ended = self.stranger.command("kubectl", "--kubeconfig", str(self.kubeconfig), *arguments)
        assert ended.returncode == 0, f"kubectl {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def on_node(self, node: str, *command: str) -> str:
        """Run a command in a node's network namespace."""
        listed = json.loads(self.kubectl("get", "pods", "-A", "-l", "k8s-app=calico-node", "-o", "json"))["items"]
        (agent,) = [pod["metadata"] for pod in listed if pod["spec"]["nodeName"] == f"{self.name}-{node}"]
        # An earlier test may have made a kubelet wait before it starts this container again.
        deadline = time.monotonic() + 60
        while True:
            arguments = ("exec", "-n", agent["namespace"], agent["name"], "-c", "calico-node", "--", *command)
            ended = self.stranger.command("kubectl", "--kubeconfig", str(self.kubeconfig), *arguments)
            if "container not found" not in ended.stderr or time.monotonic() > deadline:
                break
            time.sleep(1)
        assert ended.returncode == 0, f"kubectl {' '.join(arguments)}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def server(self) -> str:
        return yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]


@pytest.fixture(scope="session")
def built(stranger):
    """A lab, built and proved by podnet.calico.site: the lab, and that first run."""
    lab = Lab(stranger, "ship")
    try:
        yield lab, lab.play("podnet.calico.site")
    finally:
        gone = lab.play("podnet.calico.destroy")
        assert gone.code == 0, gone.text


@pytest.fixture(scope="session")
def lab(built) -> Lab:
    lab, first_run = built
    assert first_run.code == 0, first_run.fault or first_run.text
    return lab


class OtherLab(Lab):
    """A second lab, of another Kubernetes, and the accounts of rbac/ in it."""

    def restricted(self, file: str) -> Path:
        """The kubeconfig of the account in a file of rbac/, made by the very lines of docs/rbac.md."""
        account = Path(file).stem
        folder = self.stranger.folder / f"{self.name}-{account}"
        if not folder.exists():
            folder.mkdir()
            (folder / "rbac").symlink_to(CHECKOUT / "rbac")
            lines = re.search(r"^```bash\n(.*?)^```", (CHECKOUT / "docs" / "rbac.md").read_text(), re.DOTALL | re.MULTILINE)[1]
            script = f"set -eu; cd {folder}\n" + lines.replace("verify", account)
            ended = self.stranger.command("bash", "-c", script, KUBECONFIG=str(self.kubeconfig))
            assert ended.returncode == 0, ended.stderr
        return folder / "podnet.kubeconfig"

    def verify(self, kubeconfig: Path, **variables) -> Run:
        """podnet.calico.verify as it is called for a cluster that this project did not build."""
        given = {"podnet_provider": "existing", **variables}
        return self.stranger.play("podnet.calico.verify", variables=given, KUBECONFIG=str(kubeconfig))


@pytest.fixture(scope="session")
def other(stranger):
    """The second lab, on its own."""
    other = OtherLab(stranger, "other")
    try:
        run = other.play("podnet.calico.deploy", variables={"podnet_kubernetes_version": "v1.35.0"})
        assert run.code == 0, run.fault
        yield other
    finally:
        gone = other.play("podnet.calico.destroy")
        assert gone.code == 0, gone.text


@pytest.fixture(scope="module")
def foreign(other):
    """The second lab without its mark: a cluster of which nothing says that this project built it."""
    where = ("configmap", "--namespace", "kube-system", "podnet-lab")
    mark = json.loads(other.kubectl("get", *where, "--output", "json"))
    other.kubectl("delete", *where)
    yield other
    data = [f"--from-literal={key}={value}" for key, value in mark["data"].items()]
    other.kubectl("create", *where, *data)
