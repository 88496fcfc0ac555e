# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CustomResourceDefinitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, invalid_value, required, unsupported

Object = Mapping[str, Any]

_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_SCOPES = ("Cluster", "Namespaced")


def _definition_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    names, versions = spec.get("names") or {}, spec.get("versions") or ()
    expected = f"{names.get('plural', '')}.{spec.get('group', '')}"
    if obj["metadata"].get("name") != expected:
        why = f"must be spec.names.plural+\".\"+spec.group, expected {expected}"
        yield invalid_value("metadata.name", json.dumps(obj["metadata"].get("name", "")), why)
    for part in ("kind", "plural"):
        if not names.get(part):
            yield required(f"spec.names.{part}")
    if not spec.get("group"):
        yield required("spec.group")
    if spec.get("scope") not in _SCOPES:
        yield unsupported("spec.scope", spec.get("scope", ""), _SCOPES)
    if sum(1 for version in versions if version.get("storage")) != 1:
        yield invalid_value("spec.versions", json.dumps(versions), "must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")


def _definition_change_causes(obj: Object, old: Object) -> Iterator[Cause]:
    for part in ("group", "scope"):
        if obj["spec"].get(part) != old["spec"].get(part):
            yield invalid_value(f"spec.{part}", json.dumps(obj["spec"].get(part)), "field is immutable")


CREATED = {_DEFINITIONS: _definition_causes}
UPDATED = {_DEFINITIONS: _definition_change_causes}
