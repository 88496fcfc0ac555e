# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With whom a node's BIRD is told to speak: as confd's client works it out from Nodes, BGPConfigurations and BGPPeers."""

from __future__ import annotations

import pytest
from podnet_sandbox.dataplane.bird.configuration import render
from podnet_sandbox.dataplane.desired import Bgp, BgpPool
from podnet_sandbox.dataplane.peerings import Mesh, peers_of, speakers_of

REFLECTOR = {"RouteReflectorClusterID": "244.0.0.1"}


def node(number, labels=None, **annotations):
    written = {"IPv4Address": f"172.18.0.{number}/16", **annotations}
    metadata = {"name": f"node{number}", "labels": labels or {}}
    return {"metadata": {**metadata, "annotations": {f"projectcalico.org/{key}": value for key, value in written.items()}}}


def configuration(name="default", **spec):
    return {"metadata": {"name": name}, "spec": spec}


MESH = Mesh()


def peers(number, nodes, *bgp_peers, mesh=MESH, configurations=(), secrets=()):
    """The sessions of node ``number``, by name."""
    speakers = speakers_of(nodes, configurations)
    local = next(speaker for speaker in speakers if speaker.name == f"node{number}")
    objects = [{"metadata": {"name": f"peer{index}"}, "spec": spec} for index, spec in enumerate(bgp_peers)]
    return {peer.name: peer for peer in peers_of(local, speakers, objects, mesh, secrets)}


def test_the_node_with_the_lower_address_as_text_waits_in_the_mesh():
    nodes = [node(2), node(3), node(10)]
    assert {name: peer.passive for name, peer in peers(2, nodes).items()} == {"Mesh_172_18_0_10": False, "Mesh_172_18_0_3": True}


def test_what_the_mesh_has_in_common_is_not_a_configured_peers():
    found = peers(3, [node(2), node(3)], {"peerIP": "172.18.0.99"}, mesh=Mesh("rosebud", 120))
    assert [(name, peer.password, peer.restart_time) for name, peer in found.items()] == [
        ("Global_172_18_0_99", "", 0),
        ("Mesh_172_18_0_2", "rosebud", 120),
    ]


def test_a_reflector_and_a_node_without_an_address_are_not_in_the_mesh():
    nodes = [node(2, **REFLECTOR), node(3), node(4), {"metadata": {"name": "bare"}}]
    assert set(peers(3, nodes)) == {"Mesh_172_18_0_4"} and peers(2, nodes) == {}


CLUSTER = [node(2, {"rr": "true"}, **REFLECTOR), node(3), node(4)]
TO_REFLECTORS = {"nodeSelector": "!has(rr)", "peerSelector": "has(rr)"}


def test_a_peering_with_reflectors_is_made_from_both_its_sides():
    client = peers(3, CLUSTER, TO_REFLECTORS, mesh=None)
    assert {name: peer.client_of for name, peer in client.items()} == {"Node_172_18_0_2": ""}
    reflector = peers(2, CLUSTER, TO_REFLECTORS, mesh=None)
    assert {name: peer.client_of for name, peer in reflector.items()} == {"Node_172_18_0_3": "244.0.0.1", "Node_172_18_0_4": "244.0.0.1"}


def test_reflectors_of_one_cluster_are_no_clients_of_each_other_and_of_two_clusters_are():
    for other, clients in (("244.0.0.1", ""), ("244.0.0.2", "244.0.0.1")):
        nodes = [*CLUSTER, node(5, {"rr": "true"}, RouteReflectorClusterID=other)]
        found = peers(2, nodes, {"nodeSelector": "has(rr)", "peerSelector": "has(rr)"}, mesh=None)
        assert {name: peer.client_of for name, peer in found.items()} == {"Node_172_18_0_5": clients}


def test_a_global_peer_is_everyones_and_goes_before_one_of_single_nodes():
    router = {"peerIP": "172.18.0.99", "asNumber": 64999}
    for number in (3, 4):
        assert set(peers(number, CLUSTER, router, {**router, "node": "node3"}, mesh=None)) == {"Global_172_18_0_99"}
    assert set(peers(3, CLUSTER, {**router, "node": "node3"}, mesh=None)) == {"Node_172_18_0_99"}
    assert peers(4, CLUSTER, {**router, "node": "node3"}, mesh=None) == {}


def test_a_peer_that_turns_out_to_be_a_node_is_peered_with_from_there_too():
    assert set(peers(4, CLUSTER, {"peerIP": "172.18.0.4", "asNumber": 64512, "node": "node3"}, mesh=None)) == {"Node_172_18_0_3"}
    assert peers(4, CLUSTER, {"peerIP": "172.18.0.4", "asNumber": 65000, "node": "node3"}, mesh=None) == {}


def test_as_numbers_are_a_nodes_own_or_the_clusters_or_64512():
    nodes = [node(2, ASNumber="65002"), node(3)]
    assert peers(3, nodes)["Mesh_172_18_0_2"].as_number == 65002
    assert peers(2, nodes)["Mesh_172_18_0_3"].as_number == 64512
    assert peers(2, nodes, configurations=[configuration(asNumber=64600)])["Mesh_172_18_0_3"].as_number == 64600


def test_a_listening_port_is_in_the_neighbours_line_and_in_the_name_of_a_configured_one():
    configurations = [configuration(listenPort=1790), configuration("node.node4", listenPort=1791)]
    assert peers(3, CLUSTER, configurations=configurations)["Mesh_172_18_0_4"].port == 1791
    found = peers(3, CLUSTER, TO_REFLECTORS, {"peerIP": "172.18.0.99:179"}, mesh=None, configurations=configurations)
    assert {name: peer.port for name, peer in found.items()} == {"Node_172_18_0_2_port_1790": 1790, "Global_172_18_0_99_port_179": 179}


def rendered(number, *bgp_peers, major=1, pools=()):
    found = peers(number, CLUSTER, *bgp_peers, mesh=None)
    bgp = Bgp(f"172.18.0.{number}", 64512, (), pools, tuple(found.values()), listen_port=1790)
    return render(bgp, major=major)


@pytest.mark.parametrize("major", [1, 2])
def test_what_a_peer_is_stands_in_its_stanza(major):
    assert "  rr client;\n  rr cluster id 244.0.0.1;" in rendered(2, TO_REFLECTORS, major=major)
    assert "rr client" not in rendered(3, TO_REFLECTORS, major=major)
    assert "calico_export_to_bgp_peers(true); reject;" in rendered(3, TO_REFLECTORS, major=major)
    router = {"peerIP": "172.18.0.99", "asNumber": 64999, "keepOriginalNextHop": True, "sourceAddress": "None", "maxRestartTime": "2m"}
    text = rendered(3, router, major=major).partition("protocol bgp Global_172_18_0_99")[2]
    assert "neighbor 172.18.0.99 as 64999;" in text and "calico_export_to_bgp_peers(false)" in text
    assert "next hop keep;" in text and "source address" not in text and "graceful restart time 120;" in text
    assert ("listen bgp port 1790;" if major == 1 else "local 172.18.0.3 port 1790 as 64512;") in rendered(3, router, major=major)


def test_a_pool_that_is_not_to_be_exported_is_rejected_before_anything_of_it_is_announced():
    text = rendered(3, TO_REFLECTORS, pools=(BgpPool("10.1.0.0/16", True), BgpPool("10.2.0.0/16", True, export=False)))
    function = text.partition("function calico_export_to_bgp_peers")[2].partition("\n}")[0]
    assert function.index("10.2.0.0/16 ) then { reject; }") < function.index("calico_aggr()") < function.index("10.1.0.0/16 ) then { accept; }")
    assert "10.2.0.0/16 ) then { accept" not in function
