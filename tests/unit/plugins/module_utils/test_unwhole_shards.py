# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shard that is not there once, whole, of this collection and cut as the others is inconclusive by its name."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._cut import shard_of
from ansible_collections.podnet.calico.plugins.module_utils._model import Changed
from ansible_collections.podnet.calico.plugins.module_utils._shards import Expected, File, whole
from ansible_collections.podnet.calico.plugins.module_utils._source import saved_snapshot
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import without_route
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.shards import (
    COLLECTION,
    CONTROL,
    NODES,
    WORKER,
    WORKER2,
    changed_by,
    cluster,
    cut,
    files,
    headed,
    names,
    shard,
    together,
    told,
)

BLOCK = "192.168.112.192/26"


def without(shards, *gone):
    return {name: one for name, one in shards.items() if name not in gone}


def doubled():
    shards = cut(cluster(), 4)
    return [*files(shards), File("shard-2", "/other/shard-2.jsonl.gz", shards["shard-2"])]


def damaged():
    return [*files(without(cut(cluster(), 4), "shard-2")), File("shard-2", "/shards/shard-2.jsonl.gz", None, "damaged: not JSON")]


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
    {"name": "../etc"}, {"collection": "a/b"}, {"of": ("shard-1", "shard 2")}, {"of": ("a-b", "a.b")},
])  # fmt: skip
def test_a_header_that_no_shard_can_have_is_damage(fields):
    snapshot = together(changed_by(lambda one: headed(one, shard=one.header.shard._replace(**fields))))
    assert told(snapshot) == {("shard-2", "damaged")}


@pytest.mark.parametrize("fields", [
    {"collected_at": "yesterday"}, {"evidence": ("api", "secrets")}, {"changed": (Changed("Moon"),)},
])  # fmt: skip
def test_a_header_that_no_collection_makes_is_damage(fields):
    assert told(together(changed_by(lambda one: headed(one, **fields)))) == {("shard-2", "damaged")}


@pytest.mark.parametrize(("old", "new"), [
    ('"name":"shard-2"', '"name":7'), ('"collection":"41"', '"collection":[]'), ('"collected_at":"2030', '"collected_at":2030,"server":"'),
    ('"line":"end"', '"line":"node"'),
])  # fmt: skip
def test_a_file_with_a_value_of_another_type_is_damage_of_that_shard_alone(tmp_path, old, new):
    paths = []
    for name, one in cut(cluster(), 4).items():
        paths.append(str(tmp_path / f"{name}.jsonl"))
        _snapshot.write(paths[-1], one)
    text = (tmp_path / "shard-2.jsonl").read_text()
    assert old in text
    (tmp_path / "shard-2.jsonl").write_text(text.replace(old, new, 1))
    assert told(saved_snapshot(paths, Expected(names(4), COLLECTION))) == {("shard-2", "damaged")}
