# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an update makes of an object: the part that may be written, whether that is a change, and whether it counts as a generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .copying import clone
from .parts import with_part
from .registry import Resource

Object = dict[str, Any]

#: metadata that a client cannot change.
_FIXED_METADATA = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "name", "namespace", "uid")


def replaced(resource: Resource, old: Object, obj: Mapping[str, Any], subresource: str | None) -> Object:
    """What the object becomes: of ``obj`` only the part that ``subresource`` (None: the main resource) may write."""
    if subresource:
        new = clone(with_part(old, obj, subresource))
        _take_managed_fields(new, obj)
        return new
    new = {**clone(obj), "apiVersion": resource.api_version, "kind": resource.kind}
    metadata = new["metadata"] = dict(new.get("metadata") or {})
    for field in _FIXED_METADATA:
        metadata.pop(field, None)
        if field in old["metadata"]:
            metadata[field] = old["metadata"][field]
    metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
    if resource.has_status:
        new.pop("status", None)
        if "status" in old:
            new["status"] = clone(old["status"])
    return new


def _take_managed_fields(new: Object, obj: Mapping[str, Any]) -> None:
    managed = (obj.get("metadata") or {}).get("managedFields")
    if managed:
        new["metadata"]["managedFields"] = clone(managed)


def same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a write changes nothing; who owns which field since when does not count."""
    if old == new:
        return True
    return _without_ownership(old) == _without_ownership(new) and _ownership(old) == _ownership(new)


def _without_ownership(obj: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _ownership(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = obj["metadata"].get("managedFields") or ()
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]


def generation_changes(resource: Resource, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a write is of what was asked for, not of what came of it."""
    if not (resource.generation or resource.custom):
        return False
    ignored = {"metadata", "status"} if resource.has_status or not resource.custom else {"metadata"}
    return any(old.get(key) != new.get(key) for key in (old.keys() | new.keys()) - ignored)
