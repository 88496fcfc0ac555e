# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A route reflector in place of the mesh, with the real BIRD: what its clients hear of each other they hear from it."""

from __future__ import annotations

import copy
import os
import re

import pytest
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from podnet_sandbox.dataplane.felix import network_of
from test_felix import datastore, recording, the
from test_kernel_bird import until
from test_kernel_wiring import build, pod_of, ttl

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
REFLECTOR, CLIENTS = WORKER, (CONTROL_PLANE, WORKER2)
NO_MESH = {"metadata": {"name": "default"}, "spec": {"nodeToNodeMeshEnabled": False, "asNumber": 64600}}


def peering(name, **spec):
    return {"metadata": {"name": name}, "spec": spec}


TO_REFLECTOR = peering("reflectors", nodeSelector="all()", peerSelector="has(route-reflector)")
ABSENT_ROUTER = peering("absent", node=WORKER2, peerIP="172.18.0.99", asNumber=64999)


def reflected():
    """Recording none-operator with one node made a reflector, as Calico's pages have it: an annotation and a label."""
    recorded = copy.deepcopy(recording("none-operator"))
    metadata = the(recorded, "nodes", REFLECTOR)["metadata"]
    metadata["annotations"]["projectcalico.org/RouteReflectorClusterID"] = "244.0.0.1"
    metadata["labels"] = {"route-reflector": "true"}
    return recorded


def configure(lab, recorded, *bgp_peers):
    data = datastore(recorded, bgp_configurations=[NO_MESH], bgp_peers=bgp_peers)
    for node in (REFLECTOR, *CLIENTS):
        lab.call("sync_bird", node, network_of(node, data).bgp)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        recorded = reflected()
        lab.networks = build(lab, recorded, bird=False)
        configure(lab, recorded, TO_REFLECTOR)
        until(lambda: all(sessions(lab, node).get("Node_172_18_0_3") == "Established" for node in CLIENTS))
        # Later: a BIRD that is started with a peer that is not there waits for it before it programs anything (bird -R, 240 s).
        configure(lab, recorded, TO_REFLECTOR, ABSENT_ROUTER)
        yield lab
    finally:
        lab.close()


def sessions(lab, node):
    """State of each configured peering, by its name."""
    shown = lab.node(node, "birdcl", "show", "protocols").output
    return dict(re.findall(r"^((?:Mesh|Node|Global)_\S+) +BGP +master +\S+ +\S+ +(\w+)", shown, re.MULTILINE))


def test_clients_have_a_session_with_the_reflector_only_and_it_has_one_with_each(lab):
    assert sessions(lab, CONTROL_PLANE) == {"Node_172_18_0_3": "Established"}
    assert sessions(lab, REFLECTOR) == {"Node_172_18_0_2": "Established", "Node_172_18_0_4": "Established"}


def test_the_reflector_says_what_it_is(lab):
    shown = lab.node(REFLECTOR, "birdcl", "show", "protocols", "all", "Node_172_18_0_2").output
    assert "Session:          internal multihop route-reflector AS4" in shown and "Neighbor AS:      64600" in shown


def test_a_clients_block_is_reached_directly_though_it_was_heard_from_the_reflector(lab):
    heard = r"^192\.168\.112\.192/26 +via 172\.18\.0\.4 on eth0 \[Node_172_18_0_3 \S+ from 172\.18\.0\.3\] \* \(100/0\) \[i\]$"

    def shown():
        return lab.node(CONTROL_PLANE, "birdcl", "show", "route").output

    until(lambda: re.search(heard, shown(), re.MULTILINE))
    assert re.search(heard, shown(), re.MULTILINE), shown()
    route = lab.node(CONTROL_PLANE, "ip", "route", "show", "192.168.112.192/26").output
    assert route == "192.168.112.192/26 via 172.18.0.4 dev eth0 proto bird \n"


def test_pods_of_two_clients_reach_each_other_past_the_reflector(lab):
    source, target = pod_of(lab, CONTROL_PLANE), pod_of(lab, WORKER2)
    until(lambda: ttl(lab.pod(source.name, "ping", "-c1", "-W1", target.address)))
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", target.address)) == [62]


def test_a_router_that_is_not_there_is_tried_and_keeps_nobody_from_being_ready(lab):
    assert sessions(lab, WORKER2)["Node_172_18_0_99"] in ("Connect", "Active")
    assert sessions(lab, WORKER2)["Node_172_18_0_3"] == "Established"
