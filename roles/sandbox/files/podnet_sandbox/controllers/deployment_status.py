# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Deployment says of itself: is it available, is it getting on, since when is it not. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .objects import age, count_of, now, set_condition

Object = Mapping[str, Any]

#: Seconds after which a deadline that is about to pass is looked at again: times are kept to the second.
_LOOK = 1.0
_PAUSED, _RESUMED = ("DeploymentPaused", "Deployment is paused"), ("DeploymentResumed", "Deployment is resumed")


def limits(deployment: Object) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods."""
    wanted = deployment["spec"].get("replicas", 1)
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    surge = count_of(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = count_of(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return surge, min(wanted, unavailable) if surge or unavailable else 1


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether all pods are of the newest template and available, and no other is left."""
    wanted = deployment["spec"].get("replicas", 1)
    return all((status.get(key) or 0) == wanted for key in ("replicas", "updatedReplicas", "availableReplicas"))


def conditions(deployment: Object, status: Object, replicaset: str, *, done: bool) -> tuple[list[dict[str, Any]], float | None]:
    """(its conditions, seconds until the one for progress may have to change)."""
    before = {entry["type"]: entry for entry in (deployment.get("status") or {}).get("conditions") or ()}
    enough = (status.get("availableReplicas") or 0) >= deployment["spec"].get("replicas", 1) - limits(deployment)[1]
    available = {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    }
    progressing, again = _progress(deployment, status, before.get("Progressing"), replicaset, done)
    result = list(before.values())
    for new in (available, progressing):
        old = before.get(new["type"], {})
        same = all(old.get(key) == value for key, value in new.items())
        result = set_condition(result, {"lastUpdateTime": old["lastUpdateTime"] if same else now(), **new})
    return result, again


def _progress(
    deployment: Object, status: Object, old: Object | None, replicaset: str, done: bool
) -> tuple[dict[str, Any], float | None]:
    """Condition Progressing: whatever counts as progress sets its clock back, and past the deadline it says so."""
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    if deployment["spec"].get("paused"):
        return _condition("Unknown", *_PAUSED), None
    if old is not None and old["reason"] == _PAUSED[0]:
        return _condition("Unknown", *_RESUMED), deadline
    if old is None or (f'"{replicaset}"' not in old["message"] and old["reason"] != _RESUMED[0]):
        return _condition("True", "NewReplicaSetCreated", f'Created new replica set "{replicaset}"'), deadline
    if old["reason"] == "NewReplicaSetAvailable" and status.get("replicas") == status.get("updatedReplicas"):
        return _unchanged(old), None  # pods that are lost afterwards are no rollout
    if done:
        return _condition("True", "NewReplicaSetAvailable", f'ReplicaSet "{replicaset}" has successfully progressed.'), None
    if _has_advanced(deployment.get("status") or {}, status):
        moved = _condition("True", "ReplicaSetUpdated", f'ReplicaSet "{replicaset}" is progressing.')
        return {**moved, "lastUpdateTime": now()}, deadline
    left = deadline - age(old["lastUpdateTime"])
    if old["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded") or left > 0:
        return _unchanged(old), max(left, _LOOK) if left > 0 else None
    return _condition("False", "ProgressDeadlineExceeded", f'ReplicaSet "{replicaset}" has timed out progressing.'), None


def _has_advanced(before: Object, after: Object) -> bool:
    """More pods of the newest template, more that are ready or available, or fewer old ones."""

    def old_ones(status: Object) -> int:
        return (status.get("replicas") or 0) - (status.get("updatedReplicas") or 0)

    grown = any((after.get(key) or 0) > (before.get(key) or 0) for key in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or old_ones(after) < old_ones(before)


def _condition(status: str, reason: str, message: str) -> dict[str, Any]:
    return {"type": "Progressing", "status": status, "reason": reason, "message": message}


def _unchanged(old: Object) -> dict[str, Any]:
    return {key: old[key] for key in ("type", "status", "reason", "message")}
