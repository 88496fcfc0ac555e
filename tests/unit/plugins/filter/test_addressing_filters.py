# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks, pools, names and routes as filters: arithmetic held against the standard library, names against recordings."""

from __future__ import annotations

import ipaddress
import json

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.filter.block_name import block_name
from ansible_collections.podnet.calico.plugins.filter.block_of import block_of
from ansible_collections.podnet.calico.plugins.filter.blocks_in import blocks_in
from ansible_collections.podnet.calico.plugins.filter.cali_name import cali_name
from ansible_collections.podnet.calico.plugins.filter.handle_id import handle_id
from ansible_collections.podnet.calico.plugins.filter.ip_route import ip_route
from ansible_collections.podnet.calico.plugins.filter.ip_rule import ip_rule
from ansible_collections.podnet.calico.plugins.filter.longest_match import longest_match
from ansible_collections.podnet.calico.plugins.filter.pool_capacity import pool_capacity
from ansible_collections.podnet.calico.plugins.filter.pool_of import pool_of
from ansible_collections.podnet.calico.plugins.filter.vtep_mac import vtep_mac
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import LAB, SCENARIOS, recording, text
from hypothesis import given, settings
from hypothesis import strategies as st

ADDRESSES = st.ip_addresses()
POOL = {"cidr": "10.0.0.0/16", "block_size": 24}


@st.composite
def pools(draw, most=8):
    """(pool, block size): at most 2**most blocks."""
    address = draw(ADDRESSES)
    size = draw(st.integers(20, 32) if address.version == 4 else st.integers(116, 128))
    length = draw(st.integers(size - most, size))
    return str(ipaddress.ip_network((address, length), strict=False)), size


@settings(deadline=None)
@given(address=ADDRESSES)
def test_an_address_is_in_its_block_which_has_the_length_of_its_family(address):
    block = ipaddress.ip_network(block_of(str(address)))
    assert address in block and block.prefixlen == {4: 26, 6: 122}[address.version]
    assert block_of("%s/%d" % (address, address.max_prefixlen)) == str(block)


@settings(deadline=None)
@given(data=st.data(), chosen=pools())
def test_blocks_part_the_pool_and_each_address_is_in_the_one_that_is_named(data, chosen):
    pool, size = chosen
    blocks, network = blocks_in(pool, size), ipaddress.ip_network(pool)
    assert list(ipaddress.collapse_addresses(map(ipaddress.ip_network, blocks))) == [network]
    held = pool_capacity(pool, size)
    assert held["blocks"] == len(set(blocks)) and held["addresses"] == held["blocks"] * held["addresses_per_block"] == network.num_addresses
    address = network[data.draw(st.integers(0, network.num_addresses - 1))]
    assert block_of(str(address), {"cidr": pool, "block_size": size}) in blocks


def test_a_pools_own_block_size_counts_where_none_is_given():
    assert block_of("10.0.9.1", POOL) == "10.0.9.0/24" and block_of("10.0.9.1", POOL, 26) == "10.0.9.0/26"
    assert blocks_in(POOL)[:2] == ["10.0.0.0/24", "10.0.1.0/24"]
    assert pool_capacity(POOL) == {"block_size": 24, "blocks": 256, "addresses_per_block": 256, "addresses": 65536}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_block_of_every_recorded_allocation_is_the_one_it_is_in(name):
    snapshot = recording(name)
    sizes = [pool._asdict() for pool in snapshot.pools]
    for block in snapshot.blocks:
        for allocation in block.allocations:
            assert block_of(allocation.address, pool_of(allocation.address, sizes)) == block.cidr


@pytest.mark.parametrize("name", SCENARIOS)
def test_objects_are_called_as_they_are_in_the_recordings(name):
    def items(plural):
        return json.loads(text(name, "api/%s.crd.projectcalico.org.json" % plural))["items"]

    blocks, affinities = items("ipamblocks"), items("blockaffinities")
    assert blocks and [item["metadata"]["name"] for item in blocks] == [block_name(item["spec"]["cidr"]) for item in blocks]
    assert [item["metadata"]["name"] for item in affinities] == [
        block_name(item["spec"]["cidr"], item["spec"]["node"]) for item in affinities
    ]


@pytest.mark.parametrize("name", SCENARIOS)
def test_handles_are_those_of_the_recordings(name):
    snapshot = recording(name)
    containers = {(pod.namespace, pod.name): pod.container_id for pod in snapshot.pods}
    uses = {"vxlanTunnelAddress": "vxlan", "ipipTunnelAddress": "ipip", "wireguardTunnelAddress": "wireguard"}
    seen = 0
    for block in snapshot.blocks:
        for one in block.allocations:
            holder = one.node if one.use else containers.get((one.namespace, one.pod))
            if holder:
                assert handle_id(holder, uses[one.use] if one.use else "workload") == one.handle
                seen += 1
    assert seen


def test_devices_and_macs_are_those_of_the_recordings():
    snapshot = recording(LAB)
    for node in snapshot.nodes:
        macs = {link.name: link.mac for link in node.facts.links}
        assert macs["vxlan.calico"] == vtep_mac(node.name)
        here = [pod for pod in snapshot.pods if pod.node == node.name and not pod.host_network and pod.phase == "Running"]
        assert here and {cali_name(pod.name, pod.namespace) for pod in here} <= set(macs)


def test_the_smallest_pool_that_holds_an_address_is_its():
    wide, narrow = {"name": "wide", "cidr": "10.0.0.0/8"}, {"name": "narrow", "cidr": "10.1.0.0/16"}
    assert pool_of("10.1.2.3", [wide, narrow]) is narrow and pool_of("10.2.2.3", [wide, narrow]) is wide
    assert pool_of("10.1.0.0/26", [narrow, wide]) is narrow
    assert pool_of("192.168.0.1", [wide, narrow]) is None and pool_of("::1", ["fd00::/8", "10.0.0.0/8"]) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 32)), max_size=12), st.integers(0, 255))
def test_of_all_routes_the_longest_prefix_is_taken(prefixes, last):
    address = ipaddress.ip_address("10.0.0.%d" % last)
    networks = {ipaddress.ip_network(("10.0.0.%d" % end, length), strict=False) for end, length in prefixes}
    found = longest_match(ip_route("\n".join("%s dev eth0" % network for network in networks)), str(address))
    best = max((network for network in networks if address in network), key=lambda network: network.prefixlen, default=None)
    assert (found and found["dst"]) == (best and str(best))


def test_a_route_comes_back_in_the_shape_it_was_given_in():
    routes = ip_route(text(LAB, "nodes/pod-routing-worker/ip-route.txt"))
    assert routes and all(longest_match([route], route["dst"].partition("/")[0]) == route for route in routes)


def test_rules_send_from_table_to_table_and_a_dead_route_does_not_count():
    routes = ip_route("10.0.0.0/24 dev a table 7\n10.0.0.0/24 dev b\n10.0.1.0/24 dev c linkdown\n10.0.0.0/16 dev d")
    rules = ip_rule("5: from all to 10.0.0.9 lookup 7\n32766: from all lookup main")
    assert [longest_match(routes, address, rules)["dev"] for address in ("10.0.0.9", "10.0.0.8", "10.0.1.1")] == ["a", "b", "d"]
    assert longest_match(routes, "10.0.0.9")["dev"] == "b"


def test_a_rule_that_cannot_be_told_is_named():
    rules = ip_rule("5: from 10.9.0.0/16 lookup 7\n32766: from all lookup main")
    with pytest.raises(AnsibleFilterError, match=r"which route 10.0.0.1 takes cannot be said: whether rule 5 \(from 10.9.0.0/16\) matches cannot be told"):
        longest_match([], "10.0.0.1", rules)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: block_of("somewhere"), "podnet.calico.block_of: 'somewhere' does not appear to be an IPv4 or IPv6 interface"),
        (lambda: block_of(None), "podnet.calico.block_of: wants an address as text, got nothing"),
        (lambda: block_of("10.1.0.1", POOL), "podnet.calico.block_of: 10.1.0.1 is not in the pool 10.0.0.0/16"),
        (lambda: block_of("10.0.0.1/16"), "10.0.0.1/16 is not one address"),
        (lambda: block_of("fd00::1", POOL), "fd00::1 is not in the pool"),
        (lambda: block_of("10.0.0.1", {"name": "x"}), "wants the pool as a CIDR or as a dictionary with cidr, got a dictionary"),
        (lambda: block_of("10.0.0.1", block_size=8), "block_size is 8, and of IPv4 from 20 to 32"),
        (lambda: block_of("10.0.0.1", block_size="big"), "podnet.calico.block_of: wants block_size as a number, got str 'big'"),
        (lambda: blocks_in("10.0.0.0/27"), "podnet.calico.blocks_in: a block of /26 is larger than the pool 10.0.0.0/27"),
        (lambda: blocks_in("10.0.0.0/8"), "10.0.0.0/8 has 262144 blocks, more than the 65536 that are listed"),
        (lambda: blocks_in("10.0.0.1/16"), "10.0.0.1/16 has host bits set"),
        (lambda: pool_capacity(["10.0.0.0/8"]), "podnet.calico.pool_capacity: wants the pool as a CIDR"),
        (lambda: pool_of("10.0.0.1", "10.0.0.0/8"), "podnet.calico.pool_of: wants a list of pools, got str '10.0.0.0/8'"),
        (lambda: pool_of("10.0.0.1", ["10.0.0.0/8", {}]), "wants pool 1 as a CIDR"),
        (lambda: pool_of("ten", ["10.0.0.0/8"]), "'ten' is neither an address nor a prefix"),
        (lambda: block_name("10.0.0.7/26"), "10.0.0.7/26 has host bits set"),
        (lambda: block_name("10.0.0.0/26", ""), "wants the name of a node, got an empty text"),
        (lambda: handle_id("worker", "vpn"), "use is 'vpn', and one of workload, vxlan, ipip, wireguard"),
        (lambda: cali_name("web", None), "podnet.calico.cali_name: wants the namespace of a pod as text, got nothing"),
        (lambda: cali_name(" ", "default"), "wants the name of a pod, got an empty text"),
        (lambda: vtep_mac(7), "podnet.calico.vtep_mac: wants the name of a node as text, got int '7'"),
        (lambda: longest_match("default dev eth0", "10.0.0.1"), "podnet.calico.longest_match: wants a list of dictionaries, got str"),
        (lambda: longest_match(["default"], "10.0.0.1"), "entry 0 is str 'default', and must be a dictionary"),
        (lambda: longest_match([{"dst": "0.0.0.0/0"}, {"gateway": "x"}], "10.0.0.1"), "entry 1 cannot be read: Route without dst"),
        (lambda: longest_match([{"dst": "0.0.0.0/0", "dest": 1}], "10.0.0.1"), "entry 0 cannot be read: Route has no field 'dest'"),
        (lambda: longest_match([], "10.0.0.0/24"), "podnet.calico.longest_match: wants one address, got 10.0.0.0/24"),
        (lambda: longest_match([], "somewhere"), "'somewhere' is neither an address nor a prefix"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(AnsibleFilterError) as caught:
        call()
    assert said in str(caught.value)
