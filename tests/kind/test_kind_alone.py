# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`podnet_topology: none`: kind alone, without containerlab, on a Docker network `kind` that somebody else has made and uses.

Two images are put onto the nodes: one of this host's Docker, one of a folder that podnet.calico.download has filled.

The tests follow one lab through its life, in the order they stand in. It begins with a run that is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
import yaml
from conftest import Lab, container, docker, network, networks

NODES = [f"podnet-alone-{role}" for role in ("control-plane", "worker", "worker2")]
STRANGER, SUBNET = "podnet-alone-stranger", "172.31.78.0/24"
IMAGE, ARCHIVE = "podnet-test/preloaded:1", "images/podnet-test-archived-1.tar"


@pytest.fixture(scope="module")
def taken(idle) -> Iterator[None]:
    """The network `kind`, with somebody else's container on it."""
    docker("rm", "--force", STRANGER)  # of a run that was killed
    with network("kind", SUBNET), container(STRANGER, idle, "--network=kind"):
        yield


@pytest.fixture(scope="module")
def image(engine) -> Iterator[str]:
    """An image of this host's Docker."""
    yield docker("import", "-", IMAGE, stdin=bytes(1024)).strip()
    docker("rmi", "--force", IMAGE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """An archive of an image, and beside it what it must be."""
    path = tmp_path_factory.mktemp("artefacts") / ARCHIVE
    path.parent.mkdir()
    tarfile.open(path, "w").close()
    (path.parents[1] / "SHA256SUMS").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {ARCHIVE}\n", encoding="ascii")
    return path


@pytest.fixture(scope="module")
def lab(taken, image, archive, new_lab) -> Lab:
    folder = {"podnet_artefacts_dir": str(archive.parents[1]), "kind_preload_images": [IMAGE]}
    return new_lab("podnet-alone", podnet_topology="none", kind_prepare_host=False, **folder)


def test_a_network_of_somebody_else_that_has_the_pods_subnet_is_refused(lab):
    run = lab.play("site", podnet_pod_subnet="172.31.0.0/16")
    assert run.code != 0 and run.changed == []
    network = f"the Docker network 'kind', which exists and becomes the nodes' network, {SUBNET}"
    assert f"podnet_pod_subnet 172.31.0.0/16 overlaps {network}. Choose another subnet" in run.fault


def test_an_archive_that_is_not_what_its_folder_says_is_refused_before_the_cluster_is_made(lab, archive):
    right = archive.read_bytes()
    archive.write_bytes(right + b"more")
    run = lab.play("deploy")
    archive.write_bytes(right)
    assert run.code != 0
    assert f"{ARCHIVE}: FAILED" in run.text and lab.containers == {}


def test_killed_in_the_middle_of_kinds_create_with_all_that_it_had_begun(lab, site):
    lab.play_killed_when(lambda: bool(lab.containers), "deploy")
    processes.kill_users(site.published.folder / "state")  # what stands for the inside of the containers
    assert (lab.folder / "building.json").exists() and not (lab.folder / "cluster.json").exists()


@pytest.fixture(scope="module")
def built(lab):
    return lab.play("site")


def test_the_next_site_builds_the_lab(built, lab):
    assert built.code == 0, built.text
    assert built.summary["failed"] == built.summary["inconclusive"] == 0
    assert lab.containers == dict.fromkeys(NODES, "running")
    assert not (lab.folder / "building.json").exists()


def test_the_images_are_on_every_node(built, site, image):
    (said,) = (site.published.folder / "state").glob("*/podnet-alone/images.json")
    loaded = json.loads(said.read_text(encoding="utf-8"))
    assert {node: sorted(images) for node, images in loaded.items()} == dict.fromkeys(NODES, sorted([image, Path(ARCHIVE).name]))


def test_the_nodes_are_on_the_network_that_was_there(built, lab):
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    addresses = docker("inspect", "--format", template, *NODES).split()
    assert len(addresses) == 3 and all(one.startswith("172.31.78.") for one in addresses)


def test_containerlab_is_neither_obtained_nor_its_network_made(built):
    done = [result for result in built.tasks if not result.get("skipped")]
    assert [result for result in done if "containerlab" in json.dumps(result.get("invocation", ""))] == []
    assert "clab" not in networks()


def test_a_second_site_changes_nothing_and_no_output_has_a_secret(built, lab):
    again = lab.play("site", "-vvv")
    assert (again.code, again.changed) == (0, []), again.text
    user = yaml.safe_load((lab.folder / "kubeconfig").read_text(encoding="utf-8"))["users"][0]["user"]
    secrets = [value for key, value in user.items() if key in ("client-key-data", "token", "password")]
    assert secrets
    assert [one for one in secrets for run in (built, again) if one in run.text or one[:40] in json.dumps(run.report)] == []


def test_destroy_leaves_nothing_but_what_is_others(built, lab):
    run = lab.play("destroy")
    assert run.code == 0, run.text
    assert lab.containers == {}
    assert os.listdir(lab.folder) == ["runs"]
    assert "kind" in networks()
    assert docker("ps", "--all", "--filter=network=kind", "--format={{.Names}}").split() == [STRANGER]
