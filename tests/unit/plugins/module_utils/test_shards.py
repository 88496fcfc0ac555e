# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is collected in shards gets the verdict of one collection, byte for byte."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot, _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._cut import key_of, refusal, shard_of
from ansible_collections.podnet.calico.plugins.module_utils._merge import merge
from ansible_collections.podnet.calico.plugins.module_utils._model import Changed, Route, Shard, Unobserved
from ansible_collections.podnet.calico.plugins.module_utils._selection import Selectors
from ansible_collections.podnet.calico.plugins.module_utils._shards import Expected, File, whole
from ansible_collections.podnet.calico.plugins.module_utils._snapshot import SnapshotError
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import FakeCluster
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import with_route
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    SCENARIOS,
    recording,
    with_facts,
    with_pod,
    without_route,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.shards import (
    COLLECTION,
    CONTROL,
    NODES,
    WORKER,
    WORKER2,
    changed_by,
    cluster,
    cut,
    headed,
    names,
    shard,
    timed,
    together,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def spoiled(snapshot, draw):
    """The snapshot with some of its nodes' routes lost, a foreign one added, evidence missing, or something that changed."""
    for node in snapshot.nodes:
        if node.facts is None or not node.facts.routes:
            continue
        kind = draw(st.sampled_from(["none", "lost", "foreign", "unread", "changed"]))
        if kind == "lost":
            lost = draw(st.sampled_from(node.facts.routes))
            snapshot = with_facts(snapshot, node.name, routes=lambda routes, lost=lost: tuple(one for one in routes if one != lost))
        elif kind == "foreign":
            snapshot = with_route(snapshot, node.name, Route("192.168.77.0/24", gateway="172.18.0.1", dev="eth0"))
        elif kind == "unread":
            gap = Unobserved("routes", "ip route", "exec did not end within 15 s")
            snapshot = with_facts(snapshot, node.name, routes=(), unobserved=lambda old, gap=gap: old + (gap,))
        elif kind == "changed":
            change = Changed("Pod", "default", "gone", (node.name,), ("192.168.77.9/32",))
            changed = tuple(sorted(set(snapshot.header.changed) | {change}, key=lambda one: one.nodes))
            snapshot = snapshot._replace(header=snapshot.header._replace(changed=changed))
    return snapshot


def written(snapshot, path):
    """The bytes of the snapshot's file, and of its verdict's."""
    _snapshot.write(str(path / "s.jsonl"), snapshot)
    _verdict_file.write(str(path / "v.json"), judge(snapshot), "s.jsonl")
    return (path / "s.jsonl").read_bytes(), (path / "v.json").read_bytes()


def stored(shards, path):
    """Their files, written and read again."""
    for name, one in shards.items():
        _snapshot.write(str(path / f"{name}.jsonl"), one)
    return [File(name, f"{name}.jsonl", _snapshot.read(str(path / f"{name}.jsonl"))) for name in shards]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), scenario=st.sampled_from(SCENARIOS), number=st.integers(1, 7))
def test_shards_in_any_order_give_the_files_of_the_whole_byte_for_byte(tmp_path_factory, data, scenario, number):
    path = tmp_path_factory.mktemp("files")
    one = spoiled(timed(recording(scenario)), data.draw)
    shuffled = data.draw(st.permutations(stored(cut(one, number), path)))
    assert written(whole(shuffled, Expected(names(number), COLLECTION)), path) == written(one, path)


def test_the_cut_does_not_hang_on_the_process_or_the_order_of_the_names():
    assert [shard_of(node, names(4)) for node in NODES] == ["shard-3", "shard-2", "shard-1"]


@settings(deadline=None)
@given(st.sets(st.text("abcdef0123456789-", min_size=1, max_size=12), min_size=1), st.integers(1, 7))
def test_each_node_is_of_one_shard_and_no_shard_of_many_goes_without(nodes, number):
    many = nodes | {f"node-{one}" for one in range(200)}
    owners = {node: shard_of(node, names(number)) for node in many}
    assert set(owners.values()) == set(names(number))


# -- selectors ------------------------------------------------------------------------------------------------------------


def by_selector(chosen):
    """Shards that each name their nodes: name → nodes."""
    of = tuple(sorted(chosen))
    shards = {}
    for name, nodes in chosen.items():
        one = shard(cluster(), name, of)
        facts = {node.name: node for node in cluster().nodes}
        pods = tuple(pod if pod.node in nodes else mine for pod, mine in zip(cluster().pods, nobodys(one.pods)))
        own = tuple(facts[node.name] if node.name in nodes else other for node, other in zip(one.nodes, nobodys(one.nodes)))
        shards[name] = headed(one._replace(nodes=own, pods=pods), shard=one.header.shard._replace(node_selector=f"zone={name}"))
    return together(shards, names=of)


def nobodys(items):
    return [one._replace(facts=None, skipped="of another shard") if one.skipped is None else one for one in items]


def test_selectors_that_divide_the_nodes_give_the_whole():
    assert by_selector({"a": (CONTROL,), "b": (WORKER, WORKER2)}) == cluster()


def test_nodes_that_no_selector_selects_are_inconclusive():
    snapshot = by_selector({"a": (CONTROL,), "b": (WORKER,)})
    verdict = judge(snapshot)
    (headline,) = [one for one in verdict.findings if one.cause is None]
    assert headline.message == f"shard (none) is nobody's: no shard looked into {WORKER2}"
    assert "podnet_shard_node_selector" in headline.remedy and verdict.failed and headline.consequences


def test_a_node_that_two_selectors_select_is_inconclusive():
    snapshot = by_selector({"a": (CONTROL, WORKER), "b": (WORKER, WORKER2)})
    (only,) = judge(snapshot).findings
    assert only.message == f"shard a is overlapping: node {WORKER} is looked into by a and b"


# -- what changed between the shards ------------------------------------------------------------------------------------------


def later(shards, name, change):
    """The shards, of which ``name`` was collected a minute after the others, when ``change`` had happened to the cluster."""
    return {**shards, name: headed(change(shards[name]), collected_at="2030-01-01T02:01:00Z")}


def a_pod_of(node):
    return next(pod for pod in cluster().pods if pod.node == node and pod.skipped is None)


def test_a_pod_that_came_between_two_shards_is_in_doubt_and_no_fault():
    pod = a_pod_of(WORKER)
    before = cluster()._replace(pods=tuple(one for one in cluster().pods if one != pod))
    before = without_route(before, WORKER, pod.address + "/32")
    shards = {**cut(cluster(), 4), "shard-2": cut(before, 4)["shard-2"]}
    verdict = judge(together(later(shards, "shard-1", lambda one: one)))
    assert verdict.summary["failed"] == 0 and verdict.failed
    assert {one.id for one in verdict.findings if one.cause is None} == {"api.observed"}
    assert any(pod.name in one.actual for one in verdict.findings)


def test_a_pod_that_went_between_two_shards_is_in_doubt_and_no_fault():
    pod = a_pod_of(WORKER)

    def gone(one):
        return one._replace(pods=tuple(entry for entry in one.pods if entry.name != pod.name))

    verdict = judge(together(later(cut(cluster(), 4), "shard-1", gone)))
    assert verdict.summary["failed"] == 0 and verdict.failed
    assert {one.id for one in verdict.findings if one.cause is None} == {"api.observed"}


def test_what_changed_on_nodes_that_the_earlier_shard_did_not_look_into_is_no_doubt():
    pod = a_pod_of(WORKER2)
    assert shard_of(WORKER2, names(4)) == "shard-1"
    before = with_pod(cluster(), pod.name, lambda one: one._replace(container_id="earlier"))
    shards = {**cut(before, 4), "shard-1": headed(cut(cluster(), 4)["shard-1"], collected_at="2030-01-01T02:01:00Z")}
    snapshot = together(shards)
    assert snapshot.header.changed == () and snapshot.header.collected_at == "2030-01-01T02:01:00Z"
    assert judge(snapshot).summary["inconclusive"] == 0


def test_what_moves_by_itself_is_no_change():
    shards = later(cut(cluster(), 4), "shard-3", lambda one: with_pod(one, a_pod_of(WORKER).name, lambda pod: pod._replace(ready=False)))
    assert together(shards).header.changed == ()


def test_a_list_that_one_shard_could_not_read_is_a_gap_and_not_a_change():
    gap = Unobserved("pods", "kubectl get pods", "forbidden")
    snapshot = together(changed_by(lambda one: headed(one._replace(pods=()), unobserved=(gap,), collected_at="2030-01-01T01:59:00Z")))
    assert gap in snapshot.header.unobserved and snapshot.header.changed == ()


# -- as they are collected ----------------------------------------------------------------------------------------------------


def collected(cluster, name=None, evidence=EVIDENCE, selector=None, **selected):
    """One shard of three, or all at once."""
    part = Shard(name, names(3), COLLECTION, selector) if name else None
    cluster.start_clock()
    return timed(collect(cluster, evidence, Selectors(shard=part, **selected)))


@pytest.mark.parametrize("evidence", [EVIDENCE, ("api", "nodes"), ("api", "pods"), ("api",)])
def test_shards_that_are_collected_are_the_cluster_that_is_collected_at_once(evidence):
    one = FakeCluster()
    shards = [File(name, name, collected(one, name, evidence)) for name in names(3)]
    assert whole(shards, Expected(names(3))) == collected(one, evidence=evidence)


def test_each_shard_asks_its_own_nodes_and_the_pods_on_them():
    asked = []
    for name in names(3):
        one = FakeCluster()
        collected(one, name)
        asked.append({pod for _namespace, pod, _container, _attempts in one.execs})
    assert [shard_of(node, names(3)) for node in ("one", "two")] == ["shard-1", "shard-2"]
    assert asked == [{"calico-node-one", "a", "c"}, {"calico-node-two", "b"}, set()]


def test_a_shard_may_have_a_selector_of_its_own():
    one = FakeCluster()
    for number, entry in enumerate(one.lists["/api/v1/nodes"], 1):
        entry["metadata"]["labels"] = {"zone": str(number)}
    shards = [File(name, name, collected(one, name, selector="zone=" + name[-1])) for name in names(3)]
    assert [{node.name for node in file.snapshot.nodes if node.facts} for file in shards] == [{"one"}, {"two"}, set()]
    assert whole(shards, Expected(names(3))) == collected(one)


def test_a_selector_that_holds_for_all_shards_leaves_out_the_same_as_at_once():
    one = FakeCluster()
    one.lists["/api/v1/nodes"][0]["metadata"]["labels"] = {"zone": "1"}
    shards = [File(name, name, collected(one, name, nodes="zone=1")) for name in names(3)]
    assert whole(shards, Expected(names(3))) == collected(one, nodes="zone=1")


# -- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "says"), [
    (["a", "a"], "named twice"), (["a-b", "a_b"], "published as a-b would be"), (["../a"], "is no name"), ([""], "is no name"),
    (["a" * 64], "63 at most"), ([None], "is no name"), (["a\n"], "is no name"),
])  # fmt: skip
def test_names_that_cannot_be_told_apart_or_be_files_are_refused(given, says):
    assert says in refusal(given)
    assert refusal(["shard-1", "zone.a", "x"]) is None and key_of("shard-1.a") == "podnet_shard_shard_1_a"


# -- without shards, as ever ------------------------------------------------------------------------------------------------


def test_snapshots_by_node_selector_make_the_whole():
    expected = recording()
    shards = [
        expected._replace(nodes=tuple(node if node == kept else node._replace(facts=None, skipped="not selected") for node in expected.nodes))
        for kept in expected.nodes
    ]
    assert merge(shards).snapshot == expected
    assert judge(merge(shards).snapshot) == judge(expected)


def test_snapshots_of_two_clusters_are_refused():
    other = recording()._replace(header=recording().header._replace(cluster_id="another"))
    with pytest.raises(SnapshotError, match="cluster id"):
        whole([File("a", "a", recording()), File("b", "b", other)])
