# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forwarding as the kernel does it, and walks through real tables."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._fib import Fib, Network, RouteTable, likeness, walk
from ansible_collections.podnet.calico.plugins.module_utils._fib.table import by_table
from ansible_collections.podnet.calico.plugins.module_utils._iproute import route_text
from ansible_collections.podnet.calico.plugins.module_utils._model import NodeFacts, Route, Rule
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    changed_route,
    recording,
    with_facts,
    without_route,
)
from hypothesis import given
from hypothesis import strategies as st

MAIN = (
    Route("0.0.0.0/0", gateway="10.0.0.1", dev="eth0"),
    Route("10.1.0.0/16", gateway="10.0.0.2", dev="eth0"),
    Route("10.1.2.0/24", gateway="10.0.0.3", dev="eth0", metric=1024),
    Route("10.1.2.0/24", gateway="10.0.0.4", dev="eth0", metric=10),
    Route("10.1.2.3/32", "blackhole"),
)
RULES = (Rule(0, "from all", "lookup local"), Rule(32766, "from all", "lookup main"), Rule(32767, "from all", "lookup default"))


def decide(destination, routes=MAIN, rules=RULES, **packet):
    return Fib(NodeFacts(routes=routes, rules=rules)).decide(destination, **packet)


def test_the_longest_prefix_decides_and_then_the_lowest_metric():
    assert decide("10.1.9.9").route.gateway == "10.0.0.2"
    assert decide("10.1.2.9").route.gateway == "10.0.0.4"
    assert decide("10.1.2.3").route.type == "blackhole"
    assert decide("8.8.8.8").route.gateway == "10.0.0.1"
    assert decide("8.8.8.8", routes=MAIN[1:]).route is None


def test_a_rule_in_front_of_main_decides_first():
    table = MAIN + (Route("10.1.0.0/16", gateway="10.9.9.9", dev="eth1", table="100"),)
    assert decide("10.1.2.9", table, RULES + (Rule(5, "from all", "lookup 100"),)).route.gateway == "10.9.9.9"
    only_source = RULES + (Rule(5, "from 10.7.0.0/16", "lookup 100"),)
    assert decide("10.1.2.9", table, only_source, source="10.7.1.1").route.gateway == "10.9.9.9"
    assert decide("10.1.2.9", table, only_source, source="10.8.1.1").route.gateway == "10.0.0.4"
    assert decide("10.1.2.9", table, RULES + (Rule(5, "from all to 10.1.2.0/24", "unreachable"),)).route.type == "unreachable"


def test_the_decision_of_a_rule_reads_as_a_route():
    route = decide("10.1.2.9", rules=RULES + (Rule(5, "from all to 10.1.2.0/24", "unreachable"),)).route
    assert route_text(route) == "unreachable 10.1.2.9"


def test_throw_and_suppressed_prefixes_go_on_to_the_next_rule():
    table = MAIN + (Route("10.1.2.0/24", "throw", table="100"), Route("0.0.0.0/0", gateway="10.9.9.9", dev="eth1", table="100"))
    assert decide("10.1.2.9", table, RULES + (Rule(5, "from all", "lookup 100"),)).route.gateway == "10.0.0.4"
    suppressing = RULES + (Rule(5, "from all", "lookup 100 suppress_prefixlength 0"),)
    assert decide("8.8.8.8", table, suppressing).route.gateway == "10.0.0.1"


def test_a_mark_is_zero_and_what_cannot_be_told_is_unknown():
    wireguard = RULES + (Rule(99, "not from all fwmark 0x200000/0x200000", "unreachable"),)
    assert decide("10.1.2.9", rules=wireguard).route.type == "unreachable"
    assert decide("10.1.2.9", rules=RULES + (Rule(5, "from all uidrange 0-0", "lookup 100"),)).unknown


def test_dead_routes_do_not_decide():
    dead = (Route("10.1.2.0/24", dev="eth1", flags=("dead", "linkdown")),)
    assert decide("10.1.2.9", MAIN[:2] + dead).route.gateway == "10.0.0.2"


ADDRESSES = st.one_of(st.ip_addresses(v=4, network="10.0.0.0/24"), st.ip_addresses(v=6, network="fd00::/120"))


@given(st.lists(st.tuples(ADDRESSES, st.integers(0, 32), st.sampled_from((0, 10, 1024)))), ADDRESSES)
def test_a_table_finds_what_holds_an_address_longest_first(prefixes, address):
    routes = []
    for start, shorter, metric in prefixes:
        network = ipaddress.ip_network(f"{start}/{start.max_prefixlen - shorter}", strict=False)
        routes.append(Route(str(network), metric=metric))
    holding = [route for route in routes if address in ipaddress.ip_network(route.dst)]
    holding.sort(key=lambda route: (-int(route.dst.rpartition("/")[2]), route.metric))
    found = list(RouteTable(routes).matches(str(address)))
    assert [route for _length, those in found for route in those] == holding
    assert [length for length, _routes in found] == sorted({int(one.dst.rpartition("/")[2]) for one in holding}, reverse=True)


ROUTES = [
    Route(f"10.{block}.0.0/16", gateway=gateway, metric=metric) for block in range(9) for gateway, metric in ((None, 0), ("10.0.0.1", 9))
]


@given(st.lists(st.permutations(ROUTES).map(lambda routes: sorted(routes[:9], key=ROUTES.index)), min_size=2, max_size=5))
def test_a_table_told_by_another_answers_as_one_that_was_filed(nodes):
    tables = likeness.Tables()
    asked = [*dict.fromkeys(route.dst for route in ROUTES), "10.99.0.0/16"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "_FEWEST", 0)
        for routes in nodes:
            filed, told = by_table(routes)["main"], tables.of(routes)["main"]
            assert len(told) == len(filed) and set(told) == set(filed) and told.several == filed.several
            for dst in asked:
                assert told.to(dst) == filed.to(dst) and (dst in told) == (dst in filed)
                assert list(told.matches(dst[:-3])) == list(filed.matches(dst[:-3]))
            assert told.firsts(asked) == filed.firsts(asked) and told.lacks(frozenset(asked)) == filed.lacks(frozenset(asked))
            if told.like is not None:
                assert told.apart == {dst for dst in asked if told.like.to(dst) != filed.to(dst)}


# -- walks ------------------------------------------------------------------------------------------------------------


def pod(snapshot, name):
    return next(one for one in snapshot.pods if one.name == name)


def cross(snapshot):
    return walk(snapshot, pod(snapshot, "multitool"), pod(snapshot, "multitool-1-wnszh"))


def test_on_one_node_a_packet_arrives_with_63():
    path = walk(recording(), pod(recording(), "multitool"), pod(recording(), "multitool-1-knjt9"))
    assert (path.outcome, path.ttl, path.encapsulated) == ("delivered", 63, False)
    assert [hop.place for hop in path.hops] == ["default/multitool", "pod-routing-worker"]


def test_across_nodes_a_packet_arrives_with_62_by_the_route_of_the_owner():
    path = cross(recording())
    assert (path.outcome, path.ttl, path.encapsulated) == ("delivered", 62, False)
    assert path.hops[1].route.dst == "192.168.112.192/26"
    assert path.hops[1].route.gateway == "172.18.0.4"


@pytest.mark.parametrize("scenario", ["calico-v3.30.7/vxlan", "calico-v3.30.7/vxlancrosssubnet-two-subnets"])
def test_through_the_tunnel_a_packet_loses_no_more(scenario):
    snapshot = recording(scenario)
    source = next(one for one in snapshot.pods if one.node == "pod-routing-worker" and one.facts)
    target = next(one for one in snapshot.pods if one.node == "pod-routing-worker2" and one.facts)
    path = walk(snapshot, source, target)
    assert (path.outcome, path.ttl, path.encapsulated) == ("delivered", 62, True)


def test_a_wrong_but_living_gateway_is_a_detour_that_costs_one_hop():
    path = cross(changed_route(recording(), "pod-routing-worker", "192.168.112.192/26", gateway="172.18.0.2"))
    assert (path.outcome, path.ttl) == ("delivered", 61)


def test_two_nodes_that_point_at_each_other_are_a_loop():
    snapshot = changed_route(recording(), "pod-routing-worker", "192.168.112.192/26", gateway="172.18.0.2")
    snapshot = changed_route(snapshot, "pod-routing-control-plane", "192.168.112.192/26", gateway="172.18.0.3")
    assert "loop" in cross(snapshot).reason


def test_without_the_pods_route_its_blocks_blackhole_takes_the_packet():
    path = cross(without_route(recording(), "pod-routing-worker2", "192.168.112.197/32"))
    assert path.outcome == "lost"
    assert "blackhole 192.168.112.192/26" in path.reason


@pytest.mark.parametrize("evidence", ["neighbours", "fdb"])
def test_without_the_vteps_entries_a_tunnelled_packet_is_lost(evidence):
    snapshot = with_facts(recording("calico-v3.30.7/vxlan"), "pod-routing-worker", **{evidence: ()})
    source = next(one for one in snapshot.pods if one.node == "pod-routing-worker" and one.facts)
    target = next(one for one in snapshot.pods if one.node == "pod-routing-worker2" and one.facts)
    assert Network(snapshot).walk(source, target).outcome == "lost"


def test_a_table_that_was_not_seen_makes_the_path_unknown():
    snapshot = recording()
    nodes = tuple(node._replace(facts=None) if node.name == "pod-routing-worker2" else node for node in snapshot.nodes)
    assert cross(snapshot._replace(nodes=nodes)).outcome == "unknown"
