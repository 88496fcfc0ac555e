# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not walked would have ended as it is said to: with the shortcut and without it the verdict is the same."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _model as m
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._checks.tidy import Tidy
from ansible_collections.podnet.calico.plugins.module_utils._fib import Network
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import plans
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording, with_facts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CHECKS = ["paths.*"]


def walked(snapshot):
    """The verdict of walking every pair."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tidy, "sure", lambda *_: frozenset())
        return judge(snapshot, checks=CHECKS)


def _edit(field, change, which=lambda entry: True):
    """One entry of a node's table changed to what ``change`` makes of it: some entries, or none."""

    def edit(snapshot, node, data):
        entries = getattr(next(one for one in snapshot.nodes if one.name == node).facts, field)
        places = [place for place, entry in enumerate(entries) if which(entry)]
        if not places:
            return snapshot
        at = data.draw(st.sampled_from(places))
        return with_facts(snapshot, node, **{field: entries[:at] + change(entries[at]) + entries[at + 1 :]})

    return edit


def _in_pool(route):
    return route.dst.startswith("10.244.")


def _carries(link):
    return not link.name.startswith("cali")


def _add(field, entry):
    return lambda snapshot, node, data: with_facts(
        snapshot, node, **{field: lambda entries: (*entries, entry(lambda: _elsewhere(snapshot, node, data)))}
    )


def _elsewhere(snapshot, node, data):
    """The address of a pod on another node."""
    return data.draw(st.sampled_from([pod.address for pod in snapshot.pods if pod.node != node]))


def _pod_without_a_way_out(snapshot, _node, data):
    chosen = data.draw(st.sampled_from(snapshot.pods))
    lost = chosen._replace(facts=chosen.facts._replace(routes=chosen.facts.routes[1:]))
    return snapshot._replace(pods=tuple(lost if pod is chosen else pod for pod in snapshot.pods))


def _pod_with_anothers_address(snapshot, _node, data):
    one, other = data.draw(st.lists(st.sampled_from(snapshot.pods), min_size=2, max_size=2))
    double = one._replace(address=other.address, addresses=(other.address,), calico_address=other.address)
    return snapshot._replace(pods=tuple(double if pod is one else pod for pod in snapshot.pods))


def _node_with_anothers_address(snapshot, node, data):
    other = data.draw(st.sampled_from(snapshot.nodes))
    return snapshot._replace(
        nodes=tuple(one._replace(calico_address=other.calico_address) if one.name == node else one for one in snapshot.nodes)
    )


EDITS = {
    "route gone": _edit("routes", lambda route: (), _in_pool),
    "route doubled": _edit("routes", lambda route: (route._replace(gateway="172.18.0.9", metric=0), route), _in_pool),
    "route by another node": _edit("routes", lambda route: (route._replace(gateway="172.18.0.2"),), _in_pool),
    "route unreachable": _edit("routes", lambda route: (route._replace(type="unreachable"),), _in_pool),
    "route dead": _edit("routes", lambda route: (route._replace(flags=("dead", "linkdown")),), _in_pool),
    "route in another table": _edit("routes", lambda route: (route._replace(table="local"),), _in_pool),
    "route more specific": _add("routes", lambda pod: m.Route(pod() + "/32", gateway="172.18.0.9", dev="eth0")),
    "address taken": _add("routes", lambda pod: m.Route(pod() + "/32", "local", dev="lo", table="local")),
    "pool taken": _add("routes", lambda pod: m.Route("10.244.0.0/16", "local", dev="lo", table="local")),
    "rule in front": _add("rules", lambda pod: m.Rule(100, "from all", "unreachable")),
    "rule for some": _add("rules", lambda pod: m.Rule(100, "from %s" % pod(), "lookup 77")),
    "link down": _edit("links", lambda link: (link._replace(admin_up=False),)),
    "uplink or tunnel down": _edit("links", lambda link: (link._replace(admin_up=False),), _carries),
    "uplink or tunnel gone": _edit("links", lambda link: (), _carries),
    "neighbour gone": _edit("neighbours", lambda entry: ()),
    "neighbour of another": _edit("neighbours", lambda entry: (entry._replace(mac="66:00:00:00:00:01"),)),
    "fdb gone": _edit("fdb", lambda entry: ()),
    "fdb to another": _edit("fdb", lambda entry: (entry._replace(dst="172.18.0.2"),)),
    "no forwarding": lambda snapshot, node, data: with_facts(snapshot, node, sysctls={"net.ipv4.ip_forward": "0"}),
    "rules unseen": _add("unobserved", lambda pod: m.Unobserved("rules", "ip rule", "forbidden")),
    "fdb unseen": _add("unobserved", lambda pod: m.Unobserved("fdb", "ip neigh", "forbidden")),
    "pod without a way out": _pod_without_a_way_out,
    "pod with another's address": _pod_with_anothers_address,
    "node with another's address": _node_with_anothers_address,
}


#: With pods on two nodes at least: else nothing is walked between nodes.
PLANS = plans(least_nodes=2).filter(lambda plan: len({pod["node"]["name"] for pod in plan.pods}) > 1)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@pytest.mark.parametrize("edit", sorted(EDITS))
@few
@given(plan=PLANS, data=st.data())
def test_the_verdict_on_a_fault_is_that_of_walking_every_pair(edit, plan, data):
    snapshot = EDITS[edit](plan.snapshot(), data.draw(st.sampled_from(plan.nodes))["name"], data)
    assert judge(snapshot, checks=CHECKS) == walked(snapshot)


@few
@given(PLANS, st.lists(st.sampled_from(sorted(EDITS)), min_size=2, max_size=3), st.data())
def test_the_verdict_on_faults_together_is_that_of_walking_every_pair(plan, edits, data):
    snapshot = plan.snapshot()
    for edit in edits:
        snapshot = EDITS[edit](snapshot, data.draw(st.sampled_from(plan.nodes))["name"], data)
    assert judge(snapshot, checks=CHECKS) == walked(snapshot)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_on_a_real_cluster_at_rest_every_pair_is_known_without_a_walk_or_walked_alike(scenario):
    assert judge(recording(scenario), checks=CHECKS) == walked(recording(scenario))


def test_a_healthy_cluster_is_walked_within_its_nodes_alone(monkeypatch):
    walks, walk = [], Network.walk
    monkeypatch.setattr(Network, "walk", lambda *call: walks.append(call[1:]) or walk(*call))
    assert judge(recording(), checks=CHECKS).summary["passed"] == 3
    assert walks and all(source.node == target.node for source, target in walks)
