# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that cannot be made: the reason is told, nothing of it is left, and what the nodes said is kept where kind can.

Here a container has the name that a node is to have, so that Docker refuses the node in the middle of the create.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import mirror
import publishers
import pytest
from conftest import container, docker, networks

NAME = "podnet-failed"
TAKEN = f"{NAME}-worker2"


@pytest.fixture(scope="module")
def taken(idle) -> Iterator[str]:
    """The container that has a node's name; it is nobody's node."""
    with container(TAKEN, idle) as stranger:
        yield stranger


@pytest.fixture(scope="module")
def old(tmp_path_factory, site) -> Iterator[mirror.Mirror]:
    """A containerlab whose deploy exits 0 where it failed; all else is as elsewhere."""
    folder = tmp_path_factory.mktemp("old")
    versions = publishers.Versions(containerlab="0.74.3")
    with mirror.Mirror(publishers.publish(folder, versions, state=site.published.folder / "state")) as old:
        yield old


@pytest.fixture(scope="module", params=["containerlab", "none"])
def failed(request, new_lab, taken, old):
    """(the lab, how its run ended, the topology)"""
    lab = new_lab(NAME, old, podnet_topology=request.param, kind_prepare_host=False)
    return lab, lab.play("deploy"), request.param


def test_the_reason_is_told_whatever_the_exit_code_says(failed):
    _lab, run, topology = failed
    assert run.code != 0
    said = {"containerlab": "0 of 3 nodes run, and containerlab exited 0", "none": "2 of 3 nodes run, and kind exited 1"}
    assert said[topology] in run.fault
    assert f'The container name "/{TAKEN}" is already in use' in run.fault
    assert "What was made of it was removed again" in run.fault


def test_nothing_of_it_is_left(failed, taken):
    lab, _run, _topology = failed
    assert lab.containers == {}
    assert not {"kind", "clab"} & networks()
    assert not (lab.folder / "building.json").exists() and not (lab.folder / "cluster.json").exists()
    assert taken in docker("ps", "--all", "--quiet", "--no-trunc").split()


def test_kind_alone_keeps_what_the_nodes_said(failed):
    lab, run, topology = failed
    if topology == "containerlab":
        assert not (lab.folder / "failed-create").exists()
    else:
        assert f"The logs of the nodes are in {lab.folder}/failed-create on localhost" in run.fault
        assert f"{NAME}-control-plane" in os.listdir(lab.folder / "failed-create")
