# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes, claims of storage, priorities: what belongs to the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, forbidden_field, required
from ..names import label_key_errors, label_value_errors
from .containers import choice
from .metadata import each

Object = Mapping[str, Any]

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def _node_causes(obj: Object) -> Iterator[Cause]:
    """kube-apiserver names the taints of a Node as if they were in its metadata."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        field, key, effect, value = f"metadata.taints[{index}]", taint.get("key", ""), taint.get("effect", ""), taint.get("value", "")
        yield from each(f"{field}.key", key, label_key_errors(key))
        yield from each(f"{field}.value", value, label_value_errors(value))
        if not effect:
            yield required(f"{field}.effect")
        else:
            yield from choice(f"{field}.effect", effect, _EFFECTS)
        if (key, effect) in seen:
            shown = f'core.Taint{{Key:"{key}", Value:"{value}", Effect:"{effect}", TimeAdded:<nil>}}'
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", field)
        seen.add((key, effect))


def _claim_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    if "storage" not in ((spec.get("resources") or {}).get("requests") or {}):
        yield required("spec.resources[storage]")


def _priority_fixed(obj: Object, old: Object) -> Iterator[Cause]:
    if obj.get("value", 0) != old.get("value", 0):
        yield forbidden_field("value", "may not be changed in an update.")


CREATED = {"nodes": _node_causes, "persistentvolumeclaims": _claim_causes}
UPDATED = {"priorityclasses.scheduling.k8s.io": _priority_fixed}
