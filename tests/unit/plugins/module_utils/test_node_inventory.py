# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes as an inventory tells of them: from few lists, with what was not seen told apart from what is not there."""

from __future__ import annotations

import json

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _lists
from ansible_collections.podnet.calico.plugins.module_utils._errors import FORBIDDEN, NOT_FOUND, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._node_inventory import inventory, observe
from ansible_collections.podnet.calico.plugins.module_utils._objects import node_roles
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import CRD, FakeCluster
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording

WORKER = "pod-routing-worker"


def metadata(name):
    return {"name": name}


def block(cidr, owner, **more):
    return {"metadata": metadata(cidr), "spec": {"cidr": cidr, "affinity": "host:" + owner, **more}}


def affinity(cidr, node, **more):
    return {"metadata": metadata(cidr), "spec": {"cidr": cidr, "node": node, **more}}


@pytest.fixture
def cluster():
    """Two nodes; node one owns two blocks, in a pool each."""
    found = FakeCluster()
    found.lists[CRD + "ippools"].append({"metadata": metadata("racks"), "spec": {"cidr": "10.0.0.0/8", "ipipMode": "Always"}})
    found.lists[CRD + "ipamblocks"] = [
        block("192.168.10.0/26", "one"),
        block("192.168.9.0/26", "one"),
        block("10.1.0.0/26", "two"),
        block("10.2.0.0/26", "two", deleted=True),
    ]
    found.lists[CRD + "blockaffinities"] = [affinity("192.168.9.0/26", "one"), affinity("10.9.0.0/26", "two", state="pending")]
    return found


def nodes(cluster):
    return inventory(observe(cluster))["nodes"]


def refuse(cluster, path, reason=FORBIDDEN):
    cluster.failures[path] = PodnetError("GET %s: no" % path, reason=reason)


def test_a_recorded_node_is_told_of_as_it_was():
    found = inventory(recording())
    assert found["cluster"]["calico_version"] == "v3.30.7" and found["cluster"]["unobserved"] == []
    assert [pool["encapsulation"] for pool in found["cluster"]["pools"]] == ["VXLANCrossSubnet"]
    told = found["nodes"][WORKER]
    wanted = {
        "internal_ip": "172.18.0.3",
        "calico_address": "172.18.0.3/16",
        "subnet": "172.18.0.0/16",
        "vxlan_tunnel_address": "192.168.93.192",
        "blocks": ["192.168.93.192/26"],
        "pools": ["default-ipv4-ippool"],
        "encapsulations": ["VXLANCrossSubnet"],
        "as_number": "64512",
        "ready": True,
        "roles": ["worker"],
    }
    assert {name: told[name] for name in wanted} == wanted
    assert found["nodes"]["pod-routing-control-plane"]["roles"] == ["control-plane"]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_mac_that_is_told_is_the_one_of_the_recorded_device(name):
    snapshot = recording(name)
    told = inventory(snapshot)["nodes"]
    for node in snapshot.nodes:
        devices = [link.mac for link in node.facts.links if link.name == "vxlan.calico"]
        assert [told[node.name]["vxlan_tunnel_mac"]] == (devices or [None])


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_told_fits_into_a_cache(name):
    found = inventory(recording(name))
    assert json.loads(json.dumps(found)) == found


def test_neither_workloads_nor_handles_are_listed_and_nothing_is_run(cluster, monkeypatch):
    listed = []
    read = cluster.list
    monkeypatch.setattr(cluster, "list", lambda path, convert, selector=None: listed.append((path, selector)) or read(path, convert, selector))
    told = nodes(cluster)
    assert ("/api/v1/pods", "k8s-app=calico-node") in listed
    assert not any("handles" in path or "/apps/" in path for path, _selector in listed)
    assert cluster.execs == []
    assert told["one"]["calico_node_pod"] == "calico-system/calico-node-one" and told["one"]["calico_node_ready"]


def test_blocks_are_in_the_order_of_addresses_and_deleted_ones_are_nobodys(cluster):
    told = nodes(cluster)
    assert told["one"]["blocks"] == ["192.168.9.0/26", "192.168.10.0/26"] and told["one"]["pools"] == ["pool"]
    assert told["two"]["blocks"] == ["10.1.0.0/26"] and told["two"]["encapsulations"] == ["IPIP"]


def test_where_blocks_are_not_served_the_confirmed_affinities_say_who_owns_what(cluster):
    refuse(cluster, CRD + "ipamblocks", NOT_FOUND)
    found = inventory(observe(cluster))
    assert {name: node["blocks"] for name, node in found["nodes"].items()} == {"one": ["192.168.9.0/26"], "two": []}
    assert [gap["what"] for gap in found["cluster"]["unobserved"]] == ["ipamblocks"]


def test_what_may_not_be_listed_is_none_and_never_empty(cluster):
    for plural in ("ipamblocks", "blockaffinities", "ippools", "bgpconfigurations"):
        refuse(cluster, CRD + plural)
    found = inventory(observe(cluster))
    told = found["nodes"]["one"]
    assert [told[name] for name in ("blocks", "pools", "encapsulations", "as_number")] == [None] * 4
    assert told["calico_address"] == "172.18.0.2/16"
    assert found["cluster"]["pools"] is None and found["cluster"]["as_number"] is None
    reasons = {gap["what"]: gap["reason"] for gap in found["cluster"]["unobserved"]}
    assert set(reasons) == {"ipamblocks", "blockaffinities", "ippools", "bgpconfigurations"}
    assert 'Grant verb "list" on resource "ippools" (API group "crd.projectcalico.org")' in reasons["ippools"]


def test_pools_are_none_where_the_blocks_in_them_were_not_seen(cluster):
    refuse(cluster, CRD + "ipamblocks")
    refuse(cluster, CRD + "blockaffinities")
    assert nodes(cluster)["one"]["pools"] is None


def test_without_the_pods_a_node_is_told_of_without_its_calico_node(cluster):
    refuse(cluster, "/api/v1/pods")
    found = inventory(observe(cluster))
    assert found["nodes"]["one"]["calico_node_pod"] is None
    assert [gap["what"] for gap in found["cluster"]["unobserved"]] == ["pods"]


def test_without_the_nodes_there_is_no_inventory(cluster):
    refuse(cluster, "/api/v1/nodes")
    with pytest.raises(PodnetError, match=r'The nodes of https://fake were not seen .*Grant verb "list" on resource "nodes"'):
        nodes(cluster)


def test_a_cluster_without_calico_is_named(cluster):
    cluster.groups = ["apps"]
    with pytest.raises(PodnetError, match="The cluster at https://fake has no Calico"):
        observe(cluster)


def test_calico_is_read_in_the_group_that_is_served(cluster):
    cluster.groups = ["projectcalico.org"]
    v3 = "/apis/%s/v3/" % _lists.V3_GROUP
    for path in [path for path in cluster.lists if path.startswith(CRD)]:
        cluster.lists[path.replace(CRD, v3).replace("ipamconfigs", "ipamconfigurations")] = cluster.lists.pop(path)
    found = inventory(observe(cluster))
    assert found["cluster"]["api_group"] == _lists.V3_GROUP and found["cluster"]["unobserved"] == []
    assert found["nodes"]["two"]["blocks"] == ["10.1.0.0/26"]


def test_a_nodes_own_as_number_comes_before_the_clusters(cluster):
    cluster.lists["/api/v1/nodes"][0]["metadata"]["annotations"]["projectcalico.org/ASNumber"] = "65001"
    cluster.lists[CRD + "bgpconfigurations"] = [{"metadata": metadata("default"), "spec": {"asNumber": 65000}}]
    told = nodes(cluster)
    assert (told["one"]["as_number"], told["two"]["as_number"]) == ("65001", "65000")


@pytest.mark.parametrize(
    ("labels", "roles"),
    [
        ([], ["worker"]),
        (["node-role.kubernetes.io/control-plane"], ["control-plane"]),
        (["node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"], ["control-plane"]),
        (["node-role.kubernetes.io/infra", "node-role.kubernetes.io/worker"], ["infra", "worker"]),
        (["node-role.kubernetes.io/"], ["worker"]),
    ],
)
def test_roles_are_what_labels_say(labels, roles):
    assert node_roles(dict.fromkeys(labels, "")) == roles


@pytest.mark.parametrize("address", [None, "", "172.18.0.3", "garbage/99"])
def test_an_address_without_a_sound_mask_is_in_no_subnet(cluster, address):
    cluster.lists["/api/v1/nodes"][0]["metadata"]["annotations"]["projectcalico.org/IPv4Address"] = address
    assert nodes(cluster)["one"]["subnet"] is None
