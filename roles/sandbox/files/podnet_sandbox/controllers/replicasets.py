# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ReplicaSets: as many pods as wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import by_controller, is_finished, is_ready, is_terminating, pod_of


class ReplicaSets:
    """Makes and deletes the pods of ReplicaSets, and writes their status."""

    watches = frozenset({"replicasets.apps", "pods"})

    def __init__(self, store: Any) -> None:
        self._store = store

    def reconcile(self) -> None:
        sets = self._store.scan("replicasets.apps")
        if not sets:
            return
        pods = by_controller(self._store.scan("pods"))
        for replicaset in sets:
            if not is_terminating(replicaset):
                self._reconcile(replicaset, pods.get(replicaset["metadata"]["uid"], []))

    def _reconcile(self, replicaset: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> None:
        wanted = replicaset["spec"].get("replicas", 1)
        live = [pod for pod in pods if not is_terminating(pod) and not is_finished(pod)]
        for _ignored in range(wanted - len(live)):
            self._store.create("pods", pod_of(replicaset["spec"]["template"], replicaset, {}))
        for pod in _victims(live)[: max(0, len(live) - wanted)]:
            self._store.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
        self._write_status(replicaset, live)

    def _write_status(self, replicaset: Mapping[str, Any], live: Sequence[Mapping[str, Any]]) -> None:
        ready = sum(1 for pod in live if is_ready(pod))
        status = {
            "availableReplicas": ready or None,
            "fullyLabeledReplicas": len(live) or None,
            "observedGeneration": replicaset["metadata"].get("generation", 1),
            "readyReplicas": ready or None,
            "replicas": len(live),
        }
        metadata = replicaset["metadata"]
        self._store.patch(
            "replicasets.apps", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )


def _victims(pods: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Who goes first when scaling down: not placed, not ready, youngest (as Kubernetes ranks them)."""
    newest_first = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    return sorted(newest_first, key=lambda pod: (bool(pod["spec"].get("nodeName")), is_ready(pod)))
