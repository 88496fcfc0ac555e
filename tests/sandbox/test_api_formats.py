# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies, patches and wire formats, by property and by the standards' own examples."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from podnet_sandbox.api import protobuf
from podnet_sandbox.api.apply import fieldset
from podnet_sandbox.api.copying import clone
from podnet_sandbox.api.errors import ApiError
from podnet_sandbox.api.patch import json_patch, merge
from podnet_sandbox.api.schema import kinds
from podnet_sandbox.api.tables.cells import duration
from podnet_sandbox.api.tables.custom import values_at

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@given(OBJECTS)
def test_a_clone_is_equal_and_shares_nothing(value):
    copied = clone(value)
    before = json.dumps(value, sort_keys=True)
    assert json.dumps(copied, sort_keys=True) == before
    _spoil(copied)
    assert json.dumps(value, sort_keys=True) == before


def _spoil(value):
    for item in list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else ():
        _spoil(item)
    if isinstance(value, (dict, list)):
        value.clear()


#: RFC 7386, appendix A: original, patch, result (for objects, as the API takes no others).
kinds()  # the tables are read once, before anything is timed
RFC_7386 = (
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
)


@pytest.mark.parametrize(("original", "patch", "result"), RFC_7386)
def test_merge_patch_does_what_its_rfc_says(original, patch, result):
    before = clone(original)
    assert merge(original, patch) == result
    assert original == before


def test_a_json_patch_that_cannot_be_done_is_rejected():
    with pytest.raises(ApiError) as raised:
        json_patch({}, [{"op": "invent", "path": "/a"}])
    assert raised.value.code == 422


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    try:
        assert isinstance(protobuf.decode(b"k8s\0" + data), dict)
    except ApiError as error:
        assert error.code == 415


POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "a", "labels": {"a": "b"}, "creationTimestamp": "2026-11-22T16:02:36Z", "finalizers": ["x/y"]},
    "spec": {
        "containers": [{
            "name": "c", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}, "livenessProbe": {"httpGet": {"path": "/", "port": "web"}},
            "env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k", "optional": False}}}],
        }],
        "volumes": [{"name": "v", "configMap": {"name": "m", "defaultMode": 420}}], "priority": 0, "hostNetwork": True,
    },
}  # fmt: skip


@pytest.mark.parametrize("obj", [
    POD,
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
        "replicas": 0, "strategy": {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 1}}, "paused": True}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "AAEC"}, "immutable": False},
    {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "u", "extra": {"k": ["a", "b"]}}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": [{"manager": "m", "fieldsV1": {"f:data": {"f:a": {}}}}]}},
])  # fmt: skip
def test_what_is_written_as_protobuf_is_read_as_it_was(obj):
    assert protobuf.decode(protobuf.encode(obj)) == obj


PATHS = st.lists(st.sampled_from(["f:a", "f:b", 'k:{"name":"c"}', 'v:"x"']), min_size=1, max_size=4).map(tuple)


@given(st.sets(PATHS, max_size=8))
def test_field_sets_survive_their_notation(paths):
    assert fieldset.from_v1(fieldset.to_v1(paths)) == paths


def test_every_named_type_of_the_field_tables_is_described():
    empty = [item.name for item in kinds().types() if not item.fields and item.name not in ("CustomResourceSubresourceStatus",)]
    assert empty == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (185, "3m5s"), (600, "10m"), (4380, "73m"), (10800, "3h"), (12000, "3h20m"), (86400, "24h"),
     (172800, "2d"), (176400, "2d1h"), (864000, "10d"), (63072000, "2y"), (66000000, "2y33d")],
)  # fmt: skip
def test_ages_are_written_as_kubectl_writes_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.cidr", ["10.0.0.0/8"]),
        (".status.conditions[?(@.type=='Available')].status", ["True"]),
        ('.status.conditions[?(@.type=="Absent")].status', []),
        (".metadata.annotations['a.b/c']", ["x"]),
        (".metadata.annotations.a\\.b/c", ["x"]),
        (".status.conditions[0].type", ["Available"]),
        (".status.conditions[*].type", ["Available", "Degraded"]),
        (".spec.none", []),
    ],
)
def test_printer_columns_find_their_values(path, found):
    conditions = [{"type": "Available", "status": "True"}, {"type": "Degraded", "status": "False"}]
    obj = {"metadata": {"annotations": {"a.b/c": "x"}}, "spec": {"cidr": "10.0.0.0/8"}, "status": {"conditions": conditions}}
    assert list(values_at(obj, path)) == found
