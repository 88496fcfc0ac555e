# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments: one ReplicaSet per template, and the move from the old ones to the new (deployment-controller)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .deployment_status import conditions, is_complete, limits
from .events import EventRecorder
from .objects import by_controller, is_terminating, owner_reference, template_hash

_HASH_LABEL = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"
_DESIRED, _MOST = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
#: Annotations of a Deployment that are its own: all others go to its ReplicaSet, so that a rollout's history has its cause.
_OWN = ("kubectl.kubernetes.io/last-applied-configuration", _REVISION, _DESIRED, _MOST)

Object = Mapping[str, Any]


class Deployments:
    """Scales the ReplicaSets of Deployments, and writes their status."""

    watches = frozenset({"deployments.apps", "replicasets.apps", "pods"})

    def __init__(self, store: Any) -> None:
        self._store = store
        self._events = EventRecorder(store, "deployment-controller")

    def reconcile(self) -> float | None:
        deployments = self._store.scan("deployments.apps")
        if not deployments:
            return None
        owned, pods = by_controller(self._store.scan("replicasets.apps")), by_controller(self._store.scan("pods"))
        waits = [
            self._reconcile(deployment, owned.get(deployment["metadata"]["uid"], []), pods)
            for deployment in deployments
            if not is_terminating(deployment)
        ]
        return min((wait for wait in waits if wait), default=None)

    def _reconcile(self, deployment: Object, owned: Sequence[Object], pods: Mapping[str, Sequence[Object]]) -> float | None:
        digest = template_hash(deployment["spec"]["template"])
        current = next((item for item in owned if item["metadata"]["labels"].get(_HASH_LABEL) == digest), None)
        old = [item for item in owned if item is not current]
        paused = bool(deployment["spec"].get("paused"))
        if current is None and not paused:
            current = self._store.create("replicasets.apps", _replicaset(deployment, digest, _next_revision(owned)))
        if current is not None:
            current = self._mark(deployment, current, old)
        if paused:
            self._resize(deployment, current, old)
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            self._recreate(deployment, current, old, pods)
        else:
            self._roll(deployment, current, old)
        self._prune(deployment, old)
        return self._write_status(deployment, current, old)

    def _roll(self, deployment: Object, current: Object, old: Sequence[Object]) -> None:
        """New ones as far as maxSurge lets them, then old ones: first those that are not available, then as maxUnavailable lets."""
        wanted = deployment["spec"].get("replicas", 1)
        surge, unavailable = limits(deployment)
        size = current["spec"]["replicas"]
        total = size + sum(item["spec"]["replicas"] for item in old)
        if size > wanted:
            self._set_replicas(deployment, current, wanted)
            size = wanted
        elif size < wanted:
            grown = min(wanted, size + max(0, wanted + surge - total))
            self._set_replicas(deployment, current, grown)
            size = grown
        new_unavailable = size - min(size, _available(current))
        spare = max(0, size + sum(item["spec"]["replicas"] for item in old) - (wanted - unavailable) - new_unavailable)
        if not spare:
            return
        for item in sorted(old, key=lambda each: each["metadata"]["creationTimestamp"]):
            broken = min(item["spec"]["replicas"] - min(item["spec"]["replicas"], _available(item)), spare)
            self._set_replicas(deployment, item, item["spec"]["replicas"] - broken)
            spare -= broken
        old = [self._store.get("replicasets.apps", item["metadata"]["name"], item["metadata"]["namespace"]) for item in old]
        available = _available(current) + sum(_available(item) for item in old)
        spare = max(0, available - (wanted - unavailable))
        for item in sorted(old, key=lambda each: each["metadata"]["creationTimestamp"]):
            cut = min(item["spec"]["replicas"], spare)
            self._set_replicas(deployment, item, item["spec"]["replicas"] - cut)
            spare -= cut

    def _recreate(
        self, deployment: Object, current: Object, old: Sequence[Object], pods: Mapping[str, Sequence[Object]]
    ) -> None:
        """No new pod before the last old one is gone."""
        for item in old:
            self._set_replicas(deployment, item, 0)
        if not any(pods.get(item["metadata"]["uid"]) for item in old):
            self._set_replicas(deployment, current, deployment["spec"].get("replicas", 1))

    def _resize(self, deployment: Object, current: Object | None, old: Sequence[Object]) -> None:
        """A paused Deployment keeps its templates; another size is the largest ReplicaSet's to take."""
        everyone = [*([current] if current else []), *old]
        total, wanted = sum(item["spec"]["replicas"] for item in everyone), deployment["spec"].get("replicas", 1)
        if everyone and total != wanted:
            largest = max(everyone, key=lambda item: item["spec"]["replicas"])
            self._set_replicas(deployment, largest, max(0, largest["spec"]["replicas"] + wanted - total))

    def _set_replicas(self, deployment: Object, replicaset: Object, count: int) -> None:
        before, metadata = replicaset["spec"]["replicas"], replicaset["metadata"]
        if before == count:
            return
        patch = {"spec": {"replicas": count}, "metadata": {"annotations": _sizes(deployment)}}
        self._store.patch("replicasets.apps", metadata["name"], patch, metadata["namespace"])
        what = f"Scaled {'up' if count > before else 'down'} replica set {metadata['name']} from {before} to {count}"
        self._events.normal(deployment, "ScalingReplicaSet", what)

    def _mark(self, deployment: Object, current: Object, old: Sequence[Object]) -> Object:
        """The current ReplicaSet has the highest revision, also one that is current once more; the Deployment shows it."""
        revision = int(current["metadata"]["annotations"][_REVISION])
        if old and revision < _next_revision(old):
            revision = _next_revision([*old, current])
        passed_on = {key: value for key, value in (deployment["metadata"].get("annotations") or {}).items() if key not in _OWN}
        annotations = {**passed_on, _REVISION: str(revision)}
        if any(current["metadata"]["annotations"].get(key) != value for key, value in annotations.items()):
            metadata = current["metadata"]
            current = self._store.patch(
                "replicasets.apps", metadata["name"], {"metadata": {"annotations": annotations}}, metadata["namespace"]
            )
        if (deployment["metadata"].get("annotations") or {}).get(_REVISION) != str(revision):
            metadata = deployment["metadata"]
            patch = {"metadata": {"annotations": {_REVISION: str(revision)}}}
            self._store.patch("deployments.apps", metadata["name"], patch, metadata["namespace"])
        return current

    def _prune(self, deployment: Object, old: Sequence[Object]) -> None:
        """Keep revisionHistoryLimit empty ReplicaSets, the youngest."""
        empty = [item for item in old if not item["spec"]["replicas"] and not (item.get("status") or {}).get("replicas")]
        empty.sort(key=lambda item: int(item["metadata"]["annotations"][_REVISION]), reverse=True)
        for item in empty[deployment["spec"].get("revisionHistoryLimit", 10) :]:
            self._store.delete("replicasets.apps", item["metadata"]["name"], item["metadata"]["namespace"])

    def _write_status(self, deployment: Object, current: Object | None, old: Sequence[Object]) -> float | None:
        metadata = deployment["metadata"]
        statuses = [item.get("status") or {} for item in ([current] if current else []) + list(old)]
        sums = {key: sum(status.get(key) or 0 for status in statuses) for key in ("replicas", "readyReplicas", "availableReplicas")}
        updated = ((current or {}).get("status") or {}).get("replicas") or 0
        total = sum(item["spec"]["replicas"] for item in ([current] if current else []) + list(old))
        status: dict[str, Any] = {
            **{key: value or None for key, value in sums.items()},
            "observedGeneration": metadata.get("generation", 1),
            "unavailableReplicas": max(0, total - sums["availableReplicas"]) or None,
            "updatedReplicas": updated or None,
        }
        name = current["metadata"]["name"] if current else ""
        status["conditions"], again = conditions(deployment, status, name, done=is_complete(deployment, status))
        self._store.patch(
            "deployments.apps", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        return again


def _available(replicaset: Object) -> int:
    return int((replicaset.get("status") or {}).get("availableReplicas") or 0)


def _next_revision(owned: Sequence[Object]) -> int:
    return 1 + max((int(item["metadata"]["annotations"][_REVISION]) for item in owned), default=0)


def _sizes(deployment: Object) -> dict[str, str]:
    wanted = deployment["spec"].get("replicas", 1)
    return {_DESIRED: str(wanted), _MOST: str(wanted + limits(deployment)[0])}


def _replicaset(deployment: Object, digest: str, revision: int) -> dict[str, Any]:
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
            "annotations": {**_sizes(deployment), _REVISION: str(revision)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            "selector": {**spec["selector"], "matchLabels": match},
            "template": {**spec["template"], "metadata": {**template_metadata, "labels": labels}},
        },
    }
