# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""May this pod be evicted? PodDisruptionBudgets are asked here, where the eviction is, as in the real API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .clock import now
from .errors import ApiError, internal
from .selectors import label_match
from .tables.cells import selector_text

if TYPE_CHECKING:
    from .store import Store

_NAME, _TARGET = "poddisruptionbudgets.policy", "DisruptionTarget"
Object = Mapping[str, Any]


def percentage(value: Any, total: int) -> int:
    """A number, or a percentage of ``total``, rounded up."""
    text = str(value)
    return -(-int(text[:-1]) * total // 100) if text.endswith("%") else int(text)


def check_budget(store: Store, pod: Object, *, dry_run: bool) -> None:
    """Take one disruption of the pod's budget. Raises `ApiError` 429 where it has none left, 500 where it has two budgets.

    A pod that does not run, or does not have its budget's health anyway, costs nothing.
    """
    metadata = pod["metadata"]
    if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed", "Pending") or metadata.get("deletionTimestamp"):
        return
    budgets = [
        budget for budget in store.scan(_NAME, metadata["namespace"])
        if _selects((budget.get("spec") or {}).get("selector"), metadata.get("labels") or {})
    ]  # fmt: skip
    if not budgets:
        return
    if len(budgets) > 1:
        raise internal("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
    (budget,) = budgets
    status = budget.get("status") or {}
    if not _is_ready(pod) and _evictable_unhealthy(budget, status):
        return
    if (status.get("observedGeneration") or 0) < budget["metadata"].get("generation", 0):
        why = f"The disruption budget {budget['metadata']['name']} is still being processed by the server."
        raise _refused(why, {"retryAfterSeconds": 10})
    if status.get("disruptionsAllowed", 0) < 1:
        name, wanted, healthy = budget["metadata"]["name"], status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        why = f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
        raise _refused(why)
    if not dry_run:
        disrupted = {**(status.get("disruptedPods") or {}), metadata["name"]: now()}
        change = {"disruptionsAllowed": status["disruptionsAllowed"] - 1, "disruptedPods": disrupted}
        store.patch(_NAME, budget["metadata"]["name"], {"status": change}, metadata["namespace"], subresource="status")


def mark_evicted(store: Store, pod: Object) -> None:
    """Say in its conditions why it ends: a Job's podFailurePolicy looks for that."""
    metadata = pod["metadata"]
    condition = {
        "type": _TARGET, "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
        "lastTransitionTime": now(),
    }  # fmt: skip
    others = [each for each in (pod.get("status") or {}).get("conditions") or () if each["type"] != _TARGET]
    change = {"status": {"conditions": [*others, condition]}}
    store.patch("pods", metadata["name"], change, metadata["namespace"], subresource="status")


def _evictable_unhealthy(budget: Object, status: Object) -> bool:
    """unhealthyPodEvictionPolicy: by default an unhealthy pod may go only where the budget is met without it."""
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) and status.get("desiredHealthy", 0) > 0)


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _selects(selector: Object | None, labels: Mapping[str, str]) -> bool:
    """An empty selector means all pods of the namespace, a missing one none."""
    if not selector:
        return selector is not None
    match = label_match(selector_text(selector))
    return match is None or match(labels)


def _refused(why: str, more: Mapping[str, Any] | None = None) -> ApiError:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return ApiError(429, "TooManyRequests", message, {"causes": [{"reason": "DisruptionBudget", "message": why}], **(more or {})})
