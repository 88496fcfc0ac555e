# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata of a v3 object, which Calico keeps as JSON in an annotation of the v1 object, and the uid, which it derives. Pure."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from ..copying import clone

Object = dict[str, Any]

KEPT = "projectcalico.org/metadata"
V1, V3 = "crd.projectcalico.org/v1", "projectcalico.org/v3"
#: The order Go writes them in; name, namespace, uid and resourceVersion are the v1 object's own.
_KEPT_FIELDS = (
    "name", "generateName", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations",
    "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip
#: Labels and annotations with these in their key stand on the v1 object too.
_OURS = ("projectcalico.org/", "operator.tigera.io/")
_ESCAPED = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))


def converted_uid(uid: str) -> str:
    """The other side's uid: the bits of each byte in reverse, but for the two that hold version and variant.

    It is its own inverse. Text that is no uid is nobody's, and stays.
    """
    try:
        raw = bytearray(uuid.UUID(uid).bytes)
    except ValueError:
        return uid
    for place in (*range(6), 7, *range(9, 16)):
        raw[place] = int(f"{raw[place]:08b}"[::-1], 2)
    return str(uuid.UUID(bytes=bytes(raw)))


def shown(stored: Mapping[str, Any]) -> Object:
    """A v3 object's metadata, from that of the v1 object. Where nothing was kept, somebody wrote the v1 object: all is as it says."""
    metadata = clone(dict(stored))
    metadata["uid"] = converted_uid(metadata["uid"])
    annotations = metadata.get("annotations") or {}
    if KEPT not in annotations:
        return metadata
    kept = _parsed(annotations.pop(KEPT))
    found = {**kept, **{field: metadata[field] for field in ("uid", "resourceVersion", "namespace") if field in metadata}}
    found["name"] = kept.get("name") or metadata["name"]
    found["creationTimestamp"] = kept.get("creationTimestamp") or metadata["creationTimestamp"]
    for field, own in (("labels", metadata.get("labels") or {}), ("annotations", annotations)):
        merged = {**own, **(kept.get(field) or {})}
        found.pop(field, None)
        if merged:
            found[field] = merged
    if kept.get("ownerReferences"):
        found["ownerReferences"] = [_owner(item, (V1, V3), V3) for item in kept["ownerReferences"]]
    return dict(sorted(found.items()))


def stored(metadata: Mapping[str, Any], name: str, *, keeps_name: bool = False) -> Object:
    """The v1 object's metadata for a v3 object that is kept under ``name``; its own name is kept too where it may be another."""
    kept = {field: clone(metadata[field]) for field in _KEPT_FIELDS if metadata.get(field) not in (None, {}, [], "")}
    kept.setdefault("creationTimestamp", None)
    if not keeps_name:
        kept.pop("name", None)
    for field in ("labels", "annotations"):
        if field in kept:
            kept[field] = dict(sorted(kept[field].items()))
    if "ownerReferences" in kept:
        kept["ownerReferences"] = [_owner(item, (V3,), V1) for item in kept["ownerReferences"]]
    found: Object = {"name": name, "annotations": {**_ours(metadata.get("annotations")), KEPT: _written(kept)}}
    for field in ("namespace", "resourceVersion"):
        if metadata.get(field):
            found[field] = metadata[field]
    if metadata.get("uid"):
        found["uid"] = converted_uid(metadata["uid"])
    labels = _ours(metadata.get("labels"))
    if labels:
        found["labels"] = labels
    return found


def _parsed(text: str) -> Object:
    try:
        kept = json.loads(text)
    except ValueError:
        return {}
    return {key: value for key, value in kept.items() if value is not None} if isinstance(kept, dict) else {}


def _written(kept: Mapping[str, Any]) -> str:
    text = json.dumps({field: kept[field] for field in _KEPT_FIELDS if field in kept}, separators=(",", ":"), ensure_ascii=False)
    for character, escaped in _ESCAPED:  # as Go's encoder does
        text = text.replace(character, escaped)
    return text


def _ours(found: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (found or {}).items() if any(part in key for part in _OURS) and key != KEPT}


def _owner(reference: Mapping[str, Any], versions: tuple[str, ...], version: str) -> Object:
    """An owner that is an object of Calico's has another uid on the other side."""
    if reference.get("apiVersion") not in versions:
        return dict(reference)
    return {**reference, "apiVersion": version, "uid": converted_uid(reference["uid"])}
