# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets: one pod on every node that the template may run on, rolled node by node when the template changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import (
    by_controller,
    count_of,
    is_finished,
    is_ready,
    is_terminating,
    pod_of,
    unavailable_for,
)
from .pod_control import LETTING_IN, PodControl
from .revisions import HASH_LABEL, current_revision, hash_of
from .scheduling.placement import selects_node, untolerated

#: What the DaemonSet controller adds to every pod's tolerations (the last one for host-network pods only).
_EXECUTE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SCHEDULE = tuple(
    f"node.kubernetes.io/{name}" for name in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
)


class DaemonSets:
    """Makes and deletes the pods of DaemonSets, and writes their status."""

    watches = frozenset({"daemonsets.apps", "pods", "nodes"}) | LETTING_IN

    def __init__(self, store: Any) -> None:
        self._store = store
        self._control = PodControl(store, "daemonset-controller")

    def reconcile(self) -> float | None:
        sets = self._store.scan("daemonsets.apps")
        if not sets:
            return None
        nodes, pods = self._store.scan("nodes"), by_controller(self._store.scan("pods"))
        waits = [
            self._reconcile(daemonset, nodes, pods.get(daemonset["metadata"]["uid"], []))
            for daemonset in sets
            if not is_terminating(daemonset)
        ]
        return min((wait for wait in waits if wait), default=None)

    def _reconcile(
        self, daemonset: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]
    ) -> float | None:
        in_use = [pod["metadata"]["labels"].get(HASH_LABEL, "") for pod in pods]
        revision = hash_of(current_revision(self._store, daemonset, in_use))
        eligible = [node["metadata"]["name"] for node in nodes if _may_run(daemonset, node)]
        tolerated = {node["metadata"]["name"] for node in nodes if _may_run(daemonset, node, ("NoExecute",))}
        by_node: dict[str, list[Mapping[str, Any]]] = {}
        for pod in pods:
            by_node.setdefault(_target(pod), []).append(pod)
        surge = _surge(daemonset, len(eligible))
        for node in eligible:
            live = [pod for pod in by_node.get(node, ()) if not is_terminating(pod)]
            for pod in [pod for pod in live if is_finished(pod)] + _too_many(live, revision, surging=surge > 0):
                self._control.delete(daemonset, pod)
            if not by_node.get(node):
                self._control.create(daemonset, _pod(daemonset, node, revision))
        for node in sorted(set(by_node) - tolerated):  # a taint of effect NoSchedule lets those stay that are there
            for pod in by_node[node]:
                self._control.delete(daemonset, pod)
        if daemonset["spec"].get("updateStrategy", {}).get("type", "RollingUpdate") == "RollingUpdate":
            if surge:
                self._roll_over(daemonset, eligible, by_node, revision, surge)
            else:
                self._roll(daemonset, eligible, by_node, revision)
        return self._write_status(daemonset, eligible, by_node, revision)

    def _roll(
        self,
        daemonset: Mapping[str, Any],
        eligible: Sequence[str],
        by_node: Mapping[str, Sequence[Mapping[str, Any]]],
        revision: str,
    ) -> None:
        """Delete outdated pods, never more than maxUnavailable nodes without a ready one at a time."""
        rolling = daemonset["spec"].get("updateStrategy", {}).get("rollingUpdate") or {}
        budget = max(1, count_of(rolling.get("maxUnavailable", 1), len(eligible), up=True))
        outdated = []
        for node in eligible:
            live = [pod for pod in by_node.get(node, ()) if not is_terminating(pod)]
            old = [pod for pod in live if pod["metadata"]["labels"].get(HASH_LABEL) != revision]
            if not any(is_ready(pod) for pod in live):
                budget -= 1
                for pod in old:
                    self._control.delete(daemonset, pod)
            else:
                outdated += old
        for pod in outdated[: max(0, budget)]:
            self._control.delete(daemonset, pod)

    def _roll_over(
        self,
        daemonset: Mapping[str, Any],
        eligible: Sequence[str],
        by_node: Mapping[str, Sequence[Mapping[str, Any]]],
        revision: str,
        surge: int,
    ) -> None:
        """New pods beside old ones, on at most ``surge`` nodes at a time, which go when the new ones are available; an old one that is
        not available is not waited for.
        """
        wait = daemonset["spec"].get("minReadySeconds", 0)
        waiting, beside, instead = 0, [], []
        for node in eligible:
            live = [pod for pod in by_node.get(node, ()) if not is_terminating(pod) and not is_finished(pod)]
            new = next((pod for pod in live if pod["metadata"]["labels"].get(HASH_LABEL) == revision), None)
            old = next((pod for pod in live if pod["metadata"]["labels"].get(HASH_LABEL) != revision), None)
            if old is None:
                continue
            if new is None:
                (beside if unavailable_for(old, wait) == 0 else instead).append(node)
            elif unavailable_for(new, wait) == 0:
                self._control.delete(daemonset, old)
            else:
                waiting += 1
        for node in [*instead, *beside[: max(0, surge - waiting)]]:
            self._control.create(daemonset, _pod(daemonset, node, revision))

    def _write_status(
        self,
        daemonset: Mapping[str, Any],
        eligible: Sequence[str],
        by_node: Mapping[str, Sequence[Mapping[str, Any]]],
        revision: str,
    ) -> float | None:
        live = [[pod for pod in by_node.get(node, ()) if not is_terminating(pod)] for node in eligible]
        running = [min(pods, key=_age) for pods in live if pods]  # of two on a node, the older one is its pod
        ready = sum(1 for pod in running if is_ready(pod))
        waits = [unavailable_for(pod, daemonset["spec"].get("minReadySeconds", 0)) for pod in running]
        available = sum(1 for wait in waits if wait == 0)
        updated = sum(1 for pod in running if pod["metadata"]["labels"].get(HASH_LABEL) == revision)
        status = {
            "currentNumberScheduled": len({_target(pod) for pod in running}),
            "desiredNumberScheduled": len(eligible),
            "numberAvailable": available or None,
            "numberMisscheduled": sum(len(by_node[node]) for node in set(by_node) - set(eligible)),
            "numberReady": ready,
            "numberUnavailable": len(eligible) - available or None,
            "observedGeneration": daemonset["metadata"].get("generation", 1),
            "updatedNumberScheduled": updated or None,
        }
        metadata = daemonset["metadata"]
        self._store.patch(
            "daemonsets.apps", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        return min((wait for wait in waits if wait), default=None)


def _may_run(
    daemonset: Mapping[str, Any], node: Mapping[str, Any], effects: Sequence[str] = ("NoSchedule", "NoExecute")
) -> bool:
    spec = daemonset["spec"]["template"]["spec"]
    tolerations = [*(spec.get("tolerations") or ()), *_added_tolerations(spec)]
    return selects_node(spec, node) and untolerated(tolerations, node, effects) is None


def _surge(daemonset: Mapping[str, Any], nodes: int) -> int:
    """maxSurge of a rolling update, in nodes."""
    rolling = (daemonset["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return count_of(rolling.get("maxSurge", 0), nodes, up=True)


def _too_many(live: Sequence[Mapping[str, Any]], revision: str, *, surging: bool) -> list[Mapping[str, Any]]:
    """All but the oldest pod of a node; while a new template surges, but the oldest of it and the oldest of another."""
    running = sorted((pod for pod in live if not is_finished(pod)), key=_age)
    if not surging:
        return running[1:]
    new = [pod for pod in running if pod["metadata"]["labels"].get(HASH_LABEL) == revision]
    return [*new[1:], *[pod for pod in running if pod not in new][1:]]


def _age(pod: Mapping[str, Any]) -> tuple[bool, str, int]:
    """Sorts the oldest first, and those that have a node before all others."""
    metadata = pod["metadata"]
    return not pod["spec"].get("nodeName"), metadata["creationTimestamp"], int(metadata["resourceVersion"])


def _added_tolerations(spec: Mapping[str, Any]) -> list[dict[str, str]]:
    added = [{"effect": "NoExecute", "key": key, "operator": "Exists"} for key in _EXECUTE]
    schedule = (*_SCHEDULE, "node.kubernetes.io/network-unavailable") if spec.get("hostNetwork") else _SCHEDULE
    return added + [{"effect": "NoSchedule", "key": key, "operator": "Exists"} for key in schedule]


def _pod(daemonset: Mapping[str, Any], node: str, revision: str) -> dict[str, Any]:
    generation = daemonset["metadata"].get("generation", 1)
    labels = {HASH_LABEL: revision, "pod-template-generation": str(generation)}
    pod = pod_of(daemonset["spec"]["template"], daemonset, labels)
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = pod["spec"].setdefault("affinity", {})
    affinity["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    pod["spec"]["tolerations"] = [*(pod["spec"].get("tolerations") or ()), *_added_tolerations(pod["spec"])]
    return pod


def _target(pod: Mapping[str, Any]) -> str:
    """The node the pod is on, or was made for."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    terms = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(terms["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])
