# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults of cluster-wide objects: namespaces, CustomResourceDefinitions, storage and priority classes."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def _namespace(obj: Object) -> None:
    metadata = obj["metadata"]
    if metadata.get("name"):
        metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    spec = obj["spec"] = obj.get("spec") or {}
    if "finalizers" not in spec and not metadata.get("deletionTimestamp"):
        spec["finalizers"] = ["kubernetes"]


def _definition(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    names = spec.get("names") or {}
    if names.get("kind"):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
    spec.setdefault("conversion", {"strategy": "None"})


def _limit_range(obj: Object) -> None:
    """For containers: what may be had at most is the default limit, which is the default request, or else what has to be at least."""
    for item in (obj.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            default = {**(item.get("max") or {}), **(item.get("default") or {})}
            request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
            item |= {name: amounts for name, amounts in (("default", default), ("defaultRequest", request)) if amounts}


def _storageclass(obj: Object) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _claim(obj: Object) -> None:
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def _volume(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")


def _priorityclass(obj: Object) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


FILL = {
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "limitranges": _limit_range,
    "namespaces": _namespace,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "priorityclasses.scheduling.k8s.io": _priorityclass,
    "storageclasses.storage.k8s.io": _storageclass,
}
