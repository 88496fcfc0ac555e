# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cuts off a whole node of twenty is one headline, with dozens of consequences; two such causes are two.

Clusters of BGP routes and of VXLAN; each fault leaves what the recordings of faults show (FINDINGS A6), on all nodes.
"""

from __future__ import annotations

import functools

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Route, Rule, Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import with_session
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    with_facts,
    with_node,
    without_route,
)

MODES = ("None", "VXLAN", "VXLANCrossSubnet")
NODES = [f"node-{number}" for number in range(20)]
HERE, THERE, ELSEWHERE = "node-3", "node-7", "node-12"
ADDRESS = {name: f"172.18.0.{number + 2}" for number, name in enumerate(NODES)}


@functools.lru_cache(maxsize=None)
def healthy(mode):
    """Twenty nodes of one subnet, two pods on each."""
    return Plan(mode, [0] * len(NODES), [2] * len(NODES), "v3.30.7", False, 26, 0).snapshot()


def block(snapshot, node):
    return next(one.cidr for one in snapshot.blocks if one.owner == node)


def by_bgp(snapshot):
    return snapshot.pools[0].vxlan_mode == "Never"


def session_lost(snapshot, node, other):
    """Both ends, where they can be read; and with it the routes that came by it."""
    read = {one.name for one in snapshot.nodes if one.facts is not None}
    for here, there in ((node, other), (other, node)):
        if here not in read:
            continue
        snapshot = with_session(snapshot, here, ADDRESS[there], "Connect")
        if by_bgp(snapshot):
            snapshot = without_route(snapshot, here, block(snapshot, there))
    return snapshot


def one_session_down(snapshot, node=HERE):
    return session_lost(snapshot, node, THERE)


def no_session_at_all(snapshot, node=HERE):
    return functools.reduce(lambda s, other: session_lost(s, node, other), [one for one in NODES if one != node], snapshot)


def bird_stopped(snapshot, node=HERE):
    """The node keeps its own routes; the others withdraw theirs within a second."""
    kept = next(one for one in snapshot.nodes if one.name == node).facts.routes
    snapshot = with_facts(no_session_at_all(snapshot, node), node, routes=lambda routes: kept)
    return with_facts(snapshot, node, bird=lambda bird: bird._replace(running=False, message="Connection refused", sessions=(), routes=()))


def uplink_down(snapshot, node=HERE):
    """The kernel drops the device's routes; BIRD has no next hop any more, and after the hold time no session."""
    snapshot = with_facts(
        no_session_at_all(snapshot, node), node,
        links=lambda links: tuple(one._replace(admin_up=False, carrier=False) if one.name == "eth0" else one for one in links),
        routes=lambda routes: tuple(route for route in routes if route.dev != "eth0" or route.table == "local"),
    )  # fmt: skip
    return snapshot


def uplink_just_down(snapshot, node=HERE):
    """Seconds later: the sessions still stand, and BIRD's routes have become unreachable (seen with BIRD 2)."""
    snapshot = with_facts(
        snapshot, node,
        links=lambda links: tuple(one._replace(admin_up=False, carrier=False) if one.name == "eth0" else one for one in links),
        routes=lambda routes: tuple(
            Route(route.dst, "unreachable", protocol="bird") if route.protocol == "bird" and route.gateway else route
            for route in routes
            if route.dev != "eth0" or route.protocol == "bird" or route.table == "local"
        ),
    )  # fmt: skip
    return snapshot


def not_ready(snapshot, node=HERE):
    """The machine is gone: its kubelet is silent, nothing can be read there, nobody peers with it."""
    snapshot = no_session_at_all(snapshot, node)
    snapshot = with_node(
        snapshot, node, lambda one: one._replace(ready=False, not_ready_reason="NodeStatusUnknown", calico_node_ready=False, facts=None)
    )
    pods = tuple(pod._replace(ready=False, facts=None) if pod.node == node else pod for pod in snapshot.pods)
    return snapshot._replace(pods=pods)


def no_way_to_its_subnet(snapshot, node=HERE):
    return without_route(snapshot, node, "172.18.0.0/16")


def no_default_route(snapshot, node=HERE):
    return without_route(snapshot, node, "0.0.0.0/0")


def rule_in_front(snapshot, node=HERE):
    table = Route("10.244.0.0/16", gateway="172.18.0.1", dev="eth0", table="100")
    return with_facts(
        snapshot, node, routes=lambda routes: routes + (table,), rules=lambda rules: rules + (Rule(100, "from all", "lookup 100"),)
    )


def forwarding_off(snapshot, node=HERE):
    return with_facts(snapshot, node, sysctls=lambda old: {name: "0" if "forward" in name else value for name, value in old.items()})


def address_wrong(snapshot, node=HERE):
    return with_node(snapshot, node, lambda one: one._replace(calico_address="172.18.255.254/16"))


def address_just_wrong(snapshot, node=HERE):
    """A second later: the others' sessions to its true address are closed, those to the wrong one not made yet."""
    others = [one for one in NODES if one != node]
    snapshot = functools.reduce(lambda s, other: with_session(s, other, ADDRESS[node], "Active"), others, snapshot)
    return address_wrong(snapshot, node)


# the fault · its headline · how many consequences it has at least where BIRD makes the routes, and where Felix does
CAUSES = [
    (one_session_down, "bgp.sessions", 3, 1),
    (no_session_at_all, "bgp.sessions", 75, 37),
    (bird_stopped, "bgp.running", 38, 19),
    (uplink_down, "nodes.uplink", 75, 37),
    (uplink_just_down, "nodes.uplink", 19, 0),
    (not_ready, "nodes.ready", 50, 30),
    (no_way_to_its_subnet, "nodes.uplink", 0, 0),
    (no_default_route, "host.gateway-route", 0, 0),
    (rule_in_front, "blocks.policy-rule", 19, 19),
    (forwarding_off, "sysctls.forwarding", 19, 19),
    (address_wrong, "nodes.address", 19, 19),
    (address_just_wrong, "nodes.address", 38, 38),
]  # fmt: skip


def headlines(verdict):
    return [finding for finding in verdict.findings if finding.cause is None]


@pytest.mark.parametrize("mode", MODES)
def test_twenty_healthy_nodes_have_no_finding(mode):
    assert judge(healthy(mode)).findings == ()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("fault", "check", "by_bird", "by_felix"), CAUSES)
def test_what_happens_to_one_node_is_one_headline(mode, fault, check, by_bird, by_felix):
    (cause,) = headlines(judge(fault(healthy(mode))))
    assert (cause.id, cause.node, cause.outcome) == (check, HERE, "failed")
    assert len(cause.consequences) >= (by_bird if mode == "None" else by_felix)


@pytest.mark.parametrize("mode", ["None", "VXLAN"])
@pytest.mark.parametrize("fault", [bird_stopped, uplink_down, not_ready, rule_in_front, forwarding_off, address_wrong])
def test_of_two_nodes_each_has_its_own_headline(mode, fault):
    found = headlines(judge(fault(fault(healthy(mode), HERE), ELSEWHERE)))
    assert sorted(finding.node for finding in found) == sorted([HERE, ELSEWHERE])


@pytest.mark.parametrize("fault", [one_session_down, bird_stopped, uplink_down, not_ready])
def test_a_route_that_is_lost_between_two_others_is_not_explained_by_a_third(fault):
    snapshot = healthy("None")
    found = headlines(judge(without_route(fault(snapshot), "node-1", block(snapshot, "node-2"))))
    assert [finding.node for finding in found if finding.id == "blocks.remote-route"] == ["node-1"]
    assert len(found) == 2


def test_a_route_that_leads_elsewhere_does_not_follow_from_a_session_or_an_uplink():
    snapshot = healthy("None")

    def detour(routes):
        wrong = Route(block(snapshot, HERE), gateway=ADDRESS[ELSEWHERE], dev="eth0", protocol="static")
        return tuple(route for route in routes if route.dst != wrong.dst) + (wrong,)

    for fault in (no_session_at_all, uplink_down):
        found = headlines(judge(with_facts(fault(snapshot), "node-1", routes=detour)))
        assert {(finding.id, finding.node) for finding in found} > {("blocks.remote-route", "node-1")}


def test_a_session_to_a_node_that_lives_and_was_only_not_read_is_a_headline_of_its_own():
    snapshot = one_session_down(healthy("None"))
    refused = Unobserved("bird", "birdcl", "exec refused")
    found = headlines(judge(with_facts(snapshot, THERE, bird=lambda bird: None, unobserved=(refused,))))
    assert {(finding.id, finding.outcome) for finding in found} == {("nodes.observed", "inconclusive"), ("bgp.sessions", "failed")}


def test_a_kubelet_that_is_silent_on_a_node_that_answers_explains_no_lost_session():
    snapshot = one_session_down(healthy("None"))
    silent = with_node(snapshot, HERE, lambda node: node._replace(ready=False, not_ready_reason="NodeStatusUnknown"))
    assert {finding.id for finding in headlines(judge(silent))} == {"nodes.ready", "bgp.sessions"}
