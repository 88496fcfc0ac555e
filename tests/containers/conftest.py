# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests on containers share: whether there is an engine, a host behind SSH, and a run of ansible-playbook."""

from __future__ import annotations

import json
import os
from pathlib import Path

import docker
import pytest
import running
import ssh_host as hosts_by_ssh

#: The sandbox behind the doubles of kind looks into its own processes' namespaces.
CAPABILITIES = ("SYS_PTRACE",)


def pytest_collection_modifyitems(items) -> None:
    """Without an engine each test is skipped with the reason; with CI=true the first to ask for it fails."""
    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        if os.environ.get("CI") != "true":
            for item in items:
                item.add_marker(pytest.mark.skip(reason=f"no Docker engine answers ({error}): scripts/with-engine pytest …"))


@pytest.fixture(scope="session")
def play(tmp_path_factory):
    """Run a list of plays against an inventory."""

    def run(plays: list[dict], inventory: Path, *arguments: str, **variables: object) -> running.Run:
        folder = tmp_path_factory.mktemp("play")
        playbook = folder / "play.yml"
        playbook.write_text(json.dumps(plays))
        command = ["-i", inventory, playbook, *arguments, "-e", json.dumps(variables)]
        return running.ansible_playbook(command, {**os.environ, "ANSIBLE_PIPELINING": "true"})

    return run


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory):
    """One host for all tests, in the order of their files: prepared by the first, it has a lab from the others."""
    with hosts_by_ssh.ssh_host("podnet-ssh-host", tmp_path_factory.mktemp("ssh"), capabilities=CAPABILITIES) as host:
        yield host
