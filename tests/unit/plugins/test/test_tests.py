# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jinja2 tests of the collection: in a pool, in a block, near, selected."""

from __future__ import annotations

import ipaddress

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.test.in_block import in_block
from ansible_collections.podnet.calico.plugins.test.in_pool import in_pool
from ansible_collections.podnet.calico.plugins.test.same_subnet import same_subnet
from ansible_collections.podnet.calico.plugins.test.selected_by import selected_by
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(deadline=None)
@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 32))
def test_in_a_pool_is_what_the_standard_library_calls_in_a_network(address, other, length):
    pool = ipaddress.ip_network((other, length), strict=False)
    assert in_pool(str(address), str(pool)) == in_block(str(address), {"cidr": str(pool)}) == (address in pool)


def test_of_several_one_is_enough_and_a_whole_block_must_lie_inside():
    assert in_pool("10.0.0.1", ["192.168.0.0/16", {"cidr": "10.0.0.0/8"}])
    assert not in_pool("10.0.0.1", [])
    assert in_pool("10.0.0.0/26", "10.0.0.0/16") and not in_pool("10.0.0.0/8", "10.0.0.0/16")


def test_near_is_what_the_nodes_own_mask_says():
    assert same_subnet("172.18.0.3/16", "172.18.9.4/24") and not same_subnet("172.18.0.3/24", "172.18.9.4/16")


def test_a_selector_of_calico_selects_labels():
    labels = {"rack": "a", "kubernetes.io/os": "linux"}
    assert selected_by(labels, "all()") and selected_by(labels, "rack in {'a'} && !has(edge)") and not selected_by({}, "has(rack)")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: in_pool(None, "10.0.0.0/8"), "podnet.calico.in_pool: wants an address or CIDR as text, got nothing"),
        (lambda: in_pool("10.0.0.1", None), "podnet.calico.in_pool: wants the pool as a CIDR or as a dictionary with cidr, got nothing"),
        (lambda: in_block("ten", "10.0.0.0/8"), "podnet.calico.in_block: 'ten' is neither an address nor a prefix"),
        (lambda: in_block("10.0.0.1", ["10.0.0.0/8", "10.0.0.0/99"]), "'10.0.0.0/99' has an impossible prefix length"),
        (lambda: same_subnet("172.18.0.3", "172.18.0.4"), "podnet.calico.same_subnet: wants the node's own address with its mask"),
        (lambda: same_subnet("172.18.0.3/16", None), "wants the other node's address as text, got nothing"),
        (lambda: same_subnet("172.18.0.3/xx", "172.18.0.4"), "'172.18.0.3/xx' is neither an address nor a prefix"),
        (lambda: selected_by("a=b", "all()"), "podnet.calico.selected_by: wants labels as a dictionary, got str"),
        (lambda: selected_by({}, "a=b"), "podnet.calico.selected_by: 'a=b' cannot be read as a selector of Calico"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(AnsibleFilterError) as caught:
        call()
    assert said in str(caught.value)
