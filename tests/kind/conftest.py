# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of the provider kind: real Docker, doubles of kind and containerlab, a site on loopback that publishes them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "doubles"))

import mirror  # noqa: E402
import processes  # noqa: E402
import publishers  # noqa: E402

LABEL = "io.x-k8s.kind.cluster"
#: Longer than any one run may take; it ends a hung one.
PATIENCE = 300


@dataclass(frozen=True)
class Run:
    """One ended ansible-playbook: its exit code, what the JSON callback told, and all its output."""

    code: int
    report: dict
    text: str

    @property
    def tasks(self) -> list[dict]:
        """Each task that had a result on the lab host, by its own name."""
        return [
            {"task": task["task"]["name"].rpartition(" : ")[2], **result}
            for play in self.report["plays"]
            for task in play["tasks"]
            for result in task["hosts"].values()
        ]

    @property
    def changed(self) -> list[str]:
        return [result["task"] for result in self.tasks if result.get("changed")]

    @property
    def fault(self) -> str:
        failed = [str(result.get("msg", "")) for result in self.tasks if result.get("failed")]
        return failed[-1] if failed else ""

    @property
    def summary(self) -> dict:
        return (self.report.get("global_custom_stats") or {}).get("podnet_summary", {})


class Lab:
    """A lab folder, and the playbooks on it; ``tools`` is where its programs are installed."""

    def __init__(self, folder: Path, name: str, site: mirror.Mirror, tools: Path) -> None:
        self.name, self.folder, self.home = name, folder / "lab", folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.killed = folder / "killed"
        self.variables = {**site.variables, "podnet_tools_dir": str(tools), "podnet_download_delay": 0}

    def play(self, playbook: str, *arguments: str, environment: dict | None = None, **variables) -> Run:
        """A playbook of the collection with the inventory `kind`, as `make … LAB=kind` runs it."""
        ended = subprocess.run(
            self._command(playbook, *arguments, **variables), cwd=ROOT, env=self._environment(environment),
            text=True, capture_output=True, timeout=PATIENCE, check=False, start_new_session=True,
        )  # fmt: skip
        text = ended.stdout + ended.stderr
        start = ended.stdout.find("{\n")
        return Run(ended.returncode, json.loads(ended.stdout[start:]) if start >= 0 else {"plays": []}, text)

    def play_killed(self, playbook: str, at: str = "") -> bool:
        """The same, killed as the task ``at`` begins, or the first at which none was killed before; whether the run came to one."""
        killer = {
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"), "ANSIBLE_CALLBACKS_ENABLED": "kill_at",
            "PODNET_KILL_AT": at, "PODNET_KILLED": str(self.killed),
        }  # fmt: skip
        run = self.play(playbook, environment=killer)
        assert run.code in (0, -signal.SIGKILL), run.text
        return run.code != 0

    def play_killed_when(self, seen: Callable[[], bool], playbook: str, *, tools_live_on: bool = False) -> None:
        """The same, killed when ``seen``, in the middle of a task: with every tool it runs, or Ansible alone."""
        began = subprocess.Popen(
            self._command(playbook), cwd=ROOT, env=self._environment(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + PATIENCE
            while not seen():
                assert began.poll() is None, f"{playbook} ended before it could be killed"
                assert time.monotonic() < deadline, f"{playbook} was never seen where it was to be killed"
        finally:
            processes.kill(began.pid, with_children=not tools_live_on)
            began.wait()

    def _command(self, playbook: str, *arguments: str, **variables) -> list[str]:
        program = str(Path(sys.executable).parent / "ansible-playbook")
        given = json.dumps({**self.variables, **variables})
        return [program, "-i", "inventories/kind/", f"playbooks/{playbook}.yml", "-e", given, *arguments]

    def _environment(self, more: dict | None = None) -> dict[str, str]:
        return {
            **os.environ, "HOME": str(self.home), "PODNET_LAB_NAME": self.name, "PODNET_LAB_DIR": str(self.folder),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_SHOW_CUSTOM_STATS": "true", **(more or {}),
        }  # fmt: skip

    @property
    def containers(self) -> dict[str, str]:
        """The cluster's containers on the real engine: state by name."""
        listed = docker("ps", "--all", "--filter", f"label={LABEL}={self.name}", "--format", "{{.Names}} {{.State}}")
        return dict(line.split() for line in listed.splitlines())


def docker(*arguments: str, stdin: bytes = b"") -> str:
    """What the real docker says."""
    ended = subprocess.run(["docker", *arguments], input=stdin, check=False, capture_output=True, timeout=60)
    assert ended.returncode == 0, f"docker {' '.join(arguments)}: {ended.stderr.decode()}"
    return ended.stdout.decode()


def networks() -> set[str]:
    """The names of the engine's networks."""
    return set(docker("network", "ls", "--format", "{{.Name}}").split())


@contextmanager
def network(name: str, subnet: str) -> Iterator[None]:
    """A network of somebody else."""
    if name in networks():  # of a run that was killed
        docker("network", "rm", name)
    docker("network", "create", f"--subnet={subnet}", name)
    try:
        yield
    finally:
        docker("network", "rm", name)


@contextmanager
def container(name: str, image: str, *arguments: str) -> Iterator[str]:
    """A container of somebody else, never started; its id."""
    docker("rm", "--force", name)  # of a run that was killed
    created = docker("create", f"--name={name}", *arguments, image, "/nothing").strip()
    try:
        yield created
    finally:
        docker("rm", "--force", created)


def _engine() -> str:
    """Why there is no engine; empty where there is one."""
    if os.geteuid() != 0:
        return "containers are made by root"
    try:
        asked = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], text=True, capture_output=True, check=False)
    except FileNotFoundError:
        return "there is no docker command"
    return "" if asked.returncode == 0 else f"no Docker engine answers: {asked.stderr.strip()}"


@pytest.fixture(scope="session", autouse=True)
def engine():
    """Skip where there is no engine; with CI=true one is required (scripts/with-engine)."""
    reason = _engine()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def idle(engine) -> Iterator[str]:
    """An image with nothing in it, for containers that are only there."""
    image = docker("import", "-", stdin=bytes(1024)).strip()  # the end of an archive
    yield image
    docker("rmi", "--force", image)


@pytest.fixture(scope="session")
def site(tmp_path_factory, engine) -> Iterator[mirror.Mirror]:
    """The publishers of the doubles."""
    folder = tmp_path_factory.mktemp("mirror")
    with mirror.Mirror(publishers.publish(folder, state=folder / "state")) as site:
        yield site


@pytest.fixture(scope="session")
def tools(tmp_path_factory) -> Path:
    """The programs of all labs: the first one obtains them."""
    return tmp_path_factory.mktemp("tools")


@pytest.fixture(scope="module")
def new_lab(tmp_path_factory, site, tools) -> Iterator[Callable[..., Lab]]:
    """Makes labs that are gone afterwards, whatever became of them."""
    made = []

    def make(name: str, publishers: mirror.Mirror = site, **variables) -> Lab:
        lab = Lab(tmp_path_factory.mktemp("kind"), name, publishers, tools)
        lab.variables |= variables
        made.append(lab)
        return lab

    yield make
    for lab in made:
        if lab.containers or any((lab.folder / record).exists() for record in ("building.json", "cluster.json")):
            ended = lab.play("destroy")
            assert lab.containers == {}, ended.text


@pytest.fixture(scope="module")
def lab(new_lab) -> Lab:
    """The lab of a module that has one."""
    return new_lab("podnet-test")
