# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TigeraStatus, and the conditions of Installation and APIServer: what `kubectl get tigerastatus` shows.

Source: calico-facts 7.3 and recording vxlancrosssubnet-operator; healthy is Available and neither of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...api.errors import ApiError
from ..objects import set_condition

STATUSES = "tigerastatuses.operator.tigera.io"
_AVAILABLE = "All objects available"


class Health(NamedTuple):
    """One component's state: what it waits for, and what is wrong. Neither: it is available."""

    awaiting: str = ""
    fault: str = ""
    reason: str = "ResourceNotReady"

    @property
    def available(self) -> bool:
        return not (self.awaiting or self.fault)


def of_workloads(workloads: Sequence[Mapping[str, Any]]) -> Health:
    """Waits for the first workload that is not all there, in the operator's words."""
    for workload in workloads:
        name = f"{workload['metadata']['namespace']}/{workload['metadata']['name']}"
        status = workload.get("status") or {}
        if workload["kind"] == "DaemonSet":
            missing, unit = _missing_nodes(workload, status), "nodes"
        else:
            missing, unit = workload["spec"]["replicas"] - (status.get("availableReplicas") or 0), "replicas"
        if missing > 0:
            return Health(awaiting=f'{workload["kind"]} "{name}" is not available (awaiting {missing} {unit})')
    return Health()


def write(store: Any, name: str, health: Health, generation: int) -> None:
    """Create or update the TigeraStatus ``name``."""
    found = _get(store, STATUSES, name)
    if found is None:
        blank = {"apiVersion": "operator.tigera.io/v1", "kind": "TigeraStatus", "metadata": {"name": name}, "spec": {}}
        found = store.create(STATUSES, blank)
    before = (found.get("status") or {}).get("conditions") or []
    status = {"conditions": conditions(before, health, generation, "Available")}
    store.patch(STATUSES, name, {"status": status}, subresource="status")


def conditions(
    before: Sequence[Mapping[str, Any]], health: Health, generation: int, positive: str
) -> list[dict[str, Any]]:
    """Degraded, ``positive`` (Available or Ready) and Progressing for ``health``."""
    good = {"message": _AVAILABLE, "observedGeneration": generation, "reason": "AllObjectsAvailable"}
    bad = {"message": health.fault or health.awaiting, "observedGeneration": generation, "reason": health.reason}
    result = list(before)
    for kind, holds in (
        ("Degraded", bool(health.fault)),
        (positive, health.available),
        ("Progressing", bool(health.awaiting)),
    ):
        words = good if health.available else bad
        if not health.available and kind != positive and not holds:
            words = {**bad, "message": "", "reason": "NotApplicable"}
        result = set_condition(result, {"type": kind, "status": "True" if holds else "False", **words})
    return result


def _missing_nodes(workload: Mapping[str, Any], status: Mapping[str, Any]) -> int:
    """Nodes without an available and up-to-date pod; all of them before the controller has looked."""
    if status.get("observedGeneration") != workload["metadata"].get("generation", 1):
        return max(1, status.get("desiredNumberScheduled") or 0)
    wanted = status.get("desiredNumberScheduled") or 0
    return max(wanted - (status.get("numberAvailable") or 0), wanted - (status.get("updatedNumberScheduled") or 0))


def _get(store: Any, res: str, name: str) -> dict[str, Any] | None:
    try:
        return store.get(res, name)
    except ApiError as error:
        if error.code != 404:
            raise
        return None
