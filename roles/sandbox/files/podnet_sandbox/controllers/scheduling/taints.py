# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taints of effect NoExecute: pods that do not tolerate them leave, those that do for a while leave later (taint-eviction-controller)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..events import EventRecorder
from ..objects import is_terminating, set_condition, tolerates

_REASON = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")

Object = Mapping[str, Any]


class TaintEviction:
    """Deletes pods from nodes they may not stay on. ``clock`` in seconds."""

    watches = frozenset({"pods", "nodes"})

    def __init__(self, store: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._events = EventRecorder(store, "taint-eviction-controller")
        self._since: dict[tuple[str, str, str], float] = {}  # (pod's uid, taint's key, value) → first seen

    def reconcile(self) -> float | None:
        tainted = {node["metadata"]["name"]: taints for node in self._store.scan("nodes") if (taints := _evicting(node))}
        if not tainted:
            self._since.clear()
            return None
        waits, known = [], {}
        for pod in self._store.scan("pods"):
            taints = tainted.get(pod["spec"].get("nodeName", ""))
            if not taints or is_terminating(pod):
                continue
            left = self._patience(pod, taints, known)
            if left is not None and left <= 0:
                self._evict(pod)
            elif left is not None:
                waits.append(left)
        self._since = known
        return min(waits, default=None)

    def _patience(self, pod: Object, taints: list[Object], known: dict[tuple[str, str, str], float]) -> float | None:
        """Seconds the pod may still stay; None: for ever."""
        left: float | None = None
        for taint in taints:
            key = (pod["metadata"]["uid"], taint["key"], taint.get("value") or "")
            since = known[key] = self._since.get(key, self._clock())
            matching = [t for t in pod["spec"].get("tolerations") or () if tolerates([t], taint)]
            if not matching:
                return 0.0
            limits = [t["tolerationSeconds"] for t in matching if t.get("tolerationSeconds") is not None]
            if limits:
                rest = since + max(0.0, min(limits)) - self._clock()
                left = rest if left is None else min(left, rest)
        return left

    def _evict(self, pod: Object) -> None:
        metadata = pod["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        self._events.normal(pod, "TaintManagerEviction", f"Marking for deletion Pod {namespace}/{name}")
        condition = {"type": "DisruptionTarget", "status": "True", "reason": _REASON[0], "message": _REASON[1]}
        conditions = set_condition((pod.get("status") or {}).get("conditions") or (), condition)
        self._store.patch("pods", name, {"status": {"conditions": conditions}}, namespace, subresource="status")
        self._store.delete("pods", name, namespace)


def _evicting(node: Object) -> list[Object]:
    return [taint for taint in (node.get("spec") or {}).get("taints") or () if taint["effect"] == "NoExecute"]
