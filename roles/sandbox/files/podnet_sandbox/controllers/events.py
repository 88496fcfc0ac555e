# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: what `kubectl describe` and `kubectl get events` show of what a component did and why."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..api.errors import ApiError
from .objects import age, now

#: Events a component may still count up; client-go's cache has as many.
_REMEMBERED = 4096
#: Seconds an event is kept after it was last told (kube-apiserver's --event-ttl); a lab that is busy for long keeps the latest so many.
_KEPT, _MOST = 3600.0, 5000


class EventRecorder:
    """Records for one component, optionally on one node; an event said again is counted, not repeated."""

    def __init__(self, store: Any, component: str) -> None:
        self._store = store
        self._component = component
        self._known: OrderedDict[tuple[str, str, str], tuple[str, str]] = OrderedDict()

    def normal(self, involved: Mapping[str, Any], reason: str, message: str, host: str = "") -> None:
        self._record("Normal", involved, reason, message, host)

    def warning(self, involved: Mapping[str, Any], reason: str, message: str, host: str = "") -> None:
        self._record("Warning", involved, reason, message, host)

    def _record(self, kind: str, involved: Mapping[str, Any], reason: str, message: str, host: str) -> None:
        key = (involved["metadata"]["uid"], reason, message)
        if key in self._known and self._again(*self._known[key]):
            return
        metadata = involved["metadata"]
        namespace = metadata.get("namespace") or "default"
        name = f"{metadata['name']}.{time.time_ns():x}"
        source = {"component": self._component, **({"host": host} if host else {})}
        self._store.create("events", {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": involved["apiVersion"],
                "kind": involved["kind"],
                "name": metadata["name"],
                **({"namespace": metadata["namespace"]} if "namespace" in metadata else {}),
                "resourceVersion": metadata["resourceVersion"],
                "uid": metadata["uid"],
            },
            "reason": reason,
            "message": message,
            "type": kind,
            "count": 1,
            "eventTime": None,
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "reportingComponent": self._component,
            "reportingInstance": host,
            "source": source,
        })  # fmt: skip
        self._known[key] = (namespace, name)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _again(self, namespace: str, name: str) -> bool:
        """Count an event that is still there."""
        try:
            found = self._store.get("events", name, namespace)
        except ApiError:
            return False
        self._store.patch("events", name, {"count": found["count"] + 1, "lastTimestamp": now()}, namespace)
        return True


class EventExpiry:
    """Takes events away that are an hour old, and the oldest of too many: what a cluster remembers is bounded."""

    watches: frozenset[str] = frozenset()

    def __init__(self, store: Any) -> None:
        self._store = store

    def reconcile(self) -> float:
        events = sorted(self._store.scan("events"), key=_last_told)
        too_many = len(events) - _MOST
        for place, event in enumerate(events):
            if place < too_many or age(_last_told(event)) > _KEPT:
                metadata = event["metadata"]
                self._store.delete("events", metadata["name"], metadata["namespace"])
        return _KEPT / 60


def _last_told(event: Mapping[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event["metadata"]["creationTimestamp"])
