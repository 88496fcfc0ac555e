# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots and verdicts come from anybody: a value of another type is refused by its place, and no other makes a judge fall over."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._decoding import DecodeError, Decoder
from ansible_collections.podnet.calico.plugins.module_utils._model import Header, Node, NodeFacts, Pod, Pool, Route
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording
from hypothesis import given, settings
from hypothesis import strategies as st

LINES = [json.loads(line) for line in _snapshot.lines(recording())]
TEXTS = ["", "x", "10.0.0.0/33", "10.0.0.1/x", "300.1.1.1", "192.168.0.0/16", "192.168.112.192/26", "::/0", "all()", "\u0000", "1.2.3"]
ODD = st.recursive(
    st.sampled_from([None, True, 0, -1, 2**70, 1.5, *TEXTS]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["dst", "name", "x"]), inner, max_size=2),
    max_leaves=3,
)


@pytest.mark.parametrize(
    ("class_", "entry", "said"),
    [
        (Route, {"dst": 7}, "Route.dst must be a text and is 7"),
        (Route, {"dst": "0.0.0.0/0", "metric": True}, "Route.metric must be a whole number and is True"),
        (Route, {"dst": "0.0.0.0/0", "metric": None}, "Route.metric must be a whole number and is None"),
        (Route, {"dst": "0.0.0.0/0", "flags": "onlink"}, "Route.flags must be a list and is 'onlink'"),
        (Route, {"dst": "0.0.0.0/0", "flags": [1]}, "Route.flags must be a text and is 1"),
        (Route, {}, "Route without dst"),
        (Route, {"dst": "0.0.0.0/0", "colour": "red"}, "Route has no field 'colour'"),
        (Pool, {"name": "p", "cidr": "10.0.0.0/33"}, "Pool.cidr must be a CIDR and is '10.0.0.0/33'"),
        (Route, [], "must be an object and is []"),
        (Pool, {"name": "p", "cidr": "10.0.0.0/8", "nat_outgoing": 1}, "Pool.nat_outgoing must be true or false and is 1"),
        (Node, {"name": "n", "labels": {"a": 1}}, "Node.labels must be a text and is 1"),
        (NodeFacts, {"links": [{"name": "eth0"}]}, "NodeFacts.links: Link without mtu, admin_up"),
        (Pod, {"namespace": "a", "name": "b" * 100, "labels": "c" * 100}, f"Pod.labels must be an object and is '{'c' * 39}…"),
        (Header, {"schema_version": 1, "collected_at": "", "shard": {"name": "a", "of": "a", "collection": "1"}},
         "Header.shard: Shard.of must be a list and is 'a'"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_by_its_place(class_, entry, said):
    with pytest.raises(DecodeError) as refused:
        Decoder().decode(class_, entry)
    assert str(refused.value) == said


@pytest.mark.parametrize("number", [-1, 1, [0, 1], [0], [0, 0, 0], True, 0.0, "0"])
def test_a_line_that_is_named_must_be_there(number):
    decoder = Decoder([Route])
    decoder.share(Route, {"dst": "0.0.0.0/0"})
    assert decoder.decode(NodeFacts, {"routes": [0, [0, 0]]}).routes == (Route("0.0.0.0/0"),) * 2
    with pytest.raises(DecodeError, match="NodeFacts.routes"):
        decoder.decode(NodeFacts, {"routes": [number]})


def alike(value):
    """Values of the same type, so that the judge gets to see them."""
    for class_, odd in ((bool, st.booleans()), (int, st.integers(-1, 2**33)), (str, st.sampled_from(TEXTS))):
        if isinstance(value, class_):
            return odd
    return st.just([]) if isinstance(value, list) else st.just({})


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from places(value[number], (*path, number))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_snapshot_it_is_refused_or_judged(data):
    lines = copy.deepcopy(LINES)
    for _change in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.sampled_from(lines))
        path = data.draw(st.sampled_from(list(places(line))[1:] or [("line",)]))
        inner = line
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = data.draw(alike(inner[path[-1]]) | ODD)
    reader = _snapshot.Lines()
    try:
        items = [reader.line(line) for line in lines]
    except ValueError as error:
        assert str(error)
        return
    assert judge(_snapshot.assemble(item for item in items if item is not None)).summary["total"] > 0
