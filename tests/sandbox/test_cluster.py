# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole sandbox but its API server: real controllers, real kernel, real BIRD, looked at from inside its containers."""

from __future__ import annotations

import hashlib

import isolated
import pytest

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def seen():
    return isolated.run("whole_cluster:observe")


def test_a_pod_has_exactly_the_two_routes(seen):
    for facts in seen["pods"].values():
        assert facts["routes"] == ["default via 169.254.1.1 dev eth0", "169.254.1.1 dev eth0 scope link"]


def test_the_time_to_live_counts_the_nodes_on_the_way(seen):
    here = seen["pods"]["multitool"]["node"]
    for name, facts in seen["pods"].items():
        if name != "multitool":
            assert facts["ttl"] == (63 if facts["node"] == here else 62), name


def test_a_nodes_routes_are_those_of_the_recording(seen):
    """Forms as in recording vxlancrosssubnet-operator; addresses are this cluster's."""
    for name, facts in seen["nodes"].items():
        expected = {"default via 172.18.0.1 dev eth0", f"172.18.0.0/16 dev eth0 proto kernel scope link src {facts['address']}"}
        for other, remote in seen["nodes"].items():
            if other == name:
                expected.add(f"blackhole {facts['tunnel']}/26 proto 80")
            else:
                expected.add(f"{remote['tunnel']} via {remote['address']} dev eth0 proto 80 onlink")
                expected.add(f"{remote['tunnel']}/26 via {remote['address']} dev eth0 proto 80 onlink")
        pods = {line for line in facts["routes"] if " dev cali" in line}
        assert set(facts["routes"]) - pods == expected, name
        for pod_name, pod in seen["pods"].items():
            device = "cali" + hashlib.sha1(f"default.{pod_name}".encode()).hexdigest()[:11]
            line = f"{pod['address']} dev {device} scope link"
            assert (line in pods) == (pod["node"] == name)


def test_bird_is_in_full_mesh(seen):
    for name, facts in seen["nodes"].items():
        sessions = {line.split()[0]: line.split()[-1] for line in facts["protocols"] if line.startswith("Mesh_")}
        peers = {remote["address"].replace(".", "_") for other, remote in seen["nodes"].items() if other != name}
        assert sessions == {f"Mesh_{peer}": "Established" for peer in peers}


def test_calico_node_answers_its_liveness_probe(seen):
    """Or it would be restarted every three minutes: nobody would notice in a test that is over by then."""
    assert seen["alive"] == ["", "", ""]


def test_a_command_that_bypasses_the_entrypoint_leaves_the_pod_not_ready(seen):
    status = seen["overridden"]
    ready = next(entry["status"] for entry in status["conditions"] if entry["type"] == "Ready")
    assert (status["phase"], ready) == ("Running", "False")


def test_a_deleted_pod_leaves_no_route(seen):
    address = seen["pods"]["multitool"]["address"]
    assert any(line.startswith(f"{address} ") for line in seen["nodes"][seen["pods"]["multitool"]["node"]]["routes"])
    for facts in seen["nodes_after_deletion"].values():
        assert not any(line.startswith(f"{address} ") for line in facts["routes"])
