# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binds pods to nodes: filter as kube-scheduler does, then spread each owner's pods, then the emptiest node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .events import EventRecorder
from .objects import is_finished, is_terminating, set_condition
from .placement import refusal


class Scheduler:
    """Places pods that have no nodeName; one that fits nowhere is looked at again when a node or pod changes."""

    watches = frozenset({"pods", "nodes"})

    def __init__(self, store: Any) -> None:
        self._store = store
        self._events = EventRecorder(store, "default-scheduler")

    def reconcile(self) -> None:
        pods = self._store.scan("pods")
        waiting = [pod for pod in pods if not pod["spec"].get("nodeName") and not is_terminating(pod)]
        if not waiting:
            return
        nodes = self._store.scan("nodes")
        placed = [pod for pod in pods if pod["spec"].get("nodeName") and not is_finished(pod)]
        for pod in waiting:
            refusals = {node["metadata"]["name"]: refusal(pod["spec"], node) for node in nodes}
            fitting = [name for name, reason in refusals.items() if reason is None]
            if fitting:
                chosen = _best(pod, fitting, placed)
                self._bind(pod, chosen)
                placed.append({**pod, "spec": {**pod["spec"], "nodeName": chosen}})
            else:
                self._report(pod, [reason for reason in refusals.values() if reason])

    def _bind(self, pod: Mapping[str, Any], node: str) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._store.patch("pods", name, {"spec": {"nodeName": node}}, namespace)
        self._status(pod, {"type": "PodScheduled", "status": "True", "lastProbeTime": None})
        self._events.normal(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")

    def _report(self, pod: Mapping[str, Any], reasons: Sequence[str]) -> None:
        counted = ", ".join(f"{number} {reason}" for reason, number in sorted(Counter(reasons).items()))
        message = f"0/{len(reasons)} nodes are available: {counted}." if reasons else "no nodes available to schedule pods"
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        if self._status(pod, {**condition, "lastProbeTime": None}):
            self._events.warning(pod, "FailedScheduling", message)

    def _status(self, pod: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
        """Set the condition; whether that changed anything."""
        before = (pod.get("status") or {}).get("conditions") or []
        after = set_condition(before, condition)
        if after == before:
            return False
        metadata = pod["metadata"]
        self._store.patch(
            "pods", metadata["name"], {"status": {"conditions": after}}, metadata["namespace"], subresource="status"
        )
        return True


def _best(pod: Mapping[str, Any], fitting: Iterable[str], placed: Sequence[Mapping[str, Any]]) -> str:
    """Fewest pods of the same controller, then fewest pods, then by name: the same choice every time."""
    owners = {ref["uid"] for ref in pod["metadata"].get("ownerReferences") or ()}
    siblings: Counter[str] = Counter()
    load: Counter[str] = Counter()
    for other in placed:
        node = other["spec"]["nodeName"]
        load[node] += 1
        if owners & {ref["uid"] for ref in other["metadata"].get("ownerReferences") or ()}:
            siblings[node] += 1
    return min(fitting, key=lambda name: (siblings[name], load[name], name))
