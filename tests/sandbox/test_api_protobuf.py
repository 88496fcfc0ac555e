# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies in protobuf, as kubectl's imperative commands and the typed clients of client-go send them.

`recordings/protobuf-samples.json`: objects with every field set, as JSON and as Go writes them (`protobuf_samples/`).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from podnet_sandbox.api import protobuf
from podnet_sandbox.api.errors import ApiError

SAMPLES = json.loads((Path(__file__).parent / "recordings" / "protobuf-samples.json").read_text())


@pytest.mark.parametrize(("as_json", "written"), SAMPLES, ids=[item["kind"] for item, _written in SAMPLES])
def test_an_object_is_read_as_go_wrote_it(as_json, written):
    assert protobuf.decode(base64.b64decode(written)) == as_json


@pytest.mark.parametrize(("as_json", "written"), SAMPLES, ids=[item["kind"] for item, _written in SAMPLES])
def test_an_object_is_written_so_that_it_is_read_as_it_was(as_json, written):
    """Go writes every field that is no pointer, also an empty one, and has some in another order."""
    ours = protobuf.encode(as_json)
    assert protobuf.decode(ours) == as_json
    assert len(ours) == len(base64.b64decode(written)) or as_json["kind"] == "CustomResourceDefinition"


def definition(**schema):
    version = {"name": "v1", "served": False, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"versions": [version]}}


@pytest.mark.parametrize(
    "schema",
    [
        {"additionalProperties": False},
        {"additionalProperties": True},
        {"additionalProperties": {}},
        {"additionalProperties": {"type": "string"}, "additionalItems": False},
        {"items": {"type": "string"}},
        {"items": [{"type": "string"}, {}]},
        {"dependencies": {"a": ["b", "c"], "d": {"type": "object"}}},
        {"default": 0, "example": False, "enum": ["a", 1, None, [], {"b": None}]},
        {"maximum": 3, "minimum": -0.5, "maxLength": 0, "x-kubernetes-preserve-unknown-fields": False},
    ],
    ids=str,
)
def test_what_has_several_forms_in_a_schema_keeps_its_form(schema):
    obj = definition(**schema)
    assert protobuf.decode(protobuf.encode(obj))["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == schema


@given(st.sampled_from(SAMPLES), st.integers(0, 2000), st.integers(0, 255))
def test_a_damaged_object_is_read_or_refused(sample, place, byte):
    data = bytearray(base64.b64decode(sample[1]))
    data[4 + place % (len(data) - 4)] = byte
    try:
        assert isinstance(protobuf.decode(bytes(data)), dict)
    except ApiError as error:
        assert error.code == 415
