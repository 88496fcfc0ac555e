# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a pod may run on: nodeName, nodeSelector, required node affinity, taints. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..objects import matches_expression, tolerates

_KEEPS_AWAY = ("NoSchedule", "NoExecute")


def refusal(pod_spec: Mapping[str, Any], node: Mapping[str, Any]) -> str | None:
    """Why the scheduler would not put the pod there, in its words and its order; None when it would."""
    if (node.get("spec") or {}).get("unschedulable"):
        unschedulable = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        if not tolerates(pod_spec.get("tolerations") or (), unschedulable):
            return "node(s) were unschedulable"
    taint = untolerated(pod_spec.get("tolerations") or (), node)
    if taint:
        return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    if not selects_node(pod_spec, node):
        return "node(s) didn't match Pod's node affinity/selector"
    return None


def port_conflict(pod: Mapping[str, Any], placed: Iterable[Mapping[str, Any]]) -> str | None:
    """The same for a node's ports, of which each is one pod's."""
    wanted = _host_ports(pod)
    if wanted and any(wanted & _host_ports(other) for other in placed):
        return "node(s) didn't have free ports for the requested pod ports"
    return None


def _host_ports(pod: Mapping[str, Any]) -> set[tuple[str, int]]:
    return {
        (port.get("protocol", "TCP"), port["hostPort"])
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }


def selects_node(pod_spec: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """nodeSelector and requiredDuringSchedulingIgnoredDuringExecution."""
    labels = node["metadata"].get("labels") or {}
    wanted = pod_spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_matches_term(term, node) for term in required["nodeSelectorTerms"])


def untolerated(
    tolerations: Sequence[Mapping[str, Any]], node: Mapping[str, Any], effects: Sequence[str] = _KEEPS_AWAY
) -> Mapping[str, Any] | None:
    """The first taint of the node, of those ``effects``, that keeps such a pod away."""
    taints = (node.get("spec") or {}).get("taints") or ()
    return next(
        (taint for taint in taints if taint["effect"] in effects and not tolerates(tolerations, taint)), None
    )


def _matches_term(term: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    labels = node["metadata"].get("labels") or {}
    fields = {"metadata.name": node["metadata"]["name"]}
    expressions, of_fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    return (
        bool(expressions or of_fields)
        and all(matches_expression(expression, labels) for expression in expressions)
        and all(matches_expression(expression, fields) for expression in of_fields)
    )
