# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments: one ReplicaSet per template, and the move from the old ones to the new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import count_of, is_owned, is_terminating, now, owner_reference, set_condition, template_hash

_HASH_LABEL = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"


class Deployments:
    """Scales the ReplicaSets of Deployments, and writes their status."""

    watches = frozenset({"deployments.apps", "replicasets.apps"})

    def __init__(self, store: Any) -> None:
        self._store = store

    def reconcile(self) -> None:
        deployments = self._store.scan("deployments.apps")
        if not deployments:
            return
        replicasets = self._store.scan("replicasets.apps")
        for deployment in deployments:
            if not is_terminating(deployment):
                self._reconcile(deployment, [owned for owned in replicasets if is_owned(owned, deployment)])

    def _reconcile(self, deployment: Mapping[str, Any], owned: Sequence[dict[str, Any]]) -> None:
        digest = template_hash(deployment["spec"]["template"])
        current = next((item for item in owned if item["metadata"]["labels"].get(_HASH_LABEL) == digest), None)
        old = [item for item in owned if item is not current]
        if current is None:
            current = self._store.create("replicasets.apps", _replicaset(deployment, digest, _next_revision(owned)))
        self._mark_revision(deployment, current)
        if not deployment["spec"].get("paused"):
            self._scale(deployment, current, old)
        self._prune(deployment, old)
        self._write_status(deployment, current, old)

    def _scale(self, deployment: Mapping[str, Any], current: Mapping[str, Any], old: Sequence[Any]) -> None:
        wanted = deployment["spec"].get("replicas", 1)
        surge, unavailable = _limits(deployment, wanted)
        old_size = sum(item["spec"]["replicas"] for item in old)
        room = max(0, wanted + surge - old_size)
        self._set_replicas(current, min(wanted, max(room, current["spec"]["replicas"] if old_size else 0)))
        available = (current.get("status") or {}).get("availableReplicas") or 0
        available += sum((item.get("status") or {}).get("availableReplicas") or 0 for item in old)
        spare = max(0, available - (wanted - unavailable))
        for item in old:
            unready = item["spec"]["replicas"] - ((item.get("status") or {}).get("availableReplicas") or 0)
            cut = min(item["spec"]["replicas"], unready + spare)
            spare -= max(0, cut - unready)
            self._set_replicas(item, item["spec"]["replicas"] - cut)

    def _set_replicas(self, replicaset: Mapping[str, Any], count: int) -> None:
        if replicaset["spec"]["replicas"] != count:
            metadata = replicaset["metadata"]
            patch = {"spec": {"replicas": count}}
            self._store.patch("replicasets.apps", metadata["name"], patch, metadata["namespace"])

    def _mark_revision(self, deployment: Mapping[str, Any], current: Mapping[str, Any]) -> None:
        revision = current["metadata"]["annotations"][_REVISION]
        if (deployment["metadata"].get("annotations") or {}).get(_REVISION) != revision:
            metadata = deployment["metadata"]
            patch = {"metadata": {"annotations": {_REVISION: revision}}}
            self._store.patch("deployments.apps", metadata["name"], patch, metadata["namespace"])

    def _prune(self, deployment: Mapping[str, Any], old: Sequence[Mapping[str, Any]]) -> None:
        """Keep revisionHistoryLimit empty ReplicaSets, the youngest."""
        empty = [item for item in old if not item["spec"]["replicas"] and not (item.get("status") or {}).get("replicas")]
        empty.sort(key=lambda item: int(item["metadata"]["annotations"][_REVISION]), reverse=True)
        for item in empty[deployment["spec"].get("revisionHistoryLimit", 10) :]:
            self._store.delete("replicasets.apps", item["metadata"]["name"], item["metadata"]["namespace"])

    def _write_status(
        self, deployment: Mapping[str, Any], current: Mapping[str, Any], old: Sequence[Mapping[str, Any]]
    ) -> None:
        wanted = deployment["spec"].get("replicas", 1)
        statuses = [item.get("status") or {} for item in (current, *old)]
        available = sum(status.get("availableReplicas") or 0 for status in statuses)
        replicas = sum(status.get("replicas") or 0 for status in statuses)
        updated = statuses[0].get("replicas") or 0
        enough = available >= wanted - _limits(deployment, wanted)[1]
        done = updated == wanted == available and replicas == updated
        before = (deployment.get("status") or {}).get("conditions") or []
        metadata = deployment["metadata"]
        status = {
            "availableReplicas": available or None,
            "conditions": _conditions(before, enough, done, current["metadata"]["name"]),
            "observedGeneration": metadata.get("generation", 1),
            "readyReplicas": available or None,
            "replicas": replicas or None,
            "unavailableReplicas": max(0, wanted - available) or None,
            "updatedReplicas": updated or None,
        }
        self._store.patch(
            "deployments.apps", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )


def _limits(deployment: Mapping[str, Any], wanted: int) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods; Recreate takes all old ones away first."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0, wanted
    rolling = strategy.get("rollingUpdate") or {}
    surge = count_of(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = count_of(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return surge, unavailable if surge or unavailable else 1


def _next_revision(owned: Sequence[Mapping[str, Any]]) -> int:
    return 1 + max((int(item["metadata"]["annotations"][_REVISION]) for item in owned), default=0)


def _replicaset(deployment: Mapping[str, Any], digest: str, revision: int) -> dict[str, Any]:
    spec = deployment["spec"]
    template_metadata = spec["template"].get("metadata") or {}
    labels = {**(template_metadata.get("labels") or {}), _HASH_LABEL: digest}
    match = {**(spec["selector"].get("matchLabels") or {}), _HASH_LABEL: digest}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{deployment['metadata']['name']}-{digest}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": labels,
            "annotations": {_REVISION: str(revision)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": {**spec["selector"], "matchLabels": match},
            "template": {**spec["template"], "metadata": {**template_metadata, "labels": labels}},
        },
    }


def _conditions(before: Sequence[Any], enough: bool, done: bool, replicaset: str) -> list[dict[str, Any]]:
    available = {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
    }
    progressing = {
        "type": "Progressing",
        "status": "True",
        "reason": "NewReplicaSetAvailable" if done else "ReplicaSetUpdated",
        "message": f'ReplicaSet "{replicaset}" ' + ("has successfully progressed." if done else "is progressing."),
    }
    result = list(before)
    for new in (available, progressing):
        old = next((entry for entry in before if entry["type"] == new["type"]), {})
        same = all(old.get(key) == value for key, value in new.items())
        result = set_condition(result, {**new, "lastUpdateTime": old["lastUpdateTime"] if same else now()})
    return result
