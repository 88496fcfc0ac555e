# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes, claims of storage, priorities: what belongs to the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, forbidden_field, invalid_value, required
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


def _quota_causes(obj: Object) -> Iterator[Cause]:
    """A scope is about pods: with one, a quota can be of nothing else."""
    spec = obj.get("spec") or {}
    scopes, hard = spec.get("scopes") or (), spec.get("hard") or {}
    shown = "[]core.ResourceQuotaScope{" + ", ".join(f'"{scope}"' for scope in scopes) + "}"
    for scope in scopes:
        allowed = _POD_COUNTS if scope == "BestEffort" else (*_POD_COUNTS, *_COMPUTE)
        if scope not in _SCOPES:
            yield invalid_value("spec.scopes", shown, "unsupported scope")
        elif not set(hard) <= set(allowed):
            yield invalid_value("spec.scopes", shown, "unsupported scope applied to resource")
    if any({first, second} <= set(scopes) for first, second in (_SCOPES[:2], _SCOPES[2:4])):
        yield invalid_value("spec.scopes", shown, "conflicting scopes")


_SCOPES = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "PriorityClass", "CrossNamespacePodAffinity")
_POD_COUNTS = ("count/pods", "pods")
_COMPUTE = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")

CREATED = {"nodes": _node_causes, "persistentvolumeclaims": _claim_causes, "resourcequotas": _quota_causes}
UPDATED = {"priorityclasses.scheduling.k8s.io": _priority_fixed}
