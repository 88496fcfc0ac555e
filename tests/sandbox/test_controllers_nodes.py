# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a node that is deleted, registered again, or without calico-node."""

from __future__ import annotations

from lab import NODES, in_a_lab, pod

CONTROL_PLANE, WORKER, WORKER2 = NODES
BLOCKS, AFFINITIES = "ipamblocks.crd.projectcalico.org", "blockaffinities.crd.projectcalico.org"
POOLS, HANDLES = "ippools.crd.projectcalico.org", "ipamhandles.crd.projectcalico.org"


@in_a_lab
async def test_a_deleted_node_loses_its_routes_at_once_and_its_addresses_soon(lab):
    lab.apply(pod("there", nodeName=WORKER2))
    await lab.until(lambda: lab.ready(lab.pod("there")))
    lab.store.delete("nodes", WORKER2)
    await lab.until(lambda: "172.18.0.4" not in {route.gateway for route in lab.kernel.networks[WORKER].routes})
    assert WORKER2 in {item["spec"]["node"] for item in lab.store.scan(AFFINITIES)}  # not collected yet
    await lab.until(lambda: WORKER2 not in {item["spec"]["node"] for item in lab.store.scan(AFFINITIES)})
    assert f"host:{WORKER2}" not in {item["spec"].get("affinity") for item in lab.store.scan(BLOCKS)}
    assert not lab.pods("there") and not [h for h in lab.store.scan(HANDLES) if WORKER2 in h["metadata"]["name"]]
    assert lab.store.find("nodes", WORKER2) is None


@in_a_lab
async def test_a_node_that_is_registered_again_gets_another_tunnel_address(lab):
    old = lab.store.get("nodes", WORKER2)
    lab.store.delete("nodes", WORKER2)
    await lab.until(lambda: not [p for p in lab.pods("calico-node", "calico-system") if p["spec"]["nodeName"] == WORKER2])
    bare = {"name": WORKER2, "labels": old["metadata"]["labels"]}
    lab.apply({"apiVersion": "v1", "kind": "Node", "metadata": bare, "spec": {}})
    key = "projectcalico.org/IPv4VXLANTunnelAddr"
    await lab.until(lambda: lab.store.get("nodes", WORKER2)["metadata"].get("annotations", {}).get(key))
    assert lab.store.get("nodes", WORKER2)["metadata"]["annotations"][key] != old["metadata"]["annotations"][key]
    await lab.until(lambda: lab.ready(lab.store.find("nodes", WORKER2)))


@in_a_lab
async def test_an_address_that_somebody_changed_stays_until_calico_node_starts_again(lab):
    def address():
        return lab.store.get("nodes", WORKER2)["metadata"]["annotations"].get("projectcalico.org/IPv4Address")

    def gateways():
        return {route.gateway for route in lab.kernel.networks[WORKER].routes}

    lab.patch("nodes", WORKER2, {"metadata": {"annotations": {"projectcalico.org/IPv4Address": "172.18.255.254/16"}}})
    await lab.until(lambda: "172.18.255.254" in gateways() and "172.18.0.4" not in gateways())
    assert address() == "172.18.255.254/16"
    (agent,) = [p for p in lab.pods("calico-node", "calico-system") if p["spec"]["nodeName"] == WORKER2]
    lab.store.delete("pods", agent["metadata"]["name"], "calico-system")
    await lab.until(lambda: address() == "172.18.0.4/16" and "172.18.0.4" in gateways())


@in_a_lab
async def test_routes_stay_when_calico_node_goes_and_bird_ends(lab):
    routes = lab.kernel.networks[WORKER].routes
    ds = {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": CONTROL_PLANE}}}}}
    lab.patch("deployments.apps", "tigera-operator", {"spec": {"replicas": 0}}, "tigera-operator")
    await lab.until(lambda: not lab.pods(namespace="tigera-operator"))
    lab.patch("daemonsets.apps", "calico-node", ds, "calico-system")
    await lab.until(lambda: lab.kernel.bird[WORKER] is None)
    assert lab.kernel.networks[WORKER].routes == routes and not lab.kernel.felix_ready[WORKER]
    assert lab.ready(lab.store.get("nodes", WORKER))  # CNI stays installed
