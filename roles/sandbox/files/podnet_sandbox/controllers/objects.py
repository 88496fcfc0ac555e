# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and making Kubernetes objects: the questions every controller asks of a pod, a node or an owner."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]
#: Kubernetes' alphabet for generated names and hashes: no vowels, no look-alikes.
_SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def now() -> str:
    """The API server's clock, as it writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def template_hash(template: Mapping[str, Any], length: int = 10) -> str:
    """A short, name-safe hash of a pod template (label ``pod-template-hash`` / ``controller-revision-hash``)."""
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value}  # empty and absent are the same
    same = {"metadata": metadata, "spec": template["spec"]}
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).digest()
    return "".join(_SAFE_ALPHABET[byte % len(_SAFE_ALPHABET)] for byte in digest[:length])


def owner_reference(owner: Mapping[str, Any]) -> Object:
    """The controller's mark on what it made."""
    return {
        "apiVersion": owner["apiVersion"],
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }


def is_owned(obj: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Whether ``owner`` is ``obj``'s controller."""
    references = obj["metadata"].get("ownerReferences") or ()
    return any(ref.get("controller") and ref["uid"] == owner["metadata"]["uid"] for ref in references)


def by_controller(objects: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """``objects`` by the uid of their controller; those without one are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for obj in objects:
        for reference in obj["metadata"].get("ownerReferences") or ():
            if reference.get("controller"):
                found.setdefault(reference["uid"], []).append(obj)
    return found


def is_terminating(obj: Mapping[str, Any]) -> bool:
    return bool(obj["metadata"].get("deletionTimestamp"))


def is_finished(pod: Mapping[str, Any]) -> bool:
    """Succeeded or Failed: it runs no more and never will."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_ready(obj: Mapping[str, Any]) -> bool:
    """A pod's or a node's condition Ready."""
    return condition(obj, "Ready").get("status") == "True"


def age(moment: str | None) -> float:
    """Seconds since ``moment``, as the API writes it; 0 for none."""
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() if moment else 0.0


def unavailable_for(pod: Mapping[str, Any], min_ready: float) -> float | None:
    """0 for a pod that has been ready for ``min_ready`` seconds, else those that are missing; None for one that is not ready."""
    if not is_ready(pod):
        return None
    return max(0.0, min_ready - age(condition(pod, "Ready").get("lastTransitionTime"))) if min_ready else 0.0


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of that type, or an empty one."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((entry for entry in conditions if entry["type"] == kind), {})


def set_condition(conditions: Iterable[Mapping[str, Any]], new: Mapping[str, Any]) -> list[Object]:
    """``conditions`` with ``new`` in its place; lastTransitionTime moves only when the status changes."""
    result, placed = [], False
    for entry in conditions:
        if entry["type"] != new["type"]:
            result.append(dict(entry))
            continue
        kept = entry.get("lastTransitionTime") if entry.get("status") == new["status"] else None
        result.append({**new, "lastTransitionTime": kept or now()})
        placed = True
    return result if placed else [*result, {**new, "lastTransitionTime": now()}]


def pod_of(template: Mapping[str, Any], owner: Mapping[str, Any], labels: Mapping[str, str]) -> Object:
    """A pod from an owner's template, with ``labels`` added."""
    metadata = template.get("metadata") or {}
    made: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{owner['metadata']['name']}-",
            "namespace": owner["metadata"]["namespace"],
            "labels": {**(metadata.get("labels") or {}), **labels},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": copy.deepcopy(template["spec"]),
    }
    if metadata.get("annotations"):
        made["metadata"]["annotations"] = dict(metadata["annotations"])
    return made


def matches_labels(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """A LabelSelector (matchLabels and matchExpressions); a missing one matches nothing."""
    if selector is None:
        return False
    have = labels or {}
    if any(have.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(matches_expression(term, have) for term in selector.get("matchExpressions") or ())


def matches_expression(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """One requirement of a label or node selector."""
    key, operator, values = term["key"], term["operator"], term.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    number = labels.get(key, "")
    if not number.lstrip("-").isdigit() or not values:
        return False
    return int(number) > int(values[0]) if operator == "Gt" else int(number) < int(values[0])


def tolerates(tolerations: Sequence[Mapping[str, Any]], taint: Mapping[str, Any]) -> bool:
    """Whether one of ``tolerations`` accepts ``taint``."""
    for toleration in tolerations:
        effect, key = toleration.get("effect"), toleration.get("key")
        if effect and effect != taint["effect"]:
            continue
        if key and key != taint["key"]:
            continue
        if toleration.get("operator", "Equal") == "Exists" or (
            key and (toleration.get("value") or "") == (taint.get("value") or "")
        ):
            return True
    return False


def count_of(value: Any, total: int, *, up: bool) -> int:
    """maxSurge/maxUnavailable: a number, or a percentage of ``total`` rounded ``up`` or down."""
    if isinstance(value, str) and value.endswith("%"):
        share = int(value[:-1]) * total
        return -(-share // 100) if up else share // 100
    return int(value)
