# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot written and read is itself; what is no snapshot is refused; shards make a whole, of one cluster only."""

from __future__ import annotations

import gzip
import json
import os

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Node, NodeFacts, Probe, Route, Snapshot
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._snapshot import SnapshotError
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording


def as_text(item):
    return json.dumps(plain(item), sort_keys=True)


@pytest.mark.parametrize("name", ["snapshot.jsonl", "snapshot.jsonl.gz"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_snapshot_written_and_read_is_itself(tmp_path, scenario, name):
    snapshot = recording(scenario)
    path = str(tmp_path / name)
    _snapshot.write(path, snapshot)
    again = _snapshot.read(path)
    assert again.header == snapshot.header
    for field in snapshot._fields[1:]:
        assert sorted(getattr(again, field), key=as_text) == sorted(getattr(snapshot, field), key=as_text)
    assert judge(again) == judge(snapshot)


def test_the_same_snapshot_makes_the_same_bytes_readable_by_its_owner_only(tmp_path):
    one, two = str(tmp_path / "a.gz"), str(tmp_path / "b.gz")
    _snapshot.write(one, recording())
    _snapshot.write(two, recording()._replace(nodes=recording().nodes[::-1]))
    with open(one, "rb") as first, open(two, "rb") as second:
        assert first.read() == second.read()
    assert os.stat(one).st_mode & 0o077 == 0
    assert sorted(os.listdir(tmp_path)) == ["a.gz", "b.gz"]


def test_probes_are_kept_in_their_order(tmp_path):
    probes = tuple(Probe("a/b", f"c/{number}", "10.0.0.1", "10.0.0.2", "n", "m", 1) for number in (2, 1))
    path = str(tmp_path / "s.jsonl")
    _snapshot.write(path, recording()._replace(probes=probes))
    assert _snapshot.read(path).probes == probes


def lines(tmp_path):
    path = tmp_path / "s.jsonl"
    _snapshot.write(str(path), recording())
    return path, path.read_text().splitlines()


SHARED = [json.dumps({"line": "route", "dst": f"10.0.{number}.0/24"}) for number in (0, 1)]


def with_routes(*routes):
    return json.dumps({"line": "node", "name": "n", "facts": {"routes": routes}})


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda rows: rows[1:], "no header"),
        (lambda rows: [], "is empty"),
        (lambda rows: [rows[0].replace('"schema_version":1', '"schema_version":9')], "schema version 9"),
        (lambda rows: rows[:1] + [json.dumps({"line": "secret", "data": "x"})], "unknown sort"),
        (lambda rows: rows[:1] + [json.dumps({"line": "node", "name": "n", "token": "x"})], "no field 'token'"),
        (lambda rows: rows[:1] + [json.dumps({"line": "node"})], "without name"),
        (lambda rows: rows[:1] + [rows[1][:40]], "cut off"),
        (lambda rows: rows[:1] + [with_routes(7)], "names line 7 of 0"),
        (lambda rows: rows[:1] + SHARED + [with_routes([0, 2])], r"names line \[0, 2\] of 2"),
        (lambda rows: rows[:1] + SHARED + [with_routes([1, 0])], r"names line \[1, 0\] of 2"),
        (lambda rows: rows[:1] + SHARED + [with_routes([-1, 0])], r"names line \[-1, 0\] of 2"),
        (lambda rows: rows[:1] + SHARED + [with_routes([0, 1, 1])], "line 4"),
        (lambda rows: rows[:1] + SHARED + [with_routes(["a", "b"])], "line 4"),
    ],
)
def test_a_damaged_file_is_refused_with_the_place(tmp_path, edit, says):
    path, rows = lines(tmp_path)
    path.write_text("\n".join(edit(rows)))
    with pytest.raises(SnapshotError, match=says) as raised:
        _snapshot.read(str(path))
    assert str(path) in str(raised.value)


def test_a_cut_archive_is_refused(tmp_path):
    path = tmp_path / "s.gz"
    path.write_bytes(gzip.compress(b"x" * 10000)[:40])
    with pytest.raises(SnapshotError):
        _snapshot.read(str(path))


def test_equal_routes_are_one_object(tmp_path):
    path = str(tmp_path / "s.jsonl")
    _snapshot.write(path, recording())
    nodes = _snapshot.read(path).nodes
    routes = [next(r for r in node.facts.routes if r.dst == "192.168.116.0/26") for node in nodes if node.name != "pod-routing-control-plane"]
    assert routes[0] is routes[1]


def test_a_run_of_what_nodes_share_is_written_as_its_ends(tmp_path):
    routes = tuple(Route(f"10.0.{number}.0/24") for number in range(9))
    path = tmp_path / "s.jsonl"
    having = {"a": routes, "b": routes[1:4] + routes[5:6] + (Route("10.9.0.0/24"),), "c": routes[::-1]}
    nodes = tuple(Node(name, facts=NodeFacts(routes=those)) for name, those in having.items())
    _snapshot.write(str(path), Snapshot(recording().header, nodes=nodes))
    told = [json.loads(line) for line in path.read_text().splitlines()]
    written = {entry["name"]: entry["facts"]["routes"] for entry in told if entry["line"] == "node"}
    assert written["a"] == [[0, 8]]
    assert written["b"] == [[1, 3], 5, {"dst": "10.9.0.0/24"}]
    assert written["c"] == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert {node.name: node.facts.routes for node in _snapshot.read(str(path)).nodes} == having
