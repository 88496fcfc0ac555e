# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binds pods to nodes: filter as kube-scheduler does, then spread each owner's pods, then the emptiest node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..events import EventRecorder
from ..objects import is_finished, is_terminating, set_condition
from .affinity import affinity_refusal, spread_refusal
from .placement import port_conflict, refusal
from .resources import requested, shortages
from .view import ClusterView

Object = Mapping[str, Any]

_OWN_NAME = "default-scheduler"
_UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
_OF_VOLUMES = ("pod has unbound", "persistentvolumeclaim ")
#: Refusals that taking other pods away could mend.
_MENDED_BY_ROOM = (
    "Insufficient", "Too many pods", "node(s) didn't have free ports", "node(s) didn't match pod anti-affinity",
    "node(s) didn't satisfy existing pods anti-affinity", "node(s) didn't match pod topology spread constraints",
)  # fmt: skip


class Scheduler:
    """Places pods that have no nodeName; one that fits nowhere is looked at again when a node or pod changes."""

    watches = frozenset({"pods", "nodes", "persistentvolumeclaims"})

    def __init__(self, store: Any) -> None:
        self._store = store
        self._events = EventRecorder(store, _OWN_NAME)

    def reconcile(self) -> None:
        pods = self._store.scan("pods")
        waiting = [pod for pod in pods if _waits(pod)]
        if not waiting:
            return
        placed = (pod for pod in pods if pod["spec"].get("nodeName") and not is_finished(pod))
        view = ClusterView(self._store.scan("nodes"), placed)
        for pod in sorted(waiting, key=lambda each: -each["spec"].get("priority", 0)):
            fitting, reasons = self._filter(pod, view)
            if fitting:
                chosen = view.best(pod, fitting)
                self._bind(pod, chosen)
                view.place(pod, chosen)
            else:
                self._report(pod, len(view.nodes), reasons)

    def _filter(self, pod: Object, view: ClusterView) -> tuple[list[str], list[list[str]]]:
        """(names of the nodes where it may be, why not of each other one)."""
        claim = self._missing_claim(pod)
        if claim:
            return [], [[claim]]
        wanted = requested(pod)
        spread = spread_refusal(pod, view.nodes, view.placed)
        affinity = affinity_refusal(pod, view.nodes, view.placed, view.repelling)
        fitting: list[str] = []
        reasons: list[list[str]] = []
        for name, node in view.nodes.items():
            why = refusal(pod["spec"], node) or port_conflict(pod, view.by_node[name])
            found = [why] if why else shortages(wanted, view.room(node)) or [each for each in [spread(node) or affinity(node)] if each]
            if found:
                reasons.append(found)
            else:
                fitting.append(name)
        return fitting, reasons

    def _missing_claim(self, pod: Object) -> str | None:
        """Nothing here provides volumes: a claim that is there waits for ever, as in a cluster without a StorageClass."""
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if name:
                found = self._store.find("persistentvolumeclaims", name, pod["metadata"]["namespace"])
                return _UNBOUND if found is not None else f'persistentvolumeclaim "{name}" not found'
        return None

    def _bind(self, pod: Object, node: str) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._store.patch("pods", name, {"spec": {"nodeName": node}}, namespace)
        self._status(pod, {"type": "PodScheduled", "status": "True", "lastProbeTime": None})
        self._events.normal(pod, "Scheduled", f"Successfully assigned {namespace}/{name} to {node}")

    def _report(self, pod: Object, nodes: int, reasons: Sequence[Sequence[str]]) -> None:
        message = _message(nodes, reasons)
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        if self._status(pod, {**condition, "lastProbeTime": None}):
            self._events.warning(pod, "FailedScheduling", message)

    def _status(self, pod: Object, condition: Mapping[str, Any]) -> bool:
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


def _waits(pod: Object) -> bool:
    """Not placed, not going, and this scheduler's business."""
    spec = pod["spec"]
    mine = spec.get("schedulerName", _OWN_NAME) == _OWN_NAME
    return mine and not spec.get("nodeName") and not is_terminating(pod) and not spec.get("schedulingGates")


def _message(nodes: int, reasons: Sequence[Sequence[str]]) -> str:
    """As kube-scheduler counts reasons. Nobody is ever preempted here."""
    if not nodes:
        return "no nodes available to schedule pods"
    head = f"0/{nodes} nodes are available: "
    if reasons[0][0].startswith(_OF_VOLUMES):
        return f"{head}{reasons[0][0]}. preemption: {head}{nodes} Preemption is not helpful for scheduling."
    counted = Counter(reason for each in reasons for reason in each)
    mended = sum(1 for each in reasons if each[0].startswith(_MENDED_BY_ROOM))
    preemption = {"No preemption victims found for incoming pod": mended, "Preemption is not helpful for scheduling": nodes - mended}
    return f"{head}{_listed(counted)}. preemption: {head}{_listed(preemption)}."


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{number} {reason}" for reason, number in counted.items() if number))
