# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that cannot work is refused before anything is built, with every error named."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.filter.pool_errors import pool_errors

LAB = {
    "nodes": 3,
    "node_subnet": "172.18.0.0/16",
    "pod_subnet": "192.168.0.0/16",
    "service_subnet": "10.96.0.0/16",
}


def pool(**changes):
    return {
        "name": "default-ipv4-ippool",
        "cidr": "192.168.0.0/16",
        "block_size": 26,
        "encapsulation": "VXLANCrossSubnet",
        "nat_outgoing": True,
        "node_selector": "all()",
        "assignment_mode": "Automatic",
        **changes,
    }


def errors(*pools, **changes):
    return pool_errors(list(pools), **{**LAB, **changes})


def test_the_labs_own_plan_has_no_error():
    assert errors(pool()) == []


def test_two_pools_beside_each_other_have_no_error():
    assert errors(pool(cidr="192.168.0.0/17"), pool(name="second", cidr="192.168.128.0/17")) == []


def test_a_pool_of_as_many_blocks_as_nodes_is_just_large_enough():
    assert errors(pool(cidr="192.168.0.0/24"), nodes=4) == []


def test_a_pool_smaller_than_one_block_per_node_is_named_with_both_numbers():
    (error,) = errors(pool(cidr="192.168.0.0/25"))
    assert "192.168.0.0/25 in /26 blocks gives 2 blocks, but there are 3 nodes" in error


def test_pools_for_some_nodes_only_are_no_promise_to_every_node():
    (error,) = errors(pool(cidr="192.168.0.0/25"), pool(name="racks", cidr="192.168.4.0/24", node_selector="rack == 'a'"))
    assert "gives 2 blocks" in error


@pytest.mark.parametrize("size", [19, 33])
def test_a_block_size_outside_calicos_limits_is_refused(size):
    assert errors(pool(block_size=size)) == [f"calico_pools[0].block_size is {size}, expected 20 to 32"]


def test_a_block_larger_than_its_pool_is_refused():
    (error,) = errors(pool(cidr="192.168.0.0/24", block_size=22))
    assert "calico_pools[0].block_size is 22, so one block is larger than the pool 192.168.0.0/24: take 24 to 32" in error


def test_a_pool_over_the_nodes_network_is_refused():
    (error,) = errors(pool(cidr="172.18.0.0/20"))
    assert "calico_pools[0].cidr 172.18.0.0/20 overlaps podnet_node_subnet 172.18.0.0/16" in error


def test_a_pool_over_the_service_network_is_refused():
    (error,) = errors(pool(cidr="10.96.0.0/12"))
    assert "overlaps podnet_service_subnet 10.96.0.0/16" in error


def test_a_pool_outside_the_pod_subnet_is_refused_as_the_operator_would():
    (error,) = errors(pool(cidr="192.169.0.0/16"))
    assert "192.169.0.0/16 is not inside podnet_pod_subnet 192.168.0.0/16" in error


def test_a_pod_subnet_over_the_nodes_network_is_refused():
    found = errors(pool(cidr="172.18.0.0/16"), pod_subnet="172.18.0.0/16")
    assert found[0].startswith("podnet_node_subnet 172.18.0.0/16 overlaps podnet_pod_subnet 172.18.0.0/16")


def test_pools_that_overlap_each_other_are_refused():
    (error,) = errors(pool(), pool(name="second", cidr="192.168.4.0/22"))
    assert "calico_pools[0].cidr 192.168.0.0/16 overlaps calico_pools[1].cidr 192.168.4.0/22" in error


def test_two_pools_of_one_name_are_refused():
    (error,) = errors(pool(cidr="192.168.0.0/17"), pool(cidr="192.168.128.0/17"))
    assert error.startswith("calico_pools[1].name is 'default-ipv4-ippool', as calico_pools[0].name is already")


@pytest.mark.parametrize("encapsulation", ["None", "IPIP", "IPIPCrossSubnet"])
def test_routes_that_only_bird_can_make_need_bgp(encapsulation):
    (error,) = errors(pool(encapsulation=encapsulation), bgp=False)
    assert f"calico_pools[0].encapsulation is {encapsulation} while calico_bgp is Disabled" in error


def test_vxlan_needs_no_bgp():
    assert errors(pool(encapsulation="VXLAN"), bgp=False) == []


def test_a_network_with_host_bits_is_refused_with_its_reason():
    (error,) = errors(pool(cidr="192.168.0.1/16"))
    assert "calico_pools[0].cidr is '192.168.0.1/16', expected an IPv4 network" in error and "host bits set" in error


def test_no_pool_at_all_is_refused():
    assert "calico_pools is empty" in errors()[0]


def test_all_errors_come_at_once():
    found = errors(pool(block_size=33), pool(name="b", cidr="nonsense"), service_subnet="10.96.0.1/16")
    assert len(found) == 3


def test_what_is_not_a_list_of_pools_is_refused():
    with pytest.raises(AnsibleFilterError, match="wants a list of pools"):
        pool_errors("192.168.0.0/16", **LAB)
