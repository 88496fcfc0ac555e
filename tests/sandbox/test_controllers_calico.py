# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new cluster, and what Calico's operator makes of it, over the real store and a kernel that only remembers."""

from __future__ import annotations

import asyncio
import json

import pytest
from lab import NODES, POOL, STATUSES, in_a_bare_lab, in_a_lab, operator_object, running
from podnet_sandbox.config import SandboxConfig

CONTROL_PLANE, WORKER, WORKER2 = NODES
BLOCKS, AFFINITIES = "ipamblocks.crd.projectcalico.org", "blockaffinities.crd.projectcalico.org"
POOLS, HANDLES = "ippools.crd.projectcalico.org", "ipamhandles.crd.projectcalico.org"


@in_a_bare_lab
async def test_without_a_network_plugin_nodes_are_not_ready_and_say_why(lab):
    for node in lab.store.scan("nodes"):
        ready = lab.condition(node, "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "KubeletNotReady")
        assert "cni plugin not initialized" in ready["message"]
        assert {"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"} in node["spec"]["taints"]


@pytest.mark.parametrize(("nodes", "away"), [(("only",), False), (("control-plane", "worker"), True)])
def test_pods_are_kept_from_the_control_plane_unless_it_is_alone(nodes, away):
    async def taints():
        async with running(config=SandboxConfig(nodes=nodes)) as lab:
            return [taint["key"] for taint in lab.store.get("nodes", nodes[0])["spec"]["taints"]]

    assert ("node-role.kubernetes.io/control-plane" in asyncio.run(taints())) == away


@in_a_bare_lab
async def test_a_new_cluster_has_its_namespaces_service_and_kubeadm_configuration(lab):
    assert {item["metadata"]["name"] for item in lab.store.scan("namespaces")} == {
        "default", "kube-node-lease", "kube-public", "kube-system",
    }  # fmt: skip
    assert lab.store.get("services", "kubernetes", "default")["spec"]["clusterIP"] == "10.96.0.1"
    configuration = lab.store.get("configmaps", "kubeadm-config", "kube-system")["data"]["ClusterConfiguration"]
    assert "podSubnet: 192.168.0.0/16" in configuration
    assert lab.store.get("serviceaccounts", "default", "default")


@in_a_bare_lab
async def test_nothing_of_calico_exists_until_an_installation_is_applied(lab):
    lab.apply_manifests()
    await lab.until(lambda: any(lab.ready(item) for item in lab.pods(namespace="tigera-operator")))
    await asyncio.sleep(0.05)
    assert lab.store.scan(STATUSES) == [] and lab.store.find("namespaces", "calico-system") is None


@in_a_bare_lab
async def test_an_installation_without_a_running_operator_does_nothing(lab):
    lab.apply_manifests()
    lab.patch("deployments.apps", "tigera-operator", {"spec": {"replicas": 0}}, "tigera-operator")
    await lab.until(lambda: not lab.pods(namespace="tigera-operator"))
    lab.apply_installation()
    await asyncio.sleep(0.05)
    assert lab.store.scan(POOLS) == []


API_SERVICES = "apiservices.apiregistration.k8s.io"


@in_a_lab
async def test_calico_s_api_server_has_its_apiservice_and_both_go_with_the_apiserver(lab):
    assert lab.store.find(API_SERVICES, "v3.projectcalico.org") is None
    lab.apply(operator_object("APIServer", {}))
    await lab.until(lambda: lab.available("apiserver"))
    assert lab.store.get(API_SERVICES, "v3.projectcalico.org")["spec"] == {
        "group": "projectcalico.org", "version": "v3", "groupPriorityMinimum": 1500, "versionPriority": 200,
        "service": {"name": "calico-api", "namespace": "calico-apiserver", "port": 443},
    }  # fmt: skip
    assert lab.store.find("services", "calico-api", "calico-apiserver")
    lab.store.delete("apiservers.operator.tigera.io", "default")
    await lab.until(lambda: lab.store.find(STATUSES, "apiserver") is None)
    assert lab.store.find(API_SERVICES, "v3.projectcalico.org") is None


@in_a_lab
async def test_calico_makes_nodes_ready_and_annotates_them(lab):
    for node in lab.store.scan("nodes"):
        name = node["metadata"]["name"]
        annotations = node["metadata"]["annotations"]
        assert set(annotations) == {"projectcalico.org/IPv4Address", "projectcalico.org/IPv4VXLANTunnelAddr"}
        assert annotations["projectcalico.org/IPv4Address"] == f"{lab.config.address_of(name)}/16"
        assert lab.ready(node)
        assert lab.condition(node, "NetworkUnavailable")["reason"] == "CalicoIsUp"
        (block,) = [b["spec"] for b in lab.store.scan(BLOCKS) if b["spec"]["affinity"] == f"host:{name}"]
        assert block["cidr"].startswith(annotations["projectcalico.org/IPv4VXLANTunnelAddr"])
        assert block["attributes"][0] == {
            "handle_id": f"vxlan-tunnel-addr-{name}",
            "secondary": {"node": name, "type": "vxlanTunnelAddress"},
        }


@in_a_lab
async def test_the_pool_has_the_recorded_shape(lab):
    (pool,) = lab.store.scan(POOLS)
    assert pool["spec"] == {
        "allowedUses": ["Workload", "Tunnel"],
        "assignmentMode": "Automatic",
        "blockSize": 26,
        "cidr": "192.168.0.0/16",
        "ipipMode": "Never",
        "natOutgoing": True,
        "nodeSelector": "all()",
        "vxlanMode": "CrossSubnet",
    }
    assert "labels" not in pool["metadata"]
    kept = json.loads(pool["metadata"]["annotations"]["projectcalico.org/metadata"])
    assert kept["labels"] == {"app.kubernetes.io/managed-by": "tigera-operator"}


@in_a_lab
async def test_the_installation_is_completed_and_reports_what_it_made(lab):
    await lab.until(lambda: lab.ready(lab.store.find("installations.operator.tigera.io", "default")))
    installation = lab.store.get("installations.operator.tigera.io", "default")
    assert installation["spec"]["calicoNetwork"]["bgp"] == "Enabled"
    assert installation["spec"]["calicoNetwork"]["ipPools"][0]["allowedUses"] == ["Workload", "Tunnel"]
    status = installation["status"]
    assert status["computed"] == installation["spec"]
    assert (status["mtu"], status["variant"], status["calicoVersion"]) == (1450, "Calico", "v3.30.7")


@in_a_lab
async def test_statuses_are_those_of_a_healthy_calico(lab):
    assert [item["metadata"]["name"] for item in lab.store.scan(STATUSES)] == ["calico", "ippools"]
    for item in lab.store.scan(STATUSES):
        found = {c["type"]: (c["status"], c["reason"], c["message"]) for c in item["status"]["conditions"]}
        good = ("AllObjectsAvailable", "All objects available")
        assert found == {
            "Available": ("True", *good),
            "Degraded": ("False", *good),
            "Progressing": ("False", *good),
        }


@in_a_lab
async def test_the_api_server_is_there_when_it_is_asked_for(lab):
    lab.apply(operator_object("APIServer"))
    await lab.until(lambda: lab.available("apiserver"))
    assert len(lab.pods("calico-apiserver", "calico-apiserver")) == 2


@in_a_lab
async def test_calico_node_runs_on_the_host_network_of_every_node(lab):
    pods = lab.pods("calico-node", "calico-system")
    assert {item["spec"]["nodeName"] for item in pods} == set(NODES)
    for item in pods:
        assert item["spec"]["containers"][0]["name"] == "calico-node"
        assert item["spec"]["containers"][0]["image"] == "quay.io/calico/node:v3.30.7"
        assert item["status"]["podIP"] == lab.config.address_of(item["spec"]["nodeName"])
        assert lab.kernel.pods["calico-system", item["metadata"]["name"]][1] is None


@in_a_lab
async def test_every_kernel_is_told_its_routes_and_its_peers(lab):
    for name in NODES:
        network = lab.kernel.networks[name]
        assert network.vxlan is not None and len(network.bgp.peers) == 2
        assert lab.kernel.bird[name] == network.bgp and lab.kernel.felix_ready[name]
        assert len([route for route in network.routes if route.dst.endswith("/26")]) == 3


@in_a_lab
async def test_changing_the_encapsulation_needs_calicos_api_server(lab):
    change_pool(lab, {"encapsulation": "None"})
    await lab.until(lambda: lab.condition(lab.store.find(STATUSES, "ippools"), "Degraded")["status"] == "True")
    message = lab.condition(lab.store.find(STATUSES, "ippools"), "Degraded")["message"]
    assert message == "Unable to modify IP pools while Calico API server is unavailable"
    assert lab.store.scan(POOLS)[0]["spec"]["vxlanMode"] == "CrossSubnet"


@in_a_lab
async def test_without_encapsulation_tunnels_go_and_bird_programs(lab):
    lab.apply(operator_object("APIServer"))
    await lab.until(lambda: lab.available("apiserver"))
    change_pool(lab, {"encapsulation": "None"})
    await lab.until(lambda: all(lab.kernel.networks[name].vxlan is None for name in NODES))
    for node in lab.store.scan("nodes"):
        assert "projectcalico.org/IPv4VXLANTunnelAddr" not in node["metadata"]["annotations"]
    assert not [item for item in lab.store.scan(HANDLES) if item["metadata"]["name"].startswith("vxlan-tunnel")]
    assert all(pool.program for pool in lab.kernel.networks[WORKER].bgp.pools)
    assert not [route for route in lab.kernel.networks[WORKER].routes if route.dst.endswith("/26")]


@in_a_lab
async def test_a_running_cluster_that_is_asked_for_ipip_says_why_not_and_goes_on(lab):
    def degraded():
        return lab.condition(lab.store.get(STATUSES, "calico"), "Degraded")

    routes = lab.kernel.networks[WORKER].routes
    change_pool(lab, {"encapsulation": "IPIPCrossSubnet"})
    await lab.until(lambda: degraded()["status"] == "True")
    assert "encapsulation IPIPCrossSubnet is not to be had in this sandbox: this machine's kernel has no IPIP" in degraded()["message"]
    assert lab.kernel.networks[WORKER].routes == routes and lab.store.scan(POOLS)[0]["spec"]["vxlanMode"] == "CrossSubnet"
    change_pool(lab, {"encapsulation": "VXLANCrossSubnet"})
    await lab.until(lambda: degraded()["status"] == "False" and lab.available("calico"))


@in_a_lab
async def test_a_pool_with_ipip_is_warned_of_on_every_node_once(lab):
    spec = {"cidr": "10.7.0.0/24", "blockSize": 26, "ipipMode": "Always", "vxlanMode": "Never", "nodeSelector": "all()"}
    lab.apply({"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "old"}, "spec": spec})
    await lab.until(lambda: all(lab.events("NoIPIP", name) for name in NODES))
    assert lab.events("NoIPIP", WORKER) == [
        "IPPool old has ipipMode Always, but this machine's kernel has no IPIP (module ipip): what would go through tunl0 is not routed"
    ]


@in_a_lab
async def test_disabling_bgp_rolls_calico_node_and_stops_bird(lab):
    before = {item["metadata"]["uid"] for item in lab.pods("calico-node", "calico-system")}
    patch = {"spec": {"calicoNetwork": {"bgp": "Disabled"}}}
    lab.patch("installations.operator.tigera.io", "default", patch)
    await lab.until(lambda: set(lab.kernel.bird.values()) == {None})
    await lab.until(lambda: lab.available("calico"))
    assert not before & {item["metadata"]["uid"] for item in lab.pods("calico-node", "calico-system")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cidr": "172.18.0.0/20"}, "overlaps the node network 172.18.0.0/16"),
        ({"encapsulation": "IPIP"}, "encapsulation IPIP is not to be had in this sandbox: this machine's kernel has no IPIP"),
        ({"encapsulation": "Magic"}, "Magic is invalid for ipPool.encapsulation"),
        ({"blockSize": 33}, "blockSize 33 must be from 20 to 32"),
        ({"blockSize": 15}, "blockSize 15 must be from 20 to 32"),
    ],
)
def test_an_installation_that_cannot_be_is_degraded_and_says_why(change, message):
    async def body():
        async with running() as lab:
            lab.apply_manifests()
            lab.apply_installation({**POOL, **change})
            await lab.until(lambda: lab.store.find(STATUSES, "calico"))
            assert message in lab.condition(lab.store.get(STATUSES, "calico"), "Degraded")["message"]
            assert lab.store.scan(POOLS) == []

    asyncio.run(body())


def change_pool(lab, change):
    installation = lab.store.get("installations.operator.tigera.io", "default")
    installation["spec"]["calicoNetwork"]["ipPools"][0].update(change)
    lab.store.update("installations.operator.tigera.io", installation)
