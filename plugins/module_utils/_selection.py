# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked by exec (private): of the nodes and pods that are there, those that were selected and can answer."""

from __future__ import annotations

from typing import AbstractSet, Any, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._lists import NODE_SELECTOR, POD_SELECTOR, Kind, selected
from ansible_collections.podnet.calico.plugins.module_utils._model import NOT_KNOWN, NOT_SELECTED, Node, Pod

# Said last: a pod with this reason, and no other, could have been asked.
NOT_ASKED_FOR = "pod evidence was not asked for"


class Selectors(NamedTuple):
    """Which nodes and pods are asked by exec: Kubernetes label selectors, evaluated by the API server; None is all."""

    nodes: Optional[str] = None
    pods: Optional[str] = None
    namespaces: Tuple[str, ...] = ()

    def kinds(self, ask_nodes: bool) -> Tuple[Kind, ...]:
        """What must be listed to know whom they select."""
        nodes = selected(NODE_SELECTOR, "nodes", self.nodes) if ask_nodes else ()
        return nodes + selected(POD_SELECTOR, "pods", self.pods)


EVERYTHING = Selectors()


def node_plan(objects: Mapping[str, Any], wanted: bool) -> List[Node]:
    """Nodes, those that are not to be asked with the reason in ``skipped``."""
    return [node._replace(skipped=_node_reason(objects, node, wanted)) for node in objects["nodes"]]


def _node_reason(objects: Mapping[str, Any], node: Node, wanted: bool) -> Optional[str]:
    if not wanted:
        return "node evidence was not asked for"
    if _left_out(objects, NODE_SELECTOR, (None, node.name)):
        return NOT_SELECTED + " (node_selector)"
    if node.os != "linux":
        return "not modelled (%s node)" % node.os
    return _unknown(objects, NODE_SELECTOR)


def pod_plan(objects: Mapping[str, Any], wanted: bool, namespaces: Sequence[str]) -> List[Pod]:
    """Pods, those that are not to be asked with the reason in ``skipped``."""
    foreign = {node.name for node in objects["nodes"] if node.os != "linux"}
    return [pod._replace(skipped=_pod_reason(objects, pod, wanted, namespaces, foreign)) for pod in objects["pods"]]


def _pod_reason(
    objects: Mapping[str, Any], pod: Pod, wanted: bool, namespaces: Sequence[str], foreign: AbstractSet[str]
) -> Optional[str]:
    if _left_out(objects, POD_SELECTOR, (pod.namespace, pod.name)):
        return NOT_SELECTED + " (pod_selector)"
    if namespaces and pod.namespace not in namespaces:
        return NOT_SELECTED + " (namespaces)"
    if pod.host_network:
        return "on the host's network"
    if pod.phase != "Running":
        return "phase %s" % pod.phase
    if pod.node in foreign:
        return "not modelled (not a Linux node)"
    return _unknown(objects, POD_SELECTOR) or (None if wanted else NOT_ASKED_FOR)


def _left_out(objects: Mapping[str, Any], option: str, subject: Tuple[Optional[str], str]) -> bool:
    """Whether what the option selects was listed, and the subject is not of it."""
    chosen = objects.get(option)
    return chosen is not None and subject not in chosen


def _unknown(objects: Mapping[str, Any], option: str) -> Optional[str]:
    """What is to be said where there is a selector and what it selects could not be listed."""
    return "%s %s selects it" % (NOT_KNOWN, option) if option in objects and objects[option] is None else None
