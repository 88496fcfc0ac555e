# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `site` refuses on a Docker host: with the reason and a way out, and before anything is touched.

What a set of versions, a host, the pools and the containers can have wrong is told case by case in tests/unit; a host that lacks
something, in tests/containers. Here each kind of refusal is met once, as a person meets it.
"""

from __future__ import annotations

import copy
import json
import os
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from conftest import LABEL, Lab, container, network, networks

NETWORK, SUBNET = "podnet-test-stranger", "172.31.77.0/24"
FOREIGN = "podnet-test-foreign"


@dataclass(frozen=True)
class Bad:
    """What is wrong, and what is said of it."""

    said: str
    variables: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    name: str = "podnet-test-refused"
    #: Files of the lab folder.
    records: dict[str, Any] = field(default_factory=dict)


def newer_than_containerlab(sets: dict) -> dict:
    sets = copy.deepcopy(sets)
    sets["doubles"]["kubernetes"]["built_for_kind"] = "0.99.0"
    return sets


@dataclass(frozen=True)
class Scene:
    """The sets of versions, a port that is taken, a folder with programs that lie."""

    sets: dict[str, Any]
    port: int
    programs: str


CASES: dict[str, Callable[[Scene], Bad]] = {
    "a name that kind refuses": lambda scene: Bad(r"podnet_lab_name is 'Pod_Routing'\. .* lower-case letters", name="Pod_Routing"),
    "a subnet that another network has": lambda scene: Bad(
        rf"podnet_node_subnet {SUBNET} overlaps the Docker network {NETWORK} \({SUBNET}\)\. "
        r"Take a free one: -e podnet_node_subnet=172\.",
        {"podnet_node_subnet": SUBNET, "kind_prepare_host": True},
    ),
    "a port that is taken": lambda scene: Bad(
        rf"kind_api_port is {scene.port}, and something listens on that port of localhost already\. Take another",
        {"kind_api_port": scene.port},
    ),
    "a Docker that does not answer": lambda scene: Bad(
        r"Docker does not answer on localhost at DOCKER_HOST=unix://\S+/no-docker\.sock: .*\. Set DOCKER_HOST right, or unset it",
        environment={"DOCKER_HOST": f"unix://{scene.programs}/no-docker.sock"},
    ),
    "a foreign cluster of the name": lambda scene: Bad(
        rf"A kind cluster of the name {FOREIGN} is there, and this lab did not make it: its nodes are {FOREIGN}-control-plane\. "
        rf"Take another podnet_lab_name, or remove that cluster if it is yours: kind delete cluster --name {FOREIGN}",
        name=FOREIGN,
    ),
    "unknown versions": lambda scene: Bad(
        r"podnet_versions is 'newest', and there is no such set of versions\. Take one of: current, doubles, original, previous",
        {"podnet_versions": "newest"},
    ),
    "an image for a newer kind than containerlab embeds": lambda scene: Bad(
        r"was built for kind 0\.99\.0, and the set has kind .* was built for kind 0\.99\.0, and containerlab 0\.79\.0 embeds kind",
        {"podnet_version_sets": newer_than_containerlab(scene.sets)},
    ),
    "an architecture without programs": lambda scene: Bad(
        r"the lab host is riscv64, and kind, containerlab and calicoctl are published for amd64 and arm64 only",
        environment={"PATH": f"{scene.programs}:{os.environ['PATH']}"},
    ),
    "the folder of another lab": lambda scene: Bad(
        r"is the folder of the lab another \(kind\), not of podnet-test-refused \(kind\)\. Nothing was changed\. Take another",
        records={"cluster.json": {"uuid": "1", "cluster": "another", "containers": [], "topology": "containerlab"}},
    ),
    "the folder of a sandbox": lambda scene: Bad(
        r"is the folder of the lab podnet-test-refused \(sandbox\), not of podnet-test-refused \(kind\)\.",
        records={"lab.json": {"lab": {"name": "podnet-test-refused", "provider": "sandbox"}}},
    ),
    "a record that is damaged": lambda scene: Bad(
        r"cluster\.json on localhost is damaged, so whose the cluster podnet-test-refused is cannot be known",
        records={"cluster.json": None},
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory, site, idle):
    """Each case's (what was to be said, the lab, how its run ended, the networks before); two at a time, as each is mostly waiting."""
    programs = tmp_path_factory.mktemp("programs")
    (programs / "uname").write_text("#!/bin/sh\necho riscv64\n", encoding="ascii")
    (programs / "uname").chmod(0o755)

    def play(bad: Bad):
        folder = tmp_path_factory.mktemp("refused")
        lab = Lab(folder, bad.name, site, folder / "tools")
        lab.variables["kind_prepare_host"] = False
        for name, record in bad.records.items():
            lab.folder.mkdir(exist_ok=True)
            (lab.folder / name).write_text(json.dumps(record) if record else "{", encoding="ascii")
        return bad, lab, lab.play("site", environment=bad.environment, **bad.variables), before

    with (
        network(NETWORK, SUBNET),
        container(f"{FOREIGN}-control-plane", idle, f"--label={LABEL}={FOREIGN}"),
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadPoolExecutor(2) as pool,
    ):
        before = networks()
        scene = Scene(site.variables["podnet_version_sets"], listener.getsockname()[1], str(programs))
        yield dict(zip(CASES, pool.map(play, [case(scene) for case in CASES.values()])))


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_the_reason_and_nothing_is_touched(refused, case):
    bad, lab, run, before = refused[case]
    assert run.code != 0 and run.changed == []
    assert re.search(bad.said, run.fault), run.fault
    assert networks() == before
    assert set(lab.containers) == ({f"{FOREIGN}-control-plane"} if bad.name == FOREIGN else set())
    assert not (lab.folder.parent / "tools").exists()
    assert (sorted(os.listdir(lab.folder)) if lab.folder.exists() else []) == sorted(bad.records)
