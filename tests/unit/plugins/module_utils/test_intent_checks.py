# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intent: the cluster must be the one that was asked for, before it may agree with itself."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Pool
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording, with_pod

POOL = {
    "name": "default-ipv4-ippool", "cidr": "192.168.0.0/16", "block_size": 26, "encapsulation": "VXLANCrossSubnet",
    "nat_outgoing": True, "node_selector": "all()",
}  # fmt: skip
INTENT = {
    "nodes": ["pod-routing-control-plane", {"name": "pod-routing-worker", "address": "172.18.0.3"}, "pod-routing-worker2"],
    "pools": [POOL],
    "bgp": "Enabled",
    "workloads": [
        {"kind": "DaemonSet", "namespace": "default", "name": "multitool-1", "per_node": 1},
        {"kind": "Pod", "namespace": "default", "name": "multitool"},
        {"kind": "Deployment", "namespace": "calico-system", "name": "calico-kube-controllers"},
    ],
    "routes": [
        {"node": "pod-routing-worker", "dst": "192.168.112.192/26", "via": "172.18.0.4", "dev": "eth0"},
        {"node": "pod-routing-worker", "dst": "default", "via": "172.18.0.1"},
        {"node": "pod-routing-worker", "dst": "10.0.0.0/8", "absent": True},
    ],
}


def findings(snapshot=None, **changes):
    verdict = judge(snapshot or recording(), intent=dict(INTENT, **changes), checks=["intent.*"])
    return [(finding.id, finding.message) for finding in verdict.findings]


def test_the_lab_as_it_was_asked_for_has_no_finding():
    assert findings() == []
    verdict = judge(recording(), intent=INTENT)
    assert not verdict.failed
    assert {r.outcome for r in verdict.results if r.id.startswith("intent.")} == {"passed"}


@pytest.mark.parametrize(
    ("changes", "check", "says"),
    [
        ({"nodes": ["pod-routing-worker"]}, "intent.nodes", "Node pod-routing-worker2: the node is present, asked for was absent"),
        ({"nodes": [*INTENT["nodes"], "pod-routing-worker3"]}, "intent.nodes", "the node is absent, asked for was present"),
        ({"pools": [dict(POOL, encapsulation="None")]}, "intent.pools", "encapsulation is VXLANCrossSubnet, asked for was None"),
        ({"pools": [dict(POOL, block_size="28")]}, "intent.pools", "block_size is 26, asked for was 28"),
        ({"pools": [dict(POOL, nat_outgoing="Disabled")]}, "intent.pools", "nat_outgoing is True, asked for was False"),
        ({"pools": [dict(POOL, cidr="10.0.0.0/16")]}, "intent.pools", "the pool is absent, asked for was present"),
        ({"bgp": "Disabled"}, "intent.bgp", "bgp is Enabled, asked for was Disabled"),
        ({"workloads": [{"name": "multitool-1", "per_node": 2}]}, "intent.workloads", "ready pods on pod-routing-worker is 1, asked for was 2"),
        ({"routes": [{"node": "pod-routing-worker", "dst": "10.0.0.0/8", "via": "172.18.0.1"}]}, "intent.routes", "there is «no route»"),
        ({"routes": [{"node": "pod-routing-worker", "dst": "default", "absent": True}]}, "intent.routes", "asked for was no route default"),
        ({"routes": [{"node": "nowhere", "dst": "default"}]}, "intent.routes", "names node nowhere, which the cluster has not"),
    ],
)  # fmt: skip
def test_what_differs_from_intent_is_failed(changes, check, says):
    found = findings(**changes)
    assert {one for one, _message in found} == {check}
    assert any(says in message for _one, message in found), found


def test_a_pool_that_nobody_asked_for_is_failed():
    extra = recording()._replace(pools=recording().pools + (Pool("extra", "10.99.0.0/24"),))
    assert findings(extra) == [("intent.pools", "IPPool extra: the pool is present, asked for was absent")]


def test_a_pod_that_is_not_ready_does_not_count():
    snapshot = with_pod(recording(), "multitool", lambda pod: pod._replace(ready=False))
    assert findings(snapshot) == [("intent.workloads", "Pod multitool: ready pods is 0, asked for was 1")]


def test_a_wrong_encapsulation_is_the_cause_of_what_follows_from_it():
    verdict = judge(recording("calico-v3.30.7/none"), intent={"pools": [POOL]})
    assert [finding.id for finding in verdict.findings if finding.cause is None] == ["intent.pools"]
    assert "encapsulation is None, asked for was VXLANCrossSubnet" in verdict.msg


def test_without_intent_its_checks_are_skipped():
    results = [r for r in judge(recording()).results if r.id.startswith("intent.")]
    assert {r.outcome for r in results} == {"skipped"}
