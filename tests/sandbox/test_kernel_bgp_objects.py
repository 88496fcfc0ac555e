# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGPFilters and passwords with the real BIRD: what is filtered does not arrive, and who knows another password is not spoken to."""

from __future__ import annotations

import base64
import copy
import os

import pytest
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from podnet_sandbox.dataplane.bird import md5
from podnet_sandbox.dataplane.felix import network_of
from test_felix import datastore, recording
from test_kernel_bird import established, until
from test_kernel_wiring import build

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
NODES = (CONTROL_PLANE, WORKER, WORKER2)
OF_WORKER2, OF_CONTROL_PLANE = "192.168.112.192/26", "192.168.116.0/26"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.recorded = copy.deepcopy(recording("none-operator"))
        build(lab, lab.recorded)
        until(lambda: all(established(lab, node) == 2 for node in NODES))
        yield lab
    finally:
        lab.close()


def configure(lab, nodes=NODES, **objects):
    data = datastore(lab.recorded, **objects)
    for node in nodes:
        lab.call("sync_bird", node, network_of(node, data).bgp)


def item(name, **spec):
    return {"metadata": {"name": name}, "spec": spec}


def has(lab, node, block):
    return bool(lab.node(node, "ip", "route", "show", block).output)


NO_MESH = item("default", nodeToNodeMeshEnabled=False)
MATCHES = {"cidr": OF_WORKER2, "matchOperator": "Equal"}


@pytest.mark.parametrize("direction", ["importV4", "exportV4"])
@pytest.mark.parametrize("version", ["v3.30.7", "v3.32.1"])
def test_a_block_that_a_filter_rejects_is_not_routed_and_is_again_without_it(lab, direction, version):
    lab.recorded["calico_version"] = version
    everybody = item("all", nodeSelector="all()", peerSelector="all()", filters=["not-that-one"])
    rule = {"action": "Reject", **MATCHES, "prefixLength": {"min": 26, "max": 26}, "matchOperator": "In"}
    configure(lab, bgp_configurations=[NO_MESH], bgp_peers=[everybody], bgp_filters=[item("not-that-one", **{direction: [rule]})])
    until(lambda: has(lab, WORKER, OF_CONTROL_PLANE) and not has(lab, WORKER, OF_WORKER2))
    assert has(lab, WORKER, OF_CONTROL_PLANE) and not has(lab, WORKER, OF_WORKER2)
    configure(lab, bgp_configurations=[NO_MESH], bgp_peers=[everybody])
    until(lambda: has(lab, WORKER, OF_WORKER2))
    assert has(lab, WORKER, OF_WORKER2)


#: Every form a rule can have; on v3.32 more than on v3.30.
RULES = [
    {"action": "Accept", "cidr": "10.0.0.0/8", "matchOperator": operator, "source": "RemotePeers", "interface": "eth*"}
    for operator in ("Equal", "NotEqual", "In", "NotIn")
] + [
    {"action": "Accept", "peerType": "eBGP", "communities": {"values": ["65000:1"]}, "operations": [{"addCommunity": {"value": "65000:1:2"}}]},
    {"action": "Accept", "peerType": "iBGP", "asPathPrefix": [65000], "operations": [{"prependASPath": {"prefix": [65000]}}]},
    {"action": "Accept", "priority": 512, "communities": {"values": ["1:2:3"]}, "operations": [{"setPriority": {"value": 1024}}]},
]


def test_bird_takes_every_form_of_a_rule(lab):
    lab.recorded["calico_version"] = "v3.32.1"
    everybody = item("all", nodeSelector="all()", peerSelector="all()", filters=["every-form"])
    configure(lab, bgp_configurations=[NO_MESH], bgp_peers=[everybody], bgp_filters=[item("every-form", importV4=RULES, exportV4=RULES)])
    until(lambda: all(established(lab, node) == 2 for node in NODES))
    assert "bgp_every-form_importFilterV4" in lab.node(WORKER, "cat", "/etc/calico/confd/config/bird.cfg").output


@pytest.mark.skipif(not md5.supported(), reason="no TCP MD5 signatures in this kernel")
def test_the_mesh_speaks_with_those_only_that_know_its_password(lab):
    lab.recorded["calico_version"] = "v3.30.7"
    mesh = item("default", nodeMeshPassword={"secretKeyRef": {"name": "bgp", "key": "mesh"}})

    def passwords(text, *nodes):
        secret = {"metadata": {"name": "bgp"}, "data": {"mesh": base64.b64encode(text.encode()).decode()}}
        configure(lab, nodes, bgp_configurations=[mesh], secrets=[secret])

    passwords("rosebud", *NODES)
    until(lambda: all(established(lab, node) == 2 for node in NODES))
    assert [established(lab, node) for node in NODES] == [2, 2, 2]
    passwords("another one", WORKER2)
    until(lambda: [established(lab, node) for node in NODES] == [1, 1, 0])
    assert [established(lab, node) for node in NODES] == [1, 1, 0]
    passwords("rosebud", WORKER2)
    until(lambda: all(established(lab, node) == 2 for node in NODES))
    assert [established(lab, node) for node in NODES] == [2, 2, 2]
