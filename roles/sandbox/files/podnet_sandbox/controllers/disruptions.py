# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PodDisruptionBudgets: how many of their pods may be evicted now (disruption-controller)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..api.disruption import percentage
from .objects import is_finished, is_ready, is_terminating, matches_labels, set_condition

Object = Mapping[str, Any]

_NAME = "poddisruptionbudgets.policy"
#: Kinds with a size of their own, by which a budget in per cent or of maxUnavailable is counted.
_SIZED = {"Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps", "StatefulSet": "statefulsets.apps"}


class Disruptions:
    """Writes the status of PodDisruptionBudgets; the eviction itself is the API's."""

    watches = frozenset({_NAME, "pods", *_SIZED.values()})

    def __init__(self, store: Any) -> None:
        self._store = store

    def reconcile(self) -> None:
        for budget in self._store.scan(_NAME):
            if not is_terminating(budget):
                self._reconcile(budget)

    def _reconcile(self, budget: Object) -> None:
        namespace, spec = budget["metadata"]["namespace"], budget["spec"]
        selector = spec.get("selector")
        pods = [
            pod for pod in self._store.scan("pods", namespace)
            if selector is not None and not is_finished(pod) and (selector == {} or matches_labels(selector, pod["metadata"].get("labels")))
        ]  # fmt: skip
        disrupted = (budget.get("status") or {}).get("disruptedPods") or {}
        going = {pod["metadata"]["name"] for pod in pods if is_terminating(pod)}
        healthy = sum(1 for pod in pods if is_ready(pod) and not is_terminating(pod) and pod["metadata"]["name"] not in disrupted)
        expected, desired = self._counts(spec, pods)
        allowed = max(0, healthy - desired) if expected else 0
        condition = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        names = {pod["metadata"]["name"] for pod in pods} - going
        status = {
            "conditions": set_condition((budget.get("status") or {}).get("conditions") or (), condition),
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptedPods": {name: moment if name in names else None for name, moment in disrupted.items()} or None,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        self._store.patch(_NAME, budget["metadata"]["name"], {"status": status}, namespace, subresource="status")

    def _counts(self, spec: Mapping[str, Any], pods: Sequence[Object]) -> tuple[int, int]:
        """(how many pods there are to be, how many of them have to be healthy)."""
        minimum, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most is not None:
            expected = self._size(pods)
            return expected, max(0, expected - percentage(most, expected))
        if isinstance(minimum, str):
            expected = self._size(pods)
            return expected, percentage(minimum, expected)
        return len(pods), int(minimum or 0)

    def _size(self, pods: Sequence[Object]) -> int:
        """What the controllers of the pods want together; a pod without one counts for itself."""
        sizes: dict[str, int] = {}
        for pod in pods:
            owner = next((ref for ref in pod["metadata"].get("ownerReferences") or () if ref.get("controller")), None)
            found = self._owner(owner, pod["metadata"]["namespace"]) if owner else None
            if found is None:
                sizes[pod["metadata"]["uid"]] = 1
            else:
                sizes[found["metadata"]["uid"]] = found["spec"].get("replicas", 1)
        return sum(sizes.values())

    def _owner(self, reference: Mapping[str, Any], namespace: str) -> Object | None:
        """The workload with a size: a Deployment rather than its ReplicaSets."""
        kind = _SIZED.get(reference["kind"])
        found = self._store.find(kind, reference["name"], namespace) if kind else None
        above = next((r for r in (found or {}).get("metadata", {}).get("ownerReferences") or () if r.get("controller")), None)
        return self._owner(above, namespace) or found if above else found
