# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calculated routes are held equal to what a real Calico had in its nodes' main tables.

`recordings/calico/`: objects and `ip -j -d route show table all` of one moment, trimmed to what routing needs.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from pathlib import Path

import pytest
from podnet_sandbox.dataplane.bird.configuration import render
from podnet_sandbox.dataplane.desired import BgpPeer, Route
from podnet_sandbox.dataplane.felix import Datastore, host_device, network_of, pod_mtu, vtep_mac

RECORDINGS = Path(__file__).parent / "recordings" / "calico"
PROTOCOLS = {"boot": 3, "bird": 12}
WORKER, WORKER2, CONTROL_PLANE = "pod-routing-worker", "pod-routing-worker2", "pod-routing-control-plane"


def recording(name):
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def datastore(recorded, **changes):
    objects = {field: recorded[field] for field in ("nodes", "pools", "blocks", "affinities", "pods")}
    return Datastore(**objects, calico_version=recorded["calico_version"], **changes)


def as_route(entry):
    """A line of `ip -j -d route` in the sandbox's words."""
    protocol = entry["protocol"]
    return Route(
        dst=entry["dst"] if "/" in entry["dst"] else entry["dst"] + "/32",
        kind=entry["type"],
        gateway=entry.get("gateway"),
        device=entry.get("dev"),
        protocol=PROTOCOLS.get(protocol) or int(protocol),
        scope=entry.get("scope", "global"),
        onlink="onlink" in entry["flags"],
        metric=entry.get("metric", 0),
        mtu=next((metric["mtu"] for metric in entry.get("metrics", ()) if "mtu" in metric), None),
    )


def recorded_routes(recorded, node, *, bird):
    routes = {as_route(entry) for entry in recorded["routes"][node]}
    return {route for route in routes if (route.protocol == PROTOCOLS["bird"]) == bird}


def the(recorded, kind, name):
    return next(item for item in recorded[kind] if item["metadata"]["name"] == name)


NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_every_node_gets_the_routes_felix_programmed_there(name):
    recorded = recording(name)
    for node in recorded["routes"]:
        assert set(network_of(node, datastore(recorded)).routes) == recorded_routes(recorded, node, bird=False), node


@pytest.mark.parametrize("name", NAMES)
def test_bird_announces_the_blocks_whose_blackholes_it_programmed(name):
    recorded = recording(name)
    for node in recorded["routes"]:
        programmed = {r.dst for r in recorded_routes(recorded, node, bird=True) if r.kind == "blackhole"}
        bgp = network_of(node, datastore(recorded)).bgp
        pools = [pool.cidr for pool in bgp.pools if pool.program]
        owned = {block for block in bgp.blocks if any(block.startswith(p.split(".")[0] + ".") for p in pools)}
        assert owned == programmed, node


def test_the_vxlan_device_is_there_and_knows_every_peer_also_on_a_single_subnet():
    vxlan = network_of(WORKER, datastore(recording("vxlancrosssubnet-operator"))).vxlan
    assert (vxlan.address, vxlan.mac, vxlan.local, vxlan.mtu) == (
        "192.168.93.192",
        "66:41:a6:e0:42:85",
        "172.18.0.3",
        1450,
    )
    assert {(p.tunnel_address, p.mac, p.node_address) for p in vxlan.peers} == {
        ("192.168.116.0", "66:cd:66:86:cd:1f", "172.18.0.2"),
        ("192.168.112.192", "66:2d:56:cc:a5:7d", "172.18.0.4"),
    }


def test_without_a_vxlan_pool_there_is_no_vxlan_device():
    network = network_of(WORKER, datastore(recording("none-operator")))
    assert network.vxlan is None and network.vxlan_hosts == ()


def test_masquerade_sets_hold_the_pools_and_the_tunnel_set_the_other_nodes():
    network = network_of(WORKER, datastore(recording("vxlancrosssubnet-operator")))
    assert network.all_pools == network.masquerade_pools == ("192.168.0.0/16",)
    assert network.vxlan_hosts == ("172.18.0.2", "172.18.0.4")


def test_a_pool_without_nat_outgoing_is_not_masqueraded_but_is_a_destination_within():
    recorded = recording("vxlancrosssubnet-operator")
    del recorded["pools"][0]["spec"]["natOutgoing"]
    network = network_of(WORKER, datastore(recorded))
    assert network.all_pools == ("192.168.0.0/16",) and network.masquerade_pools == ()


def test_the_node_with_the_lower_address_waits_for_the_higher_to_connect():
    bgp = network_of(WORKER, datastore(recording("vxlancrosssubnet-operator"))).bgp
    assert bgp.peers == (
        BgpPeer("Mesh_172_18_0_2", "172.18.0.2", 64512, passive=False),
        BgpPeer("Mesh_172_18_0_4", "172.18.0.4", 64512, passive=True),
    )
    assert (bgp.router_id, bgp.metric) == ("172.18.0.3", 0)


def test_bird_of_v3_32_programs_with_metric_1024():
    recorded = recording("v3.32-none")
    for node in recorded["routes"]:
        metrics = {r.metric for r in recorded_routes(recorded, node, bird=True) if r.kind == "unicast"}
        assert metrics == {network_of(node, datastore(recorded)).bgp.metric}


def test_tunnelled_block_routes_of_v3_32_carry_the_mtu():
    recorded = recording("vxlan")
    recorded["calico_version"] = "v3.32.1"
    tunnelled = [r for r in network_of(WORKER, datastore(recorded)).routes if r.device == "vxlan.calico"]
    assert {(r.mtu, r.onlink) for r in tunnelled} == {(1450, True)}  # and no /32 of a remote tunnel address


def test_bgp_disabled_leaves_no_bird_and_the_same_routes():
    recorded = recording("vxlan-bgp-disabled")
    network = network_of(WORKER, datastore(recorded), bgp=False)
    assert network.bgp is None
    assert set(network.routes) == recorded_routes(recorded, WORKER, bird=False)


def test_moving_a_blocks_affinity_moves_its_route_and_keeps_its_pods_as_borrowed_addresses():
    """FINDINGS A17: in a VXLAN pool IPAMBlock.affinity decides, and the old owner's pods survive as /32s."""
    recorded = recording("vxlancrosssubnet-operator")
    the(recorded, "blocks", "192-168-93-192-26")["spec"]["affinity"] = f"host:{WORKER2}"
    routes = {r.dst: r for r in network_of(CONTROL_PLANE, datastore(recorded)).routes}
    assert routes["192.168.93.192/26"].gateway == "172.18.0.4"
    assert routes["192.168.93.193/32"].gateway == "172.18.0.3"
    old_owner = {r.dst: r for r in network_of(WORKER, datastore(recorded)).routes}
    assert old_owner["192.168.93.192/26"].kind == "unicast"


def test_a_block_nobody_owns_has_no_route_but_its_addresses_do():
    recorded = recording("vxlancrosssubnet-operator")
    del the(recorded, "blocks", "192-168-93-192-26")["spec"]["affinity"]
    routes = {r.dst for r in network_of(CONTROL_PLANE, datastore(recorded)).routes}
    assert "192.168.93.192/26" not in routes
    assert {"192.168.93.193/32", "192.168.93.194/32", "192.168.93.195/32"} <= routes


def test_a_deleted_node_takes_its_routes_with_it_while_its_block_is_still_there():
    recorded = recording("vxlancrosssubnet-operator")
    recorded["nodes"] = [node for node in recorded["nodes"] if node["metadata"]["name"] != WORKER2]
    network = network_of(WORKER, datastore(recorded))
    assert not [r for r in network.routes if r.gateway == "172.18.0.4"]
    assert [peer.address for peer in network.bgp.peers] == ["172.18.0.2"]


def test_a_node_without_its_annotations_keeps_its_block_route_by_its_internal_address():
    """FINDINGS A19."""
    recorded = recording("vxlancrosssubnet-operator")
    del the(recorded, "nodes", WORKER2)["metadata"]["annotations"]
    routes = {r.dst for r in network_of(WORKER, datastore(recorded)).routes}
    assert "192.168.112.192/26" in routes and "192.168.112.192/32" not in routes


def test_a_finished_pod_has_lost_its_route():
    recorded = recording("vxlancrosssubnet-operator")
    the(recorded, "pods", "multitool")["status"]["phase"] = "Succeeded"
    assert "192.168.93.193/32" not in {r.dst for r in network_of(WORKER, datastore(recorded)).routes}


def test_a_pending_or_deleted_affinity_is_not_announced():
    recorded = recording("none-operator")
    for change in ({"state": "pending"}, {"deleted": "true"}):
        changed = copy.deepcopy(recorded)
        the(changed, "affinities", f"{WORKER}-192-168-93-192-26")["spec"].update(change)
        assert network_of(WORKER, datastore(changed)).bgp.blocks == ()


def test_a_disabled_pool_keeps_its_routes():
    recorded = recording("vxlancrosssubnet-operator")
    before = network_of(WORKER, datastore(recorded))
    recorded["pools"][0]["spec"]["disabled"] = True
    assert "192.168.112.192/26" in {r.dst for r in network_of(WORKER, datastore(recorded)).routes}
    assert before.all_pools == network_of(WORKER, datastore(recorded)).all_pools


def test_an_unknown_node_has_an_empty_network():
    network = network_of("nosuch", datastore(recording("vxlan")))
    assert dataclasses.replace(network, name="") == type(network)(name="")


@pytest.mark.parametrize(
    ("pod", "device"),
    [("default/nginx", "calic440f455693"), ("kube-system/coredns-abc", "cali3d5d6ab04b5")],
)
def test_host_devices_are_named_by_namespace_and_pod(pod, device):
    assert host_device(*pod.split("/")) == device


@pytest.mark.parametrize(("node", "mac"), [("kind-worker", "66:46:b3:ce:05:5d"), ("node1", "66:f9:37:c3:7e:94")])
def test_vtep_macs_are_named_by_node(node, mac):
    assert vtep_mac(node) == mac


def test_an_ipip_pool_takes_20_bytes_and_a_vxlan_pool_beside_it_50():
    ipip, vxlan = {"spec": {"ipipMode": "CrossSubnet"}}, {"spec": {"vxlanMode": "Always"}}
    assert (pod_mtu([ipip]), pod_mtu([ipip, vxlan])) == (1480, 1450)


@pytest.mark.parametrize(("mode", "direct"), [("Always", False), ("CrossSubnet", True)])
def test_of_an_ipip_pool_bird_programs_its_own_block_and_what_needs_no_tunnel(mode, direct):
    recorded = recording("none-operator")
    recorded["pools"][0]["spec"]["ipipMode"] = mode
    text = render(network_of(WORKER, datastore(recorded)).bgp, major=1)
    condition = re.search(r"if \( net ~ 192\.168\.0\.0/16 && ! \( (.*) \) \) then \{ reject; \}", text)[1]
    assert condition.startswith("source = RTS_STATIC") and ("bgp_next_hop ~ 172.18.0.0/16" in condition) == direct


@pytest.mark.parametrize(
    ("vxlan_mode", "configured", "mtu"), [("CrossSubnet", 0, 1450), ("Always", 0, 1450), ("Never", 0, 1500), ("Always", 1400, 1400)]
)
def test_the_pod_mtu_follows_the_encapsulation_that_is_enabled(vxlan_mode, configured, mtu):
    assert pod_mtu([{"spec": {"vxlanMode": vxlan_mode}}], 1500, configured) == mtu
