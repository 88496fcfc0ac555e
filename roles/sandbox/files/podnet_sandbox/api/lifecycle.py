# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How objects end: grace periods of pods, finalizers, the two-step death of a namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .clock import later, now
from .errors import forbidden
from .registry import Resource

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
#: Seconds a pod gets when it does not say (Kubernetes' default).
DEFAULT_GRACE = 30
_IMMORTAL_NAMESPACES = ("default", "kube-public", "kube-system")
_FINISHED = ("Failed", "Succeeded")


def default_propagation(resource: Resource) -> str:
    """What becomes of what an object owns where its deletion does not say: Jobs alone leave their pods (batch/v1)."""
    return "Orphan" if resource.name == "jobs.batch" else "Background"


def finalizers(obj: Mapping[str, Any]) -> Sequence[str]:
    """What holds ``obj`` back from going."""
    return obj["metadata"].get("finalizers") or ()


def add_finalizer(obj: dict[str, Any], finalizer: str) -> None:
    """Hold ``obj`` back by ``finalizer``."""
    if finalizer not in finalizers(obj):
        obj["metadata"]["finalizers"] = [*finalizers(obj), finalizer]


def request_deletion(resource: Resource, obj: dict[str, Any], grace: int | None) -> None:
    """Mark ``obj`` as being deleted. ``grace`` seconds count for pods only; None is the pod's own.

    Raises `ApiError` 403 for namespaces a cluster cannot be without.
    """
    metadata = obj["metadata"]
    if resource.name == "namespaces":
        if metadata["name"] in _IMMORTAL_NAMESPACES:
            raise forbidden(resource, metadata["name"], "this namespace may not be deleted")
        metadata.setdefault("deletionTimestamp", now())
        obj.setdefault("status", {})["phase"] = "Terminating"
        return
    seconds = _pod_grace(obj, grace) if resource.name == "pods" else 0
    if metadata.get("deletionTimestamp"):
        if seconds < metadata.get("deletionGracePeriodSeconds", 0):
            metadata["deletionGracePeriodSeconds"] = seconds
            metadata["deletionTimestamp"] = later(seconds)
        return
    metadata["deletionTimestamp"] = later(seconds)
    metadata["deletionGracePeriodSeconds"] = seconds
    if metadata.get("generation"):
        metadata["generation"] += 1


def may_go(resource: Resource, obj: Mapping[str, Any]) -> bool:
    """Whether ``obj`` is being deleted and nothing holds it any more."""
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp") or finalizers(obj):
        return False
    if resource.name == "namespaces":
        return not (obj.get("spec") or {}).get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def _pod_grace(pod: Mapping[str, Any], grace: int | None) -> int:
    """A pod no kubelet has, or one that has ended, needs no grace."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in _FINISHED:
        return 0
    own = spec.get("terminationGracePeriodSeconds")
    return grace if grace is not None else (DEFAULT_GRACE if own is None else own)
