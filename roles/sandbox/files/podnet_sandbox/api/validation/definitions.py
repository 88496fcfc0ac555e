# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CustomResourceDefinitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, invalid_value, required, unsupported
from ..names import service_name_errors

Object = Mapping[str, Any]

_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_SCOPES = ("Cluster", "Namespaced")
_VERSIONS = "[]apiextensions.CustomResourceDefinitionVersion{...}"


def _definition_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    names, versions = spec.get("names") or {}, spec.get("versions") or ()
    name, group = obj["metadata"].get("name", ""), spec.get("group", "")
    if name != f"{names.get('plural', '')}.{group}":
        yield invalid_value("metadata.name", json.dumps(name), 'must be spec.names.plural+"."+spec.group')
    if not group:
        yield required("spec.group")
    elif "." not in group:
        yield invalid_value("spec.group", json.dumps(group), "should be a domain with at least one dot")
    if not spec.get("scope"):
        yield required("spec.scope")
    elif spec["scope"] not in _SCOPES:
        yield unsupported("spec.scope", spec["scope"], _SCOPES)
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required")
    if sum(1 for version in versions if version.get("storage")) != 1:
        yield invalid_value("spec.versions", _VERSIONS, "must have exactly one version marked as storage version")
    for part in ("plural", "singular", "kind", "listKind"):
        if not names.get(part):
            yield required(f"spec.names.{part}")
    for part in ("plural", "singular", "kind", "listKind"):
        wrong = service_name_errors(names[part].lower()) if names.get(part) else []
        if wrong:
            mixed = "may have mixed case, but should otherwise match: " if part in ("kind", "listKind") else ""
            yield invalid_value(f"spec.names.{part}", json.dumps(names[part]), mixed + ",".join(wrong))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid_value("spec.names.listKind", json.dumps(names["listKind"]), "kind and listKind may not be the same")


def _definition_change_causes(obj: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"], obj["spec"]
    for part in ("scope", "group"):
        if after.get(part) != before.get(part):
            yield invalid_value(f"spec.{part}", json.dumps(after.get(part)), "field is immutable")
    for part in ("kind", "plural"):
        if after["names"].get(part) != before["names"].get(part):
            yield invalid_value(f"spec.names.{part}", json.dumps(after["names"].get(part)), "field is immutable")


CREATED = {_DEFINITIONS: _definition_causes}
UPDATED = {_DEFINITIONS: _definition_change_causes}
