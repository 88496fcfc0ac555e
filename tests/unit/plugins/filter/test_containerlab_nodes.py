# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerlab's inspect is understood in the shapes of its releases."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.filter.containerlab_nodes import containerlab_nodes

WORKER = {
    "name": "lab-worker",
    "container_id": "0123456789ab",
    "image": "kindest/node:v1.35.0",
    "kind": "k8s-kind",
    "state": "running",
    "status": "Up 3 minutes",
    "ipv4_address": "172.18.0.3/16",
    "ipv6_address": "N/A",
}
UNDERSTOOD = {
    "lab": "pod-routing",
    "name": "lab-worker",
    "container_id": "0123456789ab",
    "image": "kindest/node:v1.35.0",
    "kind": "k8s-kind",
    "state": "running",
    "ipv4": "172.18.0.3",
    "ipv6": "",
}


def test_the_shape_up_to_0_67_has_the_lab_in_each_row():
    assert containerlab_nodes(json.dumps({"containers": [{"lab_name": "pod-routing", **WORKER}]})) == [UNDERSTOOD]


def test_the_shape_since_0_68_has_the_lab_as_its_key():
    assert containerlab_nodes(json.dumps({"pod-routing": [WORKER]})) == [UNDERSTOOD]


def test_a_lab_that_is_not_deployed_has_none():
    assert containerlab_nodes("{}") == []
    assert containerlab_nodes('{"containers": []}') == []
    assert containerlab_nodes("") == []


def test_docker_says_the_same_of_a_cluster_that_kind_made_alone():
    said = {
        "Id": "0123456789ab",
        "Name": "/lab-worker",
        "State": {"Status": "running"},
        "Config": {"Image": "kindest/node:v1.35.0", "Labels": {"io.x-k8s.kind.cluster": "pod-routing", "io.x-k8s.kind.role": "worker"}},
        "NetworkSettings": {"Networks": {"kind": {"IPAddress": "172.18.0.3", "GlobalIPv6Address": ""}}},
    }
    assert containerlab_nodes(json.dumps([said])) == [UNDERSTOOD]
    assert containerlab_nodes("[]") == []


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_node_that_is_listed_as_a_companion_as_well_is_one_node(order):
    """containerlab's documented known issue: once as k8s-kind, once as ext-container."""
    rows = [WORKER, {**WORKER, "kind": "ext-container"}]
    (node,) = containerlab_nodes(json.dumps({"pod-routing": [rows[index] for index in order]}))
    assert node["kind"] == "k8s-kind"


def test_nodes_come_by_name():
    rows = [WORKER, {**WORKER, "name": "lab-control-plane"}]
    assert [node["name"] for node in containerlab_nodes(json.dumps({"l": rows}))] == ["lab-control-plane", "lab-worker"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ERRO[0000] no such file", "containerlab inspect printed no JSON .*ERRO"),
        ("[1]", "containerlab inspect printed JSON of an unknown shape"),
        ('{"lab": {"name": "x"}}', "containerlab inspect printed JSON of an unknown shape"),
    ],
)
def test_what_is_no_inspection_is_shown(text, message):
    with pytest.raises(AnsibleFilterError, match=message):
        containerlab_nodes(text)
