# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked by exec (private): of the nodes and pods that are there, those that were selected and can answer."""

from __future__ import annotations

from typing import AbstractSet, Any, Callable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._cut import shard_of
from ansible_collections.podnet.calico.plugins.module_utils._lists import NODE_SELECTOR, POD_SELECTOR, SHARD_SELECTOR, Kind, selected
from ansible_collections.podnet.calico.plugins.module_utils._model import NOT_KNOWN, NOT_SELECTED, OF_ANOTHER_SHARD, Node, Pod, Shard

_Elsewhere = Callable[[Optional[str]], Optional[str]]
# Said last: a pod with this reason, and no other, could have been asked.
NOT_ASKED_FOR = "pod evidence was not asked for"


class Selectors(NamedTuple):
    """Which nodes and pods are asked by exec: Kubernetes label selectors, evaluated by the API server; None is all.

    Of these, a ``shard`` asks those that are its own.
    """

    nodes: Optional[str] = None
    pods: Optional[str] = None
    namespaces: Tuple[str, ...] = ()
    shard: Optional[Shard] = None

    def kinds(self, ask_nodes: bool) -> Tuple[Kind, ...]:
        """What must be listed to know whom they select."""
        nodes = selected(NODE_SELECTOR, "nodes", self.nodes) if ask_nodes else ()
        shard = selected(SHARD_SELECTOR, "nodes", self.shard.node_selector) if self.shard else ()
        return nodes + selected(POD_SELECTOR, "pods", self.pods) + shard

    def elsewhere(self, objects: Mapping[str, Any]) -> _Elsewhere:
        """Of a node's name, why it and its pods are not this shard's to ask; None where they are."""
        shard = self.shard
        if shard is None:
            return lambda node: None
        if shard.node_selector:
            unknown = _unknown(objects, SHARD_SELECTOR)
            return lambda node: OF_ANOTHER_SHARD if _left_out(objects, SHARD_SELECTOR, (None, node or "")) else unknown
        name, of = shard.name, shard.of
        return lambda node: None if shard_of(node, of) == name else OF_ANOTHER_SHARD


EVERYTHING = Selectors()


def node_plan(objects: Mapping[str, Any], wanted: bool, elsewhere: _Elsewhere = lambda node: None) -> List[Node]:
    """Nodes, those that are not to be asked with the reason in ``skipped``: another shard's last, for else they would be asked."""
    return [node._replace(skipped=_node_reason(objects, node, wanted) or elsewhere(node.name)) for node in objects["nodes"]]


def _node_reason(objects: Mapping[str, Any], node: Node, wanted: bool) -> Optional[str]:
    if not wanted:
        return "node evidence was not asked for"
    if _left_out(objects, NODE_SELECTOR, (None, node.name)):
        return NOT_SELECTED + " (node_selector)"
    if node.os != "linux":
        return "not modelled (%s node)" % node.os
    return _unknown(objects, NODE_SELECTOR)


def pod_plan(
    objects: Mapping[str, Any], wanted: bool, namespaces: Sequence[str], elsewhere: _Elsewhere = lambda node: None
) -> List[Pod]:
    """Pods, those that are not to be asked with the reason in ``skipped``: another shard's last."""
    foreign = {node.name for node in objects["nodes"] if node.os != "linux"}
    return [
        pod._replace(skipped=_pod_reason(objects, pod, wanted, namespaces, foreign) or elsewhere(pod.node)) for pod in objects["pods"]
    ]


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
