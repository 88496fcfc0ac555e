# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ReplicaSets: as many pods as wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import (
    by_controller,
    is_finished,
    is_ready,
    is_terminating,
    matches_labels,
    owner_reference,
    pod_of,
    unavailable_for,
)
from .pod_control import LETTING_IN, PodControl

Object = Mapping[str, Any]


class ReplicaSets:
    """Makes, adopts and deletes the pods of ReplicaSets, and writes their status."""

    watches = frozenset({"replicasets.apps", "pods"}) | LETTING_IN

    def __init__(self, store: Any) -> None:
        self._store = store
        self._control = PodControl(store, "replicaset-controller")

    def reconcile(self) -> float | None:
        sets = self._store.scan("replicasets.apps")
        if not sets:
            return None
        pods = self._store.scan("pods")
        owned, orphans = by_controller(pods), [pod for pod in pods if _is_orphan(pod)]
        waits = [
            self._reconcile(replicaset, [*owned.get(replicaset["metadata"]["uid"], ()), *self._adopt(replicaset, orphans)])
            for replicaset in sets
            if not is_terminating(replicaset)
        ]
        return min((wait for wait in waits if wait), default=None)

    def _adopt(self, replicaset: Object, orphans: Sequence[Object]) -> list[Object]:
        """Pods that nobody owns and the selector means are the ReplicaSet's from now on."""
        namespace, adopted = replicaset["metadata"]["namespace"], []
        for pod in orphans:
            metadata = pod["metadata"]
            if metadata["namespace"] == namespace and matches_labels(replicaset["spec"]["selector"], metadata.get("labels")):
                patch = {"metadata": {"ownerReferences": [owner_reference(replicaset)]}}
                adopted.append(self._store.patch("pods", metadata["name"], patch, namespace))
        return adopted

    def _reconcile(self, replicaset: Object, pods: Sequence[Object]) -> float | None:
        wanted = replicaset["spec"].get("replicas", 1)
        live = [pod for pod in pods if not is_terminating(pod) and not is_finished(pod)]
        for _ignored in range(wanted - len(live)):
            if not self._control.create(replicaset, pod_of(replicaset["spec"]["template"], replicaset, {})):
                break
        for pod in _victims(live)[: max(0, len(live) - wanted)]:
            self._control.delete(replicaset, pod)
        return self._write_status(replicaset, live)

    def _write_status(self, replicaset: Object, live: Sequence[Object]) -> float | None:
        """Seconds until a pod that is ready counts as available, if any has to wait for that."""
        waits = [unavailable_for(pod, replicaset["spec"].get("minReadySeconds", 0)) for pod in live]
        status = {
            "availableReplicas": sum(1 for wait in waits if wait == 0) or None,
            "fullyLabeledReplicas": len(live) or None,
            "observedGeneration": replicaset["metadata"].get("generation", 1),
            "readyReplicas": sum(1 for pod in live if is_ready(pod)) or None,
            "replicas": len(live),
        }
        metadata = replicaset["metadata"]
        self._store.patch(
            "replicasets.apps", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        return min((wait for wait in waits if wait), default=None)


def _is_orphan(pod: Object) -> bool:
    references = pod["metadata"].get("ownerReferences") or ()
    return not any(reference.get("controller") for reference in references) and not is_terminating(pod) and not is_finished(pod)


def _victims(pods: Sequence[Object]) -> list[Object]:
    """Who goes first when scaling down: not placed, not ready, youngest (as Kubernetes ranks them)."""
    newest_first = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    return sorted(newest_first, key=lambda pod: (bool(pod["spec"].get("nodeName")), is_ready(pod)))
