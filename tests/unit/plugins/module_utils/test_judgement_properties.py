# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for any cluster: a healthy one has no finding; one route less, or one altered, has one that names it."""

from __future__ import annotations

import json

from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import plans
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import with_facts
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@relaxed
@given(plans())
def test_a_healthy_cluster_has_no_finding(plan):
    verdict = judge(plan.snapshot())
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.summary["passed"] > 0
    assert not verdict.failed


def _inside(plan, node):
    """The node's routes that Calico answers for."""
    return [route for route in plan.routes(node) if route.dst.startswith("10.244.")]


def _names(verdict, node, dst):
    return [finding for finding in verdict.findings if finding.node == node and dst in (finding.subject.prefix, (finding.subject.ip or "") + "/32")]


@relaxed
@given(plans(), st.data())
def test_a_missing_route_is_a_finding_that_names_node_and_prefix(plan, data):
    node = data.draw(st.sampled_from(plan.nodes))
    route = data.draw(st.sampled_from(_inside(plan, node)))
    broken = with_facts(plan.snapshot(), node["name"], routes=lambda routes: tuple(r for r in routes if r != route))
    verdict = judge(broken)
    assert verdict.failed
    assert _names(verdict, node["name"], route.dst)


def _alterations(route):
    """The route as it must not be."""
    yield route._replace(dev="eth9")
    yield route._replace(type="blackhole" if route.type == "unicast" else "unreachable")
    yield route._replace(protocol="static")
    yield route._replace(metric=77)
    if route.type == "unicast":
        yield route._replace(type="unreachable", dev=None, gateway=None)
        yield route._replace(gateway="10.255.255.1")
    if route.gateway and route.dev != "eth0":
        yield route._replace(dev="eth0")


@relaxed
@given(plans(), st.data())
def test_an_altered_route_is_a_finding_that_names_node_and_prefix(plan, data):
    node = data.draw(st.sampled_from(plan.nodes))
    route = data.draw(st.sampled_from(_inside(plan, node)))
    altered = data.draw(st.sampled_from(list(_alterations(route))))
    # Behind a router any next hop may be right, and a blackhole has no device that could be wrong.
    through_router = route.protocol == "bird" and route.gateway is not None and route.gateway.endswith(".0.1")
    assume(not (through_router and (altered.dev, altered.gateway) != (route.dev, route.gateway) and altered.type == "unicast"))
    assume(not (route.type == "blackhole" and altered.dev == "eth9"))
    assume(altered != route)
    broken = with_facts(plan.snapshot(), node["name"], routes=lambda routes: tuple(altered if r == route else r for r in routes))
    verdict = judge(broken)
    assert verdict.failed
    assert _names(verdict, node["name"], route.dst)


@relaxed
@given(plans(), st.data())
def test_a_route_that_nobody_asked_for_inside_a_pool_is_a_finding(plan, data):
    node = data.draw(st.sampled_from(plan.nodes))
    other = data.draw(st.sampled_from(plan.nodes))
    foreign = plan.routes(node).__next__()._replace(dst=str(next(other["block"].subnets(prefixlen_diff=1))), gateway="172.18.0.9")
    broken = with_facts(plan.snapshot(), node["name"], routes=lambda routes: routes + (foreign,))
    assert "blocks.stray-route" in {finding.id for finding in _names(judge(broken), node["name"], foreign.dst)}


@relaxed
@given(plans())
def test_the_verdict_is_the_same_from_run_to_run_and_through_a_file(plan):
    snapshot = plan.snapshot()
    reader = _snapshot.Lines()
    items = [reader.line(json.loads(line)) for line in _snapshot.lines(snapshot)]
    again = _snapshot.assemble(item for item in items if item is not None)
    assert judge(again) == judge(snapshot)
