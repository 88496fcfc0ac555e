# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed: the next `site` or `destroy` finishes the work, on real Docker with doubles of containerlab and kind.

The runs that are killed are of `deploy`: what `site` does beyond it only reads the cluster, and a verification that is killed leaves a
folder under `runs/` without a verdict. test_kind_alone.py has the site after a kill; here is the destroy.

The tests follow one lab through kill after kill, in the order they stand in. PODNET_TEST_ALL=1 kills at each task of the playbooks.
"""

from __future__ import annotations

import os
import socket

import pytest
from conftest import Lab, networks

NODES = [f"podnet-cut-{role}" for role in ("control-plane", "worker", "worker2")]


@pytest.fixture(scope="module")
def lab(new_lab) -> Lab:
    """Its API has a port of its own, which a half-built cluster has as well."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return new_lab("podnet-cut", kind_api_port=free.getsockname()[1], kind_prepare_host=False)


def whole(lab: Lab) -> None:
    """A site finds nothing wrong, and the next nothing to do."""
    run = lab.play("site")
    assert run.code == 0, run.text
    assert run.summary["failed"] == run.summary["inconclusive"] == 0
    assert lab.containers == dict.fromkeys(NODES, "running")
    again = lab.play("site")
    assert (again.code, again.changed) == (0, []), again.text


def gone(lab: Lab) -> None:
    assert lab.containers == {}
    assert not {"kind", "clab"} & networks()
    assert not lab.folder.exists() or os.listdir(lab.folder) == ["runs"]


def test_killed_just_after_the_intention_is_written(lab):
    assert lab.play_killed("deploy", at="Make the network of the nodes")
    assert (lab.folder / "building.json").exists() and lab.containers == {}


def test_killed_while_containerlab_works_on(lab):
    """The kill is of Ansible alone. The next run waits for containerlab's end, then takes what it made away and makes it again."""
    lab.play_killed_when(lambda: bool(lab.containers), "deploy", tools_live_on=True)
    assert (lab.folder / "building.json").exists() and not (lab.folder / "cluster.json").exists()


def test_killed_between_calicos_definitions_and_its_installation(lab):
    assert lab.play_killed("deploy", at="Read the operator's manifests")
    assert (lab.folder / "cluster.json").exists() and not (lab.folder / "building.json").exists()
    assert lab.containers == dict.fromkeys(NODES, "running")


def test_a_destroy_that_is_killed_is_gone_on_with_by_the_next(lab):
    lab.play_killed_when(lambda: len(lab.containers) < len(NODES), "destroy")
    assert (lab.folder / "building.json").exists()
    run = lab.play("destroy")
    assert run.code == 0, run.text
    gone(lab)


@pytest.mark.skipif(os.environ.get("PODNET_TEST_ALL") != "1", reason="takes an hour: PODNET_TEST_ALL=1")
@pytest.mark.parametrize("topology", ["containerlab", "none"])
def test_killed_at_each_task_in_turn(new_lab, tmp_path, topology):
    """Each run goes on from what the one before it left, and is killed at the first task at which none was killed before."""
    lab = new_lab("podnet-cut", podnet_topology=topology, podnet_tools_dir=str(tmp_path / "tools"))
    for playbook, arrived in (("deploy", whole), ("destroy", gone)):
        while lab.play_killed(playbook):
            pass
        arrived(lab)
    killed = [line.split(" ", 2)[2] for line in lab.killed.read_text(encoding="utf-8").splitlines()]
    assert {"Record the cluster that was made", "Ask Calico's operator how far it is", "Take the record of it away"} <= set(killed)
