# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests on containers share: whether there is an engine, a host behind SSH, and a run of ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
import ssh_host as hosts_by_ssh

BIN = Path(sys.executable).parent
#: Longer than any one run may take; it ends a hung one.
PATIENCE_SECONDS = 900


def pytest_collection_modifyitems(items) -> None:
    """Without an engine each test is skipped with the reason; with CI=true the first to ask for it fails."""
    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        if os.environ.get("CI") != "true":
            for item in items:
                item.add_marker(pytest.mark.skip(reason=f"no Docker engine answers ({error}): scripts/with-engine pytest …"))


@dataclass(frozen=True)
class Run:
    """One ended ansible-playbook: its exit code, and what the JSON callback told."""

    code: int
    report: dict
    text: str

    @property
    def results(self) -> list[dict]:
        return [
            {"task": task["task"]["name"].rpartition(" : ")[2], **result}
            for play in self.report["plays"]
            for task in play["tasks"]
            for result in task["hosts"].values()
        ]

    @property
    def fault(self) -> str:
        """The message of the last task that failed, or that did not reach its host; empty where there is none."""
        ended = [str(result.get("msg", "")) for result in self.results if result.get("failed") or result.get("unreachable")]
        return ended[-1] if ended else ""

    @property
    def changed(self) -> list[str]:
        return [result["task"] for result in self.results if result.get("changed")]


@pytest.fixture(scope="session")
def play(tmp_path_factory):
    """Run a list of plays against an inventory."""

    def run(plays: list[dict], inventory: Path, *arguments: str, **variables: object) -> Run:
        folder = tmp_path_factory.mktemp("play")
        playbook = folder / "play.yml"
        playbook.write_text(json.dumps(plays))
        ended = subprocess.run(
            [BIN / "ansible-playbook", "-i", inventory, playbook, *arguments, "-e", json.dumps(variables)],
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_PIPELINING": "true"},
            text=True,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        start = ended.stdout.find("{\n")
        assert start >= 0, ended.stdout + ended.stderr
        return Run(ended.returncode, json.loads(ended.stdout[start:]), ended.stdout + ended.stderr)

    return run


@pytest.fixture(scope="module")
def ssh_host(tmp_path_factory):
    with hosts_by_ssh.ssh_host("podnet-ssh-host", tmp_path_factory.mktemp("ssh")) as host:
        yield host
