# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""--diff: what was observed against what is expected, node by node, and nothing of what is right."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._model import Route, Unobserved
from ansible_collections.podnet.calico.plugins.module_utils._route_diff import LINES, NODES, RouteDiff
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import (
    BLOCK,
    BLOCK2,
    DEVICE,
    WORKER,
    with_route,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    SCENARIOS,
    changed_route,
    recording,
    with_facts,
    without_route,
)

RIGHT = f"{BLOCK2} via 172.18.0.4 dev eth0 proto 80 onlink"
POD_ROUTE = f"192.168.93.194 dev {DEVICE} scope link"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_of_a_recorded_cluster_that_is_healthy_nothing_differs(scenario):
    assert RouteDiff(recording(scenario)).for_ansible() == []
    (line,) = RouteDiff(recording(scenario)).for_screen()
    assert line == "Routes       inside the pools, those observed and those expected are the same on 3 nodes"


# the fault · observed · expected
DIFFERENCES = [
    (lambda s: without_route(s, WORKER, BLOCK2), "", RIGHT + "\n"),
    (lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2"), RIGHT.replace(".4 ", ".2 ") + "\n", RIGHT + "\n"),
    (lambda s: without_route(s, WORKER, BLOCK), "", f"blackhole {BLOCK} proto 80\n"),
    (lambda s: without_route(s, WORKER, "192.168.93.194/32"), "", POD_ROUTE + "\n"),
    (lambda s: with_route(s, WORKER, Route("192.168.93.194/32", dev=DEVICE, scope="link", protocol="static", metric=77)),
     f"192.168.93.194 dev {DEVICE} proto static scope link metric 77\n", ""),
    (lambda s: with_route(s, WORKER, Route("192.168.112.192/27", gateway="172.18.0.1", dev="eth0")),
     "192.168.112.192/27 via 172.18.0.1 dev eth0\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "observed", "expected"), DIFFERENCES)
def test_only_what_differs_is_shown_on_its_node(fault, observed, expected):
    assert RouteDiff(fault(recording())).for_ansible() == [
        {
            "before_header": f"{WORKER}: observed routes",
            "after_header": f"{WORKER}: expected routes",
            "before": observed,
            "after": expected,
        }
    ]


def test_on_the_screen_a_route_stands_above_the_one_that_is_expected():
    wrong = changed_route(changed_route(recording(), WORKER, BLOCK2, gateway="172.18.0.2"), WORKER, BLOCK, protocol="static")
    assert RouteDiff(wrong).for_screen() == [
        f"Routes       {WORKER}: - observed, + expected",
        f"               - blackhole {BLOCK} proto static",
        f"               + blackhole {BLOCK} proto 80",
        f"               - {RIGHT.replace('.4 ', '.2 ')}",
        f"               + {RIGHT}",
    ]


def test_of_many_routes_some_are_shown_and_the_others_counted():
    routes = tuple(Route(f"192.168.112.{number}/32", gateway="172.18.0.1", dev="eth0") for number in range(LINES + 7))
    snapshot = with_facts(recording(), WORKER, routes=lambda old: old + routes)
    (shown,) = RouteDiff(snapshot).for_ansible()
    assert shown["before"].splitlines()[LINES:] == ["… and 7 lines more"]
    assert RouteDiff(snapshot).for_screen()[LINES + 1 :] == [" " * 15 + "… and 7 lines more"]


def test_of_many_nodes_some_are_shown_and_the_others_counted():
    snapshot = Plan("None", [0] * (NODES + 3), [0] * (NODES + 3), "v3.30.7", False, 26, 0).snapshot()
    for node in snapshot.nodes:
        snapshot = with_route(snapshot, node.name, Route("10.244.99.0/24", gateway="172.18.0.77", dev="eth0"))
    shown = RouteDiff(snapshot).for_ansible()
    assert len(shown) == NODES + 1 and shown[-1] == {"prepared": "… and the routes of 3 more nodes\n"}
    assert RouteDiff(snapshot).for_screen()[-1].strip() == "… and the routes of 3 more nodes"


def test_what_a_cluster_calls_its_devices_does_not_command_a_terminal():
    snapshot = with_route(recording(), WORKER, Route("192.168.112.192/27", gateway="172.18.0.1", dev="e\x1b[2Jth\n0"))
    text = "".join(RouteDiff(snapshot).for_screen()) + RouteDiff(snapshot).for_ansible()[0]["before"]
    assert "\\x1b[2Jth" in text and "\x1b" not in text
    assert len(RouteDiff(snapshot).for_ansible()[0]["before"].splitlines()) == 1


def test_where_it_is_not_known_what_is_expected_nothing_is_shown():
    snapshot = without_route(recording(), WORKER, BLOCK2)
    gap = Unobserved("ipamblocks", "kubectl get ipamblocks", "forbidden")
    unread = RouteDiff(snapshot._replace(header=snapshot.header._replace(unobserved=(gap,))))
    assert unread.for_ansible() == []
    assert unread.for_screen() == ["Routes       not compared: of no node both the observed and the expected ones are known"]
    for told in ({"route_source": "WorkloadIPs"}, {"ipam_type": "HostLocal"}, {"route_sync_disabled": True}):
        settings = snapshot.header.settings._replace(**told)
        assert RouteDiff(snapshot._replace(header=snapshot.header._replace(settings=settings))).for_ansible() == []
    without = RouteDiff(with_facts(snapshot, WORKER, unobserved=(Unobserved("routes", "ip route", "refused"),)))
    assert without.for_ansible() == []
    assert without.for_screen()[0].endswith("are the same on 2 nodes")
