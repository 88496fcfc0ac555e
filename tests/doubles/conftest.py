# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the doubles share: the built doubles, an engine where there is one, clusters that are gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import assemble
import pytest

#: Longer than any one command may take; it ends a hung one.
PATIENCE = 120
#: A network of the tests' own: the machine's real `kind` network is nobody's to test with.
NETWORK = "podnet-doubles-test"
#: A small cluster without a CNI.
SMALL = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {disableDefaultCNI: true, podSubnet: 10.20.0.0/16}
nodes: [{role: control-plane}, {role: worker, labels: {zone: a}}]
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Bench:
    """A folder of doubles, and a home and a state folder that are nobody's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.home = folder / "home"
        self.home.mkdir(parents=True)

    def tool(self, name: str, version: str) -> Path:
        """The double of a release, built when first asked for."""
        path = self.folder / name / version / name
        return path if path.exists() else assemble.assemble(path, name, version)

    def environment(self, **extra: str) -> dict[str, str]:
        """The caller's, without what points at anything of the caller's."""
        own = {"HOME": str(self.home), "PODNET_DOUBLES_STATE": str(self.state), "KIND_EXPERIMENTAL_DOCKER_NETWORK": NETWORK}
        kept = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "KIND_CLUSTER_NAME", "SUDO_USER")}
        return {**kept, **own, **extra}

    def run(self, program: Path | str, *arguments: str | Path, **environment: str) -> Ended:
        """Run a program to its end."""
        ended = subprocess.run(
            [str(program), *map(str, arguments)],
            env=self.environment(**environment),
            cwd=self.home,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def kind(self, *arguments: str | Path, version: str = "0.31.0", **environment: str) -> Ended:
        """Run the double of kind."""
        return self.run(self.tool("kind", version), *arguments, **environment)

    def containerlab(self, *arguments: str | Path, version: str = "0.79.0", **environment: str) -> Ended:
        """Run the double of containerlab."""
        return self.run(self.tool("containerlab", version), *arguments, **environment)

    def docker(self, *arguments: str) -> str:
        """What docker printed; it must succeed."""
        ended = self.run("docker", *arguments)
        assert ended.code == 0, f"docker {' '.join(arguments)}: {ended.err}"
        return ended.out.strip()

    def kubectl(self, kubeconfig: Path, *arguments: str) -> str:
        """What kubectl printed; it must succeed."""
        ended = self.run(Path(sys.executable).with_name("kubectl"), "--kubeconfig", kubeconfig, *arguments)
        assert ended.code == 0, f"kubectl {' '.join(arguments)}: {ended.err}"
        return ended.out.strip()


@pytest.fixture(scope="session")
def bench(tmp_path_factory) -> Bench:
    return Bench(tmp_path_factory.mktemp("doubles"))


@pytest.fixture(scope="session")
def docker_command() -> None:
    if not shutil.which("docker"):
        _lacking("no docker command on this machine")


@pytest.fixture(scope="session")
def engine(bench, docker_command) -> Iterator[Bench]:
    """A bench where containers can be made. Skipped where no engine answers, unless CI says that there must be one."""
    answer = bench.run("docker", "version", "--format", "{{.Server.Version}}")
    if answer.code or os.geteuid() != 0:
        _lacking(f"no Docker engine answers, or not root: {answer.err.strip()}")
    yield bench
    for network in (NETWORK, "podnet-doubles-lab"):
        bench.run("docker", "network", "rm", network)
    # Stays where another cluster of doubles uses it.
    bench.run("docker", "rmi", "podnet.doubles/node:idle")


def _lacking(reason: str) -> None:
    if os.environ.get("CI") == "true" and os.environ.get("PODNET_DOCKER") == "1":
        pytest.fail(f"CI=true and PODNET_DOCKER=1 require it: {reason}")
    pytest.skip(reason)


@pytest.fixture
def cluster(engine, request) -> Iterator[str]:
    """A name that no other cluster has; whatever has it afterwards is removed."""
    name = f"pd-{os.getpid()}-{abs(hash(request.node.name)) % 10**6}"
    yield name
    ended = engine.kind("delete", "cluster", "--name", name)
    assert ended.code == 0, ended.err
    assert not list(engine.state.glob(f"*/{name}"))


@pytest.fixture
def config(tmp_path) -> Path:
    """The configuration of a small cluster, in a file."""
    path = tmp_path / "no-cni.yaml"
    path.write_text(SMALL)
    return path
