# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a pool is for: only they get a tunnel address of it, and only from a pool that may give one."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._node_selector import selects
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import NONE, VXLAN, WORKER, without_link
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import failed, recording, with_node

LABELS = {"rack": "a", "kubernetes.io/hostname": "node-1", "edge": ""}


@pytest.mark.parametrize(
    ("selector", "answer"),
    [
        ("", True),
        ("all()", True),
        ("!all()", False),
        ("rack == 'a'", True),
        ('rack == "b"', False),
        ("rack != 'b' && has(edge)", True),
        ("zone != 'b'", True),
        ("rack in {'b', 'a'}", True),
        ("rack not in {'b','a'}", False),
        ("zone not in { 'a' }", True),
        ("!has(kubernetes.io/hostname)", False),
        ("kubernetes.io/hostname starts with 'node-' && kubernetes.io/hostname ends with '1'", True),
        ("kubernetes.io/hostname contains 'ode'", True),
        ("zone contains ''", False),
        ("rack == 'b' || rack == 'a' && has(zone)", False),
        ("(rack == 'b' || rack == 'a') && !(has(zone))", True),
        ("rack = 'a'", None),
        ("rack == 'a' rack", None),
        ("(rack == 'a'", None),
        ("&& all()", None),
    ],
)
def test_a_selector_is_read_as_calico_reads_it(selector, answer):
    assert selects(selector, LABELS) is answer


def passed_over(snapshot, **pool):
    """The worker is not among those that the pool gives tunnel addresses to: it has no end of a tunnel, and no route by one."""
    snapshot = snapshot._replace(pools=tuple(one._replace(**pool) for one in snapshot.pools))
    bare = without_link(with_node(snapshot, WORKER, lambda node: node._replace(vxlan_tunnel_address=None)), WORKER, "vxlan.calico")
    blocks = tuple(
        block._replace(allocations=tuple(one for one in block.allocations if not (one.use and one.node == WORKER))) for block in bare.blocks
    )
    return bare._replace(blocks=blocks)


@pytest.mark.parametrize("pool", [{"node_selector": f"kubernetes.io/hostname != '{WORKER}'"}, {"allowed_uses": ("Workload",)}])
def test_a_node_to_which_no_pool_gives_a_tunnel_address_needs_none(pool):
    verdict = judge(passed_over(recording(VXLAN), **pool), checks=["vxlan.*"])
    told = {result.id: result.outcome for result in verdict.results if result.node == WORKER}
    assert {told[check] for check in ("vxlan.device", "vxlan.address", "vxlan.neighbours", "vxlan.fdb")} == {"skipped"}


def test_a_node_that_the_pool_selects_lacks_it():
    assert "vxlan.address" in failed(judge(passed_over(recording(VXLAN), node_selector="has(kubernetes.io/hostname)")))


def test_felix_programs_no_vxlan_route_where_the_node_has_no_end_of_its_own_and_need_not_have_one():
    verdict = judge(passed_over(recording(VXLAN), node_selector=f"kubernetes.io/hostname != '{WORKER}'"), checks=["blocks.remote-route"])
    assert WORKER not in {finding.node for finding in verdict.findings}


def test_pools_without_tunnels_need_no_selector():
    pools = tuple(pool._replace(node_selector="has(nosuch)") for pool in recording(NONE).pools)
    assert judge(recording(NONE)._replace(pools=pools)).findings == ()
