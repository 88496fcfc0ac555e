# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of the provider kind: real Docker, doubles of kind and containerlab, a site on loopback that publishes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "doubles"))

import mirror  # noqa: E402
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
        return (self.report.get("global_custom_stats") or {}).get("summary", {})


class Lab:
    """A lab folder, and the playbooks on it."""

    def __init__(self, folder: Path, name: str, site: mirror.Mirror) -> None:
        self.name, self.folder, self.home = name, folder / "lab", folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.variables = {**site.variables, "podnet_tools_dir": str(folder / "tools"), "podnet_download_delay": 0}

    def play(self, playbook: str, *arguments: str, environment: dict | None = None, **variables) -> Run:
        """A playbook of the collection with the inventory `kind`, as `make … LAB=kind` runs it."""
        given = {**self.variables, **variables}
        ended = subprocess.run(
            [
                str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/kind/",
                f"playbooks/{playbook}.yml", "-e", json.dumps(given), *arguments,
            ],
            cwd=ROOT,
            env={
                **os.environ, "HOME": str(self.home), "PODNET_LAB_NAME": self.name, "PODNET_LAB_DIR": str(self.folder),
                "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_SHOW_CUSTOM_STATS": "true", **(environment or {}),
            },
            text=True, capture_output=True, timeout=PATIENCE, check=False, start_new_session=True,
        )  # fmt: skip
        text = ended.stdout + ended.stderr
        start = ended.stdout.find("{\n")
        return Run(ended.returncode, json.loads(ended.stdout[start:]) if start >= 0 else {"plays": []}, text)

    @property
    def containers(self) -> dict[str, str]:
        """The cluster's containers on the real engine: state by name."""
        listed = docker("ps", "--all", "--filter", f"label={LABEL}={self.name}", "--format", "{{.Names}} {{.State}}")
        return dict(line.split() for line in listed.splitlines())


def docker(*arguments: str) -> str:
    """What the real docker says."""
    ended = subprocess.run(["docker", *arguments], check=False, text=True, capture_output=True, timeout=60)
    assert ended.returncode == 0, f"docker {' '.join(arguments)}: {ended.stderr}"
    return ended.stdout


def networks() -> set[str]:
    """The names of the engine's networks."""
    return set(docker("network", "ls", "--format", "{{.Name}}").split())


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
def site(tmp_path_factory, engine) -> Iterator[mirror.Mirror]:
    """The publishers of the doubles."""
    folder = tmp_path_factory.mktemp("mirror")
    with mirror.Mirror(publishers.publish(folder, state=folder / "state")) as site:
        yield site


@pytest.fixture(scope="module")
def lab(tmp_path_factory, site) -> Iterator[Lab]:
    """A lab that is gone afterwards, whatever became of it."""
    lab = Lab(tmp_path_factory.mktemp("kind"), "podnet-test", site)
    yield lab
    ended = lab.play("destroy")
    assert lab.containers == {}, ended.text
