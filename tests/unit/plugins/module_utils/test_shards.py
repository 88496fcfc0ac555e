# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is collected in shards gets the verdict of one collection, byte for byte; what is not whole is told by its name."""

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
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.shards import COLLECTION, cut, files, names, shard, together
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NODES = ("pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2")
CONTROL, WORKER, WORKER2 = NODES
BLOCK = "192.168.112.192/26"


def timed(snapshot, seconds=0):
    """A recording has no time of its own that all shards could have."""
    return snapshot._replace(header=snapshot.header._replace(collected_at="2030-01-01T02:%02d:%02dZ" % divmod(seconds, 60)))


def cluster():
    return timed(recording())


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


# -- what is not whole is told by its name ------------------------------------------------------------------------------


def told(snapshot):
    """What the shards' check says: shard, and the words before the colon."""
    return {(one.subject.name, one.actual.partition(":")[0]) for one in judge(snapshot).findings if one.id == "shards.whole"}


def without(shards, *gone):
    return {name: one for name, one in shards.items() if name not in gone}


def headed(snapshot, **fields):
    return snapshot._replace(header=snapshot.header._replace(**fields))


def doubled():
    shards = cut(cluster(), 4)
    return [*files(shards), File("shard-2", "/other/shard-2.jsonl.gz", shards["shard-2"])]


def damaged():
    return [*files(without(cut(cluster(), 4), "shard-2")), File("shard-2", "/shards/shard-2.jsonl.gz", None, "damaged: not JSON")]


def changed_by(change):
    shards = cut(cluster(), 4)
    return {**shards, "shard-2": change(shards["shard-2"])}


UNWHOLE = {
    "missing": lambda: without(cut(cluster(), 4), "shard-2"),
    "there twice": doubled,
    "damaged": damaged,
    "late": lambda: changed_by(lambda one: headed(one, collected_at="2029-12-31T23:00:00Z")),
    "of another cluster": lambda: changed_by(lambda one: headed(one, cluster_id="another")),
    "of another collection": lambda: {**cut(cluster(), 4), "shard-2": shard(cluster(), "shard-2", names(4), "40")},
    "cut otherwise": lambda: {**cut(cluster(), 4), "shard-2": shard(cluster(), "shard-2", names(5))},
    "collected otherwise": lambda: changed_by(lambda one: headed(one, evidence=("api", "nodes"))),
}


@pytest.mark.parametrize("word", UNWHOLE)
def test_a_shard_that_is_not_once_whole_and_of_this_collection_is_inconclusive_by_its_name(word):
    snapshot = together(UNWHOLE[word](), collection=COLLECTION)
    assert told(snapshot) == {("shard-2", word)}
    verdict = judge(snapshot)
    (headline,) = [one for one in verdict.findings if one.cause is None]
    assert verdict.failed and verdict.summary["failed"] == 0 and headline.outcome == "inconclusive"
    assert headline.message.startswith("shard shard-2 is " + word) and headline.remedy
    # Nothing of its node passed, and the others were judged.
    assert shard_of(WORKER, names(4)) == "shard-2"
    seen = {one.node: one.outcome for one in verdict.results if one.id == "blocks.remote-route"}
    assert seen == {CONTROL: "passed", WORKER: "inconclusive", WORKER2: "passed"}


@pytest.mark.parametrize("word", UNWHOLE)
def test_it_is_told_when_the_whole_is_judged_again_and_whichever_checks_are_chosen(tmp_path, word):
    snapshot = together(UNWHOLE[word](), collection=COLLECTION)
    _snapshot.write(str(tmp_path / "s.jsonl"), snapshot)
    again = _snapshot.read(str(tmp_path / "s.jsonl"))
    assert judge(again) == judge(snapshot)
    chosen = judge(again, checks=["sysctls.*"])
    assert chosen.failed and chosen.summary["inconclusive"] and {one.id for one in chosen.results} >= {"shards.whole"}


def test_a_shard_that_had_no_node_is_missed_all_the_same():
    of = names(7)
    idle = next(name for name in of if name not in {shard_of(node, of) for node in NODES})
    snapshot = together(without(cut(cluster(), 7), idle), names=of)
    assert told(snapshot) == {(idle, "missing")} and judge(snapshot).failed
    assert judge(snapshot, checks=["blocks.*"]).failed


def test_without_expectations_those_must_be_there_that_the_files_name():
    assert told(whole(files(without(cut(cluster(), 4), "shard-1", "shard-3")))) == {("shard-1", "missing"), ("shard-3", "missing")}


def test_a_fault_on_the_node_of_a_shard_that_is_there_is_still_a_fault():
    broken = without_route(cluster(), CONTROL, BLOCK)
    verdict = judge(together(without(cut(broken, 4), "shard-2")))
    causes = {(one.id, one.node, one.outcome) for one in verdict.findings if one.cause is None}
    assert causes == {("shards.whole", None, "inconclusive"), ("blocks.remote-route", CONTROL, "failed")}


def test_where_no_shard_is_there_nothing_is_proved():
    verdict = judge(together([], refused={"shard-1": "damaged: 404"}))
    assert told(together([], refused={"shard-1": "damaged: 404"})) == {
        ("shard-1", "damaged"), ("shard-2", "missing"), ("shard-3", "missing"), ("shard-4", "missing"),
    }  # fmt: skip
    assert verdict.failed and verdict.summary["passed"] == 0
    assert {one.id for one in verdict.findings if one.cause is None} == {"shards.whole"}


def test_each_shard_that_is_not_there_is_told_by_its_own_name_and_is_nobodys_consequence():
    for there in ({}, without(cut(cluster(), 4), "shard-1", "shard-3")):
        verdict = judge(together(there, names=names(4)))
        absent = [one for one in verdict.findings if one.id == "shards.whole"]
        assert len(absent) == 4 - len(there) and {one.cause for one in absent} == {None}
        assert {one.id for one in verdict.findings if one.cause is None} == {"shards.whole"}


def test_a_shard_that_nobody_asked_for_is_told_and_not_used():
    more = {**cut(cluster(), 4), "shard-9": shard(cluster(), "shard-9", names(4))}
    snapshot = together(more)
    assert told(snapshot) == {("shard-9", "not one of them")}
    assert all(one.facts.routes for one in snapshot.nodes)


def test_a_file_that_holds_another_shard_is_told_by_both_names():
    shards = cut(cluster(), 4)
    mixed = [*files(without(shards, "shard-2")), File("shard-2", "/shards/shard-2.jsonl.gz", shards["shard-3"])]
    snapshot = together(mixed)
    said = {one.subject.name: one.actual for one in judge(snapshot).findings if one.id == "shards.whole"}
    assert said["shard-2"] == "missing: /shards/shard-2.jsonl.gz says that it is shard-3"
    assert said["shard-3"].startswith("there twice: in ")


def test_two_files_that_bear_each_others_names_are_the_whole():
    shards = cut(cluster(), 4)
    swapped = [File(name, f"/{name}.jsonl.gz", shards[other]) for name, other in zip(sorted(shards), sorted(shards, reverse=True))]
    assert told(together(swapped)) == set()


def test_a_snapshot_that_is_no_shard_is_not_used():
    snapshot = together([*files(cut(cluster(), 4)), File("all", "/all.jsonl.gz", cluster())])
    assert told(snapshot) == {("all", "cut otherwise")}


@pytest.mark.parametrize("fields", [
    {"name": "../etc"}, {"name": 7}, {"collection": "a/b"}, {"of": ("shard-1", "shard 2")}, {"of": ("a-b", "a.b")}, {"selection": (3,)},
])  # fmt: skip
def test_a_header_that_no_shard_can_have_is_damage(fields):
    snapshot = together(changed_by(lambda one: headed(one, shard=one.header.shard._replace(**fields))))
    assert told(snapshot) == {("shard-2", "damaged")}


@pytest.mark.parametrize("fields", [
    {"collected_at": "yesterday"}, {"collected_at": 7}, {"evidence": ("api", "secrets")}, {"changed": (Changed("Moon"),)}, {"cluster_id": 7},
])  # fmt: skip
def test_a_header_that_no_collection_makes_is_damage(fields):
    assert told(together(changed_by(lambda one: headed(one, **fields)))) == {("shard-2", "damaged")}


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
