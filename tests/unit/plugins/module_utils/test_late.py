# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deadline passes: one headline says so, and all that was not read for it follows from that."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._merge import merge
from ansible_collections.podnet.calico.plugins.module_utils._model import Probe, Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import FakeCluster
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    LAB,
    recording,
    with_facts,
    with_pod,
    without_route,
)

CONTROL, WORKER, WORKER2 = "pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2"
FIRST = "the deadline of 3 s passed first"
LIST = "the deadline of 3 s passed before the list was read"
CUT = "exec in calico-system/calico-node-x did not end before the deadline of 3 s passed"
NODE_PARTS = ("links", "addresses", "routes", "rules", "neighbours", "fdb", "sysctls", "bird", "bird.routes", "masquerade")


def unread(*whats, reason=FIRST):
    """So many gaps for one reason."""
    return tuple(Unobserved(what, "ip " + what, reason) for what in whats)


def late_node(snapshot, node, reason=FIRST):
    """Nothing was read on it."""
    return with_facts(snapshot, node, links=(), addresses=(), routes=(), rules=(), unobserved=unread(*NODE_PARTS, reason=reason))


def late_pod(snapshot, node):
    """The first pod of a node was not asked in time."""
    name = next(pod.name for pod in snapshot.pods if pod.node == node and pod.facts)
    gaps = unread("links", "addresses", "routes", "neighbours")
    return with_pod(snapshot, name, lambda pod: pod._replace(facts=pod.facts._replace(unobserved=gaps)))


def without_list(snapshot, what, reason=LIST):
    """A list that was not read, or what ``changes`` stands for."""
    more = unread(what, reason=reason)
    return snapshot._replace(header=snapshot.header._replace(unobserved=snapshot.header.unobserved + more))


def not_looked_again(snapshot):
    """The second look did not come."""
    return without_list(snapshot, "changes", "nodes could not be listed again: " + LIST)


def pinged(snapshot):
    """A probe of which nothing was sent in time."""
    a, b = sorted((pod for pod in snapshot.pods if pod.facts), key=lambda pod: pod.node)[::2][:2]
    probe = Probe(f"{a.namespace}/{a.name}", f"{b.namespace}/{b.name}", a.address, b.address, a.node, b.node, 0, unobserved=unread("ping"))
    return snapshot._replace(probes=(probe,))


def headlines(verdict):
    """What a person reads."""
    return [finding for finding in verdict.findings if finding.cause is None]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (not_looked_again, "what changed meanwhile"),
        (lambda s: not_looked_again(late_node(s, WORKER)), "1 of 3 nodes, what changed meanwhile"),
        (lambda s: not_looked_again(late_node(late_node(s, WORKER), WORKER2, CUT)), "2 of 3 nodes, what changed meanwhile"),
        (lambda s: not_looked_again(late_pod(s, WORKER)), "1 of 16 pods, what changed meanwhile"),
        (lambda s: without_list(without_list(s, "ipamblocks"), "blockaffinities"), "blockaffinities, ipamblocks"),
        (lambda s: without_list(s, "ippools", "The deadline of 3 s passed before /apis/x was read"), "ippools"),
        (pinged, "1 of 1 probes"),
    ],
    ids=["changes", "node", "nodes", "pod", "lists", "request", "probe"],
)
def test_it_is_one_headline_whatever_was_not_read_for_it(change, says):
    snapshot = recording(LAB)
    assert judge(snapshot).findings == ()
    verdict = judge(change(snapshot))
    (headline,) = headlines(verdict)
    assert headline.actual == "the deadline of 3 s passed before all was read; not read: " + says.replace("of 16", "of %d" % len(snapshot.pods))
    assert (headline.id, headline.outcome, headline.subject.kind) == ("api.observed", "inconclusive", "Deadline")
    assert "pod_routing_deadline" in headline.remedy and headline.consequences
    assert verdict.failed and verdict.summary["failed"] == 0
    assert all(finding.cause == headline.key for finding in verdict.findings if finding is not headline)


def test_it_explains_no_fault_that_was_seen():
    snapshot = not_looked_again(without_route(late_node(recording(), WORKER), CONTROL, "192.168.112.192/26"))
    found = {(finding.id, finding.node, finding.outcome) for finding in headlines(judge(snapshot))}
    assert found == {("api.observed", None, "inconclusive"), ("blocks.remote-route", CONTROL, "failed")}


def test_what_took_longer_than_a_command_may_is_another_cause():
    snapshot = late_node(late_node(recording(), WORKER), WORKER2, "exec in x/y did not end within 15 s")
    assert {(finding.id, finding.node) for finding in headlines(judge(snapshot))} == {("api.observed", None), ("nodes.observed", WORKER2)}


def test_it_is_said_of_the_shards_that_were_late(tmp_path):
    one, two = not_looked_again(late_node(recording(), WORKER)), recording()
    _snapshot.write(str(tmp_path / "one.jsonl"), one)
    merged = merge([_snapshot.read(str(tmp_path / "one.jsonl")), two]).snapshot
    (headline,) = headlines(judge(merged))
    assert headline.actual.endswith("not read: what changed meanwhile")


def test_a_collection_that_the_deadline_ends_says_so_once(monkeypatch):
    cluster = FakeCluster()
    cluster.limits = cluster.limits._replace(concurrency=1)
    asked = cluster.exec

    def last(*args, **options):
        cluster.deadline._end = 0  # the clock runs out while the first node is asked
        return asked(*args, **options)

    monkeypatch.setattr(cluster, "exec", last)
    said = [finding for finding in headlines(judge(collect(cluster, EVIDENCE))) if "deadline" in finding.message]
    assert [finding.subject.kind for finding in said] == ["Deadline"]
    assert said[0].actual.endswith("of 2 nodes, 3 of 5 pods, what changed meanwhile")
